package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// kind is what a finding asks for.
type kind string

const (
	fine      kind = "ok"
	todoFirst kind = "DO"    // before make deploy
	todoLater kind = "later" // before people use it
	unknown   kind = "?"     // AWS did not say
)

// finding is what was seen of one thing, and what to do about it.
type finding struct {
	kind  kind
	about string
	say   string
}

// account asks AWS.
type account struct {
	region         string
	stacks         *cloudformation.Client
	mails          *sesv2.Client
	functions      *lambda.Client
	certificates   *acm.Client
	certificatesUS *acm.Client // of us-east-1, where CloudFront's lie
	texts          *sns.Client
	tables         *dynamodb.Client
	pools          *cognitoidentityprovider.Client
	callers        *sts.Client
	http           *http.Client
}

func newAccount(c aws.Config) *account {
	us := c.Copy()
	us.Region = "us-east-1"
	return &account{
		region: c.Region, stacks: cloudformation.NewFromConfig(c), mails: sesv2.NewFromConfig(c), functions: lambda.NewFromConfig(c),
		certificates: acm.NewFromConfig(c), certificatesUS: acm.NewFromConfig(us), texts: sns.NewFromConfig(c),
		tables: dynamodb.NewFromConfig(c), pools: cognitoidentityprovider.NewFromConfig(c), callers: sts.NewFromConfig(c),
		http: &http.Client{Timeout: 10 * time.Second},
	}
}

// look goes through all that can be asked, in the order in which a deployment meets it.
func (a *account) look(ctx context.Context, s settings) []finding {
	var out []finding
	for _, step := range []func(context.Context, settings) []finding{
		a.caller, a.bootstrap, a.earlierStack, a.concurrency, a.sender, a.sandbox, a.certificatesOf, a.textMessages, a.takenOverTable,
		a.takenOverPool, a.issuer,
	} {
		out = append(out, step(ctx, s)...)
	}
	return out
}

// asked is the finding about a call that failed.
func asked(about string, err error) []finding {
	return []finding{{unknown, about, "AWS did not say: " + err.Error()}}
}

// failedWith tells whether AWS answered with an error of that code.
func failedWith(err error, code string) bool {
	var e smithy.APIError
	return errors.As(err, &e) && e.ErrorCode() == code
}

func (a *account) caller(ctx context.Context, _ settings) []finding {
	out, err := a.callers.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return []finding{{todoFirst, "credentials", "AWS does not take them (" + err.Error() + "): sign in, for instance with aws sso login"}}
	}
	return []finding{{
		fine, "credentials",
		fmt.Sprintf("%s, account %s, region %s", aws.ToString(out.Arn), aws.ToString(out.Account), a.region),
	}}
}

// stack is the status of a stack; "" when there is none.
func (a *account) stack(ctx context.Context, name string) (string, error) {
	out, err := a.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	switch {
	case failedWith(err, "ValidationError"): // Stack with id … does not exist
		return "", nil
	case err != nil:
		return "", fmt.Errorf("ask for the stack %s: %w", name, err)
	case len(out.Stacks) == 0:
		return "", nil
	}
	return string(out.Stacks[0].StackStatus), nil
}

// there tells whether a stack of that status was once made: what is in it is worth protecting, and nothing of it has to be deleted first.
func there(status string) bool {
	return strings.HasPrefix(status, "UPDATE_") || strings.HasPrefix(status, "IMPORT_") || status == "CREATE_COMPLETE"
}

func (a *account) bootstrap(ctx context.Context, _ settings) []finding {
	const about = "bootstrap"
	switch status, err := a.stack(ctx, "CDKToolkit"); {
	case err != nil:
		return asked(about, err)
	case !there(status):
		return []finding{{
			todoFirst, about, "the CDK has no place for its files in this region: scripts/node_modules/.bin/cdk bootstrap aws://ACCOUNT/" + a.region,
		}}
	}
	return []finding{{fine, about, "the CDK's stack is there"}}
}

func (a *account) earlierStack(ctx context.Context, s settings) []finding {
	const about = "stack"
	status, err := a.stack(ctx, s.stack())
	switch {
	case err != nil:
		return asked(about, err)
	case status == "":
		return []finding{{fine, about, s.stack() + " is not there yet: this will be its first deployment"}}
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		return []finding{{todoFirst, about, s.stack() + " is " + status + ": wait until that has ended"}}
	case !there(status):
		return []finding{{fine, about, s.stack() + " is " + status + ": make deploy deletes what is left of that attempt, and begins again"}}
	case strings.HasSuffix(status, "_FAILED"):
		return []finding{{
			todoFirst, about, s.stack() + " is " + status + ": CloudFormation's events of the stack say why; continue or end its rollback there",
		}}
	}
	return []finding{{fine, about, s.stack() + " is " + status}}
}

const (
	usualConcurrency = 1000 // what an account has once it has asked; a new one has ten
	keptConcurrency  = 100  // what Lambda leaves to the functions without a reservation
	longCheck        = 0.2  // seconds, for which a check is at work when the table is slow
)

func (a *account) concurrency(ctx context.Context, s settings) []finding {
	const about = "executions"
	out, err := a.functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return asked(about, err)
	}
	if out.AccountLimit == nil {
		out.AccountLimit = &lambdatypes.AccountLimit{}
	}
	held, err := a.functions.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String(s.stack() + "-check")})
	var none *lambdatypes.ResourceNotFoundException
	switch {
	case errors.As(err, &none): // there is no such function yet
		held = &lambda.GetFunctionConcurrencyOutput{}
	case err != nil:
		return asked(about, err)
	}
	all := int(out.AccountLimit.ConcurrentExecutions)
	// What the stack has reserved for check already is free for what it will.
	free := int(aws.ToInt32(out.AccountLimit.UnreservedConcurrentExecutions) + aws.ToInt32(held.ReservedConcurrentExecutions))
	reserved, _ := strconv.Atoi(s["checkConcurrency"])
	rate, _ := strconv.ParseFloat(s["checkRate"], 64)
	sensible := max(0, min(int(math.Ceil(rate*longCheck)), (free-keptConcurrency)/2))
	switch {
	case reserved > 0 && free-reserved < keptConcurrency:
		return []finding{{
			todoFirst, about,
			fmt.Sprintf("checkConcurrency is %d, and of %d executions %d are not reserved, of which Lambda keeps %d: "+
				"ask for a higher quota (Service Quotas, Lambda, Concurrent executions), or reserve %d at most", reserved, all, free,
				keptConcurrency, max(0, free-keptConcurrency)),
		}}
	case all < usualConcurrency:
		return []finding{{
			todoLater, about,
			fmt.Sprintf("the account may run %d functions at once: ask for %d (Service Quotas, Lambda, Concurrent "+
				"executions), or checks are answered 503 in a rush. Leave checkConcurrency out until then", all, usualConcurrency),
		}}
	case reserved == 0 && sensible > 0:
		return []finding{{
			fine, about,
			fmt.Sprintf("%d at once, none of them kept for check: where other systems share the account, set checkConcurrency to %d, which "+
				"%.0f checks a second need when each takes %.1f s", all, sensible, rate, longCheck),
		}}
	}
	return []finding{{fine, about, fmt.Sprintf("%d at once, %d of them kept for check", all, reserved)}}
}

// sender is about SES's identity.
func (a *account) sender(ctx context.Context, s settings) []finding {
	about, name := "sender", s.mailIdentity()
	if name == "" {
		return []finding{{todoFirst, about, "mailFrom is missing in the settings, or no address"}}
	}
	create := s["createMailIdentity"] == "true"
	out, err := a.mails.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	var none *sestypes.NotFoundException
	switch {
	case errors.As(err, &none) && create:
		return []finding{{todoLater, about, name +
			" is made by the deployment: put the DNS records of its outputs MailRecord1 to 3 into DNS then"}}
	case errors.As(err, &none):
		return []finding{{todoFirst, about, name + " is not known to SES in this region, and createMailIdentity is false: set it to true"}}
	case err != nil:
		return asked(about, err)
	case create:
		if status, err := a.stack(ctx, s.stack()); err == nil && there(status) {
			break // this stack has made it
		}
		return []finding{{todoFirst, about, name + " is known to SES already: set createMailIdentity to false"}}
	}
	if !out.VerifiedForSendingStatus {
		return []finding{{todoLater, about, name + " is not verified yet (DKIM " + dkim(out) + "): put its CNAME records into DNS"}}
	}
	return []finding{{fine, about, name + " is verified"}}
}

func dkim(out *sesv2.GetEmailIdentityOutput) string {
	if out.DkimAttributes == nil {
		return "unknown"
	}
	return string(out.DkimAttributes.Status)
}

func (a *account) sandbox(ctx context.Context, _ settings) []finding {
	const about = "SES"
	out, err := a.mails.GetAccount(ctx, &sesv2.GetAccountInput{})
	switch {
	case err != nil:
		return asked(about, err)
	case !out.SendingEnabled:
		return []finding{{todoFirst, about, "sending is switched off for this account and region (" + aws.ToString(out.EnforcementStatus) +
			"): see SES's account dashboard"}}
	case !out.ProductionAccessEnabled:
		return []finding{{
			todoLater, about,
			"the account is in the sandbox: mails reach verified addresses alone, 200 a day. Ask for production " +
				"access on SES's account dashboard; it takes a day",
		}}
	}
	return []finding{{fine, about, "the account is out of the sandbox"}}
}

func (a *account) certificatesOf(ctx context.Context, s settings) []finding {
	var out []finding
	for _, c := range []struct {
		domain, certificate string
		from                *acm.Client
	}{
		{s["domain"], s["certificate"], a.certificates},
		{s["consoleDomain"], s["consoleCertificate"], a.certificatesUS},
	} {
		if c.certificate == "" {
			continue
		}
		out = append(out, certificate(ctx, c.from, c.domain, c.certificate))
	}
	return out
}

func certificate(ctx context.Context, from *acm.Client, domain, arn string) finding {
	about := "certificate of " + domain
	got, err := from.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if err != nil {
		return finding{todoFirst, about, "it cannot be read (" + err.Error() + "): is it of this region, and of this account?"}
	}
	names := append([]string{aws.ToString(got.Certificate.DomainName)}, got.Certificate.SubjectAlternativeNames...)
	_, above, _ := strings.Cut(domain, ".")
	switch {
	case got.Certificate.Status != acmtypes.CertificateStatusIssued:
		return finding{todoFirst, about, "it is " + string(got.Certificate.Status) +
			": put its validation record into DNS and wait until it is ISSUED"}
	case !slices.Contains(names, domain) && !slices.Contains(names, "*."+above):
		return finding{todoFirst, about, "it is for " + strings.Join(names, ", ") + ", and not for this domain"}
	}
	return finding{fine, about, "it is issued"}
}

func (a *account) textMessages(ctx context.Context, s settings) []finding {
	const about = "text messages"
	if s["issuer"] != "" {
		return nil
	}
	out, err := a.texts.GetSMSSandboxAccountStatus(ctx, &sns.GetSMSSandboxAccountStatusInput{})
	switch {
	case err != nil:
		return asked(about, err)
	case out.IsInSandbox:
		return []finding{{
			todoLater, about,
			"the account is in SNS's sandbox: a second factor by text message reaches verified numbers alone. Leave it, " +
				"and ask for it and for a spending limit (SNS, Text messaging) when partners want it; an authenticator app needs neither",
		}}
	}
	return []finding{{fine, about, "they reach every number"}}
}

func (a *account) takenOverTable(ctx context.Context, s settings) []finding {
	const about = "restoredTable"
	arn := s["restoredTable"]
	if arn == "" {
		return nil
	}
	out, err := a.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &arn})
	if err != nil {
		return []finding{{todoFirst, about, "it cannot be read: " + err.Error()}}
	}
	t := out.Table
	var indexes []string
	for _, i := range t.GlobalSecondaryIndexes {
		indexes = append(indexes, aws.ToString(i.IndexName))
	}
	switch {
	case t.StreamSpecification == nil || !aws.ToBool(t.StreamSpecification.StreamEnabled) ||
		t.StreamSpecification.StreamViewType != dynamodbtypes.StreamViewTypeNewAndOldImages:
		return []finding{{todoFirst, about, "it has no stream of new and old images: switch one on, and set restoredStream to its ARN"}}
	case aws.ToString(t.LatestStreamArn) != s["restoredStream"]:
		return []finding{{todoFirst, about, "its stream is another: set restoredStream to " + aws.ToString(t.LatestStreamArn)}}
	case !slices.Contains(indexes, "gsi1") || !slices.Contains(indexes, "gsi2"):
		return []finding{{todoFirst, about, fmt.Sprintf("it has the indexes %v: restore it with gsi1 and gsi2", indexes)}}
	}
	return []finding{{fine, about, "its stream and its indexes are there"}}
}

func (a *account) takenOverPool(ctx context.Context, s settings) []finding {
	const about = "userPool"
	id := s["userPool"]
	if id == "" {
		return nil
	}
	out, err := a.pools.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &id})
	if err != nil {
		return []finding{{todoFirst, about, "it cannot be read: " + err.Error()}}
	}
	p := out.UserPool
	switch {
	case len(p.AliasAttributes) != 1 || p.AliasAttributes[0] != "email" || len(p.UsernameAttributes) > 0,
		p.UsernameConfiguration == nil || aws.ToBool(p.UsernameConfiguration.CaseSensitive):
		return []finding{{
			todoFirst, about,
			"it is no pool that this service has made: its names are no aliases of e-mail without case, and cannot become so",
		}}
	case p.AdminCreateUserConfig == nil || !p.AdminCreateUserConfig.AllowAdminCreateUserOnly:
		return []finding{{todoFirst, about, "people can sign up there by themselves: allow administrators alone to create users"}}
	}
	return []finding{{fine, about, "it is as the service needs it"}}
}

// issuer is about an identity provider of the operator's own: API Gateway reads its keys, and takes RSA alone.
func (a *account) issuer(ctx context.Context, s settings) []finding {
	about, issuer := "issuer", s["issuer"]
	if issuer == "" {
		return nil
	}
	var described struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := a.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &described); err != nil {
		return []finding{{todoFirst, about, "its description cannot be read: " + err.Error()}}
	}
	if described.Issuer != issuer {
		return []finding{{todoFirst, about, fmt.Sprintf("it calls itself %q: set issuer to that, letter by letter", described.Issuer)}}
	}
	var keys struct {
		Keys []struct {
			Type string `json:"kty"`
		}
	}
	if err := a.get(ctx, described.Keys, &keys); err != nil {
		return []finding{{todoFirst, about, "its keys cannot be read: " + err.Error()}}
	}
	for _, k := range keys.Keys {
		if k.Type == "RSA" {
			return []finding{{fine, about, "its keys can be read"}}
		}
	}
	return []finding{{todoFirst, about, "it has no RSA key, and API Gateway takes no other: have it sign with RS256"}}
}

func (a *account) get(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(into)
}
