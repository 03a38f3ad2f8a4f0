package main

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"partneraccess/shared/manifest"
)

// service is the stack while it is put together. What a target or a setting leaves out is nil.
type service struct {
	in awscdk.Stack
	settings

	table     awsdynamodb.ITable
	bus       awsevents.IEventBus
	mail      *mailer
	pool      *pool
	api       awsapigatewayv2.HttpApi
	httpStage awsapigatewayv2.HttpStage
	address   *string // the service's public one, without a slash at the end
	function  map[string]awslambda.Function
	live      map[string]awslambda.Alias // of the functions with routes: the version that the API invokes
	alarm     map[string]awscloudwatch.IAlarm
	dead      []deadLetters
}

// pool is Cognito's.
type pool struct {
	id, arn  *string
	issuer   *string                        // of its tokens
	backEnd  awscognito.CfnUserPoolClient   // checks passwords; its tokens are good for nothing
	pages    awscognito.CfnUserPoolClient   // signs people in
	audience []awscognito.CfnUserPoolClient // the clients whose tokens the API takes
	address  string                         // of its sign-in pages and its OAuth endpoints, without a slash at the end
}

// deadLetters is the queue of what one trigger of a function gave up.
type deadLetters struct {
	name, means string
	cause       cause
	queue       awssqs.Queue
}

// mailer is SES's side.
type mailer struct {
	identityARN, setARN, setName *string
}

// newStack makes the stack of a deployment. Its name and all names in it hold the stage. The pages are the folder of the built console, if
// it is wanted.
func newStack(app awscdk.App, s settings, code code, pages string) awscdk.Stack {
	name := "partner-access-" + s.stage
	stack := awscdk.NewStack(app, &name, &awscdk.StackProps{
		StackName:          &name,
		Description:        jsii.String("Partner Access: customers grant partners access to their tenants, and back ends check"),
		Tags:               &map[string]*string{"service": jsii.String("partner-access"), "stage": &s.stage},
		AnalyticsReporting: jsii.Bool(false), // it tells AWS what the stack is made of, in a resource of the stack
		// What holds data is kept in any case. This keeps a slip of the hand from taking the API away. Not at the first deployment: a stack
		// that could not be made has to be deleted before the next attempt, and CloudFormation refuses that.
		TerminationProtection: jsii.Bool(s.protect),
	})
	v := &service{
		in: stack, settings: s, function: map[string]awslambda.Function{},
		live: map[string]awslambda.Alias{}, alarm: map[string]awscloudwatch.IAlarm{},
	}
	v.addTable()
	v.addBus()
	if s.target == onAWS {
		v.addMail()
		if s.ownPool() {
			v.addPool()
		}
		v.addAPI()
		if s.console {
			v.addConsole(pages)
		}
	} else {
		v.address = &s.baseURL
	}
	for _, f := range manifest.Functions() {
		v.addFunction(f, code[f.Name])
	}
	if s.target == onAWS {
		v.addRoutes()
		v.output("CheckFunction", v.live["check"].FunctionArn(), "the function that decides, for back ends that invoke it: shared/client/invoke")
		if len(v.checkRoleFor) > 0 {
			v.addCheckRole()
		}
		v.addAdditions()
		v.addAlarms()
		v.addRollouts()
		if s.dashboard {
			v.addDashboard()
		}
	}
	v.output("Table", v.table.TableName(), "the table's name")
	nag(app)
	return stack
}

// named is the name of something in an account and region: the stage is in it, so that several deployments get along.
func (v *service) named(what string) *string {
	return jsii.String("partner-access-" + v.stage + "-" + what)
}

func (v *service) output(id string, value *string, description string) {
	out := awscdk.NewCfnOutput(v.in, jsii.String("Output-"+id), &awscdk.CfnOutputProps{Value: value, Description: &description})
	out.OverrideLogicalId(&id)
}

// keep is what becomes of data when the stack is destroyed, or what holds them is to be replaced: it stays, unless it was made by a
// deployment that failed, and is empty. LocalStack's are nobody's.
func (v *service) keep() awscdk.RemovalPolicy {
	if v.target == onAWS {
		return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return awscdk.RemovalPolicy_DESTROY
}

// nag holds the app against the rules of cdk-nag.
func nag(app awscdk.App) {
	props := &cdknag.NagPackProps{Verbose: jsii.Bool(true), Reports: jsii.Bool(false)}
	for _, pack := range []awscdk.IAspect{cdknag.NewAwsSolutionsChecks(props), cdknag.NewServerlessChecks(props)} {
		awscdk.Aspects_Of(app).Add(pack, nil)
	}
}

// suppress silences rules of cdk-nag for a construct and what it consists of, with the reason why they do not hold there.
func suppress(construct any, reasons ...reason) {
	var all []*cdknag.NagPackSuppression
	for _, r := range reasons {
		id := r.rule
		if !strings.Contains(id, "-") {
			id = "AwsSolutions-" + id
		}
		s := &cdknag.NagPackSuppression{Id: &id, Reason: jsii.String(r.why)}
		if r.of != nil {
			s.AppliesTo = &[]any{}
			for _, what := range r.of {
				*s.AppliesTo = append(*s.AppliesTo, what)
			}
		}
		all = append(all, s)
	}
	cdknag.NagSuppressions_AddResourceSuppressions(construct, &all, jsii.Bool(true))
}

// reason is why a rule of cdk-nag does not hold: for all that it finds in a construct, or for these findings alone. A rule of another pack
// than AwsSolutions has the pack's name in front.
type reason struct {
	rule, why string
	of        []string
}

// pointers are the strings as jsii wants them.
func pointers(s []string) *[]*string { return jsii.Strings(slices.Clone(s)...) }
