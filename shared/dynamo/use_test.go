package dynamo_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// uses is a table in which kim belongs to acme's grant, and a reader of it.
func uses(t *testing.T) (*table, *dynamo.Reader, *access.Assignment) {
	t.Helper()
	tb := newTable(t)
	row := &access.Assignment{
		Customer: "acme", Partner: "contoso", User: kim, Epoch: 1, Level: new(access.View), By: access.ByCustomer, Number: 1,
		At: noon, Version: 1,
	}
	tb.save(t, access.AssignmentWrite{After: row},
		access.UserWrite{After: &access.User{ID: kim, Partner: "contoso", Number: 1, Status: access.Active, Role: access.Tech, Version: 1}},
		access.UserWrite{After: &access.User{ID: lee, Partner: "contoso", Number: 2, Status: access.Active, Role: access.Tech, Version: 1}},
		access.PartnerWrite{After: &access.Partner{
			ID: "contoso", Name: "Contoso", Status: access.Active, Class: access.Channel, Offer: access.Manage, Version: 1,
		}},
		access.GrantWrite{After: &access.Grant{
			ID: "g", Customer: "acme", Partner: "contoso", State: access.StateOpen, Level: access.View, Epoch: 1, Version: 1,
		}})
	return tb, dynamo.NewReader(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name), row
}

const lee = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S7"

func factsOf(t *testing.T, r *dynamo.Reader, user string) access.Facts {
	t.Helper()
	f, err := r.Facts(t.Context(), []access.FactsQuery{{User: user, Customer: "acme"}}, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	return f[0]
}

func record1(t *testing.T, r *dynamo.Reader, user string, use access.Use) {
	t.Helper()
	if err := r.RecordUse(t.Context(), "acme", user, use); err != nil {
		t.Fatal(err)
	}
}

func wantUse(t *testing.T, when string, got *access.Assignment, want access.Use) {
	t.Helper()
	if got == nil || got.LastUse != want {
		t.Errorf("%s: got the row %+v, want the last use %v", when, got, want)
	}
}

func TestALastUseOnlyMovesForward(t *testing.T) {
	t.Parallel()
	_, r, _ := uses(t)
	record1(t, r, kim, access.Use{On: "2026-11-22", Number: 1})
	wantUse(t, "the first use", factsOf(t, r, kim).Assignment, access.Use{On: "2026-11-22", Number: 1})
	record1(t, r, kim, access.Use{On: "2026-11-21", Number: 1})
	wantUse(t, "an older one that comes late", factsOf(t, r, kim).Assignment, access.Use{On: "2026-11-22", Number: 1})
	record1(t, r, kim, access.Use{On: "2026-11-23", Number: 1})
	wantUse(t, "the next day", factsOf(t, r, kim).Assignment, access.Use{On: "2026-11-23", Number: 1})
	record1(t, r, kim, access.Use{On: "2026-11-23", Number: 7})
	wantUse(t, "another person on the same account", factsOf(t, r, kim).Assignment, access.Use{On: "2026-11-23", Number: 7})
}

func TestAnEditOfAnAssignmentKeepsItsLastUse(t *testing.T) {
	t.Parallel()
	tb, r, row := uses(t)
	use := access.Use{On: "2026-11-22", Number: 1}
	bare := &access.Assignment{Customer: "acme", Partner: "contoso", User: kim, Epoch: 2, Version: 2}
	err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		record1(t, r, kim, use) // between the reading and the writing of the change
		return access.Change{Writes: []access.Write{access.AssignmentWrite{Before: row, After: bare}}}, nil, nil
	})
	if err != nil {
		t.Fatalf("got %v, want a use to be in nobody's way", err)
	}
	want := *bare
	want.LastUse = use
	f, err := tb.GrantFacts(t.Context(), "acme", "contoso", []string{kim}, true)
	if got := f.Assignments[kim]; err != nil || got == nil || *got != want {
		t.Errorf("got %+v (%v), want %+v: nothing of the row before, but its last use", got, err, want)
	}
	if n := strings.Count(strings.Join(tb.line.seen(), " "), "TransactWriteItems"); n != 2 {
		t.Errorf("got %d transactions, want one to save and one to edit", n)
	}
}

func TestALastUseWithoutAnAssignmentAdmitsNobody(t *testing.T) {
	t.Parallel()
	tb, r, _ := uses(t)
	use := access.Use{On: "2026-11-22", Number: 2}
	record1(t, r, lee, use)
	f := factsOf(t, r, lee)
	wantUse(t, "a user without a row", f.Assignment, use)
	for _, epoch := range []int64{0, 1} {
		f.Grant.Epoch = epoch
		if d := access.DecideAccess(f, "acme", noon); d.Allow || d.Reason != access.UserNotAssigned {
			t.Errorf("epoch %d: got %+v, want user_not_assigned", epoch, d)
		}
	}
	row := f.Assignment
	picked := &access.Assignment{Customer: "acme", Partner: "contoso", User: lee, Epoch: 1, Number: 2, At: noon, Version: 2}
	tb.save(t, access.AssignmentWrite{Before: row, After: picked})
	f = factsOf(t, r, lee)
	wantUse(t, "picked afterwards", f.Assignment, use)
	if d := access.DecideAccess(f, "acme", noon); !d.Allow {
		t.Errorf("picked afterwards: got %+v, want access", d)
	}
	err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{access.AssignmentWrite{Before: row, After: picked}}}))
	if access.CodeOf(err) != access.Contention {
		t.Errorf("created a second time: got %v, want contention", err)
	}
}

func TestALastUseThatCountsNoMoreIsForgotten(t *testing.T) {
	t.Parallel()
	tb, r, _ := uses(t)
	record1(t, r, lee, access.Use{On: "2026-11-22", Number: 2})
	tb.save(t, access.AssignmentWrite{Before: factsOf(t, r, lee).Assignment})
	wantUse(t, "forgotten", factsOf(t, r, lee).Assignment, access.Use{})
	_, rows, _, err := tb.AssignmentRows(t.Context(), "acme", "contoso", "", 10)
	if err != nil || slices.ContainsFunc(rows, func(a *access.Assignment) bool { return a.User == lee }) {
		t.Errorf("got %+v (%v), want no row of that user", rows, err)
	}
}

func TestAUseIsOneAttemptWithinItsTime(t *testing.T) {
	t.Parallel()
	tb, r, _ := uses(t)
	before := len(tb.line.seen())
	tb.line.fail(refuse(http.StatusBadRequest, "ProvisionedThroughputExceededException"))
	if err := r.RecordUse(t.Context(), "acme", kim, access.Use{On: "2026-11-22", Number: 1}); err == nil {
		t.Error("got no error of a table without capacity")
	}
	if n := len(tb.line.seen()) - before; n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
	tb.line.fail(func(q *http.Request, _ string, _ int, _ func() (*http.Response, error)) (*http.Response, error) {
		<-q.Context().Done()
		return nil, q.Context().Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := r.RecordUse(ctx, "acme", kim, access.Use{On: "2026-11-22", Number: 1})
	if took := time.Since(began); err == nil || took > time.Second {
		t.Errorf("got %v after %v, want an error after 20 ms", err, took)
	}
}
