package ses_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"partneraccess/shared/mail"
	"partneraccess/shared/ses"
)

func environment(endpoint string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_SESV2": endpoint,
		}[name]
	}
}

func message() mail.Message {
	return mail.Message{
		To: "rita@partner.example", From: "Küche & Co <no-reply@cloud.example>", ReplyTo: "help@cloud.example", Subject: "Zugang für Ärzte ✓",
		Text: "Grüße", HTML: "<p>Grüße</p>",
		Headers: map[string]string{"List-Unsubscribe": "<mailto:stop@cloud.example>", "Auto-Submitted": "auto-generated"},
		Tags:    map[string]string{"event": "01K", "organisation": "c-acme", "type": "grant-created", "template": "granted"},
	}
}

// client is one whose requests the handler answers.
func client(t *testing.T, h http.HandlerFunc) *sesv2.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := ses.NewClient(environment(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sender(t *testing.T, h http.HandlerFunc) *ses.Sender {
	t.Helper()
	return ses.NewSender(client(t, h), "partner-access")
}

func TestAMailIsSentAsSESWantsIt(t *testing.T) {
	var path, body string
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, body = r.Method+" "+r.URL.Path, string(raw)
		if a := r.Header.Get("Authorization"); !strings.Contains(a, "/eu-central-1/ses/aws4_request") {
			t.Errorf("signature: got %q, want one for ses", a)
		}
		_, _ = io.WriteString(w, `{"MessageId":"0102-1"}`)
	})
	id, err := s.Send(t.Context(), message())
	if err != nil || id != "0102-1" {
		t.Fatalf("got %q, %v, want 0102-1", id, err)
	}
	if want := "POST /v2/email/outbound-emails"; path != want {
		t.Errorf("got %s, want %s", path, want)
	}
	const want = `{
		"ConfigurationSetName": "partner-access",
		"FromEmailAddress": "=?utf-8?b?S8O8Y2hlICYgQ28=?= <no-reply@cloud.example>",
		"ReplyToAddresses": ["help@cloud.example"],
		"Destination": {"ToAddresses": ["rita@partner.example"]},
		"EmailTags": [
			{"Name": "event", "Value": "01K"}, {"Name": "organisation", "Value": "c-acme"},
			{"Name": "template", "Value": "granted"}, {"Name": "type", "Value": "grant-created"}
		],
		"Content": {"Simple": {
			"Subject": {"Charset": "UTF-8", "Data": "Zugang für Ärzte ✓"},
			"Body": {"Text": {"Charset": "UTF-8", "Data": "Grüße"}, "Html": {"Charset": "UTF-8", "Data": "<p>Grüße</p>"}},
			"Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}, {"Name": "List-Unsubscribe", "Value": "<mailto:stop@cloud.example>"}]
		}}
	}`
	if got, want := canonical(t, body), canonical(t, want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestARefusalIsForGoodOnlyWhenItIsAboutTheMail(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		kind    string
		message string
		refused bool
		calls   int
	}{
		{"an address that is none", 400, "BadRequestException", "Missing final '@domain'", true, 1},
		{"content that is refused", 400, "MessageRejected", "Message rejected: virus", true, 1},
		{
			"a recipient who is not verified, in the sandbox", 400, "MessageRejected",
			"Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: Rita@partner.example", true, 1,
		},
		{
			"a sender who is not verified", 400, "MessageRejected",
			"Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: no-reply@cloud.example", false, 1,
		},
		{"a custom MAIL FROM domain that is not set up", 400, "MailFromDomainNotVerifiedException", "x", false, 1},
		{"sending is paused", 400, "SendingPausedException", "x", false, 1},
		{"the account is suspended", 400, "AccountSuspendedException", "x", false, 1},
		{"no such configuration set", 404, "NotFoundException", "x", false, 1},
		{"the day's quota", 400, "LimitExceededException", "x", false, 4},
		{"too fast", 429, "TooManyRequestsException", "Maximum sending rate exceeded.", false, 4},
		{"throttled by the gateway", 400, "ThrottlingException", "Rate exceeded", false, 4},
		{"no right to send", 403, "AccessDeniedException", "User is not authorized to send to rita@partner.example", false, 1},
		{"an internal error", 500, "InternalServiceErrorException", "x", false, 1},
		{"a proxy's error", 503, "", "<html>", false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			s := sender(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				if c.kind != "" {
					w.Header().Set("X-Amzn-Errortype", c.kind)
				}
				w.WriteHeader(c.status)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": c.message})
			})
			_, err := s.Send(t.Context(), message())
			if got := errors.Is(err, mail.ErrRefused); err == nil || got != c.refused {
				t.Errorf("got %v, want an error, refused: %v", err, c.refused)
			}
			var temporary *ses.Error
			if errors.As(err, &temporary) == c.refused {
				t.Errorf("got %T, want an Error unless it is refused", err)
			}
			if temporary != nil && temporary.Uncertain {
				t.Error("got uncertain, want certain: SES has answered")
			}
			if temporary != nil && strings.Contains(err.Error(), "rita@") {
				t.Errorf("the error would put the recipient into the log: %v", err)
			}
			if got := int(calls.Load()); got != c.calls {
				t.Errorf("got %d calls, want %d", got, c.calls)
			}
		})
	}
}

func TestAThrottledMailGoesOutAMomentLater(t *testing.T) {
	var calls atomic.Int32
	s := sender(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
			w.WriteHeader(429)
			return
		}
		_, _ = io.WriteString(w, `{"MessageId":"1"}`)
	})
	if id, err := s.Send(t.Context(), message()); err != nil || id != "1" {
		t.Errorf("got %q, %v after %d calls, want the mail sent at the third", id, err, calls.Load())
	}
}

func TestAMailWhoseAnswerWasLostIsNotSentAgainAndIsUncertain(t *testing.T) {
	for name, lose := range map[string]func(w http.ResponseWriter, r *http.Request, giveUp func()){
		"cut connection": func(http.ResponseWriter, *http.Request, func()) { panic(http.ErrAbortHandler) },
		"half an answer": func(w http.ResponseWriter, _ *http.Request, _ func()) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"Mess`)
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request, _ func()) { _, _ = io.WriteString(w, `<html>`) },
		"too late": func(_ http.ResponseWriter, r *http.Request, giveUp func()) {
			_, _ = io.Copy(io.Discard, r.Body)
			giveUp()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			var calls atomic.Int32
			s := sender(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				lose(w, r, giveUp)
			})
			_, err := s.Send(ctx, message())
			var e *ses.Error
			if !errors.As(err, &e) || !e.Uncertain || errors.Is(err, mail.ErrRefused) {
				t.Errorf("got %v, want an uncertain Error", err)
			}
			if got := calls.Load(); got != 1 {
				t.Errorf("got %d calls, want 1: a second one might be a second mail", got)
			}
		})
	}
}

func TestWithoutAConnectionItIsCertainThatNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	client, err := ses.NewClient(environment("http://" + l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ses.NewSender(client, "").Send(t.Context(), message())
	var e *ses.Error
	if !errors.As(err, &e) || e.Uncertain {
		t.Errorf("got %v, want a certain Error", err)
	}
}

func TestAClientNeedsARegionAndCredentials(t *testing.T) {
	for _, missing := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		_, err := ses.NewClient(func(name string) string {
			if name == missing {
				return ""
			}
			return environment("")(name)
		})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: got %v, want an error that names it", missing, err)
		}
	}
}
