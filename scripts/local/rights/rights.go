// Package rights notes which calls of AWS each function makes, and holds them against what the manifest allows, both ways.
package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"partneraccess/shared/manifest"
)

// Call is one kind of call, as IAM sees it: a transaction is the calls that it is made of.
type Call struct {
	Function string
	Action   string // "dynamodb:GetItem"
	On       manifest.Resource
	Key      string // of a call to the table or an index: the kind of partition key, "C#*"; "" otherwise
}

func (c Call) String() string {
	s := fmt.Sprintf("%s: %s on %s", c.Function, c.Action, c.On)
	if c.Key != "" {
		s += " with a key " + c.Key
	}
	return s
}

// Record is what was called. The zero value is empty and ready; it may be used by many at once.
type Record struct {
	mu    sync.Mutex
	calls map[Call]int
	named map[Call]map[string]bool // the attributes that updates named
}

// Watch is one of a client's APIOptions: it notes each call that a function makes, told by the Lambda context that the call's context
// carries. Calls outside of a function are passed over.
func (r *Record) Watch(stack *middleware.Stack) error {
	// Before retries, which are one call to IAM; after the request's body is there, which is where all calls have their keys.
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Rights", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if c, ok := lambdacontext.FromContext(ctx); ok {
			function := c.InvokedFunctionArn[strings.LastIndexByte(c.InvokedFunctionArn, ':')+1:]
			if err := r.recordCall(ctx, function, in.Request); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("rights: %w", err)
			}
		}
		return next.HandleFinalize(ctx, in)
	}), middleware.Before)
}

func (r *Record) recordCall(ctx context.Context, function string, request any) error {
	service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	switch service {
	case "SESv2":
		on := manifest.Mails
		if strings.HasSuffix(operation, "SuppressedDestination") {
			on = manifest.Suppressed
		}
		r.Add(Call{function, "ses:" + operation, on, ""})
		return nil
	case "Cognito Identity Provider":
		r.Add(Call{function, "cognito-idp:" + operation, manifest.Accounts, ""})
		return nil
	case "Lambda":
		if operation != "Invoke" {
			return fmt.Errorf("nothing is known of Lambda's %s: teach scripts/local/rights what IAM calls it", operation)
		}
		on := manifest.Worker
		if req, ok := request.(*smithyhttp.Request); ok && strings.Contains(req.URL.Path, "/functions/deliver/") {
			on = manifest.Deliverer
		}
		r.Add(Call{function, "lambda:InvokeFunction", on, ""})
		return nil
	case "EventBridge":
		r.Add(Call{function, "events:" + operation, manifest.EventBus, ""})
		return nil
	case "DynamoDB":
	default:
		return fmt.Errorf("nothing is known of the service %q: teach scripts/local/rights what IAM calls it", service)
	}
	req, ok := request.(*smithyhttp.Request)
	if !ok {
		return fmt.Errorf("the request is a %T", request)
	}
	body, err := io.ReadAll(req.GetStream())
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if err := req.RewindStream(); err != nil {
		return fmt.Errorf("rewind the request: %w", err)
	}
	calls, err := parse(operation, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	for _, c := range calls {
		c.Function = function
		r.Add(c)
		if operation == "UpdateItem" {
			r.AddNamed(c, attributesOf(body))
		}
	}
	return nil
}

// AddNamed notes the attributes that an update named.
func (r *Record) AddNamed(c Call, attributes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named == nil {
		r.named = map[Call]map[string]bool{}
	}
	if r.named[c] == nil {
		r.named[c] = map[string]bool{}
	}
	for _, a := range attributes {
		r.named[c][a] = true
	}
}

// attributesOf are the attributes that an update names: those of its key, and those of its expressions, where each stands by a placeholder.
func attributesOf(update []byte) []string {
	var in struct {
		Key                      map[string]any
		ExpressionAttributeNames map[string]string
	}
	if json.Unmarshal(update, &in) != nil {
		return []string{"what cannot be read"}
	}
	return slices.Concat(slices.Collect(maps.Keys(in.Key)), slices.Collect(maps.Values(in.ExpressionAttributeNames)))
}

// Add notes a call.
func (r *Record) Add(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls == nil {
		r.calls = map[Call]int{}
	}
	r.calls[c]++
}

// Calls are how often each kind of call was made.
func (r *Record) Calls() map[Call]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.calls)
}

type attributes map[string]struct{ S string }

// partition is the kind of an item's or key's partition key.
func (a attributes) partition() string { return kind(a["pk"].S) }

// kind is a partition key without what follows its prefix, as a pattern of dynamodb:LeadingKeys.
func kind(pk string) string {
	if i := strings.IndexByte(pk, '#'); i > 0 {
		return pk[:i+1] + "*"
	}
	return pk
}

// equals finds the value that a partition key is compared with.
var equals = regexp.MustCompile(`= *(:\w+)`)

// parse reads a request of DynamoDB. Their shapes: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations.html;
// which actions IAM makes of a transaction: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html.
func parse(operation string, body []byte) ([]Call, error) {
	type keyed struct{ Key, Item attributes }
	var in struct {
		keyed
		RequestItems              map[string]struct{ Keys []attributes }
		IndexName                 string
		KeyConditionExpression    string
		ExpressionAttributeValues attributes
		TransactItems             []map[string]keyed
	}
	if err := json.Unmarshal(body, &in); err != nil {
		// Values that are no text are of no interest here, and fail nothing but themselves.
		if wrong := (*json.UnmarshalTypeError)(nil); !errors.As(err, &wrong) {
			return nil, err
		}
	}
	var out []Call
	add := func(action string, on manifest.Resource, key string) {
		out = append(out, Call{Action: "dynamodb:" + action, On: on, Key: key})
	}
	switch operation {
	case "GetItem", "UpdateItem", "DeleteItem":
		add(operation, manifest.Table, in.Key.partition())
	case "PutItem":
		add(operation, manifest.Table, in.Item.partition())
	case "BatchGetItem":
		for _, t := range in.RequestItems {
			for _, k := range t.Keys {
				add(operation, manifest.Table, k.partition())
			}
		}
	case "Query":
		on := manifest.Table
		if in.IndexName != "" {
			on += manifest.Resource("/index/" + in.IndexName)
		}
		if m := equals.FindStringSubmatch(in.KeyConditionExpression); m != nil {
			add(operation, on, kind(in.ExpressionAttributeValues[m[1]].S))
		}
	case "TransactGetItems", "TransactWriteItems":
		for _, t := range in.TransactItems {
			for part, k := range t {
				switch part {
				case "Put":
					add("PutItem", manifest.Table, k.Item.partition())
				case "Get", "Update", "Delete":
					add(part+"Item", manifest.Table, k.Key.partition())
				case "ConditionCheck":
					add("ConditionCheckItem", manifest.Table, k.Key.partition())
				}
			}
		}
	}
	if len(out) == 0 || slices.ContainsFunc(out, func(c Call) bool { return c.Key == "" }) {
		return nil, errors.New("its keys are not understood: teach scripts/local/rights to read it")
	}
	return out, nil
}

// Compare holds what was called against what is allowed. Forbidden is what was called and is not allowed, spare what is allowed and was not
// called: a right without keys, or one of a right's keys. Both are sorted.
func (r *Record) Compare(functions []manifest.Function, allowed func(function string) []manifest.Right) (forbidden, spare []string) {
	unused := map[Call]bool{}
	for _, f := range functions {
		for _, right := range allowed(f.Name) {
			keys := right.Keys
			if len(keys) == 0 {
				keys = []string{""}
			}
			for _, k := range keys {
				unused[Call{f.Name, right.Action, right.On, k}] = true
			}
		}
	}
	granted := maps.Clone(unused)
	for c, times := range r.Calls() {
		any := c
		any.Key = ""
		if !granted[c] && !granted[any] {
			forbidden = append(forbidden, fmt.Sprintf("%s (%d times)", c, times))
		}
		delete(unused, c)
		delete(unused, any)
	}
	for c := range unused {
		spare = append(spare, c.String())
	}
	for _, f := range functions {
		for _, right := range allowed(f.Name) {
			tooMany, tooFew := r.compareAttributes(f.Name, right)
			forbidden, spare = append(forbidden, tooMany...), append(spare, tooFew...)
		}
	}
	slices.Sort(forbidden)
	slices.Sort(spare)
	return forbidden, spare
}

// compareAttributes holds the attributes that updates named against those of a right that bounds them.
func (r *Record) compareAttributes(function string, right manifest.Right) (forbidden, spare []string) {
	if len(right.Attributes) == 0 {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range right.Keys {
		c := Call{function, right.Action, right.On, k}
		for name := range r.named[c] {
			if !slices.Contains(right.Attributes, name) {
				forbidden = append(forbidden, fmt.Sprintf("%s and the attribute %s", c, name))
			}
		}
		for _, name := range right.Attributes {
			if !r.named[c][name] && r.calls[c] > 0 { // one that was never called is told of already
				spare = append(spare, fmt.Sprintf("%s and the attribute %s", c, name))
			}
		}
	}
	return forbidden, spare
}
