package ses

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"partneraccess/shared/mail/receipt"
)

// Outcome is what became of one mail for one recipient, as SES heard of it.
type Outcome struct {
	MessageID string
	Tags      map[string]string // that the sender gave the mail
	Recipient string            // the bare address
	State     receipt.State     // delivered, bounced or complained
	Permanent bool              // of a bounce: the address will never take a mail
	At        time.Time         // UTC
	Reason    string            // a line for an operator; no more is promised of it
}

// Feedback reads a payload of SES's event publishing
// (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html): an EventBridge event, an SNS event of Lambda,
// an SNS message, or SES's own JSON. What says nothing of the outcome (sendings, delays, openings, clicks), and a reader's word that a mail
// is no spam, give no outcome. It fails on anything else.
func Feedback(payload []byte) ([]Outcome, error) {
	var p struct {
		// EventBridge
		DetailType string          `json:"detail-type"`
		Source     string          `json:"source"`
		Detail     json.RawMessage `json:"detail"`
		// Lambda's event from SNS
		Records []struct {
			EventSource string
			SNS         struct{ Message string }
		}
		// SNS
		Type    string
		Message string
		// SES
		EventType        string `json:"eventType"`
		NotificationType string `json:"notificationType"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil, fmt.Errorf("the payload is no feedback of SES: %w", err)
	}
	switch {
	case p.Source == "aws.ses" && len(p.Detail) > 0:
		return outcomes(p.Detail)
	case len(p.Records) > 0:
		var all []Outcome
		for i, r := range p.Records {
			if r.EventSource != "aws:sns" {
				return nil, fmt.Errorf("record %d comes from %q and not from SNS", i, r.EventSource)
			}
			some, err := outcomes([]byte(r.SNS.Message))
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", i, err)
			}
			all = append(all, some...)
		}
		return all, nil
	case p.Type == "Notification":
		return outcomes([]byte(p.Message))
	case p.EventType != "" || p.NotificationType != "":
		return outcomes(payload)
	}
	return nil, errors.New("the payload is no feedback of SES: it is neither from EventBridge nor from SNS")
}

type recipient struct {
	EmailAddress   string `json:"emailAddress"`
	Status         string `json:"status"`
	DiagnosticCode string `json:"diagnosticCode"`
}

type event struct {
	EventType        string `json:"eventType"`        // of a configuration set
	NotificationType string `json:"notificationType"` // of an identity
	Mail             struct {
		MessageID   string              `json:"messageId"`
		Destination []string            `json:"destination"`
		Tags        map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type       string      `json:"bounceType"`
		SubType    string      `json:"bounceSubType"`
		Recipients []recipient `json:"bouncedRecipients"`
		Timestamp  time.Time   `json:"timestamp"`
	} `json:"bounce"`
	Complaint struct {
		SubType      *string     `json:"complaintSubType"`
		FeedbackType string      `json:"complaintFeedbackType"`
		Recipients   []recipient `json:"complainedRecipients"`
		Timestamp    time.Time   `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		Recipients   []string  `json:"recipients"`
		SMTPResponse string    `json:"smtpResponse"`
		Timestamp    time.Time `json:"timestamp"`
	} `json:"delivery"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
}

func outcomes(message []byte) ([]Outcome, error) {
	if string(message) == "Successfully validated SNS topic for Amazon SES event publishing." {
		return nil, nil // SES says so when the destination is set up
	}
	var e event
	if err := json.Unmarshal(message, &e); err != nil {
		return nil, fmt.Errorf("decode SES's event: %w", err)
	}
	var all []Outcome
	add := func(address string, o Outcome) {
		o.MessageID, o.Recipient, o.At = e.Mail.MessageID, bare(address), o.At.UTC()
		o.Tags = map[string]string{}
		for name, values := range e.Mail.Tags {
			if len(values) > 0 {
				o.Tags[name] = values[0]
			}
		}
		all = append(all, o)
	}
	kind := e.EventType
	if kind == "" {
		kind = e.NotificationType
	}
	switch kind {
	case "Delivery":
		for _, r := range e.Delivery.Recipients {
			add(r, Outcome{State: receipt.Delivered, At: e.Delivery.Timestamp, Reason: line(e.Delivery.SMTPResponse)})
		}
	case "Bounce":
		b := e.Bounce
		for _, r := range b.Recipients {
			// A soft bounce has been tried for hours before SES says so; Undetermined is no proof against the address.
			add(r.EmailAddress, Outcome{
				State: receipt.Bounced, Permanent: b.Type == "Permanent", At: b.Timestamp, Reason: line(b.Type, b.SubType, r.Status, r.DiagnosticCode),
			})
		}
	case "Complaint":
		c := e.Complaint
		if c.FeedbackType == "not-spam" {
			return nil, nil
		}
		sub := ""
		if c.SubType != nil {
			sub = *c.SubType
		}
		for _, r := range c.Recipients {
			add(r.EmailAddress, Outcome{State: receipt.Complained, Permanent: true, At: c.Timestamp, Reason: line(c.FeedbackType, sub)})
		}
	case "Reject", "Rendering Failure", "RenderingFailure":
		// SES took it and then found a virus in it, or had no values for a template, of which we use none. There is no state for it that
		// an address's reputation should suffer from: an operator has to look.
		return nil, fmt.Errorf("SES did not send message %s: %s", e.Mail.MessageID, line(kind, e.Reject.Reason))
	case "Send", "DeliveryDelay", "Open", "Click", "Subscription":
		return nil, nil
	default:
		return nil, fmt.Errorf("SES's event is of the unknown type %q", kind)
	}
	if len(all) == 0 || e.Mail.MessageID == "" {
		return nil, fmt.Errorf("SES's event %s names no message or no recipient", kind)
	}
	for _, o := range all {
		if o.Recipient == "" || o.At.IsZero() {
			return nil, fmt.Errorf("SES's event %s of message %s has no recipient or no time", kind, o.MessageID)
		}
	}
	return all, nil
}

// bare is an address without the name that may stand before it.
func bare(address string) string {
	if i := strings.LastIndexByte(address, '<'); i >= 0 {
		address = strings.TrimSuffix(address[i+1:], ">")
	}
	return strings.TrimSpace(address)
}

// line joins what there is of the parts into one line of a bounded length: servers write novels.
func line(parts ...string) string {
	const most = 300
	words := strings.Fields(strings.Join(parts, " "))
	s := strings.Join(words, " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Receipts is where it is kept what became of the mails.
type Receipts interface {
	// MarkMail keeps it, unless later news are known. It fails with receipt.ErrUnknown when there is no such mail.
	MarkMail(ctx context.Context, f receipt.Feedback) error
	// BlockAddress has an address get no further mail.
	BlockAddress(ctx context.Context, b receipt.Block) error
}

// FeedbackHandler keeps what SES says of the mails, and blocks the addresses that bounce for good or complain. News of mails that were
// not sent from this table are passed over. It fails when something could not be kept: then Lambda delivers the same again, which is
// harmless.
func FeedbackHandler(r Receipts, log *slog.Logger) lambda.Handler { return feedbackHandler{r, log} }

type feedbackHandler struct {
	receipts Receipts
	log      *slog.Logger
}

// Invoke implements lambda.Handler.
func (h feedbackHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	all, err := Feedback(payload)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, o := range all {
		if err := h.keep(ctx, o); err != nil {
			errs = append(errs, fmt.Errorf("message %s: %w", o.MessageID, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return []byte("null"), nil
}

func (h feedbackHandler) keep(ctx context.Context, o Outcome) error {
	log := h.log.With("message_id", o.MessageID, "state", o.State)
	if c, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request_id", c.AwsRequestID)
	}
	key, err := receipt.ParseKey(o.Tags[tagOrganisation], o.Tags[tagEvent], o.Recipient)
	if err != nil {
		log.Warn("feedback of a mail that is not ours", "error", err.Error())
		return nil
	}
	err = h.receipts.MarkMail(ctx, receipt.Feedback{Key: key, MessageID: o.MessageID, State: o.State, Reason: o.Reason, At: o.At})
	if errors.Is(err, receipt.ErrUnknown) {
		log.Warn("feedback of a mail that is not known here")
		return nil // another table's, whose feedback must not block an address here
	}
	if err != nil {
		return err
	}
	if o.State == receipt.Bounced && !o.Permanent || o.State == receipt.Delivered {
		return nil
	}
	log.Info("an address is blocked", "recipient", key.Recipient)
	b := receipt.Block{Address: strings.ToLower(o.Recipient), State: o.State, Reason: o.Reason, At: o.At}
	if o.State == receipt.Complained { // the address works: who complains of one organisation's mails still gets the others'
		b.Source = o.Tags[tagSource]
	}
	return h.receipts.BlockAddress(ctx, b)
}
