package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// Invited is an invitation as a change leaves it.
type Invited struct {
	*access.Invitation
	At      time.Time // when it was planned
	Created bool      // under a new id
}

// Invite invites a person to a partner in a customer's grant. Who leads a partner invites to that one.
func (s *Service) Invite(
	ctx context.Context, who Caller, customer, partner string, cmd access.InviteCommand, o Options[Invited],
) (Invited, error) {
	if who.Leads != "" && partner != who.Leads {
		return Invited{}, access.Refuse(access.Forbidden, "you invite to your own organisation %s only", who.Leads).At("/partner")
	}
	return change(ctx, s, o, func(ctx context.Context) (access.Change, Invited, error) {
		if err := s.mayMail(ctx, who, cmd.Email, false); err != nil {
			return access.Change{}, Invited{}, err
		}
		f, err := s.Store.InvitationFacts(ctx, customer, partner, cmd.Email, nil)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		pc := s.planContext(who.Actor)
		c, i, err := access.PlanInvite(f, cmd, pc)
		return c, Invited{Invitation: i, At: pc.Now, Created: true}, err
	})
}

// Invitation is the customer's invitation of that id; it fails with NothingHere when there is none, or it is to another partner than the
// caller leads.
func (s *Service) Invitation(ctx context.Context, who Caller, customer, id string) (*access.InvitationRow, error) {
	if len(id) != 26 || !access.ValidID(id) {
		return nil, NothingHere()
	}
	r, err := s.Store.InvitationRow(ctx, customer, id)
	if err == nil && (r == nil || who.Leads != "" && r.Invitation.Partner != who.Leads) {
		return nil, NothingHere()
	}
	return r, err
}

// InvitationMail reads what became of the mail with the invitation's latest link; nil when nobody has begun to send it.
func (s *Service) InvitationMail(ctx context.Context, i *access.Invitation) (*receipt.Receipt, error) {
	mails, err := s.Store.InvitationMails(ctx, i)
	return mails[i.ID], err
}

// ListedInvitations is a page of invitations, with what became of their mails, by the invitations' ids.
type ListedInvitations struct {
	access.Page[access.InvitationRow]
	Mails map[string]*receipt.Receipt
}

// CustomerInvitations lists a customer's invitations, newest last.
func (s *Service) CustomerInvitations(
	ctx context.Context, customer string, f access.InvitationFilter, ask access.PageRequest,
) (ListedInvitations, error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return ListedInvitations{}, err
	}
	page, err := s.Store.CustomerInvitations(ctx, customer, f, ask)
	return s.withMails(ctx, page, err)
}

// PartnerInvitations lists the invitations to a partner, newest last.
func (s *Service) PartnerInvitations(
	ctx context.Context, who Caller, partner string, f access.InvitationFilter, ask access.PageRequest,
) (ListedInvitations, error) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return ListedInvitations{}, err
	}
	page, err := s.Store.PartnerInvitations(ctx, partner, f, ask)
	return s.withMails(ctx, page, err)
}

func (s *Service) withMails(ctx context.Context, page access.Page[access.InvitationRow], err error) (ListedInvitations, error) {
	if err != nil {
		return ListedInvitations{}, err
	}
	invitations := make([]*access.Invitation, len(page.Items))
	for i, r := range page.Items {
		invitations[i] = r.Invitation
	}
	mails, err := s.Store.InvitationMails(ctx, invitations...)
	return ListedInvitations{page, mails}, err
}

// Cancel ends an invitation.
func (s *Service) Cancel(ctx context.Context, who Caller, customer, id string) (Invited, error) {
	return take(ctx, s, func(ctx context.Context) (access.Change, Invited, error) {
		row, err := s.Invitation(ctx, who, customer, id)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		r, err := s.Store.GrantFacts(ctx, row.Invitation.Customer, row.Invitation.Partner, nil, false)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		pc := s.planContext(who.Actor)
		c, after, err := access.PlanCancel(r, row.Invitation, pc)
		return c, Invited{Invitation: after, At: pc.Now}, err
	})
}

// Resend sends a pending invitation again; of one that has ended it makes a new one.
func (s *Service) Resend(ctx context.Context, who Caller, customer, id string, o Options[Invited]) (Invited, error) {
	return change(ctx, s, o, func(ctx context.Context) (access.Change, Invited, error) {
		row, err := s.Invitation(ctx, who, customer, id)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		i := row.Invitation
		f, err := s.Store.InvitationFacts(ctx, i.Customer, i.Partner, i.Email, i)
		if err == nil {
			err = s.mayMail(ctx, who, i.Email, false)
		}
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		pc := s.planContext(who.Actor)
		c, after, err := access.PlanResend(f, i, pc)
		return c, Invited{Invitation: after, At: pc.Now, Created: after != nil && after.ID != i.ID}, err
	})
}

// byToken finds the invitation that a token opens. A token from before the invitation was sent again opens nothing.
func (s *Service) byToken(ctx context.Context, token string) (*access.Invitation, error) {
	customer, id, secret, ok := access.ParseToken(token)
	if !ok {
		return nil, NothingHere()
	}
	i, err := s.Store.Invitation(ctx, customer, id)
	if err == nil && (i == nil || !slices.Contains(i.Digests, access.TokenDigest(secret))) { // digests may be compared as quickly as one likes
		return nil, NothingHere()
	}
	return i, err
}

// Preview is what accepting the invitation that the token opens would give.
func (s *Service) Preview(ctx context.Context, token string) (*access.InvitationRow, access.GrantFacts, error) {
	i, err := s.byToken(ctx, token)
	if err != nil {
		return nil, access.GrantFacts{}, err
	}
	row, err := s.Store.InvitationRow(ctx, i.Customer, i.ID)
	if err != nil {
		return nil, access.GrantFacts{}, err
	}
	r, err := s.Store.GrantFacts(ctx, i.Customer, i.Partner, nil, false)
	if err == nil && (row == nil || r.Customer == nil || r.Partner == nil) {
		err = NothingHere()
	}
	return row, r, err
}

// Accept makes the caller, whose address has to be the invited one, a user of the partner and puts it into the grant. A name that is not
// given is the first part of the address. All the customer's grants have copied the cap that it may set when it returns.
func (s *Service) Accept(ctx context.Context, who Caller, token string, name *string, o Options[Invited]) (Invited, error) {
	return s.accept(ctx, who, token, name, o, func(f access.InvitationFacts, i *access.Invitation, name string) (
		access.GrantChange, *access.Invitation, error,
	) {
		return access.PlanAccept(f, i, name, s.invitee(who))
	})
}

// Register is Accept on the token's word alone, for an address that has no account yet. The account is made, and a temporary password is
// mailed to the invited address. It is refused with access.NotFound where accounts are not kept, and with access.EmailTaken where the
// address has one.
func (s *Service) Register(ctx context.Context, token string, name *string, o Options[Invited]) (Invited, error) {
	if !s.KeepsAccounts() {
		return Invited{}, access.Refuse(access.NotFound, "accounts are not kept here: sign in where you do in your organisation, then accept")
	}
	return s.accept(ctx, Caller{}, token, name, o, func(f access.InvitationFacts, i *access.Invitation, name string) (
		access.GrantChange, *access.Invitation, error,
	) {
		pc := s.invitee(Caller{Actor: access.Actor{Email: i.Email}})
		pc.Accounts = true
		return access.PlanRegister(f, i, name, pc)
	})
}

// KeepsAccounts tells whether this function or another keeps people's accounts.
func (s *Service) KeepsAccounts() bool { return s.Accounts != nil || s.AccountsElsewhere }

func (s *Service) accept(
	ctx context.Context, who Caller, token string, name *string, o Options[Invited],
	plan func(f access.InvitationFacts, i *access.Invitation, name string) (access.GrantChange, *access.Invitation, error),
) (Invited, error) {
	var customer string // when it may have set a cap
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, Invited, error) {
		i, err := s.byToken(ctx, token)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		if i.By.Kind == "customer" {
			customer = i.Customer
		}
		f, err := s.Store.InvitationFacts(ctx, i.Customer, i.Partner, i.Email, i)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		f.DefaultSSO = s.RequireSSO
		called, _, _ := strings.Cut(i.Email, "@")
		if name != nil {
			called = *name
		}
		p, after, err := plan(f, i, called)
		return p.Change, Invited{Invitation: after, At: s.now()}, err
	})
	if !stands(err) || customer == "" {
		return out, err
	}
	return out, then(err, s.spreadRules(ctx, who, customer))
}

// Decline ends the invitation that the token opens, on behalf of the caller.
func (s *Service) Decline(ctx context.Context, who Caller, token string, o Options[Invited]) (Invited, error) {
	return change(ctx, s, o, func(ctx context.Context) (access.Change, Invited, error) {
		i, err := s.byToken(ctx, token)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		r, err := s.Store.GrantFacts(ctx, i.Customer, i.Partner, nil, false)
		if err != nil {
			return access.Change{}, Invited{}, err
		}
		pc := s.invitee(who)
		c, after, err := access.PlanDecline(r, i, pc)
		return c, Invited{Invitation: after, At: pc.Now}, err
	})
}

// invitee is the person who answers an invitation, as its change is remembered.
func (s *Service) invitee(who Caller) access.PlanContext {
	pc := s.planContext(who.Actor)
	pc.Actor.Kind = access.ActorPartner
	return pc
}
