package mail

import (
	"context"
	"slices"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// Records is what a situation is read from.
type Records interface {
	Concerned(ctx context.Context, customer, partner string, users []string) (access.GrantFacts, error)
	Users(ctx context.Context, partner, query string, onlyActive bool, ask access.PageRequest) (access.Page[access.User], error)
	Identity(ctx context.Context, address string) (access.Identity, error)
	Invitation(ctx context.Context, customer, id string) (*access.Invitation, error)
	RequestRow(ctx context.Context, customer, id string) (*access.RequestRow, error)
	MembersOf(ctx context.Context, customer string, people []string) ([]access.Member, error)
	Webhooks(ctx context.Context, customer string) (*access.Webhooks, error)
}

// ReadSituation reads what holds now of the people and organisations of an event.
func ReadSituation(ctx context.Context, s Records, e events.Event, now time.Time) (Situation, error) {
	out := Situation{Known: true, Now: now.UTC()}
	customer, partner := "", ""
	if e.Customer != nil {
		customer = e.Customer.ID
	}
	if e.Partner != nil {
		partner = e.Partner.ID
	}
	r, err := s.Concerned(ctx, customer, partner, usersOf(e))
	if err != nil {
		return out, err
	}
	out.Customer, out.Partner, out.Grant = r.Customer, r.Partner, r.Grant
	out.Headcount, out.Users, out.Assignments = r.Headcount, r.Users, r.Assignments
	if out.Partner != nil && len(out.Partner.Contacts) == 0 {
		if out.Owner, err = owner(ctx, s, partner); err != nil {
			return out, err
		}
	}
	if e.Webhook != "" {
		all, err := s.Webhooks(ctx, customer)
		out.Webhook = all.Find(e.Webhook)
		return out, err
	}
	if customer != "" && e.Data.Requester != nil {
		return out, out.readRequest(ctx, s, e)
	}
	if customer == "" || e.Data.Invitation == "" {
		return out, nil
	}
	if out.Inviter, err = inviter(ctx, s, e); err != nil {
		return out, err
	}
	out.Invitation, err = s.Invitation(ctx, customer, e.Data.Invitation)
	return out, err
}

// readRequest reads the request that the event is about, and which of those whom it names still decide.
func (s *Situation) readRequest(ctx context.Context, from Records, e events.Event) error {
	var err error
	if s.Request, err = from.RequestRow(ctx, e.Customer.ID, e.Data.AskedFor); err != nil || s.Customer == nil {
		return err
	}
	members, err := from.MembersOf(ctx, e.Customer.ID, emails(e.Data.Approvers))
	s.Deciders = map[string]bool{}
	for _, m := range members {
		s.Deciders[m.Email] = s.Customer.Requests.Decides(&m)
	}
	return err
}

// usersOf are the ids of the partner's users whom the event names, sorted.
func usersOf(e events.Event) []string {
	if e.Partner == nil {
		return nil
	}
	d := e.Data
	people := slices.Concat(d.Added, d.Removed, d.Changed, d.Users)
	for _, p := range []*events.Person{d.Person, d.Requester} {
		if p != nil {
			people = append(people, *p)
		}
	}
	var ids []string
	for _, p := range people {
		if access.ValidUserID(p.ID) {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// owner is the address of the partner's first active owner; "" when there is none. Owners are among the first users: the first user is one.
func owner(ctx context.Context, s Records, partner string) (string, error) {
	for ask := (access.PageRequest{Limit: 100}); ; {
		page, err := s.Users(ctx, partner, "", true, ask)
		if err != nil {
			return "", err
		}
		for _, u := range page.Items {
			if u.Role == access.Owner {
				return u.Email, nil
			}
		}
		if page.Next == "" {
			return "", nil
		}
		ask.After = page.Next
	}
}

// inviter is the inviter's address while that person belongs to the inviting side; "" otherwise.
func inviter(ctx context.Context, s Records, e events.Event) (string, error) {
	in := e.Data.Inviter
	if in == nil || in.Email == "" {
		return "", nil
	}
	id, err := s.Identity(ctx, in.Email)
	if err != nil {
		return "", err
	}
	belongs := slices.Contains(id.MemberOf, e.Customer.ID)
	if e.Data.Side == "partner" {
		belongs = e.Partner != nil && id.User != nil && id.User.Status == access.Active && id.User.Partner == e.Partner.ID &&
			(in.ID == "" || in.ID == id.User.ID)
	}
	if !belongs {
		return "", nil
	}
	return in.Email, nil
}
