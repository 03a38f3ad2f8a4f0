package spec_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// Any day: who had access at an instant of the past, and what a check answered then.

// asOf is the query about an instant.
func asOf(t time.Time) string { return "at=" + url.QueryEscape(t.Format(time.RFC3339Nano)) }

// complete asks until the answer about the past lacks nothing: the stream may be some moments behind.
func complete(t *testing.T, by *spec.Client, path string) *spec.Answer {
	t.Helper()
	var a *spec.Answer
	spec.Eventually(t, func() error {
		a = by.Do("GET", path, nil).Want(200)
		if a.Get("past") != true {
			t.Fatalf("%s: got %s, want it marked as of the past", path, a.Body)
		}
		if a.Get("complete") != true {
			return fmt.Errorf("%s: got %s, want it complete", path, a.Body)
		}
		return nil
	})
	return a
}

func auditor(w *spec.World) *spec.Client {
	return w.Bearer(w.Token(stack.TokenRequest{Scope: "partner-access/audit"}))
}

// monday and tuesday are two days of one grant: on the first kim has level view, on the second sam has support, and on the third there is
// no grant.
func twoDays(t *testing.T) (w *spec.World, kim, sam string, before, monday, tuesday time.Time) {
	t.Helper()
	w = withMail(t)
	kim, sam = w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "tech")
	before = w.Now()
	w.Advance(time.Hour)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view", "note": "ours"}).Want(201)
	monday = w.Now().Add(time.Hour)
	w.Advance(24 * time.Hour)
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"users": m{"set": []string{sam}}, "level": "support"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", contosoPath, m{"name": "Contoso & Sons"}, "If-Match", "*").Want(200)
	tuesday = w.Now().Add(time.Hour)
	w.Advance(24 * time.Hour)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	w.Advance(24 * time.Hour)
	return w, kim, sam, before, monday, tuesday
}

func TestThePeopleOfAnyDayAreTold(t *testing.T) {
	t.Parallel()
	w, kim, sam, before, monday, tuesday := twoDays(t)
	ann := w.AdminOf("acme")
	for _, day := range []struct {
		at                   time.Time
		user, level, partner string
	}{{monday, kim, "view", "Contoso"}, {tuesday, sam, "support", "Contoso & Sons"}} {
		a := complete(t, ann, peoplePath+"?"+asOf(day.at))
		if a.Get("total") != 1.0 || a.String("items.0.user.id") != day.user || a.String("items.0.level") != day.level ||
			a.String("items.0.partner.name") != day.partner || a.Get("items.0.last_used_on") != nil {
			t.Errorf("got %s, want %s alone with %s of %s", a.Body, day.user, day.level, day.partner)
		}
	}
	for _, day := range []time.Time{before, w.Now().Add(-time.Hour)} {
		if a := complete(t, ann, peoplePath+"?"+asOf(day)); a.Get("total") != 0.0 {
			t.Errorf("at %s: got %s, want nobody", day, a.Body)
		}
	}
	csv := ann.Do("GET", peoplePath+"?format=csv&"+asOf(monday), nil).Want(200)
	if !strings.Contains(string(csv.Body), "#rows,1,#at,") || !strings.Contains(string(csv.Body), "#complete") {
		t.Errorf("got %s, want its last line to say of which instant it is, and that it is complete", csv.Body)
	}
}

func TestTheGrantsOfAnyDayAreToldToBothSides(t *testing.T) {
	t.Parallel()
	w, kim, _, before, monday, tuesday := twoDays(t)
	ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")
	list := complete(t, ann, acmePath+"/grants?"+asOf(monday))
	if list.Get("total") != 1.0 || list.String("items.0.level") != "view" || list.String("items.0.status") != "active" ||
		list.String("items.0.partner.name") != "Contoso" || list.String("items.0.note") != "ours" {
		t.Errorf("got %s, want the grant of then", list.Body)
	}
	one := complete(t, ann, contosoGrant+"?"+asOf(tuesday))
	if one.String("level") != "support" || one.String("status") != "active" {
		t.Errorf("got %s, want the grant of then", one.Body)
	}
	ended := complete(t, ann, contosoGrant+"?"+asOf(w.Now()))
	if ended.String("status") != "ended" || ended.String("end.reason") != "revoked_by_customer" {
		t.Errorf("got %s, want it ended", ended.Body)
	}
	ann.Do("GET", contosoGrant+"?"+asOf(before), nil).WantProblem(404, "not_found")

	own := complete(t, olga, contosoPath+"/customers?"+asOf(monday))
	if own.Get("total") != 1.0 || own.String("items.0.level") != "view" || strings.Contains(string(own.Body), "ours") {
		t.Errorf("got %s, want the grant of then, without the customer's note", own.Body)
	}
	if now := olga.Do("GET", contosoPath+"/customers", nil).Want(200); now.Get("total") != 0.0 || now.Get("past") != nil {
		t.Errorf("got %s, want none now, and no word of the past", now.Body)
	}
	mine := complete(t, w.As("kim@contoso.example"), contosoPath+"/customers/acme?"+asOf(monday))
	if mine.Get("you_have_access") != true {
		t.Errorf("%s: got %s, want that kim had access", kim, mine.Body)
	}
	mine = complete(t, w.As("kim@contoso.example"), contosoPath+"/customers/acme?"+asOf(tuesday))
	if mine.Get("you_have_access") != false {
		t.Errorf("got %s, want that kim had no access", mine.Body)
	}
}

// pasts are the paths that tell of the past, of acme and contoso.
func pasts() []string {
	return []string{
		peoplePath, acmePath + "/grants", contosoGrant, contosoPath + "/customers", contosoPath + "/customers/acme",
	}
}

func TestThePastOfAnotherOrganisationIsNotTold(t *testing.T) {
	t.Parallel()
	w, _, kim, _, monday, _ := twoDays(t)
	w.Customer("globex")
	w.Partner("fabrikam")
	w.User("fabrikam", "fay@fabrikam.example", "owner")
	for name, by := range map[string]*spec.Client{
		"another customer's admin": w.AdminOf("globex"), "another partner's owner": w.As("fay@fabrikam.example"),
		"a stranger": w.As("stranger@elsewhere.example"),
	} {
		for _, path := range pasts() {
			missing := strings.NewReplacer("acme", "nowhere", "contoso", "nowhere").Replace(path)
			past, there := by.Do("GET", path+"?"+asOf(monday), nil), by.Do("GET", missing+"?"+asOf(monday), nil)
			if past.Status < 400 || past.Status != there.Status ||
				said(past, "acme", "contoso") != strings.ReplaceAll(said(there), "nowhere", "(sent)") {
				t.Errorf("%s: %s: got %s, want what is said of organisations that do not exist: %s", name, path, past.Body, there.Body)
			}
		}
		by.Do("POST", "/access/v1/evaluation", pastQuestion(kim, monday)).WantProblem(403, "forbidden")
	}
}

func TestAnInstantThatWasNotIsRefused(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.User("contoso", "owner@contoso.example", "owner")
	for _, path := range pasts() {
		by := ann
		if strings.HasPrefix(path, contosoPath) {
			by = w.As("owner@contoso.example")
		}
		for _, query := range []string{asOf(w.Now().Add(time.Minute)), "at=monday", asOf(w.Now().Add(-11 * 366 * 24 * time.Hour))} {
			by.Do("GET", path+"?"+query, nil).WantProblem(400, "invalid", "?at")
		}
	}
	ann.Do("GET", peoplePath+"?sort=last_used_on&"+asOf(w.Now()), nil).WantProblem(400, "invalid", "?at")
	ann.Do("GET", contosoGrant+"?level=view", nil).WantProblem(400, "invalid", "?level")
	w.Customer("globex")
	w.AdminOf("globex").Do("GET", peoplePath+"?"+asOf(w.Now()), nil).WantProblem(404, "not_found")
}

// pastQuestion is a check about an instant.
func pastQuestion(user string, at time.Time) m {
	q := spec.Question(user, "sign_in", "acme")
	q["context"] = m{"at": at.Format(time.RFC3339Nano)}
	return q
}

func TestChecksAboutThePastNeedAScopeAndAreMarked(t *testing.T) {
	t.Parallel()
	w, kim, sam, _, monday, tuesday := twoDays(t)
	complete(t, w.AdminOf("acme"), peoplePath+"?"+asOf(monday))
	complete(t, w.AdminOf("acme"), peoplePath+"?"+asOf(tuesday))
	const one, many = "/access/v1/evaluation", "/access/v1/evaluations"
	for _, c := range []struct {
		user string
		at   time.Time
		want bool
	}{{kim, monday, true}, {sam, monday, false}, {kim, tuesday, false}, {sam, tuesday, true}} {
		a := auditor(w).Do("POST", one, pastQuestion(c.user, c.at)).Want(200)
		if a.Get("decision") != c.want || a.Get("context.past") != true || a.Get("context.complete") != true ||
			a.String("context.at") != c.at.Format("2006-01-02T15:04:05.000Z07:00") {
			t.Errorf("%s at %s: got %s, want %v, marked as of then", c.user, c.at, a.Body, c.want)
		}
	}
	w.Denied(kim, "sign_in", "acme", "ended")
	batch := auditor(w).Do("POST", many, m{"evaluations": []any{pastQuestion(kim, monday), pastQuestion(kim, tuesday)}}).Want(200)
	if batch.Get("evaluations.0.decision") != true || batch.Get("evaluations.1.decision") != false ||
		batch.Get("evaluations.0.context.past") != true {
		t.Errorf("got %s, want an answer about each instant", batch.Body)
	}
	for name, by := range map[string]*spec.Client{
		"a back end": w.Backend(), "kim": w.As("kim@contoso.example"), "the provider": w.Provider(),
	} {
		a := by.Do("POST", one, pastQuestion(kim, monday)).WantProblem(403, "forbidden")
		if !strings.Contains(string(a.Body), "partner-access/audit") {
			t.Errorf("%s: got %s, want it to name the scope", name, a.Body)
		}
	}
	auditor(w).Do("POST", one, spec.Question(kim, "sign_in", "acme")).WantProblem(403, "forbidden") // about now
	auditor(w).Do("POST", one, pastQuestion(kim, w.Now().Add(time.Minute))).WantProblem(400, "invalid", "/context/at")
	auditor(w).Do("POST", one, pastQuestion("kim@contoso.example", monday)).WantProblem(400, "invalid", "/subject/id")
	search := pastQuestion(kim, monday)
	w.Backend().Do("POST", "/access/v1/search/subject", search).WantProblem(400, "invalid", "/context/at")
}

// Without its stream a table keeps no versions.
func TestWhatIsNotKnownOfThePastIsSaid(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	then := w.Now()
	w.Advance(time.Hour)
	ann.Do("PATCH", contosoGrant, m{"level": "support"}, "If-Match", "*").Want(200)
	w.Advance(time.Hour)
	a := ann.Do("GET", acmePath+"/grants?"+asOf(then), nil).Want(200)
	if a.Get("complete") != false || a.String("missing.0.record") != "grant" || a.Get("missing.0.from") != 1.0 ||
		a.Get("missing.0.to") != 1.0 {
		t.Errorf("got %s, want it to say that version 1 of the grant is missing", a.Body)
	}
	if a := auditor(w).Do("POST", "/access/v1/evaluation", pastQuestion(kim, then)).Want(200); a.Get("context.complete") != false {
		t.Errorf("got %s, want it incomplete", a.Body)
	}
	if a := ann.Do("GET", contosoGrant+"?"+asOf(then), nil).WantProblem(404, "not_found"); !strings.Contains(string(a.Body), "missing") {
		t.Errorf("got %s, want it to say that versions are missing", a.Body)
	}
	wantSum(t, w, "PastGaps", "", 3)
}
