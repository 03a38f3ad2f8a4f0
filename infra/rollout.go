package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/manifest"
)

// allAtOnce is the rollout in which new versions take over as soon as they are there, and nothing is rolled back.
const allAtOnce = "none"

// rollouts are how CodeDeploy can shift requests to a new version, as it names them itself behind CodeDeployDefault.Lambda; the first one
// is the default. That all go at once it offers, too, but then there is nothing left that could be rolled back in time.
func rollouts() []string {
	return []string{
		"Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
		"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes",
	}
}

// addAlias makes the alias that the API invokes of a function with routes: each deployment that changes the function publishes a version,
// and moves the alias there.
//
// The functions that the stream, the clock and SES start have none. Nobody waits for them, what fails in them comes again or is kept, and
// a tenth of their work would be a few batches, which tell nothing in five minutes.
func (v *service) addAlias(f manifest.Function) awslambda.Alias {
	fn := v.function[f.Name]
	v.live[f.Name] = awslambda.NewAlias(v.in, jsii.String("Live-"+f.Name), &awslambda.AliasProps{
		AliasName: jsii.String("live"), Version: fn.CurrentVersion(), Description: jsii.String("the version that the API invokes"),
	})
	return v.live[f.Name]
}

// addRollouts lets CodeDeploy move the aliases: some requests first, and all of them when no alarm has gone off by then. When one does, the
// alias goes back, the deployment fails, and CloudFormation puts the rest of the stack back, too. At a stack's first deployment there is
// nothing to shift, and CodeDeploy has no part in it.
//
// The alarms are the function's own errors, and the API's answers of 5xx, which a function that recovers from its faults does not count as
// errors. While one of them is on, CodeDeploy starts nothing: what mends an incident goes out with the rollout none.
func (v *service) addRollouts() {
	if v.rollout == allAtOnce {
		return
	}
	application := awscodedeploy.NewLambdaApplication(v.in, jsii.String("Rollouts"), nil)
	role := awsiam.NewRole(v.in, jsii.String("RolloutRole"), &awsiam.RoleProps{
		Description: jsii.String("CodeDeploy shifts requests to new versions of functions"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("codedeploy.amazonaws.com"), nil),
	})
	config := awscodedeploy.LambdaDeploymentConfig_FromLambdaDeploymentConfigName(v.in, jsii.String("Rollout"),
		jsii.String("CodeDeployDefault.Lambda"+v.rollout))
	for _, f := range manifest.Functions() {
		if len(f.Routes) == 0 {
			continue
		}
		awscodedeploy.NewLambdaDeploymentGroup(v.in, jsii.String("Rollout-"+f.Name), &awscodedeploy.LambdaDeploymentGroupProps{
			Application: application, Alias: v.live[f.Name], DeploymentConfig: config, Role: role,
			Alarms: &[]interfacesawscloudwatch.IAlarmRef{v.alarm[f.Name+"-errors"], v.alarm["new-version"]},
		})
	}
	suppress(role, reason{"IAM4", "CodeDeploy's own policy for Lambda, which AWS keeps in step with its service", nil})
}
