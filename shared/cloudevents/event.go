package cloudevents

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partneraccess/events"
)

// The parts of each event that are always the same.
const (
	SpecVersion = "1.0"
	ContentType = "application/json"
	Schema      = "urn:partner-access:published:v1" // of the whole event: published.json in the folder events

	typePrefix = "com.partner-access."
	typeSuffix = ".v1"
)

// Event is one event as other systems get it.
type Event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`      // a ULID: the same for each copy of the event
	Source      string    `json:"source"`  // the address of the service, a URI
	Type        string    `json:"type"`    // such as com.partner-access.grant.ended.v1
	Subject     string    `json:"subject"` // what it is about: customers/acme/partners/contoso, customers/acme or partners/contoso
	Time        time.Time `json:"time"`    // of the change, UTC, to the millisecond
	ContentType string    `json:"datacontenttype"`
	Schema      string    `json:"dataschema"`

	// Feed is the feed that the event is in, customers/acme or partners/contoso, and Sequence its place there: 1, 2, 3 and so on without a
	// gap, as 20 digits that sort as texts. They are CloudEvents' extensions partitionkey and sequence.
	Feed     string `json:"partitionkey"`
	Sequence string `json:"sequence,omitzero"`

	Data Data `json:"data"`
}

// Data is what an event says; what does not apply is left out.
type Data struct {
	Customer string `json:"customer,omitzero"` // its id
	Partner  string `json:"partner,omitzero"`  // likewise
	Actor    *Actor `json:"actor,omitzero"`    // who made the change; absent in access.lost and access.gained

	// Of access.lost and access.gained.
	Match *Match     `json:"match,omitzero"` // whom it concerns
	Ask   *bool      `json:"ask,omitzero"`   // whether a check has to say who of them has less
	At    *time.Time `json:"at,omitzero"`    // when access ended or began, UTC

	Grant      string     `json:"grant,omitzero"`
	Version    int64      `json:"version,omitzero"` // of the changed record, after the change
	Level      string     `json:"level,omitzero"`   // after the change; of access.lost, the most that is left
	LevelWas   string     `json:"level_was,omitzero"`
	From       *time.Time `json:"from,omitzero"`
	FromWas    *time.Time `json:"from_was,omitzero"`
	Until      *time.Time `json:"until,omitzero"`
	UntilWas   *time.Time `json:"until_was,omitzero"`
	RequireSSO *bool      `json:"require_sso,omitzero"`
	SSOWas     *bool      `json:"require_sso_was,omitzero"`
	Reason     string     `json:"reason,omitzero"`
	Everyone   *bool      `json:"everyone,omitzero"`
	Added      []string   `json:"added,omitzero"` // ids of users, as in the following
	Changed    []string   `json:"changed,omitzero"`
	Removed    []string   `json:"removed,omitzero"`
	Unnamed    int        `json:"unnamed,omitzero"`
	UserCount  *int       `json:"user_count,omitzero"`
	AssignedBy string     `json:"assigned_by,omitzero"`
	Fields     []string   `json:"fields,omitzero"` // the names of what changed, as the API calls them
	Status     string     `json:"status,omitzero"`
	Days       int        `json:"days,omitzero"`
	AutoExtend string     `json:"auto_extend,omitzero"`
	Invitation string     `json:"invitation,omitzero"`
	Expires    *time.Time `json:"expires,omitzero"`
	Side       string     `json:"side,omitzero"`
	User       string     `json:"user,omitzero"` // the partner's user concerned
	Role       string     `json:"role,omitzero"`
	Request    string     `json:"request,omitzero"`
	Kind       string     `json:"kind,omitzero"`
	Asking     string     `json:"asking,omitzero"` // the partner that asks
	Job        string     `json:"job,omitzero"`
}

// Actor is who made a change: the side, and a partner's user.
type Actor struct {
	Kind string `json:"kind"` // provider, customer, partner or clock
	User string `json:"user,omitzero"`
}

// Match says whom access.lost and access.gained concern: who fits every member that is there. Without a member each fits.
type Match struct {
	Customer string `json:"customer,omitzero"`
	Partner  string `json:"partner,omitzero"`
	User     string `json:"user,omitzero"`
}

// FromEvent returns an event of the history as others get it, without its sequence. The source is the address of the service.
func FromEvent(source string, e events.Event) Event {
	d := dataOf(e.Data)
	d.Actor = &Actor{Kind: e.Actor.Kind, User: e.Actor.ID}
	d.Job = e.Job
	d.Customer, d.Partner = idOf(e.Customer), idOf(e.Partner)
	return newEvent(source, e.ID, string(e.Type), e.Time, d)
}

// newEvent returns the event about the customer and the partner that the data names.
func newEvent(source, id, name string, at time.Time, d Data) Event {
	e := Event{
		SpecVersion: SpecVersion, ID: id, Source: source, Type: typePrefix + name + typeSuffix, Time: at.UTC(), ContentType: ContentType,
		Schema: Schema, Data: d,
	}
	e.Feed = Feed(d.Customer, d.Partner)
	if e.Subject = e.Feed; d.Customer != "" && d.Partner != "" {
		e.Subject += "/partners/" + d.Partner
	}
	return e
}

// Feed is the name of the feed of the events about a customer, or about a partner when there is no customer.
func Feed(customer, partner string) string {
	if customer != "" {
		return "customers/" + customer
	}
	return "partners/" + partner
}

// At returns the event at its place in its feed, from 1 on.
func (e Event) At(sequence int64) Event {
	e.Sequence = Number(sequence)
	return e
}

// Number writes a place in a feed as sequences are written.
func Number(sequence int64) string { return fmt.Sprintf("%020d", sequence) }

// Name is the type as the history and the API call it, such as grant.ended.
func (e Event) Name() string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Type, typePrefix), typeSuffix)
}

// Names are the names of all types, sorted.
func Names() []string {
	out := []string{Lost, Gained}
	for _, t := range events.Types() {
		out = append(out, string(t))
	}
	slices.Sort(out)
	return out
}

// Wanted reports whether a name is among the patterns: names, or the beginnings of names with an asterisk for the rest, such as grant.*.
// Without a pattern each is.
func Wanted(name string, patterns []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		beginning, all := strings.CutSuffix(p, "*")
		return p == name || all && strings.HasPrefix(name, beginning)
	})
}

// Selects reports whether a pattern, as Wanted takes it, stands for any event: one that does not is a mistake which nobody would see.
func Selects(pattern string) bool {
	return slices.ContainsFunc(Names(), func(name string) bool { return Wanted(name, []string{pattern}) })
}

// dataOf returns what is published of an event's data.
func dataOf(d events.Data) Data {
	out := Data{
		Grant: d.Grant, Version: d.Version, Level: d.Level, LevelWas: d.LevelWas, From: d.From, FromWas: d.FromWas, Until: d.Until,
		UntilWas: d.UntilWas, RequireSSO: d.RequireSSO, SSOWas: d.SSOWas, Reason: d.Reason, Everyone: d.Everyone, Added: idsOf(d.Added),
		Changed: idsOf(d.Changed), Removed: idsOf(d.Removed), Unnamed: d.Unnamed, UserCount: d.UserCount, AssignedBy: d.AssignedBy,
		Fields: d.Fields, Status: d.Status, Days: d.Days, AutoExtend: d.AutoExtend, Invitation: d.Invitation, Expires: d.Expires, Side: d.Side,
		Role: d.Role, Request: d.AskedFor, Kind: d.Kind, Asking: idOf(d.Asking),
	}
	if d.Person != nil {
		out.User = d.Person.ID
	}
	return out
}

// idsOf returns the ids of users; people without one, who are known by their address, are left out.
func idsOf(people []events.Person) []string {
	var out []string
	for _, p := range people {
		if p.ID != "" {
			out = append(out, p.ID)
		}
	}
	return out
}

func idOf(o *events.Organisation) string {
	if o == nil {
		return ""
	}
	return o.ID
}
