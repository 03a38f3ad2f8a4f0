package main

import (
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/manifest"
)

// addCheckRole makes the role that back ends take who decide in their own process (shared/client/table): it reads what decisions look at,
// by key, and nothing else.
func (v *service) addCheckRole() {
	var who []awsiam.IPrincipal
	for _, of := range v.checkRoleFor {
		if strings.HasPrefix(of, "arn:") {
			who = append(who, awsiam.NewArnPrincipal(jsii.String(of)))
		} else {
			who = append(who, awsiam.NewAccountPrincipal(of))
		}
	}
	role := awsiam.NewRole(v.in, jsii.String("DeciderRole"), &awsiam.RoleProps{
		Description:        jsii.String("A back end that decides from the table of " + *v.named("") + " itself reads it as this role"),
		AssumedBy:          awsiam.NewCompositePrincipal(who...),
		MaxSessionDuration: awscdk.Duration_Hours(jsii.Number(1)),
	})
	for _, r := range manifest.CheckRole() {
		condition := readCondition(r)
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings(r.Action), Resources: &[]*string{v.table.TableArn()}, Conditions: &condition,
		}))
	}
	if v.tableKey != "" {
		role.AddToPolicy(v.useOfTableKey("kms:Decrypt", "kms:DescribeKey"))
	}
	v.output("CheckRole", role.RoleArn(), "the role that back ends take who decide from the table itself: shared/client/table")
}

// readCondition bounds a right to read by partition keys and by the attributes that are asked for. A call that names no attributes gets
// none: it would be all of them. ForAllValues holds of what is not there at all, hence Null.
func readCondition(r manifest.Right) map[string]any {
	return map[string]any{
		"ForAllValues:StringLike":   map[string]any{"dynamodb:LeadingKeys": r.Keys},
		"ForAllValues:StringEquals": map[string]any{"dynamodb:Attributes": r.Attributes},
		"StringEqualsIfExists":      map[string]any{"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
		"Null":                      map[string]any{"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
	}
}

// useOfTableKey allows the use of the operator's key by way of DynamoDB, which uses it in the name of whoever reads or writes.
func (v *service) useOfTableKey(actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(v.tableKey),
		Conditions: &map[string]any{"StringEquals": map[string]any{"kms:ViaService": "dynamodb." + *v.in.Region() + ".amazonaws.com"}},
	})
}

// checkCheckRole is about who may take the role of back ends that decide by themselves.
func (s settings) checkCheckRole(c *complaints) {
	form := regexp.MustCompile(`^(\d{12}|arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+)$`)
	for _, who := range s.checkRoleFor {
		if !form.MatchString(who) {
			c.say("checkRoleFor has %q: give the ids of accounts or the ARNs of roles, without wildcards, separated by commas", who)
		}
	}
	if len(s.checkRoleFor) > 0 && s.target != onAWS {
		c.say("checkRoleFor is for AWS: LocalStack's free plan does not look at roles")
	}
}
