package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"
)

// addMail makes what mails are sent with: the identity, unless the account has it already, and a configuration set, through which SES keeps
// off addresses that bounced, and says what became of each mail.
func (v *service) addMail() {
	arn := func(kind string, name *string) *string {
		return v.in.FormatArn(&awscdk.ArnComponents{Service: jsii.String("ses"), Resource: &kind, ResourceName: name})
	}
	set := awsses.NewCfnConfigurationSet(v.in, jsii.String("MailSet"), &awsses.CfnConfigurationSetProps{
		Name: v.named("mails"),
		// a complaint is about one organisation's mails: the table knows whose
		SuppressionOptions: &awsses.CfnConfigurationSet_SuppressionOptionsProperty{SuppressedReasons: jsii.Strings("BOUNCE")},
		ReputationOptions:  &awsses.CfnConfigurationSet_ReputationOptionsProperty{ReputationMetricsEnabled: jsii.Bool(true)},
		SendingOptions:     &awsses.CfnConfigurationSet_SendingOptionsProperty{SendingEnabled: jsii.Bool(true)},
		// Not REQUIRE: a partner whose mail server knows no TLS would never hear of a grant.
		DeliveryOptions: &awsses.CfnConfigurationSet_DeliveryOptionsProperty{TlsPolicy: jsii.String("OPTIONAL")},
	})
	awsses.NewCfnConfigurationSetEventDestination(v.in, jsii.String("MailFeedback"), &awsses.CfnConfigurationSetEventDestinationProps{
		ConfigurationSetName: set.Ref(),
		EventDestination: &awsses.CfnConfigurationSetEventDestination_EventDestinationProperty{
			Name: jsii.String("feedback"), Enabled: jsii.Bool(true),
			MatchingEventTypes: jsii.Strings("DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"),
			EventBridgeDestination: &awsses.CfnConfigurationSetEventDestination_EventBridgeDestinationProperty{
				EventBusArn: v.in.FormatArn(&awscdk.ArnComponents{ // SES knows no other bus than this
					Service: jsii.String("events"), Resource: jsii.String("event-bus"), ResourceName: jsii.String("default"),
				}),
			},
		},
	})
	v.mail = &mailer{identityARN: arn("identity", &v.mailIdentity), setARN: arn("configuration-set", set.Ref()), setName: set.Ref()}
	if !v.createMailIdentity {
		return
	}
	identity := awsses.NewCfnEmailIdentity(v.in, jsii.String("MailIdentity"), &awsses.CfnEmailIdentityProps{
		EmailIdentity: &v.mailIdentity,
		// Bounces come as events. SES would send each as a mail to the sender as well, who reads none.
		FeedbackAttributes: &awsses.CfnEmailIdentity_FeedbackAttributesProperty{EmailForwardingEnabled: jsii.Bool(false)},
	})
	// Another stage may send from it, and to verify it again takes a day of DNS.
	identity.ApplyRemovalPolicy(v.keep(), nil)
	for n, record := range [][2]*string{
		{identity.AttrDkimDnsTokenName1(), identity.AttrDkimDnsTokenValue1()},
		{identity.AttrDkimDnsTokenName2(), identity.AttrDkimDnsTokenValue2()},
		{identity.AttrDkimDnsTokenName3(), identity.AttrDkimDnsTokenValue3()},
	} {
		if v.mailIdentity != v.fromAddress() { // an address has no keys of its own: SES sends a mail to it, with a link
			v.output("MailRecord"+string(rune('1'+n)), jsii.String(*record[0]+" CNAME "+*record[1]), "a DNS record that verifies the domain for SES")
		}
	}
}

// feedbackTypes are what EventBridge calls the events that the feedback function reads. A mail that SES took and then found a virus in is
// "rejected": the function fails on it, so that it lands among the dead letters and somebody looks.
func feedbackTypes() []string {
	return []string{"Email Delivered", "Email Bounced", "Email Complaint Received", "Email Rejected"}
}

// mayMail is the condition under which a function may send: as the service, and as nobody else of the identity's domain.
func (v *service) mayMail() map[string]any {
	return map[string]any{"StringEquals": map[string]any{"ses:FromAddress": v.fromAddress()}}
}
