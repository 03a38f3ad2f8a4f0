package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// The resource types that every catalogue knows.
const (
	CustomerType = "customer" // a customer's tenant
	PartnerType  = "partner"  // a partner's own portal, decided by the user's role
)

// Catalogue says which actions a level and a role allow. It is read-only once made.
//
// A pattern is an action, a prefix that ends in "*" ("store:*"), "*" for everything, or one of these after "!", which denies what
// the others allow. A level allows what the lower levels allow, too.
type Catalogue struct {
	levels  [Manage + 1]patterns
	roles   map[Role]patterns
	types   map[string]ResourceType
	actions []string // the named actions of customers, sorted
	portal  []string // the named actions of the portal, sorted
}

// ResourceType is a kind of thing that a customer owns.
type ResourceType struct {
	// Self: a resource of this type stands for the customer itself, its id being the customer's. Otherwise the customer is
	// named by the resource's property "customer".
	Self bool `json:"self"`
}

type patterns struct {
	exact           map[string]bool // true allows, false denies
	allowedPrefixes []string
	deniedPrefixes  []string // of actions that are denied
}

func parsePatterns(ps []string) (patterns, error) {
	c := patterns{exact: map[string]bool{}}
	for _, p := range ps {
		name, out := strings.CutPrefix(p, "!")
		stem, prefix := strings.CutSuffix(name, "*")
		if (name == "" && !prefix) || strings.ContainsAny(stem, "*! \t\r\n") {
			return c, fmt.Errorf("%q is no pattern: write an action, a prefix that ends in *, or one of these after an exclamation mark", p)
		}
		switch {
		case prefix && out:
			c.deniedPrefixes = append(c.deniedPrefixes, stem)
		case prefix:
			c.allowedPrefixes = append(c.allowedPrefixes, stem)
		case out:
			c.exact[name] = false
		default:
			if _, said := c.exact[name]; !said {
				c.exact[name] = true
			}
		}
	}
	return c, nil
}

func (c *patterns) allow(action string) bool {
	if yes, said := c.exact[action]; said && !yes {
		return false
	}
	for _, p := range c.deniedPrefixes {
		if strings.HasPrefix(action, p) {
			return false
		}
	}
	if c.exact[action] {
		return true
	}
	for _, p := range c.allowedPrefixes {
		if strings.HasPrefix(action, p) {
			return true
		}
	}
	return false
}

// catalogueFile is how a provider writes its catalogue down.
type catalogueFile struct {
	Levels        map[string][]string     `json:"levels"`         // view, support, manage: patterns
	Roles         map[string][]string     `json:"roles"`          // patterns of the portal
	Actions       []string                `json:"actions"`        // further names that a search for actions lists
	PortalActions []string                `json:"portal_actions"` // the same for the portal
	ResourceTypes map[string]ResourceType `json:"resource_types"` // of customers, beside "customer"
}

// ParseCatalogue reads a provider's own catalogue, which replaces the default one as a whole.
func ParseCatalogue(data []byte) (*Catalogue, error) {
	var f catalogueFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("catalogue: something follows the JSON object")
	}
	return newCatalogue(f)
}

func newCatalogue(f catalogueFile) (*Catalogue, error) {
	c := &Catalogue{roles: map[Role]patterns{}, types: map[string]ResourceType{CustomerType: {Self: true}}}
	for name := range f.Levels {
		if l, ok := ParseLevel(name); !ok || l == None {
			return nil, fmt.Errorf("catalogue: levels: %q is not view, support or manage", name)
		}
	}
	var all []string
	for l := View; l <= Manage; l++ {
		all = append(all, f.Levels[l.String()]...)
		p, err := parsePatterns(all)
		if err != nil {
			return nil, fmt.Errorf("catalogue: levels: %s: %w", l, err)
		}
		c.levels[l] = p
	}
	c.actions = literalActions(all, f.Actions)
	var portal []string
	for name, ps := range f.Roles {
		if !Role(name).employee() {
			return nil, fmt.Errorf("catalogue: roles: %q is not owner, admin, business, tech or sales_marketing", name)
		}
		p, err := parsePatterns(ps)
		if err != nil {
			return nil, fmt.Errorf("catalogue: roles: %s: %w", name, err)
		}
		c.roles[Role(name)] = p
		portal = append(portal, ps...)
	}
	c.portal = literalActions(portal, f.PortalActions)
	for name, t := range f.ResourceTypes {
		if name == "" || name == PartnerType || name == CustomerType && !t.Self {
			return nil, fmt.Errorf("catalogue: resource_types: %q has a meaning of its own", name)
		}
		c.types[name] = t
	}
	return c, nil
}

// literalActions returns the actions that are named in full, not as patterns, sorted, each once.
func literalActions(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		for _, p := range l {
			if !strings.ContainsAny(p, "*!") {
				out = append(out, p)
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// DefaultCatalogue is what holds when the provider names none (D3, D24, W6, W9, A16, P1, P3, P4, P8-P11). A product asks for
// notifications:receive before it sends a person news about a customer.
func DefaultCatalogue() *Catalogue {
	// Every employee signs in to the same systems (P1, P3) and sees its partner's tickets and history (P4), whatever its role.
	employee := func(more ...string) []string {
		return append([]string{"portal:sign_in", "academy:*", "knowledge_base:*", "tickets:read", "history:read"}, more...)
	}
	c, err := newCatalogue(catalogueFile{
		Levels: map[string][]string{
			"view":    {"sign_in", "insights:read", "metrics:read", "dashboard:read", "capacity:read", "notifications:receive"},
			"support": {"reports:read", "user_activity:read"},
			"manage":  {"*"},
		},
		Roles: map[string][]string{
			"owner":           {"*"},
			"admin":           {"*", "!account:*"},
			"business":        employee("store:*", "licences:*", "integrations:*", "clients:*", "employees:*", "admin_pages:*"),
			"tech":            employee("devices:*", "device_status:*", "tickets:*", "apis:*"),
			"sales_marketing": employee("marketing:read", "prices:read", "store:buy"),
		},
		PortalActions: []string{
			"academy:read", "account:read", "account:write", "admin_pages:read", "admin_pages:write", "apis:read", "apis:write", "clients:read",
			"clients:write",
			"device_audit:read", "device_status:read", "devices:read", "devices:write", "employees:read", "employees:write", "history:read",
			"integrations:read", "integrations:write", "knowledge_base:read", "licences:read", "licences:write", "marketing:read", "portal:sign_in",
			"prices:read", "round_trips:read", "store:buy", "store:read", "tickets:read", "tickets:write",
		},
	})
	if err != nil {
		panic(err)
	}
	return c
}

// Resource returns what a resource type stands for; false when the catalogue does not know it.
func (c *Catalogue) Resource(name string) (ResourceType, bool) {
	t, ok := c.types[name]
	return t, ok
}

// allows reports whether a level allows the action, and whether any level does.
func (c *Catalogue) allows(l Level, action string) (yes, higher bool) {
	if l > None && c.levels[l].allow(action) {
		return true, true
	}
	for h := l + 1; h <= Manage; h++ {
		if c.levels[h].allow(action) {
			return false, true
		}
	}
	return false, false
}

func (c *Catalogue) roleAllows(r Role, action string) bool {
	p, ok := c.roles[r]
	return ok && p.allow(action)
}

// CustomerActions are the named actions in customers' tenants, sorted.
func (c *Catalogue) CustomerActions() []string { return c.actions }

// PortalActions are the named actions in partners' portals, sorted.
func (c *Catalogue) PortalActions() []string { return c.portal }

// employeeRoles are those of a partner's employees: the users who have an account.
func employeeRoles() []Role { return []Role{Owner, Admin, Business, Tech, SalesMarketing} }

func (r Role) employee() bool { return slices.Contains(employeeRoles(), r) }
