package ses_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/ses"
)

const messageID = "0107019a1b2c3d4e-5f6a7b8c-1111-2222-3333-444455556666-000000"

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFeedbackReadsWhatSESPublishes(t *testing.T) {
	for name, want := range map[string]string{
		"eventbridge-delivered":  "delivered false 2026-11-22T10:00:04.512Z 250 2.0.0 OK 1795341604 x",
		"eventbridge-bounced":    "bounced true 2026-11-22T10:00:05.001Z Permanent General 5.1.1 smtp; 550 5.1.1 user unknown",
		"eventbridge-full":       "bounced false 2026-11-22T22:00:05.001Z Transient MailboxFull 4.2.2 smtp; 452 4.2.2 mailbox full",
		"eventbridge-complained": "complained true 2026-11-23T07:30:00Z abuse",
		"eventbridge-not-spam":   "",
		"eventbridge-sent":       "",
		"eventbridge-delayed":    "",
		"sns-suppressed": "bounced true 2026-11-22T10:00:05.001Z Permanent OnAccountSuppressionList 5.1.1 Amazon SES did not send the " +
			"message to this address because it is on the suppression list for your account.",
		"lambda-sns-suppressed": "bounced true 2026-11-22T10:00:05.001Z Permanent OnAccountSuppressionList 5.1.1 Amazon SES did not send the " +
			"message to this address because it is on the suppression list for your account.",
		"identity-bounced": "bounced true 2026-11-22T10:00:05.001Z Permanent OnAccountSuppressionList 5.1.1 Amazon SES did not send the " +
			"message to this address because it is on the suppression list for your account.",
		"sns-validation": "",
	} {
		t.Run(name, func(t *testing.T) {
			all, err := ses.Feedback(sample(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				if len(all) != 0 {
					t.Errorf("got %v, want no outcome", all)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("got %v, want one outcome", all)
			}
			o := all[0]
			if got := fmt.Sprint(o.State, " ", o.Permanent, " ", o.At.Format(time.RFC3339Nano), " ", o.Reason); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if o.MessageID != messageID || o.Recipient != "rita@partner.example" || o.At.Location() != time.UTC {
				t.Errorf("got %+v", o)
			}
			if name != "identity-bounced" && (o.Tags["event"] != "01KAMBOW5000000000000000AA" || o.Tags["organisation"] != "c-acme") {
				t.Errorf("tags: got %v", o.Tags)
			}
		})
	}
}

func TestFeedbackRefusesWhatItDoesNotUnderstand(t *testing.T) {
	delivered := string(sample(t, "eventbridge-delivered"))
	for name, payload := range map[string]string{
		"nothing":                ``,
		"no object":              `[]`,
		"another source":         strings.Replace(delivered, "aws.ses", "aws.s3", 1),
		"an unknown type":        strings.Replace(delivered, `"Delivery"`, `"Teleport"`, 1),
		"no message":             strings.Replace(delivered, messageID, "", 1),
		"no recipients":          strings.Replace(delivered, `"recipients"`, `"recipient"`, 1),
		"no time":                strings.Replace(delivered, "2026-11-22T10:00:04.512Z", "0001-01-01T00:00:00Z", 1),
		"a time that is none":    strings.Replace(delivered, "2026-11-22T10:00:04.512Z", "yesterday", 1),
		"SNS, not JSON":          `{"Type":"Notification","Message":"hello"}`,
		"a record, not from SNS": `{"Records":[{"EventSource":"aws:s3"}]}`,
		"a record, not JSON":     `{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"{"}}]}`,
		"an empty recipient":     `{"eventType":"Delivery","mail":{"messageId":"1"},"delivery":{"recipients":[""],"timestamp":"2026-11-22T10:00:00Z"}}`,
		"a rejected mail":        string(sample(t, "eventbridge-rejected")),
		"a scheduled event":      `{"source":"aws.events","detail":{}}`,
	} {
		if all, err := ses.Feedback([]byte(payload)); err == nil {
			t.Errorf("%s: got %v, want an error", name, all)
		}
	}
}

func FuzzFeedbackNeverPanicsAndNamesARecipient(f *testing.F) {
	for _, name := range []string{"eventbridge-bounced", "lambda-sns-suppressed", "sns-suppressed", "eventbridge-complained"} {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		all, err := ses.Feedback(payload)
		for _, o := range all {
			if err != nil || o.Recipient == "" || o.MessageID == "" || o.At.IsZero() {
				t.Errorf("got %+v, %v", o, err)
			}
		}
	})
}

// receipts notes what it is told.
type receipts struct {
	marked  []receipt.Feedback
	blocked []receipt.Block
	mark    error
	block   error
}

func (r *receipts) MarkMail(_ context.Context, f receipt.Feedback) error {
	r.marked = append(r.marked, f)
	return r.mark
}

func (r *receipts) BlockAddress(_ context.Context, b receipt.Block) error {
	r.blocked = append(r.blocked, b)
	return r.block
}

func TestFeedbackMarksMailsAndBlocksAddressesThatBounceOrComplain(t *testing.T) {
	for _, c := range []struct {
		sample string
		marked receipt.State
		block  receipt.State
	}{
		{"eventbridge-delivered", receipt.Delivered, ""},
		{"eventbridge-bounced", receipt.Bounced, receipt.Bounced},
		{"eventbridge-full", receipt.Bounced, ""},
		{"eventbridge-complained", receipt.Complained, receipt.Complained},
		{"lambda-sns-suppressed", receipt.Bounced, receipt.Bounced},
		{"eventbridge-sent", "", ""},
		{"identity-bounced", "", ""}, // has no tags: not ours
	} {
		t.Run(c.sample, func(t *testing.T) {
			r := &receipts{}
			if _, err := ses.FeedbackHandler(r, slog.New(slog.DiscardHandler)).Invoke(t.Context(), sample(t, c.sample)); err != nil {
				t.Fatal(err)
			}
			var marked, blocked []receipt.State
			for _, f := range r.marked {
				marked = append(marked, f.State)
				want := receipt.Key{Customer: "acme", Event: "01KAMBOW5000000000000000AA", Recipient: receipt.Digest("rita@partner.example")}
				if f.Key != want || f.MessageID != messageID || f.At.IsZero() {
					t.Errorf("marked %+v, want %+v", f, want)
				}
			}
			for _, b := range r.blocked {
				blocked = append(blocked, b.State)
				if b.Address != "rita@partner.example" || b.Reason == "" || b.At.IsZero() {
					t.Errorf("blocked %+v", b)
				}
			}
			if want := states(c.marked); !slices.Equal(marked, want) {
				t.Errorf("marked %v, want %v", marked, want)
			}
			if want := states(c.block); !slices.Equal(blocked, want) {
				t.Errorf("blocked %v, want %v", blocked, want)
			}
		})
	}
}

func states(s receipt.State) []receipt.State {
	if s == "" {
		return nil
	}
	return []receipt.State{s}
}

func TestFeedbackOfAnUnknownMailBlocksNobody(t *testing.T) {
	r := &receipts{mark: fmt.Errorf("mark: %w", receipt.ErrUnknown)}
	if _, err := ses.FeedbackHandler(r, slog.New(slog.DiscardHandler)).Invoke(t.Context(), sample(t, "eventbridge-bounced")); err != nil {
		t.Errorf("got %v, want it passed over: it will never be known", err)
	}
	if len(r.blocked) != 0 {
		t.Errorf("blocked %v, want nobody: somebody else's mail", r.blocked)
	}
}

func TestFeedbackThatCannotBeKeptComesAgain(t *testing.T) {
	for _, r := range []*receipts{{mark: errors.New("away")}, {block: errors.New("away")}} {
		if _, err := ses.FeedbackHandler(r, slog.New(slog.DiscardHandler)).Invoke(t.Context(), sample(t, "eventbridge-bounced")); err == nil {
			t.Error("got no error, want one, so that Lambda tries again")
		}
	}
	if _, err := ses.FeedbackHandler(&receipts{}, slog.New(slog.DiscardHandler)).Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("got no error for what is no feedback")
	}
}
