package httpapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// mailStore reads what became of the mails. Each list leaves out those to the other side's contacts.
type mailStore interface {
	Mail(ctx context.Context, key receipt.Key) (*receipt.Receipt, error)
	CustomerMails(ctx context.Context, customer string, ask access.PageAsk) (access.Page[receipt.Receipt], error)
	PartnerMails(ctx context.Context, partner string, ask access.PageAsk) (access.Page[receipt.Receipt], error)
	// Blocks are what holds back mails to an address; none when it gets them all.
	Blocks(ctx context.Context, address string) ([]receipt.Block, error)
	// ClearAddress lets an address get all mails again. The result tells whether it was blocked: false, too, by what happened after now, which stands.
	ClearAddress(ctx context.Context, address string, now time.Time) (bool, error)
}

// Suppressed is the mail service's own list of addresses to which it sends nothing.
type Suppressed interface {
	// Remove takes an address off the list; one that is not on it is no error. It can be repeated.
	Remove(ctx context.Context, address string) error
}

// Resender sends a mail once more.
type Resender interface {
	// Resend sends it once for each asked, which names the request; "" names none. It fails with receipt.ErrUnknown when there is no such mail, with
	// receipt.ErrHeld while somebody else is sending it, with access.MailOutdated when what it says holds no longer, and with access.TooManyRequests
	// when the organisation that asks (receipt.SourceOf; "" = the provider) has caused as many mails to the recipient as a day allows. After any
	// other error the mail has not been sent, and can be sent again.
	Resend(ctx context.Context, key receipt.Key, asked, source string) error
}

// NewMail serves the routes of the mail function.
func NewMail(cfg Config, mails mailStore, again Resender, suppressed Suppressed) lambda.Handler {
	return serve(api{Config: cfg, mail: mailEndpoints{mails, again, suppressed}}, mailRoutes())
}

type mailEndpoints struct {
	mails      mailStore
	again      Resender
	suppressed Suppressed
}

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
		Attempts: r.Attempts, CreatedAt: r.Created, SentAt: instant(r.Sent), UpdatedAt: r.Updated,
	}
}

func (m mailEndpoints) ofCustomer(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	if _, err := c.use.Customer(ctx, c.PathValue("customer")); err != nil {
		return reply{}, err
	}
	page, err := m.mails.CustomerMails(ctx, c.PathValue("customer"), ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(r *receipt.Receipt) mailView { return viewMail(r.Event+"."+r.Recipient, r) }), nil
}

func (m mailEndpoints) ofPartner(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	if _, err := c.use.Partner(ctx, c.asks(), c.PathValue("partner")); err != nil {
		return reply{}, err
	}
	page, err := m.mails.PartnerMails(ctx, c.PathValue("partner"), ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(r *receipt.Receipt) mailView {
		id := r.Event + "." + r.Recipient
		if r.Customer != "" {
			id += "." + r.Customer
		}
		return viewMail(id, r)
	}), nil
}

// resend sends a mail again, to the same person and about the same event. What no longer holds is not sent.
func (m mailEndpoints) resend(ctx context.Context, c *call) (reply, error) {
	key, ok := mailKey(c)
	if !ok {
		return reply{}, nothingHere()
	}
	r, err := m.mails.Mail(ctx, key)
	if err != nil {
		return reply{}, err
	}
	partner := c.PathValue("partner")
	if r == nil || c.who.kind != provider && r.Side == otherSide(c) || partner != "" && r.Partner != partner && r.With != partner {
		return reply{}, nothingHere()
	}
	if c.who.kind&leads != 0 && r.Customer == "" && r.Side == "user" { // it may bring another temporary password
		id, err := c.api.Store.Identity(ctx, r.To)
		if err != nil {
			return reply{}, err
		}
		if id.User != nil && id.User.Partner == partner {
			if err := access.MayHandle(c.who.actor(), id.User.Role); err != nil {
				return reply{}, err
			}
		}
	}
	// The key is kept with the mail, as what follows is no change that an answer could be committed with.
	record, err := c.idempotency("")
	if err != nil {
		return reply{}, err
	}
	asked := ""
	if record != nil {
		asked = record.Digest
	}
	switch err := m.again.Resend(ctx, key, asked, c.asks().Source()); {
	case errors.Is(err, receipt.ErrUnknown):
		return reply{}, nothingHere()
	case errors.Is(err, receipt.ErrHeld):
		return reply{}, access.Refuse(access.Contention, "this mail is being sent at this moment: look at what became of it")
	case access.CodeOf(err) != "":
		return reply{}, err
	case err != nil:
		return reply{}, errors.Join(access.ErrUnavailable, err)
	}
	if r, err = m.mails.Mail(ctx, key); err != nil {
		return reply{}, err
	}
	if r.State == receipt.Dropped { // found out when its secret was to be made
		return reply{}, access.Refuse(access.MailOutdated, "this mail is not sent again: %s", r.Reason)
	}
	return reply{status: 200, body: viewMail(c.PathValue("mail"), r)}, nil
}

// unblock lets an address that bounced or complained get mails again: those from now on, and those that are sent again. An address that is not
// blocked here is not looked for on the mail service's list, where others of the provider's systems may have put it. The list comes first: when that
// fails, the address is still blocked, and the request can be repeated.
func (m mailEndpoints) unblock(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	blocked, err := m.mails.Blocks(ctx, address)
	if err != nil {
		return reply{}, err
	}
	if len(blocked) == 0 {
		return reply{}, access.Refuse(access.NotFound, "this address is not blocked: it gets its mails")
	}
	if err := m.suppressed.Remove(ctx, address); err != nil {
		return reply{}, errors.Join(access.ErrUnavailable, err)
	}
	now := c.api.now()
	for _, b := range blocked {
		if b.At.After(now) { // the mail service's clock is ahead of ours
			now = b.At
		}
	}
	switch cleared, err := m.mails.ClearAddress(ctx, address, now); {
	case err != nil:
		return reply{}, err
	case !cleared:
		return reply{}, access.Refuse(access.Contention, "something happened to this address at this moment: try again")
	}
	return reply{status: 204}, nil
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

// otherSide is whose contacts' mails the caller does not see.
func otherSide(c *call) string {
	if c.PathValue("customer") != "" {
		return "partner"
	}
	return "customer"
}
