package mail

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// view is what the words of a letter are made from. Everything in it that people have entered is fit to be shown, on one line.
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

// By is who made the change, to begin a sentence with.
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
		return shown(a)
	}
	return access.ShownEmail(a)
}

// Clock tells whether nobody made the change: a time came.
func (v view) Clock() bool { return v.l.Event.Actor.Kind == "clock" }

// Email is the recipient's address.
func (v view) Email() string { return shownAddress(v.l.To) }

// Person is the person whom the event is about, with the address.
func (v view) Person() string { return named(v.d().Person, 60) }

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
		return shown(cut(p.Name, most)) + " (" + shownAddress(p.Email) + ")"
	case p.Email != "":
		return shownAddress(p.Email)
	case p.Name != "":
		return shown(cut(p.Name, most))
	}
	return "user " + shown(p.ID)
}

// EmailWas is the person's address before the change.
func (v view) EmailWas() string { return shownAddress(v.d().EmailWas) }

// Life is how long a temporary password can be used.
func (v view) Life() string { return fmt.Sprintf("%d days", int(access.ActivationLife.Hours()/24)) }

// level is how much the recipient may do, when it is a user, and the grant's level otherwise.
func (v view) level() string {
	if p := v.recipient(v.d().Changed, v.d().Added, v.d().Users); p != nil && p.Level != "" {
		return p.Level
	}
	return v.d().Level
}

// recipient is the user among these to whom the letter goes; nil when it goes to somebody else.
func (v view) recipient(lists ...[]events.Person) *events.Person {
	for _, p := range slices.Concat(lists...) {
		if v.l.Side == User && strings.EqualFold(p.Email, v.l.To) {
			return &p
		}
	}
	return nil
}

// Level is the level's name.
func (v view) Level() string { return shown(v.level()) }

// NoAccess tells whether the level gives nothing.
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
	return shown(level)
}

// clock writes an instant with its zone.
func clock(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func instant(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return clock(*t)
}

const noEnd = "no end date, until it is revoked"

// From is the start of the period.
func (v view) From() string { return instant(v.d().From, "") }

// Until is the end of the period; "" when there is none.
func (v view) Until() string { return instant(v.d().Until, "") }

// Expires is when the invitation ends.
func (v view) Expires() string { return instant(v.d().Expires, "") }

// Ended is when the access ended: by the clock at the end of the period, whenever that was noticed.
func (v view) Ended() string {
	if v.l.Event.Type == events.GrantExpired && v.d().Until != nil {
		return v.Until()
	}
	return clock(v.l.Event.Time)
}

// Days is the time that is left, in words.
func (v view) Days() string {
	if n := v.d().Days; n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}

// Status is the grant's status after the change.
func (v view) Status() string { return v.d().Status }

// Future tells whether the period had not begun at the change.
func (v view) Future() bool { return v.d().From != nil && v.d().From.After(v.l.Event.Time) }

// EveryoneOn and EveryoneOff tell whether the change switched everyone.
func (v view) EveryoneOn() bool { return v.d().Everyone != nil && *v.d().Everyone }

// EveryoneOff tells whether the change switched everyone off.
func (v view) EveryoneOff() bool { return v.d().Everyone != nil && !*v.d().Everyone }

// ChosenByPartner tells whether the partner picks its users.
func (v view) ChosenByPartner() bool { return v.d().AssignedBy == "partner" }

// Nobody tells whether no user is in.
func (v view) Nobody() bool { return v.d().UserCount != nil && *v.d().UserCount == 0 }

// Count is how many users are in, in words.
func (v view) Count() string {
	n := v.d().UserCount
	switch {
	case n == nil:
		return ""
	case *n == 0:
		return "nobody yet"
	}
	return users(*n)
}

func users(n int) string {
	if n == 1 {
		return "1 user"
	}
	return fmt.Sprintf("%d users", n)
}

// Again tells whether the invitation's earlier mails have a link that has ended.
func (v view) Again() bool { return v.d().Sending > 1 }

// Changed tells whether the change altered a field of the API.
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
		return v.Partner() + " has given it up"
	case "expired":
		return "its period was over"
	}
	return shown(strings.ReplaceAll(v.d().Reason, "_", " "))
}

func role(r string) string { return shown(strings.ReplaceAll(r, "_", " and ")) }

// line is a label and what it labels.
type line struct{ Label, Value string }

// facts are the letter's table.
func (v view) facts() []line {
	d, e := v.d(), v.l.Event
	var out []line
	add := func(label, value string) {
		if value != "" {
			out = append(out, line{label, value})
		}
	}
	customer := shown(organisation(e.Customer))
	if e.Customer != nil && e.Customer.Domain != "" {
		customer += " (" + shownAddress(e.Customer.Domain) + ")"
	}
	partner := shown(organisation(e.Partner))
	done := func(label string) {
		by := v.By()
		if v.Clock() {
			by = by + ", automatically"
		}
		add(label, by)
		add("When", clock(e.Time))
	}
	switch kind, _, _ := strings.Cut(string(e.Type), "."); kind {
	case "user":
		if v.l.Template == "address_former" { // which may be a stranger's
			add("Organisation", partner)
			done("Changed by")
			return out
		}
		add("Account", named(d.Person, 200))
		add("Address before", shownAddress(d.EmailWas))
		add("Organisation", partner)
		add("Role", role(d.Role))
		switch v.l.Template {
		case "address":
			done("Changed by")
		case "activation_renewed":
			done("Asked for by")
		case "activation_missed":
			add("Ended", clock(e.Time))
		default:
			done("Created by")
		}
		return out
	case "partner":
		add("Partner", partner)
		done("Done by")
		return out
	case "invitation":
		add("Customer", customer)
		add("Partner", partner)
		if v.l.Side != Invitee {
			add("Invited", named(d.Person, 200))
		}
		add("Access level", inWords(d.Level))
		add("Access ends", instant(d.Until, noEnd))
		if e.Type != events.InvitationAccepted && e.Type != events.InvitationDeclined && e.Type != events.InvitationCancelled {
			add("Invitation ends", instant(d.Expires, ""))
		}
		if in := d.Inviter; in != nil {
			add("Invited by", named(in, 200))
		}
		add("When", clock(e.Time))
		return out
	}
	add("Customer", customer)
	add("Partner", partner)
	switch v.l.Template {
	case "removed", "user_left", "partner_suspended", "partner_resumed":
		if v.l.Template == "user_left" {
			add("User", named(d.Person, 200))
		}
	case "expired", "revoked", "relinquished", "ended":
		add("Access level", "was "+inWords(v.level()))
		add("Ended", v.Ended()) // which is when it was done, or is more to the point
		add("Reason", v.Reason())
		if !v.Clock() {
			add("Done by", v.By())
		}
		return out
	default:
		add("Access level", inWords(v.level()))
		add("Begins", v.From())
		add("Ends", instant(d.Until, noEnd))
		if v.l.Side != User {
			add("Users in", v.Count())
		}
	}
	done("Done by")
	return out
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
		add("level", "Access level", inWords(mine.Level)+before(shown(mine.LevelWas)))
		levels = nil
	case d.LevelWas != "":
		add("level", "Access level", inWords(v.level())+before(shown(lower(d.LevelWas, v.recipient(d.Users)))))
	case len(levels) == 0:
		add("level", "Access level", "changed for single users; for everybody else it is "+inWords(d.Level))
	}
	if v.l.Side != User {
		for _, p := range levels {
			add("level", "Access level of "+named(&p, 60), inWords(p.Level)+before(shown(p.LevelWas)))
		}
	}
	begins := v.From()
	if d.FromWas != nil {
		begins += before(clock(*d.FromWas))
	}
	add("from", "Begins", begins)
	add("until", "Ends", instant(d.Until, noEnd)+"; before: "+instant(d.UntilWas, "no end date"))
	sso := "whether it is needed to enter has changed"
	if d.RequireSSO != nil {
		sso = map[bool]string{true: "needed to enter from now on", false: "no longer needed to enter"}[*d.RequireSSO]
	}
	add("require_sso", "Single sign-on", sso)
	add("managed", "Management", v.Partner()+" manages "+v.Customer()+" from now on: the access is always open, and only the "+v.s.Product+" team changes it")
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
	add("assigned_by", "Users are chosen by", chooser)
	switch {
	case v.EveryoneOn():
		out = append(out, line{"Everyone", "all staff of " + v.Partner() + " are in, and whoever joins later; users chosen one by one before no longer count"})
	case v.EveryoneOff():
		out = append(out, line{"Everyone", "switched off: whoever is in stays in, but who joins " + v.Partner() + " later does not get in"})
	}
	if n := d.Unnamed; n > 0 {
		out = append(out, line{"Taken out", users(n) + map[bool]string{true: " who are not listed here", false: " besides those who are listed here"}[len(d.Removed) == 0]})
	}
	if d.Note == "" {
		add("note", "Note", "taken away")
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
		add("Users who were in", d.Users)
		return out
	case "user_left":
		add("Users who are still in", d.Users)
		return out
	}
	add("Put in", d.Added)
	add("Taken out", d.Removed)
	if len(d.Users) > len(d.Added) || len(d.Removed)+d.Unnamed > 0 {
		add("Users who are in", d.Users)
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
			item += ", at most " + shown(p.Level)
		}
		l.Items = append(l.Items, item)
	}
	return l
}

// note is who wrote the note and its lines; none where it is not new.
func (v view) note() (by string, text []string) {
	fresh := v.l.Template == "granted" || v.l.Template != "removed" && v.Changed("note")
	if v.d().Note == "" || !fresh {
		return "", nil
	}
	return v.Customer(), lines(v.d().Note)
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
	case v.l.Secret == Token:
		return "Look at the invitation", fill(v.s.InvitationURL, map[string]string{"token": v.Secret})
	case v.l.Side == Invitee, v.l.Template == "removed", v.l.Template == "address_former", v.l.Template == "activation_missed" && v.l.Side == User, v.l.Template == "partner_removed", v.l.Template == "partner_suspended" && v.l.Side == Partner:
		return "", ""
	case v.l.Side == Customer && v.l.Event.Customer != nil:
		return "Review who has access", fill(v.s.CustomerURL, ids)
	case v.ended(): // there is nothing to open
		return "", ""
	case v.l.Template == "granted" && v.l.Side == Partner && v.ChosenByPartner():
		return "Choose your users", fill(v.s.PartnerURL, ids)
	case v.l.Side == User && slices.Contains([]string{"account", "address", "activation_renewed"}, v.l.Template):
		return "Sign in", fill(v.s.PartnerURL, ids)
	}
	return "Open the partner portal", fill(v.s.PartnerURL, ids)
}

func (v view) ended() bool {
	return slices.Contains([]string{"expired", "revoked", "relinquished", "ended", "suspended"}, v.l.Template)
}

// why says why the recipient gets this letter.
func (v view) why() string {
	in := v.d().Inviter
	switch {
	case v.l.Side == Invitee:
		return "You get this mail because " + v.Email() + " was entered in an invitation in " + v.s.Product + "."
	case strings.HasPrefix(string(v.l.Event.Type), "invitation.") && in != nil && strings.EqualFold(in.Email, v.l.To):
		return "You get this mail because you sent the invitation in " + v.s.Product + "."
	case v.l.Template == "address_former":
		return "You get this mail because " + v.Email() + " was the address of an account in " + v.s.Product + "."
	case v.l.Side == User:
		return "You get this mail because it is about your own access in " + v.s.Product + "."
	case v.l.Side == Partner:
		return "You get this mail because " + v.Email() + " is a contact of " + v.Partner() + " in " + v.s.Product + "."
	}
	return "You get this mail because " + v.Email() + " is a contact of " + v.Customer() + " in " + v.s.Product + "."
}

// greeting is the recipient's name, when the event has it.
func (v view) greeting() string {
	if v.l.Side != User && v.l.Side != Invitee {
		return ""
	}
	people := slices.Concat(v.d().Added, v.d().Removed, v.d().Changed, v.d().Users)
	if p := v.d().Person; p != nil {
		people = append(people, *p)
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
	return v.l.Template == "expiring" || v.l.Template == "invitation_reminder"
}
