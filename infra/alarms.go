package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
	"partneraccess/shared/metrics"
)

// cause is what an operator is called for: one message, whatever the number of alarms that it sets off.
type cause string

const (
	requests cause = "requests"
	mails    cause = "mails"
	schedule cause = "schedule"
	storage  cause = "storage"

	ofDeployments cause = "" // deployments alone watch it: nobody is told
)

// alarm is one thing that an operator wants to see.
type alarm struct {
	name    string
	cause   cause
	means   string // what has happened, and what to look at
	metric  awscloudwatch.IMetric
	above   float64
	periods float64 // in a row; 0: one
	silence bool    // no figure at all is an alarm, too
	unusual bool    // above is not a figure, but how far from what is usual, in standard deviations
	less    bool    // what is unusually little is an alarm, too
}

// addAlarms makes the alarms, and the topic that they are told to, which people subscribe to. One word of alarmEmail subscribes the first.
func (v *service) addAlarms() {
	topic := awssns.NewTopic(v.in, jsii.String("Alarms"), &awssns.TopicProps{
		TopicName: v.named("alarms"), DisplayName: jsii.String("Partner Access " + v.stage), EnforceSSL: jsii.Bool(true),
	})
	// A policy takes the place of the default one, which let CloudWatch in.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": v.in.Account()}},
	}))
	if v.alarmEmail != "" {
		suppress(topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&v.alarmEmail, nil)),
			reason{"Serverless-SNSRedrivePolicy", "an alarm's mail that is lost says nothing new: CloudWatch shows the alarm's state", nil})
	}
	v.output("AlarmTopic", topic.TopicArn(), "alarms are sent here")
	by := map[cause][]awscloudwatch.IAlarm{}
	for _, a := range v.alarms() {
		made := v.addAlarm(a)
		v.alarm[a.name] = made
		by[a.cause] = append(by[a.cause], made)
	}
	var stored awscloudwatch.IAlarm
	for _, c := range []struct {
		cause cause
		means string
	}{
		{storage, "The table refuses requests, or changes get in each other's way. What else fails because of that is not told."},
		{requests, "Requests fail or are slow."},
		{mails, "Mails are late, come back, or were given up."},
		{schedule, "What is due is not done on time, or versions of records are late or missing. Access ends on time all the same."},
	} {
		props := &awscloudwatch.CompositeAlarmProps{
			CompositeAlarmName: v.named(string(c.cause)), AlarmRule: anyOf(by[c.cause]),
			AlarmDescription: jsii.String(c.means + " The alarms " + *v.named("") + "* that are on say what; infra/README.md has a line for each."),
		}
		if stored != nil {
			props.ActionsSuppressor = stored
		}
		told := awscloudwatch.NewCompositeAlarm(v.in, jsii.String("Cause-"+string(c.cause)), props)
		told.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
		told.AddOkAction(awscloudwatchactions.NewSnsAction(topic))
		if c.cause == storage {
			stored = told
		}
	}
}

func (v *service) addAlarm(a alarm) awscloudwatch.IAlarm {
	id, periods := jsii.String("Alarm-"+a.name), jsii.Number(max(1, a.periods))
	if a.unusual {
		beyond := awscloudwatch.ComparisonOperator_GREATER_THAN_UPPER_THRESHOLD
		if a.less {
			beyond = awscloudwatch.ComparisonOperator_LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD
		}
		return awscloudwatch.NewAnomalyDetectionAlarm(v.in, id, &awscloudwatch.AnomalyDetectionAlarmProps{
			AlarmName: v.named(a.name), AlarmDescription: &a.means, Metric: a.metric, StdDevs: &a.above, ComparisonOperator: beyond,
			EvaluationPeriods: periods, TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
		})
	}
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.silence {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	return awscloudwatch.NewAlarm(v.in, id, &awscloudwatch.AlarmProps{
		AlarmName: v.named(a.name), AlarmDescription: &a.means, Metric: a.metric, Threshold: &a.above,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  periods, TreatMissingData: missing,
	})
}

func anyOf(alarms []awscloudwatch.IAlarm) awscloudwatch.IAlarmRule {
	var rules []awscloudwatch.IAlarmRule
	for _, a := range alarms {
		rules = append(rules, awscloudwatch.AlarmRule_FromAlarm(a, awscloudwatch.AlarmState_ALARM))
	}
	return awscloudwatch.AlarmRule_AnyOf(rules...)
}

// causeOf is what a function's alarms belong to.
func causeOf(f manifest.Function) cause {
	switch {
	case f.Schedule > 0 && f.Stream == nil, f.Name == "publish":
		return schedule
	case f.Stream != nil, f.Feedback:
		return mails
	}
	return requests
}

// slow says what holds up a function that the stream starts.
func slow(f manifest.Function) string {
	if f.Name == "notify" {
		return "SES's sending rate, or a batch that fails again and again, holds them up."
	}
	return "A batch that fails again and again, or a table that refuses writes, holds them up."
}

// onlyByClock tells of functions that nothing but the clock and other functions start: Lambda tries again what it did not start, the lag of
// what is due tells of it, and its dead letters do.
func onlyByClock(f manifest.Function) bool {
	return len(f.Routes) == 0 && f.Stream == nil && !f.Feedback
}

// onlyForProvider tells of functions that the provider's own systems call, now and then: they are answered 503, and know. Webhooks are the
// provider's alone unless customers' admins may have some.
func (v *service) onlyForProvider(f manifest.Function) bool {
	if f.Name == "webhook" {
		return !v.customerWebhooks
	}
	return len(f.Routes) > 0 && !slices.ContainsFunc(f.Routes, func(r httpapi.Route) bool { return len(r.Scopes) == 0 })
}

func (v *service) alarms() []alarm {
	var all []alarm
	for _, f := range manifest.Functions() {
		all = append(all,
			alarm{
				name: f.Name + "-errors", cause: causeOf(f), metric: v.lambda(f, "Errors", "Sum", 5),
				means: "The function that " + f.Does + " failed or timed out. Its log says why.",
			})
		if !onlyByClock(f) && !v.onlyForProvider(f) {
			all = append(all, alarm{
				name: f.Name + "-throttles", cause: causeOf(f), metric: v.lambda(f, "Throttles", "Sum", 5),
				means: "Lambda did not start the function that " + f.Does +
					", because all executions of the account were in use: ask for a higher limit.",
			})
		}
		if f.Stream != nil {
			all = append(all, alarm{
				name: f.Name + "-age", cause: causeOf(f), metric: v.lambda(f, "IteratorAge", "Maximum", 1), above: 5 * 60 * 1000, periods: 5,
				means: strings.ToUpper(f.Stream.Carries[:1]) + f.Stream.Carries[1:] + " are more than five minutes late. " + slow(f),
			})
		}
	}
	for _, d := range v.dead {
		all = append(all, alarm{
			name: d.name, cause: d.cause, metric: d.queue.MetricApproximateNumberOfMessagesVisible(statistic("Maximum", 1)),
			means: "Processing failed for good: " + d.means + ". The queue keeps it for 14 days.",
		})
	}
	if v.anomalies {
		all = append(all, v.unusualChecks()...)
	}
	return append(all,
		alarm{
			name: "sweep-lag", cause: schedule, metric: v.own(metrics.SweepLag, "Maximum", 1), above: 180, periods: 5, silence: true,
			means: "What is due is done more than three minutes late, or not at all. Access ends on time all the same; reminders, mails and " +
				"cascades wait.",
		},
		alarm{
			name: "bulk-lag", cause: schedule, metric: v.own(metrics.BulkLag, "Maximum", 1), above: 300, periods: 5, silence: true,
			means: "Bulk jobs are continued more than five minutes late, or not at all. Their rows wait; nothing else does.",
		},
		alarm{
			name: "contention", cause: storage, metric: v.own(metrics.Contention, "Sum", 5), above: 100, periods: 3,
			means: "Many changes conflicted with each other on the same records. Callers may have been answered 409 or 503.",
		},
		alarm{
			name: "past-gaps", cause: schedule, metric: v.own(metrics.PastGaps, "Sum", 5), above: 0,
			means: "Somebody asked about an instant of which versions of records are missing, and was told that the answer is incomplete.",
		},
		alarm{
			name: "bounces", cause: mails, metric: v.reputation("Reputation.BounceRate"), above: 0.04,
			means: "More than 4 % of the mails bounce. At 5 % AWS looks at the account, at 10 % it stops sending.",
		},
		alarm{
			name: "complaints", cause: mails, metric: v.reputation("Reputation.ComplaintRate"), above: 0.0008,
			means: "More than 0.08 % of the mails are called spam. At 0.1 % AWS looks at the account, at 0.5 % it stops sending.",
		},
		alarm{
			name: "server-errors", cause: requests, metric: v.errorRate(5), above: 1, periods: 2,
			means: "More than 1 % of the requests were answered with 5xx for ten minutes. The access log names the routes.",
		},
		alarm{
			name: "new-version", cause: ofDeployments, metric: v.errorRate(1), above: 1, periods: 2,
			means: "More than 1 % of the requests were answered with 5xx for two minutes. A deployment that is under way goes back for it.",
		},
		alarm{
			name: "latency", cause: requests, metric: v.api.MetricLatency(statistic("p99", 5)), above: 3000, periods: 3,
			means: "One request in a hundred took more than three seconds for a quarter of an hour. The dashboard tells which function.",
		},
		alarm{
			name: "check-latency", cause: requests, metric: v.lambda(named("check"), "Duration", "p99", 5), above: 250, periods: 3,
			means: "One check in a hundred took more than 250 ms for a quarter of an hour, and the provider's pages wait for each.",
		},
		alarm{
			name: "table-throttles", cause: storage, metric: v.tableThrottles(), above: 0, periods: 3,
			means: "DynamoDB refused requests for a quarter of an hour: a partition is hot, or the table's limits are reached.",
		},
	)
}

// unusualChecks are alarms of figures of which no threshold is right everywhere: how often a product asks is its own business, and follows
// its day and week. CloudWatch learns that from the last two weeks, and draws a band around what it expects.
func (v *service) unusualChecks() []alarm {
	const far = 4 // standard deviations: twice CloudWatch's default, as a page at night has to be worth it
	return []alarm{
		{
			name: "check-traffic", cause: requests, metric: v.lambda(named("check"), "Invocations", "Sum", 5), above: far, periods: 3,
			unusual: true, less: true,
			means: "Checks are far more, or far fewer, than usual at this hour for a quarter of an hour: a back end that asks in a loop, or that " +
				"does not ask any more.",
		},
		{
			name: "denials", cause: requests, metric: v.denials(), above: far, periods: 3, unusual: true,
			means: "Far more checks are denied than usual at this hour for a quarter of an hour: something was switched off, a product asks for " +
				"another action than it did, or somebody tries doors.",
		},
	}
}

func (v *service) denials() awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(metrics.Namespace), MetricName: jsii.String(metrics.Decisions), Statistic: jsii.String("Sum"), Period: minutes(5),
		DimensionsMap: &map[string]*string{metrics.Stage: &v.stage, metrics.Decision: jsii.String(metrics.Denied)},
	})
}

// addDashboard makes one page for an operator: what people notice first, then each part.
func (v *service) addDashboard() {
	graph := func(title string, unit string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: &title, Width: jsii.Number(8), Height: jsii.Number(6), Left: &metrics,
			LeftYAxis: &awscloudwatch.YAxisProps{Label: &unit, ShowUnits: jsii.Bool(false), Min: jsii.Number(0)},
		})
	}
	ofAll := func(metric, statistic string) []awscloudwatch.IMetric {
		var out []awscloudwatch.IMetric
		for _, f := range manifest.Functions() {
			out = append(out, v.lambda(f, metric, statistic, 5).With(&awscloudwatch.MetricOptions{Label: jsii.String(f.Name)}))
		}
		return out
	}
	var dead []awscloudwatch.IMetric
	for _, d := range v.dead {
		dead = append(dead, d.queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
			Statistic: jsii.String("Maximum"), Period: minutes(1), Label: &d.name,
		}))
	}
	// The region is in the name: dashboards are an account's, whatever its regions.
	name := jsii.String(*v.named("") + *v.in.Region())
	awscloudwatch.NewDashboard(v.in, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: name, DefaultInterval: awscdk.Duration_Hours(jsii.Number(24)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{
				graph("Requests", "in 5 minutes", v.api.MetricCount(statistic("Sum", 5)), v.api.MetricClientError(statistic("Sum", 5)),
					v.api.MetricServerError(statistic("Sum", 5))),
				graph("Latency of the API", "ms", v.api.MetricLatency(statistic("p50", 5)), v.api.MetricLatency(statistic("p99", 5))),
				graph("Check", "ms", v.lambda(named("check"), "Duration", "p50", 5), v.lambda(named("check"), "Duration", "p99", 5)),
			},
			{
				graph("Decisions", "in 5 minutes", v.ownBy(metrics.Decisions, metrics.Decision)),
				graph("Grants ended by reason", "in 5 minutes", v.ownBy(metrics.GrantsEnded, metrics.Reason)),
				graph("Mails by state", "in 5 minutes", v.ownBy(metrics.Mails, metrics.State)),
			},
			{
				graph("Lag of the sweep and of bulk jobs", "seconds", v.own(metrics.SweepLag, "Maximum", 1), v.own(metrics.BulkLag, "Maximum", 1)),
				graph("Age of the stream", "ms", v.lambda(named("notify"), "IteratorAge", "Maximum", 1).With(
					&awscloudwatch.MetricOptions{Label: jsii.String("notify")}),
					v.lambda(named("publish"), "IteratorAge", "Maximum", 1).With(&awscloudwatch.MetricOptions{Label: jsii.String("publish")})),
				graph("Dead letters", "messages", dead...),
			},
			{
				graph("Errors of functions", "in 5 minutes", ofAll("Errors", "Sum")...),
				graph("Throttles of functions", "in 5 minutes", ofAll("Throttles", "Sum")...),
				graph("Executions at once", "executions", ofAll("ConcurrentExecutions", "Maximum")...),
			},
			{
				graph("Capacity of the table", "units in 5 minutes", v.table.MetricConsumedReadCapacityUnits(statistic("Sum", 5)),
					v.table.MetricConsumedWriteCapacityUnits(statistic("Sum", 5))),
				graph("Contention and throttles of the table", "in 5 minutes", v.own(metrics.Contention, "Sum", 5), v.tableThrottles()),
				graph("Bounces and complaints", "of all mails", v.reputation("Reputation.BounceRate"), v.reputation("Reputation.ComplaintRate")),
			},
			{v.reasons()},
		},
	})
	v.output("Dashboard",
		jsii.String(fmt.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home#dashboards:name=%s", *v.in.Region(), *name)), "the dashboard")
}

// reasons shows why checks were denied or not answered. It searches check's log when somebody looks: each reason would be a metric that is
// billed.
func (v *service) reasons() awscloudwatch.IWidget {
	return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Denied and unanswered checks by reason"), Width: jsii.Number(24), Height: jsii.Number(6),
		LogGroupNames: &[]*string{v.function["check"].LogGroup().LogGroupName()}, View: awscloudwatch.LogQueryVisualizationType_TABLE,
		QueryString: jsii.String(fmt.Sprintf("filter ispresent(%s) and %s != %q | stats sum(%s) as checks by %s, %s | sort checks desc",
			metrics.Decisions, metrics.Decision, metrics.Allowed, metrics.Decisions, metrics.Decision, metrics.Reason)),
	})
}

func named(function string) manifest.Function {
	for _, f := range manifest.Functions() {
		if f.Name == function {
			return f
		}
	}
	panic("the manifest has no function " + function + ", which alarms and the dashboard name")
}

func minutes(n float64) awscdk.Duration { return awscdk.Duration_Minutes(&n) }

func statistic(name string, period float64) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: &name, Period: minutes(period)}
}

func (v *service) lambda(f manifest.Function, metric, stat string, period float64) awscloudwatch.Metric {
	return v.function[f.Name].Metric(&metric, statistic(stat, period))
}

// own is a figure that the functions write.
func (v *service) own(metric, statistic string, period float64) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(metrics.Namespace), MetricName: &metric, Statistic: &statistic, Period: minutes(period),
		DimensionsMap: &map[string]*string{metrics.Stage: &v.stage},
	})
}

// ownBy is a figure that the functions write by another dimension, a line for each of its values.
func (v *service) ownBy(metric, dimension string) awscloudwatch.IMetric {
	search := fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName="%s" %s="%s"', 'Sum', 300)`, metrics.Namespace, metrics.Stage, dimension, metric,
		metrics.Stage, v.stage)
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: &search, UsingMetrics: &map[string]awscloudwatch.IMetric{}, Label: jsii.String(""), Period: minutes(5),
	})
}

func (v *service) reputation(metric string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/SES"), MetricName: &metric, Statistic: jsii.String("Maximum"), Period: awscdk.Duration_Hours(jsii.Number(1)),
		DimensionsMap: &map[string]*string{"ses:configuration-set": v.mail.setName},
	})
}

func (v *service) errorRate(period float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("100 * errors / requests"), Label: jsii.String("5xx in percent"), Period: minutes(period),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"errors": v.api.MetricServerError(statistic("Sum", period)), "requests": v.api.MetricCount(statistic("Sum", period)),
		},
	})
}

// tableThrottles counts what the table and its indexes refused: each has its own figures.
func (v *service) tableThrottles() awscloudwatch.IMetric {
	using, sum := map[string]awscloudwatch.IMetric{}, []string{}
	for i, index := range []string{"", "gsi1", "gsi2"} {
		of := map[string]*string{"TableName": v.table.TableName()}
		if index != "" {
			of["GlobalSecondaryIndexName"] = &index
		}
		for _, kind := range []string{"Read", "Write"} {
			name := fmt.Sprint(strings.ToLower(kind), "s", i)
			using[name] = awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace: jsii.String("AWS/DynamoDB"), MetricName: jsii.String(kind + "ThrottleEvents"), DimensionsMap: &of,
				Statistic: jsii.String("Sum"), Period: minutes(5),
			})
			sum = append(sum, "FILL("+name+", 0)")
		}
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(strings.Join(sum, " + ")), Label: jsii.String("throttles of the table and its indexes"), Period: minutes(5),
		UsingMetrics: &using,
	})
}
