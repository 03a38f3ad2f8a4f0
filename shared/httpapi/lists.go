package httpapi

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

type meView struct {
	Email     string             `json:"email"`
	Provider  bool               `json:"provider"`
	Customers []myMembershipView `json:"customers"`
	Partner   *myPartnerView     `json:"partner"`
	Removed   string             `json:"removed_partner,omitzero"` // the partner's name

	Preferences preferencesView `json:"preferences"`
	Languages   []string        `json:"languages"` // that there are
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
	me, err := c.service.Me(ctx, c.caller())
	if err != nil {
		return reply{}, err
	}
	provider := c.Claims.Has(ScopeDirectory) && !strings.Contains(c.Claims.Account, ":")
	out := meView{
		Email: me.Identity.Email, Provider: provider, Customers: []myMembershipView{}, Languages: c.api.Languages,
		Preferences: viewPreferences(me.Identity.Preferences),
	}
	for _, m := range me.Memberships {
		out.Customers = append(out.Customers, myMembershipView{Customer: viewCustomerName(m.Customer), Role: viewMember(m.Member).Role})
	}
	if p := me.Identity.Partner; p != nil && p.Status == access.Removed {
		out.Removed = p.Name
	} else if p != nil {
		out.Partner = &myPartnerView{ID: p.ID, Name: p.Name, Status: string(p.Status), User: viewUser(me.Identity.User, true)}
	}
	return reply{status: 200, body: out}, nil
}

func getCustomer(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	cust, err := c.service.Customer(ctx, c.PathValue("customer"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: cust.Version, body: viewCustomer(cust)}, nil
}

// grantFilter reads the filter and the order of a list of grants.
func (c *call) grantFilter() (access.GrantFilter, access.PageRequest, string, error) {
	ask, q, digest, err := pageAsk(c.Request, "q", "status", "level", "everyone", "ends_before", "changed_since", "sort", "at")
	f := access.GrantFilter{Now: c.api.now(), Query: access.SearchText(q.Get("q")), Order: access.GrantsByName}
	if err != nil {
		return f, ask, digest, err
	}
	var wrong findings
	if s := q.Get("status"); s != "" {
		f.Statuses = strings.Split(s, ",")
		if slices.ContainsFunc(f.Statuses, func(s string) bool { return !slices.Contains(service.GrantStatuses(), s) }) {
			wrong.add("?status", "status is one or more, separated by commas, of: "+strings.Join(service.GrantStatuses(), ", "))
		}
	}
	f.Levels = levelsIn(q.Get("level"), &wrong, access.None, access.View, access.Support, access.Manage)
	f.Everyone = boolIn(q, "everyone", &wrong)
	f.EndsBefore, f.ChangedSince = instantIn(q, "ends_before", &wrong), instantIn(q, "changed_since", &wrong)
	if f.Past = c.pastIn(q, &wrong); !f.Past.At.IsZero() {
		f.Now = f.Past.At
	}
	if s := q.Get("sort"); s != "" {
		f.MustSort = true
		f.Order, f.Descending = orderIn(s, &wrong, access.GrantsByName, access.GrantsByEnd, access.GrantsByUsers)
	}
	if err := wrong.err(); err != nil {
		return f, ask, digest, err
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
	page, err := c.service.CustomerGrants(ctx, c.PathValue("customer"), f, ask)
	return countedReply(page.Page, page.Total, viewPast(f.Past, page.Missing), err, digest,
		func(r *access.GrantRow) grantView { return viewGrant(*r, f.Now) })
}

func getGrant(ctx context.Context, c *call) (reply, error) {
	of, err := c.onlyPast()
	if err != nil {
		return reply{}, err
	}
	if !of.At.IsZero() {
		row, missing, err := c.service.GrantAt(ctx, c.PathValue("customer"), c.PathValue("partner"), of)
		if err != nil {
			return reply{}, err
		}
		return reply{status: 200, body: pastGrantView{viewGrant(row, of.At), *viewPast(of, missing)}}, nil
	}
	row, err := c.service.GrantOf(ctx, c.PathValue("customer"), c.PathValue("partner"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: row.Grant.PublicVersion(), body: viewGrant(row, c.api.now())}, nil
}

func listGrantUsers(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	row, page, err := c.service.GrantUsers(ctx, c.PathValue("customer"), c.PathValue("partner"), ask)
	return listReply(page, err, digest, func(u *access.GrantUser) grantUserView { return viewGrantUser(row.Grant, row.Partner, *u) })
}

func listMembers(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.Members(ctx, c.PathValue("customer"), ask)
	return listReply(page, err, digest, func(m *access.Member) memberView { return viewMember(m) })
}

func listPartners(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "q")
	if err != nil {
		return reply{}, err
	}
	if err := checkQuery(q); err != nil {
		return reply{}, err
	}
	page, err := c.service.Partners(ctx, c.caller(), q.Get("q"), ask)
	return listReply(page, err, digest, func(p *access.Partner) partnerView { return viewPartner(p, c.who.kind == provider) })
}

func getPartner(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	p, err := c.service.Partner(ctx, c.caller(), c.PathValue("partner"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: p.Version, body: viewPartner(p, c.who.kind != anyMember)}, nil
}

func getAccount(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	p, err := c.service.Partner(ctx, c.caller(), c.PathValue("partner"))
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
	page, err := c.service.Users(ctx, c.caller(), c.PathValue("partner"), q.Get("q"), ask)
	return listReply(page, err, digest, func(u *access.User) userView { return viewUser(u, c.who.kind != anyMember) })
}

func getUser(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	u, err := c.service.User(ctx, c.PathValue("partner"), c.PathValue("user"))
	return replyWith(userReply, u, err)
}

func listCustomers(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.grantFilter()
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.PartnerCustomers(ctx, c.caller(), c.PathValue("partner"), f, ask)
	return countedReply(page.Page, page.Total, viewPast(f.Past, page.Missing), err, digest, func(r *access.GrantRow) partnerCustomerView {
		return c.api.viewPartnerCustomer(*r, f.Now)
	})
}

// getPartnerCustomer is one customer as the partner sees it. An external user sees those that it has access to, as in the list.
func getPartnerCustomer(ctx context.Context, c *call) (reply, error) {
	of, err := c.onlyPast()
	if err != nil {
		return reply{}, err
	}
	if !of.At.IsZero() {
		row, missing, err := c.service.PartnerCustomerAt(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), of)
		if err != nil {
			return reply{}, err
		}
		return reply{status: 200, body: pastPartnerCustomerView{c.api.viewPartnerCustomer(row, of.At), *viewPast(of, missing)}}, nil
	}
	row, err := c.service.PartnerCustomer(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: row.Grant.PublicVersion(), body: c.api.viewPartnerCustomer(row, c.api.now())}, nil
}

// listSubPartners lists the partners below one by name, without the customers of each (W3, W12).
func listSubPartners(ctx context.Context, c *call) (reply, error) {
	ask, _, digest, err := pageAsk(c.Request)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.SubPartners(ctx, c.caller(), c.PathValue("partner"), ask)
	return listReply(page, err, digest, func(p *access.Partner) organisationView { return viewPartnerName(p) })
}

func listAllCustomers(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "q")
	if err != nil {
		return reply{}, err
	}
	if err := checkQuery(q); err != nil {
		return reply{}, err
	}
	page, err := c.service.Customers(ctx, q.Get("q"), ask)
	return listReply(page, err, digest, func(customer *access.Customer) customerView { return viewCustomer(customer) })
}

// historyFilter reads type, from, until, person and actor, and other: customer or partner, the other side of the events.
func (c *call) historyFilter(other string) (access.HistoryFilter, access.PageRequest, string, error) {
	var f access.HistoryFilter
	ask, q, digest, err := pageAsk(c.Request, "type", "from", "until", "person", "actor", other)
	if err != nil {
		return f, ask, digest, err
	}
	var wrong findings
	f.Type = events.Type(q.Get("type"))
	if f.Type != "" && !slices.Contains(events.Types(), f.Type) {
		wrong.add("?type", "there is no such event: the types stand in the contract")
	}
	f.From, f.Until = instantIn(q, "from", &wrong), instantIn(q, "until", &wrong)
	f.Customer, f.Partner = q.Get("customer"), q.Get("partner")
	if id := q.Get(other); id != "" && !access.ValidID(id) {
		wrong.add("?"+other, "this is no id of a "+other)
	}
	f.Person, f.Actor = personText(q.Get("person")), q.Get("actor")
	if f.Person == "" && q.Get("person") != "" {
		wrong.add("?person", "a person is an e-mail address or a user's id")
	}
	if f.Actor != "" && !slices.Contains(access.ActorKinds(), access.ActorKind(f.Actor)) {
		if f.Actor = personText(f.Actor); f.Actor == "" {
			wrong.add("?actor", "an actor is provider, customer, partner or clock, an e-mail address, or a user's id")
		}
	}
	return f, ask, digest, wrong.err()
}

// instantIn reads an instant of a filter; zero when it is not given, or wrong.
func instantIn(q url.Values, name string, wrong *findings) time.Time {
	s := q.Get(name)
	if s == "" {
		return time.Time{}
	}
	t, err := parseInstant(s)
	if err != nil {
		wrong.add("?"+name, err.Error())
	}
	return t
}

// personText is an e-mail address as it is stored, or a user's id; "" when the text is neither.
func personText(s string) string {
	if access.ValidUserID(s) {
		return s
	}
	address, _ := access.ParseEmail(s)
	return address
}

func listCustomerHistory(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.historyFilter("partner")
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.CustomerHistory(ctx, c.PathValue("customer"), f, ask)
	return listReply(page, err, digest, c.viewEvent)
}

func listPartnerHistory(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.historyFilter("customer")
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.PartnerHistory(ctx, c.caller(), c.PathValue("partner"), f, ask)
	return listReply(page, err, digest, c.viewPartnerEvent)
}
