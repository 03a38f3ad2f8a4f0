package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdadestinations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/manifest"
)

// addFunction makes a function of the manifest with all that starts it but for its routes.
//
// Memory and time-outs are the manifest's. A function in Go needs 20 MiB; what memory buys is CPU, a whole one at 1769 MiB. Check has 512,
// as somebody waits for each and most of one's time is the table's; the others have 256, and feedback, for which nobody waits, 128. No
// time-out of a function with routes is longer than API Gateway waits, so that a function is never cut off unheard.
//
// Concurrency is not reserved, but for check where the operator says so: API Gateway's throttle bounds the routes, the shards'
// parallelization bounds notify, and one run a minute expire, whose overlapping runs are harmless. A new account has ten executions and
// refuses any reservation.
func (v *service) addFunction(f manifest.Function, folder string) {
	id := strings.ToUpper(f.Name[:1]) + f.Name[1:]
	name := v.named(f.Name)
	// Made here, for its retention and its removal; Lambda would make one that is kept for ever. A log is no data: it goes with the stack.
	log := awslogs.NewLogGroup(v.in, jsii.String(id+"Log"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + *name), Retention: v.retention(), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(v.in, jsii.String(id+"Role"), &awsiam.RoleProps{
		Description: jsii.String("The function " + *name + " " + f.Does),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	log.GrantWrite(role)
	for _, s := range v.statements(f.Name) {
		role.AddToPolicy(s)
	}
	if v.tableKey != "" {
		role.AddToPolicy(v.useOfTableKey(
			"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"))
	}
	architecture := awslambda.Architecture_ARM_64() // a fifth cheaper, and as fast
	if v.target == onLocalStack {
		architecture = awslambda.Architecture_X86_64() // its containers are the host's
	}
	tracing := awslambda.Tracing_DISABLED
	if v.tracing {
		tracing = awslambda.Tracing_ACTIVE
	}
	var reserved *float64
	if f.Name == "check" && v.checkConcurrency > 0 {
		reserved = jsii.Number(float64(v.checkConcurrency))
	}
	props := &awslambda.FunctionProps{
		FunctionName:                 name,
		Description:                  jsii.String(f.Does),
		Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
		Handler:                      jsii.String("bootstrap"),
		Architecture:                 architecture,
		Code:                         awslambda.Code_FromAsset(&folder, nil),
		MemorySize:                   jsii.Number(float64(f.Memory)),
		Timeout:                      seconds(f.Timeout),
		Environment:                  v.environment(f),
		Role:                         role,
		LogGroup:                     log,
		Tracing:                      tracing,
		ReservedConcurrentExecutions: reserved,
	}
	v.formatLog(props)
	fn := awslambda.NewFunction(v.in, jsii.String(id), props)
	fn.Node().AddDependency(role) // with its policy: a function that starts without it fails its first requests
	v.function[f.Name] = fn
	suppress(fn, reason{
		"Serverless-LambdaDLQ",
		"a caller waits for the answer, or what fails goes to the on-failure destination of the invocation or of the stream's mapping", nil,
	}, reason{"Serverless-LambdaTracing", "traces cost a quarter of a single check, and are the operator's choice: the setting tracing", nil})

	unnamed := []string{"Resource::*"}
	why := "X-Ray's PutTraceSegments and PutTelemetryRecords know no resources"
	if f.Stream != nil {
		v.addStream(f, fn, role)
		why += "; nor does DynamoDB's ListStreams"
	}
	if slices.ContainsFunc(manifest.Rights(f.Name), func(r manifest.Right) bool { return r.On == manifest.Suppressed }) {
		why += "; nor does SES's DeleteSuppressedDestination for the account's list"
	}
	if slices.ContainsFunc(manifest.Rights(f.Name), func(r manifest.Right) bool { return r.On == manifest.Mails }) {
		why += "; SES asks for a right to the recipient's identity in its sandbox, and ses:FromAddress says as whom the function may send"
		unnamed = append(unnamed, "Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*")
	}
	suppress(role, reason{"IAM5", why, unnamed})
	if f.Schedule > 0 {
		dead := v.addDeadLetters(f, "clock",
			"a run that the clock starts; the next one does what it has not done. An operator has to see that it happens, and may then purge the "+
				"queue")
		// Not tried again: the next one is a minute away.
		v.invokedByEvents(fn, dead, 0, time.Minute)
		v.addRule(id+"Schedule", "clock", f, &awsevents.RuleProps{Schedule: awsevents.Schedule_Rate(seconds(f.Schedule))}, dead, time.Minute)
	}
	if f.Feedback {
		dead := v.addDeadLetters(f, "events", "what SES said of a mail. The function's log says why; the queue can be redriven by hand")
		v.invokedByEvents(fn, dead, 2, 6*time.Hour) // the most that there is
		v.addRule(id+"Events", "events", f, &awsevents.RuleProps{EventPattern: v.feedbackPattern()}, dead, 24*time.Hour)
	}
}

// formatLog says which lines of a function Lambda keeps: all of the function's own, and of Lambda's warnings alone, or where the operator
// wants them the start, the end and the report of each invocation, too, which are more than half of what a check logs.
//
// Lambda's levels need its format JSON. What is JSON already it leaves as it is, and this is all that the functions write: their lines and
// CloudWatch's embedded metrics ("Configuring JSON and plain text log formats" in AWS's guide to Lambda; aws-lambda-go #533). A line
// without a time is taken as INFO.
func (v *service) formatLog(props *awslambda.FunctionProps) {
	if v.target == onLocalStack {
		props.LoggingFormat = awslambda.LoggingFormat_TEXT
		return
	}
	props.LoggingFormat = awslambda.LoggingFormat_JSON
	props.ApplicationLogLevelV2 = awslambda.ApplicationLogLevel_INFO
	props.SystemLogLevelV2 = awslambda.SystemLogLevel_WARN
	if v.platformLog {
		props.SystemLogLevelV2 = awslambda.SystemLogLevel_INFO
	}
}

// feedbackPattern are SES's events of this stack's mails: another stack's configuration set sends its events to the same bus.
func (v *service) feedbackPattern() *awsevents.EventPattern {
	p := &awsevents.EventPattern{Source: jsii.Strings("aws.ses"), DetailType: pointers(feedbackTypes())}
	if v.mail != nil {
		p.Detail = &map[string]any{"mail": map[string]any{"tags": map[string]any{"ses:configuration-set": []*string{v.mail.setName}}}}
	}
	return p
}

// retention is how long logs are kept.
func (v *service) retention() awslogs.RetentionDays {
	names := map[int]awslogs.RetentionDays{
		1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
		7:  awslogs.RetentionDays_ONE_WEEK,
		14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH, 60: awslogs.RetentionDays_TWO_MONTHS,
		90:  awslogs.RetentionDays_THREE_MONTHS,
		120: awslogs.RetentionDays_FOUR_MONTHS, 150: awslogs.RetentionDays_FIVE_MONTHS, 180: awslogs.RetentionDays_SIX_MONTHS,
		365: awslogs.RetentionDays_ONE_YEAR,
		400: awslogs.RetentionDays_THIRTEEN_MONTHS, 545: awslogs.RetentionDays_EIGHTEEN_MONTHS, 731: awslogs.RetentionDays_TWO_YEARS,
		1096: awslogs.RetentionDays_THREE_YEARS, 1827: awslogs.RetentionDays_FIVE_YEARS, 2192: awslogs.RetentionDays_SIX_YEARS,
		2557: awslogs.RetentionDays_SEVEN_YEARS, 2922: awslogs.RetentionDays_EIGHT_YEARS, 3288: awslogs.RetentionDays_NINE_YEARS,
		3653: awslogs.RetentionDays_TEN_YEARS,
	}
	return names[v.logRetentionDays]
}

// environment is what the manifest says that the function reads; what is not set is left out.
func (v *service) environment(f manifest.Function) *map[string]*string {
	l := v.letters
	known := map[string]*string{
		"LOG_ALLOWS": jsii.String(strconv.Itoa(v.logAllows)),
		"TABLE_NAME": v.table.TableName(), "STAGE": &v.stage, "BASE_URL": v.address, "CATALOGUE_FILE": jsii.String(""),
		"REQUIRE_SSO": jsii.String(strconv.FormatBool(v.requireSSO)), "SIGN_IN_URL": &v.signInURL,
		"FEDERATION": jsii.String(v.federation.setting()),
		"IDENTITY":   jsii.String("none"), "USER_POOL_ID": jsii.String(""), "USER_POOL_CLIENT_ID": jsii.String(""),
		"PRODUCT_NAME": &l.Product, "MAIL_FROM": &l.From, "MAIL_REPLY_TO": &l.ReplyTo, "SUPPORT": &l.Support, "CUSTOMER_URL": &l.CustomerURL,
		"PARTNER_URL": &l.PartnerURL, "INVITATION_URL": &l.InvitationURL, "UNSUBSCRIBE": &l.Unsubscribe, "CHAT_WEBHOOK": &l.Chat,
		"DEFAULT_LANGUAGE": &l.Language, "DEFAULT_ZONE": &l.Zone, "PROVIDER_EMAIL": &l.Provider,
		"MAIL_CONFIGURATION_SET": jsii.String(""), "WORK_FUNCTION": v.named("work"), "DELIVER_FUNCTION": v.named("deliver"),
		"CUSTOMER_WEBHOOKS": jsii.String(strconv.FormatBool(v.customerWebhooks)),
		"BUS_NAME":          v.bus.EventBusName(),
	}
	if v.catalogue != "" {
		known["CATALOGUE_FILE"] = jsii.String("/var/task/" + catalogueName)
	}
	if v.pool != nil {
		known["IDENTITY"], known["USER_POOL_ID"], known["USER_POOL_CLIENT_ID"] = jsii.String("cognito"), v.pool.id, v.pool.backEnd.Ref()
	}
	if v.mail != nil {
		known["MAIL_CONFIGURATION_SET"] = v.mail.setName
	}
	env := map[string]*string{}
	for _, name := range f.Env {
		value, ok := known[name]
		if !ok {
			panic(fmt.Sprintf("the manifest says that %s reads %s, which the CDK app does not know: give it a value in environment", f.Name, name))
		}
		if value != nil && *value != "" {
			env[name] = value
		}
	}
	if v.target == onLocalStack {
		env["AWS_ENDPOINT_URL_DYNAMODB"] = &v.endpoint
		env["AWS_ENDPOINT_URL_SESV2"] = &v.sesEndpoint
		env["AWS_ENDPOINT_URL_LAMBDA"] = &v.endpoint
		env["AWS_ENDPOINT_URL_EVENTBRIDGE"] = &v.endpoint
	}
	return &env
}

// statements allow a function's calls, as the manifest has them: those on one resource with the same keys and attributes together.
func (v *service) statements(function string) []awsiam.PolicyStatement {
	type group struct {
		on               manifest.Resource
		keys, attributes string
	}
	var order []group
	actions, as := map[group][]string{}, map[group]manifest.Right{}
	for _, r := range manifest.Rights(function) {
		g := group{r.On, strings.Join(r.Keys, "\n"), strings.Join(r.Attributes, "\n")}
		if len(actions[g]) == 0 {
			order = append(order, g)
		}
		actions[g], as[g] = append(actions[g], r.Action), r
	}
	var out []awsiam.PolicyStatement
	for _, g := range order {
		on, condition := v.resources(g.on)
		if len(on) == 0 {
			continue // there is no such thing here, and the function knows that from its environment
		}
		if r := as[g]; len(r.Keys) > 0 {
			condition = tableCondition(r)
		}
		var conditions *map[string]any
		if condition != nil {
			conditions = &condition
		}
		out = append(out,
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: pointers(actions[g]), Resources: &on, Conditions: conditions}))
	}
	return out
}

// tableCondition bounds a right to the table by partition keys and attributes. An update that may name some attributes only must not return
// the others.
func tableCondition(r manifest.Right) map[string]any {
	c := map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": r.Keys}}
	if len(r.Attributes) > 0 {
		c["ForAllValues:StringEquals"] = map[string]any{"dynamodb:Attributes": r.Attributes}
		c["StringEqualsIfExists"] = map[string]any{"dynamodb:ReturnValues": "NONE"}
	}
	return c
}

// resources are what a right is for, by their ARNs, and the condition that goes with it; none where the target or the settings leave it
// out.
func (v *service) resources(r manifest.Resource) ([]*string, map[string]any) {
	index := func(name string) []*string { return []*string{jsii.String(*v.table.TableArn() + "/index/" + name)} }
	switch r {
	case manifest.Table:
		return []*string{v.table.TableArn()}, nil
	case manifest.Index1:
		return index("gsi1"), nil
	case manifest.Index2:
		return index("gsi2"), nil
	case manifest.Mails:
		if v.mail == nil {
			return nil, nil
		}
		// Of identities any: SES asks for a right to the address, where that was verified by itself, and not to its domain, and in its sandbox
		// for one to the recipient's identity, too. Whose name stands on the mail is bounded by the condition.
		return []*string{v.in.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ses"), Resource: jsii.String("identity"), ResourceName: jsii.String("*"),
		}), v.mail.setARN}, v.mayMail()
	case manifest.EventBus:
		return []*string{v.bus.EventBusArn()}, nil
	case manifest.Worker, manifest.Deliverer: // by its name: it may be made later
		return []*string{v.in.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("lambda"), Resource: jsii.String("function"), ResourceName: v.named(string(r)),
			ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})}, nil
	case manifest.Suppressed:
		if v.mail == nil {
			return nil, nil
		}
		return []*string{jsii.String("*")}, nil // IAM knows no resource for the account's list
	case manifest.Accounts:
		if v.pool == nil {
			return nil, nil
		}
		return []*string{v.pool.arn}, nil
	}
	panic(fmt.Sprintf("the manifest has the resource %s, which the CDK app does not know: give it an ARN in resources", r))
}

// addStream lets the table's stream start the function, as the manifest says.
func (v *service) addStream(f manifest.Function, fn awslambda.Function, role awsiam.Role) {
	s := f.Stream
	dead := v.addDeadLetters(f, "stream",
		"records of the table's stream: "+s.Carries+" that nobody has. scripts/tools/replay takes them again")
	id, output := "Stream", "DeadLetters" // of the first reader, which deployed stacks have under these names
	if f.Name != "notify" {
		id, output = "Stream-"+f.Name, "DeadLetters"+strings.ToUpper(f.Name[:1])+f.Name[1:]
	}
	v.output(output, dead.QueueUrl(), "go run ./scripts/tools/replay -queue takes the dead letters of "+s.Carries+" from here")
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
		Resources: &[]*string{v.table.TableStreamArn()},
	}))
	// Lambda refuses the mapping without it, and IAM knows no resource for it.
	role.AddToPolicy(
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("dynamodb:ListStreams"), Resources: jsii.Strings("*")}))
	role.AddToPolicy(
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("sqs:SendMessage"), Resources: &[]*string{dead.QueueArn()}}))
	mapping := awslambda.NewCfnEventSourceMapping(v.in, &id, &awslambda.CfnEventSourceMappingProps{
		FunctionName:   fn.FunctionArn(),
		EventSourceArn: v.table.TableStreamArn(),
		// From the oldest record: between the table and this mapping no event may be lost.
		StartingPosition: jsii.String("TRIM_HORIZON"),
		FilterCriteria: &awslambda.CfnEventSourceMapping_FilterCriteriaProperty{
			Filters: &[]any{&awslambda.CfnEventSourceMapping_FilterProperty{Pattern: &s.Filter}},
		},
		FunctionResponseTypes:          jsii.Strings("ReportBatchItemFailures"),
		BatchSize:                      jsii.Number(float64(s.BatchSize)),
		MaximumBatchingWindowInSeconds: jsii.Number(s.MaxBatchingWindow.Seconds()),
		MaximumRetryAttempts:           jsii.Number(float64(s.Retries)),
		MaximumRecordAgeInSeconds:      jsii.Number(s.MaxAge.Seconds()),
		ParallelizationFactor:          jsii.Number(float64(s.Parallelization)),
		BisectBatchOnFunctionError:     jsii.Bool(s.Bisect),
		DestinationConfig: &awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: dead.QueueArn()},
		},
	})
	mapping.Node().AddDependency(role) // Lambda tries the role's rights when the mapping is made
}

// addDeadLetters makes the queue for what one trigger of a function could not start it with, or what it failed on for good. Each trigger
// has its own, since scripts/tools/replay understands those of a stream alone. Messages wait as long as messages can. Means says what they
// are.
func (v *service) addDeadLetters(f manifest.Function, trigger, means string) awssqs.Queue {
	name := f.Name + "-" + trigger + "-dead"
	q := awssqs.NewQueue(v.in, &name, &awssqs.QueueProps{
		QueueName: v.named(name), Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	why := "it is a dead-letter queue: of a stream's mapping, of a rule, or of asynchronous invocations"
	suppress(q, reason{"SQS3", why, nil}, reason{"Serverless-SQSRedrivePolicy", why, nil})
	v.dead = append(v.dead, deadLetters{name, means, causeOf(f), q})
	return q
}

// invokedByEvents says what becomes of an event that the function fails on.
func (v *service) invokedByEvents(fn awslambda.Function, dead awssqs.Queue, retries float64, age time.Duration) {
	fn.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		MaxEventAge: seconds(age), RetryAttempts: &retries, OnFailure: awslambdadestinations.NewSqsDestination(dead),
	})
}

// addRule lets EventBridge start the function. A rule, and no schedule of EventBridge Scheduler, which LocalStack never fires.
func (v *service) addRule(id, trigger string, f manifest.Function, props *awsevents.RuleProps, dead awssqs.Queue, age time.Duration) {
	props.RuleName = v.named(f.Name + "-" + trigger)
	props.Description = jsii.String("starts the function that " + f.Does)
	awsevents.NewRule(v.in, &id, props).AddTarget(awseventstargets.NewLambdaFunction(v.function[f.Name], &awseventstargets.LambdaFunctionProps{
		DeadLetterQueue: dead, MaxEventAge: seconds(age), RetryAttempts: jsii.Number(3),
	}))
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
