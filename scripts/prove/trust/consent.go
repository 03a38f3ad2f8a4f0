package trust

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// level is how much may be done: 0 none, 1 view, 2 support, 3 manage.
type level int

func levels() []string { return []string{"none", "view", "support", "manage"} }

func levelOf(s string) level { return level(slices.Index(levels(), s)) }

// rank orders the roles of a partner's users.
func rank(role string) int {
	return map[string]int{"owner": 5, "admin": 4, "business": 3, "tech": 2, "sales_marketing": 2, "external": 1}[role]
}

// consent is what the customers and the provider have said, and what is known of accounts.
type consent struct {
	now       time.Time
	customers map[string]*customer
	partners  map[string]*partner
	accounts  map[string]*account
	order     []string // accounts by their age
}

type customer struct {
	id      string
	domain  string
	members map[string]bool // addresses; true = admin
	caps    map[string]level
	terms   map[string]*terms // by partner
	manager string

	admins    map[string]bool // addresses that are, or were, an admin's: mails about requests may still be on their way to them
	approvals int             // how many have to approve a request; 0: one
}

type partner struct {
	id, status, class string
	offer             level
	sso               bool
}

// account is a user of a partner.
type account struct {
	id, partner, role, status, address string

	held      []string        // every address that it has had
	conflicts map[string]bool // customers whose member the person was under one of them, and still is
}

// terms are what a customer has consented to with one partner.
type terms struct {
	opened    int // how many grants there were, this one included
	open      bool
	suspended bool
	sso       bool
	managed   bool
	level     level
	from      time.Time
	until     time.Time // zero: continuous
	byPartner bool      // the partner picks the users
	switched  int       // how often that changed
	everyone  bool
	named     map[string]string // accounts, with the domain that their address had
	limits    map[string]level  // accounts whom the partner invited, and whom nobody has picked since: what the inviter could give
}

// invitation is what was said of one.
type invitation struct {
	id, customer, partner, address, by string
	account                            string // of the partner's inviter
	inviter                            string // the address of whoever invited
	level                              level
	until                              time.Time
	expires                            time.Time
	opened                             int
	wasOpen                            bool
	switched                           int
	over                               bool
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

func within(address, domain string) bool {
	d := domainOf(address)
	return domain != "" && (d == domain || strings.HasSuffix(d, "."+domain))
}

// running returns whether the grant is neither ended nor run out.
func (c *consent) running(t *terms) bool {
	return t.open && (t.until.IsZero() || c.now.Before(t.until))
}

func (c *consent) termsOf(cust, part string) *terms {
	t := c.customers[cust].terms[part]
	if t == nil {
		t = &terms{named: map[string]string{}, limits: map[string]level{}}
		c.customers[cust].terms[part] = t
	}
	return t
}

// begin records a new grant.
func (c *consent) begin(t *terms, l level, from, until time.Time) {
	if from.Before(c.now) {
		from = c.now
	}
	*t = terms{opened: t.opened + 1, switched: t.switched, open: true, level: l, from: from, until: until}
	t.named, t.limits = map[string]string{}, map[string]level{}
}

// maxLevel is the highest level that the account may do at the customer.
func (c *consent) maxLevel(id, cust string) level {
	a, k := c.accounts[id], c.customers[cust]
	if a == nil || k == nil {
		return 0
	}
	t, p := k.terms[a.partner], c.partners[a.partner]
	_, member := k.members[a.address]
	switch {
	case t == nil, !c.running(t), t.suspended, c.now.Before(t.from):
		return 0
	case p.status != "active", p.class != "channel", t.sso && !p.sso:
		return 0
	case a.status != "active", member, a.conflicts[cust], within(a.address, k.domain):
		return 0
	case !t.byPartner && !t.managed && (!t.everyone || a.role == "external") && (t.named[id] == "" || t.named[id] != domainOf(a.address)):
		return 0
	}
	most := min(t.level, p.offer)
	if limit, ok := t.limits[id]; ok {
		most = min(most, limit)
	}
	for _, address := range a.held {
		if limit, ok := k.caps[address]; ok {
			most = min(most, limit)
		}
	}
	return most
}

// name records the accounts that a customer has named.
func (c *consent) name(t *terms, ids ...string) {
	for _, id := range ids {
		if a := c.accounts[id]; a != nil {
			t.named[id] = domainOf(a.address)
			delete(t.limits, id)
		}
	}
}

// usersOf are the partner's accounts that there are, without external ones unless they are asked for.
func (c *consent) usersOf(part string, external bool) []string {
	var out []string
	for _, id := range c.order {
		if a := c.accounts[id]; a.partner == part && a.status != "removed" && (external || a.role != "external") {
			out = append(out, id)
		}
	}
	return out
}

// choose records whether the partner or the customer assigns the users from now on. Those who have access keep it: the customer sees them.
func (c *consent) choose(t *terms, part string, byPartner bool) {
	if t.byPartner == byPartner {
		return
	}
	t.byPartner = byPartner
	t.switched++
	if !byPartner {
		c.name(t, c.usersOf(part, true)...)
	}
}

// switchEveryone records that all of the partner's staff have access, or that those who have it keep it and nobody is added.
func (c *consent) switchEveryone(t *terms, part string, on bool) {
	if t.everyone == on {
		return
	}
	t.everyone = on
	clear(t.limits)
	if on {
		t.named = map[string]string{}
	} else {
		c.name(t, c.usersOf(part, false)...)
	}
}

// readable tells whether the attackers read the mail that goes to the address. Under another one nobody of theirs has ever signed in: it is
// not proved.
func readable(address string) bool {
	switch domainOf(address) {
	case evil + ".example", hooli + ".example", "elsewhere.example", "other.example":
		return true
	}
	return false
}

// holder is the account that has the address.
func (c *consent) holder(address string) *account {
	for _, a := range c.accounts {
		if a.address == address && a.status != "removed" {
			return a
		}
	}
	return nil
}

// recordUser records an account as it is now, and what follows for the customers that named it.
func (c *consent) recordUser(id, part, role, status, address string) {
	a := c.accounts[id]
	if a == nil {
		a = &account{id: id, partner: part, conflicts: map[string]bool{}}
		c.accounts[id] = a
		c.order = append(c.order, id)
	}
	if a.address != "" && domainOf(a.address) != domainOf(address) { // another person
		for _, k := range c.customers {
			if t := k.terms[part]; t != nil {
				delete(t.named, id)
			}
		}
	}
	a.role, a.status = role, status
	if a.address != address {
		a.address = address
		a.held = append(a.held, address)
	}
	c.conflicts(a)
}

// conflicts records that a person is a customer's member, too.
func (c *consent) conflicts(a *account) {
	for id, k := range c.customers {
		if _, member := k.members[a.address]; member && a.status != "removed" {
			a.conflicts[id] = true
		}
	}
}

// joined and left record a customer's members.
func (c *consent) joined(cust, address string, admin bool) {
	c.customers[cust].members[address] = admin
	if admin {
		c.customers[cust].admins[address] = true
	}
	for _, a := range c.accounts {
		c.conflicts(a)
	}
}

func (c *consent) left(cust, address string) {
	delete(c.customers[cust].members, address)
	for _, a := range c.accounts {
		if slices.Contains(a.held, address) {
			still := false
			for other := range maps.Keys(c.customers[cust].members) {
				still = still || slices.Contains(a.held, other)
			}
			a.conflicts[cust] = a.conflicts[cust] && still
		}
	}
}

// stands returns whether an invitation can be accepted.
func (c *consent) stands(i *invitation) bool {
	t, p := c.termsOf(i.customer, i.partner), c.partners[i.partner]
	k := c.customers[i.customer]
	if i.over || !c.now.Before(i.expires) || p.status != "active" || p.class != "channel" || p.offer == 0 {
		return false
	}
	switch {
	case i.wasOpen && (t.opened != i.opened || !c.running(t)),
		!i.wasOpen && t.opened > i.opened && (t.opened > i.opened+1 || !c.running(t)):
		return false // the grant that it was for has ended
	case !i.wasOpen && !i.until.IsZero() && (!c.now.Before(i.until) || c.running(t) && (t.until.IsZero() || t.until.After(i.until))):
		return false // what was offered has ended, or lasts longer now
	case i.by == "customer":
		return k.members[i.inviter] && (t.managed || k.manager == "" || k.manager == i.partner)
	}
	a := c.accounts[i.account]
	return t.byPartner && t.switched == i.switched && a != nil && a.status == "active" && rank(a.role) >= rank("business") &&
		domainOf(a.address) == domainOf(i.inviter)
}
