package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

const lease = 2 * time.Minute

// told is an event of that customer and partner, either of which may be "".
func told(customer, partner string, n byte) events.Event {
	e := events.Event{ID: eventID(noon, n), Type: events.GrantCreated, Time: noon}
	if customer != "" {
		e.Customer = &events.Organisation{ID: customer}
	}
	if partner != "" {
		e.Partner = &events.Organisation{ID: partner}
	}
	return e
}

// toKim is a mail to a user about an event of Acme and Contoso.
func toKim() receipt.Receipt {
	return receipt.New(told("acme", "contoso", 1), "kim@contoso.example", "granted", "user")
}

func (tb *table) claim(t *testing.T, r receipt.Receipt, now time.Time) receipt.Claim {
	t.Helper()
	c, err := tb.ClaimMail(t.Context(), r, now, lease)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return c
}

func (tb *table) settle(t *testing.T, c receipt.Claim, o receipt.Outcome) {
	t.Helper()
	if err := tb.SettleMail(t.Context(), c, o); err != nil {
		t.Fatalf("settle: %v", err)
	}
}

// send claims a mail and has it sent.
func (tb *table) send(t *testing.T, r receipt.Receipt, message string, now time.Time) {
	t.Helper()
	tb.settle(t, tb.claim(t, r, now), receipt.Outcome{State: receipt.Sent, MessageID: message, At: now})
}

func (tb *table) mail(t *testing.T, k receipt.Key) receipt.Receipt {
	t.Helper()
	r, err := tb.Mail(t.Context(), k)
	if err != nil || r == nil {
		t.Fatalf("read the mail: got %v and %v, want it", r, err)
	}
	return *r
}

func (tb *table) wantState(t *testing.T, k receipt.Key, want receipt.State) {
	t.Helper()
	if got := tb.mail(t, k).State; got != want {
		t.Errorf("state: got %s, want %s", got, want)
	}
}

func TestAMailIsKeptBesideTheHistoryOfItsOrganisations(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.send(t, toKim(), "m-1", noon)
	tb.send(t, receipt.New(told("acme", "contoso", 1), "it@acme.example", "granted", "customer"), "m-2", noon)
	claim := tb.claim(t, receipt.New(told("", "contoso", 2), "ops@contoso.example", "account", "partner"), noon)
	if err := tb.ReleaseMail(t.Context(), claim, "throttled", noon.Add(time.Second), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := tb.BlockAddress(t.Context(),
		receipt.Block{Address: "lee@contoso.example", State: receipt.Bounced, Reason: "no such mailbox", At: noon}); err != nil {
		t.Fatal(err)
	}
	want := `"B#lee@contoso.example" "B"
	at: "2026-11-22T12:00:00.000Z"
	email: "lee@contoso.example"
	reason: "no such mailbox"
	state: "bounced"
"C#acme" "L#01M81J18G00000000000000001#97c7075ce721909c800f66e0"
	attempts: 1
	created: "2026-11-22T12:00:00.000Z"
	event: "01M81J18G00000000000000001"
	gsi1pk: "P#contoso"
	gsi1sk: "L#01M81J18G00000000000000001#97c7075ce721909c800f66e0"
	message_id: "m-1"
	recipient: "97c7075ce721909c800f66e0"
	sent: "2026-11-22T12:00:00.000Z"
	side: "user"
	state: "sent"
	template: "granted"
	to: "kim@contoso.example"
	ttl: 1826971200
	type: "grant.created"
	updated: "2026-11-22T12:00:00.000Z"
	with: "contoso"
"C#acme" "L#01M81J18G00000000000000001#b434cd817f9d14d4579bbe6d"
	attempts: 1
	created: "2026-11-22T12:00:00.000Z"
	event: "01M81J18G00000000000000001"
	message_id: "m-2"
	recipient: "b434cd817f9d14d4579bbe6d"
	sent: "2026-11-22T12:00:00.000Z"
	side: "customer"
	state: "sent"
	template: "granted"
	to: "it@acme.example"
	ttl: 1826971200
	type: "grant.created"
	updated: "2026-11-22T12:00:00.000Z"
	with: "contoso"
"P#contoso" "L#01M81J18G00000000000000002#b400625f364ac8526bc4ab2f"
	attempts: 1
	created: "2026-11-22T12:00:00.000Z"
	event: "01M81J18G00000000000000002"
	gsi1pk: "P#contoso"
	gsi1sk: "L#01M81J18G00000000000000002#b400625f364ac8526bc4ab2f"
	gsi2pk: "N#7"
	gsi2sk: "2026-11-22T12:01:00.000Z#P#contoso#L#01M81J18G00000000000000002#b400625f364ac8526bc4ab2f"
	reason: "throttled"
	recipient: "b400625f364ac8526bc4ab2f"
	side: "partner"
	since: "2026-11-22T12:00:00.000Z"
	state: "claimed"
	template: "account"
	to: "ops@contoso.example"
	ttl: 1826971200
	type: "grant.created"
	updated: "2026-11-22T12:00:01.000Z"
`
	if got := tb.dump(t); got != want {
		t.Errorf("got the table\n%s\nwant\n%s", got, want)
	}
}

func TestAReceiptComesBackAsItWas(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	c := tb.claim(t, r, noon)
	want := r
	want.State, want.Lease, want.Attempts, want.Created, want.Updated = receipt.Claimed, noon.Add(lease), 1, noon, noon
	if got := tb.mail(t, r.Key); !reflect.DeepEqual(got, want) {
		t.Errorf("claimed: got %+v, want %+v", got, want)
	}
	if c.Key != r.Key || !c.Lease.Equal(noon.Add(lease)) || c.Token == "" {
		t.Errorf("got the claim %+v, want one of this mail until %s", c, noon.Add(lease))
	}
	later := noon.Add(time.Second)
	tb.settle(t, c, receipt.Outcome{State: receipt.Failed, Reason: "the address is malformed", At: later})
	want.State, want.Lease, want.Reason, want.Updated = receipt.Failed, time.Time{}, "the address is malformed", later
	if got := tb.mail(t, r.Key); !reflect.DeepEqual(got, want) {
		t.Errorf("failed: got %+v, want %+v", got, want)
	}
	if r, err := tb.Mail(t.Context(), receipt.Key{Customer: "acme", Event: "none", Recipient: "none"}); r != nil || err != nil {
		t.Errorf("a mail that there is not: got %v and %v, want neither", r, err)
	}
}

func TestAMailOfNobodyOrOfNoEventHasNoReceipt(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for _, r := range []receipt.Receipt{
		receipt.New(told("", "", 1), "kim@contoso.example", "granted", "user"),
		receipt.New(events.Event{Customer: &events.Organisation{ID: "acme"}}, "kim@contoso.example", "granted", "user"),
		{Key: receipt.Key{Customer: "acme", Event: "01"}},
	} {
		if _, err := tb.ClaimMail(t.Context(), r, noon, lease); err == nil || errors.Is(err, receipt.ErrHeld) ||
			errors.Is(err, receipt.ErrSettled) {
			t.Errorf("%+v: got the error %v, want one that calls it a mistake", r.Key, err)
		}
	}
}

func TestOfManyClaimersOneGetsTheMail(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for round := range byte(5) {
		r := receipt.New(told("acme", "contoso", round), "kim@contoso.example", "granted", "user")
		var won, held int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := tb.ClaimMail(t.Context(), r, noon, lease)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, receipt.ErrHeld):
					held++
				default:
					t.Errorf("got %v, want the claim or receipt.ErrHeld", err)
				}
			})
		}
		wg.Wait()
		if won != 1 || held != 7 {
			t.Errorf("got %d claims and %d refusals, want 1 and 7", won, held)
		}
	}
}

// A worker that died leaves its claim behind: the lease says from when on another may take it.
func TestALeaseHoldsUntilTheInstantItEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after time.Duration
		want  error
	}{
		{0, receipt.ErrHeld},
		{lease - time.Millisecond, receipt.ErrHeld},
		{lease, nil},
		{lease + time.Millisecond, nil},
		{time.Hour, nil},
	} {
		tb := newTable(t)
		r := toKim()
		first := tb.claim(t, r, noon)
		second, err := tb.ClaimMail(t.Context(), r, noon.Add(c.after), lease)
		if !errors.Is(err, c.want) {
			t.Errorf("%s after the claim: got %v, want %v", c.after, err, c.want)
		}
		if c.want == nil {
			if got := tb.mail(t, r.Key).Attempts; got != 2 || second.Token == first.Token {
				t.Errorf("%s after the claim: got attempt %d and the token %q after %q, want 2 and another", c.after, got, second.Token, first.Token)
			}
		}
	}
}

func TestAReleasedMailCanBeClaimedAtOnceEvenByAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	if err := tb.ReleaseMail(t.Context(), tb.claim(t, r, noon), "the mail service is throttling", noon, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := tb.mail(t, r.Key); got.State != receipt.Claimed || got.Reason != "the mail service is throttling" || !got.Lease.IsZero() {
		t.Errorf("got %+v, want it claimed by nobody, with the reason", got)
	}
	c := tb.claim(t, r, noon.Add(-time.Second))
	tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", At: noon})
	if got := tb.mail(t, r.Key); got.Reason != "" || got.Attempts != 2 {
		t.Errorf("got the reason %q after %d attempts, want none after 2", got.Reason, got.Attempts)
	}
}

// waiting are the mails that are due, of all shards.
func (tb *table) waiting(t *testing.T, now time.Time) []receipt.Key {
	t.Helper()
	var out []receipt.Key
	for shard := range tb.DueShards() {
		for after := ""; ; {
			mails, more, err := tb.WaitingMails(t.Context(), shard, now, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mails {
				out, after = append(out, m.Key), m.Position
			}
			if !more {
				break
			}
		}
	}
	return out
}

func TestAMailIsDueUntilItIsSettled(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ours, partners := toKim(), receipt.New(told("", "contoso", 2), "ops@contoso.example", "account", "partner")
	due := func(what string, now time.Time, want ...receipt.Key) {
		t.Helper()
		got := tb.waiting(t, now)
		if len(got) != len(want) {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
			return
		}
		for _, k := range want {
			if !slices.Contains(got, k) {
				t.Errorf("%s: got %+v, want %+v", what, got, want)
			}
		}
	}
	first, other := tb.claim(t, ours, noon), tb.claim(t, partners, noon)
	if !first.Since.Equal(noon) {
		t.Errorf("got %s, want it to wait since its first claim", first.Since)
	}
	due("an instant before the lease ends", noon.Add(lease-time.Millisecond))
	due("the lease ends", noon.Add(lease), ours.Key, partners.Key)
	if err := tb.ReleaseMail(t.Context(), first, "throttled", noon.Add(time.Second), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	due("an instant before the pause ends", noon.Add(time.Minute-time.Millisecond))
	due("the pause ends", noon.Add(time.Minute), ours.Key)
	second := tb.claim(t, ours, noon.Add(time.Minute))
	if !second.Since.Equal(noon) {
		t.Errorf("got %s, want it to wait since its first claim", second.Since)
	}
	tb.settle(t, second, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", At: noon.Add(time.Minute)})
	due("one is sent", noon.Add(time.Hour), partners.Key)
	if err := tb.MarkMail(t.Context(),
		receipt.Feedback{Key: other.Key, MessageID: "m-2", State: receipt.Delivered, At: noon.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	due("of the other its feedback says so", noon.Add(time.Hour))

	if err := tb.ReopenMail(t.Context(), ours.Key, "", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	due("reopened, and being sent", noon.Add(time.Hour))
	due("reopened, and whoever did that is gone", noon.Add(2*time.Hour), ours.Key)
	if again := tb.claim(t, ours, noon.Add(2*time.Hour)); !again.Since.Equal(noon.Add(2 * time.Hour)) {
		t.Errorf("got %s, want it to wait anew", again.Since)
	}
	if work, _, err := tb.Due(t.Context(), 0, noon.Add(24*time.Hour), "", 10); err != nil || len(work) != 0 {
		t.Errorf("the sweep's work: got %+v (%v), want none: it sends no mails", work, err)
	}
}

func TestASettledMailIsNeverClaimedAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []receipt.State{receipt.Sent, receipt.Failed, receipt.Suppressed, receipt.Dropped} {
		tb := newTable(t)
		r := toKim()
		tb.settle(t, tb.claim(t, r, noon), receipt.Outcome{State: state, MessageID: "m-1", At: noon})
		if _, err := tb.ClaimMail(t.Context(), r, noon.Add(24*time.Hour), lease); !errors.Is(err, receipt.ErrSettled) {
			t.Errorf("%s: got %v, want receipt.ErrSettled", state, err)
		}
		tb.wantState(t, r.Key, state)
	}
}

// The slow one's lease is over and another has the mail: that it was sent is a fact, that it failed is not the slow one's to say.
func TestWhoLostTheClaimCanOnlySayThatItSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state, want receipt.State
	}{
		{receipt.Sent, receipt.Sent},
		{receipt.Failed, receipt.Claimed},
		{receipt.Suppressed, receipt.Claimed},
		{receipt.Dropped, receipt.Claimed},
	} {
		tb := newTable(t)
		r := toKim()
		slow := tb.claim(t, r, noon)
		quick := tb.claim(t, r, noon.Add(lease))
		tb.settle(t, slow, receipt.Outcome{State: c.state, MessageID: "slow", At: noon.Add(lease)})
		tb.wantState(t, r.Key, c.want)
		if err := tb.ReleaseMail(t.Context(), slow, "late", noon.Add(lease), noon.Add(2*lease)); err != nil {
			t.Fatal(err)
		}
		if c.want == receipt.Claimed {
			if _, err := tb.ClaimMail(t.Context(), r, noon.Add(lease), lease); !errors.Is(err, receipt.ErrHeld) {
				t.Errorf("after a late %s and release: got %v, want the other's claim to hold", c.state, err)
			}
		}
		tb.settle(t, quick, receipt.Outcome{State: receipt.Sent, MessageID: "quick", At: noon.Add(lease)})
		tb.wantState(t, r.Key, receipt.Sent)
	}
}

func TestAMailThatThereIsNotCannotBeSettled(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	err := tb.SettleMail(t.Context(), receipt.Claim{Key: toKim().Key, Token: "t"},
		receipt.Outcome{State: receipt.Sent, MessageID: "m", At: noon})
	if !errors.Is(err, receipt.ErrUnknown) {
		t.Errorf("got %v, want receipt.ErrUnknown", err)
	}
	if got := tb.dump(t); got != "" {
		t.Errorf("got the table\n%s\nwant nothing in it", got)
	}
}

// The SDK asks again when an answer gets lost: the write may have been made.
func TestALostAnswerLosesNoClaimAndNoOutcome(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	tb.line.fail(times(1, cutAfter))
	c := tb.claim(t, r, noon)
	tb.line.fail(times(1, cutAfter))
	tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", At: noon})
	if got := tb.mail(t, r.Key); got.State != receipt.Sent || got.MessageID != "m-1" || got.Attempts != 1 {
		t.Errorf("got %+v, want it sent as m-1 at the first attempt", got)
	}
	tb.line.fail(refuse(http.StatusInternalServerError, "InternalServerError"))
	if _, err := tb.ClaimMail(t.Context(), r, noon, lease); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("a storage that is down: got %v, want access.ErrUnavailable", err)
	}
}

func TestNewsOfAMailOnlyEverGoForward(t *testing.T) {
	t.Parallel()
	states := []receipt.State{receipt.Delivered, receipt.Bounced, receipt.Complained}
	for _, first := range states {
		for _, second := range states {
			tb := newTable(t)
			r := toKim()
			tb.send(t, r, "m-1", noon)
			for i, s := range []receipt.State{first, second} {
				f := receipt.Feedback{
					Key: r.Key, MessageID: "m-1", State: s, Reason: "because of " + string(s),
					At: noon.Add(time.Duration(i+1) * time.Minute),
				}
				for range 2 { // every piece of news may come twice
					if err := tb.MarkMail(t.Context(), f); err != nil {
						t.Fatal(err)
					}
				}
			}
			want, at := first, noon.Add(time.Minute)
			if second.Rank() > first.Rank() {
				want, at = second, noon.Add(2*time.Minute)
			}
			got := tb.mail(t, r.Key)
			if got.State != want || got.Reason != "because of "+string(want) || !got.Updated.Equal(at) || !got.Sent.Equal(noon) {
				t.Errorf("%s, then %s: got %+v, want %s at %s, sent at %s", first, second, got, want, at, noon)
			}
		}
	}
}

func TestNewsOfAnotherMessageOrOfNoMailChangeNothing(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	tb.send(t, r, "m-1", noon)
	if err := tb.MarkMail(t.Context(), receipt.Feedback{Key: r.Key, MessageID: "m-2", State: receipt.Bounced, At: noon}); err != nil {
		t.Fatal(err)
	}
	tb.wantState(t, r.Key, receipt.Sent)
	other := receipt.Key{Customer: "acme", Event: "01", Recipient: "x"}
	if err := tb.MarkMail(t.Context(), receipt.Feedback{Key: other, MessageID: "m-1", State: receipt.Bounced, At: noon}); !errors.Is(err,
		receipt.ErrUnknown) {
		t.Errorf("no such mail: got %v, want receipt.ErrUnknown", err)
	}
	for _, f := range []receipt.Feedback{
		{Key: r.Key, MessageID: "m-1", State: receipt.Sent, At: noon},
		{Key: r.Key, MessageID: "m-1", State: receipt.Failed, At: noon},
		{Key: r.Key, State: receipt.Bounced, At: noon},
	} {
		if err := tb.MarkMail(t.Context(), f); err == nil {
			t.Errorf("%+v: got no error, want one: it is no news", f)
		}
	}
}

// The sender died between the mail service's answer and writing it down; or the news overtook it.
func TestNewsOfAClaimedMailProveThatItWasSent(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	c := tb.claim(t, r, noon)
	if err := tb.MarkMail(t.Context(),
		receipt.Feedback{Key: r.Key, MessageID: "m-1", State: receipt.Delivered, At: noon.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	if _, err := tb.ClaimMail(t.Context(), r, noon.Add(time.Hour), lease); !errors.Is(err, receipt.ErrSettled) {
		t.Errorf("claim it when the lease is over: got %v, want receipt.ErrSettled", err)
	}
	tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", At: noon.Add(2 * time.Second)})
	got := tb.mail(t, r.Key)
	if got.State != receipt.Delivered || got.MessageID != "m-1" || !got.Sent.Equal(noon.Add(time.Second)) {
		t.Errorf("got %+v, want it delivered as m-1, sent at the latest by then", got)
	}
}

// No attempt was answered for three days, though one has reached the mail service, whose word comes in the end.
func TestNewsOfAMailThatWasGivenUpProveThatItWasSent(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	tb.settle(t, tb.claim(t, r, noon), receipt.Outcome{State: receipt.Failed, Reason: "no answer for 72 hours", At: noon})
	if err := tb.MarkMail(t.Context(),
		receipt.Feedback{Key: r.Key, MessageID: "m-1", State: receipt.Delivered, At: noon.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	if got := tb.mail(t, r.Key); got.State != receipt.Delivered || got.MessageID != "m-1" || got.Reason != "" {
		t.Errorf("got %+v, want it delivered as m-1, without what was thought before", got)
	}
}

func TestAMailThatWaitsIsTheOneThatWasAskedFor(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	c := tb.claim(t, r, noon)
	if err := tb.ReopenMail(t.Context(), r.Key, "early", noon); !errors.Is(err, receipt.ErrHeld) { // it may be sent before this was asked
		t.Errorf("while it is being sent: got %v, want receipt.ErrHeld", err)
	}
	if err := tb.ReleaseMail(t.Context(), c, "throttled", noon, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := tb.mail(t, r.Key); got.Asked != "" {
		t.Errorf("got %+v, want it asked for by nobody", got)
	}
	for range 2 {
		if err := tb.ReopenMail(t.Context(), r.Key, "a", noon); !errors.Is(err, receipt.ErrHeld) {
			t.Errorf("while it waits: got %v, want receipt.ErrHeld", err)
		}
	}
	tb.send(t, r, "m-1", noon)
	if err := tb.ReopenMail(t.Context(), r.Key, "a", noon); !errors.Is(err, receipt.ErrDone) {
		t.Errorf("the answer was lost, and the caller asks again: got %v, want receipt.ErrDone", err)
	}
	if err := tb.ReopenMail(t.Context(), r.Key, "b", noon); err != nil {
		t.Errorf("another asks: got %v, want it sent again", err)
	}
}

func TestAMailIsSentAgainOnceForEachAsking(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	tb.send(t, r, "m-1", noon)
	for i, asked := range []string{"a", "b", "", ""} {
		if err := tb.ReopenMail(t.Context(), r.Key, asked, noon); err != nil {
			t.Fatalf("%q: %v", asked, err)
		}
		want := receipt.ErrHeld // an answer was lost, and the caller asks again while it is being sent
		if err := tb.ReopenMail(t.Context(), r.Key, asked, noon); !errors.Is(err, want) {
			t.Errorf("%q while it is being sent: got %v, want %v", asked, err, want)
		}
		tb.send(t, r, fmt.Sprint("m-", 2+i), noon)
		if asked != "" {
			if err := tb.ReopenMail(t.Context(), r.Key, asked, noon); !errors.Is(err, receipt.ErrDone) {
				t.Errorf("%q after it was sent: got %v, want receipt.ErrDone", asked, err)
			}
		}
	}
	if got := tb.mail(t, r.Key); got.MessageID != "m-5" || got.Asked != "" {
		t.Errorf("got %+v, want m-5", got)
	}
}

func TestAMailCanBeSentAgain(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := toKim()
	if err := tb.ReopenMail(t.Context(), r.Key, "", noon); !errors.Is(err, receipt.ErrUnknown) {
		t.Errorf("one that there is not: got %v, want receipt.ErrUnknown", err)
	}
	c := tb.claim(t, r, noon)
	if err := tb.ReopenMail(t.Context(), r.Key, "", noon); !errors.Is(err, receipt.ErrHeld) {
		t.Errorf("one that is being sent: got %v, want receipt.ErrHeld", err)
	}
	tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", At: noon})
	bounced := receipt.Feedback{Key: r.Key, MessageID: "m-1", State: receipt.Bounced, Reason: "mailbox full", At: noon}
	if err := tb.MarkMail(t.Context(), bounced); err != nil {
		t.Fatal(err)
	}
	if err := tb.ReopenMail(t.Context(), r.Key, "", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := tb.mail(t, r.Key); got.State != receipt.Claimed || got.Reason != "" || got.MessageID != "" {
		t.Errorf("got %+v, want it waiting to be sent", got)
	}
	if err := tb.MarkMail(t.Context(), bounced); err != nil { // what is heard of the first message says nothing about the second
		t.Fatal(err)
	}
	tb.send(t, r, "m-2", noon.Add(time.Hour))
	if err := tb.MarkMail(t.Context(), bounced); err != nil {
		t.Fatal(err)
	}
	if got := tb.mail(t, r.Key); got.State != receipt.Sent || got.MessageID != "m-2" || got.Attempts != 2 {
		t.Errorf("got %+v, want it sent as m-2 at the second attempt", got)
	}
	for _, s := range []receipt.State{receipt.Failed, receipt.Suppressed, receipt.Dropped} { // these have no message
		r := receipt.New(told("acme", "contoso", 9), string(s)+"@contoso.example", "granted", "user")
		tb.settle(t, tb.claim(t, r, noon), receipt.Outcome{State: s, Reason: "for a reason", At: noon})
		if err := tb.ReopenMail(t.Context(), r.Key, "", noon); err != nil {
			t.Errorf("reopen a %s one: %v", s, err)
		}
		tb.send(t, r, "m-9", noon)
	}
}

func TestABlockedAddressStaysBlockedUntilItIsCleared(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	const kim = "kim@contoso.example"
	want := func(what string, state receipt.State) {
		t.Helper()
		b, err := tb.Blocked(t.Context(), kim, "c-acme")
		if err != nil {
			t.Fatal(err)
		}
		var got receipt.State
		if b != nil {
			got = b.State
		}
		if got != state {
			t.Errorf("%s: got %q, want %q", what, got, state)
		}
	}
	block := func(state receipt.State, at time.Time) {
		t.Helper()
		if err := tb.BlockAddress(t.Context(), receipt.Block{Address: kim, State: state, Reason: "r", At: at}); err != nil {
			t.Fatal(err)
		}
	}
	unblock := func(at time.Time, want bool) {
		t.Helper()
		if got, err := tb.ClearAddress(t.Context(), kim, at); err != nil || got != want {
			t.Errorf("clear at %s: got %v and %v, want %v", at, got, err, want)
		}
	}
	want("an address nobody has heard of", "")
	unblock(noon, false)
	block(receipt.Bounced, noon)
	want("it bounced", receipt.Bounced)
	block(receipt.Complained, noon.Add(-time.Millisecond))
	want("an older complaint comes late", receipt.Bounced)
	block(receipt.Complained, noon.Add(time.Millisecond))
	want("it complained", receipt.Complained)
	unblock(noon, false)
	want("a clearing that is older than the complaint", receipt.Complained)
	unblock(noon.Add(time.Hour), true)
	want("it was cleared", "")
	unblock(noon.Add(time.Hour), false)
	block(receipt.Bounced, noon)
	want("the bounce comes once more", "")
	block(receipt.Bounced, noon.Add(time.Hour))
	want("a bounce at the instant of the clearing", "")
	block(receipt.Bounced, noon.Add(time.Hour+time.Millisecond))
	want("it bounced again", receipt.Bounced)
	// One organisation's mails.
	unblock(noon.Add(2*time.Hour), true)
	if err := tb.BlockAddress(t.Context(),
		receipt.Block{Address: kim, Source: "p-contoso", State: receipt.Complained, Reason: "spam", At: noon}); err != nil {
		t.Fatal(err)
	}
	want("a complaint about another's mails", "")
	if b, err := tb.Blocked(t.Context(), kim, "p-contoso"); err != nil || b == nil || b.State != receipt.Complained ||
		b.Source != "p-contoso" {
		t.Errorf("a complaint about its mails: got %v and %v, want it blocked", b, err)
	}
	unblock(noon.Add(3*time.Hour), true)
	if b, err := tb.Blocked(t.Context(), kim, "p-contoso"); err != nil || b != nil {
		t.Errorf("after it was cleared: got %v and %v, want neither", b, err)
	}
	if b, err := tb.Blocked(t.Context(), "lee@contoso.example", "c-acme"); b != nil || err != nil {
		t.Errorf("another address: got %v and %v, want neither", b, err)
	}
}

func TestMailsAreListedNewestFirstAPageAtATime(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	e := told("acme", "contoso", 0)
	if err := tb.Apply(t.Context(), planOf(access.Change{Events: []events.Event{e}})); err != nil { // history is no mail
		t.Fatal(err)
	}
	var customers, partners []string
	for n := byte(5); n > 0; n-- {
		both := told("acme", "contoso", n)
		tb.send(t, receipt.New(both, "kim@contoso.example", "granted", "user"), "m", noon)
		tb.send(t, receipt.New(both, "it@acme.example", "granted", "customer"), "m", noon)
		tb.send(t, receipt.New(both, "ops@contoso.example", "granted", "partner"), "m", noon)
		tb.send(t, receipt.New(told("", "contoso", n+100), "lee@contoso.example", "account", "user"), "m", noon)
		tb.send(t, receipt.New(told("acme", "", n+200), "noor@freelance.example", "invitation", "invitee"), "m", noon)
	}
	tb.send(t, receipt.New(told("globex", "fabrikam", 7), "pat@fabrikam.example", "granted", "user"), "m", noon)
	for n := 5; n > 0; n-- { // by event; within an event by the digest of the address
		customers = append(customers, fmt.Sprint(n+200, " noor@freelance.example"))
		partners = append(partners, fmt.Sprint(n+100, " lee@contoso.example"))
	}
	byDigest := func(n int, addresses ...string) []string {
		slices.SortFunc(addresses, func(a, b string) int { return strings.Compare(receipt.Digest(b), receipt.Digest(a)) })
		var out []string
		for _, a := range addresses {
			out = append(out, fmt.Sprint(n, " ", a))
		}
		return out
	}
	for n := 5; n > 0; n-- {
		customers = append(customers, byDigest(n, "kim@contoso.example", "it@acme.example")...)
		partners = append(partners, byDigest(n, "kim@contoso.example", "ops@contoso.example")...)
	}
	number := map[string]int{}
	for n := range 256 {
		number[eventID(noon, byte(n))] = n
	}
	for limit := 1; limit <= 20; limit += 3 {
		for _, list := range []struct {
			of   string
			want []string
			page func(access.PageRequest) (access.Page[receipt.Receipt], error)
		}{
			{"Acme", customers, func(a access.PageRequest) (access.Page[receipt.Receipt], error) {
				return tb.CustomerMails(t.Context(), "acme", a)
			}},
			{"Contoso", partners, func(a access.PageRequest) (access.Page[receipt.Receipt], error) {
				return tb.PartnerMails(t.Context(), "contoso", a)
			}},
		} {
			var got []string
			ask := access.PageRequest{Limit: limit}
			for {
				page, err := list.page(ask)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Items) > limit {
					t.Errorf("%s: got a page of %d, want at most %d", list.of, len(page.Items), limit)
				}
				for _, r := range page.Items {
					got = append(got, fmt.Sprint(number[r.Event], " ", r.To))
				}
				if page.Next == "" {
					break
				}
				ask.After = page.Next
			}
			if !slices.Equal(got, list.want) {
				t.Errorf("the mails of %s in pages of %d: got %q, want %q", list.of, limit, got, list.want)
			}
		}
	}
}

func TestAReceiptGoesAfterAYear(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.send(t, toKim(), "m", noon)
	want := fmt.Sprintf("ttl: %d", noon.AddDate(1, 0, 1).Unix())
	if got := tb.dump(t); !strings.Contains(got, want) {
		t.Errorf("got the table\n%s\nwant %s", got, want)
	}
}

var _ mail.Receipts = (*dynamo.Store)(nil)

// outbox is a mail service that takes everything.
type outbox struct {
	mu   sync.Mutex
	sent []string
}

func (o *outbox) Send(_ context.Context, m mail.Message) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m.To)
	return fmt.Sprintf("m-%d", len(o.sent)), nil
}

func TestTwoNotifiersOnOneTableSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r, err := mail.NewRenderer(mail.Settings{
		Product: "Insight Cloud", From: "no-reply@insight.example", Support: "help@insight.example", CustomerURL: "https://insight.example/",
		PartnerURL: "https://partners.insight.example/", InvitationURL: "https://insight.example/invitation/{token}",
	})
	if err != nil {
		t.Fatal(err)
	}
	e := told("acme", "contoso", 1)
	e.Customer.Contacts = []string{"it@acme.example"}
	e.Data.Added = []events.Person{{Email: "kim@contoso.example"}, {Email: "sam@contoso.example"}, {Email: "lee@contoso.example"}}
	e.Data.Level = "view"
	if err := tb.BlockAddress(t.Context(),
		receipt.Block{Address: "lee@contoso.example", State: receipt.Complained, Reason: "spam", At: noon}); err != nil {
		t.Fatal(err)
	}
	var box outbox
	n := mail.Notifier{Renderer: r, Sender: &box, Receipts: tb.Store, Now: func() time.Time { return noon }}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := n.Notify(t.Context(), e); err != nil && !errors.Is(err, receipt.ErrHeld) {
				t.Errorf("got %v, want no error, or receipt.ErrHeld", err)
			}
		})
	}
	wg.Wait()
	if err := n.Notify(t.Context(), e); err != nil {
		t.Errorf("once more: got %v, want no error", err)
	}
	slices.Sort(box.sent)
	if want := []string{"it@acme.example", "kim@contoso.example", "sam@contoso.example"}; !slices.Equal(box.sent, want) {
		t.Errorf("got mails to %q, want %q", box.sent, want)
	}
	tb.wantState(t, receipt.KeyOf(e, "lee@contoso.example"), receipt.Suppressed)
	tb.wantState(t, receipt.KeyOf(e, "kim@contoso.example"), receipt.Sent)
}

func TestHowAMailIsWrittenIsKeptWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	written := receipt.Written{Language: "de", Zone: "Europe/Berlin", Content: receipt.ContentOf("Subject", "Text")}
	for name, state := range map[string]receipt.State{"settled first": receipt.Sent, "feedback first": receipt.Delivered} {
		tb := newTable(t)
		r := toKim()
		c := tb.claim(t, r, noon)
		if state == receipt.Delivered {
			if err := tb.MarkMail(t.Context(), receipt.Feedback{Key: r.Key, MessageID: "m-1", State: state, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
		tb.settle(t, c, receipt.Outcome{State: receipt.Sent, MessageID: "m-1", Written: written, At: noon})
		if got := tb.mail(t, r.Key); got.Written != written || got.State != state {
			t.Errorf("%s: got %+v, %s, want %+v, %s", name, got.Written, got.State, written, state)
		}
	}
}
