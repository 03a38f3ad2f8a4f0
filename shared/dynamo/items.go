package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// Translates between items and the domain's records, both ways. Empty attributes are left out. Instants are UTC, of fixed width, to the
// millisecond.

// instantLayout is how instants are written in the table.
const instantLayout = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(instantLayout) }

// parseTime returns the instant that timeText has written, and refuses every other form of it.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s) // Go reads it faster than instantLayout
	if err != nil || len(s) != len(instantLayout) || s[len(s)-1] != 'Z' {
		return t, errors.New("not as instants are written here") // Parse's error quotes the text, and errors are logged
	}
	return t, nil
}

// attr is one attribute of an item: a string or number as text, a boolean as "1" or "", or a list of strings.
type attr struct {
	name string
	text string
	list []string
}

// item is an item that was read. Its attributes are a list, which is the cheapest for so few.
type item struct {
	attrs []attr
	err   error // the first attribute that could not be understood
}

// decode translates an item. It fails when an attribute has another form than this package writes: no access is granted on a guess.
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

func (it *item) b(name string) bool {
	a := it.find(name)
	return a != nil && it.boolOf(a)
}

func (it *item) boolOf(a *attr) bool {
	if a.text != "" && a.text != "1" {
		it.check(a.name, errors.New("no boolean"))
	}
	return a.text == "1"
}

func (it *item) n(name string) int64 {
	a := it.find(name)
	if a == nil {
		return 0
	}
	return it.numberOf(a)
}

func (it *item) numberOf(a *attr) int64 {
	n, err := strconv.ParseInt(a.text, 10, 64)
	if err != nil {
		err = errors.New("no whole number") // ParseInt's error quotes the text, and errors are logged
	}
	it.check(a.name, err)
	return n
}

func (it *item) t(name string) time.Time {
	a := it.find(name)
	if a == nil {
		return time.Time{}
	}
	return it.timeOf(a)
}

func (it *item) timeOf(a *attr) time.Time {
	t, err := parseTime(a.text)
	it.check(a.name, err)
	return t
}

func (it *item) level(name string) access.Level {
	a := it.find(name)
	if a == nil {
		a = &attr{name: name}
	}
	return it.levelOf(a)
}

func (it *item) levelOf(a *attr) access.Level {
	l, ok := access.ParseLevel(a.text)
	if !ok {
		it.check(a.name, errors.New("no such level"))
	}
	return l
}

func (it *item) caps(name string) access.Caps {
	a := it.find(name)
	if a == nil {
		return nil
	}
	return it.capsOf(a)
}

// capsOf decodes what draft.caps writes: each cap is a level, a space and an address.
func (it *item) capsOf(a *attr) access.Caps {
	caps := make(access.Caps, len(a.list))
	for _, s := range a.list {
		level, address, ok := strings.Cut(s, " ")
		l, known := access.ParseLevel(level)
		if !ok || !known {
			it.check(a.name, errors.New("no cap"))
			continue
		}
		caps[address] = l
	}
	return caps
}

func (it *item) check(name string, err error) {
	if err != nil && it.err == nil {
		it.err = fmt.Errorf("item %s: attribute %s: %w", Key{it.s(pk), it.s(sk)}.loggable(), name, err)
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

// draft is an item to be written.
type draft map[string]types.AttributeValue

func newDraft(k Key) draft {
	return draft{pk: str(k.PK), sk: str(k.SK)}
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num[N ~int | ~int64](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
}

// list is an attribute that is a list of texts.
func list(texts ...string) types.AttributeValue {
	l := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
	for _, t := range texts {
		l.Value = append(l.Value, str(t))
	}
	return l
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
	d[name] = list(v...)
}

func (d draft) caps(caps access.Caps) {
	var list []string
	for _, address := range slices.Sorted(maps.Keys(caps)) {
		list = append(list, caps[address].String()+" "+address)
	}
	d.list("caps", list)
}

func (d draft) index1(pk, sk string) {
	d[gsi1pk] = str(pk)
	d[gsi1sk] = str(sk)
}

// due adds the item to the work that is due at that instant; a zero instant leaves it out.
func (d draft) due(k Key, at time.Time) {
	if !at.IsZero() {
		d[gsi2pk] = str(duePK(dueShard(k)))
		d[gsi2sk] = str(dueSK(at, k))
	}
}

// dueFor is due for items outside an organisation's partition. The index key names the organisation, so that organisations can take turns.
func (d draft) dueFor(k Key, at time.Time, organisation string) {
	if d.due(k, at); !at.IsZero() && organisation != "" {
		d[gsi2sk] = str(dueSK(at, k) + "#" + organisation)
	}
}

func partnerItem(p *access.Partner) draft {
	d := newDraft(partnerKey(p.ID))
	if p.Status == access.Removed {
		d.index1(removedPK(directoryShard(p.ID)), p.ID)
	} else {
		d.index1(directoryPK(directoryShard(p.ID)), directorySK(normalise(p.Name), p.ID))
	}
	d.s("id", p.ID)
	d.s("name", p.Name)
	d.s("class", string(p.Class))
	d.s("offer", p.Offer.String())
	d.b("sso", p.SSO)
	d.b("owner_sets_sso", p.OwnerSetsSSO)
	d.n(rules, decisionRules)
	d.s("status", string(p.Status))
	d.s("parent", p.Parent)
	d.list("contacts", p.Contacts)
	d.list("domains", p.Domains)
	d.t("created", p.Created)
	d.t("updated", p.Updated)
	d.s(changed, string(p.Changed))
	d.n("version", p.Version)
	return d
}

func (it *item) partner() *access.Partner {
	return &access.Partner{
		ID: it.s("id"), Name: it.s("name"), Class: access.Class(it.s("class")), Offer: it.level("offer"), SSO: it.b("sso"),
		Status: access.Status(it.s("status")), Parent: it.s("parent"), Contacts: it.list("contacts"), Domains: it.list("domains"),
		OwnerSetsSSO: it.b("owner_sets_sso"),
		Created:      it.t("created"), Updated: it.t("updated"), Changed: it.stamp(), Version: it.n("version"),
	}
}

func headcountItem(h *access.Headcount) draft {
	d := newDraft(headcountKey(h.Partner))
	d.s("id", h.Partner)
	d.n("last", h.LastNumber)
	d.n("staff", int64(h.Staff))
	d.n("owners", int64(h.Owners))
	d.s(changed, string(h.Changed))
	d.n("version", h.Version)
	return d
}

func (it *item) headcount() *access.Headcount {
	return &access.Headcount{
		Partner: it.s("id"), LastNumber: it.n("last"), Staff: int(it.n("staff")), Owners: int(it.n("owners")),
		Changed: it.stamp(), Version: it.n("version"),
	}
}

func userItem(u *access.User) draft {
	d := newDraft(formerUserKey(u.ID))
	if u.Status != access.Removed {
		d = newDraft(userKey(u.ID))
		d.index1(partnerIndexPK(partnerOf(u.ID)), userIndexSK(u))
	}
	d.s("id", u.ID)
	d.n("number", u.Number)
	d.n(rules, decisionRules)
	d.s("email", u.Email)
	d.b("unproved", u.Unproved)
	d.list("former", u.FormerEmails)
	d.aliases(u)
	d.s("name", u.Name)
	d.s("phone", u.Phone)
	d.s("role", string(u.Role))
	d.s("status", string(u.Status))
	d.b("mfa", u.MFA)
	d.list("member_of", u.MemberOf)
	if u.RemovalHeadcountVersion > 0 {
		d.n("left", u.RemovalHeadcountVersion)
	}
	d.t("missed", u.ActivationMissedAt)
	d.t("created", u.Created)
	d.t("updated", u.Updated)
	d.s(changed, string(u.Changed))
	d.n("version", u.Version)
	return d
}

func (it *item) user() *access.User {
	id := it.s("id")
	return &access.User{
		ID: id, Partner: partnerOf(id), Number: it.n("number"), Email: it.s("email"), Unproved: it.b("unproved"),
		FormerEmails: it.list("former"), Name: it.s("name"), Phone: it.s("phone"),
		Role: access.Role(it.s("role")), Status: access.Status(it.s("status")), MFA: it.b("mfa"), MemberOf: it.list("member_of"),
		RemovalHeadcountVersion: it.n("left"), ActivationMissedAt: it.t("missed"),
		Created: it.t("created"), Updated: it.t("updated"), Changed: it.stamp(), Version: it.n("version"),
	}
}

func emailItem(e *access.Email) draft {
	d := newDraft(emailKey(e.Address))
	d.s("email", e.Address)
	d.s("user", e.User)
	d.list("member_of", e.MemberOf)
	d.list("former", e.FormerUsers)
	d.s("account", e.Account)
	d.s("language", e.Preferences.Language)
	d.s("zone", e.Preferences.Zone)
	d.n("version", e.Version)
	return d
}

func (it *item) email() *access.Email {
	return &access.Email{
		Address: it.s("email"), User: it.s("user"), MemberOf: it.list("member_of"), FormerUsers: it.list("former"),
		Account: it.s("account"), Preferences: access.Preferences{Language: it.s("language"), Zone: it.s("zone")}, Version: it.n("version"),
	}
}

func domainItem(r *access.Domain) draft {
	d := newDraft(domainKey(r.Name))
	d.s("name", r.Name)
	d.list("customers", r.Customers)
	d.s("partner", r.Partner)
	d.n("version", r.Version)
	return d
}

func (it *item) domain() *access.Domain {
	return &access.Domain{Name: it.s("name"), Customers: it.list("customers"), Partner: it.s("partner"), Version: it.n("version")}
}

func customerItem(c *access.Customer) draft {
	d := newDraft(customerKey(c.ID))
	if c.Status != access.Removed {
		d.index1(customersPK(directoryShard(c.ID)), directorySK(normalise(c.Name), c.ID))
	}
	d.s("id", c.ID)
	d.s("name", c.Name)
	d.s("domain", c.Domain)
	d.list("contacts", c.Contacts)
	d.s("status", string(c.Status))
	d.s("managed_by", c.ManagedBy)
	d.caps(c.Caps)
	d.b("inviting", c.HasInvitations)
	d.b("asked", c.HasRequests)
	d.policy(c.Requests)
	d.t("created", c.Created)
	d.t("updated", c.Updated)
	d.s(changed, string(c.Changed))
	d.n("version", c.Version)
	return d
}

func (it *item) customer() *access.Customer {
	return &access.Customer{
		ID: it.s("id"), Name: it.s("name"), Domain: it.s("domain"), Contacts: it.list("contacts"), Status: access.Status(it.s("status")),
		ManagedBy: it.s("managed_by"), Caps: it.caps("caps"), HasInvitations: it.b("inviting"), HasRequests: it.b("asked"), Requests: it.policy(),
		Created: it.t("created"), Updated: it.t("updated"), Changed: it.stamp(),
		Version: it.n("version"),
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
		Customer: it.s("customer"), Email: it.s("email"), Name: it.s("name"), Admin: it.b("admin"), Created: it.t("created"),
		Version: it.n("version"),
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
	d.t("chosen", g.AssignedBySince)
	d.b("managed", g.Managed)
	d.s("note", g.Note)
	d.s("message", g.Message)
	d.s("domain", g.Domain)
	d.n(rules, decisionRules)
	d.caps(g.Caps)
	d.aliasCaps(g.Caps)
	d.s("asking", string(g.Asking))
	if g.RulesVersion > 0 {
		d.n("ruled", g.RulesVersion)
	}
	d.b("everyone", g.Everyone)
	d.n("epoch", g.Epoch)
	d.n("up_to", g.EveryoneUpTo)
	if g.EveryoneUpToVersion > 0 {
		d.n("up_to_at", g.EveryoneUpToVersion)
	}
	d.t("everyone_at", g.EveryoneSince)
	d.s("everyone_by", string(g.EveryoneBy.Kind))
	d.s("everyone_email", g.EveryoneBy.Email)
	d.n("count", int64(g.Count))
	if e := g.End; e != nil {
		d.s("end_reason", string(e.Reason))
		d.t("end_at", e.At)
		d.s("end_by", string(e.By.Kind))
		d.s("end_email", e.By.Email)
	}
	if g.AutoExtend > 0 {
		d.n("extend", int64(g.AutoExtend/(24*time.Hour))) // days
	}
	d.t("earlier", g.PreviousEnd)
	d.t("told", g.NotifiedUntil)
	d.t("created", g.Created)
	d.t("updated", g.Updated)
	d.s(changed, string(g.Changed))
	d.n("version", g.Version)
	if g.HiddenVersions > 0 {
		d.n("quiet", g.HiddenVersions)
	}
	return d
}

func (it *item) grant() *access.Grant {
	g := &access.Grant{}
	it.grantInto(g)
	return g
}

// grantInto decodes into a grant that is allocated already, in one pass over the attributes: a batch of questions reads many.
func (it *item) grantInto(g *access.Grant) { //nolint:funlen // a case for each attribute
	var end access.End
	level := &attr{name: "level"} // one without is damaged
	for i := range it.attrs {
		switch a := &it.attrs[i]; a.name {
		case "id":
			g.ID = a.text
		case "customer":
			g.Customer = a.text
		case "partner":
			g.Partner = a.text
		case "level":
			level = a
		case "state":
			g.State = access.State(a.text)
		case "from":
			g.From = it.timeOf(a)
		case "until":
			g.Until = it.timeOf(a)
		case "require_sso":
			g.RequireSSO = it.boolOf(a)
		case "assigned_by":
			g.AssignedBy = access.Assigner(a.text)
		case "chosen":
			g.AssignedBySince = it.timeOf(a)
		case "managed":
			g.Managed = it.boolOf(a)
		case "note":
			g.Note = a.text
		case "message":
			g.Message = a.text
		case "domain":
			g.Domain = a.text
		case "caps":
			g.Caps = it.capsOf(a)
		case "asking":
			g.Asking = access.RequestMode(a.text)
		case "ruled":
			g.RulesVersion = it.numberOf(a)
		case "everyone":
			g.Everyone = it.boolOf(a)
		case "epoch":
			g.Epoch = it.numberOf(a)
		case "up_to":
			g.EveryoneUpTo = it.numberOf(a)
		case "up_to_at":
			g.EveryoneUpToVersion = it.numberOf(a)
		case "everyone_at":
			g.EveryoneSince = it.timeOf(a)
		case "everyone_by":
			g.EveryoneBy.Kind = access.ActorKind(a.text)
		case "everyone_email":
			g.EveryoneBy.Email = a.text
		case "count":
			g.Count = int(it.numberOf(a))
		case "end_reason":
			end.Reason = access.Reason(a.text)
		case "end_at":
			end.At = it.timeOf(a)
		case "end_by":
			end.By.Kind = access.ActorKind(a.text)
		case "end_email":
			end.By.Email = a.text
		case "extend":
			g.AutoExtend = time.Duration(it.numberOf(a)) * 24 * time.Hour
		case "earlier":
			g.PreviousEnd = it.timeOf(a)
		case "told":
			g.NotifiedUntil = it.timeOf(a)
		case "created":
			g.Created = it.timeOf(a)
		case "updated":
			g.Updated = it.timeOf(a)
		case changed:
			g.Changed = access.Stamp(a.text)
		case "version":
			g.Version = it.numberOf(a)
		case "quiet":
			g.HiddenVersions = it.numberOf(a)
		}
	}
	g.Level = it.levelOf(level)
	if end.Reason != "" {
		g.End = &access.End{Reason: end.Reason, At: end.At, By: end.By} // a copy, lest every grant's is allocated
	}
}

// assignmentItem is an assignment without the last use, which stays as it is in the row: see transaction.assignment.
func assignmentItem(a *access.Assignment) draft {
	d := newDraft(assignmentKey(a.Customer, a.User))
	d.index1(userIndexPK(a.User), customerIndexSK(a.Customer))
	d.s("customer", a.Customer)
	d.s("user", a.User)
	d.n(rules, decisionRules)
	d.n("epoch", a.Epoch)
	d.b("out", a.Excluded)
	if a.Level != nil {
		d.s("level", a.Level.String())
	}
	d.s("by", string(a.By))
	if a.Number > 0 {
		d.n("number", a.Number)
	}
	d.t("at", a.At)
	d.s("granter", string(a.Granter.Kind))
	d.s("granter_email", a.Granter.Email)
	d.n("version", a.Version)
	return d
}

func (it *item) assignment() *access.Assignment {
	a := &access.Assignment{}
	it.assignmentInto(a)
	return a
}

// assignmentInto is for assignments what grantInto is for grants.
func (it *item) assignmentInto(as *access.Assignment) {
	as.Epoch = access.NoEpoch // of a row that holds the last use only
	for i := range it.attrs {
		switch a := &it.attrs[i]; a.name {
		case "customer":
			as.Customer = a.text
		case "user":
			as.User, as.Partner = a.text, partnerOf(a.text)
		case "epoch":
			as.Epoch = it.numberOf(a)
		case "out":
			as.Excluded = it.boolOf(a)
		case "level":
			l := it.levelOf(a)
			as.Level = &l
		case "by":
			as.By = access.Assigner(a.text)
		case "number":
			as.Number = it.numberOf(a)
		case "at":
			as.At = it.timeOf(a)
		case "granter":
			as.Granter.Kind = access.ActorKind(a.text)
		case "granter_email":
			as.Granter.Email = a.text
		case "version":
			as.Version = it.numberOf(a)
		case used:
			as.LastUse.On = access.Day(a.text)
		case usedBy:
			as.LastUse.Number = it.numberOf(a)
		}
	}
}

// eventItem returns the item of an event: in the history of its customer and, by index 1, in that of its partner.
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
