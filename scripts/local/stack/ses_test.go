package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/manifest"
	"partneraccess/shared/ses"
)

// sender is the service's own, pointed at the stack as the function in it is.
func sender(t *testing.T, s *stack.Stack) *ses.Sender {
	t.Helper()
	client, err := ses.NewClient(func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_SESV2": s.URL() + "/_local/ses",
		}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return ses.NewSender(client, "set")
}

func letter(to string) mail.Message {
	return mail.Message{
		To: to, From: "Küche <no-reply@cloud.example>", ReplyTo: "help@cloud.example", Subject: "Grüße", Text: "Text ✓", HTML: "<p>HTML ✓</p>",
		Headers: map[string]string{"List-Unsubscribe": "<mailto:stop@cloud.example>"},
		Tags:    map[string]string{"type": "grant-user_left", "event": "01K", "organisation": "c-acme"},
	}
}

func TestAMailThatIsSentLiesInTheMailbox(t *testing.T) {
	c := config(t)
	c.Still = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	s := start(t, c)
	id, err := sender(t, s).Send(t.Context(), letter("rita@partner.example"))
	if err != nil {
		t.Fatal(err)
	}
	_, text := call(t, "GET", s.URL()+"/_local/mail", "")
	var got []map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got) != 1 {
		t.Fatalf("got %s (%v), want one mail", text, err)
	}
	for name, want := range map[string]any{
		"id": id, "to": "rita@partner.example", "from": "Küche <no-reply@cloud.example>", "subject": "Grüße", "text": "Text ✓",
		"html":  "<p>HTML ✓</p>",
		"event": "grant.user_left", "at": "2026-11-22T10:00:00Z",
	} {
		if got[0][name] != want {
			t.Errorf("%s: got %v, want %v", name, got[0][name], want)
		}
	}
	headers, ok := got[0]["headers"].(map[string]any)
	if !ok || headers["List-Unsubscribe"] != "<mailto:stop@cloud.example>" || headers["Reply-To"] != "help@cloud.example" {
		t.Errorf("headers: got %v", got[0]["headers"])
	}
}

func TestSESRefusesWhatTheRealOneRefuses(t *testing.T) {
	s := start(t, config(t))
	for name, change := range map[string]func(*mail.Message){
		"a refused address":            func(m *mail.Message) { m.To = "rita@refused.example" },
		"no address":                   func(m *mail.Message) { m.To = "rita" },
		"an address that is not ASCII": func(m *mail.Message) { m.To = "rita@pärtner.example" },
		"a header in the address":      func(m *mail.Message) { m.To = "rita@partner.example\r\nBcc: x@evil.example" },
		"two recipients":               func(m *mail.Message) { m.To = "rita@partner.example, x@evil.example" },
		"a header in the subject":      func(m *mail.Message) { m.Subject = "Hello\r\nBcc: x@evil.example" },
		"no subject":                   func(m *mail.Message) { m.Subject = "" },
		"a header in a header":         func(m *mail.Message) { m.Headers = map[string]string{"X-A": "a\r\nBcc: x@evil.example"} },
		"a header's name":              func(m *mail.Message) { m.Headers = map[string]string{"X:A": "a"} },
		"a tag with a dot":             func(m *mail.Message) { m.Tags = map[string]string{"type": "grant.created"} },
	} {
		m := letter("rita@partner.example")
		change(&m)
		if id, err := sender(t, s).Send(t.Context(), m); !errors.Is(err, mail.ErrRefused) {
			t.Errorf("%s: got %q, %v, want a refusal", name, id, err)
		}
	}
	if n := len(s.Mail.List()); n != 0 {
		t.Errorf("got %d mails, want none", n)
	}
}

func TestSESHasFaultsForTests(t *testing.T) {
	s := start(t, config(t))
	send := func() (string, error) { return sender(t, s).Send(t.Context(), letter("rita@partner.example")) }
	var e *ses.Error

	s.SES.Throttle(2)
	if _, err := send(); err != nil {
		t.Errorf("throttled twice: got %v, want the sender's patience to last", err)
	}
	s.SES.Throttle(100)
	if _, err := send(); !errors.As(err, &e) || e.Uncertain {
		t.Errorf("throttled for long: got %v, want a certain Error", err)
	}
	s.SES.Heal()
	s.SES.Fail(1)
	if _, err := send(); !errors.As(err, &e) || e.Uncertain {
		t.Errorf("an internal error: got %v, want a certain Error", err)
	}
	s.SES.Pause(1)
	if _, err := send(); !errors.As(err, &e) || errors.Is(err, mail.ErrRefused) {
		t.Errorf("paused: got %v, want an Error that is no refusal", err)
	}
	if n := len(s.Mail.List()); n != 1 {
		t.Errorf("got %d mails, want the one", n)
	}
	s.SES.Lose(1)
	if _, err := send(); !errors.As(err, &e) || !e.Uncertain {
		t.Errorf("a lost answer: got %v, want an uncertain Error", err)
	}
	if n := len(s.Mail.List()); n != 2 {
		t.Errorf("got %d mails, want the one whose answer was lost, too", n)
	}
}

// heard is a feedback function that notes what it hears, and fails at first.
type heard struct {
	mu    sync.Mutex
	fails int
	all   []ses.Outcome
}

func (h *heard) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails > 0 {
		h.fails--
		return nil, errors.New("not yet")
	}
	all, err := ses.Feedback(payload)
	h.all = append(h.all, all...)
	return nil, err
}

func TestSESTellsTheFeedbackFunctionWhatBecameOfAMail(t *testing.T) {
	h := &heard{fails: 1}
	c := config(t)
	c.Functions = []manifest.Function{{Name: "feedback", Timeout: time.Minute, Feedback: true}}
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"feedback": h}, nil
	}
	s := start(t, c)
	type outcome struct {
		state     receipt.State
		permanent bool
	}
	want := map[string]outcome{}
	for to, o := range map[string]outcome{
		"rita@partner.example":    {receipt.Delivered, false},
		"rita@bounced.example":    {receipt.Bounced, true},
		"rita@full.example":       {receipt.Bounced, false},
		"rita@suppressed.example": {receipt.Bounced, true},
		"rita@complained.example": {receipt.Complained, true},
	} {
		id, err := sender(t, s).Send(t.Context(), letter(to))
		if err != nil {
			t.Fatal(err)
		}
		want[id+" "+to] = o
	}
	until(t, "all is heard", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.all) == len(want) })
	for _, o := range h.all {
		if got := (outcome{o.State, o.Permanent}); got != want[o.MessageID+" "+o.Recipient] {
			t.Errorf("%s: got %v, want %v", o.Recipient, got, want[o.MessageID+" "+o.Recipient])
		}
		if o.Tags["event"] != "01K" || o.Tags["organisation"] != "c-acme" {
			t.Errorf("%s: got the tags %v", o.Recipient, o.Tags)
		}
	}
}

func TestSESDropsMailsToSuppressedAddresses(t *testing.T) {
	h := &heard{}
	c := config(t)
	c.Functions = []manifest.Function{{Name: "feedback", Timeout: time.Minute, Feedback: true}}
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"feedback": h}, nil
	}
	s := start(t, c)
	const dropped = "suppression list"
	sent := 0
	send := func(to string, state receipt.State, why string) {
		t.Helper()
		if _, err := sender(t, s).Send(t.Context(), letter(to)); err != nil {
			t.Fatal(err)
		}
		sent++
		until(t, "it is heard", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.all) == sent })
		h.mu.Lock()
		defer h.mu.Unlock()
		if got := h.all[sent-1]; got.State != state || !strings.Contains(got.Reason, why) {
			t.Errorf("to %s: got %s (%s), want %s (%s)", to, got.State, got.Reason, state, why)
		}
	}
	takeOff := func(address string, want int) {
		t.Helper()
		if status, text := call(t, "DELETE", s.URL()+"/_local/ses/v2/email/suppression/addresses/"+strings.ReplaceAll(address, "@", "%40"),
			""); status != want {
			t.Errorf("take %s off: got %d %s, want %d", address, status, text, want)
		}
	}
	for range 2 {
		send("rita@bounced.example", receipt.Bounced, "user unknown")
		send("Rita <RITA@Bounced.example>", receipt.Bounced, dropped)
		takeOff("rita@bounced.example", 200)
	}
	send("rita@complained.example", receipt.Complained, "")
	send("rita@complained.example", receipt.Complained, "")
	send("rita@full.example", receipt.Bounced, "mailbox full")
	takeOff("rita@full.example", 404) // what may pass puts nobody there
	send("rita@suppressed.example", receipt.Bounced, dropped)
	takeOff("rita@suppressed.example", 200)
	takeOff("rita@suppressed.example", 404)
	send("rita@suppressed.example", receipt.Delivered, "")
	send("ron@suppressed.example", receipt.Bounced, dropped)
}

func TestMailsAreReadInABrowser(t *testing.T) {
	s := start(t, config(t))
	if status, got := call(t, "GET", s.URL()+"/_local/mailbox", ""); status != 200 || !strings.Contains(got, "0 mails") {
		t.Errorf("empty: got %d %s", status, got)
	}
	s.Mail.Add(
		stack.Mail{ID: "1", To: `"<i>"@x.example`, Subject: "<script>alert(1)</script>", At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)})
	s.Mail.Add(stack.Mail{
		ID: "2", To: "rita@partner.example", Subject: "Later", At: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC),
		HTML: `<p title="a">"quoted" <script>alert(1)</script></p>`, Text: "See https://cloud.example/x?a=1&b=<2>. javascript:alert(1)",
	})
	status, got := call(t, "GET", s.URL()+"/_local/mailbox", "")
	if status != 200 || strings.Contains(got, "<script>") || strings.Contains(got, "<i>") ||
		strings.Index(got, "Later") > strings.Index(got, "alert(1)") {
		t.Errorf("list: got %d %s, want the latest first, and everything escaped", status, got)
	}
	status, got = call(t, "GET", s.URL()+"/_local/mailbox/2", "")
	for _, want := range []string{
		`sandbox="allow-popups allow-popups-to-escape-sandbox"`,
		`srcdoc="<base target=_blank>&lt;p title=&#34;a&#34;&gt;&#34;quoted&#34; &lt;script&gt;`,
		`<a href="https://cloud.example/x?a=1&amp;b=" target="_blank" rel="noreferrer">https://cloud.example/x?a=1&amp;b=</a>&lt;2&gt;. javascript:alert(1)</pre>`,
	} {
		if status != 200 || !strings.Contains(got, want) {
			t.Errorf("mail: got %d %s, want %s", status, got, want)
		}
	}
	if status, _ := call(t, "GET", s.URL()+"/_local/mailbox/3", ""); status != 404 {
		t.Errorf("a mail that is not there: got %d, want 404", status)
	}
	if status, _ := call(t, "POST", s.URL()+"/_local/mailbox/empty", "", "Origin", "https://evil.example"); status != 403 ||
		len(s.Mail.List()) != 2 {
		t.Errorf("a foreign page empties the mailbox: got %d, want 403", status)
	}
	if status, _ := call(t, "POST", s.URL()+"/_local/mailbox/empty", "", "Origin", s.URL()); status != 200 || len(s.Mail.List()) != 0 {
		t.Errorf("empty it: got %d with %d mails left, want the list", status, len(s.Mail.List()))
	}
}
