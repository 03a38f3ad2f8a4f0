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

// Reader reads the records that decisions need. It is safe for concurrent use.
type Reader struct {
	client   *dynamodb.Client
	table    string
	aliases  bool   // see WithAliases
	decisive string // the projection
	quick    *quick // nil: all requests go by the SDK's stack
	batch    *dynamodb.BatchGetItemInput
	transact *dynamodb.TransactGetItemsInput
	scanners sync.Pool // of *scanner
	plans    sync.Pool // of *readPlan
	metrics  *metrics.Recorder
}

// NewReader returns a reader of the table.
func NewReader(client *dynamodb.Client, table string, options ...Option) *Reader {
	o := apply(options)
	r := &Reader{
		client: client, table: table, aliases: o.aliases, decisive: decisiveOf(o.aliases),
		batch: batchInput(table), transact: transactInput(table), metrics: o.metrics,
	}
	if o.quick {
		r.quick = newQuick(client)
	}
	return r
}

const (
	keysPerRequest = 100 // DynamoDB's own limit, of BatchGetItem as of TransactGetItems
	inParallel     = 8   // requests of one batch of questions
	rounds         = 6   // of asking for what DynamoDB has left out: about half a second
)

// Facts returns the facts of each question, in the order of the questions. It reads a question's four records, each record once, with one
// request for each hundred. Facts of the same record share it. A record that does not exist is nil; one that cannot be decoded is an error.
func (r *Reader) Facts(ctx context.Context, qs []access.FactsQuery, c access.Consistency) ([]access.Facts, error) {
	most := len(qs) * 4
	if c == access.Snapshot {
		if r.aliases {
			return nil, errors.New("read facts: a snapshot reads whole records, and this reader looks at no addresses")
		}
		most = keysPerRequest // each question's records have to be in one transaction
	}
	plans := r.planReads(qs, most)
	if err := r.fill(ctx, plans, c); err != nil {
		return nil, fmt.Errorf("read facts: %w", err) // a request that still runs may write to its plan, so that none goes back into the pool
	}
	facts := make([]access.Facts, 0, len(qs))
	for _, s := range plans {
		facts = s.facts(facts)
		s.clear()
		r.plans.Put(s)
	}
	return facts, nil
}

func (r *Reader) fill(ctx context.Context, plans []*readPlan, c access.Consistency) error {
	var parts []*part
	for _, s := range plans {
		for from := 0; from < len(s.records); from += keysPerRequest {
			parts = append(parts, &part{plan: s, from: from, to: min(from+keysPerRequest, len(s.records))})
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
			growStack(len(p.plan.records))
			return r.fillPart(ctx, p, c)
		})
	}
	err := r.fillPart(ctx, parts[0], c) // the largest is this goroutine's, whose stack is large enough already
	return cmp.Or(g.Wait(), err)
}

// growStack grows a new goroutine's stack at once to what a call of the SDK needs. By itself it grows in four steps, and copies more each
// time: a tenth of a batch's CPU time.
//
//go:noinline
func growStack(n int) byte {
	var room [16 << 10]byte
	return room[n%len(room)]
}

// fillPart reads the records of one request, and asks again for those that DynamoDB did not return.
func (r *Reader) fillPart(ctx context.Context, p *part, c access.Consistency) error {
	keys := make([]Key, 0, p.to-p.from)
	for i := range p.plan.records[p.from:p.to] {
		keys = append(keys, p.plan.records[p.from+i].key)
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

// ask sends one request and returns the keys that have to be asked for again.
func (r *Reader) ask(ctx context.Context, keys []Key, c access.Consistency, found func(item)) (unprocessed []Key, err error) {
	if c != access.Snapshot {
		return r.batchGet(ctx, keys, c != access.Eventual, found)
	}
	err = r.transactGet(ctx, keys, found)
	retry, conflict := retryable(err)
	if conflict {
		r.metrics.Contended()
	}
	if retry {
		return keys, nil
	}
	return nil, err
}

// retryable reports whether a transaction was cancelled for reasons that end by themselves, which the SDK does not retry, and whether one
// of them was a write at the same moment.
func retryable(err error) (retry, conflict bool) {
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

// pause waits before the next round: a random time of up to 20 ms, doubled each round up to 640 ms. It fails when ctx ends.
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

// readPlan holds the records that some questions need, each once, and where each question finds its own.
type readPlan struct {
	records []record
	aliases bool            // see WithAliases
	at      map[Key]int     // the index of each key, if mapped
	mapped  bool            // so many that a map is faster than a loop
	indexes []recordIndexes // one for each question
}

// record is one item's key and, when it was found, its value in the field of its kind.
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

// recordIndexes are the indexes of a question's records in its plan; none for a record that it does not need.
type recordIndexes struct{ partner, user, grant, assignment int }

const none = -1

// planReads divides the questions into plans of at most that many records. The records of one question are in one plan.
func (r *Reader) planReads(qs []access.FactsQuery, most int) []*readPlan {
	var out []*readPlan
	var s *readPlan
	for i, q := range qs {
		if s == nil || len(s.records)+4 > most {
			s = r.newPlan(len(qs)-i, most)
			out = append(out, s)
		}
		p := recordIndexes{grant: none, assignment: none}
		if n := len(s.indexes); n > 0 && q.User == qs[i-1].User { // a batch is mostly about one user
			p.partner, p.user = s.indexes[n-1].partner, s.indexes[n-1].user
		} else {
			p.partner = s.add(ofPartner, partnerKey(partnerOf(q.User)))
			p.user = s.add(ofUser, userKey(q.User))
		}
		if q.Customer != "" {
			p.grant = s.add(ofGrant, grantKey(q.Customer, partnerOf(q.User)))
			p.assignment = s.add(ofAssignment, assignmentKey(q.Customer, q.User))
		}
		s.indexes = append(s.indexes, p)
	}
	return out
}

// newPlan returns an empty plan with room for that many questions, at two records each: most batches are about one user.
func (r *Reader) newPlan(questions, most int) *readPlan {
	s, _ := r.plans.Get().(*readPlan)
	if s == nil {
		s = &readPlan{aliases: r.aliases}
	}
	n := min(questions*2+2, most)
	s.records, s.indexes = slices.Grow(s.records, n), slices.Grow(s.indexes, questions)
	if s.mapped = questions > 2; s.mapped && s.at == nil {
		s.at = make(map[Key]int, n)
	}
	return s
}

// clear empties the plan and keeps its memory.
func (s *readPlan) clear() {
	clear(s.records)
	clear(s.at)
	s.records, s.indexes = s.records[:0], s.indexes[:0]
}

func (s *readPlan) find(k Key) int {
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

func (s *readPlan) add(as kind, k Key) int {
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

func (s *readPlan) facts(out []access.Facts) []access.Facts {
	for _, p := range s.indexes {
		f := access.Facts{Partner: s.records[p.partner].partner, User: s.records[p.user].user}
		if p.grant != none {
			f.Grant = s.records[p.grant].grant
			f.Assignment = s.records[p.assignment].assignment
		}
		out = append(out, f)
	}
	return out
}

// part is the range of a plan's records that one request reads. It writes to these only, so that parts can be read concurrently.
type part struct {
	plan     *readPlan
	from, to int
	err      error // of the first item that could not be decoded

	// Allocated several at a time. At most half of a part's records are grants, and half are assignments.
	grants      []access.Grant
	assignments []access.Assignment
}

// next returns a pointer to one more element, for a part of n records.
func next[T any](room *[]T, n int) *T {
	if len(*room) == cap(*room) { // a full slice stays as it is: records point into it
		size := 1 // one question needs no more
		if n > 4 {
			size = n / 2
		}
		*room = make([]T, 0, size)
	}
	*room = append(*room, *new(T))
	return &(*room)[len(*room)-1]
}

// found stores an item in its record. Items come in any order.
func (p *part) found(it item) {
	i := p.plan.find(Key{it.s(pk), it.s(sk)})
	if i < p.from || i >= p.to {
		p.fail(fmt.Errorf("DynamoDB sent item %s, which was not asked for", Key{it.s(pk), it.s(sk)}.loggable()))
		return
	}
	var err error
	if kind := p.plan.records[i].kind; p.plan.aliases {
		it.checkRules(kind == ofUser || kind == ofGrant)
	}
	switch r := &p.plan.records[i]; r.kind {
	case ofPartner:
		r.partner, err = decode(&it, (*item).partner)
	case ofUser:
		r.user, err = decode(&it, (*item).user)
		if p.plan.aliases && err == nil {
			r.user.Email, r.user.FormerEmails = it.s(alias), it.list(aliases)
			if r.user.Email == "" {
				err = fmt.Errorf("item %s has no alias", p.plan.records[i].key.loggable())
			}
		}
	case ofGrant:
		r.grant = next(&p.grants, p.to-p.from)
		it.grantInto(r.grant)
		if p.plan.aliases {
			r.grant.Caps = it.caps(aliasCaps)
		}
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

// UserByEmail returns the id of the partner's user who has the address, or "" when there is none. It is one strongly consistent read.
func (r *Reader) UserByEmail(ctx context.Context, address string) (string, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &r.table, ConsistentRead: aws.Bool(true), Key: newDraft(emailKey(address)),
		ProjectionExpression: aws.String("#user"), ExpressionAttributeNames: map[string]string{"#user": "user"},
	})
	if err != nil {
		return "", fmt.Errorf("read whose an address is: %w", err)
	}
	return fromSDK(out.Item).s("user"), nil
}

// CustomersOf lists the ids of the customers that have or had a grant for the partner, in ascending order. It reads an index, which may lag
// a moment: decide on the Facts of what it lists.
func (r *Reader) CustomersOf(ctx context.Context, partner string, ask access.PageRequest) (access.Page[string], error) {
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

// PartnersOf lists the ids of the partners that have or had a grant of the customer, in ascending order. It is strongly consistent.
func (r *Reader) PartnersOf(ctx context.Context, customer string, ask access.PageRequest) (access.Page[string], error) {
	q := r.candidates(customerPK(customer), grantPrefix, ask)
	if ask.After != "" {
		q.ExclusiveStartKey = newDraft(grantKey(customer, ask.After))
	}
	return r.list(ctx, q, sk, grantPrefix)
}

// UsersOf lists the ids of the partner's users, in the order in which they joined. It is strongly consistent.
func (r *Reader) UsersOf(ctx context.Context, partner string, ask access.PageRequest) (access.Page[string], error) {
	q := r.candidates(partnerPK(partner), userPrefix, ask)
	if ask.After != "" {
		q.ExclusiveStartKey = newDraft(userKey(ask.After))
	}
	return r.list(ctx, q, sk, userPrefix)
}

func (r *Reader) candidates(partition, prefix string, ask access.PageRequest) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &r.table, Limit: aws.Int32(int32(ask.Limit)), ConsistentRead: aws.Bool(true), //nolint:gosec // 1 to 100
		KeyConditionExpression:    aws.String("#pk = :pk AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#pk": pk, "#sk": sk},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": str(partition), ":prefix": str(prefix)},
	}
}

// list runs the query and returns the ids that are in the sort keys.
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
