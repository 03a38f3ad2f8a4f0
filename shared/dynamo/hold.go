package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// hold is the attribute by which a change that ends access keeps others off a record: the instant until which it does, in nanoseconds since
// 1970 by the real clock. See the package comment.
const hold = "hold"

const (
	// lease is how long a hold lasts when nobody releases it, as after a crash: much longer than it takes to load, plan and commit once.
	lease = 5 * time.Second
	// patience is how long Take tries, in real time, and reserve is what every change leaves of the time that the function has, for its
	// answer.
	patience = 10 * time.Second
	reserve  = time.Second
)

// notHeld is the condition of a write that waits for holds. An expired hold is as good as none.
const notHeld = sameState + " AND (attribute_not_exists(#hold) OR #hold < :now)"

// waitForHolds makes every write of a record that is there conditional on nobody's holding it at that instant. When one is held, the answer
// brings the record, so that heldIn can tell.
func (tx transaction) waitForHolds(now time.Time) {
	guard := func(condition **string, names map[string]string, values map[string]types.AttributeValue) bool {
		if aws.ToString(*condition) != sameState {
			return false
		}
		*condition = aws.String(notHeld)
		names["#hold"] = hold
		values[":now"] = num(now.UnixNano())
		return true
	}
	for _, w := range tx {
		switch {
		case w.Put != nil && guard(&w.Put.ConditionExpression, w.Put.ExpressionAttributeNames, w.Put.ExpressionAttributeValues):
			w.Put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		case w.Delete != nil && guard(&w.Delete.ConditionExpression, w.Delete.ExpressionAttributeNames, w.Delete.ExpressionAttributeValues):
			w.Delete.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
	}
}

// heldIn tells whether a record that a condition failed on is held now.
func heldIn(old map[string]types.AttributeValue, now time.Time) bool {
	return old[hold] != nil && fromSDK(old).n(hold) >= now.UnixNano()
}

// loaded is the key of an organisation's record that the transaction writes or looks at, in the version that was loaded; none for what it
// creates, and for addresses and tasks, which change together with such a record.
func loaded(w types.TransactWriteItem) (Key, bool) {
	var m map[string]types.AttributeValue
	var condition *string
	switch {
	case w.Put != nil:
		m, condition = w.Put.Item, w.Put.ConditionExpression
	case w.Delete != nil:
		m, condition = w.Delete.Key, w.Delete.ConditionExpression
	case w.ConditionCheck != nil:
		m, condition = w.ConditionCheck.Key, w.ConditionCheck.ConditionExpression
	}
	c, k := aws.ToString(condition), keyOf(m)
	of := strings.HasPrefix(k.PK, customerPK("")) || strings.HasPrefix(k.PK, partnerPK(""))
	return k, of && (c == sameState || c == notHeld)
}

// replaced are the keys of the records that the transaction writes: without the holds that were there.
func (tx transaction) replaced() []Key {
	var keys []Key
	for _, w := range tx {
		if k, ok := loaded(w); ok && w.ConditionCheck == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

func keyOf(m map[string]types.AttributeValue) Key {
	it := fromSDK(map[string]types.AttributeValue{pk: m[pk], sk: m[sk]})
	return Key{it.s(pk), it.s(sk)}
}

// overtaken says that records were no longer as they were loaded, or that another transaction was about to write them: load and plan again.
// It is errStale.
type overtaken struct {
	keys     []Key // the records, as far as the storage says
	held     bool  // one of them is held by a change that ends access
	conflict bool  // nothing is known to have changed: another transaction was on its way
}

func (*overtaken) Error() string { return errStale.Error() }

func (*overtaken) Is(target error) bool { return target == errStale }

// Take is Apply for a change that ends access and gives none. Others cannot keep it from being committed: where somebody was faster, it
// holds the records that had changed, so that from then on only other changes of its kind come between. It does not fail with
// access.Contention, but after some seconds with access.ErrUnavailable.
func (s *Store) Take(ctx context.Context, plan Plan) error { return s.take(ctx, plan, nil) }

// take is Take where others were faster already in some records.
func (s *Store) take(ctx context.Context, plan Plan, changed []Key) error {
	h := &holds{store: s, until: map[Key]int64{}, end: time.Now().Add(patience)}
	if end, ok := enough(ctx); ok && end.Before(h.end) {
		h.end = end
	}
	defer h.release(ctx)
	if err := h.hold(ctx, changed...); err != nil {
		return err
	}
	for n := 0; ; n++ {
		c, answer, err := plan(context.WithValue(ctx, holdsKey{}, h))
		if err == nil {
			err = h.commit(ctx, c, answer)
		}
		var by *overtaken
		switch {
		case err == nil:
			return nil
		case errors.As(err, &by):
			if err := h.hold(ctx, by.keys...); err != nil {
				return err
			}
		case access.CodeOf(err) == access.Contention: // the plan met what somebody else was about to write
		case errors.Is(err, errBusy):
			if err := wait(ctx, time.Millisecond<<min(n, 6)+rand.N(5*time.Millisecond)); err != nil { //nolint:gosec // a delay is no secret
				return err
			}
		default:
			return err
		}
		if err := h.late(); err != nil {
			return err
		}
		if err := wait(ctx, rand.N(time.Millisecond<<min(n, 4))); err != nil { //nolint:gosec // likewise
			return err
		}
	}
}

// enough is when a change has to be given up so that this can still be answered; false when there is no such instant.
func enough(ctx context.Context) (time.Time, bool) {
	deadline, ok := ctx.Deadline()
	return deadline.Add(-reserve), ok
}

// holds are the records that one call of Take holds.
type holds struct {
	store *Store
	until map[Key]int64
	end   time.Time // of its patience
}

// holdsKey is under which a context carries the holds of the change that is being planned, for reads that must be stable.
type holdsKey struct{}

// holding is nil unless a change is being planned that ends access.
func holding(ctx context.Context) *holds {
	h, _ := ctx.Value(holdsKey{}).(*holds)
	return h
}

func (h *holds) late() error {
	if time.Now().Before(h.end) {
		return nil
	}
	return fmt.Errorf("%w: others kept changing the same records for %v", access.ErrUnavailable, patience)
}

// commit commits a change. While all that is in its way are transactions that cannot succeed, since the records are held, it sends the same
// again.
func (h *holds) commit(ctx context.Context, c access.Change, answer *access.Answer) error {
	for {
		keys, err := h.store.commit(ctx, c, answer, true)
		if err == nil {
			h.forget(keys)
			return nil
		}
		var by *overtaken
		if errors.As(err, &by) {
			h.store.metrics.Contended()
		}
		if by == nil || !by.conflict || !h.all(by.keys) || h.late() != nil {
			return err
		}
		if err := wait(ctx, rand.N(3*time.Millisecond)); err != nil { //nolint:gosec // a delay is no secret
			return err
		}
	}
}

// all tells whether all of some records, and at least one, are held.
func (h *holds) all(keys []Key) bool {
	for _, k := range keys {
		if h.until[k] <= time.Now().UnixNano() {
			return false
		}
	}
	return len(keys) > 0
}

// hold holds records for as long as the lease is. One that is not there needs no hold.
func (h *holds) hold(ctx context.Context, keys ...Key) error {
	until := time.Now().Add(lease).UnixNano()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, k := range keys {
		h.until[k] = until
		g.Go(func() error {
			return h.update(ctx, &dynamodb.UpdateItemInput{
				TableName: &h.store.table, Key: k.attributes(), UpdateExpression: aws.String("SET #hold = :until"),
				ConditionExpression:       aws.String(present),
				ExpressionAttributeNames:  map[string]string{"#hold": hold},
				ExpressionAttributeValues: map[string]types.AttributeValue{":until": num(until)},
			})
		})
	}
	return g.Wait()
}

// update makes an update, again and again while transactions are in its way. A condition that fails is no error: there is nothing to hold,
// or to release.
func (h *holds) update(ctx context.Context, in *dynamodb.UpdateItemInput) error {
	for {
		_, err := h.store.db.UpdateItem(ctx, in)
		var gone *types.ConditionalCheckFailedException
		var conflict *types.TransactionConflictException
		switch {
		case err == nil, errors.As(err, &gone):
			return nil
		case !errors.As(err, &conflict):
			return failed("hold a record", err)
		}
		if err := h.late(); err != nil {
			return err
		}
		if err := wait(ctx, rand.N(3*time.Millisecond)); err != nil { //nolint:gosec // a delay is no secret
			return err
		}
	}
}

// forget drops the holds of records that were written: that has released them.
func (h *holds) forget(keys []Key) {
	for _, k := range keys {
		delete(h.until, k)
	}
}

// release ends the holds that no write has ended. One that cannot be ended runs out.
func (h *holds) release(ctx context.Context) {
	for k, until := range h.until {
		_ = h.update(ctx, &dynamodb.UpdateItemInput{
			TableName: &h.store.table, Key: k.attributes(), UpdateExpression: aws.String("REMOVE #hold"),
			ConditionExpression:       aws.String("#hold = :until"),
			ExpressionAttributeNames:  map[string]string{"#hold": hold},
			ExpressionAttributeValues: map[string]types.AttributeValue{":until": num(until)},
		})
	}
}
