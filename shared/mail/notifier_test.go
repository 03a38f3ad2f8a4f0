package mail_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partneraccess/events"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

var noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// office is a notifier, and everything that it works with.
type office struct {
	mail.Notifier
	mu       sync.Mutex
	now      time.Time
	outbox   []mail.Message
	answers  map[string][]error // of the mail service, by address; what comes after the last is a success
	secrets  map[string][]error
	made     int
	during   func(mail.Message) // happens while the mail service takes a mail
	receipts map[receipt.Key]*record
	blocked  map[string]*receipt.Block
	spent    map[receipt.Budget][]string
	broken   map[string][]error // answers of the receipts' storage, by method
}

type record struct {
	receipt.Receipt
	token      string
	since, due time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{
		now: noon, answers: map[string][]error{}, secrets: map[string][]error{}, receipts: map[receipt.Key]*record{},
		blocked: map[string]*receipt.Block{}, spent: map[receipt.Budget][]string{}, broken: map[string][]error{},
	}
	r, err := usual()
	if err != nil {
		t.Fatal(err)
	}
	o.Notifier = mail.Notifier{Renderer: r, Sender: o, Receipts: o, Secrets: o, Now: o.clock}
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func next(answers map[string][]error, of string) error {
	if len(answers[of]) == 0 {
		return nil
	}
	err := answers[of][0]
	answers[of] = answers[of][1:]
	return err
}

func (o *office) Send(ctx context.Context, m mail.Message) (string, error) {
	if o.during != nil {
		o.during(m)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := next(o.answers, m.To); err != nil {
		return "", err
	}
	o.outbox = append(o.outbox, m)
	return fmt.Sprintf("message-%d", len(o.outbox)), nil
}

func (o *office) Secret(_ context.Context, l mail.Letter) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	return fmt.Sprintf("secret-%d", o.made), next(o.secrets, l.To)
}

func (o *office) ClaimMail(_ context.Context, r receipt.Receipt, now time.Time, lease time.Duration) (receipt.Claim, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := next(o.broken, "claim"); err != nil {
		return receipt.Claim{}, err
	}
	is := o.receipts[r.Key]
	switch {
	case is == nil:
		is = &record{Receipt: r, since: now}
		o.receipts[r.Key] = is
	case is.State != receipt.Claimed:
		return receipt.Claim{}, receipt.ErrSettled
	case now.Before(is.Lease):
		return receipt.Claim{}, receipt.ErrHeld
	}
	is.State, is.Lease = receipt.Claimed, now.Add(lease)
	is.Attempts++
	is.token, is.due = fmt.Sprint(is.Attempts), is.Lease
	return receipt.Claim{Key: r.Key, Token: is.token, Lease: is.Lease, Since: is.since}, nil
}

func (o *office) SettleMail(ctx context.Context, c receipt.Claim, out receipt.Outcome) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := errors.Join(ctx.Err(), next(o.broken, "settle")); err != nil {
		return err
	}
	if is := o.receipts[c.Key]; is.State == receipt.Claimed && (is.token == c.Token || out.State == receipt.Sent) {
		is.State, is.MessageID, is.Reason, is.Sent, is.Lease = out.State, out.MessageID, out.Reason, out.At, time.Time{}
		is.Written = out.Written
		is.due = time.Time{}
	}
	return nil
}

func (o *office) ReleaseMail(ctx context.Context, c receipt.Claim, reason string, _, due time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := errors.Join(ctx.Err(), next(o.broken, "release")); err != nil {
		return err
	}
	if is := o.receipts[c.Key]; is.State == receipt.Claimed && is.token == c.Token {
		is.Lease, is.Reason, is.due = time.Time{}, reason, due
	}
	return nil
}

func (o *office) SpendMail(_ context.Context, b receipt.Budget, id string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.spent[b], id) {
		if len(o.spent[b]) >= b.Most() {
			return false, nil
		}
		o.spent[b] = append(o.spent[b], id)
	}
	return true, nil
}

func (o *office) BundleMail(_ context.Context, r receipt.Receipt, line string, _, due time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.receipts[r.Key]
	if s == nil {
		s = &record{Receipt: r, due: due}
		s.State = receipt.Claimed
		o.receipts[r.Key] = s
	}
	if !slices.Contains(s.Lines, line) {
		s.Lines = append(s.Lines, line)
	}
	return nil
}

func (o *office) Blocked(_ context.Context, address, _ string) (*receipt.Block, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blocked[address], next(o.broken, "blocked")
}

// sent are the addresses that mails went out to, sorted.
func (o *office) sent() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, m := range o.outbox {
		out = append(out, m.To)
	}
	slices.Sort(out)
	return out
}

func (o *office) of(e events.Event, to string) receipt.Receipt {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.receipts[receipt.KeyOf(e, to)]; r != nil {
		return r.Receipt
	}
	return receipt.Receipt{}
}

func (o *office) want(t *testing.T, what string, addresses ...string) {
	t.Helper()
	slices.Sort(addresses)
	if got := o.sent(); !slices.Equal(got, addresses) {
		t.Errorf("%s: got mails to %q, want %q", what, got, addresses)
	}
}

func (o *office) notify(t *testing.T, e events.Event) {
	t.Helper()
	if err := o.Notify(t.Context(), e); err != nil {
		t.Fatalf("notify: %v", err)
	}
}

// wantWaiting is that a mail waits, for that reason, and no longer than until then.
func (o *office) wantWaiting(t *testing.T, e events.Event, to, reason string, due time.Time) {
	t.Helper()
	o.notify(t, e) // and nothing else has to happen
	o.mu.Lock()
	defer o.mu.Unlock()
	is := o.receipts[receipt.KeyOf(e, to)]
	if is == nil || is.State != receipt.Claimed || !strings.Contains(is.Reason, reason) || !is.due.Equal(due) {
		t.Fatalf("got %+v, want it to wait until %s and to say %q", is, due, reason)
	}
	if strings.Contains(is.Reason, to) {
		t.Errorf("got the reason %q with the address in it", is.Reason)
	}
}

var (
	errLater    = errors.New("the mail service is throttling")
	errNoAnswer = fmt.Errorf("%w: the connection was cut", mail.ErrUncertain)
)

func TestEachLetterIsSentOnceHoweverOftenTheEventComes(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		o := newOffice(t)
		e := sample(t, typ)
		var want []string
		for _, l := range mail.Letters(e) {
			want = append(want, l.To)
		}
		for range 3 {
			o.notify(t, e)
			o.advance(24 * time.Hour)
		}
		o.want(t, string(typ), want...)
		for _, to := range want {
			r := o.of(e, to)
			if r.State != receipt.Sent || !strings.HasPrefix(r.MessageID, "message-") || r.Attempts != 1 || !r.Sent.Equal(noon) || r.Type != typ ||
				r.To != to {
				t.Errorf("%s to %s: got the receipt %+v, want it sent at noon at the first attempt", typ, to, r)
			}
		}
	}
}

func TestManyWorkersSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantRevoked)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := o.Notify(t.Context(), e); err != nil && !errors.Is(err, receipt.ErrHeld) {
				t.Errorf("got %v, want no error, or receipt.ErrHeld", err)
			}
		})
	}
	wg.Wait()
	o.notify(t, e)
	o.want(t, "eight workers", kim, lee, ops, ops2, it, it2)
}

// Somebody else has it, and it is due when that one's lease ends, since that one may die.
func TestALetterThatAnotherSendsIsNotSentUntilTheLeaseIsOver(t *testing.T) {
	t.Parallel()
	for _, lease := range []time.Duration{0, 5 * time.Minute} {
		is := lease
		if lease == 0 {
			is = mail.DefaultLease
		}
		for _, c := range []struct {
			after time.Duration
			taken bool
		}{{0, false}, {is - time.Millisecond, false}, {is, true}} {
			o := newOffice(t)
			o.Lease = lease
			e := sample(t, events.InvitationCancelled)
			o.broken["settle"] = []error{errors.New("x"), errors.New("x"), errors.New("x")} // the one who dies
			o.wantWaiting(t, e, noor, "", noon.Add(is))
			o.outbox = nil
			o.advance(c.after)
			err := o.NotifyOne(t.Context(), e, receipt.Digest(noor))
			if c.taken {
				if err != nil {
					t.Errorf("%s after the claim: got %v, want it sent", c.after, err)
				}
				o.want(t, "the lease is over", noor)
				continue
			}
			if !errors.Is(err, receipt.ErrHeld) {
				t.Errorf("%s after the claim: got %v, want receipt.ErrHeld", c.after, err)
			}
			o.notify(t, e) // the event is done with: the receipt is due
			o.want(t, "the lease holds")
		}
	}
}

func TestAfterAPassingErrorTheLetterWaitsAsLongAsItHasWaited(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	o.answers[sam] = slices.Repeat([]error{errLater}, 9)
	for i, minutes := range []int{1, 1, 2, 4, 8, 15, 15, 15} {
		pause := time.Duration(minutes) * time.Minute
		o.wantWaiting(t, e, sam, errLater.Error(), o.clock().Add(pause))
		if i == 0 {
			o.want(t, "the others", kim, it, it2)
		}
		o.advance(pause)
	}
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(sam)); !errors.Is(err, mail.ErrWaits) ||
		!strings.Contains(err.Error(), errLater.Error()) || strings.Contains(err.Error(), sam) {
		t.Errorf("got %v, want mail.ErrWaits, the cause, and no address", err)
	}
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(sam)); err != nil {
		t.Errorf("got %v, want it sent", err)
	}
	o.want(t, "at last", kim, sam, it, it2)
	if r := o.of(e, sam); r.Attempts != 10 || r.Reason != "" {
		t.Errorf("got the receipt %+v, want no reason after 10 attempts", r)
	}
}

func TestALetterIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	for _, why := range []error{errLater, errNoAnswer} {
		for _, c := range []struct {
			after time.Duration
			state receipt.State
		}{{72*time.Hour - time.Millisecond, receipt.Claimed}, {72 * time.Hour, receipt.Failed}} {
			o := newOffice(t)
			e := sample(t, events.InvitationCancelled)
			o.answers[noor] = []error{why, why}
			o.notify(t, e)
			o.advance(c.after)
			if err := o.NotifyWaiting(t.Context(), e, receipt.Digest(noor)); errors.Is(err, mail.ErrWaits) != (c.state == receipt.Claimed) {
				t.Errorf("%v, %s after the first attempt: got %v, want mail.ErrWaits only while it waits", why, c.after, err)
			}
			is := o.of(e, noor)
			if is.State != c.state || is.Attempts != 2 {
				t.Errorf("%v, %s after the first attempt: got the receipt %+v, want it %s", why, c.after, is, c.state)
			}
			if c.state == receipt.Failed && (!strings.Contains(is.Reason, "72 hours") || !strings.Contains(is.Reason, why.Error())) {
				t.Errorf("%v: got the reason %q, want how long it was tried, and that", why, is.Reason)
			}
			o.want(t, "nobody")
		}
	}
}

func TestWithoutAnAnswerTheLetterWaitsForFeedbackOrTheLease(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCancelled)
	o.answers[noor] = []error{errNoAnswer}
	o.wantWaiting(t, e, noor, "", noon.Add(mail.DefaultLease))
	o.advance(mail.DefaultLease - time.Millisecond)
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(noor)); !errors.Is(err, receipt.ErrHeld) {
		t.Errorf("an instant before the lease ends: got %v, want receipt.ErrHeld", err)
	}
	o.want(t, "while it is not known")
	o.advance(time.Millisecond)
	o.notify(t, e)
	o.want(t, "the service has said nothing", noor)
}

// The service may have taken each of them: all the time until the next is left to its word, and nobody else sends it meanwhile.
func TestALetterWithoutAnAnswerWaitsLongerTheOlderItsEventIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lease   time.Duration
		minutes []int // until each next attempt
	}{
		{0, []int{2, 2, 4, 8, 15, 15}}, // 0 = mail.DefaultLease, 2 minutes
		{5 * time.Minute, []int{5, 5, 10, 15, 15}},
		{20 * time.Minute, []int{20, 20, 20}}, // never less than the lease
	} {
		o := newOffice(t)
		o.Lease = c.lease
		e := with(t, events.InvitationCancelled, func(e *events.Event) { e.Time = noon })
		o.answers[noor] = slices.Repeat([]error{errNoAnswer}, len(c.minutes))
		for i, minutes := range c.minutes {
			pause := time.Duration(minutes) * time.Minute
			if i == 0 {
				o.notify(t, e)
			} else if err := o.NotifyWaiting(t.Context(), e, receipt.Digest(noor)); !errors.Is(err, mail.ErrWaits) {
				t.Fatalf("a lease of %s, attempt %d: got %v, want mail.ErrWaits", c.lease, i+1, err)
			}
			o.wantWaiting(t, e, noor, "", o.clock().Add(pause)) // though the event comes again
			o.advance(pause - time.Millisecond)
			if err := o.NotifyWaiting(t.Context(), e, receipt.Digest(noor)); !errors.Is(err, receipt.ErrHeld) {
				t.Errorf("a lease of %s, an instant before %d minutes have passed: got %v, want receipt.ErrHeld", c.lease, minutes, err)
			}
			o.advance(time.Millisecond)
		}
		o.want(t, "the service has said nothing")
		if err := o.NotifyWaiting(t.Context(), e, receipt.Digest(noor)); err != nil {
			t.Errorf("a lease of %s: got %v, want it sent", c.lease, err)
		}
		o.want(t, "at last", noor)
		if is := o.of(e, noor); is.Attempts != len(c.minutes)+1 {
			t.Errorf("a lease of %s: got %d attempts, want %d", c.lease, is.Attempts, len(c.minutes)+1)
		}
	}
}

func TestALetterResentLongAfterItsEventIsHeldForOneLease(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := with(t, events.InvitationCancelled, func(e *events.Event) { e.Time = noon.AddDate(0, -1, 0) })
	o.answers[noor] = []error{errNoAnswer}
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(noor)); !errors.Is(err, mail.ErrWaits) {
		t.Errorf("got %v, want mail.ErrWaits", err)
	}
	if got, want := o.of(e, noor).Lease, noon.Add(mail.DefaultLease); !got.Equal(want) {
		t.Errorf("got it held until %s, want %s", got, want)
	}
}

func TestAMailThatNobodyIsToldAnyMoreIsGivenUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCancelled)
	o.answers[noor] = []error{errLater}
	o.wantWaiting(t, e, noor, errLater.Error(), noon.Add(time.Minute))
	if err := o.GiveUp(t.Context(), receipt.KeyOf(e, noor), "the event is gone"); err != nil {
		t.Fatal(err)
	}
	if r := o.of(e, noor); r.State != receipt.Failed || r.Reason != "the event is gone" {
		t.Errorf("got the receipt %+v, want it failed for that reason", r)
	}
}

func TestARefusedLetterIsNoErrorAndIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	o.answers[sam] = []error{fmt.Errorf("%w: the address is malformed", mail.ErrRefused)}
	for range 2 {
		o.notify(t, e)
	}
	o.want(t, "the others", kim, it, it2)
	if r := o.of(e, sam); r.State != receipt.Failed || !strings.Contains(r.Reason, "the address is malformed") || r.Attempts != 1 {
		t.Errorf("got the receipt %+v, want it failed for that reason", r)
	}
}

func TestEveryLetterWithoutAReceiptIsTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	o.Parallel = 1 // so that the first two claims are Kim's and Sam's
	o.broken["claim"] = []error{errLater, errors.New("cut off")}
	err := o.Notify(t.Context(), e)
	if err == nil || !strings.Contains(err.Error(), "letter granted to the user "+receipt.Digest(kim)) ||
		!strings.Contains(err.Error(), "letter granted to the user "+receipt.Digest(sam)) {
		t.Errorf("got %v, want both letters in it", err)
	}
	for _, l := range mail.Letters(e) {
		if err != nil && strings.Contains(err.Error(), l.To) {
			t.Errorf("got the error %v with the address %s in it: errors are logged", err, l.To)
		}
	}
	o.want(t, "the others", it, it2)
	o.notify(t, e)
	o.want(t, "at last", kim, sam, it, it2)
}

func TestABlockedAddressGetsNothingAndNoSecretIsMadeForIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.UserCreated)
	o.blocked[kim] = &receipt.Block{Address: kim, State: receipt.Bounced, Reason: "no such mailbox", At: noon}
	o.notify(t, e)
	delete(o.blocked, kim)
	o.notify(t, e) // settled: it is sent when somebody asks for it
	o.want(t, "the copy", ops)
	if r := o.of(e, kim); r.State != receipt.Suppressed ||
		!strings.Contains(r.Reason, "bounced on 22 November 2026, 12:00 UTC: no such mailbox") {
		t.Errorf("got the receipt %+v, want it suppressed for that reason", r)
	}
	if o.made != 0 {
		t.Errorf("got %d secrets, want none", o.made)
	}
}

func TestASecretIsMadeWhenTheLetterIsSentAndIsKeptNowhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.UserCreated)
	o.answers[kim] = []error{errLater}
	o.wantWaiting(t, e, kim, errLater.Error(), noon.Add(time.Minute))
	o.notify(t, e)
	o.notify(t, e)
	o.want(t, "both", kim, ops)
	for _, m := range o.outbox {
		if got, want := strings.Contains(m.Text, "secret-2"), m.To == kim; got != want {
			t.Errorf("to %s: got the password in the text: %v, want %v", m.To, got, want)
		}
	}
	if o.made != 2 {
		t.Errorf("got %d secrets, want one for each attempt", o.made)
	}
	for _, r := range o.receipts {
		if strings.Contains(fmt.Sprintf("%+v", r), "secret-") {
			t.Errorf("got the receipt %+v, want no secret in it", r)
		}
	}
}

func TestALetterThatIsNoLongerNeededIsDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationReminded)
	o.secrets[noor] = []error{fmt.Errorf("the invitation was cancelled: %w", mail.ErrNoLongerNeeded)}
	o.notify(t, e)
	o.notify(t, e)
	o.want(t, "nobody")
	if r := o.of(e, noor); r.State != receipt.Dropped || !strings.Contains(r.Reason, "the invitation was cancelled") {
		t.Errorf("got the receipt %+v, want it dropped for that reason", r)
	}
}

func TestASecretThatCannotBeMadeNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCreated)
	o.secrets[noor] = []error{errors.New("the identity provider is away")}
	o.wantWaiting(t, e, noor, "make its token: the identity provider is away", noon.Add(time.Minute))
	o.want(t, "nobody yet")
	o.notify(t, e)
	o.want(t, "at last", noor)
}

func TestAStorageThatIsAwayIsAnErrorAndNothingIsSentUnclaimed(t *testing.T) {
	t.Parallel()
	away := errors.New("the storage did not answer")
	o := newOffice(t)
	e := sample(t, events.InvitationCancelled)
	o.broken["claim"] = []error{away}
	if err := o.Notify(t.Context(), e); !errors.Is(err, away) {
		t.Errorf("claim: got %v, want the storage's error", err)
	}
	o.want(t, "claim")
	o.notify(t, e)
	o.want(t, "claim, then again", noor)

	o = newOffice(t)
	o.broken["blocked"] = []error{away}
	o.wantWaiting(t, e, noor, away.Error(), noon.Add(time.Minute))
	o.want(t, "whether the address is blocked is not known")
	// What cannot be given back waits for the lease.
	o = newOffice(t)
	o.answers[noor] = []error{errLater}
	o.broken["release"] = []error{away}
	o.wantWaiting(t, e, noor, "", noon.Add(mail.DefaultLease))
	o.advance(mail.DefaultLease)
	o.notify(t, e)
	o.want(t, "when the lease is over", noor)
}

func TestThatALetterWasSentIsRecordedInSeveralAttempts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCancelled)
	o.broken["settle"] = []error{errors.New("x"), errors.New("x")}
	o.notify(t, e)
	o.notify(t, e)
	o.want(t, "once", noor)
}

// Lambda stops the worker just then: the mail is out, and the time is over.
func TestWhatIsKnownIsWrittenDownWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCancelled)
	ctx, cancel := context.WithCancel(t.Context())
	sender := o.Sender
	o.Sender = after{sender, cancel}
	if err := o.Notify(ctx, e); err != nil {
		t.Errorf("got %v, want no error: it was sent", err)
	}
	if r := o.of(e, noor); r.State != receipt.Sent {
		t.Errorf("got the receipt %+v, want it sent", r)
	}
	o.Sender = sender
	other := sample(t, events.GrantUserLeft) // and what was not sent is given back
	if err := o.Notify(ctx, other); err != nil {
		t.Errorf("got %v, want no error: it waits", err)
	}
	if r := o.of(other, it); r.State != receipt.Claimed || !r.Lease.IsZero() {
		t.Errorf("got the receipt %+v, want it given back", r)
	}
}

// after does something when a mail was taken.
type after struct {
	mail.Sender
	do func()
}

func (a after) Send(ctx context.Context, m mail.Message) (string, error) {
	defer a.do()
	return a.Sender.Send(ctx, m)
}

func TestNothingIsSentWhenTheLeaseIsOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.InvitationCreated)
	o.Secrets = slow{o, func() { o.advance(mail.DefaultLease) }}
	o.wantWaiting(t, e, noor, "the lease was over", noon.Add(2*mail.DefaultLease))
	o.want(t, "nobody")
	o.Secrets = slow{o, func() { o.advance(mail.DefaultLease - time.Millisecond) }}
	o.notify(t, e)
	o.want(t, "just in time", noor)
}

// slow takes its time over a secret.
type slow struct {
	mail.Secrets
	during func()
}

func (s slow) Secret(ctx context.Context, l mail.Letter) (string, error) {
	s.during()
	return s.Secrets.Secret(ctx, l)
}

func TestTheSenderIsToldWhenTheLeaseEnds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var left time.Duration
	o.Sender = deadline{o, &left}
	o.notify(t, sample(t, events.InvitationCancelled))
	if left <= 0 || left > mail.DefaultLease {
		t.Errorf("got %s, want at most the lease", left)
	}
}

// A worker is stopped at its deadline: 10 seconds before are for writing down what became of a mail, and a sending needs 2.
func TestNoSendingIsBegunThatCouldNotBeWrittenDownInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := sample(t, events.InvitationCancelled)
		within := func(o *office, d time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			return o.Notify(ctx, e)
		}
		o := newOffice(t)
		if err := within(o, 12*time.Second-time.Millisecond); !errors.Is(err, mail.ErrLate) || len(o.receipts) != 0 {
			t.Errorf("got %v and the receipts %v, want mail.ErrLate, and nothing claimed: the event comes again", err, o.receipts)
		}
		var left time.Duration
		o.Sender = deadline{o, &left}
		if err := within(o, 20*time.Second); err != nil || left != 10*time.Second {
			t.Errorf("with 20 seconds left: got %v, and %s for the sending, want 10", err, left)
		}
		// Making the secret has used the time up.
		o = newOffice(t)
		e = sample(t, events.InvitationCreated)
		o.Secrets = slow{o, func() { time.Sleep(time.Millisecond) }}
		if err := within(o, 12*time.Second); err != nil {
			t.Errorf("got %v, want no error: it waits", err)
		}
		o.want(t, "nobody")
		if is := o.receipts[receipt.KeyOf(e, noor)]; is == nil || is.due.IsZero() || !strings.Contains(is.Reason, mail.ErrLate.Error()) {
			t.Errorf("got %+v, want it to wait", is)
		}
	})
}

type deadline struct {
	mail.Sender
	left *time.Duration
}

func (d deadline) Send(ctx context.Context, m mail.Message) (string, error) {
	if end, ok := ctx.Deadline(); ok {
		*d.left = time.Until(end)
	}
	return d.Sender.Send(ctx, m)
}

func TestNoMoreLettersAreUnderWayThanAllowed(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{0, 1, 3} {
		want := parallel
		if want == 0 {
			want = mail.DefaultParallel
		}
		o := newOffice(t)
		o.Parallel = parallel
		e := with(t, events.GrantRevoked, func(e *events.Event) {
			for i := range 40 {
				e.Data.Users = append(e.Data.Users, events.Person{Email: fmt.Sprintf("user-%d@contoso.example", i)})
			}
		})
		var mu sync.Mutex
		now, most := 0, 0
		o.during = func(mail.Message) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			defer func() { mu.Lock(); now--; mu.Unlock() }()
		}
		o.notify(t, e)
		if most > want || len(o.sent()) != 46 {
			t.Errorf("got %d letters at once and %d in all, want at most %d, and 46", most, len(o.sent()), want)
		}
	}
}

func TestOneLetterOfAnEventCanBeSentAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	o.notify(t, e)
	o.receipts[receipt.KeyOf(e, sam)].State = receipt.Claimed // reopened
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(sam)); err != nil {
		t.Fatal(err)
	}
	o.want(t, "Sam twice", kim, sam, sam, it, it2)
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(kim)); err != nil { // was not reopened
		t.Fatal(err)
	}
	o.want(t, "Kim once", kim, sam, sam, it, it2)
	if err := o.NotifyOne(t.Context(), e, receipt.Digest(noor)); !errors.Is(err, receipt.ErrUnknown) {
		t.Errorf("somebody whom the event does not concern: got %v, want receipt.ErrUnknown", err)
	}
}

func TestAnEventThatTellsNobodyNeedsNothing(t *testing.T) {
	t.Parallel()
	var n mail.Notifier
	for _, typ := range []events.Type{events.MemberAdded, events.ManagementAssigned, "grant.imagined"} {
		if err := n.Notify(t.Context(), events.Event{Type: typ}); err != nil {
			t.Errorf("%s: got %v, want no error", typ, err)
		}
	}
}

func TestTheTagsOfAMailNameItsReceipt(t *testing.T) {
	t.Parallel()
	for name, l := range cases(t) {
		m := render(t, l)
		got, err := receipt.ParseKey(m.Tags["organisation"], m.Tags["event"], m.To)
		if want := receipt.KeyOf(l.Event, l.To); err != nil || got != want {
			t.Errorf("%s: got %+v and %v, want %+v", name, got, err, want)
		}
	}
	if n := len(slices.Collect(maps.Keys(cases(t)))); n < 80 {
		t.Errorf("got %d letters, want all", n)
	}
}

// picked is one of many changes of who of Contoso has access, made by Contoso.
func picked(t *testing.T, n int) events.Event {
	t.Helper()
	return with(t, events.GrantEdited, func(e *events.Event) {
		e.ID, e.Actor = fmt.Sprintf("01KAP2X5T0Y7D4N6B9W2H8%04d", n), events.Actor{Kind: "partner", Email: "olga@contoso.example"}
	})
}

func TestBeyondADaysBudgetALetterIsToldInTheSummaryOfTheDay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	to := func(e events.Event) receipt.Receipt { return o.of(e, it) }
	for n := range receipt.Daily {
		o.notify(t, picked(t, n))
		if got := to(picked(t, n)).State; got != receipt.Sent {
			t.Fatalf("mail %d: got it %s, want it sent", n+1, got)
		}
	}
	for range 2 {
		o.notify(t, picked(t, receipt.Daily))
	}
	if got := to(picked(t, receipt.Daily)); got.State != receipt.Bundled {
		t.Fatalf("one more: got %+v, want it bundled", got)
	}
	var summary *record
	for _, r := range o.receipts {
		if r.Type == receipt.SummaryType && r.To == it {
			summary = r
		}
	}
	midnight := noon.Truncate(24 * time.Hour).Add(24 * time.Hour)
	if summary == nil || len(summary.Lines) != 1 || !strings.Contains(summary.Lines[0], "the access of Contoso MSP to Acme was changed") ||
		!summary.due.Equal(midnight.Add(15*time.Minute)) {
		t.Fatalf("got the summary %+v, want one with one line, due when the day is over", summary)
	}

	revoked := with(t, events.GrantRelinquished,
		func(e *events.Event) { e.Actor = events.Actor{Kind: "partner", Email: "olga@contoso.example"} })
	o.notify(t, revoked)
	if got := to(revoked).State; got != receipt.Sent {
		t.Errorf("that access ended: got it %s, want it sent, whatever else was", got)
	}
	byProvider := with(t, events.GrantEdited, func(e *events.Event) { e.Actor = events.Actor{Kind: "provider"} })
	o.notify(t, byProvider)
	if got := to(byProvider).State; got != receipt.Sent {
		t.Errorf("a change of the provider's: got it %s, want it sent", got)
	}

	o.advance(midnight.Sub(noon))
	next := picked(t, receipt.Daily+1)
	o.notify(t, next)
	if got := to(next).State; got != receipt.Sent {
		t.Errorf("on the next day: got it %s, want it sent", got)
	}
	o.outbox = nil
	if err := o.NotifySummary(t.Context(), mail.Summary(summary.Receipt, "Acme", "Contoso", "")); err != nil {
		t.Fatal(err)
	}
	if len(o.outbox) != 1 || o.outbox[0].To != it || !strings.Contains(o.outbox[0].Text, summary.Lines[0]) || summary.State != receipt.Sent {
		t.Errorf("got %+v, want the summary with its line", o.outbox)
	}
}

// Its link, or its temporary password, is of no use in a summary.
func TestBeyondADaysBudgetALetterWithASecretWaitsForTheNextDay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	invitation := func(n int) events.Event {
		return with(t, events.InvitationCreated, func(e *events.Event) { e.ID = fmt.Sprintf("01KAP2X5T0Y7D4N6B9W2H8%04d", n) })
	}
	for n := range receipt.Daily {
		o.notify(t, invitation(n))
	}
	midnight := noon.Truncate(24 * time.Hour).Add(24 * time.Hour)
	o.wantWaiting(t, invitation(receipt.Daily), noor, "as a day allows", midnight)
	o.advance(midnight.Sub(noon))
	if err := o.NotifyWaiting(t.Context(), invitation(receipt.Daily), receipt.Digest(noor)); err != nil {
		t.Fatal(err)
	}
	if got := o.of(invitation(receipt.Daily), noor).State; got != receipt.Sent {
		t.Errorf("on the next day: got it %s, want it sent", got)
	}
}
