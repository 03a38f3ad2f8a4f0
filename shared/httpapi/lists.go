package httpapi

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// listStore reads what is listed.
type listStore interface {
	Partner(ctx context.Context, id string) (*access.Partner, error)
	Customer(ctx context.Context, id string) (*access.Customer, error)
	User(ctx context.Context, id string) (*access.User, error)
	CustomerGrants(ctx context.Context, c *access.Customer, f access.GrantFilter, ask access.PageAsk) (access.Page[access.GrantRow], error)
	PartnerCustomers(ctx context.Context, p *access.Partner, f access.GrantFilter, ask access.PageAsk) (access.Page[access.GrantRow], error)
	GrantUsers(ctx context.Context, g *access.Grant, ask access.PageAsk) (access.Page[access.GrantUser], error)
	Users(ctx context.Context, partner, query string, onlyActive bool, ask access.PageAsk) (access.Page[access.User], error)
	Members(ctx context.Context, customer string, ask access.PageAsk) (access.Page[access.Member], error)
	Customers(ctx context.Context, query string, ask access.PageAsk) (access.Page[access.Customer], error)
	SubPartners(ctx context.Context, parent string, ask access.PageAsk) (access.Page[access.Partner], error)
	Partners(ctx context.Context, query string, keep func(*access.Partner) bool, ask access.PageAsk) (access.Page[access.Partner], error)
	CustomerHistory(ctx context.Context, customer string, f access.HistoryFilter, ask access.PageAsk) (access.Page[events.Event], error)
	PartnerHistory(ctx context.Context, partner string, f access.HistoryFilter, ask access.PageAsk) (access.Page[events.Event], error)
}

// customer is the customer that the path names, unless there is none or it was removed.
func (c *call) customer(ctx context.Context) (*access.Customer, error) {
	out, err := c.api.Store.Customer(ctx, c.PathValue("customer"))
	if err == nil && (out == nil || out.Status == access.Removed) {
		return nil, nothingHere()
	}
	return out, err
}

// partner is the partner that the path names. Customers see only those that could be let in.
func (c *call) partner(ctx context.Context) (*access.Partner, error) {
	out, err := c.api.Store.Partner(ctx, c.PathValue("partner"))
	if err == nil && (out == nil || out.Status == access.Removed || c.who.kind == anyCustomer && !inDirectory(out)) {
		return nil, nothingHere()
	}
	return out, err
}

// inDirectory tells whether customers find the partner in the directory: it is one that they could grant access to (D9, D10, D16).
func inDirectory(p *access.Partner) bool {
	return p.Status == access.Active && p.Class == access.Channel && p.Offer > access.None
}

type meView struct {
	Email     string             `json:"email"`
	Provider  bool               `json:"provider"`
	Customers []myMembershipView `json:"customers"`
	Partner   *myPartnerView     `json:"partner"`
	Removed   string             `json:"removed_partner,omitzero"` // the partner's name
}

type myMembershipView struct {
	Customer organisationView `json:"customer"`
	Role     string           `json:"role"`
}

type myPartnerView struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Status string   `json:"status"`
	User   userView `json:"user"`
}

func getMe(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	c.prove(ctx)
	out := meView{Email: c.who.id.Email, Provider: c.Claims.Has(ScopeDirectory) && !strings.Contains(c.Claims.Account, ":"), Customers: []myMembershipView{}}
	ms, err := c.api.Store.Memberships(ctx, c.who.id.Email, c.who.id.MemberOf)
	if err != nil {
		return reply{}, err
	}
	for _, m := range ms {
		out.Customers = append(out.Customers, myMembershipView{Customer: viewCustomerName(m.Customer), Role: viewMember(m.Member).Role})
	}
	if p := c.who.id.Partner; p != nil && p.Status == access.Removed {
		out.Removed = p.Name
	} else if p != nil {
		out.Partner = &myPartnerView{ID: p.ID, Name: p.Name, Status: string(p.Status), User: viewUser(c.who.id.User, true)}
	}
	return reply{status: 200, body: out}, nil
}

// prove writes down that the caller's address is proved, since the token says that it is verified. The answer does not wait for a table that is busy: the
// next request tries again.
func (c *call) prove(ctx context.Context) {
	u := c.who.id.User
	if u == nil || !u.Unproved {
		return
	}
	err := c.api.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		now, err := c.api.Store.User(ctx, u.ID)
		if err != nil {
			return access.Change{}, nil, err
		}
		change := access.PlanProved(now, c.who.id.Email, c.moment())
		if !change.Empty() {
			c.who.id.User = change.Writes[0].(access.UserWrite).After
		}
		return change, nil, nil
	})
	if err != nil {
		c.api.Log.Warn("an address stays unproved for now", "request_id", c.RequestID, "user", u.ID, "error", err.Error())
	}
}

func getCustomer(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	cust, err := c.customer(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: cust.Version, body: viewCustomer(cust)}, nil
}

// statuses are all that a grant can have.
func statuses() []string {
	return []string{"requested", "scheduled", "active", "suspended", "expired", "ended"}
}

// grantFilter reads q and status.
func (c *call) grantFilter() (access.GrantFilter, access.PageAsk, string, error) {
	ask, q, digest, err := pageAsk(c.Request, "q", "status")
	f := access.GrantFilter{Now: c.api.now(), Query: access.SearchText(q.Get("q"))}
	if err != nil {
		return f, ask, digest, err
	}
	if s := q.Get("status"); s != "" {
		f.Statuses = strings.Split(s, ",")
		for _, s := range f.Statuses {
			if !slices.Contains(statuses(), s) {
				return f, ask, digest, access.Refuse(access.Invalid, "status is one or more, separated by commas, of: %s", strings.Join(statuses(), ", ")).At("?status")
			}
		}
	}
	return f, ask, digest, checkQuery(q)
}

// checkQuery refuses a search that no name could match.
func checkQuery(q url.Values) error {
	if s := q.Get("q"); s != "" && !access.ValidName(access.SearchText(s)) {
		return access.Refuse(access.Invalid, "a search has at most 200 characters on one line").At("?q")
	}
	return nil
}

func listGrants(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.grantFilter()
	if err != nil {
		return reply{}, err
	}
	cust, err := c.customer(ctx)
	if err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.CustomerGrants(ctx, cust, f, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(r *access.GrantRow) grantView { return viewGrant(*r, f.Now) }), nil
}

// relation is the grant that the path names, with both sides.
func (c *call) relation(ctx context.Context) (access.Relation, error) {
	r, err := c.api.Store.Relation(ctx, c.PathValue("customer"), c.PathValue("partner"), nil, false)
	if err == nil && (r.Grant == nil || r.Partner == nil || r.Customer == nil || r.Customer.Status == access.Removed) {
		return r, nothingHere()
	}
	return r, err
}

func getGrant(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	r, err := c.relation(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{
		status: 200, version: r.Grant.Edition(),
		body: viewGrant(access.GrantRow{Grant: r.Grant, Customer: r.Customer, Partner: r.Partner, Headcount: r.Headcount}, c.api.now()),
	}, nil
}

func listGrantUsers(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	r, err := c.relation(ctx)
	if err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.GrantUsers(ctx, r.Grant, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(u *access.GrantUser) grantUserView { return viewGrantUser(r.Grant, r.Partner, *u) }), nil
}

func listMembers(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	if _, err := c.customer(ctx); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.Members(ctx, c.PathValue("customer"), ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(m *access.Member) memberView { return viewMember(m) }), nil
}

func listPartners(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "q")
	if err != nil {
		return reply{}, err
	}
	if err := checkQuery(q); err != nil {
		return reply{}, err
	}
	keep := func(p *access.Partner) bool { return p.Status != access.Removed }
	if c.who.kind == anyCustomer {
		keep = inDirectory
	}
	page, err := c.api.Store.Partners(ctx, access.SearchText(q.Get("q")), keep, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(p *access.Partner) partnerView { return viewPartner(p, c.who.kind == provider) }), nil
}

func getPartner(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	p, err := c.partner(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: p.Version, body: viewPartner(p, c.who.kind != anyCustomer)}, nil
}

func getAccount(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	p, err := c.partner(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: p.Version, body: viewAccount(p)}, nil
}

func listUsers(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "q")
	if err != nil {
		return reply{}, err
	}
	if err := checkQuery(q); err != nil {
		return reply{}, err
	}
	if _, err := c.partner(ctx); err != nil {
		return reply{}, err
	}
	customer := c.who.kind == anyCustomer
	page, err := c.api.Store.Users(ctx, c.PathValue("partner"), access.SearchText(q.Get("q")), customer, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(u *access.User) userView { return viewUser(u, !customer) }), nil
}

// user is the partner's user that the path names.
func (c *call) user(ctx context.Context) (*access.User, error) {
	id := c.PathValue("user")
	if !access.ValidUserID(id) || !strings.HasPrefix(id, c.PathValue("partner")+":") {
		return nil, nothingHere()
	}
	u, err := c.api.Store.User(ctx, id)
	if err == nil && (u == nil || u.Status == access.Removed) {
		return nil, nothingHere()
	}
	return u, err
}

func getUser(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	u, err := c.user(ctx)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: u.Version, body: viewUser(u, true)}, nil
}

func listCustomers(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.grantFilter()
	if err != nil {
		return reply{}, err
	}
	p, err := c.partner(ctx)
	if err != nil {
		return reply{}, err
	}
	if u := c.who.id.User; u != nil && c.who.kind != provider {
		f.For, f.OnlyMine = u.ID, c.who.kind == external
	}
	page, err := c.api.Store.PartnerCustomers(ctx, p, f, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(r *access.GrantRow) partnerCustomerView { return c.api.viewPartnerCustomer(*r, f.Now) }), nil
}

// getPartnerCustomer is one customer as the partner sees it. An external user sees those that it can enter, like in the list.
func getPartnerCustomer(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	var me []string
	if u := c.who.id.User; u != nil && c.who.kind != provider {
		me = []string{u.ID}
	}
	r, err := c.api.Store.Relation(ctx, c.PathValue("customer"), c.PathValue("partner"), me, false)
	if err != nil {
		return reply{}, err
	}
	if r.Grant == nil || r.Partner == nil || r.Partner.Status == access.Removed || r.Customer == nil || r.Customer.Status == access.Removed {
		return reply{}, nothingHere()
	}
	row := access.GrantRow{Grant: r.Grant, Customer: r.Customer, Partner: r.Partner, Headcount: r.Headcount}
	for _, id := range me {
		row.You = access.Facts{Partner: r.Partner, User: r.Users[id], Grant: r.Grant, Assignment: r.Assignments[id]}
	}
	now := c.api.now()
	if _, in := access.Enters(row.You, r.Customer.ID, now); c.who.kind == external && !in {
		return reply{}, nothingHere()
	}
	return reply{status: 200, version: r.Grant.Edition(), body: c.api.viewPartnerCustomer(row, now)}, nil
}

// listSubPartners lists the partners below one by name, and nothing of what they may enter (W3, W12).
func listSubPartners(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	p, err := c.partner(ctx)
	if err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.SubPartners(ctx, p.ID, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(p *access.Partner) organisationView { return viewPartnerName(p) }), nil
}

func listAllCustomers(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "q")
	if err != nil {
		return reply{}, err
	}
	if err := checkQuery(q); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.Customers(ctx, q.Get("q"), ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, func(customer *access.Customer) customerView { return viewCustomer(customer) }), nil
}

// historyFilter reads type, from and until.
func (c *call) historyFilter() (access.HistoryFilter, access.PageAsk, string, error) {
	var f access.HistoryFilter
	ask, q, digest, err := pageAsk(c.Request, "type", "from", "until")
	if err != nil {
		return f, ask, digest, err
	}
	var wrong findings
	f.Type = events.Type(q.Get("type"))
	if f.Type != "" && !slices.Contains(events.Types(), f.Type) {
		wrong.add("?type", "there is no such event: the types stand in the contract")
	}
	if s := q.Get("from"); s != "" {
		if f.From, err = parseInstant(s); err != nil {
			wrong.add("?from", err.Error())
		}
	}
	if s := q.Get("until"); s != "" {
		if f.Until, err = parseInstant(s); err != nil {
			wrong.add("?until", err.Error())
		}
	}
	return f, ask, digest, wrong.err()
}

func listCustomerHistory(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.historyFilter()
	if err != nil {
		return reply{}, err
	}
	if _, err := c.customer(ctx); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.CustomerHistory(ctx, c.PathValue("customer"), f, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, viewEvent), nil
}

func listPartnerHistory(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.historyFilter()
	if err != nil {
		return reply{}, err
	}
	if _, err := c.partner(ctx); err != nil {
		return reply{}, err
	}
	page, err := c.api.Store.PartnerHistory(ctx, c.PathValue("partner"), f, ask)
	if err != nil {
		return reply{}, err
	}
	return listed(page, digest, viewPartnerEvent), nil
}
