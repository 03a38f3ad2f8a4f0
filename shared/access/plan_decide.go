package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// ApproveCommand approves a request as it was asked, or with lower, shorter or fewer terms. Nil fields stay as they were asked.
type ApproveCommand struct {
	Level *Level
	Until *time.Time // zero = without an end
	Users *[]string
	Note  string
}

// narrowed returns the terms that the command grants of those that were asked for; WiderThanAsked when it would grant more.
func (c ApproveCommand) narrowed(r *Request, users map[string]*User) (RequestTerms, error) {
	t := r.Asked
	var wider []Field
	add := func(pointer, detail string) { wider = append(wider, Field{pointer, detail}) }
	if c.Level != nil {
		if t.Level = *c.Level; t.Level > r.Asked.Level || t.Level == None {
			add("/level", "at most what was asked for, and not none")
		}
	}
	if c.Until != nil {
		t.Until = *c.Until
		if asked := r.Asked.Until; !asked.IsZero() && (t.Until.IsZero() || t.Until.After(asked)) || r.Kind == AskRaise ||
			r.Kind == AskAccess && r.Asked.Level == None {
			add("/until", "at most until what was asked for")
		}
	}
	if c.Users != nil {
		t.Users, t.Everyone = slices.Compact(slices.Sorted(slices.Values(*c.Users))), false
		more := func(id string) bool {
			u := users[id]
			return !slices.Contains(r.Asked.Users, id) && (!r.Asked.Everyone || u == nil || u.Role == External) // whom everyone does not include
		}
		if r.Kind != AskAccess || len(t.Users) == 0 || slices.ContainsFunc(t.Users, more) {
			add("/users", "some of those who were asked for, and nobody else")
		}
	}
	if len(wider) == 0 {
		return t, nil
	}
	err := Refuse(WiderThanAsked, "an approval grants what was asked for, or less: for anything else decline, and grant it yourself")
	err.Fields = wider
	return t, err
}

// checkDecider refuses a decision by somebody who does not decide about this request, or after it was decided.
func (f RequestFacts) checkDecider(pc PlanContext) error {
	r := f.Row
	if r == nil {
		return notFound("request")
	}
	if !f.decides(pc.Actor.Email) {
		return Refuse(Forbidden, "requests to this customer are decided by %s", deciding(r.Customer))
	}
	if f.own(pc.Actor.Email) {
		return Refuse(OwnRequest, "nobody decides about a request of his own, or of the organisation whose user he is: ask another admin")
	}
	switch s, why := r.Status(pc.Now); s {
	case RequestPending:
		return nil
	case RequestApproved, RequestDeclined:
		return Refuse(RequestEnded, "%s has %s this request at %s", r.Decider.Email, s, r.Updated.Format(time.RFC3339))
	case RequestCancelled:
		return Refuse(RequestEnded, "this request was cancelled: %s", why)
	default:
		return Refuse(RequestEnded, "this request was %s", s)
	}
}

func deciding(c *Customer) string {
	if c == nil || len(c.Requests.Approvers) == 0 {
		return "its admins"
	}
	return "those of its admins whom its policy names"
}

// decides reports whether the address is one of those who decide now.
func (f RequestFacts) decides(email string) bool {
	return slices.ContainsFunc(f.Deciders, func(m Member) bool { return m.Email == email })
}

// own reports whether the address is that of who asked, of somebody for whom was asked, or of another user of the asking partner.
func (f RequestFacts) own(email string) bool {
	if email == "" || email == f.Row.By.Email || f.Colleague[email] {
		return true
	}
	for _, u := range append([]*User{f.Row.Requester}, valuesOf(f.Row.Users, f.Row.Asked.Users)...) {
		if u != nil && slices.Contains(u.Addresses(), email) {
			return true
		}
	}
	return false
}

func valuesOf(users map[string]*User, ids []string) []*User {
	out := make([]*User, len(ids))
	for i, id := range ids {
		out[i] = users[id]
	}
	return out
}

// Approved is what an approval came to.
type Approved struct {
	GrantChange
	Row   *RequestRow
	Final bool // what was asked for is granted; otherwise more approvals are needed
}

// PlanApprove plans an approval. When it is the last that the policy needs, what it grants is part of the same change, by the plan of every
// grant: the offer, the class, members and managed customers are looked at now. Only approvals of exactly these terms count, by different
// people who may still decide; each of them is a condition of the change. An earlier approval of one's own is replaced.
func PlanApprove(f RequestFacts, cmd ApproveCommand, defaultSSO bool, pc PlanContext) (Approved, error) {
	if err := f.checkDecider(pc); err != nil {
		return Approved{}, err
	}
	terms, err := cmd.narrowed(f.Row.Request, f.Users)
	if err != nil {
		return Approved{}, err
	}
	if err := f.Customer.Requests.checkPeriod(f.Row.Kind, terms, pc.Now); err != nil {
		return Approved{}, err
	}
	grant, err := f.planGranted(terms, defaultSSO, pc)
	if err != nil {
		return Approved{}, err
	}
	n := f.Row.next(pc)
	n.Approvals = slices.DeleteFunc(slices.Clone(n.Approvals), func(a Approval) bool { return a.Email == pc.Actor.Email })
	var with []string // whose approvals count
	for _, a := range n.Approvals {
		if a.Terms.Equal(terms) && f.decides(a.Email) && !f.own(a.Email) {
			with = append(with, a.Email)
		}
	}
	with = append(with, pc.Actor.Email)
	n.Approvals = append(n.Approvals, Approval{Email: pc.Actor.Email, Terms: terms, At: pc.Now})
	if len(with) < f.Customer.Requests.Or().Approvals {
		return f.first(n, with, grant, pc)
	}
	n.State, n.Granted, n.Decider, n.Note = RequestApproved, &terms, pc.Actor.by(), cmd.Note
	c, row, err := pc.endRequest(events.RequestApproved, f.Row, n, f.Deciders)
	if err != nil {
		return Approved{}, err
	}
	for i := range grant.Change.Events {
		grant.Change.Events[i].Data.AskedFor = n.ID
	}
	c.Writes = append(c.Writes, f.conditions(with)...)
	grant.Change.Writes = append(grant.Change.Writes, c.Writes...)
	grant.Change.Events = append(grant.Change.Events, c.Events...)
	return Approved{GrantChange: grant, Row: row, Final: true}, nil
}

// first plans an approval that needs others.
func (f RequestFacts) first(n *Request, with []string, would GrantChange, pc PlanContext) (Approved, error) {
	c, row, err := pc.endRequest(events.RequestSeconded, f.Row, n, f.Deciders)
	c.Writes = append(c.Writes, f.conditions(with)...)
	would.Change = c
	return Approved{GrantChange: would, Row: row}, err
}

// conditions returns that those who approve are as they were loaded, and so are the policy and who asked.
func (f RequestFacts) conditions(with []string) []Write {
	out := []Write{CustomerCheck{*f.Customer}, UserCheck{*f.Row.Requester}}
	for _, m := range f.Deciders {
		if slices.Contains(with, m.Email) {
			out = append(out, MemberCheck{m})
		}
	}
	return out
}

// planGranted plans what the terms grant, as the customer's own grant or edit would. It is refused with GivesNothing when that changes
// nothing.
func (f RequestFacts) planGranted(t RequestTerms, defaultSSO bool, pc PlanContext) (GrantChange, error) {
	r, g := f.Row, f.GrantFacts
	if r.Request.Grant == "" {
		cmd := GrantCommand{Users: t.Users, Everyone: t.Everyone, Level: &t.Level, From: &t.From, Until: &t.Until, DefaultSSO: defaultSSO}
		if !t.Until.IsZero() && !t.Until.After(pc.Now) {
			return GrantChange{}, Refuse(PeriodInvalid, "the end %s has passed", t.Until.Format(time.RFC3339)).At("/until")
		}
		return PlanGrant(g, cmd, pc)
	}
	if gives(g.Grant, r.Kind, r.Personal, t, g.Users, g.Assignments) {
		return GrantChange{}, Refuse(GivesNothing, "the grant is so already: approve more of what was asked for, or decline")
	}
	edit := EditCommand{Seen: AnyVersion}
	switch {
	case r.Kind == AskExtend:
		edit.Until = &t.Until
	case r.Kind == AskRaise && !r.Personal:
		edit.Level = &t.Level
	case r.Kind == AskRaise:
		edit.Caps = g.raisedCaps(t)
	case t.Everyone:
		edit.Everyone = ref(true)
		edit.Add = f.outsiders(t.Users)
	default:
		edit.Add = t.Users
	}
	return PlanEdit(g, edit, pc)
}

// raisedCaps lifts the caps of the person to the level, on each address that has one below.
func (g GrantFacts) raisedCaps(t RequestTerms) map[string]*Level {
	caps := map[string]*Level{}
	for _, u := range valuesOf(g.Users, t.Users) {
		if u == nil {
			continue
		}
		for _, address := range u.Addresses() {
			if most, capped := g.Grant.Caps[address]; capped && most < t.Level {
				caps[address] = &t.Level
			}
		}
	}
	return caps
}

// outsiders returns those of the users whom everyone does not include.
func (f RequestFacts) outsiders(ids []string) []string {
	var out []string
	for _, id := range ids {
		if u := f.Users[id]; u != nil && u.Role == External {
			out = append(out, id)
		}
	}
	return out
}

// PlanDeclineRequest plans that the customer declines, with a word to who asked.
func PlanDeclineRequest(f RequestFacts, note string, pc PlanContext) (Change, *RequestRow, error) {
	if err := f.checkDecider(pc); err != nil {
		return Change{}, nil, err
	}
	n := f.Row.next(pc)
	n.State, n.Decider, n.Note = RequestDeclined, pc.Actor.by(), note
	return pc.endRequest(events.RequestDeclined, f.Row, n, f.Deciders)
}

// PlanQuestion plans that one who decides asks something back, once: an answer is another request, or a talk.
func PlanQuestion(f RequestFacts, question string, pc PlanContext) (Change, *RequestRow, error) {
	if err := f.checkDecider(pc); err != nil {
		return Change{}, nil, err
	}
	if f.Row.Question != "" {
		return Change{}, nil, Refuse(AlreadyAsked, "%s has asked already: %q", f.Row.Asker.Email, f.Row.Question)
	}
	n := f.Row.next(pc)
	n.Question, n.Asker = question, pc.Actor.by()
	return pc.endRequest(events.RequestQuestioned, f.Row, n, f.Deciders)
}
