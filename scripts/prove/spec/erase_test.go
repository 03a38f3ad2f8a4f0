package spec_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
)

// A person who is erased: a pseudonym stands for it wherever it was named.

// holdsText returns the table's items that hold the text.
func holdsText(t *testing.T, w *spec.World, text string) []string {
	t.Helper()
	return slices.DeleteFunc(records(t, w), func(item string) bool { return !strings.Contains(strings.ToLower(item), text) })
}

// erasable is acme with a grant for contoso, whose sam has picked its users and everyone at another customer, edited, invited, left the
// other customer and has another address by now. It returns sam's id.
func erasable(t *testing.T) (w *spec.World, ann, olga *spec.Client, kim, sam string) {
	t.Helper()
	w = withMail(t)
	kim, sam = w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "business")
	ann, olga = w.AdminOf("acme"), w.As("olga@contoso.example")
	w.Customer("globex")
	w.Customer("initech")
	lee := w.User("contoso", "lee@contoso.example", "tech")
	w.Grant("initech", m{"partner": "contoso", "assigned_by": "partner"}).Want(201)
	w.As("sam@contoso.example").Do("PUT", contosoPath+"/customers/initech/users", m{"everyone": true}).Want(200)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "assigned_by": "partner"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	w.As("sam@contoso.example").Do("PUT", contosoPath+"/customers/acme/users", m{"users": []string{lee, sam}}).Want(200)
	w.As("sam@contoso.example").Do("POST", acmePath+"/invitations", m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	w.As("sam@contoso.example").Do("DELETE", contosoPath+"/customers/globex", nil).Want(200)
	w.Provider().Do("PATCH", contosoPath, m{"contacts": []string{"ops@contoso.example", "sam@contoso.example"}}, "If-Match", "*").Want(200)
	w.Advance(time.Minute)
	w.Provider().Do("PATCH", contosoUsers+"/"+sam, m{"email": "samuel@contoso.example", "name": "Samuel Ek"}, "If-Match", "*").Want(200)
	w.Advance(time.Minute)
	w.Provider().Do("PATCH", contosoPath, m{"contacts": []string{"ops@contoso.example"}}, "If-Match", "*").Want(200)
	w.Advance(20 * time.Minute)
	w.User("contoso", "first@contoso.example", "tech")
	mailed(t, w, "first@contoso.example", "user.created", 1)
	return w, ann, olga, kim, sam
}

func TestAnErasedPersonIsNamedNowhere(t *testing.T) {
	t.Parallel()
	w, ann, olga, _, sam := erasable(t)
	before := allOf(ann, acmePath+"/history", 100)
	w.Advance(time.Minute)
	erased := ulid.Timestamp(w.Now())
	olga.Do("DELETE", contosoUsers+"/"+sam+"?erase=true", nil).Want(204)
	w.Advance(0)
	w.Advance(20 * time.Minute) // the second round
	w.Advance(24 * time.Hour)
	w.User("contoso", "last@contoso.example", "tech")
	mailed(t, w, "last@contoso.example", "user.created", 1) // the stream's batches before it are done with
	w.Advance(0)
	told := map[string]bool{}
	for _, mail := range w.Stack.Mail.List() { // of what has happened since, and not of what was rewritten
		id := mail.Tags["event"]
		late := ulid.MustParse(id).Time() < erased // a mail of before, which may come only now
		since := []string{"user.removed", "user.created", "grant.user_left", "invitation.cancelled", "user.activation_missed"}
		if access.IsPseudonym(mail.To) || told[id+mail.To] || !late && !slices.Contains(since, mail.Event) {
			t.Errorf("got a mail of %s to %s, want none", mail.Event, mail.To)
		}
		told[id+mail.To] = true
	}
	for _, text := range []string{"sam@contoso.example", "samuel@contoso.example", "samuel ek"} {
		for _, item := range holdsText(t, w, text) {
			t.Errorf("%s is still in %.300s", text, item)
		}
	}
	pseudonym := access.Pseudonym(sam)
	after := allOf(ann, acmePath+"/history", 100)
	if len(after) < len(before) {
		t.Errorf("the history: got %d entries, want the %d of before", len(after), len(before))
	}
	named, acted := 0, 0
	for _, e := range after {
		if a := e["actor"].(map[string]any); a["email"] == pseudonym && a["id"] == sam && a["name"] == access.ErasedName {
			acted++
		}
		if strings.Contains(textOf(e["data"]), `"email":"`+pseudonym+`","id":"`+sam+`","name":"Erased person"`) {
			named++
		}
	}
	if acted == 0 || named == 0 {
		t.Errorf("the history: got %d entries by %s and %d that name it, want both", acted, pseudonym, named)
	}
	if got := allOf(ann, acmePath+"/history?person="+pseudonym, 100); len(got) < named {
		t.Errorf("by the pseudonym: got %d entries, want the %d", len(got), named)
	}
	last := olga.Do("GET", contosoPath+"/history?type=user.erased", nil).Want(200)
	if last.Int("items.length") != 1 || last.String("items.0.data.person.id") != sam ||
		last.String("items.0.actor.email") != "olga@contoso.example" {
		t.Errorf("the partner's history: got %s, want the erasure by olga", last.Body)
	}
	w.User("contoso", "samuel@contoso.example", "tech") // the address is free
}

func TestErasingCanBeRepeatedAndComeLate(t *testing.T) {
	t.Parallel()
	w, _, olga, kim, sam := erasable(t)
	olga.Do("DELETE", contosoUsers+"/"+sam, nil).Want(204)
	w.Advance(time.Hour)
	olga.Do("DELETE", contosoUsers+"/"+sam, nil).WantProblem(404, "not_found")
	for range 2 {
		olga.Do("DELETE", contosoUsers+"/"+sam+"?erase=true", nil).Want(204)
		w.Advance(time.Hour)
	}
	w.Provider().Do("DELETE", contosoUsers+"/"+sam+"?erase=true", nil).Want(204)
	if got := olga.Do("GET", contosoPath+"/history?type=user.erased", nil).Want(200); got.Int("items.length") != 1 {
		t.Errorf("got %d erasures, want one", got.Int("items.length"))
	}
	olga.Do("GET", contosoUsers+"/"+kim, nil).Want(200) // nobody else is touched
	if keys := holdsText(t, w, "kim@contoso.example"); len(keys) == 0 {
		t.Error("kim is named nowhere, want everywhere as before")
	}
}

func TestWhoMayEraseAPerson(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t) // sam is a business user
	ownerOf(w, "contoso")
	al := w.User("contoso", "al@contoso.example", "admin")
	w.Partner("fabrikam")
	ownerOf(w, "fabrikam")
	url := func(user string) string { return contosoUsers + "/" + user + "?erase=true" }
	olga := w.As("olga@contoso.example").Do("GET", "/v1/me", nil).Want(200).String("partner.user.id")
	w.As("sam@contoso.example").Do("DELETE", url(kim), nil).WantProblem(403, "forbidden")
	w.As("kim@contoso.example").Do("DELETE", url(sam), nil).WantProblem(403, "forbidden")
	w.As("al@contoso.example").Do("DELETE", url(al), nil).WantProblem(403, "forbidden")
	w.As("al@contoso.example").Do("DELETE", url(olga), nil).WantProblem(403, "forbidden")
	w.As("olga@fabrikam.example").Do("DELETE", url(kim), nil).WantProblem(404, "not_found")
	w.AdminOf("acme").Do("DELETE", url(kim), nil).WantProblem(404, "not_found")
	w.Provider().Do("DELETE", url("contoso:01KAP2X5T0KJ5M8QZC3V7E1R2A"), nil).WantProblem(404, "not_found")
	w.Provider().Do("DELETE", contosoUsers+"/"+kim+"?erase=yes", nil).WantProblem(400, "invalid", "?erase")
	w.Provider().Do("DELETE", contosoUsers+"/"+kim+"?erase=true&erase=true", nil).WantProblem(400, "invalid", "?erase")
	w.Provider().Do("DELETE", contosoUsers+"/"+kim+"?force=true", nil).WantProblem(400, "invalid", "?force")
	w.As("kim@contoso.example").Do("GET", contosoUsers, nil).Want(200) // nothing has happened
	nobody := m{"email": access.Pseudonym(kim), "name": "Nobody", "role": "tech"}
	w.Provider().Do("POST", contosoUsers, nobody).WantProblem(400, "invalid", "/email")
	w.As("al@contoso.example").Do("DELETE", url(kim), nil).Want(204)
	w.Provider().Do("DELETE", url(al), nil).Want(204)
}

func TestAnErasureIsRehearsedAndErasesNothing(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	would := w.Provider().Do("DELETE", contosoUsers+"/"+kim+"?erase=true&dry_run=true", nil).Want(200)
	if got := textOf(would.Get("events")); got != `[{"type":"user.removed"},{"type":"user.erased"}]` {
		t.Errorf("the events: got %s, want the removal and the erasure", got)
	}
	w.Provider().Do("GET", contosoUsers+"/"+kim, nil).Want(200)
}

// A mail that waits because SES does not take it names the person, and is not sent any more.
func TestAMailThatWaitsIsNotSentToWhoWasErased(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	mailed(t, w, "kim@contoso.example", "user.created", 1)
	w.Stack.SES.Fail(100_000)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	mailState(t, w, acmePath+"/mail", "kim@contoso.example", "grant.created", "claimed")
	w.Provider().Do("DELETE", contosoUsers+"/"+kim+"?erase=true", nil).Want(204)
	w.Advance(0)
	w.Advance(20 * time.Minute)
	w.Stack.SES.Heal()
	w.Advance(day)
	mailState(t, w, acmePath+"/mail", access.Pseudonym(kim), "grant.created", "failed")
	for _, item := range holdsText(t, w, "kim@contoso.example") {
		t.Errorf("kim is still in %.300s", item)
	}
}

// Both are named by the same events, and each is written on the condition that it is as it was read.
func TestTwoPeopleAreErasedAtOnce(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "level": "view"}).Want(201)
	for _, level := range []string{"support", "manage", "view", "support", "manage"} {
		ann.Do("PATCH", contosoGrant, m{"level": level}, "If-Match", "*").Want(200)
	}
	for _, user := range []string{kim, sam} {
		w.Provider().Do("DELETE", contosoUsers+"/"+user+"?erase=true", nil).Want(204)
	}
	for range 3 { // what met the other is done by the next run
		w.Advance(time.Minute)
	}
	w.Advance(20 * time.Minute)
	w.Advance(2 * day)
	for _, text := range []string{"kim@contoso.example", "sam@contoso.example"} {
		for _, item := range holdsText(t, w, text) {
			t.Errorf("%s is still in %.300s", text, item)
		}
	}
	for _, user := range []string{kim, sam} {
		if got := allOf(ann, acmePath+"/history?person="+access.Pseudonym(user), 100); len(got) < 6 {
			t.Errorf("%s: got %d entries, want the six of the grant and the end", user, len(got))
		}
	}
}
