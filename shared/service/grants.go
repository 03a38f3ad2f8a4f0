package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"partneraccess/shared/access"
)

// Grantee is a partner, or the one user, of any partner, who has an e-mail address (D8, D15).
type Grantee struct {
	Partner string
	Email   string // Partner is "" then
}

// Granted is a grant as a change of it leaves it.
type Granted struct {
	access.GrantChange
	Relation access.GrantFacts // as it was loaded
	At       time.Time         // when it was planned
	Named    []string          // the users whom the request named
}

// Grant gives a partner access to a customer. A user who is named by e-mail may get a cap; all the customer's grants have copied it when
// Grant returns.
func (s *Service) Grant(
	ctx context.Context, who Caller, customer string, to Grantee, cmd access.GrantCommand, o Options[Granted],
) (Granted, error) {
	cmd.DefaultSSO = s.RequireSSO
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, Granted, error) {
		to, cmd := to, cmd
		if to.Email != "" {
			user, err := s.individual(ctx, customer, to.Email, cmd, s.planContext(who.Actor))
			if err != nil {
				return access.Change{}, Granted{}, err
			}
			to.Partner, cmd.Users, cmd.Individual = user.Partner, []string{user.ID}, true
		}
		r, err := s.Store.GrantFacts(ctx, customer, to.Partner, cmd.Users, false)
		if err == nil && cmd.Everyone {
			r, err = s.replaced(ctx, r, cmd.Users)
		}
		if err != nil {
			return access.Change{}, Granted{}, err
		}
		pc := s.planContext(who.Actor)
		p, err := access.PlanGrant(r, cmd, pc)
		return p.Change, Granted{GrantChange: p, Relation: r, At: pc.Now, Named: cmd.Users}, err
	})
	if !stands(err) || to.Email == "" || cmd.Level == nil { // then no cap is set
		return out, err
	}
	return out, then(err, s.spreadRules(ctx, who, customer))
}

// then returns the error of a use case whose change returned err and whose consequences returned after.
func then(err, after error) error {
	if after != nil {
		return after
	}
	return err
}

// individual finds the partner's user who has an e-mail address, once the rest of the command is right, and refuses the customer's own
// people (D7, A7).
func (s *Service) individual(ctx context.Context, customer, email string, cmd access.GrantCommand, pc access.PlanContext) (*access.User,
	error,
) {
	cust, err := s.Store.Customer(ctx, customer)
	if err != nil {
		return nil, err
	}
	if err := access.CheckGrant(cust, cmd, pc); err != nil {
		return nil, err
	}
	id, err := s.Store.Identity(ctx, email)
	if err != nil {
		return nil, err
	}
	if u := id.Individual(); u != nil {
		return u, nil
	}
	if slices.Contains(id.MemberOf, cust.ID) || access.InDomain(email, cust.Domain) {
		const detail = "%s is one of your own people: partners are people of outside organisations"
		return nil, access.Refuse(access.OwnOrganisation, detail, email).At("/email")
	}
	return nil, access.Refuse(access.UnknownEmail, "%s is no user of any partner: check the address, or invite the person", email).At("/email")
}

// replaced returns the facts with the rows of those whom everyone is about to replace, so that the external users among them are named
// (E14). The rows of more than a set can name are not loaded: to switch everyone on costs the same whatever the size.
func (s *Service) replaced(ctx context.Context, r access.GrantFacts, users []string) (access.GrantFacts, error) {
	if g := r.Grant; g == nil || g.Everyone || g.UsersCanBeListed() || g.Count > access.MaxUserSet {
		return r, nil
	}
	return s.Store.GrantFacts(ctx, r.Customer.ID, r.Partner.ID, users, true)
}

// grantPlan plans a change of a grant that there is or was.
type grantPlan = func(access.GrantFacts, access.PlanContext) (access.GrantChange, error)

// ofGrant loads a grant with the users of those ids, and plans a change of it. Named are the users whom the request is about, beside those
// whom it adds or removes.
func (s *Service) ofGrant(who Caller, customer, partner string, users []string, whole bool, plan grantPlan, named ...string) plan[Granted] {
	return func(ctx context.Context) (access.Change, Granted, error) {
		r, err := s.Store.GrantFacts(ctx, customer, partner, users, whole)
		if err != nil {
			return access.Change{}, Granted{}, err
		}
		pc := s.planContext(who.Actor)
		p, err := plan(r, pc)
		return p.Change, Granted{GrantChange: p, Relation: r, At: pc.Now, Named: named}, err
	}
}

// Edit changes a grant. An edit that only reduces access cannot be prevented by changes that give access. All the customer's grants have
// copied new caps when it returns.
func (s *Service) Edit(
	ctx context.Context, who Caller, customer, partner string, cmd access.EditCommand, o Options[Granted],
) (Granted, error) {
	users := slices.Concat(cmd.Add, cmd.Remove)
	if cmd.Set != nil {
		users = *cmd.Set
	}
	var capped []string
	// So that the event names them; the cap itself is the address's, whoever has it.
	for _, address := range slices.Sorted(maps.Keys(cmd.Caps)) {
		id, err := s.Store.Identity(ctx, address)
		if err != nil {
			return Granted{}, err
		}
		if u := id.User; u != nil && u.Partner == partner {
			if capped = append(capped, u.ID); !slices.Contains(users, u.ID) {
				users = append(users, u.ID)
			}
		}
	}
	on := cmd.Everyone != nil && *cmd.Everyone
	edit := s.ofGrant(who, customer, partner, users, cmd.Set != nil,
		func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			if on {
				var err error
				if r, err = s.replaced(ctx, r, users); err != nil {
					return access.GrantChange{}, err
				}
			}
			return access.PlanEdit(r, cmd, pc)
		}, capped...)
	var out Granted
	var err error
	if cmd.OnlyNarrows() || cmd.OnlyCaps() { // is not held up by those who give
		out, err = takeOnce(ctx, s, o, edit)
	} else {
		out, err = change(ctx, s, o, edit)
	}
	if !stands(err) || len(cmd.Caps) == 0 {
		return out, err
	}
	return out, then(err, s.spreadRules(ctx, who, customer))
}

// spreadRules has all the customer's grants copy its domain and caps before the request is answered. Should it fail, the sweep does the
// same, and so does the request when it is sent again.
func (s *Service) spreadRules(ctx context.Context, who Caller, customer string) error {
	cust, err := s.Store.Customer(ctx, customer)
	if err != nil || cust == nil {
		return err
	}
	rows, err := s.grantsOf(ctx, cust)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Grant.Ended(s.now()) || row.Grant.HasRulesOf(cust) {
			continue
		}
		// Taken, so that the partner cannot put it off.
		if _, err := take(ctx, s, s.ofGrant(who, customer, row.Grant.Partner, nil, false, access.PlanCustomerRules)); err != nil {
			return err
		}
	}
	return nil
}

// Assign is the partner's choice of who of its users may enter a customer (A5, E2, E11). The precondition is about the version of the open
// grant.
func (s *Service) Assign(
	ctx context.Context, who Caller, customer, partner string, cmd access.AssignCommand, o Options[Granted],
) (Granted, error) {
	users, single := slices.Concat(cmd.Add, cmd.Remove), cmd.Users == nil && cmd.Everyone == nil
	if cmd.Users != nil {
		users = *cmd.Users
	}
	pick := func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
		if err := o.allows(openVersion(r, pc)); err != nil {
			return access.GrantChange{}, err
		}
		return access.PlanAssign(r, cmd, pc)
	}
	return change(ctx, s, o, s.ofGrant(who, customer, partner, users, !single, pick))
}

// openVersion returns the version of the grant; 0 when there is none that is open.
func openVersion(r access.GrantFacts, pc access.PlanContext) int64 {
	if r.Grant == nil || r.Grant.EndAt(r.Partner, pc.Now) != nil {
		return 0
	}
	return r.Grant.PublicVersion()
}

// Revoke ends a grant on the customer's behalf. One that has ended stays as it is, and is no error; likewise Relinquish.
func (s *Service) Revoke(ctx context.Context, who Caller, customer, partner string, o Options[Granted]) (Granted, error) {
	return takeOnce(ctx, s, o, s.ofGrant(who, customer, partner, nil, false, access.PlanRevoke))
}

// Relinquish ends a grant on the partner's behalf.
func (s *Service) Relinquish(ctx context.Context, who Caller, customer, partner string) (Granted, error) {
	return take(ctx, s, s.ofGrant(who, customer, partner, nil, false, access.PlanRelinquish))
}

// RemoveGrantUser takes one user out of a grant on the customer's behalf.
func (s *Service) RemoveGrantUser(ctx context.Context, who Caller, customer, partner, user string) (Granted, error) {
	if !access.ValidUserID(user) {
		return Granted{}, NothingHere()
	}
	remove := func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
		return access.PlanRemoveUser(r, user, pc)
	}
	return take(ctx, s, s.ofGrant(who, customer, partner, []string{user}, false, remove))
}

// Leave takes a user out of one customer's grant on the partner's behalf: the caller itself, or any user when the caller leads the partner.
func (s *Service) Leave(ctx context.Context, who Caller, customer, partner, user string) (Granted, error) {
	if !access.ValidUserID(user) || who.Leads == "" && (who.Identity.User == nil || who.Identity.User.ID != user) {
		return Granted{}, NothingHere()
	}
	leave := func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
		return access.PlanLeave(r, user, pc)
	}
	return take(ctx, s, s.ofGrant(who, customer, partner, []string{user}, false, leave))
}
