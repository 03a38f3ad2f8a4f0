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

// hold is the attribute by which a change that ends access keeps other changes off a record: the end of the hold, in nanoseconds since 1970
// by the real clock. See the package comment.
const hold = "hold"

const (
	// lease is how long a hold lasts when it is not released, as after a crash: much longer than loading, planning and committing once.
	lease = 5 * time.Second
	// patience is how long Take tries, in real time. reserve is the part of the function's time that every change leaves for its answer.
	patience = 10 * time.Second
	reserve  = time.Second
)

// notHeld is the condition of a write that respects holds. An expired hold counts as none.
const notHeld = sameState + " AND (attribute_not_exists(#hold) OR #hold < :now)"

// waitForHolds makes every write of an existing record conditional on the absence of a hold. When a record is held, the error includes it,
// so that heldIn can report it.
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
		case w.Update != nil && guard(&w.Update.ConditionExpression, w.Update.ExpressionAttributeNames, w.Update.ExpressionAttributeValues):
			w.Update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
	}
}

// heldIn reports whether the record of a failed condition is held now.
func heldIn(old map[string]types.AttributeValue, now time.Time) bool {
	return old[hold] != nil && fromSDK(old).n(hold) >= now.UnixNano()
}

// loaded returns the key of an organisation's record that the transaction writes or checks, in the version that was loaded. It returns none
// for new records, and for addresses and tasks, which change together with such a record.
func loaded(w types.TransactWriteItem) (Key, bool) {
	var m map[string]types.AttributeValue
	var condition *string
	switch {
	case w.Put != nil:
		m, condition = w.Put.Item, w.Put.ConditionExpression
	case w.Delete != nil:
		m, condition = w.Delete.Key, w.Delete.ConditionExpression
	case w.Update != nil:
		m, condition = w.Update.Key, w.Update.ConditionExpression
	case w.ConditionCheck != nil:
		m, condition = w.ConditionCheck.Key, w.ConditionCheck.ConditionExpression
	}
	c, k := aws.ToString(condition), keyOf(m)
	of := strings.HasPrefix(k.PK, customerPK("")) || strings.HasPrefix(k.PK, partnerPK(""))
	return k, of && (c == sameState || c == notHeld)
}

// replaced returns the keys of the records that the transaction writes; their holds end with the write.
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

// overtaken says which records are no longer in the version that was loaded, or are being written by another transaction. It is an
// errStale.
type overtaken struct {
	keys     []Key // the records, as far as the storage says
	held     bool  // one of them is held by a change that ends access
	conflict bool  // nothing is known to have changed: another transaction was on its way
}

func (*overtaken) Error() string { return errStale.Error() }

func (*overtaken) Is(target error) bool { return target == errStale }

// Take is Apply for a change that ends access and grants none. Concurrent writers cannot prevent it: it puts holds on the records that had
// changed, after which only other changes of its kind can come between. It never fails with access.Contention, but after some seconds with
// access.ErrUnavailable.
func (s *Store) Take(ctx context.Context, plan Plan) error { return s.take(ctx, plan, nil) }

// take continues after a first attempt that was overtaken in some records.
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

// enough returns when a change has to be given up so that there is time left to answer; false without a deadline.
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

// holdsKey is the context's key for the holds of the change that is being planned, for reads that must be stable.
type holdsKey struct{}

// holding returns the holds of the context; nil unless a change that ends access is being planned.
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

// commit commits a change. While only transactions that cannot succeed are in the way, since the records are held, it retries the same
// transaction.
func (h *holds) commit(ctx context.Context, c access.Change, answer *access.StoredResponse) error {
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

// all reports whether there are records and each of them is held.
func (h *holds) all(keys []Key) bool {
	for _, k := range keys {
		if h.until[k] <= time.Now().UnixNano() {
			return false
		}
	}
	return len(keys) > 0
}

// hold puts holds on records for the lease. A record that does not exist needs none.
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

// update sends an UpdateItem, and retries while transactions are in its way. A failed condition is no error: then there is nothing to hold
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

// forget drops the holds of records that were written, since the write has released them.
func (h *holds) forget(keys []Key) {
	for _, k := range keys {
		delete(h.until, k)
	}
}

// release ends the holds that no write has ended. A hold that cannot be ended expires.
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
