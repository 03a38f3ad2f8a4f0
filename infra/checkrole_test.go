package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/manifest"
)

// decider is the role of back ends that decide by themselves: its logical id.
func (t template) decider() string {
	for id := range t.of("AWS::IAM::Role") {
		if strings.HasPrefix(id, "DeciderRole") {
			return id
		}
	}
	return ""
}

func TestTheCheckRoleIsForThoseWhomTheSettingNames(t *testing.T) {
	for _, variant := range onAWSAlone() {
		if id := synth(t, variant).decider(); id != "" {
			t.Errorf("%s: got %s, want no role that nobody has asked for", variant, id)
		}
	}
	tpl := synth(t, "additions")
	role := tpl.resolved(t, tpl.decider())
	var who []string
	statements, _ := at(role, "AssumeRolePolicyDocument", "Statement").([]any)
	for _, s := range statements {
		same(t, "what others may do with it", at(s, "Action"), "sts:AssumeRole")
		who = append(who, texted(at(s, "Principal", "AWS"))...)
	}
	slices.Sort(who)
	same(t, "who may take it", who, []string{"arn:aws:iam::123456789012:role/reports/api", "arn:aws:iam::210987654321:root"})
	for output, of := range map[string]string{"CheckRole": tpl.decider(), "CheckFunction": "Livecheck"} {
		if got := plain(at(tpl.Outputs[output], "Value")); !strings.Contains(got, of) {
			t.Errorf("the output %s is %s, want %s", output, got, of)
		}
	}
}

// A call tells IAM its keys, the attributes that it names, and, where it names none, that it wants all.
func TestTheCheckRoleReadsWhatDecidesAndNothingElse(t *testing.T) {
	tpl := synth(t, "additions")
	arns, role := tpl.arns("additions"), tpl.decider()
	table, own := arns[manifest.Table][0], manifest.CheckRole()
	var all []call
	var want []string
	expect := func(answer, action string, keys, attributes []string, more map[string]any) {
		c := call{role, action, table, map[string]any{}}
		if keys != nil {
			c.Context["dynamodb:LeadingKeys"] = keys
		}
		if attributes != nil {
			c.Context["dynamodb:Attributes"] = attributes
		}
		maps.Copy(c.Context, more)
		all, want = append(all, c), append(want, answer)
	}
	decisive, resolving := own[0], own[1]
	records, address := []string{"P#contoso", "C#acme"}, []string{"E#kim@contoso.example"}
	expect("allowed", "dynamodb:BatchGetItem", records, decisive.Attributes, nil)
	expect("allowed", "dynamodb:GetItem", address, resolving.Attributes, nil)
	for _, of := range []struct {
		manifest.Right
		keys []string
	}{{decisive, records}, {resolving, address}} {
		expect("allowed", of.Action, of.keys, of.Attributes, map[string]any{"dynamodb:Select": "SPECIFIC_ATTRIBUTES"})
		expect("denied", of.Action, of.keys, of.Attributes, map[string]any{"dynamodb:Select": "ALL_ATTRIBUTES"})
		expect("denied", of.Action, of.keys, nil, nil) // whatever a call without a projection tells
		expect("denied", of.Action, of.keys, nil, map[string]any{"dynamodb:Select": "ALL_ATTRIBUTES"})
		expect("denied", of.Action, nil, of.Attributes, nil)
		for _, name := range strings.Fields("email former caps name phone note message contacts by_email granter_email event token hold") {
			expect("denied", of.Action, of.keys, append(slices.Clone(of.Attributes), name), nil)
		}
		for _, kind := range strings.Fields("A B D F H I J K L M N O Q R U W X Y Z") {
			expect("denied", of.Action, append(slices.Clone(of.keys), kind+"#x"), of.Attributes, nil)
		}
	}
	expect("denied", "dynamodb:BatchGetItem", address, decisive.Attributes, nil)
	expect("denied", "dynamodb:GetItem", address, decisive.Attributes, nil)
	expect("denied", "dynamodb:GetItem", records, decisive.Attributes, nil)
	for _, action := range strings.Fields("Query PutItem UpdateItem DeleteItem ConditionCheckItem PartiQLSelect BatchWriteItem") {
		expect("denied", "dynamodb:"+action, records, decisive.Attributes, nil)
	}
	for _, c := range never(role, arns) {
		all, want = append(all, c), append(want, "denied")
	}
	for i, got := range judge(t, map[string][]any{role: tpl.inline(t)[role]}, all) {
		if got != want[i] {
			t.Errorf("%s: got %s, want %s", plain(all[i]), got, want[i])
		}
	}
}
