package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// Sender hands a message to the mail service and returns the service's id of it.
type Sender interface {
	// Send fails with an error that wraps ErrRefused when the message can never be sent, because of its address or content. After any other
	// error it can be retried: at once, or, when the error wraps ErrUncertain, after the service has had time to report whether it took the
	// message. It stops when the context ends.
	Send(ctx context.Context, m Message) (id string, err error)
}

// ErrRefused says that the mail service will never take the message.
var ErrRefused = errors.New("the mail service refused the mail")

// ErrUncertain says that it is unknown whether the mail service took the mail.
var ErrUncertain = errors.New("the mail service gave no answer")

// Receipts keeps the state of each mail. See package receipt for the states.
type Receipts interface {
	// ClaimMail claims a mail for sending until the lease ends. It fails with receipt.ErrHeld while another holds it, and with
	// receipt.ErrSettled when nothing is left to do.
	ClaimMail(ctx context.Context, r receipt.Receipt, now time.Time, lease time.Duration) (receipt.Claim, error)
	// SettleMail records the result of a claimed mail, and may be repeated.
	SettleMail(ctx context.Context, c receipt.Claim, o receipt.Outcome) error
	// ReleaseMail ends a claim, so that the mail can be claimed at once, and makes it due at that instant.
	ReleaseMail(ctx context.Context, c receipt.Claim, reason string, now, due time.Time) error
	// SpendMail counts a mail, which the id names, against a budget; false when the budget is exceeded. It may be repeated.
	SpendMail(ctx context.Context, b receipt.Budget, id string) (bool, error)
	// BundleMail adds a line to a summary that is due at that instant, and may be repeated. It fails with receipt.ErrSettled when the summary
	// is being sent, or was.
	BundleMail(ctx context.Context, r receipt.Receipt, line string, now, due time.Time) error
	// Blocked returns why an address gets no mail that an organisation causes (receipt.SourceOf); nil when it does.
	Blocked(ctx context.Context, address, source string) (*receipt.Block, error)
}

// Readers knows how people read what they are sent.
type Readers interface {
	// Preferences returns that by their addresses. Those who have chosen nothing may be missing.
	Preferences(ctx context.Context, addresses []string) (map[string]access.Preferences, error)
}

// Secrets generates what a letter carries and nothing stores.
type Secrets interface {
	// Secret generates a letter's token or temporary password, which invalidates earlier ones. It fails with an error that wraps
	// ErrNoLongerNeeded when the letter is outdated: the invitation or the account has ended meanwhile.
	Secret(ctx context.Context, l Letter) (string, error)
}

// ErrNoLongerNeeded says that a letter need not be sent.
var ErrNoLongerNeeded = errors.New("no longer needed")

// The defaults of a Notifier.
const (
	DefaultLease    = 2 * time.Minute
	DefaultParallel = 4
)

// Notifier sends the mails of events, each once, however often an event is delivered and however many workers there are: a worker claims
// the letter's receipt before it sends, and records that it was sent.
//
// A letter with a receipt is never lost: an unsettled receipt is due work, at the end of its lease or, after a failed attempt, after a
// pause as long as it has waited so far (at least a minute, at most a quarter of an hour). NotifyWaiting retries it for up to three days.
// So an outage of the mail service delays no event and needs no operator.
//
// A letter without an answer of the mail service may have been delivered. It keeps its lease, during which nobody else sends it and the
// service's feedback (receipt.Feedback) can settle it. NotifyWaiting's leases grow like the pauses, so such a letter is retried less and
// less often, and given up after the same three days.
//
// One gap remains, since no mail service accepts a mail and records it in our table in one step: when the sender dies, or the table is
// unavailable, after the service took the mail and before that is recorded, the mail is sent once more when the lease is over, unless
// feedback comes first.
type Notifier struct {
	Renderer *Renderer
	Sender   Sender
	Receipts Receipts
	Secrets  Secrets
	Present  Situations // what holds when letters are made; nil = the events are believed
	Chat     string     // that hears of requests which wait for a decision, as in the Renderer's settings; "" = none
	Provider string     // the address at which the provider hears of its own webhooks, as in the Renderer's settings; "" = it does not
	Readers  Readers    // how recipients read; nil = as the settings say
	Now      func() time.Time
	Log      *slog.Logger  // of letters that have to wait; nil = none
	Lease    time.Duration // the least; 0 = DefaultLease; longer than a worker can live
	Parallel int           // letters of one event that are sent side by side; 0 = DefaultParallel
}

// ErrWaits says that a letter could not be sent now and waits for another attempt.
var ErrWaits = errors.New("the mail waits to be tried again")

// ErrLate says that too little time is left to send a letter and to record that it was sent.
var ErrLate = errors.New("out of time")

// Notify sends the letters of an event that have no receipt yet or wait for another attempt. It tries each letter, whatever happens to the
// others. After an error the event has to be delivered again: some letters have no receipt. A letter that waits, or that another worker is
// sending, is no error.
func (n *Notifier) Notify(ctx context.Context, e events.Event) error {
	letters, err := n.letters(ctx, e)
	if err != nil {
		return err
	}
	var errs []error
	for _, err := range n.deliver(ctx, letters, n.lease()) {
		switch {
		case errors.Is(err, ErrWaits):
			if n.Log != nil {
				n.Log.Warn("a mail waits", "event_id", e.ID, "event_type", e.Type, "error", err.Error())
			}
		case !errors.Is(err, receipt.ErrHeld):
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// NotifyOne sends the letter of an event to one recipient that was reopened. It fails with receipt.ErrUnknown when the event has no letter
// to the recipient with that digest, with receipt.ErrHeld while another is sending it, with ErrWaits, and with ErrLate.
func (n *Notifier) NotifyOne(ctx context.Context, e events.Event, recipient string) error {
	return n.notifyOne(ctx, e, recipient, n.lease())
}

// NotifyWaiting is NotifyOne for a letter that waits for another attempt. Its lease is as long as the event is old, up to a quarter of an
// hour.
func (n *Notifier) NotifyWaiting(ctx context.Context, e events.Event, recipient string) error {
	return n.notifyOne(ctx, e, recipient, max(n.lease(), min(n.Now().Sub(e.Time), longPause)))
}

func (n *Notifier) notifyOne(ctx context.Context, e events.Event, recipient string, lease time.Duration) error {
	letters, err := n.letters(ctx, e)
	if err != nil {
		return err
	}
	for _, l := range letters {
		if receipt.Digest(l.To) != recipient {
			continue
		}
		for _, other := range letters { // of the same person, under the address that it has now
			if l.Moved != "" && other.To == l.Moved {
				if err := n.deliver(ctx, []Letter{other}, lease)[0]; err != nil && !errors.Is(err, receipt.ErrHeld) && !errors.Is(err, ErrWaits) {
					return err
				}
			}
		}
		return n.deliver(ctx, []Letter{l}, lease)[0]
	}
	return receipt.ErrUnknown
}

// letters returns the letters of an event as they are now.
func (n *Notifier) letters(ctx context.Context, e events.Event) ([]Letter, error) {
	if n.Present == nil {
		return withCard(Letters(e), e, n.Chat), nil
	}
	s, err := n.Present.Situation(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("event %s: read what holds now: %w", e.ID, err)
	}
	s.Provider = n.Provider
	return withCard(s.Letters(e), e, n.Chat), nil
}

// letter returns an event's letter to one recipient.
func (n *Notifier) letter(ctx context.Context, e events.Event, recipient string) (Letter, error) {
	letters, err := n.letters(ctx, e)
	if err != nil {
		return Letter{}, err
	}
	for _, l := range letters {
		if receipt.Digest(l.To) == recipient {
			return l, nil
		}
	}
	return Letter{}, receipt.ErrUnknown
}

// Outdated returns why the letter of an event to one recipient is outdated; "" when it is not. It fails with receipt.ErrUnknown when the
// event has no letter to the recipient with that digest.
func (n *Notifier) Outdated(ctx context.Context, e events.Event, recipient string) (string, error) {
	l, err := n.letter(ctx, e, recipient)
	return l.Outdated, err
}

// GiveUp settles a waiting mail for which no event has a letter any longer.
func (n *Notifier) GiveUp(ctx context.Context, key receipt.Key, reason string) error {
	claim, err := n.Receipts.ClaimMail(ctx, receipt.Receipt{Key: key}, n.Now(), n.lease())
	if err != nil {
		return err
	}
	return n.Receipts.SettleMail(ctx, claim, receipt.Outcome{State: receipt.Failed, Reason: reason, At: n.Now()})
}

func (n *Notifier) lease() time.Duration {
	if n.Lease <= 0 {
		return DefaultLease
	}
	return n.Lease
}

// deliver tries letters, and returns the errors of each.
func (n *Notifier) deliver(ctx context.Context, letters []Letter, lease time.Duration) []error {
	errs := make([]error, len(letters))
	if err := n.readPreferences(ctx, letters); err != nil {
		for i := range errs {
			errs[i] = fmt.Errorf("read how recipients read: %w", err)
		}
		return errs
	}
	parallel := n.Parallel
	if parallel <= 0 {
		parallel = DefaultParallel
	}
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, l := range letters {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := n.one(ctx, l, lease); err != nil {
				// The address itself is left out: errors are logged.
				errs[i] = fmt.Errorf("event %s: letter %s to the %s %s: %w", l.Event.ID, l.Template, l.Side, receipt.Digest(l.To), err)
			}
		})
	}
	wg.Wait()
	return errs
}

// readPreferences reads how the recipients read, with one request for all letters that are to be sent.
func (n *Notifier) readPreferences(ctx context.Context, letters []Letter) error {
	var to []string
	for _, l := range letters {
		if l.Outdated == "" || l.Urgent() {
			to = append(to, l.To)
		}
	}
	if n.Readers == nil || len(to) == 0 {
		return nil
	}
	chosen, err := n.Readers.Preferences(ctx, to)
	for i := range letters {
		letters[i].Reader = chosen[letters[i].To]
	}
	return err
}

// one claims, renders, sends and settles one letter. It begins nothing that it could not record before the context's deadline.
func (n *Notifier) one(ctx context.Context, l Letter, lease time.Duration) error {
	work := ctx
	if deadline, ok := ctx.Deadline(); ok {
		if time.Until(deadline) < patience+sending {
			return ErrLate
		}
		var cancel context.CancelFunc
		work, cancel = context.WithDeadline(ctx, deadline.Add(-patience))
		defer cancel()
	}
	claim, err := n.Receipts.ClaimMail(work, receipt.New(l.Event, l.To, l.Template, string(l.Side)), n.Now(), lease)
	switch {
	case errors.Is(err, receipt.ErrSettled):
		return nil
	case err != nil:
		return fmt.Errorf("claim it: %w", err)
	}
	o, held, err := n.within(work, l)
	if err == nil && o.State == "" && held.IsZero() {
		o, err = n.try(work, l, claim)
	}
	// The result is recorded even when the time for everything else is over.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	now := n.Now()
	waited := now.Sub(claim.Since)
	switch {
	case err == nil && !held.IsZero() && waited < longest:
		if err := n.Receipts.ReleaseMail(after, claim, beyond, now, held); err != nil {
			return fmt.Errorf("%w: and it waits for the lease to end: give it back: %w", ErrWaits, err)
		}
		return fmt.Errorf("%w: %s", ErrWaits, beyond)
	case err == nil && !held.IsZero():
		o = receipt.Outcome{State: receipt.Failed, Reason: beyond}
	case err != nil && waited >= longest:
		o = receipt.Outcome{
			State:  receipt.Failed,
			Reason: fmt.Sprintf("it could not be sent for %d hours; at last: %v", int(waited.Hours()), err),
		}
	case errors.Is(err, ErrUncertain):
		// The claim is kept: if the mail was taken, the service's feedback settles it before the lease ends, and nobody gets it twice.
		return fmt.Errorf("%w: %w", ErrWaits, err)
	case err != nil:
		if left := n.Receipts.ReleaseMail(after, claim, err.Error(), now, now.Add(min(max(waited, shortPause), longPause))); left != nil {
			err = fmt.Errorf("%w; and it waits for the lease to end: give it back: %w", err, left)
		}
		return fmt.Errorf("%w: %w", ErrWaits, err)
	}
	o.At = now
	for range settling {
		if err = n.Receipts.SettleMail(after, claim, o); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: it is %s, and may be sent again, since that could not be written down: %w", ErrWaits, o.State, err)
}

// The time for one letter: patience is reserved for recording the result before the worker is stopped, and sending is the least that the
// mail service gets.
const (
	patience = 10 * time.Second
	settling = 3 // attempts to write it down; the storage itself tries each time more than once
	sending  = 2 * time.Second

	shortPause = time.Minute
	longPause  = 15 * time.Minute
	longest    = 72 * time.Hour // then a letter is given up
)

// beyond is the reason of a mail that is held back.
const beyond = "the organisation has caused as many mails to this address as a day allows"

// within counts a letter against what its organisation may cause to its recipient a day. Beyond that, a letter with a secret waits until
// the next day, and any other becomes a line of the day's summary. Security notices have a larger budget of their own.
func (n *Notifier) within(ctx context.Context, l Letter) (o receipt.Outcome, held time.Time, err error) {
	if l.Template == summary || l.Template == digest || l.Outdated != "" && !l.Urgent() {
		return o, held, nil
	}
	if o, err := n.withinJob(ctx, l); err != nil || o.State != "" || !receipt.Bounded(l.Event) {
		return o, held, err
	}
	b := receipt.NewBudget(receipt.SourceOf(l.Event), l.To, l.security(), n.Now())
	ok, err := n.Receipts.SpendMail(ctx, b, l.Event.ID)
	switch {
	case err != nil:
		return o, held, fmt.Errorf("count it: %w", err)
	case ok:
		return o, held, nil
	case l.Secret != NoSecret:
		return o, b.Renewed(), nil
	}
	r, line := n.Renderer.bundled(l, b)
	if err := n.Receipts.BundleMail(ctx, r, line, n.Now(), b.Summarised()); err != nil {
		return o, held, fmt.Errorf("bundle it: %w", err)
	}
	return receipt.Outcome{State: receipt.Bundled, Reason: beyond + ": the summary of the day tells of it"}, held, nil
}

// withinJob counts a letter about a change of a bulk job against what one job may cause to its recipient. Beyond that, the letter becomes a
// line of the job's digest, unless it has a secret or the digest has been sent.
func (n *Notifier) withinJob(ctx context.Context, l Letter) (receipt.Outcome, error) {
	if l.Event.Job == "" || l.Secret != NoSecret {
		return receipt.Outcome{}, nil
	}
	ok, err := n.Receipts.SpendMail(ctx, receipt.NewJobBudget(l.Event.Job, l.To, n.Now()), l.Event.ID)
	if err != nil {
		return receipt.Outcome{}, fmt.Errorf("count it for its job: %w", err)
	}
	if ok {
		return receipt.Outcome{}, nil
	}
	if block, err := n.Receipts.Blocked(ctx, l.To, receipt.SourceOf(l.Event)); err != nil || block != nil {
		return receipt.Outcome{}, err // try says so
	}
	r, line := n.Renderer.digested(l)
	switch err := n.Receipts.BundleMail(ctx, r, line, n.Now(), n.Now().Add(digestAfter)); {
	case errors.Is(err, receipt.ErrSettled):
		return receipt.Outcome{}, nil
	case err != nil:
		return receipt.Outcome{}, fmt.Errorf("bundle it with others of its job: %w", err)
	}
	return receipt.Outcome{State: receipt.Bundled, Reason: "it is one of many changes made at once: the digest of them tells of it"}, nil
}

// NotifySummary sends a summary that is due, as NotifyWaiting does.
func (n *Notifier) NotifySummary(ctx context.Context, summary Letter) error {
	return n.deliver(ctx, []Letter{summary}, max(n.lease(), min(n.Now().Sub(summary.Event.Time), longPause)))[0]
}

// try decides what happens to a claimed letter. An error says that it can be retried.
func (n *Notifier) try(ctx context.Context, l Letter, claim receipt.Claim) (receipt.Outcome, error) {
	if l.Outdated != "" && !l.Urgent() {
		return receipt.Outcome{State: receipt.Dropped, Reason: l.Outdated}, nil
	}
	block, err := n.Receipts.Blocked(ctx, l.To, receipt.SourceOf(l.Event))
	if err != nil {
		return receipt.Outcome{}, fmt.Errorf("look whether the address is blocked: %w", err)
	}
	if block != nil {
		return receipt.Outcome{
			State:  receipt.Suppressed,
			Reason: fmt.Sprintf("the address %s on %s: %s", block.State, block.At.UTC().Format("2 January 2006, 15:04 UTC"), block.Reason),
		}, nil
	}
	secret := ""
	if l.Secret != NoSecret {
		secret, err = n.Secrets.Secret(ctx, l)
		switch {
		case errors.Is(err, ErrNoLongerNeeded):
			return receipt.Outcome{State: receipt.Dropped, Reason: err.Error()}, nil
		case err != nil:
			return receipt.Outcome{}, fmt.Errorf("make its %s: %w", l.Secret, err)
		}
	}
	m, err := n.Renderer.Render(l, secret)
	if err != nil {
		return receipt.Outcome{}, err
	}
	left := claim.Lease.Sub(n.Now())
	if left <= 0 { // another may have it by now
		return receipt.Outcome{}, errors.New("the lease was over before it could be sent")
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < sending {
		return receipt.Outcome{}, ErrLate
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	written, err := n.Renderer.written(l, m, secret)
	if err != nil {
		return receipt.Outcome{}, err
	}
	id, err := n.Sender.Send(ctx, m)
	switch {
	case errors.Is(err, ErrRefused):
		return receipt.Outcome{State: receipt.Failed, Reason: err.Error()}, nil
	case err != nil:
		return receipt.Outcome{}, fmt.Errorf("send it: %w", err)
	}
	return receipt.Outcome{State: receipt.Sent, MessageID: id, Written: written}, nil
}
