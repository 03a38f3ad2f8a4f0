package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/awslambda"
	"partneraccess/shared/bulk"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/stream"
)

// The functions that are behind the others: publish, which keeps the versions of records, and bulk and work, which take jobs and do them.

// wireBehind makes them as their mains do, on the line.
func (w *world) wireBehind(people httpapi.Config, store *dynamo.Store) {
	starter, err := awslambda.Starter(func(name string) string {
		return map[string]string{
			"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
			"AWS_ENDPOINT_URL_LAMBDA": "http://lambda.example",
		}[name]
	}, "work", func(o *lambdaservice.Options) {
		o.HTTPClient = &http.Client{Transport: service{w.line, "lambda", started{}}}
		o.APIOptions = append(o.APIOptions, called.Watch)
	})
	w.must(err)
	w.handlers["publish"] = stream.RecordHandler(people.Log, func(ctx context.Context, c stream.Change) error {
		return store.RecordVersion(ctx, c.Old, c.New)
	})
	rows := httpapi.NewJobRows(people)
	work := &bulk.Worker{
		Store: store, Rows: func(j *access.Job) bulk.Rows { return rows(j) }, Now: people.Now, NewID: people.NewID, Log: people.Log,
	}
	w.handlers["work"] = work.Handler()
	people.StartJobs = func(ctx context.Context) error { return starter(ctx, "{}") }
	w.handlers["bulk"] = httpapi.NewBulk(people)
}

// started stands for Lambda: it takes every event, and starts nothing. The schedule does.
type started struct{}

func (started) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return answer(r, http.StatusAccepted, "", ""), nil
}

// publish hands the function the records as they are now, in one batch: those of before with both images. What it reports as failed, and
// all that follows, comes again.
func (w *world) publish(before []map[string]types.AttributeValue) outcome {
	w.t.Helper()
	old := map[string]any{}
	for _, item := range before {
		old[keyText(item)] = image(item)
	}
	var records []any
	for _, item := range w.snapshot().items {
		key := keyText(item)
		if now := image(item); versioned(key) {
			change := map[string]any{
				"Keys": map[string]any{"pk": now["pk"], "sk": now["sk"]}, "NewImage": now, "SequenceNumber": fmt.Sprint(len(records) + 1),
			}
			name := "INSERT"
			if was, is := old[key]; is {
				name, change["OldImage"] = "MODIFY", was
			}
			records = append(records, map[string]any{"eventName": name, "dynamodb": change})
		}
	}
	o := w.invoke("publish", map[string]any{"Records": records})
	var failed lambdaevents.DynamoDBEventResponse
	if o.done() && json.Unmarshal([]byte(o.body), &failed) == nil && len(failed.BatchItemFailures) > 0 {
		o.status = 500
	}
	return o
}

// versioned returns whether the stream's filter lets the item through.
func versioned(key string) bool {
	pk, sk, _ := strings.Cut(key, " ")
	kind, _, _ := strings.Cut(sk, "#")
	return (strings.HasPrefix(pk, "C#") || strings.HasPrefix(pk, "P#")) && slices.Contains([]string{"C", "P", "H", "G", "U", "F"}, kind)
}

// image is an item in DynamoDB's JSON.
func image(item map[string]types.AttributeValue) map[string]any {
	out := map[string]any{}
	for name, v := range item {
		out[name] = attribute(v)
	}
	return out
}

func attribute(v types.AttributeValue) map[string]any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = attribute(e)
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": image(v.Value)}
	}
	panic(fmt.Sprintf("an attribute of the type %T, which no item has", v))
}

// behind are their use cases.
func behind(granted func(*world)) []useCase {
	var before []map[string]types.AttributeValue
	rows := `{"rows":[{"op":"grant","partner":"contoso","users":["{` + kim + `}"],"level":"support","from":"2027-01-01T00:00:00Z"},` +
		`{"op":"edit","partner":"contoso","level":"view"},{"op":"revoke","partner":"nobody"}]}`
	return []useCase{
		{name: "publish: versions of records", inParts: true, prepare: func(w *world) {
			granted(w)
			w.settle(0)
			before = w.snapshot().items
			w.want(w.request("PATCH", grant, ann, w.text(`{"level":"view","users":{"add":["{`+sam+`}"]}}`), "If-Match", whichever))
			w.settle(0)
		}, call: func(w *world) outcome { return w.publish(before) }},
		request("bulk: take a job", "POST", "/v1/customers/acme/bulk", ann, rows, nil, key, "k"),
		{name: "work: the rows of a job", inParts: true, prepare: func(w *world) {
			w.settle(0)
			w.want(w.request("POST", "/v1/customers/acme/bulk", ann, w.text(rows)))
		}, call: func(w *world) outcome { return w.invoke("work", struct{}{}) }},
	}
}
