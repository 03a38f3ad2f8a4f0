package httpapi

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// NewMail serves the routes of the mail function.
func NewMail(cfg Config) lambda.Handler { return serve(api{Config: cfg}, mailRoutes()) }

// mailView is one mail and what became of it.
type mailView struct {
	ID        string     `json:"id"`
	Event     string     `json:"event"` // the id of the event in the history
	Type      string     `json:"type"`  // of the event
	To        string     `json:"to"`
	Template  string     `json:"template"`
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitzero"` // why it was not sent, or came back
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// An id is <event>.<recipient>, and for a partner, when the mail stands in a customer's history, .<customer>.

func viewMail(id string, r *receipt.Receipt) mailView {
	return mailView{
		ID: id, Event: r.Event, Type: string(r.Type), To: r.To, Template: r.Template, State: string(r.State), Reason: r.Reason,
		Attempts: r.Attempts, CreatedAt: r.Created, SentAt: timeOrNull(r.Sent), UpdatedAt: r.Updated,
	}
}

func listCustomerMails(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.CustomerMails(ctx, c.PathValue("customer"), ask)
	return listReply(page, err, digest, func(r *receipt.Receipt) mailView { return viewMail(r.Event+"."+r.Recipient, r) })
}

func listPartnerMails(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.PartnerMails(ctx, c.caller(), c.PathValue("partner"), ask)
	return listReply(page, err, digest, func(r *receipt.Receipt) mailView {
		id := r.Event + "." + r.Recipient
		if r.Customer != "" {
			id += "." + r.Customer
		}
		return viewMail(id, r)
	})
}

// mailTextView is a mail with what it says.
type mailTextView struct {
	Mail     mailView `json:"mail"`
	Subject  *string  `json:"subject"` // null, as the next two, when what the mail is about is no longer kept
	Text     *string  `json:"text"`
	Language *string  `json:"language"`
	AsSent   *bool    `json:"as_sent"` // null when nothing tells
}

func getMail(ctx context.Context, c *call) (reply, error) {
	key, ok := mailKey(c)
	if !ok {
		return reply{}, notFound()
	}
	r, text, err := c.service.ReadMail(ctx, c.caller(), c.PathValue("partner"), key)
	if err != nil {
		return reply{}, err
	}
	view := mailTextView{Mail: viewMail(c.PathValue("mail"), r)}
	if text != nil {
		view.Subject, view.Text, view.Language, view.AsSent = &text.Subject, &text.Text, &text.Language, text.AsSent
	}
	return reply{status: 200, body: view}, nil
}

// resendMail keeps the Idempotency-Key with the mail: sending is no change with which an answer could be committed.
func resendMail(ctx context.Context, c *call) (reply, error) {
	key, ok := mailKey(c)
	if !ok {
		return reply{}, notFound()
	}
	record, err := c.idempotency("")
	if err != nil {
		return reply{}, err
	}
	asked := ""
	if record != nil {
		asked = record.Digest
	}
	r, err := c.service.ResendMail(ctx, c.caller(), c.PathValue("partner"), key, asked)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, body: viewMail(c.PathValue("mail"), r)}, nil
}

func deleteMailBlock(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	return reply{status: 204}, c.service.Unblock(ctx, address)
}

// mailKey reads the id of a mail, together with whose it is.
func mailKey(c *call) (receipt.Key, bool) {
	parts := strings.SplitN(c.PathValue("mail"), ".", 3)
	if len(parts) < 2 || len(parts[0]) != 26 || !access.ValidID(parts[0]) || !access.ValidID(parts[1]) {
		return receipt.Key{}, false
	}
	k := receipt.Key{Customer: c.PathValue("customer"), Partner: c.PathValue("partner"), Event: parts[0], Recipient: parts[1]}
	if len(parts) == 3 {
		if k.Partner == "" || !access.ValidID(parts[2]) {
			return k, false
		}
		k.Customer, k.Partner = parts[2], ""
	}
	return k, true
}
