package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
)

// A feed has the events about one organisation in the order in which they were published, numbered 1, 2, 3 and so on without a gap: the
// number, the event and its receipt are written in one transaction. The receipt says by the event's id that the event is in its feed, and
// whether the bus has taken it.

// KeepFeed is how long the events of a feed can be read.
const KeepFeed = 30 * 24 * time.Hour

// The attributes of feeds and receipts.
const (
	feedName = "feed"
	last     = "last"  // the number of the feed's latest event
	sentAt   = "sent"  // when the bus took the event
	heldTo   = "lease" // until when somebody has the event for the bus
)

// busLease is how long whoever publishes an event, or claims it, has for the bus to take it.
const busLease = 10 * time.Second

// Published is an event in its feed.
type Published struct {
	Event cloudevents.Event
	New   bool // it was not there before: the caller has claimed it for the bus
	Sent  bool // the bus has taken it
}

// Publish appends an event to its feed, unless it is there already, and returns it with its place.
func (s *Store) Publish(ctx context.Context, e cloudevents.Event, now time.Time) (Published, error) {
	for n := 0; ; n++ {
		p, err := s.append(ctx, e, now)
		var canceled *types.TransactionCanceledException
		var conflict *types.TransactionConflictException
		if err == nil || !errors.As(err, &canceled) && !errors.As(err, &conflict) || n+1 == attempts {
			return p, err
		}
		pause := time.Millisecond << min(n, 6)
		if err := wait(ctx, pause+rand.N(pause*4)); err != nil { //nolint:gosec // a pause is no secret
			return Published{}, err
		}
	}
}

// append appends the event as the next of its feed. It fails when another became that meanwhile.
func (s *Store) append(ctx context.Context, e cloudevents.Event, now time.Time) (Published, error) {
	const receiptAt = 2 // in the transaction
	number, err := one(ctx, s, feedKey(e.Feed), func(it *item) *int64 { n := it.n(last); return &n })
	if err != nil {
		return Published{}, err
	}
	was := int64(0)
	if number != nil {
		was = *number
	}
	e = e.At(was + 1)
	body, err := json.Marshal(e)
	if err != nil {
		return Published{}, fmt.Errorf("encode event %s: %w", e.Type, err)
	}
	count := &types.Update{
		TableName: &s.table, Key: feedKey(e.Feed).attributes(), UpdateExpression: aws.String("SET #last = :next"),
		ConditionExpression: aws.String("#last = :was"), ExpressionAttributeNames: map[string]string{"#last": last},
		ExpressionAttributeValues: map[string]types.AttributeValue{":next": num(was + 1), ":was": num(was)},
	}
	if was == 0 {
		count.ConditionExpression = aws.String("attribute_not_exists(#last)")
		delete(count.ExpressionAttributeValues, ":was")
	}
	item, receipt := newDraft(publishedKey(e.Feed, e.Sequence)), newDraft(busKey(e.ID))
	item.s("event", string(body))
	receipt.s(feedName, e.Feed)
	receipt.s("sequence", e.Sequence)
	receipt.t(heldTo, now.Add(busLease))
	tx := transaction{{Update: count}}
	for _, d := range []draft{item, receipt} {
		d.n(ttl, now.Add(KeepFeed).Unix())
		tx.create(s.table, d)
	}
	tx[receiptAt].Put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err = s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: tx})
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) && len(canceled.CancellationReasons) > receiptAt {
		if r := canceled.CancellationReasons[receiptAt]; aws.ToString(r.Code) == "ConditionalCheckFailed" {
			is := fromSDK(r.Item)
			e.Sequence = is.s("sequence")
			return Published{Event: e, Sent: is.s(sentAt) != ""}, is.err
		}
	}
	if err != nil {
		return Published{}, failed("publish an event", err)
	}
	return Published{Event: e, New: true}, nil
}

// Claim claims an event for the bus for ten seconds. It returns false while another holds it, and when the bus has taken it.
func (s *Store) Claim(ctx context.Context, id string, now time.Time) (bool, error) {
	e := edit{
		key: busKey(id), condition: present + " AND attribute_not_exists(#" + sentAt + ") AND (attribute_not_exists(#lease) OR #lease <= :now)",
		values: map[string]types.AttributeValue{":now": str(timeText(now))},
	}
	e.to(heldTo, timeText(now.Add(busLease)))
	ok, _, err := s.update(ctx, "claim an event", e)
	return ok, err
}

// Sent records that the bus has taken the event.
func (s *Store) Sent(ctx context.Context, id string, now time.Time) error {
	e := edit{key: busKey(id), condition: present, remove: []string{gsi2pk, gsi2sk, heldTo}, values: map[string]types.AttributeValue{}}
	e.to(sentAt, timeText(now))
	_, _, err := s.update(ctx, "record that the bus has an event", e)
	return err
}

// NotSent makes an event due for another attempt at the bus at that instant, unless the bus has taken it.
func (s *Store) NotSent(ctx context.Context, id string, due time.Time) error {
	k := busKey(id)
	e := edit{key: k, condition: present + " AND attribute_not_exists(#" + sentAt + ")", values: map[string]types.AttributeValue{}}
	e.to(gsi2pk, busDuePK(shardOf(id, busShards)))
	e.to(gsi2sk, dueSK(due, k))
	_, _, err := s.update(ctx, "have an event wait for the bus", e)
	return err
}

// Unsent is an event that waits for another attempt at the bus.
type Unsent struct {
	ID    string
	Event *cloudevents.Event // nil when it is not kept any more
	Due   time.Time          // since when
}

// UnsentShards is the number of shards that Unsent goes through.
func (s *Store) UnsentShards() int { return busShards }

// Unsent lists events of one shard that are due for another attempt at the bus, longest due first. More means that there may be others.
func (s *Store) Unsent(ctx context.Context, shard int, now time.Time, limit int) (list []Unsent, more bool, err error) {
	items, more, err := s.dueBy(ctx, busDuePK(shard), now, "", limit)
	if err != nil {
		return nil, false, err
	}
	for _, it := range items {
		u := Unsent{ID: it.s(pk)[len(busPrefix):]}
		if u.Due, err = parseTime(it.s(gsi2sk)[:len(instantLayout)]); err != nil {
			return nil, false, fmt.Errorf("the event %s waits since an instant that is none: %w", u.ID, err)
		}
		r, err := one(ctx, s, busKey(u.ID), func(r *item) *Key {
			k := publishedKey(r.s(feedName), r.s("sequence"))
			if r.s(gsi2sk) != it.s(gsi2sk) { // the index is behind
				k = Key{}
			}
			return &k
		})
		if err != nil {
			return nil, false, err
		}
		if r == nil || *r == (Key{}) {
			continue
		}
		if u.Event, err = one(ctx, s, *r, (*item).published); err != nil {
			return nil, false, err
		}
		list = append(list, u)
	}
	return list, more, nil
}

// Section returns the events of a feed that come after a number, at most limit of them; a negative number stands for the oldest that is
// kept. An event is kept for 30 days from when it was published, whether or not DynamoDB has deleted it by then. What is returned has no
// gap: it ends before an event that is not kept, and Gone says when it would have to begin with one.
func (s *Store) Section(ctx context.Context, feed string, after int64, limit int, now time.Time) (cloudevents.Section, error) {
	for n := 0; ; n++ {
		out, missing, err := s.readSection(ctx, feed, after, limit, now)
		if err != nil || missing == 0 {
			return out, err
		}
		// A query can see a part of a transaction, such as the number without its event. Whether that is gone or just coming, a read that is a
		// transaction itself can tell.
		coming, err := s.keepsEvent(ctx, feed, missing, now)
		if err != nil {
			return cloudevents.Section{}, err
		}
		if !coming {
			out.Gone = after >= 0
			return out, nil
		}
		if n+1 == attempts {
			return cloudevents.Section{}, fmt.Errorf("read a feed: %w: the event %d does not come", access.ErrUnavailable, missing)
		}
		if err := wait(ctx, time.Millisecond<<min(n, 6)); err != nil {
			return cloudevents.Section{}, err
		}
	}
}

// readSection reads what Section returns, and names the event before it that was expected and not seen; 0 when there is none.
func (s *Store) readSection(
	ctx context.Context, feed string, after int64, limit int, now time.Time,
) (out cloudevents.Section, missing int64, err error) {
	number, err := one(ctx, s, feedKey(feed), func(it *item) *int64 { n := it.n(last); return &n })
	if err != nil || number == nil {
		return out, 0, err
	}
	if out.Latest = *number; after >= out.Latest {
		return out, 0, nil
	}
	kept, err := s.keptEvents(ctx, feed, after, limit, now)
	if err != nil {
		return out, 0, err
	}
	switch {
	case after >= 0 && (len(kept) == 0 || kept[0].Place() != after+1):
		return out, after + 1, nil
	case len(kept) == 0:
		return out, out.Latest, nil
	}
	for i, e := range kept {
		if e.Place() != kept[0].Place()+int64(i) {
			kept = kept[:i]
			break
		}
	}
	out.Events = kept
	if after < 0 {
		missing = kept[0].Place() - 1
	}
	return out, missing, nil
}

// keptEvents reads events that come after a number and have not expired, at most limit of them. With a negative number it reads on: those
// that have expired and are not deleted yet can fill pages.
func (s *Store) keptEvents(ctx context.Context, feed string, after int64, limit int, now time.Time) ([]cloudevents.Event, error) {
	var kept []cloudevents.Event
	from := max(after, 0)
	for {
		sp := span{pk: feedPK(feed), first: publishedKey(feed, cloudevents.Number(from+1)).SK, last: publishedPrefix + "~"}
		items, more, err := s.query(ctx, sp, limit)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			e, err := decode(it, (*item).published)
			if err != nil {
				return nil, err
			}
			if from = e.Place(); it.n(ttl) > now.Unix() {
				kept = append(kept, *e)
			}
		}
		if !more || after >= 0 || len(kept) >= limit {
			return kept[:min(len(kept), limit)], nil
		}
	}
}

// keepsEvent reports whether an event of a feed is there and has not expired. It waits for a transaction that is writing it.
func (s *Store) keepsEvent(ctx context.Context, feed string, number int64, now time.Time) (bool, error) {
	k := publishedKey(feed, cloudevents.Number(number))
	in := &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: &s.table, Key: k.attributes()}}}}
	for n := 0; ; n++ {
		out, err := s.db.TransactGetItems(ctx, in)
		var canceled *types.TransactionCanceledException
		switch {
		case err == nil:
			it := fromSDK(out.Responses[0].Item)
			return len(out.Responses[0].Item) > 0 && it.n(ttl) > now.Unix(), it.err
		case !errors.As(err, &canceled) || n+1 == attempts:
			return false, failed("read an event", err)
		}
		if err := wait(ctx, time.Millisecond<<min(n, 6)); err != nil {
			return false, err
		}
	}
}

func (it *item) published() *cloudevents.Event {
	e := &cloudevents.Event{}
	if err := json.Unmarshal([]byte(it.s("event")), e); err != nil {
		it.check("event", errors.New("no event")) // json's error quotes it
	}
	return e
}
