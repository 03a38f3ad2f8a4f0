package httpapi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partneraccess/events"
)

// historyView is an event as it is listed (P17).
type historyView struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Time      time.Time         `json:"time"`
	Actor     actorView         `json:"actor"`
	Customer  *organisationView `json:"customer"`
	Partner   *organisationView `json:"partner"`
	Changes   alteredView       `json:"changes"`
	RequestID string            `json:"request_id,omitzero"`
	Data      events.Data       `json:"data" export:"json"`
}

// alteredView is what a change altered, and nothing else.
type alteredView []events.Change

// cell returns the changes as one text: level: view -> support; until: none -> 2027-03-01T00:00:00Z.
func (a alteredView) cell() string {
	value := func(v any) string {
		switch is := v.(type) {
		case nil:
			return "none"
		case []any:
			texts := make([]string, len(is))
			for i := range is {
				texts[i] = fmt.Sprint(is[i])
			}
			return strings.Join(texts, ", ")
		}
		return fmt.Sprint(v)
	}
	out := make([]string, len(a))
	for i, c := range a {
		out[i] = c.Field + ": " + value(c.Was) + " -> " + value(c.Is)
	}
	return strings.Join(out, "; ")
}

// actorView is who made a change.
type actorView struct {
	Kind  string `json:"kind"`
	Email string `json:"email,omitzero"`
	Name  string `json:"name,omitzero"`
	ID    string `json:"id,omitzero"` // of a partner's user
}

// viewEvent is an event as the customer's people and the provider see it. The id of a request is for the side that sent it, which chose it,
// and for the provider.
func (c *call) viewEvent(e *events.Event) historyView {
	v := historyView{
		ID: e.ID, Type: string(e.Type), Time: e.Time,
		Actor:    actorView{Kind: e.Actor.Kind, Email: e.Actor.Email, Name: e.Actor.Name, ID: e.Actor.ID},
		Customer: viewOrganisation(e.Customer), Partner: viewOrganisation(e.Partner), Changes: e.Data.Altered(), Data: e.Data,
	}
	v.Data.Changes = nil
	if c.who.kind == provider || string(c.who.actor().Kind) == e.Actor.Kind {
		v.RequestID = e.Request
	}
	return v
}

// viewPartnerEvent is an event as the partner sees it: without the note, which is the customer's own, and without the names of the
// customer's people, of whom it sees the addresses alone.
func (c *call) viewPartnerEvent(e *events.Event) historyView {
	v := c.viewEvent(e)
	v.Data.Note, v.Data.Approvers = "", nil
	v.Data.Fields = slices.DeleteFunc(slices.Clone(v.Data.Fields), func(f string) bool { return f == "note" })
	v.Changes = slices.DeleteFunc(slices.Clone(v.Changes), func(ch events.Change) bool { return ch.Field == "note" })
	if c.who.kind != provider && v.Actor.Kind == "customer" {
		v.Actor.Name = ""
	}
	return v
}
