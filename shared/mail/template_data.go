package mail

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// view is what the templates render. Texts that people have entered are sanitized, on one line.
type view struct {
	l      Letter
	s      Settings
	w      *wording
	Secret string
}

func (v view) d() events.Data { return v.l.Event.Data }

// Product is the product's name.
func (v view) Product() string { return v.s.Product }

// Customer is the customer's name, shortened.
func (v view) Customer() string { return short(organisation(v.l.Event.Customer)) }

// Partner is the partner's name, shortened.
func (v view) Partner() string { return short(organisation(v.l.Event.Partner)) }

func organisation(o *events.Organisation) string {
	switch {
	case o == nil:
		return ""
	case o.Name == "":
		return o.ID
	}
	return o.Name
}

// By is who made the change, as the beginning of a sentence.
func (v view) By() string {
	e := v.l.Event
	var side string
	switch e.Actor.Kind {
	case "customer":
		side = v.Customer()
	case "partner":
		side = v.Partner()
	case "provider":
		side = v.T("by.team") // it begins a sentence
	default:
		return v.s.Product
	}
	switch {
	case e.Actor.Email == "" || e.Actor.Kind == "provider":
		return side
	case side == "":
		return shownAddress(e.Actor.Email)
	}
	return shownAddress(e.Actor.Email) + " (" + side + ")"
}

// shownAddress is an address as it is, when it is one, with an international domain in Unicode.
func shownAddress(a string) string {
	if strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"():/\`, r) }) {
		return singleLine(a)
	}
	return access.ShownEmail(a)
}

// Clock reports whether the change was made by a date, and not by a person.
func (v view) Clock() bool { return v.l.Event.Actor.Kind == "clock" }

// Email is the recipient's address.
func (v view) Email() string { return shownAddress(v.l.To) }

// Person is the person whom the event is about, with the address.
func (v view) Person() string { return v.named(v.d().Person, 60) }

// AccessEnded reports whether a change of address ended the person's access.
func (v view) AccessEnded() bool { return v.d().Reason != "" }

// PersonName is the person's name, or the address.
func (v view) PersonName() string {
	p := v.d().Person
	if p == nil || p.Name == "" {
		return v.Person()
	}
	return short(p.Name)
}

// PersonEmail is the person's address.
func (v view) PersonEmail() string {
	if p := v.d().Person; p != nil {
		return shownAddress(p.Email)
	}
	return ""
}

// Registered reports whether the person has made the account with an invitation's link.
func (v view) Registered() bool { return v.d().Invitation != "" }

// MemberRole is what a customer's member is registered as.
func (v view) MemberRole() string {
	if v.d().Role == "admin" {
		return v.T("member.admin")
	}
	return v.T("member.member")
}

// Inviter is who has invited.
func (v view) Inviter() string {
	side := v.Customer()
	if v.d().Side == "partner" {
		side = v.Partner()
	}
	if in := v.d().Inviter; in != nil && (in.Name != "" || in.Email != "") {
		return v.T("person.of", "person", v.named(in, 60), "organisation", side)
	}
	return side
}

// named is a person's name and address, as far as they are known.
func (v view) named(p *events.Person, most int) string {
	switch {
	case p == nil:
		return ""
	case p.Name != "" && p.Email != "":
		return singleLine(cut(p.Name, most)) + " (" + shownAddress(p.Email) + ")"
	case p.Email != "":
		return shownAddress(p.Email)
	case p.Name != "":
		return singleLine(cut(p.Name, most))
	}
	return v.T("person.unknown", "id", singleLine(p.ID))
}

// EmailWas is the person's address before the change.
func (v view) EmailWas() string { return shownAddress(v.d().EmailWas) }

// Life is for how many days a temporary password can be used.
func (v view) Life() int { return int(access.ActivationLife.Hours() / 24) }

// level is the present level of the recipient, when it is a user, else of the partner; after the end, the level before it.
func (v view) level() string {
	if !v.l.Situation.Known {
		return asked(v.l)
	}
	return v.l.Situation.effective(v.l).String()
}

// recipient is the user among these to whom the letter goes; nil when it goes to somebody else.
func (v view) recipient(lists ...[]events.Person) *events.Person { return recipient(v.l, lists...) }

// Level is the level's name.
func (v view) Level() string { return v.levelName(v.level()) }

func (v view) levelName(level string) string { return v.oneOf("level", level) }

// NoAccess reports whether the level is none.
func (v view) NoAccess() bool { return v.level() == "none" }

// inWords explains a level. A provider's own catalogue may give each more or less, so it stays general.
func (v view) inWords(level string) string {
	if _, ok := access.ParseLevel(level); !ok {
		return v.levelName(level)
	}
	return v.T("level.explained", "name", v.levelName(level), "meaning", v.oneOf("level.means", level))
}

// levelInWords explains the level in effect, and says why it is lower than what was granted.
func (v view) levelInWords() string {
	return v.inWords(v.level()) + v.limit()
}

// limit says why the level in effect is lower than what was granted; "" when it is not.
func (v view) limit() string {
	s := v.l.Situation
	if !s.Known || s.Partner == nil {
		return ""
	}
	effective, granted := s.effective(v.l), s.granted(v.l)
	switch {
	case effective >= granted:
		return ""
	case effective == s.Partner.Offer:
		return v.T("limit.offer")
	}
	return v.T("limit.cap")
}

// noEnd says that there is no end.
func (v view) noEnd() string {
	if v.Managed() {
		return v.T("end.none_managed")
	}
	return v.T("end.none")
}

// period is the grant's period: as it is now, or, after the end, as the event says.
func (v view) period() (from, until *time.Time) {
	d := v.d()
	if !v.l.Situation.same(v.l) {
		return d.From, d.Until
	}
	g := v.l.Situation.Grant
	if !g.Until.IsZero() {
		until = &g.Until
	}
	return &g.From, until
}

// From is the start of the period.
func (v view) From() string {
	from, _ := v.period()
	return v.instant(from, "")
}

// Until is the end of the period; "" when there is none.
func (v view) Until() string {
	_, until := v.period()
	return v.instant(until, "")
}

// Period is until when the access lasts, in words.
func (v view) Period() string {
	if v.Until() == "" {
		return v.T("period.open")
	}
	return v.T("period.until")
}

// Expires is when the invitation ends.
func (v view) Expires() string { return v.instant(v.d().Expires, "") }

// Ended is when the access ended: the end of the period, however late that was noticed.
func (v view) Ended() string {
	if v.l.Event.Type == events.GrantExpired && v.d().Until != nil {
		return v.Until()
	}
	return v.clock(v.l.Event.Time)
}

// ExtendedBy is by how many days the grant is extended by itself while it is used; 0 when it is not.
func (v view) ExtendedBy() int { return inDays(v.d().AutoExtend) }

// extension is by how much the grant is extended by itself after a change, in words.
func (v view) extension() string {
	for _, c := range v.d().Changes {
		if by, _ := c.Is.(string); c.Field == "auto_extend" && by != "" {
			return v.T("change.extended", "days", inDays(by))
		}
	}
	return v.T("change.not_extended")
}

// Undecided tells whether it is still to be decided whether the grant is extended.
func (v view) Undecided() bool { return v.d().AutoExtend != "" && v.d().Days > 1 }

// Unused tells whether the grant is not extended because nobody used it.
func (v view) Unused() bool { return v.d().Status == string(access.StatusActive) }

// inDays is a duration of days as events have it (P90D); 0 for any other.
func inDays(iso string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(iso, "P"), "D"))
	if err != nil {
		return 0
	}
	return n
}

// Left is the time that is left until the end, in words, from when the letter is made.
func (v view) Left() string {
	_, until := v.period()
	now := v.l.Situation.Now
	if until == nil || !v.l.Situation.Known {
		return v.T("left.days", "n", v.d().Days)
	}
	left := until.Sub(now)
	switch {
	case left >= 23*time.Hour+30*time.Minute:
		return v.T("left.days", "n", int(left.Round(24*time.Hour).Hours()/24))
	case left >= 90*time.Minute:
		return v.T("left.hours", "n", int(left.Round(time.Hour).Hours()))
	}
	return v.T("left.soon")
}

// denied is why the recipient, or for organisations each user with the grant, has no access now, by the reason of a check; "" when there is
// access.
func (v view) denied() access.DecisionReason {
	s := v.l.Situation
	if s.over(v.l) {
		return access.DeniedEnded
	}
	if !s.Known || s.Grant == nil {
		switch d := v.d(); {
		case d.Status == "suspended":
			return access.DeniedSuspended
		case d.Status == "scheduled", d.From != nil && d.From.After(v.l.Event.Time):
			return access.NotYetActive
		}
		return ""
	}
	if d, ok := s.decision(v.l); ok {
		if d.Allow || d.Reason == access.LevelTooLow {
			return ""
		}
		return d.Reason
	}
	return s.Grant.DenialReason(s.Partner, s.Now)
}

// Open reports whether the recipient, or for organisations the users, have access now.
func (v view) Open() bool { return v.denied() == "" && !v.NoAccess() }

// Obstacle is a sentence on why the recipient, or nobody, has access now; "" when there is access.
func (v view) Obstacle() string {
	switch why := v.denied(); {
	case why == access.DeniedEnded, why == access.DeniedExpired:
		return v.T("obstacle.ended")
	case why == access.DeniedSuspended:
		return v.T("obstacle.suspended")
	case why == access.DeniedPartnerNotActive:
		return v.T("obstacle.partner_suspended")
	case why == access.DeniedPartnerNotEligible:
		return v.T("obstacle.no_channel_partner")
	case why == access.SSORequired:
		return v.T("obstacle.sso")
	case v.NoAccess() && v.l.Side == User:
		return v.T("obstacle.no_access.user")
	case v.NoAccess():
		return v.T("obstacle.no_access")
	case why == access.NotYetActive:
		return v.T("obstacle.not_yet")
	}
	return ""
}

// Over reports whether the access has ended since.
func (v view) Over() bool { return v.l.Situation.over(v.l) }

// Managed reports whether only the provider can change or end the access.
func (v view) Managed() bool {
	if s := v.l.Situation; s.Known && s.Customer != nil && s.Partner != nil {
		return s.Customer.ManagedBy == s.Partner.ID
	}
	return v.Changed("managed")
}

// SuspendedByCustomer reports whether the customer itself has suspended the access.
func (v view) SuspendedByCustomer() bool {
	if s := v.l.Situation; s.Known && s.Grant != nil {
		return s.Grant.State == access.StateSuspended
	}
	return v.d().Status == "suspended"
}

// EveryoneOn reports whether the change switched everyone on.
func (v view) EveryoneOn() bool { return v.d().Everyone != nil && *v.d().Everyone }

// EveryoneOff reports whether the change switched everyone off.
func (v view) EveryoneOff() bool { return v.d().Everyone != nil && !*v.d().Everyone }

// ChosenByPartner reports whether the partner assigns its users.
func (v view) ChosenByPartner() bool { return v.d().AssignedBy == "partner" }

// Nobody reports whether no user has access.
func (v view) Nobody() bool { n := v.userCount(); return n != nil && *n == 0 }

// userCount is how many users have access: now or, after the end, as the event says.
func (v view) userCount() *int {
	s := v.l.Situation
	if !s.same(v.l) || v.d().UserCount == nil {
		return v.d().UserCount
	}
	n := s.Grant.UserCount(s.Headcount)
	return &n
}

// Count is how many users have access, in words.
func (v view) Count() string {
	n := v.userCount()
	switch {
	case n == nil:
		return ""
	case *n == 0:
		return v.T("users.none")
	}
	return v.T("users.some", "n", *n)
}

// Again reports whether the links in earlier mails of the invitation no longer work.
func (v view) Again() bool { return v.d().Sending > 1 }

// Changed reports whether the change altered a field of the API.
func (v view) Changed(field string) bool { return slices.Contains(v.d().Fields, field) }

// Reason is why the access ended, as a sentence without its stop.
func (v view) Reason() string {
	switch reason := v.d().Reason; reason {
	case "":
		return ""
	case "partner_not_eligible":
		return v.oneOf("reason", "partner_not_active")
	default:
		return v.oneOf("reason", reason)
	}
}

// role is a role's name; "" for none.
func (v view) role(r string) string { return v.oneOf("role", r) }

// line is a label and what it labels.
type line struct{ Label, Value string }

// factTable collects the lines of a letter's table.
type factTable []line

// add appends a line, unless there is no value.
func (t *factTable) add(label, value string) {
	if value != "" {
		*t = append(*t, line{label, value})
	}
}

// addDone appends who did it, under that label, and when.
func (t *factTable) addDone(label string, v view) {
	by := v.By()
	if v.Clock() {
		by = v.T("by.automatic")
	}
	t.add(label, by)
	t.add(v.T("fact.when"), v.clock(v.l.Event.Time))
}

// facts returns the letter's table.
func (v view) facts() []line {
	e := v.l.Event
	var t factTable
	customer := singleLine(organisation(e.Customer))
	if e.Customer != nil && e.Customer.Domain != "" {
		customer += " (" + shownAddress(e.Customer.Domain) + ")"
	}
	partner := singleLine(organisation(e.Partner))
	kind, _, _ := strings.Cut(string(e.Type), ".")
	switch kind {
	case "webhook":
		t.add(v.T("fact.customer"), customer)
		v.addWebhookFacts(&t)
		return t
	case "user":
		v.addAccountFacts(&t, partner)
		return t
	case "partner":
		t.add(v.T("fact.partner"), partner)
		t.addDone(v.T("fact.done_by"), v)
		return t
	}
	t.add(v.T("fact.customer"), customer)
	t.add(v.T("fact.partner"), partner)
	if a := v.d().Asking; a != nil {
		t.add(v.T("fact.partner"), singleLine(organisation(a)))
	}
	switch kind {
	case "mail":
	case "member":
		t.add(v.T("fact.account"), v.named(v.d().Person, 200))
		t.add(v.T("fact.role"), v.role(v.d().Role))
		t.addDone(map[bool]string{true: v.T("fact.requested_by"), false: v.T("fact.registered_by")}[v.l.Template == "activation_renewed"], v)
	case "invitation":
		v.addInvitationFacts(&t)
	case "request":
		v.addRequestFacts(&t)
	default:
		v.addGrantFacts(&t)
	}
	return t
}

func (v view) addAccountFacts(t *factTable, partner string) {
	d := v.d()
	if v.l.Template == "address_former" { // it may be the address of somebody else: it is told neither name nor new address
		t.add(v.T("fact.organisation"), partner)
		t.addDone(v.T("fact.changed_by"), v)
		return
	}
	t.add(v.T("fact.account"), v.named(d.Person, 200))
	t.add(v.T("fact.former_address"), shownAddress(d.EmailWas))
	t.add(v.T("fact.organisation"), partner)
	t.add(v.T("fact.role"), v.role(d.Role))
	switch v.l.Template {
	case "address":
		t.addDone(v.T("fact.changed_by"), v)
	case "activation_renewed":
		t.addDone(v.T("fact.requested_by"), v)
	case "activation_missed":
		t.add(v.T("fact.ended"), v.clock(v.l.Event.Time))
	default:
		t.addDone(map[bool]string{true: v.T("fact.invited_by"), false: v.T("fact.created_by")}[v.Registered()], v)
	}
}

func (v view) addInvitationFacts(t *factTable) {
	d := v.d()
	if v.l.Side != Invitee {
		t.add(v.T("fact.invited"), v.named(d.Person, 200))
	}
	t.add(v.T("fact.access_level"), v.levelInWords())
	t.add(v.T("fact.access_ends"), v.instant(d.Until, v.noEnd()))
	switch v.l.Event.Type {
	case events.InvitationAccepted, events.InvitationDeclined, events.InvitationCancelled:
	default:
		t.add(v.T("fact.invitation_expires"), v.instant(d.Expires, ""))
	}
	if d.Inviter != nil {
		t.add(v.T("fact.invited_by"), v.named(d.Inviter, 200))
	}
	t.add(v.T("fact.when"), v.clock(v.l.Event.Time))
}

func (v view) addGrantFacts(t *factTable) {
	d := v.d()
	switch v.l.Template {
	case "removed", "partner_suspended", "partner_resumed":
	case "user_left":
		t.add(v.T("fact.user"), v.named(d.Person, 200))
	case "person_changed":
		t.add(v.T("fact.user"), v.named(d.Person, 200))
		t.add(v.T("fact.former_address"), d.EmailWas)
	case "expired", "revoked", "relinquished", "ended":
		t.add(v.T("fact.access_level"), v.T("level.was", "level", v.inWords(v.level())))
		t.add(v.T("fact.ended"), v.Ended()) // which is when it was done, or is more to the point
		t.add(v.T("fact.reason"), v.Reason())
		if !v.Clock() {
			t.add(v.T("fact.done_by"), v.By())
		}
		return
	default:
		if v.l.Situation.over(v.l) {
			t.add(v.T("fact.access_level"), v.T("level.was", "level", v.inWords(v.level())))
			break
		}
		_, until := v.period()
		t.add(v.T("fact.access_level"), v.levelInWords())
		t.add(v.T("fact.begins"), v.From())
		t.add(v.T("fact.ends"), v.instant(until, v.noEnd()))
		if v.l.Side != User {
			t.add(v.T("fact.users_with_access"), v.Count())
		}
		t.add(v.T("fact.last_used"), v.lastUsed())
	}
	t.addDone(v.T("fact.done_by"), v)
}

// changes say what one change altered, before and after.
func (v view) changes() []line {
	d := v.d()
	if v.l.Template != "changed" && v.l.Template != "suspended" && v.l.Template != "resumed" {
		return nil
	}
	var out []line
	add := func(field, label, value string) {
		if v.Changed(field) {
			out = append(out, line{label, value})
		}
	}
	before := func(is, was string) string { return v.T("change.before", "is", is, "was", was) }
	mine, levels := v.recipient(d.Changed), d.Changed
	switch {
	case mine != nil:
		add("level", v.T("fact.access_level"), before(v.inWords(mine.Level), v.levelName(mine.LevelWas)))
		levels = nil
	case d.LevelWas != "":
		me := v.recipient(d.Users)
		add("level", v.T("fact.access_level"), before(v.inWords(lower(asked(v.l), me)), v.levelName(lower(d.LevelWas, me))))
	case len(levels) == 0:
		add("level", v.T("fact.access_level"), v.T("change.level_of_some", "level", v.inWords(d.Level)))
	}
	if v.l.Side != User {
		for _, p := range levels {
			add("level", v.T("change.level_of", "user", v.named(&p, 60)), before(v.inWords(p.Level), v.levelName(p.LevelWas)))
		}
	}
	begins := v.From()
	if d.FromWas != nil {
		begins = before(begins, v.clock(*d.FromWas))
	}
	add("from", v.T("fact.begins"), begins)
	add("until", v.T("fact.ends"), before(v.instant(d.Until, v.noEnd()), v.instant(d.UntilWas, v.T("change.no_end"))))
	sso := v.T("change.sso")
	if d.RequireSSO != nil {
		sso = map[bool]string{true: v.T("change.sso_required"), false: v.T("change.sso_not_required")}[*d.RequireSSO]
	}
	add("require_sso", v.T("fact.single_sign_on"), sso)
	add("auto_extend", v.T("fact.extended_by_itself"), v.extension())
	add("managed", v.T("fact.management"), v.T("change.managed"))
	if v.l.Template == "changed" {
		add("state", v.T("fact.state"), v.T("change.resumed"))
	}
	if v.l.Side == User {
		return out
	}
	chooser := v.Customer()
	if v.ChosenByPartner() {
		chooser = v.Partner()
	}
	add("assigned_by", v.T("fact.users_are_assigned_by"), chooser)
	switch {
	case v.EveryoneOn():
		out = append(out, line{v.T("fact.everyone"), v.T("change.everyone_on")})
	case v.EveryoneOff():
		out = append(out, line{v.T("fact.everyone"), v.T("change.everyone_off")})
	}
	switch n := d.Unnamed; {
	case n > 0 && len(d.Removed) == 0:
		out = append(out, line{v.T("fact.removed"), v.T("change.unnamed", "n", n)})
	case n > 0:
		out = append(out, line{v.T("fact.removed"), v.T("change.unnamed_besides", "n", n)})
	}
	if d.Message == "" {
		add("message", v.T("fact.message"), v.T("change.removed"))
	}
	if d.Note == "" && v.l.Side == Customer {
		add("note", v.T("fact.note"), v.T("change.removed"))
	}
	return out
}

// lower is the lower one of a level and a person's own.
func lower(level string, p *events.Person) string {
	if p == nil || p.Level == "" {
		return level
	}
	a, ok := access.ParseLevel(level)
	b, known := access.ParseLevel(p.Level)
	if !ok || !known {
		return level
	}
	return access.Lowest(a, b).String()
}

// people are the letter's lists of users.
func (v view) people() []list {
	if v.l.Template == summary || v.l.Template == digest {
		items := v.l.Lines
		if v.l.More {
			items = append(slices.Clip(items), v.T("summary.more"))
		}
		return []list{{Title: v.T("list.what_happened"), Items: items}}
	}
	if v.l.Side != Customer && v.l.Side != Partner {
		return nil
	}
	d := v.d()
	if kind, _, _ := strings.Cut(string(v.l.Event.Type), "."); kind != "grant" {
		return nil
	}
	var out []list
	add := func(title string, people []events.Person) {
		if len(people) > 0 {
			out = append(out, v.newList(title, people))
		}
	}
	switch v.l.Template {
	case "expired", "revoked", "relinquished", "ended":
		add(v.T("list.had_access"), d.Users)
		return out
	case "user_left", "person_changed":
		add(v.T("list.still_have_access"), d.Users)
		return out
	}
	add(v.T("list.added"), d.Added)
	add(v.T("list.removed"), d.Removed)
	if len(d.Users) > len(d.Added) || len(d.Removed)+d.Unnamed > 0 {
		add(v.T("list.have_access"), d.Users)
	}
	return out
}

// list is a list of people, or of as many as can be read.
type list struct {
	Title string
	Items []string
}

const maxListed = 100

func (v view) newList(title string, people []events.Person) list {
	l := list{Title: title}
	for i, p := range people {
		if i == maxListed {
			l.Items = append(l.Items, v.T("list.more", "n", len(people)-maxListed))
			break
		}
		item := v.named(&p, 200)
		if p.Level != "" {
			item = v.T("list.capped", "user", item, "level", v.levelName(p.Level))
		}
		l.Items = append(l.Items, item)
	}
	return l
}

// quote is what a person wrote, under a title.
type quote struct {
	Title string
	Lines []string
}

// quotes are the customer's message to the partner and, for the customer's own people alone, its note; where they are new.
func (v view) quotes() []quote {
	if strings.HasPrefix(v.l.Template, "request") {
		return v.requestQuotes()
	}
	var out []quote
	add := func(field, title, text string) {
		fresh := v.l.Template == "granted" || v.l.Template != "removed" && v.Changed(field)
		if text != "" && fresh {
			out = append(out, quote{title, lines(text)})
		}
	}
	if v.l.Side != Customer {
		add("message", v.T("quote.customer"), v.d().Message)
		return out
	}
	add("message", v.T("quote.message"), v.d().Message)
	add("note", v.T("quote.note"), v.d().Note)
	return out
}

// action is the letter's one link.
func (v view) action() (label, url string) {
	ids := map[string]string{"customer": "", "partner": ""}
	if c := v.l.Event.Customer; c != nil {
		ids["customer"] = c.ID
	}
	if p := v.l.Event.Partner; p != nil {
		ids["partner"] = p.ID
	}
	switch {
	case v.l.Event.Webhook != "": // where webhooks are managed is known to no setting
		return "", ""
	case v.l.Template == "request_codes":
		return v.T("action.review_requests"), fill(v.s.CustomerURL, ids)
	case strings.HasPrefix(v.l.Template, "request") && v.l.Side == Customer:
		return v.T("action.request"), v.requestLink(v.s.CustomerURL, ids)
	case strings.HasPrefix(v.l.Template, "request"):
		return v.T("action.request"), v.requestLink(v.s.PartnerURL, ids)
	case v.l.Secret == Token:
		return v.T("action.invitation"), fill(v.s.InvitationURL, map[string]string{"token": v.Secret})
	case v.l.Side == Invitee, v.l.Template == "removed", v.l.Template == "address_former",
		v.l.Template == "activation_missed" && v.l.Side == User, v.l.Template == "partner_removed", v.l.Template == "partner_suspended" &&
			v.l.Side == Partner:
		return "", ""
	case v.l.Side == Customer && v.l.Template == "expiring":
		return v.T("action.extend"), v.extending(ids)
	case v.l.Side == Member:
		return v.T("action.sign_in"), fill(v.s.CustomerURL, ids)
	case v.l.Side == Customer && v.l.Event.Customer != nil:
		return v.T("action.review"), fill(v.s.CustomerURL, ids)
	case v.ended(): // there is nothing to open
		return "", ""
	case v.l.Template == "granted" && v.l.Side == Partner && v.ChosenByPartner():
		return v.T("action.assign"), fill(v.s.PartnerURL, ids)
	case v.l.Side == User && slices.Contains([]string{"account", "address", "activation_renewed"}, v.l.Template):
		return v.T("action.sign_in"), fill(v.s.PartnerURL, ids)
	}
	return v.T("action.portal"), fill(v.s.PartnerURL, ids)
}

// extending is the address of the letter's grant on the customer's page, with the choice made to extend it for as long again: by whole
// days, a year at most. The person still has to sign in and save.
func (v view) extending(ids map[string]string) string {
	address, d := fill(v.s.CustomerURL, ids), v.d()
	u, err := url.Parse(address)
	if err != nil || d.From == nil || d.Until == nil {
		return address
	}
	const day = 24 * time.Hour
	days := min(max((d.Until.Sub(*d.From)+day-1)/day, 1), 365)
	query := u.Query()
	if !strings.Contains(v.s.CustomerURL, "{partner}") {
		query.Set("partner", ids["partner"])
	}
	query.Set("extend", fmt.Sprintf("P%dD", days))
	u.RawQuery = query.Encode()
	return u.String()
}

func (v view) ended() bool {
	return v.l.Situation.over(v.l) || slices.Contains([]string{"expired", "revoked", "relinquished", "ended", "suspended"}, v.l.Template)
}

// why says why the recipient gets this letter.
func (v view) why() string {
	in := v.d().Inviter
	switch {
	case strings.HasPrefix(v.l.Template, "request") && v.l.Side == User:
		return v.T("why.requester")
	case strings.HasPrefix(v.l.Template, "request") && v.l.Template != "request_codes":
		return v.T("why.decider")
	case v.l.Side == Invitee:
		return v.T("why.invitee")
	case strings.HasPrefix(string(v.l.Event.Type), "invitation.") && in != nil && strings.EqualFold(in.Email, v.l.To):
		return v.T("why.inviter")
	case v.l.Template == "address_former":
		return v.T("why.former")
	case v.l.Side == Provider:
		return v.T("why.provider")
	case v.l.Side == Member:
		return v.T("why.account")
	case v.l.Side == User:
		return v.T("why.user")
	case v.l.Side == Partner && v.l.Situation.Owner != "" && strings.EqualFold(v.l.Situation.Owner, v.l.To):
		return v.T("why.owner")
	case v.l.Side == Partner:
		return v.T("why.partner_contact")
	}
	return v.T("why.customer_contact")
}

// greeting is the recipient's name, when the event has it.
func (v view) greeting() string {
	if v.l.Side != User && v.l.Side != Invitee && v.l.Side != Member {
		return ""
	}
	people := slices.Concat(v.d().Added, v.d().Removed, v.d().Changed, v.d().Users)
	for _, p := range []*events.Person{v.d().Person, v.d().Requester} {
		if p != nil {
			people = append(people, *p)
		}
	}
	for _, p := range people {
		if strings.EqualFold(p.Email, v.l.To) && p.Name != "" {
			return v.T("greeting.name", "name", short(p.Name))
		}
	}
	return v.T("greeting.nobody")
}

// reminder tells whether the letter only reminds: only such can be unsubscribed from.
func (v view) reminder() bool {
	return v.l.Template == "expiring" || v.l.Template == "invitation_reminder" || v.l.Template == "request_reminder"
}
