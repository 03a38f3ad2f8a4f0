package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"partneraccess/events"
	"partneraccess/shared/mail/receipt"
)

// Sender hands a message to the mail service and returns the service's id of it.
type Sender interface {
	// Send fails with an error that wraps ErrRefused when the message will never be taken: the address or the content is refused. With
	// any other error it may be tried again: at once, or, when the error wraps ErrUncertain, not before the service has had time to say
	// whether it took the message. It gives up when the context ends.
	Send(ctx context.Context, m Message) (id string, err error)
}

// ErrRefused says that the mail service will never take the message.
var ErrRefused = errors.New("the mail service refused the mail")

// ErrUncertain says that the mail service did not say whether it took the mail.
var ErrUncertain = errors.New("the mail service gave no answer")

// Receipts keeps what became of each mail. See receipt for the states.
type Receipts interface {
	// ClaimMail takes a mail for sending until the lease ends. It fails with receipt.ErrHeld while somebody else has it, and with
	// receipt.ErrSettled when nothing is left to do.
	ClaimMail(ctx context.Context, r receipt.Receipt, now time.Time, lease time.Duration) (receipt.Claim, error)
	// SettleMail writes down what became of a claimed mail, and may be repeated.
	SettleMail(ctx context.Context, c receipt.Claim, o receipt.Outcome) error
	// ReleaseMail gives a claimed mail back, so that it can be claimed at once.
	ReleaseMail(ctx context.Context, c receipt.Claim, reason string, now time.Time) error
	// Blocked tells why an address gets no mail; nil when it does.
	Blocked(ctx context.Context, address string) (*receipt.Block, error)
}

// Secrets makes what a letter carries and nothing stores.
type Secrets interface {
	// Secret makes a letter's token or temporary password anew, which ends the ones made before. It fails with an error that wraps
	// ErrNoLongerNeeded when what the letter says no longer holds: the invitation or the account has ended meanwhile.
	Secret(ctx context.Context, l Letter) (string, error)
}

// ErrNoLongerNeeded says that a letter need not be sent.
var ErrNoLongerNeeded = errors.New("no longer needed")

// The defaults of a Notifier.
const (
	DefaultLease    = 2 * time.Minute
	DefaultParallel = 4
)

// Notifier sends the mails of events, each once however often the event comes and however many work on it: whoever sends a letter has
// claimed its receipt before, and writes down that it was sent.
//
// One gap cannot be closed, since no mail service takes a mail and our word for it in one step: when the sender dies, or the storage stays
// away, after the service has taken the mail and before that is written down. Then the mail goes out once more when the lease is over,
// unless the service's own word (receipt.Feedback) has come before.
type Notifier struct {
	Renderer *Renderer
	Sender   Sender
	Receipts Receipts
	Secrets  Secrets
	Now      func() time.Time
	Lease    time.Duration // 0 = DefaultLease; longer than a worker can live
	Parallel int           // letters of one event that are sent side by side; 0 = DefaultParallel
}

// Notify sends the letters of an event that have not been sent. Each letter is tried, whatever happens to the others; the error joins what
// went wrong, and the event has to come again then. That an address was refused for good is no error: its receipt says so.
func (n *Notifier) Notify(ctx context.Context, e events.Event) error {
	return n.deliver(ctx, Letters(e))
}

// NotifyOne is Notify for one recipient: for a mail that is to be sent again after its receipt was reopened. It fails with
// receipt.ErrUnknown when the event tells nobody whom that digest stands for.
func (n *Notifier) NotifyOne(ctx context.Context, e events.Event, recipient string) error {
	for _, l := range Letters(e) {
		if receipt.Digest(l.To) == recipient {
			return n.deliver(ctx, []Letter{l})
		}
	}
	return receipt.ErrUnknown
}

func (n *Notifier) deliver(ctx context.Context, letters []Letter) error {
	errs := make([]error, len(letters))
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
			if err := n.one(ctx, l); err != nil {
				// The address itself is left out: errors are logged.
				errs[i] = fmt.Errorf("event %s: letter %s to the %s %s: %w", l.Event.ID, l.Template, l.Side, receipt.Digest(l.To), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// one claims, makes, sends and settles one letter.
func (n *Notifier) one(ctx context.Context, l Letter) error {
	lease := n.Lease
	if lease <= 0 {
		lease = DefaultLease
	}
	claim, err := n.Receipts.ClaimMail(ctx, receipt.New(l.Event, l.To, l.Template, string(l.Side)), n.Now(), lease)
	switch {
	case errors.Is(err, receipt.ErrSettled):
		return nil
	case err != nil:
		return fmt.Errorf("claim it: %w", err)
	}
	o, err := n.try(ctx, l, claim)
	// What is known now is written down even when the time for all else is over.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if errors.Is(err, ErrUncertain) {
		// The claim is kept: if the mail was taken, the service's feedback settles it before the lease ends, and nobody gets it twice.
		return err
	}
	if err != nil {
		if left := n.Receipts.ReleaseMail(after, claim, err.Error(), n.Now()); left != nil {
			err = fmt.Errorf("%w; and it waits for the lease to end: give it back: %w", err, left)
		}
		return err
	}
	o.At = n.Now()
	for range settling {
		if err = n.Receipts.SettleMail(after, claim, o); err == nil {
			return nil
		}
	}
	return fmt.Errorf("it is %s, and may be sent again, since that could not be written down: %w", o.State, err)
}

// How long, and how often, it is tried to write down what became of a mail. The storage itself tries each time more than once.
const (
	patience = 10 * time.Second
	settling = 3
)

// try finds out what becomes of a letter that is claimed. An error says that it can be tried again.
func (n *Notifier) try(ctx context.Context, l Letter, claim receipt.Claim) (receipt.Outcome, error) {
	block, err := n.Receipts.Blocked(ctx, l.To)
	if err != nil {
		return receipt.Outcome{}, fmt.Errorf("look whether the address is blocked: %w", err)
	}
	if block != nil {
		return receipt.Outcome{State: receipt.Suppressed, Reason: fmt.Sprintf("the address %s on %s: %s", block.State, clock(block.At), block.Reason)}, nil
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
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	id, err := n.Sender.Send(ctx, m)
	switch {
	case errors.Is(err, ErrRefused):
		return receipt.Outcome{State: receipt.Failed, Reason: err.Error()}, nil
	case err != nil:
		return receipt.Outcome{}, fmt.Errorf("send it: %w", err)
	}
	return receipt.Outcome{State: receipt.Sent, MessageID: id}, nil
}
