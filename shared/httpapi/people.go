package httpapi

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"partneraccess/shared/access"
)

// personAccessView is a person who can come in to a customer's tenant.
type personAccessView struct {
	User    personView       `json:"user"`
	Partner organisationView `json:"partner"`
	accessView
}

// personCustomerView is a customer whose tenant a person can enter.
type personCustomerView struct {
	Customer organisationView `json:"customer"`
	accessView
}

// accessView is one person's access to one customer's tenant.
type accessView struct {
	Level        string     `json:"level"` // the effective one
	GrantedLevel string     `json:"granted_level"`
	Why          string     `json:"why"`
	Cap          textOrNull `json:"cap"`
	Since        time.Time  `json:"since"`
	Until        *time.Time `json:"until"`
	GrantedBy    *byView    `json:"granted_by"`
	LastUsedOn   textOrNull `json:"last_used_on"`
}

func viewAccess(p *access.Person) accessView {
	v := accessView{
		Level: p.Level.String(), GrantedLevel: p.Grant.Level.String(), Why: string(p.Why()), Since: p.Since(), Until: timeOrNull(p.Grant.Until),
		LastUsedOn: textOrNull(p.LastUsed()),
	}
	if most, capped := p.Grant.Caps.Of(p.User); capped {
		v.Cap = textOrNull(most.String())
	}
	if by := p.Granter(); by.Kind != "" {
		v.GrantedBy = &byView{Kind: string(by.Kind), Email: by.Email}
	}
	return v
}

func viewPerson(p *access.Person) personAccessView {
	u := p.User
	return personAccessView{personView{u.ID, u.Name, u.Email, u.Role}, viewPartnerName(p.Partner), viewAccess(p)}
}

func viewPersonCustomer(p *access.Person) personCustomerView {
	return personCustomerView{viewCustomerName(p.Customer), viewAccess(p)}
}

// countedListView is a page of a list with how many rows the whole list has; null = they were not counted.
type countedListView[T any] struct {
	Items      []T     `json:"items"`
	Total      *int    `json:"total"`
	NextCursor *string `json:"next_cursor"`
	*PastView
}

// peopleFilter reads the filter and the order of a list of people or of their customers.
func (c *call) peopleFilter(own []string, orders ...access.PeopleOrder) (access.PeopleFilter, access.PageRequest, string, error) {
	f := access.PeopleFilter{Now: c.api.now(), Order: access.OrderName}
	ask, q, digest, err := pageAsk(c.Request, append(own, "q", "level", "ends_before", "unused_since", "sort")...)
	if err != nil {
		return f, ask, digest, err
	}
	var wrong findings
	f.Query, f.Partner = access.SearchText(q.Get("q")), q.Get("partner")
	if err := checkQuery(q); err != nil {
		return f, ask, digest, err
	}
	if f.Partner != "" && !access.ValidID(f.Partner) {
		wrong.add("?partner", "this is no partner's id")
	}
	f.Levels = levelsIn(q.Get("level"), &wrong, access.View, access.Support, access.Manage)
	f.EndsBefore = instantIn(q, "ends_before", &wrong)
	if s := q.Get("unused_since"); s != "" {
		var ok bool
		if f.UnusedSince, ok = access.ParseDay(s); !ok {
			wrong.add("?unused_since", "this is a day, such as 2026-09-01: who used the access on it or later is left out")
		}
	}
	if s := q.Get("sort"); s != "" {
		f.Order, f.Descending = orderIn(s, &wrong, orders...)
	}
	if count := boolIn(q, "count", &wrong); count != nil {
		f.Count = *count
	}
	if f.Past = c.pastIn(q, &wrong); !f.Past.At.IsZero() {
		f.Now = f.Past.At
		if f.UnusedSince != "" || f.Order == access.OrderLastUsed {
			wrong.add("?at", "the last use is known of now alone: leave out unused_since, and sort by something else")
		}
	}
	return f, ask, digest, wrong.err()
}

// orderIn reads one of the orders, which a - before it turns round.
func orderIn[T ~string](s string, wrong *findings, orders ...T) (order T, descending bool) {
	name, descending := strings.CutPrefix(s, "-")
	if order = T(name); !slices.Contains(orders, order) {
		names := make([]string, len(orders))
		for i, o := range orders {
			names[i] = string(o)
		}
		wrong.add("?sort", "this list is sorted by one of: "+strings.Join(names, ", ")+"; a - before it turns the order round")
	}
	return order, descending
}

// boolIn reads true or false; nil when it is not given, or wrong.
func boolIn(q url.Values, name string, wrong *findings) *bool {
	switch s := q.Get(name); s {
	case "":
	case "true", "false":
		return new(s == "true")
	default:
		wrong.add("?"+name, "this is true or false")
	}
	return nil
}

// levelsIn reads one or more of the levels, separated by commas.
func levelsIn(s string, wrong *findings, levels ...access.Level) []access.Level {
	if s == "" {
		return nil
	}
	var out []access.Level
	for name := range strings.SplitSeq(s, ",") {
		l, ok := access.ParseLevel(name)
		if !ok || !slices.Contains(levels, l) {
			names := make([]string, len(levels))
			for i, l := range levels {
				names[i] = l.String()
			}
			wrong.add("?level", "level is one or more, separated by commas, of: "+strings.Join(names, ", "))
			return nil
		}
		out = append(out, l)
	}
	return out
}

// countedReply is listReply for a list with a total.
func countedReply[T, V any](
	p access.Page[T], total *int, past *PastView, err error, digest string, view func(*T) V,
) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	out := countedListView[V]{Items: make([]V, len(p.Items)), Total: total, NextCursor: cursor(digest, p.Next), PastView: past}
	for i := range p.Items {
		out.Items[i] = view(&p.Items[i])
	}
	return reply{status: 200, body: out}, nil
}

func listPeople(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.peopleFilter([]string{"partner", "count", "at"},
		access.OrderName, access.OrderPartner, access.OrderEnd, access.OrderLastUsed)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.People(ctx, c.PathValue("customer"), f, ask)
	return countedReply(page.Page, page.Total, viewPast(f.Past, page.Missing), err, digest, viewPerson)
}

func listPersonCustomers(ctx context.Context, c *call) (reply, error) {
	f, ask, digest, err := c.peopleFilter(nil, access.OrderName, access.OrderEnd, access.OrderLastUsed)
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.CustomersOfPerson(ctx, c.caller(), c.PathValue("partner"), c.PathValue("user"), f, ask)
	return countedReply(page.Page, page.Total, nil, err, digest, viewPersonCustomer)
}
