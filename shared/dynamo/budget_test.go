package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/shared/mail/receipt"
)

func TestAMailCountsOnceAgainstItsBudget(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	b := receipt.NewBudget("p-contoso", "it@acme.example", false, noon)
	spend := func(b receipt.Budget, id string) bool {
		t.Helper()
		ok, err := tb.SpendMail(t.Context(), b, id)
		if err != nil {
			t.Fatalf("spend: %v", err)
		}
		return ok
	}
	for n := range receipt.Daily {
		left, err := tb.MailsLeft(t.Context(), b)
		if err != nil || !left {
			t.Fatalf("after %d mails: got %v and %v, want some left", n, left, err)
		}
		if first, again := spend(b, fmt.Sprint(n)), spend(b, fmt.Sprint(n)); !first || !again {
			t.Fatalf("mail %d: got it refused, want it within the budget, however often it is counted", n)
		}
	}
	if left, err := tb.MailsLeft(t.Context(), b); left || err != nil {
		t.Errorf("got %v and %v, want none left", left, err)
	}
	if spend(b, "one more") || !spend(b, "0") {
		t.Error("want one more refused, and one that was counted still within")
	}
	for about, other := range map[string]receipt.Budget{
		"the next day":             receipt.NewBudget("p-contoso", "it@acme.example", false, b.Renewed()),
		"another recipient":        receipt.NewBudget("p-contoso", "it@globex.example", false, noon),
		"another organisation":     receipt.NewBudget("p-fabrikam", "it@acme.example", false, noon),
		"a security notice":        receipt.NewBudget("p-contoso", "it@acme.example", true, noon),
		"a customer of that name":  receipt.NewBudget("c-contoso", "it@acme.example", false, noon),
		"the last instant of days": receipt.NewBudget("p-contoso", "it@acme.example", false, noon.Truncate(24*time.Hour).Add(-1)),
	} {
		if !spend(other, "x") {
			t.Errorf("%s: got it refused, want a budget of its own", about)
		}
	}
}

func TestASummaryTakesLinesUntilItIsSent(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r, due := toKim(), noon.Add(12*time.Hour)
	r.Type, r.Source = receipt.SummaryType, "p-contoso"
	bundle := func(line string, want error) {
		t.Helper()
		if err := tb.BundleMail(t.Context(), r, line, noon, due); !errors.Is(err, want) {
			t.Fatalf("%s: got %v, want %v", line, err, want)
		}
	}
	var want []string
	for n := range receipt.MaxLines {
		line := fmt.Sprint("line ", n)
		want = append(want, line)
		bundle(line, nil)
		bundle(line, nil)
	}
	bundle("one more than it tells of", nil)
	if got := tb.mail(t, r.Key); !slices.Equal(got.Lines, want) || got.State != receipt.Claimed || got.Source != "p-contoso" {
		t.Errorf("got %+v, want each line once, and the first %d", got, receipt.MaxLines)
	}
	c := tb.claim(t, r, due)
	bundle("line 3", nil)
	bundle("while it is sent", receipt.ErrSettled)
	tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m", At: due})
	bundle("afterwards", receipt.ErrSettled)
}
