package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// invitationStore is what invitations need.
type invitationStore interface {
	Invitation(ctx context.Context, customer, id string) (*access.Invitation, error)
	InvitationRow(ctx context.Context, customer, id string) (*access.InvitationRow, error)
	InviteFacts(ctx context.Context, customer, partner, address string, i *access.Invitation) (access.InviteFacts, error)
	CustomerInvitations(ctx context.Context, customer string, f access.InvitationFilter, ask access.PageAsk) (access.Page[access.InvitationRow], error)
	PartnerInvitations(ctx context.Context, partner string, f access.InvitationFilter, ask access.PageAsk) (access.Page[access.InvitationRow], error)
	// InvitationMails reads what became of the mails with the invitations' latest links, by the invitations' ids.
	InvitationMails(ctx context.Context, invitations ...*access.Invitation) (map[string]*receipt.Receipt, error)
}

type invitationView struct {
	ID        string     `json:"id"`
	Customer  string     `json:"customer"`
	Partner   string     `json:"partner"`
	Email     string     `json:"email"`
	Level     string     `json:"level"`
	Until     *time.Time `json:"until"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason,omitempty"` // why it was cancelled, when nobody did that
	Grant     string     `json:"grant,omitempty"`  // that it was for; absent when accepting opens one
	InvitedBy byView     `json:"invited_by"`
	ExpiresAt time.Time  `json:"expires_at"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	Version   int64      `json:"version"`

	Mail *invitationMailView `json:"mail"` // with the latest link; null until it is being sent
}

// invitationMailView is what became of an invitation's mail.
type invitationMailView struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// viewInvitation shows an invitation as a change left it, viewInvitationRow as things stand.
func viewInvitation(i *access.Invitation, now time.Time) invitationView {
	return invitationView{
		ID: i.ID, Customer: i.Customer, Partner: i.Partner, Email: i.Email, Level: i.Level.String(), Until: instant(i.Until), Status: string(i.Status(now)),
		Reason: string(i.Reason), Grant: i.Grant, InvitedBy: byView{Kind: string(i.By.Kind), Email: i.By.Email}, ExpiresAt: i.Expires, CreatedAt: i.Created, UpdatedAt: i.Updated, Version: i.Version,
	}
}

func viewInvitationRow(r *access.InvitationRow, mails map[string]*receipt.Receipt, now time.Time) invitationView {
	v := viewInvitation(r.Invitation, now)
	status, why := r.Status(now)
	v.Status, v.Reason = string(status), string(why)
	if m := mails[r.Invitation.ID]; m != nil {
		v.Mail = &invitationMailView{State: string(m.State), At: m.Updated}
	}
	return v
}

// listedInvitations is a page of invitations, each with what became of its mail.
func (c *call) listedInvitations(ctx context.Context, page access.Page[access.InvitationRow], digest string, now time.Time) (reply, error) {
	invitations := make([]*access.Invitation, len(page.Items))
	for i, r := range page.Items {
		invitations[i] = r.Invitation
	}
	mails, err := c.api.Store.InvitationMails(ctx, invitations...)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(r *access.InvitationRow) invitationView { return viewInvitationRow(r, mails, now) }), nil
}

type invitationAnswer struct {
	Invitation invitationView `json:"invitation"`
}

type inviteBody struct {
	Email   opt[string] `json:"email"`
	Partner opt[string] `json:"partner"`
	Level   opt[string] `json:"level"`
	Until   opt[moment] `json:"until"`
	Days    opt[int]    `json:"days"`
}

func postInvitation(ctx context.Context, c *call) (reply, error) {
	var b inviteBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	email, partner := f.email(b.Email, "/email"), f.text(b.Partner, "/partner", "this cannot be a partner's id", access.ValidID)
	cmd := access.InviteCommand{Level: f.level(b.Level, "/level"), Days: access.DefaultInvitationDays}
	if !b.Email.Given {
		f.add("/email", "say whom to invite")
	}
	if until := given(b.Until); until != nil {
		cmd.Until = *until
	}
	if b.Days.Given {
		if cmd.Days = b.Days.Value; b.Days.Null || cmd.Days < 1 || cmd.Days > access.MaxInvitationDays {
			f.add("/days", "an invitation lasts 1 to 30 days")
		}
	}
	own := ""
	if c.who.kind&leads != 0 {
		own = c.who.id.User.Partner
	}
	switch {
	case partner == nil && own != "":
		partner = &own
	case partner == nil && !b.Partner.Given:
		f.add("/partner", "name the partner under which the person comes in")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	if own != "" && *partner != own {
		return reply{}, access.Refuse(access.Forbidden, "you invite to your own organisation %s only", own).At("/partner")
	}
	cmd.Email = *email
	return c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		if err := c.mayMail(ctx, *email, false); err != nil {
			return access.Change{}, reply{}, err
		}
		facts, err := c.api.Store.InviteFacts(ctx, c.PathValue("customer"), *partner, *email, nil)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		change, i, err := access.PlanInvite(facts, cmd, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return change, reply{
			status: 201, version: i.Version, location: invitationLocation(i), body: invitationAnswer{viewInvitation(i, m.Now)},
		}, nil
	})
}

// invitation finds the invitation that the path names: the customer's, or to the caller's partner.
func (c *call) invitation(ctx context.Context) (*access.InvitationRow, error) {
	id := c.PathValue("invitation")
	if len(id) != 26 || !access.ValidID(id) {
		return nil, nothingHere()
	}
	r, err := c.api.Store.InvitationRow(ctx, c.PathValue("customer"), id)
	if err != nil {
		return nil, err
	}
	if r == nil || c.who.kind&leads != 0 && r.Invitation.Partner != c.who.id.User.Partner {
		return nil, nothingHere()
	}
	return r, nil
}

func getInvitation(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	r, err := c.invitation(ctx)
	if err != nil {
		return reply{}, err
	}
	mails, err := c.api.Store.InvitationMails(ctx, r.Invitation)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: r.Version, body: viewInvitationRow(r, mails, c.api.now())}, nil
}

func deleteInvitation(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, func(ctx context.Context) (access.Change, reply, error) {
		row, err := c.invitation(ctx)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		r, err := c.api.Store.Relation(ctx, row.Invitation.Customer, row.Invitation.Partner, nil, false)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		change, after, err := access.PlanCancel(r, row.Invitation, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return change, reply{status: 200, version: after.Version, body: invitationAnswer{viewInvitation(after, m.Now)}}, nil
	})
}

// resendInvitation sends a pending invitation again; of one that has ended it makes a new one, at another place.
func resendInvitation(ctx context.Context, c *call) (reply, error) {
	return c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		row, err := c.invitation(ctx)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		i := row.Invitation
		facts, err := c.api.Store.InviteFacts(ctx, i.Customer, i.Partner, i.Email, i)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if err := c.mayMail(ctx, i.Email, false); err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		change, after, err := access.PlanResend(facts, i, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		r := reply{status: 200, version: after.Version, body: invitationAnswer{viewInvitation(after, m.Now)}}
		if after.ID != i.ID {
			r.status, r.location = 201, invitationLocation(after)
		}
		return change, r, nil
	})
}

func invitationLocation(i *access.Invitation) string {
	return "/v1/customers/" + i.Customer + "/invitations/" + i.ID
}

// invitationFilter reads status, and the other side: customer or partner, an organisation's id.
func (c *call) invitationFilter(other string) (access.InvitationFilter, access.PageAsk, string, error) {
	ask, q, digest, err := pageAsk(c.Request, "status", other)
	f := access.InvitationFilter{Customer: q.Get("customer"), Partner: q.Get("partner"), Status: access.InvitationStatus(q.Get("status")), Now: c.api.now()}
	if err != nil {
		return f, ask, digest, err
	}
	switch f.Status {
	case "", access.InvitationPending, access.InvitationAccepted, access.InvitationDeclined, access.InvitationCancelled, access.InvitationExpired:
	default:
		return f, ask, digest, access.Refuse(access.Invalid, "status is one of: pending, accepted, declined, cancelled, expired").At("?status")
	}
	if with := q.Get(other); with != "" && !access.ValidID(with) {
		return f, ask, digest, access.Refuse(access.Invalid, "%s is the id of a %s", other, other).At("?" + other)
	}
	return f, ask, digest, nil
}

func listInvitations(ctx context.Context, c *call) (reply, error) {
	filter, ask, digest, err := c.invitationFilter("partner")
	if err != nil {
		return reply{}, err
	}
	if _, err := c.customer(ctx); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.CustomerInvitations(ctx, c.PathValue("customer"), filter, ask)
	if err != nil {
		return reply{}, err
	}
	return c.listedInvitations(ctx, page, digest, filter.Now)
}

func listPartnerInvitations(ctx context.Context, c *call) (reply, error) {
	filter, ask, digest, err := c.invitationFilter("customer")
	if err != nil {
		return reply{}, err
	}
	if _, err := c.partner(ctx); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.PartnerInvitations(ctx, c.PathValue("partner"), filter, ask)
	if err != nil {
		return reply{}, err
	}
	return c.listedInvitations(ctx, page, digest, filter.Now)
}

// A token is <customer>~<invitation>~<secret>. Only the digest of the secret is stored.

// Token puts an invitation's token together.
func Token(i *access.Invitation, secret string) string { return i.Customer + "~" + i.ID + "~" + secret }

// TokenDigest is what is stored of a token's secret.
func TokenDigest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// byToken finds the invitation that a token opens. A token from before the invitation was sent again opens nothing.
func (c *call) byToken(ctx context.Context) (*access.Invitation, error) {
	customer, rest, _ := strings.Cut(c.PathValue("token"), "~")
	id, secret, _ := strings.Cut(rest, "~")
	if !access.ValidID(customer) || len(id) != 26 || !access.ValidID(id) || len(secret) < 20 || len(secret) > 100 {
		return nil, nothingHere()
	}
	i, err := c.api.Store.Invitation(ctx, customer, id)
	if err != nil {
		return nil, err
	}
	if i == nil || !slices.Contains(i.Digests, TokenDigest(secret)) { // digests may be compared as quickly as one likes
		return nil, nothingHere()
	}
	return i, nil
}

// previewView is what accepting would give.
type previewView struct {
	Customer  organisationView `json:"customer"`
	Partner   organisationView `json:"partner"`
	Email     string           `json:"email"` // masked
	Level     string           `json:"level"`
	Until     *time.Time       `json:"until"`
	Status    string           `json:"status"`
	Reason    string           `json:"reason,omitempty"` // as in invitationView
	InvitedBy string           `json:"invited_by"`       // customer or partner
	ExpiresAt time.Time        `json:"expires_at"`
}

// mask shows enough of an address to recognise one's own.
func mask(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	return local[:1] + "***@" + domain
}

func previewInvitation(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	i, err := c.byToken(ctx)
	if err != nil {
		return reply{}, err
	}
	row, err := c.api.Store.InvitationRow(ctx, i.Customer, i.ID)
	if err != nil {
		return reply{}, err
	}
	r, err := c.api.Store.Relation(ctx, i.Customer, i.Partner, nil, false)
	if err != nil {
		return reply{}, err
	}
	if row == nil || r.Customer == nil || r.Partner == nil {
		return reply{}, nothingHere()
	}
	status, why := row.Status(c.api.now())
	return reply{status: 200, body: previewView{
		Customer: viewCustomerName(r.Customer), Partner: viewPartnerName(r.Partner), Email: mask(i.Email), Level: i.Level.String(), Until: instant(i.Until),
		Status: string(status), Reason: string(why), InvitedBy: string(i.By.Kind), ExpiresAt: i.Expires,
	}}, nil
}

// invitee is the person who answers, as its change is remembered.
func (c *call) invitee() access.Moment {
	m := c.moment()
	m.Actor.Kind = "partner"
	return m
}

type acceptBody struct {
	Name opt[string] `json:"name"`
}

func acceptInvitation(ctx context.Context, c *call) (reply, error) {
	if c.who.id.Email == "" {
		return reply{}, access.Refuse(access.Forbidden, "sign in under the invited address first, and have it verified")
	}
	var b acceptBody
	if len(c.Body) > 0 {
		if err := decodeBody(c.Request, &b); err != nil {
			return reply{}, err
		}
	}
	var f findings
	name := f.name(b.Name, "/name")
	if err := f.err(); err != nil {
		return reply{}, err
	}
	if name == nil {
		local, _, _ := strings.Cut(c.who.id.Email, "@")
		name = &local
	}
	var customer string // when it may have set a cap
	out, err := c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		i, err := c.byToken(ctx)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if i.By.Kind == "customer" {
			customer = i.Customer
		}
		facts, err := c.api.Store.InviteFacts(ctx, i.Customer, i.Partner, i.Email, i)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		facts.DefaultSSO = c.api.RequireSSO
		m := c.invitee()
		p, after, err := access.PlanAccept(facts, i, *name, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return p.Change, reply{status: 200, body: invitationAnswer{viewInvitation(after, m.Now)}}, nil
	})
	if err != nil || customer == "" {
		return out, err
	}
	return out, c.spreadRules(ctx, customer)
}

func declineInvitation(ctx context.Context, c *call) (reply, error) {
	return c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		i, err := c.byToken(ctx)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		r, err := c.api.Store.Relation(ctx, i.Customer, i.Partner, nil, false)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.invitee()
		change, after, err := access.PlanDecline(r, i, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return change, reply{status: 200, body: invitationAnswer{viewInvitation(after, m.Now)}}, nil
	})
}
