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
		side = "The " + v.s.Product + " team" // it begins a sentence
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
func (v view) Person() string { return named(v.d().Person, 60) }

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
		return "an administrator"
	}
	return "a member"
}

// Inviter is who has invited.
func (v view) Inviter() string {
	side := v.Customer()
	if v.d().Side == "partner" {
		side = v.Partner()
	}
	if in := v.d().Inviter; in != nil && (in.Name != "" || in.Email != "") {
		return named(in, 60) + " of " + side
	}
	return side
}

// named is a person's name and address, as far as they are known.
func named(p *events.Person, most int) string {
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
	return "user " + singleLine(p.ID)
}

// EmailWas is the person's address before the change.
func (v view) EmailWas() string { return shownAddress(v.d().EmailWas) }

// Life is how long a temporary password can be used.
func (v view) Life() string { return fmt.Sprintf("%d days", int(access.ActivationLife.Hours()/24)) }

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
func (v view) Level() string { return singleLine(v.level()) }

// NoAccess reports whether the level is none.
func (v view) NoAccess() bool { return v.level() == "none" }

// inWords explains a level. A provider's own catalogue may give each more or less, so it stays general.
func inWords(level string) string {
	switch level {
	case "none":
		return "none (a relationship without access)"
	case "view":
		return "view (read-only: figures and insights)"
	case "support":
		return "support (read-only: as view, and reports and user activity)"
	case "manage":
		return "manage (full read and write access)"
	}
	return singleLine(level)
}

// levelInWords explains the level in effect, and says why it is lower than what was granted.
func (v view) levelInWords() string {
	return inWords(v.level()) + v.limit()
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
		return ", as the provider offers " + v.Partner() + " no more than that"
	}
	return ", which is the most that " + v.Customer() + " allows you"
}

// clock writes an instant with its zone.
func clock(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func instant(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return clock(*t)
}

// noEnd says that there is no end.
func (v view) noEnd() string {
	if v.Managed() {
		return "no end date, until the " + v.s.Product + " team ends it"
	}
	return "no end date, until it is revoked"
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
	return instant(from, "")
}

// Until is the end of the period; "" when there is none.
func (v view) Until() string {
	_, until := v.period()
	return instant(until, "")
}

// Expires is when the invitation ends.
func (v view) Expires() string { return instant(v.d().Expires, "") }

// Ended is when the access ended: the end of the period, however late that was noticed.
func (v view) Ended() string {
	if v.l.Event.Type == events.GrantExpired && v.d().Until != nil {
		return v.Until()
	}
	return clock(v.l.Event.Time)
}

// ExtendedBy is by how much the grant is extended by itself while it is used, in words; "" when it is not.
func (v view) ExtendedBy() string { return inDays(v.d().AutoExtend) }

// extension is by how much the grant is extended by itself after a change, in words.
func (v view) extension() string {
	for _, c := range v.d().Changes {
		if by, _ := c.Is.(string); c.Field == "auto_extend" && by != "" {
			return "by " + inDays(by) + " while it is used"
		}
	}
	return "no longer"
}

// Undecided tells whether it is still to be decided whether the grant is extended.
func (v view) Undecided() bool { return v.d().AutoExtend != "" && v.d().Days > 1 }

// Unused tells whether the grant is not extended because nobody used it.
func (v view) Unused() bool { return v.d().Status == string(access.StatusActive) }

// inDays is a duration of days as events have it (P90D), in words.
func inDays(iso string) string {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(iso, "P"), "D"))
	if err != nil {
		return ""
	}
	return count(n, "day")
}

// Left is the time that is left until the end, in words, from when the letter is made.
func (v view) Left() string {
	_, until := v.period()
	now := v.l.Situation.Now
	if until == nil || !v.l.Situation.Known {
		return count(v.d().Days, "day")
	}
	left := until.Sub(now)
	switch {
	case left >= 23*time.Hour+30*time.Minute:
		return count(int(left.Round(24*time.Hour).Hours()/24), "day")
	case left >= 90*time.Minute:
		return count(int(left.Round(time.Hour).Hours()), "hour")
	}
	return "less than two hours"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
		return "The access has ended since."
	case why == access.DeniedSuspended:
		return "The access is suspended by " + v.Customer() + " and applies again when it is resumed."
	case why == access.DeniedPartnerNotActive:
		return v.Partner() + " is suspended by the " + v.s.Product + " team. None of its users has access until the suspension ends."
	case why == access.DeniedPartnerNotEligible:
		return v.Partner() + " is not a channel partner in " + v.s.Product + " at present. None of its users has access."
	case why == access.SSORequired:
		return "Single sign-on is required, and " + v.Partner() + " does not have it. None of its users has access until it does."
	case v.NoAccess() && v.l.Side == User:
		return "This is a relationship without access: you see " + v.Customer() + " in your list, without access to it."
	case v.NoAccess():
		return "This is a relationship without access: users of " + v.Partner() + " see " + v.Customer() +
			" in their list, without access to it."
	case why == access.NotYetActive:
		return "The access begins on " + v.From() + "."
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
		return "nobody yet"
	}
	return users(*n)
}

func users(n int) string { return count(n, "user") }

// Again reports whether the links in earlier mails of the invitation no longer work.
func (v view) Again() bool { return v.d().Sending > 1 }

// Changed reports whether the change altered a field of the API.
func (v view) Changed(field string) bool { return slices.Contains(v.d().Fields, field) }

// Reason is why the access ended, as a sentence without its stop.
func (v view) Reason() string {
	switch v.d().Reason {
	case "partner_removed":
		return v.Partner() + " is no longer a partner in " + v.s.Product
	case "customer_removed":
		return v.Customer() + " is no longer a customer of " + v.s.Product
	case "relationship_ended":
		return "the " + v.s.Product + " team has ended the relationship"
	case "management_ended":
		return v.Partner() + " no longer manages " + v.Customer()
	case "revoked_by_customer":
		return v.Customer() + " has revoked it"
	case "relinquished_by_partner":
		return v.Partner() + " has relinquished it"
	case "expired":
		return "its period has ended"
	case "grant_ended":
		return "the access of " + v.Partner() + " to " + v.Customer() + " has ended"
	case "choice_changed":
		return v.Customer() + " has changed who assigns the users"
	case "inviter_left":
		return "the person who sent it can no longer invite"
	case "partner_not_active", "partner_not_eligible":
		return v.Partner() + " cannot be granted access at the moment"
	case "managed":
		return v.Customer() + " is now managed by one partner"
	case "period_changed":
		return "the access now lasts longer than what was offered"
	case "requester_left":
		return "the person who asked can no longer ask"
	case "fulfilled":
		return v.Customer() + " has granted as much in another way"
	}
	return singleLine(strings.ReplaceAll(v.d().Reason, "_", " "))
}

func role(r string) string { return singleLine(strings.ReplaceAll(r, "_", " and ")) }

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
		by += ", automatically"
	}
	t.add(label, by)
	t.add("When", clock(v.l.Event.Time))
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
	case "user":
		v.addAccountFacts(&t, partner)
		return t
	case "partner":
		t.add("Partner", partner)
		t.addDone("Done by", v)
		return t
	}
	t.add("Customer", customer)
	t.add("Partner", partner)
	if a := v.d().Asking; a != nil {
		t.add("Partner", singleLine(organisation(a)))
	}
	switch kind {
	case "mail":
	case "member":
		t.add("Account", named(v.d().Person, 200))
		t.add("Role", role(v.d().Role))
		t.addDone(map[bool]string{true: "Requested by", false: "Registered by"}[v.l.Template == "activation_renewed"], v)
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
		t.add("Organisation", partner)
		t.addDone("Changed by", v)
		return
	}
	t.add("Account", named(d.Person, 200))
	t.add("Former address", shownAddress(d.EmailWas))
	t.add("Organisation", partner)
	t.add("Role", role(d.Role))
	switch v.l.Template {
	case "address":
		t.addDone("Changed by", v)
	case "activation_renewed":
		t.addDone("Requested by", v)
	case "activation_missed":
		t.add("Ended", clock(v.l.Event.Time))
	default:
		t.addDone(map[bool]string{true: "Invited by", false: "Created by"}[v.Registered()], v)
	}
}

func (v view) addInvitationFacts(t *factTable) {
	d := v.d()
	if v.l.Side != Invitee {
		t.add("Invited", named(d.Person, 200))
	}
	t.add("Access level", v.levelInWords())
	t.add("Access ends", instant(d.Until, v.noEnd()))
	switch v.l.Event.Type {
	case events.InvitationAccepted, events.InvitationDeclined, events.InvitationCancelled:
	default:
		t.add("Invitation expires", instant(d.Expires, ""))
	}
	if d.Inviter != nil {
		t.add("Invited by", named(d.Inviter, 200))
	}
	t.add("When", clock(v.l.Event.Time))
}

func (v view) addGrantFacts(t *factTable) {
	d := v.d()
	switch v.l.Template {
	case "removed", "partner_suspended", "partner_resumed":
	case "user_left":
		t.add("User", named(d.Person, 200))
	case "person_changed":
		t.add("User", named(d.Person, 200))
		t.add("Former address", d.EmailWas)
	case "expired", "revoked", "relinquished", "ended":
		t.add("Access level", "was "+inWords(v.level()))
		t.add("Ended", v.Ended()) // which is when it was done, or is more to the point
		t.add("Reason", v.Reason())
		if !v.Clock() {
			t.add("Done by", v.By())
		}
		return
	default:
		if v.l.Situation.over(v.l) {
			t.add("Access level", "was "+inWords(v.level()))
			break
		}
		_, until := v.period()
		t.add("Access level", v.levelInWords())
		t.add("Begins", v.From())
		t.add("Ends", instant(until, v.noEnd()))
		if v.l.Side != User {
			t.add("Users with access", v.Count())
		}
		t.add("Last used", v.lastUsed())
	}
	t.addDone("Done by", v)
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
	before := func(was string) string { return "; before: " + was }
	mine, levels := v.recipient(d.Changed), d.Changed
	switch {
	case mine != nil:
		add("level", "Access level", inWords(mine.Level)+before(singleLine(mine.LevelWas)))
		levels = nil
	case d.LevelWas != "":
		add("level", "Access level", inWords(lower(asked(v.l), v.recipient(d.Users)))+before(singleLine(lower(d.LevelWas, v.recipient(d.Users)))))
	case len(levels) == 0:
		add("level", "Access level", "changed for single users; for all others it is "+inWords(d.Level))
	}
	if v.l.Side != User {
		for _, p := range levels {
			add("level", "Access level of "+named(&p, 60), inWords(p.Level)+before(singleLine(p.LevelWas)))
		}
	}
	begins := v.From()
	if d.FromWas != nil {
		begins += before(clock(*d.FromWas))
	}
	add("from", "Begins", begins)
	add("until", "Ends", instant(d.Until, v.noEnd())+"; before: "+instant(d.UntilWas, "no end date"))
	sso := "whether it is required has changed"
	if d.RequireSSO != nil {
		sso = map[bool]string{true: "required from now on", false: "no longer required"}[*d.RequireSSO]
	}
	add("require_sso", "Single sign-on", sso)
	add("auto_extend", "Extended by itself", v.extension())
	add("managed", "Management", v.Partner()+" manages "+v.Customer()+": the access has no end date, and only the "+v.s.Product+
		" team can change or end it")
	if v.l.Template == "changed" {
		add("state", "State", "no longer suspended")
	}
	if v.l.Side == User {
		return out
	}
	chooser := v.Customer()
	if v.ChosenByPartner() {
		chooser = v.Partner()
	}
	add("assigned_by", "Users are assigned by", chooser)
	switch {
	case v.EveryoneOn():
		out = append(out,
			line{"Everyone", "all employees of " + v.Partner() +
				" have access, including those who join later; users who were assigned before no longer count"})
	case v.EveryoneOff():
		out = append(out,
			line{"Everyone", "switched off: current users keep their access; those who join " + v.Partner() + " later do not get it"})
	}
	if n := d.Unnamed; n > 0 {
		out = append(out,
			line{
				"Removed",
				users(n) + map[bool]string{true: " who are not listed here", false: " besides those who are listed here"}[len(d.Removed) == 0],
			})
	}
	if d.Message == "" {
		add("message", "Message", "removed")
	}
	if d.Note == "" && v.l.Side == Customer {
		add("note", "Note", "removed")
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
		return []list{{Title: "What happened", Items: v.l.Lines}}
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
			out = append(out, newList(title, people))
		}
	}
	switch v.l.Template {
	case "expired", "revoked", "relinquished", "ended":
		add("Users who had access", d.Users)
		return out
	case "user_left", "person_changed":
		add("Users who still have access", d.Users)
		return out
	}
	add("Added", d.Added)
	add("Removed", d.Removed)
	if len(d.Users) > len(d.Added) || len(d.Removed)+d.Unnamed > 0 {
		add("Users with access", d.Users)
	}
	return out
}

// list is a list of people, or of as many as can be read.
type list struct {
	Title string
	Items []string
}

const maxListed = 100

func newList(title string, people []events.Person) list {
	l := list{Title: title}
	for i, p := range people {
		if i == maxListed {
			l.Items = append(l.Items, fmt.Sprintf("and %d more", len(people)-maxListed))
			break
		}
		item := named(&p, 200)
		if p.Level != "" {
			item += ", at most " + singleLine(p.Level)
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
		add("message", v.Customer()+" writes", v.d().Message)
		return out
	}
	add("message", "Your message to "+v.Partner(), v.d().Message)
	add("note", "Your note (not visible to "+v.Partner()+")", v.d().Note)
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
	case v.l.Template == "request_codes":
		return "Review who may ask", fill(v.s.CustomerURL, ids)
	case strings.HasPrefix(v.l.Template, "request") && v.l.Side == Customer:
		return "View the request", v.requestLink(v.s.CustomerURL, ids)
	case strings.HasPrefix(v.l.Template, "request"):
		return "View the request", v.requestLink(v.s.PartnerURL, ids)
	case v.l.Secret == Token:
		return "View the invitation", fill(v.s.InvitationURL, map[string]string{"token": v.Secret})
	case v.l.Side == Invitee, v.l.Template == "removed", v.l.Template == "address_former",
		v.l.Template == "activation_missed" && v.l.Side == User, v.l.Template == "partner_removed", v.l.Template == "partner_suspended" &&
			v.l.Side == Partner:
		return "", ""
	case v.l.Side == Customer && v.l.Template == "expiring":
		return "Extend the access", v.extending(ids)
	case v.l.Side == Member:
		return "Sign in", fill(v.s.CustomerURL, ids)
	case v.l.Side == Customer && v.l.Event.Customer != nil:
		return "Review who has access", fill(v.s.CustomerURL, ids)
	case v.ended(): // there is nothing to open
		return "", ""
	case v.l.Template == "granted" && v.l.Side == Partner && v.ChosenByPartner():
		return "Assign your users", fill(v.s.PartnerURL, ids)
	case v.l.Side == User && slices.Contains([]string{"account", "address", "activation_renewed"}, v.l.Template):
		return "Sign in", fill(v.s.PartnerURL, ids)
	}
	return "Open the partner portal", fill(v.s.PartnerURL, ids)
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
		return "You get this mail because you have asked for something in " + v.s.Product + "."
	case strings.HasPrefix(v.l.Template, "request") && v.l.Template != "request_codes":
		return "You get this mail because you decide about requests to " + v.Customer() + " in " + v.s.Product + "."
	case v.l.Side == Invitee:
		return "You get this mail because " + v.Email() + " was entered in an invitation in " + v.s.Product + "."
	case strings.HasPrefix(string(v.l.Event.Type), "invitation.") && in != nil && strings.EqualFold(in.Email, v.l.To):
		return "You get this mail because you sent the invitation in " + v.s.Product + "."
	case v.l.Template == "address_former":
		return "You get this mail because " + v.Email() + " was the address of an account in " + v.s.Product + "."
	case v.l.Side == Member:
		return "You get this mail because it is about your own account in " + v.s.Product + "."
	case v.l.Side == User:
		return "You get this mail because it is about your own access in " + v.s.Product + "."
	case v.l.Side == Partner && v.l.Situation.Owner != "" && strings.EqualFold(v.l.Situation.Owner, v.l.To):
		return "You get this mail because " + v.Email() + " is the owner's address of " + v.Partner() + " in " + v.s.Product +
			", which names no contacts."
	case v.l.Side == Partner:
		return "You get this mail because " + v.Email() + " is a contact of " + v.Partner() + " in " + v.s.Product + "."
	}
	return "You get this mail because " + v.Email() + " is a contact of " + v.Customer() + " in " + v.s.Product + "."
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
			return "Hello " + short(p.Name) + ","
		}
	}
	return "Hello,"
}

// reminder tells whether the letter only reminds: only such can be unsubscribed from.
func (v view) reminder() bool {
	return v.l.Template == "expiring" || v.l.Template == "invitation_reminder" || v.l.Template == "request_reminder"
}
