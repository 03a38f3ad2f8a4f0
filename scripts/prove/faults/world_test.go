package faults_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/rights"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/manifest"
	"partneraccess/shared/messages"
	"partneraccess/shared/ses"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
	"partneraccess/shared/stream/batch"
	"partneraccess/shared/sweep"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

var start = time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC)

// customers are those of every world; its partner is contoso.
var customers = []string{"acme", "globex"}

// issuer signs all worlds' tokens: to make its key takes a while.
var issuer = sync.OnceValues(func() (*stack.Issuer, error) { return stack.NewIssuer("http://issuer.example", "") })

// called is what the functions of all worlds call.
var called = &rights.Record{}

// tokens that were signed, by what was asked for.
var tokens sync.Map

// world is the service with clients of its own, past whose line everything is real but SES and Cognito, and with nothing that runs by
// itself: the stream, the schedule and SES's word come when they are called for.
type world struct {
	t        *testing.T
	table    string
	line     *line
	raw      *dynamodb.Client // past the line
	store    *dynamo.Store    // likewise
	box      *mailbox
	pool     *pool
	hooks    *receiver
	handlers map[string]lambda.Handler
	gateway  http.Handler
	vars     map[string]string

	known   []map[string]string // the table's rows, as they were after so many writes
	knownAt int

	mu        sync.Mutex
	now       time.Time
	delivered map[string]bool // events
	told      int             // mails whose fate SES has told
	silent    bool            // SES tells nothing
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// hasty keeps a client's rules of what is tried again, without the pauses.
type hasty struct{ aws.RetryerV2 }

func (hasty) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// GetRetryToken knows no quota: a client here sees more faults in a minute than one in AWS in its life.
func (hasty) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e := engine.Shared(t)
	w := &world{
		t: t, table: "faults-" + rand.Text(), line: &line{seen: map[string]int{}}, raw: e.Client(),
		box: &mailbox{}, pool: &pool{accounts: map[string]account{}},
		hooks: &receiver{got: map[string]int{}}, now: start, delivered: map[string]bool{}, vars: map[string]string{},
	}
	w.line.clock = w.clock
	w.must(dynamo.CreateTable(t.Context(), w.raw, w.table, false))
	w.store = dynamo.New(w.raw, w.table)
	w.wire(e)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// connections to the engine are shared by all worlds.
var connections = &http.Transport{MaxIdleConnsPerHost: 64}

// wire makes the functions as their mains do, on the line.
func (w *world) wire(e *engine.Engine) {
	env := func(name string) string {
		return map[string]string{
			"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_DYNAMODB": e.Endpoint(),
			"AWS_ENDPOINT_URL_SESV2": "http://ses.example", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://cognito.example",
		}[name]
	}
	db, err := dynamo.NewClient(env, func(o *dynamodb.Options) {
		o.HTTPClient, o.Retryer = dynamo.Direct{RoundTripper: service{w.line, "dynamodb", connections}}, hasty{o.Retryer.(aws.RetryerV2)}
		o.APIOptions = append(o.APIOptions, called.Watch)
	})
	w.must(err)
	sender, err := ses.NewClient(env, func(o *sesv2.Options) {
		o.HTTPClient, o.Retryer = &http.Client{Transport: service{w.line, "ses", w.box}}, hasty{o.Retryer.(aws.RetryerV2)}
		o.APIOptions = append(o.APIOptions, called.Watch)
	})
	w.must(err)
	accounts, err := cognito.NewClient(env, func(o *cognitoidentityprovider.Options) {
		o.HTTPClient, o.Retryer = &http.Client{Transport: service{w.line, "cognito", w.pool}}, hasty{o.Retryer.(aws.RetryerV2)}
		o.APIOptions = append(o.APIOptions, called.Watch)
	})
	w.must(err)

	log := slog.New(slog.DiscardHandler)
	store, ids := dynamo.New(db, w.table), setup.IDs(w.clock)
	keeper := cognito.New(accounts, "pool", "client")
	keeper.Pause = 0 // nothing happens beside what a test calls
	people := httpapi.Config{SignInURL: "https://{domain}/", Languages: messages.Languages()}
	people.Store, people.Accounts, people.Now, people.NewID, people.Log = store, keeper, w.clock, ids, log
	c := mails.Config{
		Store: store, Sender: ses.NewSender(sender, "set"), Accounts: keeper, Now: w.clock, Log: log,
		Settings: mail.Settings{
			Product: "Example Cloud", From: "no-reply@cloud.example", Support: "support@cloud.example",
			CustomerURL: "https://cloud.example/{customer}",
			PartnerURL:  "https://cloud.example/{partner}", InvitationURL: "https://cloud.example/invitations/{token}",
			Unsubscribe: "mailto:no@cloud.example",
		},
	}
	notify, err := mails.NewHandler(c)
	w.must(err)
	again, err := mails.NewMailHandler(c, people)
	w.must(err)
	expire := &sweep.Sweep{Store: store, Accounts: keeper, Now: w.clock, NewID: ids, Log: log}
	w.handlers = map[string]lambda.Handler{
		"grant": httpapi.NewGrant(people), "edit": httpapi.NewEdit(people), "revoke": httpapi.NewRevoke(people), "list": httpapi.NewList(people),
		"directory": httpapi.NewDirectory(people), "invite": httpapi.NewInvite(people), "notify": notify, "mail": again,
		"feedback": ses.FeedbackHandler(store, log), "expire": expire.Handler(),
	}
	w.wireBehind(people, store)
	w.wireWebhooks(people, store)
	i, err := issuer()
	w.must(err)
	w.gateway, err = stack.NewGateway(manifest.Functions(), w.handlers, stack.NewAuthorizer(i.Keys(), i.URL(), stack.Audience, time.Now), nil,
		w.clock, log)
	w.must(err)
}

// outcome is how one invocation ended, as its caller sees it.
type outcome struct {
	status int // 0: nothing came
	code   string
	body   string
}

func (o outcome) String() string { return strings.TrimSpace(fmt.Sprint(o.status, " ", o.code)) }

// done: the caller is told that it is done. open: it is not known, or not now. All else is a refusal.
func (o outcome) done() bool { return o.status >= 200 && o.status < 300 }

func (o outcome) open() bool {
	return o.status == 0 || o.status >= 500 || o.status == http.StatusTooManyRequests || o.code == "contention"
}

// as is who calls: an address, or a scope.
func (w *world) request(method, path, as, body string, header ...string) outcome {
	w.t.Helper()
	token, ok := tokens.Load(as)
	if !ok {
		i, err := issuer()
		w.must(err)
		r := stack.TokenRequest{Email: as}
		if !strings.Contains(as, "@") {
			r = stack.TokenRequest{Scope: as}
		}
		token, err = i.Token(r)
		w.must(err)
		tokens.Store(as, token)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token.(string))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, r)
	o := outcome{status: rec.Code, body: rec.Body.String()}
	var p struct{ Code string }
	if json.Unmarshal(rec.Body.Bytes(), &p) == nil {
		o.code = p.Code
	}
	return o
}

// want is a request that prepares something.
func (w *world) want(o outcome) outcome {
	w.t.Helper()
	if !o.done() {
		w.t.Fatalf("prepare: got %s %s, want it done", o, o.body)
	}
	return o
}

// rows is the whole table, each row's attributes as text. It goes past the line, and past the store's own reading.
func (w *world) rows() []map[string]string {
	w.t.Helper()
	if n := w.line.written(); w.known == nil || w.knownAt != n {
		w.known, w.knownAt = w.read(), n
	}
	return w.known
}

func (w *world) read() []map[string]string {
	w.t.Helper()
	out, err := w.raw.Scan(w.t.Context(), &dynamodb.ScanInput{TableName: &w.table, ConsistentRead: aws.Bool(true)})
	w.must(err)
	if out.LastEvaluatedKey != nil {
		w.t.Fatal("the table is larger than a page")
	}
	rows := make([]map[string]string, len(out.Items))
	for i, item := range out.Items {
		rows[i] = map[string]string{}
		for name, v := range item {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				rows[i][name] = v.Value
			case *types.AttributeValueMemberN:
				rows[i][name] = v.Value
			default:
				data, err := json.Marshal(v)
				w.must(err)
				rows[i][name] = string(data)
			}
		}
	}
	return rows
}

// events are all, oldest first.
func (w *world) events() []events.Event {
	w.t.Helper()
	var out []events.Event
	for _, row := range w.rows() {
		if strings.HasPrefix(row["sk"], "T#") {
			var e events.Event
			w.must(json.Unmarshal([]byte(row["event"]), &e))
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b events.Event) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// due tells which functions of the schedule have something to do, and whether something waits for later, and not for days.
func (w *world) due() (mails, work, jobs, later bool) {
	const stamp = "2006-01-02T15:04:05.000Z"
	now, soon := w.clock().Format(stamp), w.clock().Add(time.Hour).Format(stamp)
	for _, row := range w.rows() {
		at, isMail, isJob := row["gsi2sk"], strings.HasPrefix(row["sk"], "L#"), strings.HasPrefix(row["pk"], "J#")
		isQueue := strings.HasPrefix(row["pk"], "H#Q#")
		switch {
		case at == "" || strings.HasPrefix(row["pk"], "H#D#"): // its queue is due with it
		case at[:len(now)] > now:
			later = later || isMail || isJob || isQueue || at[:len(soon)] < soon
		case isMail:
			mails = true
		case isJob:
			jobs = true
		case isQueue: // see waitsForWebhooks
		default:
			work = true
		}
	}
	return mails, work, jobs, later
}

// invoke calls a function that answers no requests.
func (w *world) invoke(function string, event any) outcome {
	w.t.Helper()
	payload, err := json.Marshal(event)
	w.must(err)
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx,
		&lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:" + engine.Region + ":000000000000:function:" + function})
	raw, err := w.handlers[function].Invoke(ctx, payload)
	if err != nil {
		return outcome{status: 500, body: err.Error()}
	}
	return outcome{status: 200, body: string(raw)}
}

// deliver hands the stream's new events to notify, once. What it reports as failed comes again.
func (w *world) deliver() outcome {
	w.t.Helper()
	var fresh []events.Event
	var in lambdaevents.DynamoDBEvent
	for _, e := range w.events() {
		if !w.delivered[e.ID] {
			data, err := json.Marshal(e)
			w.must(err)
			fresh = append(fresh, e)
			in.Records = append(in.Records, batch.Inserted("", e, data, len(fresh)))
		}
	}
	if len(fresh) == 0 {
		return outcome{status: 200}
	}
	o := w.invoke("notify", in)
	var failures lambdaevents.DynamoDBEventResponse
	if !o.done() || json.Unmarshal([]byte(o.body), &failures) != nil {
		return o
	}
	first := len(fresh)
	for _, f := range failures.BatchItemFailures {
		for i := range fresh {
			if f.ItemIdentifier == fmt.Sprint(i+1) {
				first = min(first, i)
			}
		}
	}
	if !w.line.isDead() {
		for _, e := range fresh[:first] { // as Lambda does: all from the first failure on come again
			w.delivered[e.ID] = true
		}
	}
	if first < len(fresh) {
		o.status = 500
	}
	return o
}

func (l *line) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// feedback has SES tell of the mails that it has taken since.
func (w *world) feedback() outcome {
	w.t.Helper()
	o := outcome{status: 200}
	for _, m := range w.box.from(w.told) {
		if !w.silent {
			if o = w.invoke("feedback", word(m, w.clock())); !o.done() {
				return o
			}
		}
		if !w.line.isDead() {
			w.told++
		}
	}
	return o
}

// word is SES's own, that it has delivered a mail.
func word(m sent, at time.Time) any {
	type object = map[string]any
	tags := object{}
	for name, value := range m.Tags {
		tags[name] = []string{value}
	}
	return object{
		"eventType": "Delivery", "mail": object{"messageId": m.ID, "destination": []string{m.To}, "tags": tags},
		"delivery": object{"timestamp": at, "recipients": []string{m.To}, "smtpResponse": "250 OK"},
	}
}

// sweep runs the scheduled function once. The status is 500 when work was left.
func (w *world) sweep() outcome {
	w.t.Helper()
	o := w.invoke("expire", struct{}{})
	var r sweep.Report
	if o.done() {
		w.must(json.Unmarshal([]byte(o.body), &r))
		if r.Failed > 0 || r.Cut {
			o.status = 500
		}
	}
	return o
}

// settle lets the stream, SES and the schedule go on until nothing is left to do, what is due after wait among it.
func (w *world) settle(wait time.Duration) {
	w.t.Helper()
	for range 40 {
		told := w.deliver()
		w.want(w.feedback())
		w.advance(time.Minute)
		mails, work, jobs, later := w.due()
		switch {
		case work:
			w.sweep()
		case jobs:
			w.invoke("work", struct{}{})
		case w.waitsForWebhooks() != "":
			w.invoke("deliver", map[string]string{"webhook": w.waitsForWebhooks()})
		case mails:
			w.invoke("notify", lambdaevents.EventBridgeEvent{DetailType: "Scheduled Event", Source: "aws.events", Detail: json.RawMessage("{}")})
		case !told.done(), later:
		case wait > 0:
			w.advance(wait)
			wait = 0
		default:
			return
		}
	}
	w.t.Errorf("got no rest: work, or mails, are left for ever")
}

// snapshot is a world to begin again from.
type snapshot struct {
	items     []map[string]types.AttributeValue
	pool      *pool
	now       time.Time
	delivered map[string]bool
	vars      map[string]string
	mails     []sent // whose fate SES has not told
	silent    bool
}

func (w *world) snapshot() snapshot {
	w.t.Helper()
	out, err := w.raw.Scan(w.t.Context(), &dynamodb.ScanInput{TableName: &w.table, ConsistentRead: aws.Bool(true)})
	w.must(err)
	return snapshot{
		items: out.Items, pool: w.pool.clone(), now: w.now, delivered: maps.Clone(w.delivered), vars: maps.Clone(w.vars),
		mails: w.box.from(w.told),
	}
}

func keyText(item map[string]types.AttributeValue) string {
	pk, _ := item["pk"].(*types.AttributeValueMemberS)
	sk, _ := item["sk"].(*types.AttributeValueMemberS)
	return pk.Value + " " + sk.Value
}

// restore makes the world be as it was: a new one for each run would take most of the time.
func (w *world) restore(s snapshot) {
	w.t.Helper()
	keyOf := func(item map[string]types.AttributeValue) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"pk": item["pk"], "sk": item["sk"]}
	}
	keep := map[string]bool{}
	var all []types.TransactWriteItem
	for _, item := range s.items {
		keep[keyText(item)] = true
		all = append(all, types.TransactWriteItem{Put: &types.Put{TableName: &w.table, Item: item}})
	}
	out, err := w.raw.Scan(w.t.Context(), &dynamodb.ScanInput{TableName: &w.table, ConsistentRead: aws.Bool(true)})
	w.must(err)
	for _, item := range out.Items {
		if !keep[keyText(item)] {
			all = append(all, types.TransactWriteItem{Delete: &types.Delete{TableName: &w.table, Key: keyOf(item)}})
		}
	}
	for part := range slices.Chunk(all, 100) {
		_, err := w.raw.TransactWriteItems(w.t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: part})
		w.must(err)
	}
	w.known = nil
	w.pool.accounts, w.box.mails = s.pool.clone().accounts, slices.Clone(s.mails)
	w.hooks.got = map[string]int{}
	// A second later, since ids of one millisecond sort at random.
	w.now, w.delivered, w.vars, w.silent, w.told = s.now.Add(time.Second), maps.Clone(s.delivered), maps.Clone(s.vars), s.silent, 0
}

func (w *world) drop() {
	_, err := w.raw.DeleteTable(context.WithoutCancel(w.t.Context()), &dynamodb.DeleteTableInput{TableName: &w.table})
	w.must(err)
}

var id = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}`)

// records is what the table says, as text: every row and attribute, but for what is not the same in two runs that did the same: ids that
// were made, which are stars, and when something was written. Tasks, receipts and answers to repeated requests are left to others.
func (w *world) records() string {
	w.t.Helper()
	passing := []string{
		"ttl", "created", "updated", "changed", "told", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "digests", "missed", "at", "end_at",
	}
	var out []string
	jobs := map[string]bool{}
	for _, row := range w.rows() {
		if row["sk"] == "J" {
			jobs[row["pk"]] = true
		}
	}
	for _, row := range w.rows() {
		if strings.HasPrefix(row["sk"], "R#") && row["ttl"] != "" && !jobs[row["pk"]] {
			continue // of a job that was not taken: nobody sees it, and it expires
		}
		if pk, sk := row["pk"], row["sk"]; strings.HasPrefix(pk, "K#") || strings.HasPrefix(pk, "I#") || strings.HasPrefix(sk, "L#") ||
			strings.HasPrefix(pk, "J#L#") { // which worker has a shard of the jobs
			continue
		}
		row = maps.Clone(row)
		if strings.HasPrefix(row["pk"], "H#") {
			row = ofWebhook(row)
		}
		if row["event"] != "" {
			var e events.Event
			w.must(json.Unmarshal([]byte(row["event"]), &e))
			e.Time, e.Request = time.Time{}, ""
			data, err := json.Marshal(e)
			w.must(err)
			row["event"] = string(data)
		}
		if strings.HasPrefix(row["sk"], "I#") || strings.HasPrefix(row["sk"], "X#") { // each attempt to send an invitation's mail makes a token
			delete(row, "version")
		}
		if row["sk"] == "J" { // a job, each piece of which is written down
			for _, name := range []string{"finished", "request", "version"} {
				delete(row, name)
			}
		}
		var line []string
		for _, name := range slices.Sorted(maps.Keys(row)) {
			if !slices.Contains(passing, name) {
				line = append(line, name+"="+row[name])
			}
		}
		if len(line) > 0 {
			out = append(out, id.ReplaceAllString(strings.Join(line, " "), "*"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// tasks are what is left to do later.
func (w *world) tasks() []string {
	var out []string
	for _, row := range w.rows() {
		if strings.HasPrefix(row["pk"], "K#") {
			out = append(out, "task "+row["kind"])
		}
	}
	slices.Sort(out)
	return out
}

// named are the rows that name an address, whatever the attribute; none for "".
func (w *world) named(address string) (out []string) {
	for _, row := range w.rows() {
		for name, value := range row {
			if address != "" && strings.Contains(value, address) {
				out = append(out, row["pk"]+" "+row["sk"]+" "+name)
			}
		}
	}
	return out
}

// miscounted says which grants count other users than they have.
func (w *world) miscounted() string {
	w.t.Helper()
	wrong := ""
	for _, row := range w.rows() {
		if !strings.HasPrefix(row["sk"], "G#") || row["state"] == string(access.StateEnded) {
			continue
		}
		r, err := w.store.GrantFacts(w.t.Context(), row["customer"], row["partner"], nil, false)
		w.must(err)
		page, err := w.store.GrantUsers(w.t.Context(), r.Grant, access.PageRequest{Limit: 100})
		w.must(err)
		if n := r.Grant.UserCount(r.Headcount); n != len(page.Items) {
			wrong += fmt.Sprintf("%s counts %d users, and has %d; ", row["customer"], n, len(page.Items))
		}
	}
	return wrong
}

// outside is what people and the identity provider have got: each mail, and each account.
func (w *world) outside() []string {
	w.t.Helper()
	var out []string
	for _, m := range w.box.from(0) {
		out = append(out, "mail "+m.Tags["type"]+" to "+m.To+": "+m.Subject)
	}
	for user, a := range w.pool.clone().accounts {
		out = append(out,
			fmt.Sprint("account ", id.ReplaceAllString(user, "*"), " ", a.attributes["email"], " ", a.attributes["phone_number"], " ", a.enabled,
				" ", a.status, " ", a.mfa, " ", a.groups, " ", w.opens(a)))
	}
	for _, e := range w.hooks.events() {
		out = append(out, id.ReplaceAllString(e, "*"))
	}
	slices.Sort(out)
	return out
}

var secret = regexp.MustCompile(`[0-9A-Za-z]{5}(?:-[0-9A-Za-z]{5}){3}`)

// opens tells whether one of the mails to an account's address has the account's password, when any has one: the others may have come
// twice, each with a password of its own.
func (w *world) opens(a account) string {
	out := "no password in a mail"
	for _, m := range w.box.from(0) {
		switch s := secret.FindString(m.Text); {
		case s == "" || m.To != a.attributes["email"]:
		case s == a.password:
			return "its password in a mail"
		default:
			out = "another password in a mail"
		}
	}
	return out
}

// receipts is what the table says of the mails.
func (w *world) receipts() []string {
	w.t.Helper()
	var out []string
	for _, row := range w.rows() {
		if strings.HasPrefix(row["sk"], "L#") {
			out = append(out, "receipt "+row["type"]+" to "+row["to"]+": "+row["state"])
		}
	}
	slices.Sort(out)
	return out
}
