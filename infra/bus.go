package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/jsii-runtime-go"
)

// keptEvents is for how many days the archive keeps the bus's events. Feeds in the table keep them as long: see dynamo.KeepFeed.
const keptEvents = 30

// addBus makes the bus that the service's events go to. It is the stack's own: whoever may put events on an account's default bus could put
// events of this service there. Rules on it are the operator's. The archive replays what a rule has missed.
func (v *service) addBus() {
	bus := awsevents.NewEventBus(v.in, jsii.String("Bus"), &awsevents.EventBusProps{
		EventBusName: v.named("events"),
		Description:  jsii.String("Partner Access: what happens, as CloudEvents"),
	})
	v.bus = bus
	v.output("Bus", bus.EventBusName(), "the bus with the service's events: add rules to it, whose pattern names source partner-access")
	if v.target != onAWS {
		return // LocalStack keeps archives without a use
	}
	archive := awsevents.NewArchive(v.in, jsii.String("BusArchive"), &awsevents.ArchiveProps{
		SourceEventBus: bus, ArchiveName: v.named("events"), Description: jsii.String("What a rule has missed can be replayed from here"),
		Retention:    awscdk.Duration_Days(jsii.Number(keptEvents)),
		EventPattern: &awsevents.EventPattern{Source: jsii.Strings("partner-access")},
	})
	archive.Node().AddDependency(bus)
}
