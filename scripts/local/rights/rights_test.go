package rights_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"partneraccess/scripts/local/rights"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
)

// silence answers every request with an empty object.
type silence struct{}

func (silence) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2,
		Request: r,
	}, nil
}

func in(t *testing.T, function string) context.Context {
	return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
		InvokedFunctionArn: "arn:aws:lambda:eu-central-1:000000000000:function:" + function,
	})
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
}

func table(r *rights.Record) *dynamodb.Client {
	o := dynamodb.Options{
		Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials), HTTPClient: silence{},
		DisableValidateResponseChecksum: true,
	}
	o.APIOptions = append(o.APIOptions, r.Watch)
	return dynamodb.New(o)
}

func item(pk, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk},
		"n": &types.AttributeValueMemberN{Value: "1"},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberBOOL{Value: true}}},
	}
}

// text are the calls, sorted, one a line.
func text(r *rights.Record) string {
	var out []string
	for c := range r.Calls() {
		out = append(out, c.String())
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestACallIsNotedAsIAMSeesIt(t *testing.T) {
	t.Parallel()
	name := aws.String("t")
	query := func(index, condition string) *dynamodb.QueryInput {
		q := &dynamodb.QueryInput{TableName: name, KeyConditionExpression: &condition, ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "Q#7"}, ":from": &types.AttributeValueMemberS{Value: "C#x"},
			":n": &types.AttributeValueMemberN{Value: "3"},
		}}
		if index != "" {
			q.IndexName = &index
		}
		return q
	}
	for _, c := range []struct {
		name string
		do   func(context.Context, *dynamodb.Client) error
		want string
	}{
		{"GetItem", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: item("E#kim@contoso.example", "E")})
			return err
		}, "f: dynamodb:GetItem on table with a key E#*"},
		{"UpdateItem", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: name, Key: item("B#x", "B")})
			return err
		}, "f: dynamodb:UpdateItem on table with a key B#*"},
		{"PutItem", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("I#x", "I")})
			return err
		}, "f: dynamodb:PutItem on table with a key I#*"},
		{"Query", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.Query(ctx, query("", "#pk = :pk AND begins_with(#sk, :from)"))
			return err
		}, "f: dynamodb:Query on table with a key Q#*"},
		{"Query of an index", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.Query(ctx, query("gsi2", "gsi2pk = :pk AND gsi2sk BETWEEN :from AND :n"))
			return err
		}, "f: dynamodb:Query on table/index/gsi2 with a key Q#*"},
		{"BatchGetItem", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				"t": {Keys: []map[string]types.AttributeValue{item("C#acme", "C"), item("P#contoso", "P"), item("C#acme", "G#contoso")}},
			}})
			return err
		}, "f: dynamodb:BatchGetItem on table with a key C#*\nf: dynamodb:BatchGetItem on table with a key P#*"},
		{"TransactWriteItems", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: name, Item: item("C#acme", "C")}},
				{Update: &types.Update{TableName: name, Key: item("P#contoso", "P"), UpdateExpression: name}},
				{Delete: &types.Delete{TableName: name, Key: item("K#1", "K")}},
				{ConditionCheck: &types.ConditionCheck{TableName: name, Key: item("P#contoso", "H"), ConditionExpression: name}},
			}})
			return err
		}, "f: dynamodb:ConditionCheckItem on table with a key P#*\nf: dynamodb:DeleteItem on table with a key K#*\n" +
			"f: dynamodb:PutItem on table with a key C#*\nf: dynamodb:UpdateItem on table with a key P#*"},
		{"TransactGetItems", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.TransactGetItems(ctx,
				&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: name, Key: item("C#acme", "C")}}}})
			return err
		}, "f: dynamodb:GetItem on table with a key C#*"},
		{"a check, whose requests are written by hand", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := dynamo.NewReader(db, "t").Facts(ctx, []access.FactsQuery{{User: "contoso:01J", Customer: "acme"}}, access.Strong)
			return err
		}, "f: dynamodb:BatchGetItem on table with a key C#*\nf: dynamodb:BatchGetItem on table with a key P#*"},
		{"a snapshot", func(ctx context.Context, db *dynamodb.Client) error {
			_, err := dynamo.NewReader(db, "t").Facts(ctx, []access.FactsQuery{{User: "contoso:01J", Customer: "acme"}}, access.Snapshot)
			return err
		}, "f: dynamodb:GetItem on table with a key C#*\nf: dynamodb:GetItem on table with a key P#*"},
	} {
		r := &rights.Record{}
		if err := c.do(in(t, "f"), table(r)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := text(r); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
		outside := &rights.Record{}
		if err := c.do(t.Context(), table(outside)); err != nil || text(outside) != "" {
			t.Errorf("%s, outside of a function: got %q (%v), want nothing noted", c.name, text(outside), err)
		}
	}
}

func TestACallOfMailsOrAccountsIsNotedByItsAction(t *testing.T) {
	t.Parallel()
	r := &rights.Record{}
	ses := sesv2.New(sesv2.Options{Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials), HTTPClient: silence{}},
		func(o *sesv2.Options) { o.APIOptions = append(o.APIOptions, r.Watch) })
	if _, err := ses.SendEmail(in(t, "notify"), &sesv2.SendEmailInput{}); err == nil {
		t.Error("got no error, want the SDK's own: there is no content")
	}
	accounts := cognitoidentityprovider.New(
		cognitoidentityprovider.Options{Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials), HTTPClient: silence{}},
		func(o *cognitoidentityprovider.Options) { o.APIOptions = append(o.APIOptions, r.Watch) })
	if _, err := accounts.AdminGetUser(in(t, "directory"),
		&cognitoidentityprovider.AdminGetUserInput{UserPoolId: aws.String("p"), Username: aws.String("u")}); err != nil {
		t.Error(err)
	}
	if got, want := text(r), "directory: cognito-idp:AdminGetUser on accounts"; got != want {
		t.Errorf("got %q, want %q: what was never sent needs no right", got, want)
	}
	content := &sestypes.EmailContent{Raw: &sestypes.RawMessage{Data: []byte("x")}}
	if _, err := ses.SendEmail(in(t, "notify"), &sesv2.SendEmailInput{Content: content}); err != nil {
		t.Error(err)
	}
	if _, err := ses.DeleteSuppressedDestination(in(t, "mail"),
		&sesv2.DeleteSuppressedDestinationInput{EmailAddress: aws.String("kim@contoso.example")}); err != nil {
		t.Error(err)
	}
	if got, want := text(
		r), "directory: cognito-idp:AdminGetUser on accounts\n"+
		"mail: ses:DeleteSuppressedDestination on suppressed\nnotify: ses:SendEmail on mails"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsNotUnderstoodFailsRatherThanGoUnnoted(t *testing.T) {
	t.Parallel()
	r := &rights.Record{}
	if _, err := table(r).DescribeTable(in(t, "f"), &dynamodb.DescribeTableInput{TableName: aws.String("t")}); err == nil ||
		!strings.Contains(err.Error(), "teach") {
		t.Errorf("DescribeTable: got %v, want an error that says what to do", err)
	}
	other := lambda.New(lambda.Options{Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials), HTTPClient: silence{}},
		func(o *lambda.Options) { o.APIOptions = append(o.APIOptions, r.Watch) })
	if _, err := other.GetFunction(in(t, "f"), &lambda.GetFunctionInput{FunctionName: aws.String("g")}); err == nil ||
		!strings.Contains(err.Error(), "teach") {
		t.Errorf("another service: got %v, want an error that says what to do", err)
	}
}

func TestTheRecordIsHeldAgainstTheRightsBothWays(t *testing.T) {
	t.Parallel()
	functions := []manifest.Function{{Name: "f"}, {Name: "g"}}
	get := func(keys ...string) manifest.Right {
		return manifest.Right{Action: "dynamodb:GetItem", On: manifest.Table, Keys: keys}
	}
	update := func(attributes ...string) manifest.Right {
		return manifest.Right{Action: "dynamodb:UpdateItem", On: manifest.Table, Keys: []string{"C#*"}, Attributes: attributes}
	}
	send := manifest.Right{Action: "ses:SendEmail", On: manifest.Mails}
	call := func(function string, right manifest.Right) rights.Call {
		c := rights.Call{Function: function, Action: right.Action, On: right.On}
		if len(right.Keys) > 0 {
			c.Key = right.Keys[0]
		}
		return c
	}
	for _, c := range []struct {
		name      string
		calls     []rights.Call
		allowed   map[string][]manifest.Right
		forbidden []string
		spare     []string
	}{
		{"nothing and nothing", nil, nil, nil, nil},
		{
			"all that is allowed",
			[]rights.Call{call("f", get("C#*")), call("f", get("P#*")), call("g", send)},
			map[string][]manifest.Right{"f": {get("C#*", "P#*")}, "g": {send}},
			nil, nil,
		},
		{
			"whichever key, where the right names none",
			[]rights.Call{call("f", get("C#*")), call("f", get("P#*"))},
			map[string][]manifest.Right{"f": {get()}},
			nil, nil,
		},
		{
			"another function's right",
			[]rights.Call{call("f", send), call("g", send)},
			map[string][]manifest.Right{"g": {send}},
			[]string{"f: ses:SendEmail on mails (1 times)"},
			nil,
		},
		{
			"another key",
			[]rights.Call{call("f", get("E#*"))},
			map[string][]manifest.Right{"f": {get("C#*")}},
			[]string{"f: dynamodb:GetItem on table with a key E#* (1 times)"},
			[]string{"f: dynamodb:GetItem on table with a key C#*"},
		},
		{
			"one key too many",
			[]rights.Call{call("f", get("C#*"))},
			map[string][]manifest.Right{"f": {get("C#*", "P#*")}},
			nil,
			[]string{"f: dynamodb:GetItem on table with a key P#*"},
		},
		{
			"a right that nobody needs",
			nil,
			map[string][]manifest.Right{"g": {send}},
			nil,
			[]string{"g: ses:SendEmail on mails"},
		},
		{
			"the attributes that are allowed",
			[]rights.Call{call("f", update("pk", "used"))},
			map[string][]manifest.Right{"f": {update("pk", "used")}},
			nil, nil,
		},
		{
			"another attribute",
			[]rights.Call{call("f", update("pk", "used"))},
			map[string][]manifest.Right{"f": {update("pk", "level")}},
			[]string{"f: dynamodb:UpdateItem on table with a key C#* and the attribute used"},
			[]string{"f: dynamodb:UpdateItem on table with a key C#* and the attribute level"},
		},
		{
			"the index for the table",
			[]rights.Call{{Function: "f", Action: "dynamodb:Query", On: manifest.Index1, Key: "P#*"}},
			map[string][]manifest.Right{"f": {{Action: "dynamodb:Query", On: manifest.Table, Keys: []string{"P#*"}}}},
			[]string{"f: dynamodb:Query on table/index/gsi1 with a key P#* (1 times)"},
			[]string{"f: dynamodb:Query on table with a key P#*"},
		},
	} {
		r := &rights.Record{}
		for _, call := range c.calls {
			r.Add(call)
			if strings.HasSuffix(call.Action, ":UpdateItem") {
				r.AddNamed(call, []string{"pk", "used"})
			}
		}
		forbidden, spare := r.Compare(functions, func(f string) []manifest.Right { return c.allowed[f] })
		if !slices.Equal(forbidden, c.forbidden) || !slices.Equal(spare, c.spare) {
			t.Errorf("%s: got %q forbidden and %q to spare, want %q and %q", c.name, forbidden, spare, c.forbidden, c.spare)
		}
	}
}
