package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/metrics"
)

// Store is the table. Its zero value is not usable; see New.
type Store struct {
	db      *dynamodb.Client
	table   string
	metrics *metrics.Recorder
	counted int   // up to how many people a list is read whole and counted
	past    *past // the instant whose records get, one and whole return; nil = now
}

// New returns the store in the table of that name.
func New(db *dynamodb.Client, table string, options ...Option) *Store {
	return &Store{db: db, table: table, metrics: apply(options).metrics, counted: countedPeople}
}

// Option changes what New and NewReader return.
type Option func(*settings)

type settings struct {
	metrics *metrics.Recorder
	aliases bool
	quick   bool
}

func apply(options []Option) (s settings) {
	for _, set := range options {
		set(&s)
	}
	return s
}

// WithMetrics has a store record ends of grants, what became of mails, and writes that met another; and a reader record snapshots that met
// a change and were read again. Without it nothing is recorded.
func WithMetrics(m *metrics.Recorder) Option { return func(s *settings) { s.metrics = m } }

// errStale says that a record is no longer in the version that was loaded, or that another transaction is writing it. Load and plan again.
var errStale = errors.New("changed meanwhile")

// errBusy says that the transaction was cancelled because the table had no capacity. A retry may succeed.
var errBusy = fmt.Errorf("%w: it has no capacity left", access.ErrUnavailable)

// failed wraps an error of an SDK call with what the call was for. It adds access.ErrUnavailable when DynamoDB did not answer, answered too
// late or had no capacity; other errors are bugs of ours.
func failed(doing string, err error) error {
	var reply *smithyhttp.ResponseError
	var garbled *smithy.DeserializationError
	switch {
	case retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary, // the SDK has tried again, in vain
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.As(err, &reply) && reply.HTTPStatusCode() >= http.StatusInternalServerError,
		errors.As(err, &garbled): // what was done is unknown
		return fmt.Errorf("%s: %w: %w", doing, access.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// attempts is how often a change is planned before Apply fails with access.Contention, and how often keys are requested that DynamoDB did
// not return.
const attempts = 12

// Plan loads what it needs, strongly consistent, and returns a change. It may be called several times.
type Plan = func(ctx context.Context) (access.Change, *access.StoredResponse, error)

// Apply plans a change and commits it. When a record that the plan read has changed, when a hold is on a record, or when the table had no
// capacity, it waits a growing, random time and plans again, at most attempts times; then it fails with access.Contention or
// access.ErrUnavailable. A change that ends access belongs to Take. Apply returns the errors of plan; access.ErrKeyUsed when the
// idempotency key was used before; access.ErrUnavailable when it is unknown whether the change was made. Other errors are bugs.
func (s *Store) Apply(ctx context.Context, plan Plan) error {
	for n := 0; ; n++ {
		c, answer, err := plan(ctx)
		if err != nil {
			return err
		}
		_, err = s.commit(ctx, c, answer, false)
		var by *overtaken
		if errors.As(err, &by) {
			s.metrics.Contended()
			if c.Narrows {
				return s.take(ctx, plan, by.keys)
			}
		}
		end, ok := enough(ctx)
		late := ok && !time.Now().Before(end)
		retry := errors.Is(err, errStale) || errors.Is(err, errBusy)
		switch {
		case !retry:
			return err
		case n+1 < attempts && !late:
		case errors.Is(err, errStale):
			return contention()
		default:
			return err
		}
		pause := time.Millisecond << min(n, 6)
		if by != nil && by.held {
			pause = max(pause, 32*time.Millisecond) // every attempt until it is released would be in the way
		}
		if err := wait(ctx, pause+rand.N(pause*4)); err != nil {
			return err
		}
	}
}

func contention() error {
	return access.Refuse(access.Contention, "others keep changing the same thing at the same time: nothing was changed, try again")
}

// wait sleeps. It fails with access.ErrUnavailable when the context ends first.
func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return failed("wait to try again", ctx.Err())
	case <-time.After(pause):
		return nil
	}
}

// commit writes a change, and the answer to the request's idempotency key if there is one, in one transaction. With taking it does not wait
// for holds. It returns the keys that were written.
func (s *Store) commit(ctx context.Context, c access.Change, answer *access.StoredResponse, taking bool) ([]Key, error) {
	var tx transaction
	for _, w := range stamped(c) {
		if err := s.stage(&tx, w); err != nil {
			return nil, err
		}
	}
	tx.invited(s.table, c.Writes)
	tx.withoutNeedlessChecks()
	if !taking {
		tx.waitForHolds(time.Now())
	}
	for _, e := range c.Events {
		d, err := eventItem(e)
		if err != nil {
			return nil, err
		}
		tx.create(s.table, d)
	}
	answerAt := -1
	if answer != nil {
		answerAt = len(tx)
		tx.create(s.table, answerItem(answer))
	}
	if len(tx) == 0 {
		return nil, nil
	}
	_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: tx})
	if err != nil {
		return nil, tx.failure(err, answerAt)
	}
	for _, reason := range c.Ends() {
		s.metrics.GrantEnded(string(reason))
	}
	return tx.replaced(), nil
}

// failure returns why a transaction was not committed. answerAt is the index of the answer to an idempotency key in it; -1 when there is
// none.
func (tx transaction) failure(err error, answerAt int) error {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		var conflict *types.TransactionConflictException
		if errors.As(err, &conflict) {
			return &overtaken{conflict: true}
		}
		return failed("commit", err)
	}
	if answerAt >= 0 && answerAt < len(canceled.CancellationReasons) &&
		aws.ToString(canceled.CancellationReasons[answerAt].Code) == "ConditionalCheckFailed" {
		return access.ErrKeyUsed
	}
	var by *overtaken
	busy, now := false, time.Now()
	for i, r := range canceled.CancellationReasons {
		code := aws.ToString(r.Code)
		switch code {
		case "ConditionalCheckFailed", "TransactionConflict":
			if by == nil {
				by = &overtaken{conflict: true}
			}
			by.conflict = by.conflict && code == "TransactionConflict"
			by.held = by.held || heldIn(r.Item, now)
			if i < len(tx) {
				if k, ok := loaded(tx[i]); ok {
					by.keys = append(by.keys, k)
				}
			}
		case "ThrottlingError", "ProvisionedThroughputExceeded":
			busy = true
		}
	}
	switch {
	case by != nil:
		return by
	case busy:
		return errBusy
	}
	return failed("commit", err)
}

// stage translates one write. Each has a condition: the version that was loaded, or that there is no such item.
func (s *Store) stage(tx *transaction, w access.Write) error {
	t := s.table
	switch w := w.(type) {
	case access.PartnerWrite:
		tx.put(t, partnerItem(w.After), w.Before.Stored())
		tx.words(t, w.Before, w.After)
		tx.subPartner(t, w.Before, w.After)
	case access.HeadcountWrite:
		tx.put(t, headcountItem(w.After), w.Before.Stored())
	case access.UserWrite:
		tx.user(t, w)
	case access.EmailWrite:
		replaceRecord(tx, t, w, func(e *access.Email) Key { return emailKey(e.Address) }, emailItem)
	case access.DomainWrite:
		replaceRecord(tx, t, w, func(d *access.Domain) Key { return domainKey(d.Name) }, domainItem)
	case access.CustomerWrite:
		tx.put(t, customerItem(w.After), w.Before.Stored())
	case access.MemberWrite:
		replaceRecord(tx, t, w, func(m *access.Member) Key { return memberKey(m.Customer, m.Email) }, memberItem)
	case access.GrantWrite:
		tx.put(t, grantItem(w.After), w.Before.Stored())
	case stampedAssignment:
		tx.assignment(t, w)
	case access.TaskWrite:
		replaceRecord(tx, t, w, func(k *access.Task) Key { return taskKey(k.ID) }, taskItem)
	case access.JobWrite:
		tx.put(t, jobItem(w.After), w.Before.Stored())
	case access.JobRowWrite:
		tx.put(t, jobRowItem(w.After), w.Before.Stored())
	case access.ListingWrite:
		tx.listing(t, w)
	case access.OpenJobsWrite:
		tx.put(t, openJobsItem(w.After), w.Before.Stored())
	case access.WebhooksWrite:
		tx.put(t, webhooksItem(w.After), w.Before.Stored())
	case access.WebhookDeliveryWrite:
		tx.put(t, deliveryItem(w.After), w.Before.Stored())
		tx.wake(t, w.After.Wake())
	case access.WebhookWake:
		tx.wake(t, w)
	case access.WebhookNotice:
		return tx.notice(t, w)
	case access.InvitationWrite:
		tx.invitation(t, w)
	case access.InvitationListing: // see invited
	case access.RequestWrite:
		tx.request(t, w)
	case access.RequestSlotWrite:
		tx.put(t, slotItem(w.After), w.Before.Stored())
	case access.CodeAttemptsWrite:
		tx.put(t, attemptsItem(w.After), w.Before.Stored())
	case access.UserCheck:
		tx.check(t, userKey(w.User.ID), w.User.Version)
	case access.MemberCheck:
		tx.check(t, memberKey(w.Member.Customer, w.Member.Email), w.Member.Version)
	case access.CustomerCheck:
		tx.check(t, customerKey(w.Customer.ID), w.Customer.Version)
	case access.HeadcountCheck:
		tx.check(t, headcountKey(w.Headcount.Partner), w.Headcount.Version)
	default:
		return fmt.Errorf("commit: unknown write %T", w)
	}
	return nil
}

// transaction collects the items of one TransactWriteItems.
type transaction []types.TransactWriteItem

const (
	absent    = "attribute_not_exists(pk)"
	present   = "attribute_exists(pk)"
	sameState = "#version = :version"
)

func versionNames() map[string]string { return map[string]string{"#version": "version"} }

func versionValue(v int64) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{":version": num(v)}
}

// put writes an item on the condition that it has the version that was loaded; with 0, that it does not exist.
func (tx *transaction) put(table string, d draft, was int64) {
	if was == 0 {
		tx.create(table, d)
		return
	}
	*tx = append(*tx, types.TransactWriteItem{Put: &types.Put{
		TableName: &table, Item: d, ConditionExpression: aws.String(sameState),
		ExpressionAttributeNames: versionNames(), ExpressionAttributeValues: versionValue(was),
	}})
}

// replaceRecord stages a record that may be deleted.
func replaceRecord[T any](tx *transaction, table string, w access.Replace[T], key func(*T) Key, itemOf func(*T) draft) {
	if w.After == nil {
		tx.remove(table, key(w.Before), w.Found())
		return
	}
	tx.put(table, itemOf(w.After), w.Found())
}

// user stages a user. A user who leaves moves to the former users.
func (tx *transaction) user(table string, w access.UserWrite) {
	if w.Before != nil && w.Before.Status == access.Removed {
		tx.formerUser(table, w)
		return
	}
	if w.Before != nil && w.After.Status == access.Removed {
		tx.remove(table, userKey(w.Before.ID), w.Before.Version)
		tx.create(table, userItem(w.After))
		return
	}
	tx.put(table, userItem(w.After), w.Before.Stored())
}

func (tx *transaction) create(table string, d draft) {
	*tx = append(*tx, types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: d, ConditionExpression: aws.String(absent)}})
}

func (tx *transaction) remove(table string, k Key, was int64) {
	*tx = append(*tx, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &table, Key: k.attributes(), ConditionExpression: aws.String(sameState),
		ExpressionAttributeNames: versionNames(), ExpressionAttributeValues: versionValue(was),
	}})
}

func (tx *transaction) check(table string, k Key, version int64) {
	*tx = append(*tx, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &table, Key: k.attributes(), ConditionExpression: aws.String(sameState),
		ExpressionAttributeNames: versionNames(), ExpressionAttributeValues: versionValue(version),
	}})
}

// withoutNeedlessChecks drops the checks of records that the same transaction writes: it may name each only once, and writes on the same
// condition.
func (tx *transaction) withoutNeedlessChecks() {
	if !slices.ContainsFunc(*tx, func(w types.TransactWriteItem) bool { return w.ConditionCheck != nil }) {
		return
	}
	written := map[Key]bool{}
	name := func(of map[string]types.AttributeValue) Key { it := fromSDK(of); return Key{it.s(pk), it.s(sk)} }
	for _, w := range *tx {
		switch {
		case w.Put != nil:
			written[name(w.Put.Item)] = true
		case w.Delete != nil:
			written[name(w.Delete.Key)] = true
		case w.Update != nil:
			written[name(w.Update.Key)] = true
		}
	}
	*tx = slices.DeleteFunc(*tx, func(w types.TransactWriteItem) bool {
		return w.ConditionCheck != nil && written[name(w.ConditionCheck.Key)]
	})
}

// words writes the rows by which a partner is found by the words of its name. A name from before the limit of words is found by its first
// ones.
func (tx *transaction) words(table string, before, after *access.Partner) {
	had, has := map[string]bool{}, map[string]bool{}
	gather := func(into map[string]bool, p *access.Partner) {
		if p == nil || p.Status == access.Removed {
			return
		}
		for i, w := range distinctWords(p.Name) {
			if i < access.MaxNameWords {
				into[w] = true
			}
		}
	}
	gather(had, before)
	gather(has, after)
	for w := range has {
		if !had[w] {
			d := newDraft(wordKey(w, after.ID))
			d.s("id", after.ID)
			tx.create(table, d)
		}
	}
	for w := range had {
		if !has[w] {
			*tx = append(*tx, types.TransactWriteItem{Delete: &types.Delete{
				TableName: &table, Key: wordKey(w, before.ID).attributes(), ConditionExpression: aws.String(present),
			}})
		}
	}
}

// subPartner writes the row by which a partner is found below its parent (W3).
func (tx *transaction) subPartner(table string, before, after *access.Partner) {
	parent := func(p *access.Partner) string {
		if p == nil || p.Status == access.Removed {
			return ""
		}
		return p.Parent
	}
	was, is := parent(before), parent(after)
	if was == is {
		return
	}
	if is != "" {
		d := newDraft(subPartnerKey(is, after.ID))
		d.s("id", after.ID)
		tx.create(table, d)
	}
	if was != "" {
		*tx = append(*tx, types.TransactWriteItem{Delete: &types.Delete{
			TableName: &table, Key: subPartnerKey(was, before.ID).attributes(), ConditionExpression: aws.String(present),
		}})
	}
}

func (k Key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{pk: str(k.PK), sk: str(k.SK)}
}

// get reads items by their keys, strongly consistent, with one request for each 100, concurrently. Missing items are left out.
func (s *Store) get(ctx context.Context, keys []Key) (map[Key]*item, error) {
	distinct := make([]Key, 0, len(keys))
	seen := make(map[Key]bool, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			distinct = append(distinct, k)
		}
	}
	parts := make([][]*item, (len(distinct)+99)/100)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range parts {
		g.Go(func() error {
			var err error
			parts[i], err = s.getPart(gctx, distinct[i*100:min(len(distinct), (i+1)*100)])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(map[Key]*item, len(distinct))
	for _, p := range parts {
		for _, it := range p {
			out[Key{it.s(pk), it.s(sk)}] = it
		}
	}
	if s.past != nil {
		return s.rewind(ctx, distinct, out)
	}
	return out, nil
}

func (s *Store) getPart(ctx context.Context, keys []Key) ([]*item, error) {
	ask := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		ask[i] = k.attributes()
	}
	pending := map[string]types.KeysAndAttributes{s.table: {Keys: ask, ConsistentRead: aws.Bool(true)}}
	var out []*item
	for n := 0; len(pending) > 0; n++ {
		if n == attempts {
			return nil, fmt.Errorf("read %d records: %w: it left some out %d times", len(keys), access.ErrUnavailable, n)
		}
		if n > 0 {
			if err := wait(ctx, rand.N(5*time.Millisecond<<min(n, 6))); err != nil {
				return nil, err
			}
		}
		answer, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending})
		if err != nil {
			return nil, failed(fmt.Sprintf("read %d records", len(keys)), err)
		}
		for _, m := range answer.Responses[s.table] {
			out = append(out, fromSDK(m))
		}
		pending = answer.UnprocessedKeys
	}
	return out, nil
}

// lookup decodes one of the items that get has read; nil when it does not exist.
func lookup[T any](items map[Key]*item, k Key, as func(*item) *T) (*T, error) {
	it := items[k]
	if it == nil {
		return nil, nil
	}
	return decode(it, as)
}

// one reads and decodes one record; nil when it does not exist.
func one[T any](ctx context.Context, s *Store, k Key, as func(*item) *T) (*T, error) {
	if s.past != nil {
		items, err := s.get(ctx, []Key{k})
		if err != nil {
			return nil, err
		}
		return lookup(items, k, as)
	}
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: k.attributes(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, failed("read a record", err)
	}
	if out.Item == nil {
		return nil, nil
	}
	return decode(fromSDK(out.Item), as)
}

// span is a range of sort keys in one partition of the table or an index, from first to last, both included.
type span struct {
	index       string // "" = the table itself
	pk          string
	first, last string
	backwards   bool
}

// prefixed returns the span of the sort keys that begin with the prefix and come after the position. The position is what follows the
// prefix in the last key that was read; "" begins at the first.
func prefixed(pk, prefix, after string) span {
	sp := span{pk: pk, first: prefix, last: prefix + "\U0010FFFF"}
	if after != "" {
		sp.first = prefix + after + "\x01" // the next key that there can be
	}
	return sp
}

func (sp span) inIndex() span {
	sp.index = gsi1
	return sp
}

// query reads at most limit items of a span in one request, and reports whether there may be more. The table is read strongly consistent,
// an index eventually. A span whose first key comes after its last, which only a forged cursor makes, fails with access.Invalid at ?cursor.
func (s *Store) query(ctx context.Context, sp span, limit int) ([]*item, bool, error) {
	if sp.first > sp.last {
		return nil, false, access.Refuse(access.Invalid, "this cursor is none that a list has given: start again without it").At("?cursor")
	}
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": str(sp.pk), ":first": str(sp.first), ":last": str(sp.last)},
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(int32(limit)), //nolint:gosec // at most some hundred
		ScanIndexForward:          aws.Bool(!sp.backwards),
	}
	if sp.index != "" {
		in.IndexName = &sp.index
		in.ConsistentRead = nil
		in.KeyConditionExpression = aws.String(fmt.Sprintf("%spk = :pk AND %[1]ssk BETWEEN :first AND :last", sp.index))
	}
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, false, failed("query", err)
	}
	items := make([]*item, len(out.Items))
	for i, m := range out.Items {
		items[i] = fromSDK(m)
	}
	return items, out.LastEvaluatedKey != nil, nil
}

func answerItem(a *access.StoredResponse) draft {
	d := newDraft(idempotencyKey(a.Digest))
	d.s("digest", a.Digest)
	d.s("fingerprint", a.Fingerprint)
	d.n("status", int64(a.Status))
	d.s("etag", a.ETag)
	d.s("location", a.Location)
	d.s("body", string(a.Body))
	d.n(ttl, a.Expires.Unix())
	return d
}

func (it *item) answer() *access.StoredResponse {
	return &access.StoredResponse{
		Digest: it.s("digest"), Fingerprint: it.s("fingerprint"), Status: int(it.n("status")), ETag: it.s("etag"), Location: it.s("location"),
		Body: []byte(it.s("body")), Expires: time.Unix(it.n(ttl), 0).UTC(),
	}
}

// StoredResponse returns the first response to a request with an idempotency key; nil when there is none.
func (s *Store) StoredResponse(ctx context.Context, digest string) (*access.StoredResponse, error) {
	return one(ctx, s, idempotencyKey(digest), (*item).answer)
}

// CreateTable creates the table as the CDK app does, for local engines and tests, and waits until it is active.
func CreateTable(ctx context.Context, db *dynamodb.Client, name string, stream bool) error {
	in := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(pk, sk),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{
				IndexName: aws.String(gsi1), KeySchema: keySchema(gsi1pk, gsi1sk),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			},
			{
				IndexName: aws.String(gsi2), KeySchema: keySchema(gsi2pk, gsi2sk),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			},
		},
	}
	for _, a := range []string{pk, sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk} {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(a), AttributeType: types.ScalarAttributeTypeS})
	}
	if stream {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	}
	if _, err := db.CreateTable(ctx, in); err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	w := dynamodb.NewTableExistsWaiter(db,
		func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second })
	if err := w.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		return fmt.Errorf("wait for table %s: %w", name, err)
	}
	return nil
}

func keySchema(hash, rang string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &rang, KeyType: types.KeyTypeRange},
	}
}
