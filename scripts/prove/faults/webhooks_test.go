package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/awslambda"
	"partneraccess/shared/deliver"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	usecases "partneraccess/shared/service"
	"partneraccess/shared/webhook"
)

// The functions of webhooks: webhook, which keeps them, and deliver, which sends.

// receiver stands for the addresses: it answers challenges, and takes what else comes.
type receiver struct {
	mu  sync.Mutex
	got map[string]int // by the id of the event
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	var in struct {
		Type string
		Data struct{ Token string }
	}
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
		return nil, err
	}
	if in.Type == "webhook.verify" {
		return answer(req, http.StatusOK, "", `{"token":"`+in.Data.Token+`"}`), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[in.Type+" "+req.Header.Get("webhook-id")]++
	return answer(req, http.StatusNoContent, "", ""), nil
}

// events are what has come, each once however often it did: the id is the same.
func (r *receiver) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.got))
}

// poster sends past the line, as webhook.Client does past none.
type poster struct{ client *http.Client }

func (p poster) Post(ctx context.Context, address string, header http.Header, body []byte) (webhook.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return webhook.Answer{}, err
	}
	r.Header = header
	res, err := p.client.Do(r)
	if err != nil {
		return webhook.Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return webhook.Answer{Status: res.StatusCode, Body: text, RetryAfter: res.Header.Get("Retry-After")}, err
}

// wireWebhooks makes them as their mains do, on the line.
func (w *world) wireWebhooks(people httpapi.Config, store *dynamo.Store) {
	start, err := awslambda.DeliveryStarter(func(name string) string {
		return map[string]string{
			"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
			"AWS_ENDPOINT_URL_LAMBDA": "http://lambda.example", "DELIVER_FUNCTION": "deliver",
		}[name]
	}, func(o *lambdaservice.Options) {
		o.HTTPClient = &http.Client{Transport: service{w.line, "lambda", started{}}}
		o.APIOptions = append(o.APIOptions, called.Watch)
	})
	w.must(err)
	people.Source, people.StartDeliveries, people.CheckWebhook = "https://access.example", start, webhook.CheckURL
	w.handlers["webhook"] = httpapi.NewWebhook(people)
	worker := &deliver.Worker{
		Store: store, Service: &usecases.Service{Store: store, Now: people.Now, NewID: people.NewID, Log: people.Log}, Start: start,
		Sender: poster{&http.Client{Transport: service{w.line, "webhook", w.hooks}}}, Now: people.Now, NewID: people.NewID, Log: people.Log,
	}
	w.handlers["deliver"] = worker.Handler()
}

// waitsForWebhooks is the webhook of which something is due; "" when none is.
func (w *world) waitsForWebhooks() string {
	now := w.clock().Format("2006-01-02T15:04:05.000Z")
	for _, row := range w.rows() {
		if at := row["gsi2sk"]; row["sk"] == "Q" && at != "" && at[:len(now)] <= now {
			return strings.TrimPrefix(row["pk"], "H#Q#")
		}
	}
	return ""
}

// random is what differs in the rows of webhooks, which are JSON in JSON, though the same was done.
var random = regexp.MustCompile(`\\"(secret|former|challenge|challenge_id|id|since|created|updated|former_until)\\":\\"[^"]*\\"`)

// ofWebhook is what counts of a row about webhooks; nothing of a queue, which says who is at work.
func ofWebhook(row map[string]string) map[string]string {
	switch {
	case row["sk"] == "Q":
		return nil
	case row["sk"] == "H":
		return map[string]string{"pk": row["pk"], "list": random.ReplaceAllString(row["list"], "$1")}
	}
	return map[string]string{"pk": "H#D#*", "type": row["type"], "state": row["state"]}
}

const hooks = "/v1/webhooks"

// webhookCases are their use cases.
func webhookCases() []useCase {
	create := `{"url":"https://hooks.example/","types":["grant.*"]}`
	made := func(w *world) {
		o := w.want(w.request("POST", hooks, provider, create))
		w.vars["hook"] = "whk_" + id.FindString(strings.SplitN(o.body, `"id":`, 2)[1])
	}
	active := func(w *world) {
		made(w)
		w.settle(0)
	}
	deliverTo := func(w *world) outcome { return w.invoke("deliver", map[string]string{"webhook": w.vars["hook"]}) }
	return []useCase{
		request("webhook: name an address", "POST", hooks, provider, create, nil, key, "k"),
		request("webhook: send a test", "POST", hooks+"/{hook}/test", provider, "", active, key, "k"),
		request("webhook: remove an address", "DELETE", hooks+"/{hook}", provider, "", active),
		{name: "deliver: a challenge", inParts: true, prepare: made, call: deliverTo},
		{name: "deliver: an event", inParts: true, prepare: func(w *world) {
			active(w)
			w.want(w.request("POST", w.text(hooks+"/{hook}/test"), provider, ""))
		}, call: deliverTo},
	}
}
