package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/metrics"
)

// Reader reads what decisions need. It may be used by many at once.
type Reader struct {
	client   *dynamodb.Client
	table    string
	batch    *dynamodb.BatchGetItemInput
	transact *dynamodb.TransactGetItemsInput
	scanners sync.Pool // of *scanner
	sheets   sync.Pool // of *sheet
	metrics  *metrics.Recorder
}

// NewReader returns a reader of the table.
func NewReader(client *dynamodb.Client, table string, options ...Option) *Reader {
	return &Reader{
		client: client, table: table, batch: batchInput(table), transact: transactInput(table), metrics: apply(options).metrics,
	}
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
	sheets := r.sheetsOf(qs, most)
	if err := r.fill(ctx, sheets, c); err != nil {
		return nil, fmt.Errorf("read facts: %w", err) // whatever still reads keeps its sheet
	}
	facts := make([]access.Facts, 0, len(qs))
	for _, s := range sheets {
		facts = s.facts(facts)
		s.clear()
		r.sheets.Put(s)
	}
	return facts, nil
}

func (r *Reader) fill(ctx context.Context, sheets []*sheet, c access.Consistency) error {
	var parts []*part
	for _, s := range sheets {
		for from := 0; from < len(s.records); from += keysPerRequest {
			parts = append(parts, &part{sheet: s, from: from, to: min(from+keysPerRequest, len(s.records))})
		}
	}
	if len(parts) == 0 {
		return nil
	}
	if len(parts) == 1 { // nearly always
		return r.fillPart(ctx, parts[0], c)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inParallel)
	for _, p := range parts[1:] {
		g.Go(func() error {
			growStack(len(p.sheet.records))
			return r.fillPart(ctx, p, c)
		})
	}
	err := r.fillPart(ctx, parts[0], c) // the largest is this goroutine's, whose stack is large enough already
	return cmp.Or(g.Wait(), err)
}

// growStack gives a new goroutine the stack that a call of the SDK needs. It would grow by itself, but four times over, and each time with
// more calls on it to be moved: a tenth of a batch's CPU time.
//
//go:noinline
func growStack(n int) byte {
	var room [16 << 10]byte
	return room[n%len(room)]
}

// fillPart reads records that fit into one request.
func (r *Reader) fillPart(ctx context.Context, p *part, c access.Consistency) error {
	keys := make([]Key, 0, p.to-p.from)
	for i := range p.sheet.records[p.from:p.to] {
		keys = append(keys, p.sheet.records[p.from+i].key)
	}
	for round := 0; ; round++ {
		left, err := r.ask(ctx, keys, c, p.found)
		switch {
		case err != nil:
			return err
		case p.err != nil:
			return p.err
		case len(left) == 0:
			return nil
		case round == rounds:
			return fmt.Errorf("DynamoDB left %d of %d records unread %d times", len(left), p.to-p.from, rounds+1)
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
	passes, conflict := passing(err)
	if conflict {
		r.metrics.Contended()
	}
	if passes {
		return keys, nil
	}
	return nil, err
}

// passing tells whether a transaction was cancelled for a reason that goes away by itself, and whether that was a change under way. The SDK
// does not try those again.
func passing(err error) (passes, conflict bool) {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false, false
	}
	for _, why := range cancelled.CancellationReasons {
		switch aws.ToString(why.Code) {
		case "TransactionConflict":
			conflict = true
		case "None", "ThrottlingError", "ProvisionedThroughputExceeded":
		default:
			return false, conflict
		}
	}
	return true, conflict
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
	at      map[Key]int // where each is, if mapped
	mapped  bool        // they are many
	places  []place     // one for each question
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
func (r *Reader) sheetsOf(qs []access.Question, most int) []*sheet {
	var out []*sheet
	var s *sheet
	for i, q := range qs {
		if s == nil || len(s.records)+4 > most {
			s = r.newSheet(len(qs)-i, most)
			out = append(out, s)
		}
		p := place{grant: none, assignment: none}
		if n := len(s.places); n > 0 && q.User == qs[i-1].User { // a batch is mostly about one user
			p.partner, p.user = s.places[n-1].partner, s.places[n-1].user
		} else {
			p.partner = s.add(ofPartner, partnerKey(partnerOf(q.User)))
			p.user = s.add(ofUser, userKey(q.User))
		}
		if q.Customer != "" {
			p.grant = s.add(ofGrant, grantKey(q.Customer, partnerOf(q.User)))
			p.assignment = s.add(ofAssignment, assignmentKey(q.Customer, q.User))
		}
		s.places = append(s.places, p)
	}
	return out
}

// newSheet makes room for so many questions: each needs two records of its own, at least when a batch is about one user.
func (r *Reader) newSheet(questions, most int) *sheet {
	s, _ := r.sheets.Get().(*sheet)
	if s == nil {
		s = &sheet{}
	}
	n := min(questions*2+2, most)
	s.records, s.places = slices.Grow(s.records, n), slices.Grow(s.places, questions)
	if s.mapped = questions > 2; s.mapped && s.at == nil {
		s.at = make(map[Key]int, n)
	}
	return s
}

// clear makes it as good as new, and keeps its room.
func (s *sheet) clear() {
	clear(s.records)
	clear(s.at)
	s.records, s.places = s.records[:0], s.places[:0]
}

func (s *sheet) find(k Key) int {
	if s.mapped {
		if i, ok := s.at[k]; ok {
			return i
		}
		return none
	}
	for i := range s.records {
		if s.records[i].key == k {
			return i
		}
	}
	return none
}

func (s *sheet) add(as kind, k Key) int {
	i := s.find(k)
	if i == none {
		i = len(s.records)
		s.records = append(s.records, record{key: k, kind: as})
		if s.mapped {
			s.at[k] = i
		}
	}
	return i
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

// part is what one request reads of a sheet. It writes to its own records only, so that parts can be read side by side.
type part struct {
	sheet    *sheet
	from, to int
	err      error // the first item that could not be understood

	// Room for what is found, several at a time. At most half of a part's records are grants, and half are assignments.
	grants      []access.Grant
	assignments []access.Assignment
}

// next is a place for one more of a part of n records.
func next[T any](room *[]T, n int) *T {
	if len(*room) == cap(*room) { // what is full stays with those who point into it
		size := 1 // one question needs no more
		if n > 4 {
			size = n / 2
		}
		*room = make([]T, 0, size)
	}
	*room = append(*room, *new(T))
	return &(*room)[len(*room)-1]
}

// found puts an item, which come in any order, to its record.
func (p *part) found(it item) {
	i := p.sheet.find(Key{it.s(pk), it.s(sk)})
	if i < p.from || i >= p.to {
		p.fail(fmt.Errorf("DynamoDB sent item %s, which was not asked for", Key{it.s(pk), it.s(sk)}.loggable()))
		return
	}
	var err error
	switch r := &p.sheet.records[i]; r.kind {
	case ofPartner:
		r.partner, err = decode(&it, (*item).partner)
	case ofUser:
		r.user, err = decode(&it, (*item).user)
	case ofGrant:
		r.grant = next(&p.grants, p.to-p.from)
		it.grantInto(r.grant)
		err = it.err
	case ofAssignment:
		r.assignment = next(&p.assignments, p.to-p.from)
		it.assignmentInto(r.assignment)
		err = it.err
	}
	p.fail(err)
}

func (p *part) fail(err error) {
	if p.err == nil {
		p.err = err
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
