package receivers

import (
	"bytes"
	"encoding/json"
	mrand "math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/webhook"
)

// toNode is a delivery, and who in Node looks at it: standardwebhooks, svix, the project's client, or the SDK of CloudEvents.
type toNode struct {
	delivery

	Keys []string `json:"keys"`
	By   []string `json:"by"`
}

// inNode has deliveries looked at, and returns what each of By has found wrong, "" for nothing.
func inNode(t *testing.T, now time.Time, deliveries []toNode) []map[string]string {
	t.Helper()
	input, err := json.Marshal(map[string]any{"now": now, "deliveries": deliveries})
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", "verify.mjs")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v: %s", err, &complaint)
	}
	var answers []map[string]string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(deliveries) {
		t.Fatalf("got %d answers (%v) to %d deliveries", len(answers), err, len(deliveries))
	}
	return answers
}

func TestReceiversInNodeVerifyWhatIsSent(t *testing.T) {
	t.Parallel()
	now := time.Now() // the libraries ask the clock themselves
	old, oldKey := secret(t, webhook.V1)
	renewed, newKey := secret(t, webhook.V1)
	asymmetric, public := secret(t, webhook.V1a)
	var deliveries []toNode
	for _, body := range samples(t) {
		both := deliver(t, body, now, asymmetric, old, renewed)
		for _, keys := range [][]string{{oldKey}, {newKey}, {newKey, oldKey}} {
			deliveries = append(deliveries, toNode{both, keys, []string{"standardwebhooks", "svix", "client"}})
		}
		deliveries = append(deliveries,
			toNode{deliver(t, body, now, old), []string{oldKey}, []string{"standardwebhooks", "svix", "client", "cloudevents"}},
			toNode{both, []string{public}, []string{"client"}},
			toNode{deliver(t, body, now, asymmetric), []string{oldKey, public}, []string{"client"}},
		)
	}
	for i, answer := range inNode(t, now, deliveries) {
		for by, wrong := range answer {
			if wrong != "" || len(answer) != len(deliveries[i].By) {
				t.Errorf("%s: %s, with %d keys: %s", by, deliveries[i].ID, len(deliveries[i].Keys), wrong)
			}
		}
	}
}

// The times are altered by two minutes at most and the rest of them is much too late: it is the signature that refuses.
func TestReceiversInNodeRefuseEachMutation(t *testing.T) {
	t.Parallel()
	now := time.Now()
	body := samples(t)["grant.edited"]
	symmetric, key := secret(t, webhook.V1)
	asymmetric, public := secret(t, webhook.V1a)
	var deliveries []toNode
	for _, of := range []struct {
		toNode

		times int
	}{
		{toNode{deliver(t, body, now, symmetric), []string{key}, []string{"standardwebhooks", "svix", "client"}}, mutations},
		{toNode{deliver(t, body, now, asymmetric), []string{public}, []string{"client"}}, mutations / 10},
	} {
		for way, alter := range ways() {
			r := mrand.New(mrand.NewPCG(11, uint64(len(way)))) //nolint:gosec // the same draws each time
			for range of.times / len(ways()) {
				bad := of.toNode
				alter(r, &bad.delivery)
				deliveries = append(deliveries, bad)
			}
		}
	}
	for i, answer := range inNode(t, now, deliveries) {
		for _, by := range deliveries[i].By {
			if wrong, asked := answer[by]; !asked || wrong == "" || strings.HasPrefix(wrong, "unexpected") {
				t.Fatalf("%s: got %q for %+v", by, wrong, deliveries[i])
			}
		}
	}
}

func TestTheNodeClientTakesFiveMinutesAndNoOtherKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	s, key := secret(t, webhook.V1)
	private, public := secret(t, webhook.V1a)
	_, strange := secret(t, webhook.V1)
	body := samples(t)["grant.ended"]
	crowd := deliver(t, body, now, s)
	crowd.Signature = strings.Repeat("v1,AAAA ", 10) + crowd.Signature
	noID := deliver(t, body, now, s)
	noID.ID = ""
	signed := deliver(t, body, now, s)
	signed.Timestamp = "+" + signed.Timestamp
	noSource := deliver(t, strings.Replace(body, `"source"`, `"sauce"`, 1), now, s)
	client, cloudevents := []string{"client"}, []string{"cloudevents"}
	cases := []struct {
		about string
		toNode
		want string // the beginning of what is wrong
	}{
		{"five minutes ago", toNode{deliver(t, body, now.Add(-5*time.Minute), s), []string{key}, client}, ""},
		{"in five minutes", toNode{deliver(t, body, now.Add(5*time.Minute), s), []string{key}, client}, ""},
		{"longer ago", toNode{deliver(t, body, now.Add(-5*time.Minute-time.Second), s), []string{key}, client}, "WebhookError: it is of"},
		{"later", toNode{deliver(t, body, now.Add(5*time.Minute+time.Second), s), []string{key}, client}, "WebhookError: it is of"},
		{"another's key", toNode{deliver(t, body, now, s), []string{strange}, client}, "WebhookError: no signature"},
		{"eleven signatures", toNode{crowd, []string{key}, client}, "WebhookError: it has 11"},
		{"no id", toNode{noID, []string{key}, client}, "WebhookError: the header webhook-id"},
		{"a sign before the time", toNode{signed, []string{key}, client}, "WebhookError: its time"},
		{"no key", toNode{deliver(t, body, now, s), []string{}, client}, "unexpected: Error: there is no key"},
		{"a private key", toNode{deliver(t, body, now, s), []string{key, private.Text()}, client}, "unexpected: Error: a key"},
		{"a public key as a secret", toNode{deliver(t, body, now, s), []string{"whsec_" + public}, client}, "unexpected: Error: a key"},
		{"a short secret", toNode{deliver(t, body, now, s), []string{"whsec_AAAA"}, client}, "unexpected: Error: a key"},
		{"a line break", toNode{deliver(t, body, now, s), []string{key + "\n"}, client}, "unexpected: Error: a key"},
		{"an event without a source", toNode{noSource, []string{key}, cloudevents}, "TypeError: invalid payload"},
	}
	var deliveries []toNode
	for _, c := range cases {
		deliveries = append(deliveries, c.toNode)
	}
	for i, answer := range inNode(t, now, deliveries) {
		c := cases[i]
		got := answer[c.By[0]]
		shown := slices.ContainsFunc(c.Keys, func(k string) bool { return len(k) > 20 && strings.Contains(got, k[10:20]) })
		if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) || shown {
			t.Errorf("%s: got %q, want %q", c.about, got, c.want)
		}
	}
}
