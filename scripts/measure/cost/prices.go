package main

import "time"

// List prices in us-east-1, in US dollars, without the free tiers and without discounts for volume, as AWS publishes them. Looked up on
// 2026-11-22; those of what is logged, watched and kept, and of Cognito, on 2026-11-28.
const (
	// https://aws.amazon.com/api-gateway/pricing/: HTTP APIs, each 512 KB of a request.
	gatewayRequest = 1.00 / 1e6
	// https://aws.amazon.com/lambda/pricing/: Arm.
	lambdaRequest  = 0.20 / 1e6
	lambdaGBSecond = 0.0000133334
	// https://aws.amazon.com/dynamodb/pricing/on-demand/: Standard table class; what is kept, and any instant of it, for a GB and month.
	readUnit    = 0.125 / 1e6
	writeUnit   = 0.625 / 1e6
	tableGB     = 0.25
	anyInstant  = 0.20
	nightBackup = 0.10 // https://aws.amazon.com/backup/pricing/: each is a whole copy
	// https://aws.amazon.com/ses/pricing/: outbound mail.
	mail = 0.10 / 1e3
	// https://aws.amazon.com/cloudwatch/pricing/: taking a GB of logs (Lambda's first tier is the same), and keeping it for a month, of
	// which AWS's examples make 15%; a metric of one's own; each metric of an alarm; one with a band, which counts as three; one of alarms;
	// a dashboard.
	logGB        = 0.50
	logKeptGB    = 0.03 * 0.15
	metric       = 0.30
	alarmMetric  = 0.10
	anomalyAlarm = 0.30
	composite    = 0.50
	dashboard    = 3.00
	// https://aws.amazon.com/ec2/pricing/on-demand/: from AWS to the internet.
	outGB = 0.09
	// https://aws.amazon.com/kms/pricing/: AWS's own key of a service costs its requests alone.
	keyRequest = 0.03 / 1e4
	// https://aws.amazon.com/cognito/pricing/: a client of a machine, for a month; its token; a person in the tier Lite, for each month
	// in which something was done with the account.
	machineClient = 6.00
	machineToken  = 2.25 / 1e3
	activePerson  = 0.0055
	// https://aws.amazon.com/xray/pricing/: with the setting tracing.
	trace = 5.00 / 1e6
)

// trip is what a call of DynamoDB takes within a region: more than DynamoDB needs for most, so that the billed time is rather too long. It
// is added to what the function took here, where the engine is a process of the same machine.
const trip = 5 * time.Millisecond

const (
	// logEntry is what CloudWatch counts for each entry beside its bytes
	// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html).
	logEntry = 26
	// logMonths is how long logs are kept by default: logRetentionDays.
	logMonths = 3
	// lambdaAdds is what Lambda puts into a line of JSON that has no time of its own: the figures' lines
	// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
	lambdaAdds = len(`"timestamp":"2026-11-28T10:00:00.000Z",`)
	// answerHead is what is sent to a caller beside the function's answer: the status line, the headers of API Gateway's own, and TLS's
	// records.
	answerHead = 300
	gigabyte   = 1 << 30
)
