package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// What is stored is an item, what is meant is a partner, a user, a grant: this file translates, both ways.
// Attributes that are empty are left out. Instants are UTC, fixed width, to the millisecond.

const stamp = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(stamp) }

// attr is one attribute of an item that was read: a string or number as text, a boolean as "1" or "", or a list of strings.
type attr struct {
	name string
	text string
	list []string
}

// item is an item that was read. Its attributes are a list because they are few and reading them must be cheap.
type item struct {
	attrs []attr
	err   error // the first attribute that could not be understood
}

// decode translates an item, or fails when an attribute is not what was written: nobody is let in on a guess.
func decode[T any](it *item, as func(*item) T) (T, error) {
	v := as(it)
	if it.err != nil {
		var none T
		return none, it.err
	}
	return v, nil
}

func (it *item) find(name string) *attr {
	for i := range it.attrs {
		if it.attrs[i].name == name {
			return &it.attrs[i]
		}
	}
	return nil
}

func (it *item) s(name string) string {
	if a := it.find(name); a != nil {
		return a.text
	}
	return ""
}

func (it *item) list(name string) []string {
	if a := it.find(name); a != nil {
		return a.list
	}
	return nil
}

func (it *item) has(name string) bool { return it.find(name) != nil }

func (it *item) b(name string) bool {
	s := it.s(name)
	if s != "" && s != "1" {
		it.check(name, errors.New("no boolean"))
	}
	return s == "1"
}

func (it *item) n(name string) int64 {
	a := it.find(name)
	if a == nil {
		return 0
	}
	n, err := strconv.ParseInt(a.text, 10, 64)
	it.check(name, err)
	return n
}

func (it *item) t(name string) time.Time {
	a := it.find(name)
	if a == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, a.text) // which Go reads faster than the layout of stamp
	if err == nil && (len(a.text) != len(stamp) || a.text[len(stamp)-1] != 'Z') {
		err = errors.New("not as instants are written here")
	}
	it.check(name, err)
	return t
}

func (it *item) level(name string) access.Level {
	l, ok := access.ParseLevel(it.s(name))
	if !ok {
		it.check(name, fmt.Errorf("no such level"))
	}
	return l
}

func (it *item) check(name string, err error) {
	if err != nil && it.err == nil {
		it.err = fmt.Errorf("item %s %s: attribute %s: %w", it.s(pk), it.s(sk), name, err)
	}
}

// fromSDK translates an item as the SDK reads it.
func fromSDK(m map[string]types.AttributeValue) *item {
	it := &item{attrs: make([]attr, 0, len(m))}
	for name, v := range m {
		a := attr{name: name}
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			a.text = v.Value
		case *types.AttributeValueMemberN:
			a.text = v.Value
		case *types.AttributeValueMemberBOOL:
			if v.Value {
				a.text = "1"
			}
		case *types.AttributeValueMemberL:
			for _, e := range v.Value {
				if s, ok := e.(*types.AttributeValueMemberS); ok {
					a.list = append(a.list, s.Value)
				}
			}
		default:
			continue
		}
		it.attrs = append(it.attrs, a)
	}
	return it
}

// draft is an item that is about to be written.
type draft map[string]types.AttributeValue

func newDraft(k Key) draft {
	return draft{pk: str(k.PK), sk: str(k.SK)}
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num[N ~int | ~int64](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
}

func (d draft) s(name, v string) {
	if v != "" {
		d[name] = str(v)
	}
}

func (d draft) n(name string, v int64) { d[name] = num(v) }

func (d draft) b(name string, v bool) {
	if v {
		d[name] = &types.AttributeValueMemberBOOL{Value: true}
	}
}

func (d draft) t(name string, v time.Time) {
	if !v.IsZero() {
		d[name] = str(timeText(v))
	}
}

func (d draft) list(name string, v []string) {
	if len(v) == 0 {
		return
	}
	l := make([]types.AttributeValue, len(v))
	for i, s := range v {
		l[i] = str(s)
	}
	d[name] = &types.AttributeValueMemberL{Value: l}
}

func (d draft) index1(pk, sk string) {
	d[gsi1pk] = str(pk)
	d[gsi1sk] = str(sk)
}

// due puts the item into the work that the clock brings; a zero instant leaves it out.
func (d draft) due(k Key, at time.Time) {
	if !at.IsZero() {
		d[gsi2pk] = str(duePK(dueShard(k)))
		d[gsi2sk] = str(dueSK(at, k))
	}
}

func partnerItem(p *access.Partner) draft {
	d := newDraft(partnerKey(p.ID))
	if p.Status != access.Removed { // a removed partner is in no list
		d.index1(directoryPK(directoryShard(p.ID)), directorySK(normalise(p.Name), p.ID))
	}
	d.s("id", p.ID)
	d.s("name", p.Name)
	d.s("class", string(p.Class))
	d.s("offer", p.Offer.String())
	d.b("sso", p.SSO)
	d.s("status", string(p.Status))
	d.s("parent", p.Parent)
	d.list("contacts", p.Contacts)
	d.t("created", p.Created)
	d.t("updated", p.Updated)
	d.n("version", p.Version)
	return d
}

func (it *item) partner() *access.Partner {
	return &access.Partner{
		ID: it.s("id"), Name: it.s("name"), Class: access.Class(it.s("class")), Offer: it.level("offer"), SSO: it.b("sso"),
		Status: access.Status(it.s("status")), Parent: it.s("parent"), Contacts: it.list("contacts"),
		Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
}

func headcountItem(h *access.Headcount) draft {
	d := newDraft(headcountKey(h.Partner))
	d.s("id", h.Partner)
	d.n("last", h.Last)
	d.n("staff", int64(h.Staff))
	d.n("owners", int64(h.Owners))
	d.n("version", h.Version)
	return d
}

func (it *item) headcount() *access.Headcount {
	return &access.Headcount{
		Partner: it.s("id"), Last: it.n("last"), Staff: int(it.n("staff")), Owners: int(it.n("owners")), Version: it.n("version"),
	}
}

func userItem(u *access.User) draft {
	d := newDraft(userKey(u.ID))
	d.s("id", u.ID)
	d.n("number", u.Number)
	d.s("email", u.Email)
	d.s("name", u.Name)
	d.s("phone", u.Phone)
	d.s("role", string(u.Role))
	d.s("status", string(u.Status))
	d.b("mfa", u.MFA)
	d.list("member_of", u.MemberOf)
	if u.Left > 0 {
		d.n("left", u.Left)
	}
	d.t("created", u.Created)
	d.t("updated", u.Updated)
	d.n("version", u.Version)
	return d
}

func (it *item) user() *access.User {
	id := it.s("id")
	return &access.User{
		ID: id, Partner: partnerOf(id), Number: it.n("number"), Email: it.s("email"), Name: it.s("name"), Phone: it.s("phone"),
		Role: access.Role(it.s("role")), Status: access.Status(it.s("status")), MFA: it.b("mfa"), MemberOf: it.list("member_of"), Left: it.n("left"),
		Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
}

func emailItem(e *access.Email) draft {
	d := newDraft(emailKey(e.Address))
	d.s("email", e.Address)
	d.s("user", e.User)
	d.list("member_of", e.MemberOf)
	d.n("version", e.Version)
	return d
}

func (it *item) email() *access.Email {
	return &access.Email{Address: it.s("email"), User: it.s("user"), MemberOf: it.list("member_of"), Version: it.n("version")}
}

func customerItem(c *access.Customer) draft {
	d := newDraft(customerKey(c.ID))
	d.s("id", c.ID)
	d.s("name", c.Name)
	d.s("domain", c.Domain)
	d.list("contacts", c.Contacts)
	d.s("status", string(c.Status))
	d.s("managed_by", c.ManagedBy)
	d.t("created", c.Created)
	d.t("updated", c.Updated)
	d.n("version", c.Version)
	return d
}

func (it *item) customer() *access.Customer {
	return &access.Customer{
		ID: it.s("id"), Name: it.s("name"), Domain: it.s("domain"), Contacts: it.list("contacts"), Status: access.Status(it.s("status")),
		ManagedBy: it.s("managed_by"), Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
}

func memberItem(m *access.Member) draft {
	d := newDraft(memberKey(m.Customer, m.Email))
	d.s("customer", m.Customer)
	d.s("email", m.Email)
	d.s("name", m.Name)
	d.b("admin", m.Admin)
	d.t("created", m.Created)
	d.n("version", m.Version)
	return d
}

func (it *item) member() *access.Member {
	return &access.Member{
		Customer: it.s("customer"), Email: it.s("email"), Name: it.s("name"), Admin: it.b("admin"), Created: it.t("created"), Version: it.n("version"),
	}
}

func grantItem(g *access.Grant) draft {
	d := newDraft(grantKey(g.Customer, g.Partner))
	d.index1(partnerIndexPK(g.Partner), customerIndexSK(g.Customer))
	d.due(grantKey(g.Customer, g.Partner), g.Due())
	d.s("id", g.ID)
	d.s("customer", g.Customer)
	d.s("partner", g.Partner)
	d.s("level", g.Level.String())
	d.s("state", string(g.State))
	d.t("from", g.From)
	d.t("until", g.Until)
	d.b("require_sso", g.RequireSSO)
	d.s("assigned_by", string(g.AssignedBy))
	d.b("managed", g.Managed)
	d.s("note", g.Note)
	d.b("everyone", g.Everyone)
	d.n("epoch", g.Epoch)
	d.n("up_to", g.UpTo)
	if g.UpToAt > 0 {
		d.n("up_to_at", g.UpToAt)
	}
	d.n("count", int64(g.Count))
	if e := g.End; e != nil {
		d.s("end_reason", string(e.Reason))
		d.t("end_at", e.At)
		d.s("end_by", e.By.Kind)
		d.s("end_email", e.By.Email)
	}
	d.t("told", g.Told)
	d.t("created", g.Created)
	d.t("updated", g.Updated)
	d.n("version", g.Version)
	if g.Quiet > 0 {
		d.n("quiet", g.Quiet)
	}
	return d
}

func (it *item) grant() *access.Grant {
	g := &access.Grant{
		ID: it.s("id"), Customer: it.s("customer"), Partner: it.s("partner"), Level: it.level("level"), State: access.State(it.s("state")),
		From: it.t("from"), Until: it.t("until"), RequireSSO: it.b("require_sso"), AssignedBy: access.Assigner(it.s("assigned_by")),
		Managed: it.b("managed"), Note: it.s("note"), Everyone: it.b("everyone"), Epoch: it.n("epoch"), UpTo: it.n("up_to"), UpToAt: it.n("up_to_at"),
		Count: int(it.n("count")), Told: it.t("told"), Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"), Quiet: it.n("quiet"),
	}
	if r := it.s("end_reason"); r != "" {
		g.End = &access.End{Reason: access.Reason(r), At: it.t("end_at"), By: access.By{Kind: it.s("end_by"), Email: it.s("end_email")}}
	}
	return g
}

func assignmentItem(a *access.Assignment) draft {
	d := newDraft(assignmentKey(a.Customer, a.User))
	d.index1(userIndexPK(a.User), customerIndexSK(a.Customer))
	d.s("customer", a.Customer)
	d.s("user", a.User)
	d.n("epoch", a.Epoch)
	d.b("out", a.Out)
	if a.Level != nil {
		d.s("level", a.Level.String())
	}
	d.t("at", a.At)
	d.n("version", a.Version)
	return d
}

func (it *item) assignment() *access.Assignment {
	user := it.s("user")
	a := &access.Assignment{
		Customer: it.s("customer"), Partner: partnerOf(user), User: user, Epoch: it.n("epoch"), Out: it.b("out"), At: it.t("at"), Version: it.n("version"),
	}
	if it.has("level") {
		l := it.level("level")
		a.Level = &l
	}
	return a
}

// eventItem stores an event where its customer's history is read and, through index 1, where its partner's is.
func eventItem(e events.Event) (draft, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Type, err)
	}
	var d draft
	switch {
	case e.Customer != nil:
		d = newDraft(customerEventKey(e.Customer.ID, e.ID))
	case e.Partner != nil:
		d = newDraft(partnerEventKey(e.Partner.ID, e.ID))
	default:
		return nil, fmt.Errorf("event %s concerns nobody", e.Type)
	}
	if e.Partner != nil {
		d.index1(partnerIndexPK(e.Partner.ID), eventSK(e.ID))
	}
	d.s("type", string(e.Type))
	d.s("event", string(data))
	return d, nil
}

func (it *item) event() (events.Event, error) {
	var e events.Event
	if err := json.NewDecoder(strings.NewReader(it.s("event"))).Decode(&e); err != nil {
		return e, fmt.Errorf("decode event: %w", err)
	}
	return e, nil
}
