package spec_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// What the clock brings: starts, reminders, ends, and work that goes through many grants.

const day = 24 * time.Hour

// told is what acme's history says of the clock, oldest first: the type of each event, and how many days a reminder was before the end.
func toldByTheClock(w *spec.World, customer string) string {
	var out []string
	history := w.AdminOf(customer).Do("GET", "/v1/customers/"+customer+"/history?limit=100", nil).Want(200)
	for i := history.Int("items.length") - 1; i >= 0; i-- {
		at := fmt.Sprintf("items.%d.", i)
		if history.String(at+"actor.kind") != "clock" {
			continue
		}
		name := history.String(at + "type")
		if name == "grant.expiring" {
			name = fmt.Sprintf("%s %d", name, history.Int(at+"data.days"))
		}
		out = append(out, strings.TrimPrefix(name, "grant."))
	}
	return strings.Join(out, ", ")
}

func TestAPeriodIsToldAtItsStart30And7And1DaysBeforeAndAtItsEnd(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "from": spec.Start.Add(day), "until": spec.Start.Add(61 * day)}).Want(201)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{day - time.Millisecond, ""},
		{time.Millisecond, "started"},
		{30*day - time.Millisecond, "started"},
		{time.Millisecond, "started, expiring 30"},
		{23 * day, "started, expiring 30, expiring 7"},
		{6 * day, "started, expiring 30, expiring 7, expiring 1"},
		{day - time.Millisecond, "started, expiring 30, expiring 7, expiring 1"},
		{time.Millisecond, "started, expiring 30, expiring 7, expiring 1, expired"},
		{365 * day, "started, expiring 30, expiring 7, expiring 1, expired"},
	} {
		w.Advance(step.after)
		if got := toldByTheClock(w, "acme"); got != step.want {
			t.Errorf("at %s: got %q, want %q", w.Now().Format(time.RFC3339Nano), got, step.want)
		}
	}
	if got := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200); got.String("end.reason") != "expired" ||
		got.String("end.by.kind") != "clock" {
		t.Errorf("the grant: got %s, want its end by the clock", got.Body)
	}
}

func TestAccessEndsOnTheInstantThoughTheSweepIsHeldBackForAWeek(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	until := spec.Start.Add(40 * day)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": until}).Want(201)
	w.Stack.Clock.Set(until.Add(-time.Millisecond)) // without a sweep
	w.Allowed(kim, "sign_in", "acme")
	w.Stack.Clock.Set(until)
	w.Denied(kim, "sign_in", "acme", "expired")
	w.Stack.Clock.Set(until.Add(7 * day))
	w.Denied(kim, "sign_in", "acme", "expired")
	if got := toldByTheClock(w, "acme"); got != "" {
		t.Errorf("before the sweep: got %q, want nothing", got)
	}
	w.Advance(0)
	if got := toldByTheClock(w, "acme"); got != "expired" { // and no reminder of what is over
		t.Errorf("after the sweep: got %q, want the end alone", got)
	}
	if got := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200).String("end.at"); got != until.Format(time.RFC3339) {
		t.Errorf("the end: got %s, want the end of the period, %s", got, until.Format(time.RFC3339))
	}
}

func TestAReminderIsNoChangeThatAnEditCouldHaveMissed(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": spec.Start.Add(31 * day)}).Want(201)
	w.Advance(2 * day)
	if got := toldByTheClock(w, "acme"); got != "expiring 30" {
		t.Fatalf("told: got %q, want a reminder", got)
	}
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"until": spec.Start.Add(90 * day)}, "If-Match", `"1"`).Want(200)
	w.Advance(29 * day)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(29 * day)
	if got := toldByTheClock(w, "acme"); got != "expiring 30, expiring 30" {
		t.Errorf("told: got %q, want a reminder of the new end as well", got)
	}
}

func TestTwoSweepsAtOnceTellEverythingOnce(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	const customers = 10
	for i := range customers {
		c := fmt.Sprintf("c%d", i)
		w.Customer(c)
		w.Grant(c, m{"partner": "contoso", "users": []string{kim}, "until": spec.Start.Add(day)}).Want(201)
	}
	w.Stack.Clock.Set(spec.Start.Add(day))
	s := &sweep.Sweep{
		Store: dynamo.New(w.Stack.Engine().Client(), w.Stack.Table()), Now: w.Now, NewID: setup.IDs(w.Now), Log: slog.New(slog.DiscardHandler),
	}
	var runs sync.WaitGroup
	for range 3 {
		runs.Go(func() {
			if r, err := s.Run(t.Context()); err != nil || r.Failed > 0 || r.Cut {
				t.Errorf("the sweep: got %+v, %v; want all done", r, err)
			}
		})
	}
	runs.Wait()
	for i := range customers {
		if got := toldByTheClock(w, fmt.Sprintf("c%d", i)); got != "expired" {
			t.Errorf("c%d: got %q, want one end", i, got)
		}
	}
	if r, err := s.Run(t.Context()); err != nil || r.Done != 0 {
		t.Errorf("once more: got %+v, %v; want nothing left", r, err)
	}
}

func TestD23_WhenAUserLeavesTheCustomersCountAndHearOfIt(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Customer("globex")
	w.Customer("initech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	w.AdminOf("globex").Do("PATCH", "/v1/customers/globex/grants/contoso", m{"everyone": false}, "If-Match", "*").Want(200)
	w.Grant("initech", m{"partner": "contoso", "users": []string{sam}}).Want(201)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	w.Advance(0)
	for customer, want := range map[string]string{"acme": "1 user_left", "globex": "1 user_left", "initech": "1 "} {
		got := w.AdminOf(customer).Do("GET", "/v1/customers/"+customer+"/grants/contoso", nil).Want(200)
		if s := fmt.Sprint(got.Int("user_count"), " ", toldByTheClock(w, customer)); s != want {
			t.Errorf("%s: got %q, want %q", customer, s, want)
		}
	}
	w.Advance(time.Hour) // the second round finds nothing more
	if got := toldByTheClock(w, "acme"); got != "user_left" {
		t.Errorf("acme, an hour later: got %q, want it told once", got)
	}
}

func TestD23_ARemovedPartnersGrantsEndAndFreeAManagedCustomer(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	const customers = 60 // more than a page
	for i := range customers {
		c := fmt.Sprintf("c%02d", i)
		w.Customer(c)
		if i == 0 {
			w.Provider().Do("PUT", "/v1/customers/c00/managing-partner", m{"partner": "contoso"}).Want(201)
			continue
		}
		w.Provider().Do("PUT", "/v1/customers/"+c+"/relationships/contoso", m{"everyone": true}).Want(201)
	}
	w.Allowed(kim, "sign_in", "c59")
	w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204)
	w.Denied(kim, "sign_in", "c59", "partner_not_active") // before any sweep
	w.Advance(0)
	for i := range customers {
		got := w.Provider().Do("GET", fmt.Sprintf("/v1/customers/c%02d/grants/contoso", i), nil).Want(200)
		if got.String("status") != "ended" || got.String("end.reason") != "partner_removed" {
			t.Fatalf("c%02d: got %s, want ended by partner_removed", i, got.Body)
		}
	}
	w.Grant("c00", m{"partner": "fabrikam"}).Want(201)
}

func TestWhenAPartnerIsSuspendedAndResumedEveryCustomerHearsOfIt(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", "*").Want(200)
	w.Advance(0)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "active"}, "If-Match", "*").Want(200)
	w.Advance(0)
	w.Advance(0)
	if got := toldByTheClock(w, "acme"); got != "partner_suspended, partner_resumed" {
		t.Errorf("told: got %q, want both, once", got)
	}
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "active"}, "If-Match", "*").Want(200)
	w.Advance(0)
	if got := toldByTheClock(w, "acme"); strings.Count(got, "partner_suspended") != 1 {
		t.Errorf("told: got %q, want nobody told of what was over at once", got)
	}
}

func TestA15_AfterItsPartnersRemovalACustomerIsManagedByAnother(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Partner("fabrikam", "offer", "manage")
	w.Partner("tailspin", "offer", "manage")
	const managing = "/v1/customers/acme/managing-partner"
	w.Provider().Do("PUT", managing, m{"partner": "fabrikam"}).WantProblem(409, "customer_has_partners")
	w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204)
	w.Provider().Do("PUT", managing, m{"partner": "fabrikam"}).Want(201) // no sweep has come by
	w.Provider().Do("PUT", managing, m{"partner": "tailspin"}).WantProblem(409, "managed_elsewhere")
	w.Provider().Do("DELETE", "/v1/partners/fabrikam", nil).Want(204)
	w.Provider().Do("PUT", managing, m{"partner": "tailspin"}).Want(201)
	w.Advance(time.Hour)
	for partner, want := range map[string]string{"contoso": "ended", "fabrikam": "ended", "tailspin": "active"} {
		got := w.AdminOf("acme").Do("GET", "/v1/customers/acme/grants/"+partner, nil).Want(200)
		if got.String("status") != want || want == "ended" && got.String("end.reason") != "partner_removed" {
			t.Errorf("%s: got %s, want it %s", partner, got.Body, want)
		}
	}
}

func TestAnExtensionMovesTheEndAndNothingElse(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	end := spec.Start.Add(time.Hour)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": end}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"extend": "P90D"}).WantProblem(428, "if_match_required")
	ann.Do("PATCH", contosoGrant, m{"extend": "P90D"}, "If-Match", `"9"`).WantProblem(412, "version_mismatch")
	extended := ann.Do("PATCH", contosoGrant, m{"extend": "P90D"}, "If-Match", `"1"`).Want(200)
	later := end.Add(90 * 24 * time.Hour)
	if got := extended.String("grant.until"); got != later.Format(time.RFC3339) {
		t.Errorf("got the end %s, want %s", got, later)
	}
	if got := extended.Strings("changes.fields"); len(got) != 1 || got[0] != "until" {
		t.Errorf("got %v, want until and nothing else", got)
	}
	// The same request again is about a version that is not there any more: nobody extends twice by pressing twice.
	ann.Do("PATCH", contosoGrant, m{"extend": "P90D"}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	w.Advance(later.Sub(spec.Start) - time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")
	ann.Do("PATCH", contosoGrant, m{"extend": "P1D"}, "If-Match", "*").WantProblem(409, "ended")
}

func TestOnlyAnEndThatThereIsIsExtended(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"extend": "P90D"}, "If-Match", "*").WantProblem(422, "period_invalid", "/extend")
	for _, bad := range []string{
		"", "90", "P90", "90D", "P0D", "P-1D", "P+1D", "P090D", "P1M", "P1Y", "PT1H", "P1DT1H", "P3654D", "P522W",
		"P9999999999999D",
	} {
		ann.Do("PATCH", contosoGrant, m{"extend": bad}, "If-Match", "*").WantProblem(400, "invalid", "/extend")
	}
	both := m{"extend": "P1D", "until": spec.Start.Add(time.Hour)}
	ann.Do("PATCH", contosoGrant, both, "If-Match", "*").WantProblem(400, "invalid", "/extend")
	ann.Do("PATCH", contosoGrant, m{"until": "9999-12-31T00:00:00Z"}, "If-Match", "*").Want(200)
	ann.Do("PATCH", contosoGrant, m{"extend": "P1D"}, "If-Match", "*").WantProblem(422, "period_invalid", "/extend")
	w.User("contoso", "pat@contoso.example", "owner")
	w.As("pat@contoso.example").Do("PATCH", contosoGrant, m{"extend": "P1D"}, "If-Match", "*").WantProblem(404, "not_found")
}

func TestAGrantThatIsUsedIsExtendedByItselfADayBeforeItsEnd(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	ann := w.AdminOf("acme")
	end := spec.Start.Add(10 * day)
	made := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": end, "auto_extend": "P2W"}).Want(201)
	if got := made.String("grant.auto_extend"); got != "P14D" {
		t.Errorf("auto_extend: got %q, want P14D", got)
	}
	w.Allowed(kim, "sign_in", "acme") // a back end's allow is a use
	w.Advance(9*day - time.Millisecond)
	if got := ann.Do("GET", contosoGrant, nil).Want(200).String("until"); got != end.Format(time.RFC3339) {
		t.Errorf("more than a day before: got the end %s, want %s", got, end)
	}
	w.Advance(time.Millisecond)
	if got, want := ann.Do("GET", contosoGrant, nil).Want(200).String("until"), end.Add(14*day).Format(time.RFC3339); got != want {
		t.Fatalf("a day before: got the end %s, want %s", got, want)
	}
	mailed(t, w, "kim@contoso.example", "grant.edited", 1)
	last := ann.Do("GET", "/v1/customers/acme/history?limit=1", nil).Want(200)
	if last.String("items.0.type") != "grant.edited" || last.String("items.0.actor.kind") != "clock" {
		t.Errorf("got %s, want the edit by the clock", last.Body)
	}

	// Nobody uses it for that long: it ends, after a reminder that says why.
	w.Advance(14 * day)
	mailed(t, w, "kim@contoso.example", "grant.expiring", 1)
	w.Advance(day - time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")
}

func TestWhatIsSuspendedOrLiftedIsNotExtendedByItself(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]m{"suspended": {"state": "suspended"}, "lifted": {"auto_extend": nil}} {
		w, kim, _ := acme(t)
		ann := w.AdminOf("acme")
		end := spec.Start.Add(10 * day)
		w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": end, "auto_extend": "P14D"}).Want(201)
		w.Allowed(kim, "sign_in", "acme") // a back end's allow is a use
		ann.Do("PATCH", contosoGrant, change, "If-Match", "*").Want(200)
		w.Advance(9 * day)
		w.Advance(day)
		if got := ann.Do("GET", contosoGrant, nil).Want(200).String("status"); got != "expired" {
			t.Errorf("%s: got %s, want expired", name, got)
		}
	}
}

func TestOnlyAnEndThatIsMoreThanADayAwayMovesByItself(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann := w.AdminOf("acme")
	grant := func(until any) m {
		return m{"partner": "contoso", "users": []string{kim}, "until": until, "auto_extend": "P90D"}
	}
	ann.Do("POST", grants, grant(nil)).WantProblem(422, "period_invalid", "/auto_extend")
	ann.Do("POST", grants, grant(spec.Start.Add(day))).WantProblem(422, "period_invalid", "/auto_extend")
	ann.Do("POST", grants, grant(spec.Start.Add(day+time.Millisecond))).Want(201)
	// An end that leaves no day to decide ends it, as no end does; what has nothing to do with it leaves it.
	if got := ann.Do("PATCH", contosoGrant, m{"note": "kept"}, "If-Match", "*").Want(200).String("grant.auto_extend"); got != "P90D" {
		t.Errorf("after a note: got %q, want P90D", got)
	}
	ended := ann.Do("PATCH", contosoGrant, m{"until": nil}, "If-Match", "*").Want(200)
	if ended.Get("grant.auto_extend") != nil || !slices.Equal(ended.Strings("changes.fields"), []string{"auto_extend", "until"}) {
		t.Errorf("without an end: got %s", ended.Body)
	}
	for _, bad := range []any{"", "P0D", "P1M", 90} {
		ann.Do("PATCH", contosoGrant, m{"auto_extend": bad}, "If-Match", "*").WantProblem(400, "invalid", "/auto_extend")
	}
	w.User("contoso", "pat@contoso.example", "owner")
	w.As("pat@contoso.example").Do("PATCH", contosoGrant, m{"auto_extend": "P90D"}, "If-Match", "*").WantProblem(404, "not_found")
}
