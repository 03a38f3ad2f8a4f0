package httpapi

import (
	"context"
	"strings"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/service"
)

type invitationView struct {
	ID        string     `json:"id"`
	Customer  string     `json:"customer"`
	Partner   string     `json:"partner"`
	Email     string     `json:"email"`
	Level     string     `json:"level"`
	Until     *time.Time `json:"until"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason,omitempty"` // why it was cancelled, when no person did that
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

// viewInvitation shows an invitation as a change left it, viewInvitationRow as it is now.
func viewInvitation(i *access.Invitation, now time.Time) invitationView {
	return invitationView{
		ID: i.ID, Customer: i.Customer, Partner: i.Partner, Email: i.Email, Level: i.Level.String(), Until: timeOrNull(i.Until),
		Status: string(i.Status(now)),
		Reason: string(i.Reason), Grant: i.Grant, InvitedBy: byView{Kind: string(i.By.Kind), Email: i.By.Email},
		ExpiresAt: i.Expires, CreatedAt: i.Created, UpdatedAt: i.Updated, Version: i.Version,
	}
}

func viewInvitationRow(r *access.InvitationRow, mail *receipt.Receipt, now time.Time) invitationView {
	v := viewInvitation(r.Invitation, now)
	status, why := r.Status(now)
	v.Status, v.Reason = string(status), string(why)
	if mail != nil {
		v.Mail = &invitationMailView{State: string(mail.State), At: mail.Updated}
	}
	return v
}

// invitationListReply is the answer to a list of invitations.
func invitationListReply(l service.ListedInvitations, err error, digest string, now time.Time) (reply, error) {
	return listReply(l.Page, err, digest, func(r *access.InvitationRow) invitationView {
		return viewInvitationRow(r, l.Mails[r.Invitation.ID], now)
	})
}

type invitationAnswer struct {
	Invitation invitationView `json:"invitation"`
}

// invitationReply is the answer to a change of an invitation.
func invitationReply(i service.Invited) reply {
	out := reply{status: 200, version: i.Version, body: invitationAnswer{viewInvitation(i.Invitation, i.At)}}
	if i.Created {
		out.status, out.location = 201, "/v1/customers/"+i.Customer+"/invitations/"+i.ID
	}
	return out
}

// answeredReply is the answer to the invited person, who cannot change the invitation: without a version.
func answeredReply(i service.Invited) reply {
	return reply{status: 200, body: invitationAnswer{viewInvitation(i.Invitation, i.At)}}
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
		f.add("/email", "give the e-mail address of the person to invite")
	}
	if until := optionalInstant(b.Until); until != nil {
		cmd.Until = *until
	}
	if b.Days.Given {
		if cmd.Days = b.Days.Value; b.Days.Null || cmd.Days < 1 || cmd.Days > access.MaxInvitationDays {
			f.add("/days", "an invitation lasts 1 to 30 days")
		}
	}
	own := c.caller().Leads
	switch {
	case partner == nil && own != "":
		partner = &own
	case partner == nil && !b.Partner.Given:
		f.add("/partner", "name the partner whose external user the person becomes")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	cmd.Email = *email
	return perform(c, invitationReply, func(o service.Options[service.Invited]) (service.Invited, error) {
		return c.service.Invite(ctx, c.caller(), c.PathValue("customer"), *partner, cmd, o)
	})
}

func getInvitation(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	r, err := c.service.Invitation(ctx, c.caller(), c.PathValue("customer"), c.PathValue("invitation"))
	if err != nil {
		return reply{}, err
	}
	mail, err := c.service.InvitationMail(ctx, r.Invitation)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: r.Version, body: viewInvitationRow(r, mail, c.api.now())}, nil
}

func deleteInvitation(ctx context.Context, c *call) (reply, error) {
	i, err := c.service.Cancel(ctx, c.caller(), c.PathValue("customer"), c.PathValue("invitation"))
	return replyWith(invitationReply, i, err)
}

func resendInvitation(ctx context.Context, c *call) (reply, error) {
	return perform(c, invitationReply, func(o service.Options[service.Invited]) (service.Invited, error) {
		return c.service.Resend(ctx, c.caller(), c.PathValue("customer"), c.PathValue("invitation"), o)
	})
}

// invitationFilter reads status, and the other side: customer or partner, an organisation's id.
func (c *call) invitationFilter(other string) (access.InvitationFilter, access.PageRequest, string, error) {
	ask, q, digest, err := pageAsk(c.Request, "status", other)
	f := access.InvitationFilter{
		Customer: q.Get("customer"), Partner: q.Get("partner"), Status: access.InvitationStatus(q.Get("status")),
		Now: c.api.now(),
	}
	if err != nil {
		return f, ask, digest, err
	}
	switch f.Status {
	case "", access.InvitationPending, access.InvitationAccepted, access.InvitationDeclined, access.InvitationCancelled,
		access.InvitationExpired:
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
	list, err := c.service.CustomerInvitations(ctx, c.PathValue("customer"), filter, ask)
	return invitationListReply(list, err, digest, filter.Now)
}

func listPartnerInvitations(ctx context.Context, c *call) (reply, error) {
	filter, ask, digest, err := c.invitationFilter("customer")
	if err != nil {
		return reply{}, err
	}
	list, err := c.service.PartnerInvitations(ctx, c.caller(), c.PathValue("partner"), filter, ask)
	return invitationListReply(list, err, digest, filter.Now)
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
	Register  bool             `json:"can_register"` // who has no account can get one with the token
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
	row, r, err := c.service.Preview(ctx, c.PathValue("token"))
	if err != nil {
		return reply{}, err
	}
	i := row.Invitation
	status, why := row.Status(c.api.now())
	return reply{status: 200, body: previewView{
		Customer: viewCustomerName(r.Customer), Partner: viewPartnerName(r.Partner), Email: mask(i.Email), Level: i.Level.String(),
		Until:  timeOrNull(i.Until),
		Status: string(status), Reason: string(why), InvitedBy: string(i.By.Kind), ExpiresAt: i.Expires,
		Register: c.service.KeepsAccounts() && status == access.InvitationPending,
	}}, nil
}

// registeredView is what whoever has the token is told: no more than the preview tells.
type registeredView struct {
	Email  string `json:"email"` // masked
	Status string `json:"status"`
}

// registerInvitee accepts on the token's word alone, and has a temporary password sent to the invited address (E4).
func registerInvitee(ctx context.Context, c *call) (reply, error) {
	name, err := c.invitedName()
	if err != nil {
		return reply{}, err
	}
	present := func(i service.Invited) reply {
		return reply{status: 200, body: registeredView{mask(i.Email), string(i.Status(i.At))}}
	}
	return perform(c, present, func(o service.Options[service.Invited]) (service.Invited, error) {
		return c.service.Register(ctx, c.PathValue("token"), name, o)
	})
}

type acceptBody struct {
	Name opt[string] `json:"name"`
}

func acceptInvitation(ctx context.Context, c *call) (reply, error) {
	if c.who.id.Email == "" {
		return reply{}, access.Refuse(access.Forbidden, "sign in under the invited address first, and have it verified")
	}
	if k := c.who.account; k == access.MemberAccount || k == access.FederatedAccount {
		return reply{}, access.Refuse(access.Forbidden, "this account is of a customer's member: no partner's user comes of it")
	}
	name, err := c.invitedName()
	if err != nil {
		return reply{}, err
	}
	return perform(c, answeredReply, func(o service.Options[service.Invited]) (service.Invited, error) {
		return c.service.Accept(ctx, c.caller(), c.PathValue("token"), name, o)
	})
}

// invitedName is the name that the invited person gives, nil for none.
func (c *call) invitedName() (*string, error) {
	var b acceptBody
	if len(c.Body) > 0 {
		if err := decodeBody(c.Request, &b); err != nil {
			return nil, err
		}
	}
	var f findings
	name := f.name(b.Name, "/name")
	return name, f.err()
}

func declineInvitation(ctx context.Context, c *call) (reply, error) {
	return perform(c, answeredReply, func(o service.Options[service.Invited]) (service.Invited, error) {
		return c.service.Decline(ctx, c.caller(), c.PathValue("token"), o)
	})
}
