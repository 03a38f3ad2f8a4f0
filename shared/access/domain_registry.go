package access

import (
	"maps"
	"slices"
	"strings"
)

// Domain is one domain of e-mail addresses that belongs to somebody: to the customers that registered it as their own (D7, P5), or to the
// partner that the provider confirmed it for, in which no other partner makes users. It belongs to one side alone.
type Domain struct {
	Name      string
	Customers []string // sorted
	Partner   string   // "" = none
	Version   int64
}

// Limits of the registry.
const (
	// MaxDomains is how many domains can be confirmed for one partner.
	MaxDomains = 20
	// maxRegistrations is how many customers can register one domain: the record has room for them.
	maxRegistrations = 1000
)

// Domains are records of the registry, by name. A domain that belongs to nobody has none.
type Domains map[string]*Domain

// DomainNames are the domain of an address, or of a domain itself, and those above it that have two labels or more: x@eu.acme.example
// belongs to eu.acme.example and to acme.example.
func DomainNames(address string) []string {
	name := address[strings.LastIndexByte(address, '@')+1:]
	var out []string
	for strings.Contains(name, ".") {
		out = append(out, name)
		_, name, _ = strings.Cut(name, ".")
	}
	return out
}

// ofCustomers reports whether customers have registered the domain of an address, or one above it.
func (d Domains) ofCustomers(address string) bool {
	return slices.ContainsFunc(DomainNames(address), func(name string) bool { return d[name] != nil && len(d[name].Customers) > 0 })
}

// partner is the partner that the domain of an address is confirmed for, "" for none. The domain closest to the address decides.
func (d Domains) partner(address string) string {
	for _, name := range DomainNames(address) {
		if r := d[name]; r != nil && r.Partner != "" {
			return r.Partner
		}
	}
	return ""
}

// register plans that a customer's domain is another one. Either may be "". It refuses a domain that belongs to a partner.
func (d Domains) register(customer, was, is string) ([]Write, error) {
	var out []Write
	if is != "" {
		if p := d.partner(is); p != "" {
			return nil, Refuse(DomainTaken, "the domain %s is confirmed for partner %s: take it from that partner first", is, p).At("/domain")
		}
		next := d.next(is)
		if next.Customers = toggled(next.Customers, customer, true); len(next.Customers) > maxRegistrations {
			return nil, Refuse(Invalid,
				"%d customers have registered the domain %s already, and more are not possible", maxRegistrations, is).At("/domain")
		}
		if r := d[is]; r == nil || !slices.Contains(r.Customers, customer) {
			out = append(out, DomainWrite{Before: r, After: next})
		}
	}
	if r := d[was]; was != is && r != nil && slices.Contains(r.Customers, customer) {
		next := d.next(was)
		next.Customers = toggled(next.Customers, customer, false)
		out = append(out, domainWrite(r, next))
	}
	return out, nil
}

// confirm plans that a partner has other domains. It refuses those that belong to customers or to another partner.
func (d Domains) confirm(partner string, was, are []string) ([]Write, error) {
	var out []Write
	for _, name := range are {
		for _, above := range DomainNames(name) {
			switch r := d[above]; {
			case r != nil && len(r.Customers) > 0:
				return nil, Refuse(DomainTaken,
					"the domain %s is registered by customer %s: it can be no partner's", above, r.Customers[0]).At("/domains")
			case r != nil && r.Partner != "" && r.Partner != partner:
				return nil, Refuse(DomainTaken,
					"the domain %s is confirmed for partner %s: take it from that partner first", above, r.Partner).At("/domains")
			}
		}
		if d[name] == nil {
			next := d.next(name)
			next.Partner = partner
			out = append(out, DomainWrite{After: next})
		}
	}
	for _, name := range was {
		if r := d[name]; r != nil && r.Partner == partner && !slices.Contains(are, name) {
			next := d.next(name)
			next.Partner = ""
			out = append(out, domainWrite(r, next))
		}
	}
	return out, nil
}

// next is a copy of the record for the next version of it.
func (d Domains) next(name string) *Domain {
	next := Domain{Name: name}
	if r := d[name]; r != nil {
		next = *r
	}
	next.Version++
	return &next
}

// domainWrite deletes the record of a domain that belongs to nobody any more.
func domainWrite(before, after *Domain) DomainWrite {
	if len(after.Customers) == 0 && after.Partner == "" {
		after = nil
	}
	return DomainWrite{Before: before, After: after}
}

// DomainNamesOf returns the names of the records that a plan about these addresses or domains reads, each once, sorted.
func DomainNamesOf(addresses ...string) []string {
	names := map[string]bool{}
	for _, a := range addresses {
		for _, name := range DomainNames(a) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
