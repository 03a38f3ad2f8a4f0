package service

import (
	"context"
	"crypto/rand"
	"slices"

	"partneraccess/shared/access"
)

// requests reads what use cases about requests need.
type requests interface {
	// AskFacts loads what a plan about a new request of one of the partner's users looks at, as much whether or not there is that customer.
	AskFacts(
		ctx context.Context, customer, partner, user string, kind access.RequestKind, users []string,
	) (access.RequestFacts, error)
	// RequestFacts loads what a plan about a request looks at, with these users beside those whom it names; without a row when there is none.
	// Who is the customer's person who decides, "" when nobody does.
	RequestFacts(ctx context.Context, customer, id, who string, users []string) (access.RequestFacts, error)
	// RequestRow reads a request with what decides whether it is still to be decided.
	RequestRow(ctx context.Context, customer, id string) (*access.RequestRow, error)
	// RequestCustomer returns which customer a partner's request is to; "" when there is no such request.
	RequestCustomer(ctx context.Context, partner, id string) (string, error)
	// Deciders reads who decides about requests to a customer, and MembersOf those of some people who are its members.
	Deciders(ctx context.Context, c *access.Customer, people ...string) ([]access.Member, error)
	MembersOf(ctx context.Context, customer string, people []string) ([]access.Member, error)
	CustomerRequests(
		ctx context.Context, customer string, f access.RequestFilter, ask access.PageRequest,
	) (access.Page[access.RequestRow], error)
	PartnerRequests(
		ctx context.Context, partner string, f access.RequestFilter, ask access.PageRequest,
	) (access.Page[access.RequestRow], error)
	// PendingRequests lists those of a customer, of a partner, or of one of its users.
	PendingRequests(
		ctx context.Context, customer, partner, user, after string, limit int,
	) (rows []*access.RequestRow, next string, err error)
}

// Asked is a request as a change leaves it.
type Asked struct {
	*access.RequestRow
	Created bool
}

// Ask asks a customer for something on behalf of the caller's organisation. While one of the same kind is pending, that is the result. What
// the customer does not take is counted, see access.PlanWrongCode.
func (s *Service) Ask(
	ctx context.Context, who Caller, partner, customer string, cmd access.RequestCommand, o Options[Asked],
) (Asked, error) {
	facts := func(ctx context.Context) (access.RequestFacts, error) {
		return s.Store.AskFacts(ctx, customer, partner, who.Actor.User, cmd.Kind, cmd.Users)
	}
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, Asked, error) {
		f, err := facts(ctx)
		if err != nil {
			return access.Change{}, Asked{}, err
		}
		pc := s.planContext(who.Actor)
		c, row, err := access.PlanRequest(f, cmd, pc)
		if err != nil || c.Empty() {
			return c, Asked{RequestRow: row}, err
		}
		if f.Deciders, err = s.Store.Deciders(ctx, f.Customer); err != nil { // who is refused learns nothing by how long that takes
			return access.Change{}, Asked{}, err
		}
		c, row, err = access.PlanRequest(f, cmd, pc)
		return c, Asked{RequestRow: row, Created: true}, err
	})
	if access.CodeOf(err) != access.CannotAsk {
		return out, err
	}
	return out, then(err, s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		f, err := facts(ctx)
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanWrongCode(f, customer, partner, s.planContext(who.Actor))
	}))
}

// CustomerRequest is the customer's request of that id; it fails with NothingHere when there is none.
func (s *Service) CustomerRequest(ctx context.Context, customer, id string) (*access.RequestRow, error) {
	if !validRequestID(id) {
		return nil, NothingHere()
	}
	r, err := s.Store.RequestRow(ctx, customer, id)
	if err == nil && r == nil {
		return nil, NothingHere()
	}
	return r, err
}

func validRequestID(id string) bool { return len(id) == 26 && access.ValidID(id) }

// PartnerRequest is the partner's request of that id. Those who ask for others see all, the others their own.
func (s *Service) PartnerRequest(ctx context.Context, who Caller, partner, id string) (*access.RequestRow, error) {
	if !validRequestID(id) {
		return nil, NothingHere()
	}
	customer, err := s.Store.RequestCustomer(ctx, partner, id)
	if err != nil {
		return nil, err
	}
	if customer == "" {
		return nil, NothingHere()
	}
	r, err := s.CustomerRequest(ctx, customer, id)
	if err == nil && (r.Request.Partner != partner || !who.seesRequestsOf(r.User)) {
		return nil, NothingHere()
	}
	return r, err
}

// seesRequestsOf tells whether the caller, of the provider or the asking partner, sees what that user asked for.
func (who Caller) seesRequestsOf(user string) bool {
	return who.Actor.Kind != access.ActorPartner || who.Leads != "" || who.Actor.User == user
}

// CustomerRequests lists the requests to a customer, newest last.
func (s *Service) CustomerRequests(
	ctx context.Context, customer string, f access.RequestFilter, ask access.PageRequest,
) (access.Page[access.RequestRow], error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.Page[access.RequestRow]{}, err
	}
	return s.Store.CustomerRequests(ctx, customer, f, ask)
}

// PartnerRequests lists the requests of a partner, newest last: to those who ask for others all, to the others their own.
func (s *Service) PartnerRequests(
	ctx context.Context, who Caller, partner string, f access.RequestFilter, ask access.PageRequest,
) (access.Page[access.RequestRow], error) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return access.Page[access.RequestRow]{}, err
	}
	if !who.seesRequestsOf("") {
		f.User = who.Actor.User
	}
	return s.Store.PartnerRequests(ctx, partner, f, ask)
}

// Withdraw ends a request of the caller's organisation.
func (s *Service) Withdraw(ctx context.Context, who Caller, partner, id string) (Asked, error) {
	row, err := s.PartnerRequest(ctx, who, partner, id)
	if err != nil {
		return Asked{}, err
	}
	customer := row.Request.Customer
	return change(ctx, s, Options[Asked]{}, func(ctx context.Context) (access.Change, Asked, error) {
		f, err := s.Store.RequestFacts(ctx, customer, id, "", nil)
		if err != nil {
			return access.Change{}, Asked{}, err
		}
		c, row, err := access.PlanWithdraw(f, s.planContext(who.Actor))
		return c, Asked{RequestRow: row}, err
	})
}

// Decided is a request as a decision leaves it, and what that granted; nil = nothing, or not yet.
type Decided struct {
	Asked
	Granted *Granted
}

// Approve approves a request. With the last approval that the customer's policy needs, the grant is as approved when it returns; all the
// customer's grants have copied the caps that it may have lifted.
func (s *Service) Approve(
	ctx context.Context, who Caller, customer, id string, cmd access.ApproveCommand, o Options[Decided],
) (Decided, error) {
	var users []string
	if cmd.Users != nil {
		users = *cmd.Users
	}
	capped := false
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, Decided, error) {
		f, err := s.decisionFacts(ctx, who, customer, id, users)
		if err != nil {
			return access.Change{}, Decided{}, err
		}
		pc := s.planContext(who.Actor)
		a, err := access.PlanApprove(f, cmd, s.RequireSSO, pc)
		if err != nil {
			return access.Change{}, Decided{}, err
		}
		d := Decided{Asked: Asked{RequestRow: a.Row}}
		if a.Final {
			d.Granted = &Granted{GrantChange: a.GrantChange, Relation: f.GrantFacts, At: pc.Now, Named: a.Row.Granted.Users}
		}
		capped = a.Row.Personal && a.Row.Kind == access.AskRaise
		return a.Change, d, nil
	})
	if !stands(err) || !capped {
		return out, err
	}
	return out, then(err, s.spreadRules(ctx, who, customer))
}

// decisionFacts loads what a decision looks at; it fails with NothingHere when there is no such request.
func (s *Service) decisionFacts(ctx context.Context, who Caller, customer, id string, users []string) (access.RequestFacts, error) {
	if !validRequestID(id) {
		return access.RequestFacts{}, NothingHere()
	}
	f, err := s.Store.RequestFacts(ctx, customer, id, who.Actor.Email, users)
	switch {
	case err != nil:
		return f, err
	case f.Row == nil:
		return f, NothingHere()
	case !f.Row.Asked.Everyone || f.Grant == nil:
		return f, nil
	}
	users = append(slices.Concat(users, f.Row.Asked.Users), f.Row.User)
	if f.GrantFacts, err = s.replaced(ctx, f.GrantFacts, users); err != nil {
		return f, err
	}
	r := f.Row
	r.Customer, r.Partner, r.Grant, r.Requester = f.Customer, f.Partner, f.Grant, f.Users[r.User]
	r.Users, r.Assignments = f.Users, f.Assignments
	return f, nil
}

// DeclineRequest declines a request.
func (s *Service) DeclineRequest(ctx context.Context, who Caller, customer, id, note string, o Options[Decided]) (Decided, error) {
	return s.decide(ctx, who, customer, id, o, func(f access.RequestFacts, pc access.PlanContext) (access.Change, *access.RequestRow, error) {
		return access.PlanDeclineRequest(f, note, pc)
	})
}

// AskBack puts a question to who asked, once for each request.
func (s *Service) AskBack(ctx context.Context, who Caller, customer, id, question string, o Options[Decided]) (Decided, error) {
	return s.decide(ctx, who, customer, id, o, func(f access.RequestFacts, pc access.PlanContext) (access.Change, *access.RequestRow, error) {
		return access.PlanQuestion(f, question, pc)
	})
}

func (s *Service) decide(ctx context.Context, who Caller, customer, id string, o Options[Decided],
	plan func(access.RequestFacts, access.PlanContext) (access.Change, *access.RequestRow, error),
) (Decided, error) {
	return change(ctx, s, o, func(ctx context.Context) (access.Change, Decided, error) {
		f, err := s.decisionFacts(ctx, who, customer, id, nil)
		if err != nil {
			return access.Change{}, Decided{}, err
		}
		c, row, err := plan(f, s.planContext(who.Actor))
		return c, Decided{Asked: Asked{RequestRow: row}}, err
	})
}

// SavePolicy replaces a customer's policy for requests. All of its grants have copied it when SavePolicy returns.
func (s *Service) SavePolicy(
	ctx context.Context, who Caller, customer string, cmd access.PolicyCommand, o Options[*access.Customer],
) (*access.Customer, error) {
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, *access.Customer, error) {
		cust, err := s.Customer(ctx, customer)
		if err != nil {
			return access.Change{}, nil, err
		}
		members, err := s.Store.MembersOf(ctx, customer, cmd.Approvers)
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.PlanRequestPolicy(cust, members, cmd, s.planContext(who.Actor))
	})
	if !stands(err) {
		return out, err
	}
	return out, then(err, s.spreadRules(ctx, who, customer))
}

// NewRequestCode makes another code that the customer hands out. It is stored nowhere: only its digest is.
func (s *Service) NewRequestCode(ctx context.Context, who Caller, customer string) (string, *access.Customer, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	code := access.RequestCode(random)
	out, err := change(ctx, s, Options[*access.Customer]{}, func(ctx context.Context) (access.Change, *access.Customer, error) {
		cust, err := s.Customer(ctx, customer)
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.PlanRequestCode(cust, access.RequestCodeDigest(customer, code), s.planContext(who.Actor))
	})
	return code, out, err
}

// request does what is due for one request, or records its end.
func (d *Due) request(
	ctx context.Context, customer, id string, plan func(access.RequestFacts, access.PlanContext) (access.Change, error),
) error {
	return d.apply(ctx, func(ctx context.Context) (access.Change, error) {
		f, err := d.Store.RequestFacts(ctx, customer, id, "", nil)
		if err != nil {
			return access.Change{}, err
		}
		return plan(f, d.planContext())
	})
}
