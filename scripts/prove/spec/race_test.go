package spec_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// Races: what happens when two do at once what only one may, or what hangs together. Each is run so many times.
const rounds = 40

// race does all of it at once. The answers are in the order of the requests.
func race(requests ...func() *spec.Answer) []*spec.Answer {
	out := make([]*spec.Answer, len(requests))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i, do := range requests {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			out[i] = do()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return out
}

// became tells an answer in few words: its status and, of a refusal, the code.
func became(a *spec.Answer) string {
	if a.Status < 400 {
		return fmt.Sprint(a.Status)
	}
	return fmt.Sprint(a.Status, " ", a.String("code"))
}

// outcome is what became of all, in whatever order.
func outcomes(as []*spec.Answer) string {
	var out []string
	for _, a := range as {
		out = append(out, became(a))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func userCount(w *spec.World, t *testing.T, customer string) int {
	t.Helper()
	return w.AdminOf(customer).Do("GET", "/v1/customers/"+customer+"/grants/contoso", nil).Want(200).Int("user_count")
}

// listedUsers are the users whom the grant's list shows.
func listedUsers(w *spec.World, customer string) []string {
	var out []string
	for cursor := ""; ; {
		page := w.AdminOf(customer).Do("GET", "/v1/customers/"+customer+"/grants/contoso/users?limit=100"+cursor, nil).Want(200)
		for i := range page.Get("items").([]any) {
			out = append(out, page.String(fmt.Sprintf("items.%d.id", i)))
		}
		if page.Get("next_cursor") == nil {
			return out
		}
		cursor = "&cursor=" + url.QueryEscape(page.String("next_cursor"))
	}
}

func TestTwoWritersRaceForTheLastUserOfAGrantAndOneStays(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "assigned_by": "partner"}).Want(201)
	ann, owner := w.AdminOf("acme"), w.As("sam@contoso.example")
	takeOut := func(id string) func() *spec.Answer {
		return func() *spec.Answer { return ann.Do("DELETE", contosoGrant+"/users/"+id, nil) }
	}
	edit := func(users m) func() *spec.Answer {
		return func() *spec.Answer { return ann.Do("PATCH", contosoGrant, m{"users": users}, "If-Match", "*") }
	}
	for i := range rounds {
		ann.Do("PATCH", contosoGrant, m{"users": m{"set": []string{kim, sam}}}, "If-Match", "*").Want(200)
		one, other, want := takeOut(kim), takeOut(sam), "200, 409 last_user"
		switch i % 4 {
		case 1:
			one, other = edit(m{"remove": []string{kim}}), edit(m{"remove": []string{sam}})
		case 2:
			one = edit(m{"remove": []string{kim}})
		case 3: // the sets overwrite each other: both go through and one user is in
			one, other, want = edit(
				m{"set": []string{kim}}), func() *spec.Answer { return owner.Do("PUT", pick, m{"users": []string{sam}}) }, "200, 200"
		}
		if got := outcomes(race(one, other)); got != want {
			t.Errorf("round %d: got %s, want %s", i, got, want)
		}
		k, _ := w.Check(kim, "sign_in", "acme")
		s, _ := w.Check(sam, "sign_in", "acme")
		if n := userCount(w, t, "acme"); n != 1 || k == s || len(listedUsers(w, "acme")) != 1 {
			t.Errorf("round %d: got a count of %d, Kim in: %v, Sam in: %v, listed: %v; want one of them", i, n, k, s, listedUsers(w, "acme"))
		}
	}
}

func TestTwoManagingPartnersForOneCustomerAndOneWins(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	p := w.Provider()
	for i := range rounds {
		c := fmt.Sprint("c", i)
		w.Customer(c)
		manage := func(partner string) func() *spec.Answer {
			return func() *spec.Answer {
				return p.Do("PUT", "/v1/customers/"+c+"/managing-partner", m{"partner": partner})
			}
		}
		as := race(manage("contoso"), manage("fabrikam"))
		if got := outcomes(as); got != "201, 409 managed_elsewhere" && got != "201, 409 customer_has_partners" {
			t.Errorf("round %d: got %s, want one 201 and one 409 managed_elsewhere or customer_has_partners", i, got)
		}
		winner, loser := "contoso", "fabrikam"
		if as[1].Status == http.StatusCreated {
			winner, loser = loser, winner
		}
		if got := p.Do("GET", "/v1/customers/"+c, nil).Want(200).String("managing_partner"); got != winner {
			t.Errorf("round %d: got the managing partner %s, want %s", i, got, winner)
		}
		p.Do("GET", "/v1/customers/"+c+"/grants/"+loser, nil).WantProblem(404, "not_found")
	}
}

func TestAManagingPartnerAndACustomersOwnGrantRaceAndOneWins(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	kim, lee := w.User("contoso", "kim@contoso.example", "tech"), w.User("fabrikam", "lee@fabrikam.example", "tech")
	p := w.Provider()
	for i := range rounds {
		c := fmt.Sprint("c", i)
		w.Customer(c)
		admin := w.AdminOf(c)
		to, user := "fabrikam", lee
		if i%4 == 3 {
			to, user = "contoso", kim
		}
		as := race(
			func() *spec.Answer {
				return p.Do("PUT", "/v1/customers/"+c+"/managing-partner", m{"partner": "contoso"})
			},
			func() *spec.Answer {
				return admin.Do("POST", "/v1/customers/"+c+"/grants", m{"partner": to, "users": []string{user}})
			},
		)
		got := became(as[0]) + " and " + became(as[1])
		may := []string{"201 and 403 managed", "409 customer_has_partners and 201"}
		if to == "contoso" {
			may[1] = "200 and 201" // it manages what it was let into
		}
		if !slices.Contains(may, got) {
			t.Errorf("round %d, managing and a grant to %s: got %s, want one of %q", i, to, got, may)
		}
		managed := p.Do("GET", "/v1/customers/"+c, nil).Want(200).Get("managing_partner") != nil
		open := p.Do("GET", "/v1/customers/"+c+"/grants", nil).Want(200)
		if n := len(open.Get("items").([]any)); n != 1 || managed != (as[0].Status < 300) {
			t.Errorf("round %d: got %d partners, managed: %v; want 1, managed: %v", i, n, managed, as[0].Status < 300)
		}
	}
}

func TestTheSameGrantTwiceAtOnceIsOneGrantWithBoth(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	for i := range rounds {
		c := fmt.Sprint("c", i)
		w.Customer(c)
		admin := w.AdminOf(c)
		grant := func(users ...string) func() *spec.Answer {
			return func() *spec.Answer {
				return admin.Do("POST", "/v1/customers/"+c+"/grants", m{"partner": "contoso", "users": users})
			}
		}
		one, other, want := grant(kim), grant(sam), 2
		switch i % 4 {
		case 1:
			other, want = grant(kim), 1
		case 2:
			one = func() *spec.Answer {
				return admin.Do("POST", "/v1/customers/"+c+"/grants", m{"email": "kim@contoso.example"})
			}
		case 3:
			one = grant(kim, sam)
		}
		as := race(one, other)
		if got := outcomes(as); got != "200, 201" {
			t.Errorf("round %d: got %s, want 200, 201", i, got)
		}
		if a, b := as[0].Get("grant.id"), as[1].Get("grant.id"); a != b {
			t.Errorf("round %d: got the grants %v and %v, want one", i, a, b)
		}
		if n, listed := userCount(w, t, c), listedUsers(w, c); n != want || len(listed) != want {
			t.Errorf("round %d: got a count of %d and %d listed, want %d", i, n, len(listed), want)
		}
		w.Allowed(kim, "sign_in", c)
		if want == 2 {
			w.Allowed(sam, "sign_in", c)
		}
		history := admin.Do("GET", "/v1/customers/"+c+"/history?type=grant.created", nil).Want(200)
		if n := len(history.Get("items").([]any)); n != 1 {
			t.Errorf("round %d: got %d events grant.created, want 1", i, n)
		}
	}
}

func TestAJoinWhileEveryoneIsSwitchedOffIsBeforeOrAfter(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	ann, p, backend := w.AdminOf("acme"), w.Provider(), w.Backend()
	before, after := 0, 0
	for i := range rounds {
		ann.Do("PATCH", contosoGrant, m{"everyone": true}, "If-Match", "*").Want(200)
		var at [2]*spec.Answer // what a check says of each as soon as it has joined
		join := func(n int) func() *spec.Answer {
			return func() *spec.Answer {
				a := p.Do("POST", "/v1/partners/contoso/users", m{"email": fmt.Sprintf("u%d-%d@contoso.example", i, n), "name": "New", "role": "tech"})
				at[n] = backend.Do("POST", "/access/v1/evaluation", spec.Question(fmt.Sprintf("u%d-%d@contoso.example", i, n), "sign_in", "acme"))
				return a
			}
		}
		as := race(join(0), func() *spec.Answer { return ann.Do("PATCH", contosoGrant, m{"everyone": false}, "If-Match", "*") }, join(1))
		if got := outcomes(as); got != "200, 201, 201" {
			t.Fatalf("round %d: got %s, want 200, 201, 201", i, got)
		}
		off := as[1].Int("grant.user_count")
		in := 0
		for n, a := range []*spec.Answer{as[0], as[2]} {
			allowed, why := w.Check(a.String("id"), "sign_in", "acme")
			switch {
			case !allowed && at[n].Get("decision") == true:
				t.Errorf("round %d: got a user who had access, and lost it when everyone was switched off; want it kept (E15)", i)
			case allowed:
				in++
				before++
			case why == "user_not_assigned":
				after++
			default:
				t.Errorf("round %d, who joined: got %s, want granted or user_not_assigned", i, why)
			}
		}
		w.Allowed(kim, "sign_in", "acme")
		listed, now := listedUsers(w, "acme"), userCount(w, t, "acme")
		if want := 2 + 2*i + in; off != want || now != want || len(listed) != want { // those of the rounds before have joined before
			t.Errorf("round %d: got a count of %d with the answer, %d afterwards and %d listed, want %d", i, off, now, len(listed), want)
		}
	}
	t.Logf("%d joined before everyone was off, %d after", before, after)
}

func TestOneAddressTakenTwiceAtOnceIsOneUsers(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	editor := w.User("fabrikam", "editor@fabrikam.example", "tech")
	p := w.Provider()
	contosos := 0
	for i := range rounds {
		address := fmt.Sprintf("u%d@shared.example", i)
		create := func(partner string) func() *spec.Answer {
			return func() *spec.Answer {
				return p.Do("POST", "/v1/partners/"+partner+"/users", m{"email": address, "name": "New", "role": "tech"})
			}
		}
		one, other, want := create("contoso"), create("fabrikam"), "201, 409 email_taken"
		switch i % 4 {
		case 1:
			other = create("contoso")
		case 2:
			want = "200, 409 email_taken or 201, 409 email_taken"
			other = func() *spec.Answer {
				return p.Do("PATCH", "/v1/partners/fabrikam/users/"+editor, m{"email": address}, "If-Match", "*")
			}
		}
		as := race(one, other)
		if got := outcomes(as); !slices.Contains(strings.Split(want, " or "), got) {
			t.Errorf("round %d: got %s, want %s", i, got, want)
		}
		if as[0].Status == http.StatusCreated || i%4 == 1 {
			contosos++
		}
	}
	for partner, want := range map[string]int{"contoso": contosos, "fabrikam": -1} {
		seen := map[string]bool{}
		users := p.Do("GET", "/v1/partners/"+partner+"/users?limit=100", nil).Want(200)
		for i := range users.Get("items").([]any) {
			seen[users.String(fmt.Sprintf("items.%d.email", i))] = true
		}
		if n := len(users.Get("items").([]any)); len(seen) != n || want >= 0 && n != want {
			t.Errorf("%s: got %d users with %d addresses, want %d", partner, n, len(seen), want)
		}
	}
}

func TestAUserWhoBecomesAMemberWhileBeingLetInIsNotIn(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	ann, p := w.AdminOf("acme"), w.Provider()
	w.Grant("acme", m{"partner": "contoso", "users": []string{w.User("contoso", "kim@contoso.example", "tech")}}).Want(201)
	for i := range rounds {
		address := fmt.Sprintf("u%d@contoso.example", i)
		user := w.User("contoso", address, "tech")
		join := func() *spec.Answer {
			return p.Do("PUT", "/v1/customers/acme/members/"+address, m{"name": "U", "role": "member"})
		}
		as := race(join, func() *spec.Answer {
			return ann.Do("PATCH", contosoGrant, m{"users": m{"add": []string{user}}}, "If-Match", "*")
		})
		if got := outcomes(as); got != "200, 201" && got != "201, 409 customer_user_conflict" {
			t.Errorf("round %d: got %s, want 200, 201 or 201, 409 customer_user_conflict", i, got)
		}
		if allowed, why := w.Check(user, "sign_in", "acme"); allowed || why != "customer_user_conflict" && why != "user_not_assigned" {
			t.Errorf("round %d, after both: got %v (%s), want false (customer_user_conflict or user_not_assigned)", i, allowed, why)
		}
	}
}

func TestAnAddressThatBecomesAMembersAndAUsersAtOnceIsKnownAsBoth(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	p := w.Provider()
	for i := range rounds {
		address := fmt.Sprintf("u%d@contoso.example", i)
		as := race(
			func() *spec.Answer {
				return p.Do("PUT", "/v1/customers/acme/members/"+address, m{"name": "U", "role": "member"})
			},
			func() *spec.Answer {
				return p.Do("POST", "/v1/partners/contoso/users", m{"email": address, "name": "U", "role": "tech"})
			},
		)
		switch got := became(as[0]) + " and " + became(as[1]); got {
		case "201 and 201":
			w.Grant("acme", m{"partner": "contoso", "users": []string{as[1].String("id")}}).WantProblem(409, "customer_user_conflict")
		case "201 and 422 not_for_customers":
		default:
			t.Errorf("round %d, member and user: got %s, want 201 and 201, or 201 and 422 not_for_customers", i, got)
		}
	}
}

func TestARevokeEndsTheGrantWhateverIsEditedMeanwhile(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	for i := range rounds {
		w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
		edit := m{"users": m{"add": []string{sam}}}
		switch i % 4 {
		case 1:
			edit = m{"everyone": true}
		case 2:
			edit = m{"level": "manage"}
		case 3:
			edit = m{"until": "2027-03-01T00:00:00Z"}
		}
		as := race(
			func() *spec.Answer { return ann.Do("DELETE", contosoGrant, nil) },
			func() *spec.Answer { return ann.Do("PATCH", contosoGrant, edit, "If-Match", "*") },
		)
		if got := became(as[0]) + " and " + became(as[1]); got != "200 and 200" && got != "200 and 409 ended" {
			t.Errorf("round %d, revoke and edit: got %s, want 200 and 200, or 200 and 409 ended", i, got)
		}
		w.Denied(kim, "sign_in", "acme", "ended")
		w.Denied(sam, "sign_in", "acme", "ended")
		g := ann.Do("GET", contosoGrant, nil).Want(200)
		if g.String("status") != "ended" || g.String("end.reason") != "revoked_by_customer" {
			t.Errorf("round %d: got %s, want it ended, revoked by the customer", i, g.Body)
		}
	}
}

func TestOfTwoEditsOfTheSameVersionOneIsRefusedUnlessItTakesAway(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	for i := range rounds {
		w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
		tag := ann.Do("GET", contosoGrant, nil).Want(200).Header.Get("ETag")
		edit := func(body m) func() *spec.Answer {
			return func() *spec.Answer { return ann.Do("PATCH", contosoGrant, body, "If-Match", tag) }
		}
		var as []*spec.Answer
		want := "200, 412 version_mismatch"
		if i%2 == 0 {
			as = race(edit(m{"users": m{"add": []string{sam}}}), edit(m{"level": "manage"}))
		} else {
			as, want = race(edit(m{"level": "view"}), edit(m{"until": "2026-12-01T00:00:00Z"})), "200, 200"
		}
		if got := outcomes(as); got != want {
			t.Errorf("round %d: got %s, want %s", i, got, want)
		}
		tags := map[string]bool{tag: true}
		for _, a := range as {
			if a.Status == http.StatusOK {
				tags[a.Header.Get("ETag")] = true
			}
		}
		if n := 1 + strings.Count(want, "200"); len(tags) != n {
			t.Errorf("round %d: got the tags %v, want %d different ones", i, tags, n)
		}
		ann.Do("DELETE", contosoGrant, nil).Want(200)
	}
}

func TestTheSameIdempotencyKeyAtOnceIsOneChangeAndOneAnswer(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	p := w.Provider()
	for i := range rounds {
		c := fmt.Sprint("c", i)
		w.Customer(c)
		admin, key := w.AdminOf(c), fmt.Sprint("key-", i)
		send := func() *spec.Answer {
			return admin.Do("POST", "/v1/customers/"+c+"/grants", m{"partner": "contoso", "users": []string{kim, sam}}, "Idempotency-Key", key)
		}
		if i%2 == 1 {
			send = func() *spec.Answer {
				return p.Do("POST", "/v1/partners/contoso/users", m{"email": c + "@contoso.example", "name": "New", "role": "tech"}, "Idempotency-Key",
					key)
			}
		}
		as := race(send, send, send)
		replayed := 0
		for _, a := range as {
			if became(a) != "201" || string(a.Body) != string(as[0].Body) || a.Header.Get("ETag") != as[0].Header.Get("ETag") ||
				a.Header.Get("Location") != as[0].Header.Get("Location") {
				t.Errorf("round %d: got %d %s %s and %d %s %s, want the same answer 201", i, a.Status, a.Header.Get("ETag"), a.Body, as[0].Status,
					as[0].Header.Get("ETag"), as[0].Body)
			}
			if a.Header.Get("Idempotency-Replayed") == "true" {
				replayed++
			}
		}
		if replayed != 2 {
			t.Errorf("round %d: got %d answers marked as replayed, want 2", i, replayed)
		}
		if i%2 == 0 {
			if n := len(admin.Do("GET", "/v1/customers/"+c+"/history?type=grant.created", nil).Want(200).Get("items").([]any)); n != 1 {
				t.Errorf("round %d: got %d events grant.created, want 1", i, n)
			}
		}
	}
	if n := len(p.Do("GET", "/v1/partners/contoso/users?q=new&limit=100", nil).Want(200).Get("items").([]any)); n != rounds/2 {
		t.Errorf("got %d new users, want %d", n, rounds/2)
	}
}

func TestAPartnerRenamedTwiceAtOnceIsFoundByItsLastNameAlone(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	p := w.Provider()
	search := func(word string) int {
		return len(p.Do("GET", "/v1/partners?q="+word, nil).Want(200).Get("items").([]any))
	}
	for i := range rounds {
		tag, want := "*", "200, 200"
		if i%2 == 1 {
			tag, want = p.Do("GET", "/v1/partners/contoso", nil).Want(200).Header.Get("ETag"), "200, 412 version_mismatch"
		}
		names := []string{fmt.Sprintf("Common alpha%d", i), fmt.Sprintf("Common beta%d", i)}
		rename := func(name string) func() *spec.Answer {
			return func() *spec.Answer {
				return p.Do("PATCH", "/v1/partners/contoso", m{"name": name}, "If-Match", tag)
			}
		}
		if got := outcomes(race(rename(names[0]), rename(names[1]))); got != want {
			t.Errorf("round %d: got %s, want %s", i, got, want)
		}
		name := p.Do("GET", "/v1/partners/contoso", nil).Want(200).String("name")
		got := []int{
			search("common"), search(fmt.Sprint("alpha", i)), search(fmt.Sprint("beta", i)), search(fmt.Sprint("alpha", i-1)),
			search(fmt.Sprint("beta", i-1)),
		}
		wanted := []int{1, 1, 0, 0, 0}
		if name == names[1] {
			wanted = []int{1, 0, 1, 0, 0}
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("round %d, named %s: got %v hits for common, alpha, beta and the names before, want %v", i, name, got, wanted)
		}
	}
}

// Long lists of grants are read in the order of names that stand beside them: they follow a new name, also one that came while a grant was
// given, or while the other side was renamed.
func TestBothSidesRenamedAtOnceAreListedByTheirLastNames(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	store := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table())
	p := w.Provider()
	const times = rounds / 4
	for i := range times {
		id := fmt.Sprintf("globex%d", i)
		w.Customer(id)
		race(
			func() *spec.Answer {
				return p.Do("PATCH", "/v1/partners/contoso", m{"name": fmt.Sprintf("P%d", times-i)}, "If-Match", "*")
			},
			func() *spec.Answer { return p.Do("PUT", "/v1/customers/acme", m{"name": fmt.Sprintf("C%d", i)}) },
			func() *spec.Answer { return w.Grant(id, m{"partner": "contoso", "everyone": true}) },
		)
		w.Advance(time.Minute)      // the sweep goes through the grants,
		w.Advance(11 * time.Minute) // and once more for those that were being written then
		for _, c := range []string{"acme", id} {
			cust, err := store.Customer(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			partner, err := store.Partner(t.Context(), "contoso")
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := store.Listings(t.Context(), c, "", "", 10)
			if want := access.NewListing(cust, partner); err != nil || len(list) != 1 || *list[0] != *want {
				t.Errorf("round %d: %s is listed as %+v (%v), want once as %+v", i, c, list, err, want)
			}
		}
	}
	if list, _, err := store.Listings(t.Context(), "", "contoso", "", 100); err != nil || len(list) != 1+times {
		t.Errorf("the partner has %d listings (%v), want %d", len(list), err, 1+times)
	}
}

func TestACustomerThatIsRemovedWhileItGrantsLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("fabrikam")
	lee := w.User("fabrikam", "lee@fabrikam.example", "tech")
	p := w.Provider()
	for i := range rounds {
		c := fmt.Sprint("c", i)
		w.Customer(c)
		admin := w.AdminOf(c)
		admin.Do("POST", "/v1/customers/"+c+"/grants", m{"partner": "contoso", "users": []string{kim}}).Want(201)
		as := race(
			func() *spec.Answer { return p.Do("DELETE", "/v1/customers/"+c, nil) },
			func() *spec.Answer {
				return admin.Do("POST", "/v1/customers/"+c+"/grants", m{"partner": "fabrikam", "users": []string{lee}})
			},
		)
		if got := became(as[0]); got != "204" {
			t.Errorf("round %d, the removal: got %s, want 204", i, got)
		}
		if got := became(as[1]); got != "201" && as[1].Status != 404 && as[1].Status != 403 {
			t.Errorf("round %d, the grant: got %s, want 201, 404 or 403", i, got)
		}
		for _, user := range []string{kim, lee} {
			if allowed, why := w.Check(user, "sign_in", c); allowed {
				t.Errorf("round %d, %s: got true (%s), want false", i, user, why)
			}
		}
	}
}

func TestManyWritersOfOneGrantAllGetAnAnswerAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	ann := w.AdminOf("acme")
	first := w.User("contoso", "first@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{first}}).Want(201)
	const writers = 8
	refused := 0
	for i := range rounds / writers {
		var requests []func() *spec.Answer
		var users []string
		for n := range writers {
			u := w.User("contoso", fmt.Sprintf("u%d-%d@contoso.example", i, n), "tech")
			users = append(users, u)
			requests = append(requests, func() *spec.Answer {
				return ann.Do("PATCH", contosoGrant, m{"users": m{"add": []string{u}}}, "If-Match", "*")
			})
		}
		for n, a := range race(requests...) {
			allowed, _ := w.Check(users[n], "sign_in", "acme")
			switch got := became(a); {
			case got == "200" && allowed:
			case got == "409 contention" && !allowed && a.Header.Get("Retry-After") != "":
				refused++
			default:
				t.Errorf("round %d: got %s, and the user is in: %v; want 200 and in, or 409 contention, with Retry-After, and not in", i, got, allowed)
			}
		}
	}
	if got, want := userCount(w, t, "acme"), 1+rounds/writers*writers-refused; got != want || len(listedUsers(w, "acme")) != want {
		t.Errorf("got a count of %d and %d listed, want %d", got, len(listedUsers(w, "acme")), want)
	}
	t.Logf("%d of %d requests were refused for contention", refused, rounds)
}
