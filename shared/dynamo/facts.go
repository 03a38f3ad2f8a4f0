package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Reader reads what decisions need. It may be used by many at once.
type Reader struct {
	client   *dynamodb.Client
	table    string
	batch    *dynamodb.BatchGetItemInput
	transact *dynamodb.TransactGetItemsInput
	scanners sync.Pool // of *scanner
}

// NewReader returns a reader of the table.
func NewReader(client *dynamodb.Client, table string) *Reader {
	return &Reader{client: client, table: table, batch: batchInput(table), transact: transactInput(table)}
}

const (
	keysPerRequest = 100 // DynamoDB's own limit, of BatchGetItem as of TransactGetItems
	inParallel     = 8   // requests of one batch of questions
	rounds         = 6   // of asking for what DynamoDB has left out: about half a second
)

// Facts reads the facts of all questions: one request for each hundred different records, four for one question. The facts share
// what is the same. What is not there is nil; a record that cannot be understood is an error.
func (r *Reader) Facts(ctx context.Context, qs []access.Question, c access.Consistency) ([]access.Facts, error) {
	most := len(qs) * 4
	if c == access.Snapshot {
		most = keysPerRequest // each question's records have to be in one transaction
	}
	sheets := sheetsOf(qs, most)
	if err := r.fill(ctx, sheets, c); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	facts := make([]access.Facts, 0, len(qs))
	for _, s := range sheets {
		facts = s.facts(facts)
	}
	return facts, nil
}

func (r *Reader) fill(ctx context.Context, sheets []*sheet, c access.Consistency) error {
	if len(sheets) == 1 && len(sheets[0].records) <= keysPerRequest { // nearly always
		return r.fillOne(ctx, sheets[0].records, c)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inParallel)
	for _, s := range sheets {
		for left := s.records; len(left) > 0; {
			part := left[:min(len(left), keysPerRequest)]
			left = left[len(part):]
			g.Go(func() error { return r.fillOne(ctx, part, c) })
		}
	}
	return g.Wait()
}

// fillOne reads records that fit into one request.
func (r *Reader) fillOne(ctx context.Context, records []record, c access.Consistency) error {
	b := newBinder(records)
	keys := make([]Key, len(records))
	for i := range records {
		keys[i] = records[i].key
	}
	for round := 0; ; round++ {
		left, err := r.ask(ctx, keys, c, b.found)
		switch {
		case err != nil:
			return err
		case b.err != nil:
			return b.err
		case len(left) == 0:
			return nil
		case round == rounds:
			return fmt.Errorf("DynamoDB left %d of %d records unread %d times", len(left), len(records), rounds+1)
		}
		if err := pause(ctx, round); err != nil {
			return err
		}
		keys = left
	}
}

// ask is one request; it returns the keys to ask for again.
func (r *Reader) ask(ctx context.Context, keys []Key, c access.Consistency, found func(item)) (again []Key, err error) {
	if c != access.Snapshot {
		return r.batchGet(ctx, keys, c != access.Eventual, found)
	}
	err = r.transactGet(ctx, keys, found)
	if passing(err) {
		return keys, nil
	}
	return nil, err
}

// passing tells whether a transaction was cancelled for a reason that goes away by itself. The SDK does not try those again.
func passing(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	for _, why := range cancelled.CancellationReasons {
		switch aws.ToString(why.Code) {
		case "None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		default:
			return false
		}
	}
	return true
}

// pause waits before the next round: up to 20 ms, and twice as long each time, at random so that many do not come back together.
func pause(ctx context.Context, round int) error {
	t := time.NewTimer(time.Duration(1 + rand.Int64N(int64(20*time.Millisecond)<<min(round, 5)))) //nolint:gosec // a delay is no secret
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sheet is what some questions need to know: the different records, and where each question finds its own.
type sheet struct {
	records []record
	places  []place // one for each question
}

// record is one item's key and, once it was found, what the item means: one of the four.
type record struct {
	key        Key
	kind       kind
	partner    *access.Partner
	user       *access.User
	grant      *access.Grant
	assignment *access.Assignment
}

type kind int8

const (
	ofPartner kind = iota
	ofUser
	ofGrant
	ofAssignment
)

// place is where a question's records are in its sheet; none for what it does not ask.
type place struct{ partner, user, grant, assignment int }

const none = -1

// sheetsOf lays questions out on sheets of at most so many records, each question whole on one.
func sheetsOf(qs []access.Question, most int) []*sheet {
	var out []*sheet
	var s *sheet
	seen := map[Key]int{}
	for i, q := range qs {
		if s == nil || len(s.records)+4 > most {
			n := min((len(qs)-i)*4, most)
			s = &sheet{records: make([]record, 0, n), places: make([]place, 0, len(qs)-i)}
			out = append(out, s)
			clear(seen)
		}
		if i > 0 && len(s.places) > 0 && q.User == qs[i-1].User { // a batch is mostly about one user
			last := s.places[len(s.places)-1]
			s.places = append(s.places, place{partner: last.partner, user: last.user})
		} else {
			s.places = append(s.places, place{
				partner: s.add(seen, ofPartner, partnerKey(partnerOf(q.User))),
				user:    s.add(seen, ofUser, userKey(q.User)),
			})
		}
		p := &s.places[len(s.places)-1]
		p.grant, p.assignment = none, none
		if q.Customer != "" {
			p.grant = s.add(seen, ofGrant, grantKey(q.Customer, partnerOf(q.User)))
			p.assignment = s.add(seen, ofAssignment, assignmentKey(q.Customer, q.User))
		}
	}
	return out
}

func (s *sheet) add(seen map[Key]int, k kind, key Key) int {
	if i, ok := seen[key]; ok {
		return i
	}
	seen[key] = len(s.records)
	s.records = append(s.records, record{key: key, kind: k})
	return len(s.records) - 1
}

func (s *sheet) facts(out []access.Facts) []access.Facts {
	for _, p := range s.places {
		f := access.Facts{Partner: s.records[p.partner].partner, User: s.records[p.user].user}
		if p.grant != none {
			f.Grant = s.records[p.grant].grant
			f.Assignment = s.records[p.assignment].assignment
		}
		out = append(out, f)
	}
	return out
}

// binder puts items, which come in any order, to their records.
type binder struct {
	records []record
	at      map[Key]int // nil while the records are few
	err     error
}

func newBinder(records []record) *binder {
	b := &binder{records: records}
	if len(records) > 8 {
		b.at = make(map[Key]int, len(records))
		for i := range records {
			b.at[records[i].key] = i
		}
	}
	return b
}

func (b *binder) find(k Key) *record {
	if b.at != nil {
		if i, ok := b.at[k]; ok {
			return &b.records[i]
		}
		return nil
	}
	for i := range b.records {
		if b.records[i].key == k {
			return &b.records[i]
		}
	}
	return nil
}

func (b *binder) found(it item) {
	r := b.find(Key{it.s(pk), it.s(sk)})
	if r == nil {
		b.fail(fmt.Errorf("DynamoDB sent item %s %s, which was not asked for", it.s(pk), it.s(sk)))
		return
	}
	var err error
	switch r.kind {
	case ofPartner:
		r.partner, err = decode(&it, (*item).partner)
	case ofUser:
		r.user, err = decode(&it, (*item).user)
	case ofGrant:
		r.grant, err = decode(&it, (*item).grant)
	case ofAssignment:
		r.assignment, err = decode(&it, (*item).assignment)
	}
	b.fail(err)
}

func (b *binder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// UserByEmail is the id of the partner's user who has the address, or "" when none has. It is one strongly consistent read.
func (r *Reader) UserByEmail(ctx context.Context, address string) (string, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &r.table, ConsistentRead: aws.Bool(true), Key: newDraft(emailKey(address)),
	})
	if err != nil {
		return "", fmt.Errorf("read whose an address is: %w", err)
	}
	return fromSDK(out.Item).s("user"), nil
}

// CustomersOf lists the ids of the customers that have, or had, a grant for the partner, in their order. It is read from an index,
// which may lag a moment: what it lists is to be decided on Facts.
func (r *Reader) CustomersOf(ctx context.Context, partner string, ask access.PageAsk) (access.Page[string], error) {
	q := r.candidates(partnerIndexPK(partner), customerPrefix, ask)
	q.IndexName = aws.String(gsi1)
	q.ConsistentRead = nil // an index has no other
	q.ExpressionAttributeNames = map[string]string{"#pk": gsi1pk, "#sk": gsi1sk}
	if ask.After != "" {
		start := newDraft(grantKey(ask.After, partner))
		start.index1(partnerIndexPK(partner), customerIndexSK(ask.After))
		q.ExclusiveStartKey = start
	}
	return r.list(ctx, q, gsi1sk, customerPrefix)
}

// PartnersOf lists the ids of the partners for which the customer has, or had, a grant, in their order. It is strongly consistent.
func (r *Reader) PartnersOf(ctx context.Context, customer string, ask access.PageAsk) (access.Page[string], error) {
	q := r.candidates(customerPK(customer), grantPrefix, ask)
	if ask.After != "" {
		q.ExclusiveStartKey = newDraft(grantKey(customer, ask.After))
	}
	return r.list(ctx, q, sk, grantPrefix)
}

// UsersOf lists the ids of the partner's users, in the order in which they joined. It is strongly consistent.
func (r *Reader) UsersOf(ctx context.Context, partner string, ask access.PageAsk) (access.Page[string], error) {
	q := r.candidates(partnerPK(partner), userPrefix, ask)
	if ask.After != "" {
		q.ExclusiveStartKey = newDraft(userKey(ask.After))
	}
	return r.list(ctx, q, sk, userPrefix)
}

func (r *Reader) candidates(partition, prefix string, ask access.PageAsk) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &r.table, Limit: aws.Int32(int32(ask.Limit)), ConsistentRead: aws.Bool(true), //nolint:gosec // 1 to 100
		KeyConditionExpression:    aws.String("#pk = :pk AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#pk": pk, "#sk": sk},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": str(partition), ":prefix": str(prefix)},
	}
}

// list runs the query and takes the ids out of the sort keys.
func (r *Reader) list(ctx context.Context, q *dynamodb.QueryInput, sortKey, prefix string) (access.Page[string], error) {
	var page access.Page[string]
	out, err := r.client.Query(ctx, q)
	if err != nil {
		return page, fmt.Errorf("search for candidates: %w", err)
	}
	for _, m := range out.Items {
		page.Items = append(page.Items, strings.TrimPrefix(fromSDK(m).s(sortKey), prefix))
	}
	if len(out.LastEvaluatedKey) > 0 {
		page.Next = strings.TrimPrefix(fromSDK(out.LastEvaluatedKey).s(sortKey), prefix)
	}
	return page, nil
}
