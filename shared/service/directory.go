package service

import (
	"context"
	"errors"
	"slices"
	"strings"

	"partneraccess/shared/access"
)

// Saved is a record as it was saved.
type Saved[T any] struct {
	After   T
	Created bool // there was none before
}

type (
	// SavedPartner is a partner as it was saved.
	SavedPartner = Saved[*access.Partner]
	// SavedCustomer is a customer as it was saved.
	SavedCustomer = Saved[*access.Customer]
)

// Customer is the customer of that id; it fails with NothingHere when there is none, or it was removed.
func (s *Service) Customer(ctx context.Context, id string) (*access.Customer, error) {
	out, err := s.Store.Customer(ctx, id)
	if err == nil && (out == nil || out.Status == access.Removed) {
		return nil, NothingHere()
	}
	return out, err
}

// Partner is the partner of that id, as Customer is a customer. Customers see only those of the directory.
func (s *Service) Partner(ctx context.Context, who Caller, id string) (*access.Partner, error) {
	out, err := s.Store.Partner(ctx, id)
	if err == nil && (out == nil || out.Status == access.Removed || who.Sees == SeesDirectory && !inDirectory(out)) {
		return nil, NothingHere()
	}
	return out, err
}

// inDirectory tells whether customers find the partner in the directory: it is one that they could grant access to (D9, D10, D16).
func inDirectory(p *access.Partner) bool {
	return p.Status == access.Active && p.Class == access.Channel && p.Offer > access.None
}

// SavePartner edits a partner, and creates it when there is none and create says so.
func (s *Service) SavePartner(
	ctx context.Context, who Caller, id string, cmd access.PartnerCommand, create bool, o Options[SavedPartner],
) (SavedPartner, error) {
	save := func(ctx context.Context) (access.Change, SavedPartner, error) {
		var out SavedPartner
		before, registry, err := s.partnerAndDomains(ctx, id, cmd.Domains)
		switch {
		case err != nil:
		case !create && (before == nil || before.Status == access.Removed):
			err = NothingHere()
		case before == nil:
			err = o.allowsNothing()
		case before.Status != access.Removed:
			err = o.allows(before.Version)
		}
		if err != nil {
			return access.Change{}, out, err
		}
		above, err := s.above(ctx, cmd.Parent)
		if err != nil {
			return access.Change{}, out, err
		}
		c, after, err := access.PlanPartner(id, before, above, registry, cmd, s.planContext(who.Actor))
		return c, SavedPartner{after, before == nil}, err
	}
	if cmd.OnlySuspends() {
		return take(ctx, s, save)
	}
	return change(ctx, s, o, save)
}

// above are the parent that a partner gets, that one's parent, and so on.
func (s *Service) above(ctx context.Context, parent *string) ([]*access.Partner, error) {
	if parent == nil {
		return nil, nil
	}
	var out []*access.Partner
	for next := *parent; next != "" && len(out) <= access.MaxParents; {
		p, err := s.Store.Partner(ctx, next)
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		out, next = append(out, p), p.Parent
	}
	return out, nil
}

// partnerAndDomains reads a partner and, when its domains are to be others, the records of those that it has and gets.
func (s *Service) partnerAndDomains(ctx context.Context, id string, domains *[]string) (*access.Partner, access.Domains, error) {
	p, err := s.Store.Partner(ctx, id)
	if err != nil || domains == nil {
		return p, nil, err
	}
	names := *domains
	if p != nil {
		names = slices.Concat(names, p.Domains)
	}
	registry, err := s.Store.Domains(ctx, names...)
	return p, registry, err
}

// RemovePartner removes a partner for good. From then on nobody of it has access; the sweep writes the ends of its grants down.
func (s *Service) RemovePartner(ctx context.Context, who Caller, id string) error {
	return s.end(ctx, func(ctx context.Context) (access.Change, error) {
		before, registry, err := s.partnerAndDomains(ctx, id, &[]string{})
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemovePartner(before, registry, s.planContext(who.Actor))
	})
}

// SaveCustomer creates a customer or edits it. Another domain counts at the next check: nobody of it is a partner's user here any more
// (D7).
func (s *Service) SaveCustomer(
	ctx context.Context, who Caller, id string, cmd access.CustomerCommand, o Options[SavedCustomer],
) (SavedCustomer, error) {
	saved, err := change(ctx, s, o, func(ctx context.Context) (access.Change, SavedCustomer, error) {
		var out SavedCustomer
		before, err := s.Store.Customer(ctx, id)
		switch {
		case err != nil:
		case before == nil:
			err = o.allowsNothing()
		case before.Status != access.Removed:
			err = o.allows(before.Version)
		}
		if err != nil {
			return access.Change{}, out, err
		}
		registry, err := s.domainsOf(ctx, before, cmd.Domain)
		if err != nil {
			return access.Change{}, out, err
		}
		c, after, err := access.PlanCustomer(id, before, registry, cmd, s.planContext(who.Actor))
		return c, SavedCustomer{after, before == nil}, err
	})
	if !stands(err) || cmd.Domain == nil {
		return saved, err
	}
	return saved, then(err, s.spreadRules(ctx, who, id))
}

// domainsOf reads the records of the domain that a customer has, and of the one that it gets.
func (s *Service) domainsOf(ctx context.Context, cust *access.Customer, gets *string) (access.Domains, error) {
	var names []string
	if cust != nil {
		names = append(names, cust.Domain)
	}
	if gets != nil {
		names = append(names, *gets)
	}
	return s.Store.Domains(ctx, names...)
}

// RemoveCustomer ends all the customer's grants, one by one, and then removes the customer for good: when it returns nobody gets in any
// more.
func (s *Service) RemoveCustomer(ctx context.Context, who Caller, id string) error {
	cust, err := s.Customer(ctx, id)
	if err != nil {
		return err
	}
	return s.end(ctx, func(ctx context.Context) (access.Change, error) {
		before, err := s.Store.Customer(ctx, id)
		if err != nil {
			return access.Change{}, err
		}
		rows, err := s.grantsOf(ctx, cust)
		if err != nil {
			return access.Change{}, err
		}
		grants := make([]*access.Grant, len(rows))
		for i, row := range rows {
			if grants[i] = row.Grant; row.Grant.State == access.StateEnded {
				continue
			}
			ended, err := take(ctx, s, s.ofGrant(who, id, row.Grant.Partner, nil, false, access.PlanEndForRemovedCustomer))
			if err != nil {
				return access.Change{}, err
			}
			grants[i] = ended.Grant
		}
		registry, err := s.domainsOf(ctx, before, nil)
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemoveCustomer(before, grants, registry, s.planContext(who.Actor))
	})
}

// OpenRelationship opens a relationship that the provider establishes (W7). The precondition is about the version of the open grant.
func (s *Service) OpenRelationship(
	ctx context.Context, who Caller, customer, partner string, everyone bool, o Options[Granted],
) (Granted, error) {
	return change(ctx, s, o,
		s.ofGrant(who, customer, partner, nil, false, func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			if err := o.allows(openVersion(r, pc)); err != nil {
				return access.GrantChange{}, err
			}
			return access.PlanRelationship(r, everyone, s.RequireSSO, pc)
		}))
}

// EndRelationship ends a relationship on the provider's behalf (A4). A managed one is refused: Unmanage ends it.
func (s *Service) EndRelationship(
	ctx context.Context, who Caller, customer, partner string, o Options[Granted],
) (Granted, error) {
	return takeOnce(ctx, s, o, s.ofGrant(who, customer, partner, nil, false, access.PlanEndRelationship))
}

// Manage makes a partner the one that manages the customer (A2, A11, A15, A16). The precondition is about the version of a customer that
// has one already.
func (s *Service) Manage(ctx context.Context, who Caller, customer, partner string, o Options[Granted]) (Granted, error) {
	return change(ctx, s, o,
		s.ofGrant(who, customer, partner, nil, false, func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			if r.Customer == nil {
				return access.PlanManage(r, nil, pc)
			}
			if r.Customer.ManagedBy != "" {
				if err := o.allows(r.Customer.Version); err != nil {
					return access.GrantChange{}, err
				}
			}
			others, err := s.grantsOf(ctx, r.Customer) // read after the customer was, which every opening writes: none can slip in
			if err != nil {
				return access.GrantChange{}, err
			}
			return access.PlanManage(r, others, pc)
		}))
}

// Unmanage ends the grant of the partner that manages the customer.
func (s *Service) Unmanage(ctx context.Context, who Caller, customer string) (Granted, error) {
	return take(ctx, s, func(ctx context.Context) (access.Change, Granted, error) {
		cust, err := s.Customer(ctx, customer)
		if err != nil {
			return access.Change{}, Granted{}, err
		}
		return s.ofGrant(who, customer, cust.ManagedBy, nil, false, access.PlanUnmanage)(ctx)
	})
}

// MemberCommand is what a customer's member is to be.
type MemberCommand struct {
	Name      string
	Admin     bool
	Seen      int64
	Confirmed bool // the customer may lose its last admin
}

// SavedMember is a member as it was saved.
type SavedMember struct {
	Saved[*access.Member]
	Holder *access.User // a partner's user who has proved the same address; nil when there is none
}

// SaveMember registers a customer's member or edits it. The precondition is about the member's version.
func (s *Service) SaveMember(
	ctx context.Context, who Caller, customer, address string, cmd MemberCommand, o Options[SavedMember],
) (SavedMember, error) {
	left := false
	var tasks []*access.Task // of the member's account, and before it that of an account that ended because its address was never proved
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, SavedMember, error) {
		f, err := s.Store.MemberFacts(ctx, customer, address)
		if err == nil {
			err = o.allows(f.Member.Stored())
		}
		if err == nil && !cmd.Admin {
			err = s.lookForAdmins(ctx, &f, cmd.Confirmed)
		}
		if err != nil {
			return access.Change{}, SavedMember{}, err
		}
		left = f.LastAdmin
		c, after, err := access.PlanMember(f, address, cmd.Name, cmd.Admin, cmd.Seen, s.planContext(who.Actor))
		tasks = c.IdentityTasks()
		out := SavedMember{Saved: Saved[*access.Member]{after, f.Member == nil}}
		if u := f.Holder.User; u != nil && u.Status != access.Removed && !u.Unproved {
			out.Holder = u
		}
		return c, out, err
	})
	if err == nil {
		s.follow(ctx, s.followYielding(ctx, tasks)...)
		s.warnOfNoAdmin(customer, left)
	}
	return out, err
}

// RemoveMember removes a customer's member, and with its last membership its account. The customer loses its last admin only when that is
// confirmed.
func (s *Service) RemoveMember(ctx context.Context, who Caller, customer, address string, confirmed bool) error {
	var tasks []*access.Task
	left, err := take(ctx, s, func(ctx context.Context) (access.Change, bool, error) {
		f, err := s.Store.MemberFacts(ctx, customer, address)
		if err == nil {
			err = s.lookForAdmins(ctx, &f, confirmed)
		}
		if err != nil {
			return access.Change{}, false, err
		}
		c, err := access.PlanRemoveMember(f, s.planContext(who.Actor))
		tasks = c.IdentityTasks()
		return c, f.LastAdmin, err
	})
	if err == nil {
		s.follow(ctx, tasks...)
		s.warnOfNoAdmin(customer, left)
	}
	return err
}

// lookForAdmins adds to the facts about an admin, who will be one no more, whether there is another.
func (s *Service) lookForAdmins(ctx context.Context, f *access.MemberFacts, confirmed bool) (err error) {
	if f.Customer == nil || f.Customer.Status != access.Active || f.Member == nil || !f.Member.Admin {
		return nil
	}
	f.Confirmed = confirmed
	f.LastAdmin, err = s.Store.LastAdmin(ctx, f.Customer.ID, f.Member.Email, s.now())
	return err
}

// warnOfNoAdmin tells the provider of a customer that has open grants and no admin any more; the event in the history says so, too.
func (s *Service) warnOfNoAdmin(customer string, left bool) {
	if left {
		s.Log.Warn("a customer with open grants has no admin any more", "customer", customer)
	}
}

// User is the partner's user of that id; it fails with NothingHere when there is none, or it was removed.
func (s *Service) User(ctx context.Context, partner, id string) (*access.User, error) {
	if !access.ValidUserID(id) || !strings.HasPrefix(id, partner+":") {
		return nil, NothingHere()
	}
	u, err := s.Store.User(ctx, id)
	if err == nil && (u == nil || u.Status == access.Removed) {
		return nil, NothingHere()
	}
	return u, err
}

// AddUser creates a partner's user. The user's account is made, too, or left to the sweep when the identity provider does not do it in
// time.
func (s *Service) AddUser(
	ctx context.Context, who Caller, partner string, cmd access.UserCommand, o Options[*access.User],
) (*access.User, error) {
	u, tasks, err := s.addUser(ctx, who, partner, cmd, o)
	s.follow(ctx, tasks...)
	return u, err
}

// NewUser is one of several users to be created.
type NewUser struct {
	Command access.UserCommand
	Refused error // what is wrong with it already; it is not tried
	Repeat  *Repeat[*access.User]
}

// AddedUser is what became of one of several users.
type AddedUser struct {
	User *access.User
	Err  error // an *access.Error or *Repeated
}

// AddUsers creates several users, each by itself (P14): the refusal of one is its own, and any other failure everybody's. Repeated, the
// request goes on where it failed: it is bound to its key before anything is done, and each user has an answer of its own.
func (s *Service) AddUsers(ctx context.Context, who Caller, partner string, users []NewUser, bind *Repeat[struct{}]) ([]AddedUser, error) {
	nothing := func(context.Context) (access.Change, none, error) { return access.Change{}, none{}, nil }
	if _, err := change(ctx, s, Options[none]{Repeat: bind}, nothing); !stands(err) {
		return nil, err
	}
	out := make([]AddedUser, len(users))
	var tasks []*access.Task
	defer func() { s.follow(ctx, tasks...) }() // those that were created, also when another one fails
	for i, one := range users {
		if out[i].Err = one.Refused; one.Refused != nil {
			continue
		}
		u, left, err := s.addUser(ctx, who, partner, one.Command, Options[*access.User]{Repeat: one.Repeat})
		if !stands(err) && access.CodeOf(err) == "" {
			return nil, err
		}
		tasks, out[i] = append(tasks, left...), AddedUser{u, err}
	}
	return out, nil
}

// addUser creates one user. There are no tasks when no account is to be made, or no user was created.
func (s *Service) addUser(
	ctx context.Context, who Caller, partner string, cmd access.UserCommand, o Options[*access.User],
) (*access.User, []*access.Task, error) {
	var tasks []*access.Task
	u, err := change(ctx, s, o, func(ctx context.Context) (access.Change, *access.User, error) {
		f, err := s.Store.UserFacts(ctx, partner, "", *cmd.Email)
		if err == nil {
			err = s.mayMail(ctx, who, *cmd.Email, false)
		}
		if err != nil {
			return access.Change{}, nil, err
		}
		c, u, err := access.PlanNewUser(f, cmd, s.planContext(who.Actor))
		tasks = c.IdentityTasks()
		return c, u, err
	})
	if err != nil {
		return u, nil, err
	}
	return u, s.followYielding(ctx, tasks), nil
}

// EditUser edits a partner's user, and then its account. What only disables the user cannot be held up.
func (s *Service) EditUser(
	ctx context.Context, who Caller, partner, user string, cmd access.UserCommand, o Options[*access.User],
) (*access.User, error) {
	address := ""
	if cmd.Email != nil {
		address = *cmd.Email
	}
	edit := func(ctx context.Context, f access.UserFacts) (access.Change, *access.User, error) {
		if cmd.Email != nil && f.User != nil && f.User.Email != *cmd.Email {
			if err := errors.Join(s.mayMail(ctx, who, *cmd.Email, true), s.mayMail(ctx, who, f.User.Email, true)); err != nil {
				return access.Change{}, nil, err
			}
		}
		return access.PlanUser(f, cmd, s.planContext(who.Actor))
	}
	return s.changeUser(ctx, partner, user, address, edit, func(p plan[*access.User]) (*access.User, error) {
		if cmd.OnlyDisables() {
			return take(ctx, s, p)
		}
		return change(ctx, s, o, p)
	})
}

// RemoveUser removes a partner's user for good, and then its account.
func (s *Service) RemoveUser(ctx context.Context, who Caller, partner, user string) error {
	remove := func(_ context.Context, f access.UserFacts) (access.Change, *access.User, error) {
		c, err := access.PlanRemoveUserAccount(f, s.planContext(who.Actor))
		return c, nil, err
	}
	_, err := s.changeUser(ctx, partner, user, "", remove, func(p plan[*access.User]) (*access.User, error) { return take(ctx, s, p) })
	return err
}

// EraseUser removes a partner's user, unless that was done before, and erases the person: a pseudonym takes the place of the address and
// the name, at once in the user's record, and within minutes in all that names the person (see access.Erasure). It can be repeated.
func (s *Service) EraseUser(ctx context.Context, who Caller, partner, user string) error {
	if !access.ValidUserID(user) || !strings.HasPrefix(user, partner+":") {
		return NothingHere()
	}
	u, err := s.Store.User(ctx, user)
	switch {
	case err != nil:
		return err
	case u == nil:
		return NothingHere()
	}
	if err := access.MayErase(who.Actor, u); err != nil {
		return err
	}
	if u.Status != access.Removed {
		if err := s.RemoveUser(ctx, who, partner, user); err != nil {
			return err
		}
	}
	return s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		f, err := s.Store.ErasureFacts(ctx, partner, user)
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanErase(f, s.planContext(who.Actor))
	})
}

// changeUser loads and plans a change of a user, has it committed, and then the account follow.
func (s *Service) changeUser(
	ctx context.Context, partner, user, address string,
	of func(context.Context, access.UserFacts) (access.Change, *access.User, error), commit func(plan[*access.User]) (*access.User, error),
) (*access.User, error) {
	if _, err := s.User(ctx, partner, user); err != nil {
		return nil, err
	}
	var tasks []*access.Task
	u, err := commit(func(ctx context.Context) (access.Change, *access.User, error) {
		f, err := s.Store.UserFacts(ctx, partner, user, address)
		if err != nil {
			return access.Change{}, nil, err
		}
		c, u, err := of(ctx, f)
		tasks = c.IdentityTasks()
		return c, u, err
	})
	if err == nil {
		s.follow(ctx, s.followYielding(ctx, tasks)...)
	}
	return u, err
}
