package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// alarmNames are the names of the alarms of a template, by logical id.
func alarmNames(tpl template) map[string]string {
	out := map[string]string{}
	for id, a := range tpl.of("AWS::CloudWatch::Alarm") {
		name, _ := a.Properties["AlarmName"].(string)
		out[id] = name
	}
	return out
}

func TestANewVersionTakesOverBitByBitOrGoesBack(t *testing.T) {
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		names, groups := alarmNames(tpl), tpl.of("AWS::CodeDeploy::DeploymentGroup")
		prefix := "partner-access-" + settingsOf(variant)["stage"] + "-"
		if variant == "pool" {
			prefix = "partner-access-dev-"
		}
		application, _ := tpl.only(t, "AWS::CodeDeploy::Application")
		for _, f := range manifest.Functions() {
			what := variant + ": " + f.Name
			alias, found := aliasOf(tpl, prefix+f.Name)
			if found != (len(f.Routes) > 0) {
				t.Errorf("%s: got an alias: %v, want one for what the API invokes alone", what, found)
			}
			if !found {
				continue
			}
			moves := at(alias.policy, "CodeDeployLambdaAliasUpdate")
			group, ok := groups[refers(at(moves, "DeploymentGroupName"))]
			if !ok || refers(at(moves, "ApplicationName")) != application {
				t.Errorf("%s: the alias is not moved by CodeDeploy: %s", what, plain(alias.policy))
				continue
			}
			same(t, what+": how", group.Properties["DeploymentConfigName"], "CodeDeployDefault.LambdaCanary10Percent5Minutes")
			same(t, what+": goes back", at(group.Properties, "AutoRollbackConfiguration"),
				map[string]any{"Enabled": true, "Events": []string{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}})
			watched := map[string]bool{}
			alarms, _ := at(group.Properties, "AlarmConfiguration", "Alarms").([]any)
			for _, a := range alarms {
				watched[names[refers(at(a, "Name"))]] = true
			}
			if !watched[prefix+f.Name+"-errors"] || !watched[prefix+"new-version"] || len(watched) != 2 {
				t.Errorf("%s: got the alarms %v, want its errors and the API's", what, watched)
			}
		}
	}
}

// An alias with what CloudFormation does when it changes.
type liveAlias struct {
	resource

	policy any
}

// aliasOf is the alias of the function of that name.
func aliasOf(tpl template, function string) (liveAlias, bool) {
	for id, a := range tpl.of("AWS::Lambda::Alias") {
		if tpl.Resources[refers(a.Properties["FunctionName"])].Properties["FunctionName"] == function {
			version := tpl.Resources[refers(a.Properties["FunctionVersion"])]
			return liveAlias{a, tpl.raw(id)["UpdatePolicy"]}, version.Type == "AWS::Lambda::Version" &&
				refers(version.Properties["FunctionName"]) == refers(a.Properties["FunctionName"])
		}
	}
	return liveAlias{}, false
}

// raw is a resource as CloudFormation gets it.
func (t template) raw(id string) map[string]any {
	text, err := os.ReadFile(t.file)
	if err != nil {
		panic(err)
	}
	var all struct{ Resources map[string]map[string]any }
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all.Resources[id]
}

func TestWhatAnOperatorDoesWithout(t *testing.T) {
	tpl := synth(t, "sparing")
	if len(tpl.errors) > 0 {
		t.Errorf("got complaints: %v", tpl.errors)
	}
	_, stage := tpl.only(t, "AWS::ApiGatewayV2::Stage")
	same(t, "access log", stage.Properties["AccessLogSettings"], nil)
	for id, f := range tpl.of("AWS::Lambda::Function") {
		name, own := f.Properties["FunctionName"].(string)
		if !own {
			continue
		}
		same(t, id+": Lambda's own lines", at(f.Properties, "LoggingConfig", "SystemLogLevel"), "INFO")
		if strings.HasSuffix(name, "-check") {
			same(t, "allows in the log", at(f.Properties, "Environment", "Variables", "LOG_ALLOWS"), "100")
		}
	}
	for id := range tpl.of("AWS::Lambda::Alias") { // they stay, so that the API goes on to invoke the same
		same(t, id+": how it moves", tpl.raw(id)["UpdatePolicy"], nil)
	}
	same(t, "groups", len(tpl.of("AWS::CodeDeploy::DeploymentGroup")), 0)
	same(t, "dashboards", len(tpl.of("AWS::CloudWatch::Dashboard")), 0)
	machines := map[string]any{}
	for id, c := range tpl.of("AWS::Cognito::UserPoolClient") {
		if c.Properties["GenerateSecret"] == true {
			machines[id] = c.Properties["AllowedOAuthScopes"]
		}
	}
	same(t, "machines", machines, map[string]any{"DirectoryClient": []string{httpapi.ScopeDirectory, httpapi.ScopeCheck, httpapi.ScopeAudit}})
	_, api := tpl.only(t, "AWS::ApiGatewayV2::Authorizer")
	same(t, "whose tokens the API takes", at(api.Properties, "JwtConfiguration", "Audience"),
		[]any{map[string]any{"Ref": "PagesClient"}, map[string]any{"Ref": "DirectoryClient"}})
	for id, a := range tpl.of("AWS::CloudWatch::Alarm") {
		if a.Properties["ThresholdMetricId"] != nil {
			t.Errorf("%s: got a band, want none", id)
		}
	}
}

// Each change of a function takes an old version of it away, which is nothing to stop a pipeline for.
func TestADiffThatDestroysIsStoppedAndOneOfVersionsIsNot(t *testing.T) {
	for line, harmless := range map[string]bool{
		"[~] AWS::Lambda::Alias Live-check LivecheckD608ED5F":                           true,
		"[-] AWS::Lambda::Version CheckCurrentVersionFDC518B0aaaa destroy":              true,
		"[-] AWS::Lambda::Version Check/CurrentVersion CheckCurrentVersionFD12 destroy": true,
		"[-] AWS::DynamoDB::Table Table TableCD117FA1 destroy":                          false,
		"[~] AWS::DynamoDB::Table Table TableCD117FA1 replace":                          false,
		" └─ [~] KeySchema (requires replacement)":                                      false,
		" └─ [~] StreamSpecification (may be replaced)":                                 false,
	} {
		file := filepath.Join(t.TempDir(), "diff")
		if err := os.WriteFile(file, []byte("Resources\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "make", "-s", "-C", "..", "harmless", "DIFF="+file).CombinedOutput() //nolint:gosec // ours
		if (err == nil) != harmless {
			t.Errorf("%s: got %v, want it stopped: %v: %s", line, err, !harmless, out)
		}
	}
}

// What is invoked is the alias: the API may not invoke the function behind it, nor any version.
func TestTheAPIMayInvokeTheLiveVersionAlone(t *testing.T) {
	tpl := synth(t, "pool")
	for id, p := range tpl.of("AWS::Lambda::Permission") {
		if p.Properties["Principal"] != "apigateway.amazonaws.com" {
			continue
		}
		if kind := tpl.Resources[refers(p.Properties["FunctionName"])].Type; kind != "AWS::Lambda::Alias" {
			t.Errorf("%s: the API may invoke %s, want an alias", id, kind)
		}
	}
}

// What the cost table counts of the stack is what there is of it: scripts/measure/cost/stack.json.
func TestTheCostTableCountsWhatIsMade(t *testing.T) {
	text, err := os.ReadFile("../scripts/measure/cost/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	tpl := synth(t, "pool")
	alarmed, bands, machines := 0, 0, 0
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		queries, _ := a.Properties["Metrics"].([]any)
		switch {
		case a.Properties["ThresholdMetricId"] != nil:
			bands++
		case len(queries) == 0:
			alarmed++
		}
		for _, q := range queries {
			if a.Properties["ThresholdMetricId"] == nil && at(q, "MetricStat") != nil {
				alarmed++
			}
		}
	}
	for _, c := range tpl.of("AWS::Cognito::UserPoolClient") {
		if strings.Contains(fmt.Sprint(c.Properties["AllowedOAuthFlows"]), "client_credentials") {
			machines++
		}
	}
	_, plan := tpl.only(t, "AWS::Backup::BackupPlan")
	same(t, "what the stack has", map[string]any{
		"alarm_metrics": alarmed, "anomaly_alarms": bands, "composites": len(tpl.of("AWS::CloudWatch::CompositeAlarm")),
		"dashboards": len(tpl.of("AWS::CloudWatch::Dashboard")), "machine_clients": machines,
		"backup_days": at(plan.Properties, "BackupPlan", "BackupPlanRule", 0, "Lifecycle", "DeleteAfterDays"),
	}, want)
}
