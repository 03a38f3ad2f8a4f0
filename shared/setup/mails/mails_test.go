package mails_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/manifest"
	"partneraccess/shared/service"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
	"partneraccess/shared/setup/jobs"
	"partneraccess/shared/setup/mails"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

func environment() map[string]string {
	return map[string]string{
		"TABLE_NAME": "t", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
		"PRODUCT_NAME": "Cloud", "MAIL_FROM": "no-reply@cloud.example", "SUPPORT": "help@cloud.example",
		"CUSTOMER_URL": "https://cloud.example/c",
		"PARTNER_URL":  "https://cloud.example/p", "INVITATION_URL": "https://cloud.example/i/{token}",
	}
}

func TestSettingsThatAreMissingOrWrongAreNamed(t *testing.T) {
	for _, c := range []struct{ set, to, want string }{
		{"", "", ""},
		{"TABLE_NAME", "", "TABLE_NAME"},
		{"AWS_REGION", "", "AWS_REGION"},
		{"PRODUCT_NAME", "", "product"},
		{"MAIL_FROM", "nobody", "sender"},
		{"INVITATION_URL", "https://cloud.example/i", "{token}"},
		{"IDENTITY", "ldap", "IDENTITY"},
		{"IDENTITY", "cognito", "USER_POOL_ID"},
	} {
		env := environment()
		env[c.set] = c.to
		_, err := mails.Notify(nil)(in(func(name string) string { return env[name] }))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s=%q: got %v, want an error about %q", c.set, c.to, err, c.want)
		}
	}
}

func in(getenv func(string) string) *setup.Environment {
	return &setup.Environment{Getenv: getenv, Now: time.Now, NewID: setup.IDs(time.Now), Log: slog.New(slog.DiscardHandler)}
}

// What the manifest does not name is not set in AWS.
func TestTheManifestNamesWhatTheFunctionsRead(t *testing.T) {
	for name, build := range map[string]setup.Build{
		"notify": mails.Notify(nil), "mail": mails.Mail(nil), "feedback": mails.Feedback, "check": setup.Check,
		"directory": identity.Directory(nil), "expire": identity.Expire(nil), "grant": setup.People(httpapi.NewGrant),
		"bulk": jobs.Bulk(), "work": jobs.Work,
	} {
		i := slices.IndexFunc(manifest.Functions(), func(f manifest.Function) bool { return f.Name == name })
		if i < 0 {
			t.Errorf("the manifest has no function %s", name)
			continue
		}
		env, read := environment(), map[string]bool{}
		for k, v := range map[string]string{
			"WORK_FUNCTION": "work", "IDENTITY": "cognito", "USER_POOL_ID": "p", "USER_POOL_CLIENT_ID": "c", "BASE_URL": "https://access.example",
		} {
			env[k] = v
		}
		if _, err := build(in(func(name string) string { read[name] = true; return env[name] })); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		named := manifest.Functions()[i].Env
		for r := range read {
			if !strings.HasPrefix(r, "AWS_") && !slices.Contains(named, r) {
				t.Errorf("%s reads %s, which the manifest does not name", name, r)
			}
		}
		for _, n := range named {
			if !read[n] {
				t.Errorf("%s does not read %s, which the manifest names", name, n)
			}
		}
	}
}

// world is a table, a handler of its stream's batches, and a sender that keeps the mails.
type world struct {
	service.Accounts // none but TemporaryPassword is asked

	t     *testing.T
	store *dynamo.Store
	now   time.Time
	pass  func(access.Account) (string, error)
	loose bool // what was sent about the password may still arrive

	mu    sync.Mutex
	mails []mail.Message
	away  bool // the mail service
	tries int

	send    func(context.Context) error // happens before the mail service takes a mail; nil: nothing does
	listing func(shard int) error       // happens before the mails that wait are listed; nil: nothing does
}

func start(t *testing.T) *world {
	t.Helper()
	client, table := engine.Shared(t).Client(), "mails-"+rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, table, false); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Date(2027, 1, 5, 10, 0, 0, 0, time.UTC)}
	w.store = dynamo.New(dynamodb.New(client.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, w.watch) }), table)
	return w
}

// watch has listing happen.
func (w *world) watch(s *middleware.Stack) error {
	return s.Initialize.Add(
		middleware.InitializeMiddlewareFunc("listing",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput,
				middleware.Metadata, error,
			) {
				if q, ok := in.Parameters.(*dynamodb.QueryInput); ok && w.listing != nil {
					var shard int
					if pk, ok := q.ExpressionAttributeValues[":pk"].(*types.AttributeValueMemberS); ok {
						if _, err := fmt.Sscanf(pk.Value, "N#%d", &shard); err == nil {
							if err := w.listing(shard); err != nil {
								return middleware.InitializeOutput{}, middleware.Metadata{}, err
							}
						}
					}
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
}

func (w *world) Send(ctx context.Context, m mail.Message) (string, error) {
	if w.send != nil {
		if err := w.send(ctx); err != nil {
			return "", err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	if w.away {
		return "", errors.New("the mail service is away")
	}
	w.mails = append(w.mails, m)
	return fmt.Sprint("message ", len(w.mails)), nil
}

func (w *world) TemporaryPassword(_ context.Context, u access.Account) (string, bool, error) {
	secret, err := w.pass(u)
	return secret, !w.loose, err
}

func (w *world) write(c access.Change) {
	w.t.Helper()
	if err := w.store.Apply(w.t.Context(),
		func(context.Context) (access.Change, *access.StoredResponse, error) { return c, nil, nil }); err != nil {
		w.t.Fatal(err)
	}
}

// invoke calls the function, and returns its answer.
func (w *world) invoke(payload []byte) string {
	w.t.Helper()
	answer, err := w.handler().Invoke(w.t.Context(), payload)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(answer)
}

func (w *world) handler() lambda.Handler {
	w.t.Helper()
	c := mails.Config{
		Store: w.store, Sender: w, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		Settings: mail.Settings{
			Product: "Cloud", From: "no-reply@cloud.example", Support: "help@cloud.example", CustomerURL: "https://cloud.example/c",
			PartnerURL: "https://cloud.example/p", InvitationURL: "https://cloud.example/i/{token}",
		},
	}
	if w.pass != nil {
		c.Accounts = w
	}
	h, err := mails.NewHandler(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// tell hands the event to the function, and returns the mail to that address, if there is one, and its state.
func (w *world) tell(e events.Event, to string) (*mail.Message, receipt.State) {
	w.t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mails = nil
	if got := w.invoke(fmt.Appendf(nil,
		`{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","NewImage":{"sk":{"S":"T#%s"},"event":{"S":%q}}}}]}`, e.ID,
		data)); got != `{"batchItemFailures":[]}` {
		w.t.Fatalf("the batch: got %s, want no failure", got)
	}
	r, err := w.store.Mail(w.t.Context(), receipt.KeyOf(e, to))
	if err != nil || r == nil {
		w.t.Fatalf("the receipt of the mail to %s: got %v, %v", to, r, err)
	}
	for _, m := range w.mails {
		if m.To == to {
			return &m, r.State
		}
	}
	return nil, r.State
}

func sample(t *testing.T, typ events.Type) events.Event {
	t.Helper()
	data, err := events.Sample(typ)
	if err != nil {
		t.Fatal(err)
	}
	var e events.Event
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnInvitationsTokenIsMadeForItsMailAndOnlyItsDigestIsKept(t *testing.T) {
	w := start(t)
	e := sample(t, events.InvitationCreated)
	to := e.Data.Person.Email
	i := access.Invitation{
		ID: e.Data.Invitation, Customer: e.Customer.ID, Partner: e.Partner.ID, Email: to, Level: access.View, State: access.InvitationPending,
		By: access.By{Kind: "customer", Email: "ann@acme.example"}, Sending: 1, Days: 7, Expires: w.now.Add(7 * 24 * time.Hour), Created: w.now,
		Updated: w.now, Version: 1,
	}
	w.write(access.Change{Writes: []access.Write{access.InvitationWrite{After: &i}}})

	m, state := w.tell(e, to)
	if m == nil || state != receipt.Sent {
		t.Fatalf("got %v, %s, want a mail", m, state)
	}
	kept, err := w.store.Invitation(t.Context(), i.Customer, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(m.Text, "https://cloud.example/i/")
	token, _, _ := strings.Cut(rest, "\n")
	token = strings.ReplaceAll(strings.TrimSpace(token), "%7E", "~")
	secret, ours := strings.CutPrefix(token, i.Customer+"~"+i.ID+"~")
	if !found || !ours || len(secret) < 26 {
		t.Fatalf("got the token %q in %s", token, m.Text)
	}
	if !slices.Equal(kept.Digests, []string{access.TokenDigest(secret)}) || kept.Version != 2 {
		t.Errorf("got the digests %q, want that of the mail's token", kept.Digests)
	}

	// A mail that a later one has overtaken.
	e.ID = ulid.Make().String()
	e.Data.Sending = 2
	if m, state := w.tell(e, to); m != nil || state != receipt.Dropped {
		t.Errorf("overtaken: got %v, %s, want it dropped", m, state)
	}
	// One whose invitation has ended meanwhile.
	ended := *kept
	ended.State, ended.Version = access.InvitationCancelled, 3
	w.write(access.Change{Writes: []access.Write{access.InvitationWrite{Before: kept, After: &ended}}})
	e.ID = ulid.Make().String()
	e.Data.Sending = 1
	if m, state := w.tell(e, to); m != nil || state != receipt.Dropped {
		t.Errorf("ended: got %v, %s, want it dropped", m, state)
	}
}

func TestATemporaryPasswordIsMadeForItsMailOnlyWhileItIsOfUse(t *testing.T) {
	w := start(t)
	e := sample(t, events.UserCreated)
	to := e.Data.Person.Email
	u := access.User{
		ID: e.Data.Person.ID, Partner: e.Partner.ID, Number: 1, Email: to, Name: "Kim", Role: access.Role(e.Data.Role), Status: access.Active,
		Created: w.now, Updated: w.now, Version: 1,
	}
	tell := func() (*mail.Message, receipt.State) {
		e.ID = ulid.Make().String()
		return w.tell(e, to)
	}
	if m, state := tell(); m != nil || state != receipt.Dropped {
		t.Errorf("no such user: got %v, %s, want it dropped", m, state)
	}
	w.write(access.Change{Writes: []access.Write{access.UserWrite{After: &u}}})
	if m, state := tell(); m == nil || state != receipt.Sent || strings.Contains(m.Text, "assword:") {
		t.Errorf("without accounts: got %v, %s, want a mail without a password", m, state)
	}
	w.pass = func(access.Account) (string, error) { return "Secret-1234", nil }
	m, state := tell()
	if m == nil || state != receipt.Sent || !strings.Contains(m.Text, "Secret-1234") || !strings.Contains(m.HTML, "Secret-1234") {
		t.Errorf("got %v, %s, want a mail with the password", m, state)
	}
	for _, other := range w.mails { // the copy to the partner's primary address (P16)
		if other.To != to && (strings.Contains(other.Text, "Secret-1234") || strings.Contains(other.HTML, "Secret-1234")) {
			t.Errorf("%s is told the password", other.To)
		}
	}
	limit := func() *access.Task {
		t.Helper()
		task, err := w.store.Task(t.Context(), access.ActivationTask(u.ID))
		if err != nil || task == nil {
			t.Fatalf("the task that ends the password: got %+v, %v", task, err)
		}
		return task
	}
	if got, want := limit().Due, w.now.Add(access.ActivationLife); !got.Equal(want) {
		t.Errorf("the password ends at %s, want %s", got, want)
	}
	w.now = w.now.Add(time.Hour)
	tell() // another password
	if got, want := limit().Due, w.now.Add(access.ActivationLife); !got.Equal(want) {
		t.Errorf("the other password ends at %s, want %s", got, want)
	}
	w.pass = func(access.Account) (string, error) { return "", access.Refuse(access.Ended, "has chosen one") }
	if m, state := tell(); m != nil || state != receipt.Dropped {
		t.Errorf("has chosen one: got %v, %s, want it dropped", m, state)
	}
	w.pass = func(access.Account) (string, error) { return "", errors.New("away") }
	if m, state := tell(); m != nil || state != receipt.Claimed {
		t.Errorf("the identity provider is away: got %v, %s, want it to be tried again", m, state)
	}
	moved := u
	moved.Email, moved.Version = "kim@elsewhere.example", 2
	w.write(access.Change{Writes: []access.Write{access.UserWrite{Before: &u, After: &moved}}})
	w.pass = func(access.Account) (string, error) { return "Secret-1234", nil }
	if m, state := tell(); m != nil || state != receipt.Dropped {
		t.Errorf("has another address: got %v, %s, want it dropped", m, state)
	}
}

func TestANewAddressIsToldOfItWithAPasswordOnlyWhileThatIsOfUse(t *testing.T) { // P19
	w := start(t)
	e := sample(t, events.UserEdited)
	to := e.Data.Person.Email
	u := access.User{
		ID: e.Data.Person.ID, Partner: e.Partner.ID, Number: 1, Email: to, Name: "Kim", Role: access.Tech, Status: access.Active,
		ActivationMissedAt: w.now,
		Created:            w.now, Updated: w.now, Version: 1,
	}
	w.write(access.Change{Writes: []access.Write{access.UserWrite{After: &u}}})
	tell := func(to string) (*mail.Message, receipt.State) {
		e.ID = ulid.Make().String()
		return w.tell(e, to)
	}
	if m, state := tell(to); m == nil || state != receipt.Sent || strings.Contains(m.Text, "assword") {
		t.Errorf("without accounts: got %v, %s, want a mail without a password", m, state)
	}
	w.pass = func(access.Account) (string, error) { return "", access.Refuse(access.Ended, "has chosen one") }
	if m, state := tell(to); m == nil || state != receipt.Sent || strings.Contains(m.Text, "assword") {
		t.Errorf("has chosen one: got %v, %s, want a mail without a password", m, state)
	}
	w.pass = func(access.Account) (string, error) { return "Secret-1234", nil }
	if m, state := tell(to); m == nil || state != receipt.Sent || !strings.Contains(m.Text, "Secret-1234") {
		t.Errorf("has never signed in: got %v, %s, want a mail with a password", m, state)
	}
	if is, err := w.store.User(t.Context(), u.ID); err != nil || !is.ActivationMissedAt.IsZero() {
		t.Errorf("got %+v (%v), want no password missed any more", is, err)
	}
	if m, state := tell(e.Data.EmailWas); m == nil || state != receipt.Sent || strings.Contains(m.Text, "Secret-1234") ||
		strings.Contains(m.Text, to) {
		t.Errorf("the address before: got %v, %s, want a mail without the password and the new address", m, state)
	}
	is, err := w.store.User(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	disabled := *is
	disabled.Status, disabled.Version = access.Disabled, is.Version+1
	w.write(access.Change{Writes: []access.Write{access.UserWrite{Before: is, After: &disabled}}})
	if m, state := tell(to); m != nil || state != receipt.Dropped {
		t.Errorf("disabled meanwhile: got %v, %s, want it dropped", m, state)
	}
}

func TestWhileASweepEndsAPasswordNoOtherIsMade(t *testing.T) {
	w := start(t)
	e := sample(t, events.UserCreated)
	u := access.User{
		ID: e.Data.Person.ID, Partner: e.Partner.ID, Email: e.Data.Person.Email, Role: access.Tech, Status: access.Active,
		Version: 1,
	}
	task := access.Task{
		ID: access.ActivationTask(u.ID), Kind: access.TaskActivation, Partner: u.Partner, User: u.ID, Due: w.now.Add(time.Millisecond),
		InFlightUntil: w.now.Add(time.Millisecond), Created: w.now, Version: 3,
	}
	w.write(access.Change{Writes: []access.Write{access.UserWrite{After: &u}, access.TaskWrite{After: &task}}})
	w.pass = func(access.Account) (string, error) { return "Secret-1234", nil }
	if m, state := w.tell(e, u.Email); m != nil || state != receipt.Claimed {
		t.Errorf("got %v, %s, want it to wait", m, state)
	}
	w.now = w.now.Add(time.Millisecond)
	e.ID = ulid.Make().String()
	if m, state := w.tell(e, u.Email); m == nil || state != receipt.Sent {
		t.Errorf("afterwards: got %v, %s, want the mail", m, state)
	}
}

// Whatever the provider has not answered can arrive for as long as its signature is good, and would undo another password that is on its
// way by mail.
func TestAPasswordWaitsForWhatWasSentAboutTheOneBefore(t *testing.T) {
	for name, c := range map[string]struct {
		loose bool
		err   error
		wait  time.Duration
	}{
		"all attempts were answered":                     {false, nil, 0},
		"the provider refused them":                      {false, access.ErrUnavailable, 0},
		"one was not, and the next one was":              {true, nil, 6 * time.Minute},
		"none was":                                       {true, access.ErrUnavailable, 6 * time.Minute},
		"none was, and there is no use for one any more": {true, access.Refuse(access.Ended, "it is removed"), 6 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			e := sample(t, events.UserCreated)
			u := access.User{
				ID: e.Data.Person.ID, Partner: e.Partner.ID, Email: e.Data.Person.Email, Role: access.Tech, Status: access.Active,
				Version: 1,
			}
			w.write(access.Change{Writes: []access.Write{access.UserWrite{After: &u}}})
			w.pass, w.loose = func(access.Account) (string, error) { return "Lost-1234", c.err }, c.loose
			w.tell(e, u.Email)

			made := 0
			w.pass, w.loose = func(access.Account) (string, error) { made++; return "Secret-1234", nil }, false
			other := func() receipt.State {
				e.ID = ulid.Make().String() // another mail about the same user
				_, state := w.tell(e, u.Email)
				return state
			}
			if c.wait > 0 {
				w.now = w.now.Add(c.wait - time.Millisecond)
				if state := other(); state != receipt.Claimed || made != 0 {
					t.Errorf("the instant before: got %s and %d passwords, want it to wait", state, made)
				}
				w.now = w.now.Add(time.Millisecond)
			}
			if state := other(); state != receipt.Sent || made != 1 {
				t.Errorf("after %s: got %s and %d passwords, want the mail", c.wait, state, made)
			}
		})
	}
}

const tick = `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","detail":{}}` // of the schedule

func TestTheScheduleSendsTheMailsThatWait(t *testing.T) {
	w := start(t)
	e := sample(t, events.GrantRevoked)
	state := func(to string) receipt.State {
		t.Helper()
		r, err := w.store.Mail(t.Context(), receipt.KeyOf(e, to))
		if err != nil || r == nil {
			t.Fatalf("the mail to %s: got %v, %v", to, r, err)
		}
		return r.State
	}
	var all []string
	for _, l := range mail.Letters(e) {
		all = append(all, l.To)
	}
	if len(all) < 6 {
		t.Fatalf("got %d letters, want more than fail in a row", len(all))
	}
	c := access.Change{Events: []events.Event{e}}
	for i, p := range e.Data.Users {
		c.Writes = append(c.Writes, access.UserWrite{After: &access.User{
			ID: p.ID, Partner: "contoso", Number: int64(i + 1), Email: p.Email, Name: p.Name, Role: access.Tech, Status: access.Active, Version: 1,
		}})
	}
	w.write(c)
	w.away = true
	w.tell(e, all[0])
	if got := w.invoke([]byte(tick)); got != `{"settled":0,"failed":0,"cut":false}` {
		t.Errorf("before the pause is over: got %s, want nothing done", got)
	}
	w.now, w.tries = w.now.Add(time.Minute), 0
	if got := w.invoke([]byte(tick)); !strings.Contains(got, `"cut":true`) || w.tries < 5 || w.tries > 8 {
		t.Errorf("the mail service is still away: got %s after %d attempts, want it left alone after 5, and those beside it", got, w.tries)
	}
	w.now, w.away = w.now.Add(15*time.Minute), false
	if got, want := w.invoke([]byte(tick)), fmt.Sprintf(`{"settled":%d,"failed":0,"cut":false}`, len(all)); got != want {
		t.Errorf("the mail service is back: got %s, want %s", got, want)
	}
	w.now = w.now.Add(time.Hour)
	if got := w.invoke([]byte(tick)); got != `{"settled":0,"failed":0,"cut":false}` || len(w.mails) != len(all) {
		t.Errorf("afterwards: got %s and %d mails, want nothing more than the %d", got, len(w.mails), len(all))
	}
	for _, to := range all {
		if got := state(to); got != receipt.Sent {
			t.Errorf("%s: got %s, want it sent", to, got)
		}
	}

	e.ID = ulid.Make().String() // is told, and not stored
	w.away = true
	w.tell(e, all[0])
	w.now = w.now.Add(time.Minute)
	w.invoke([]byte(tick))
	if got := state(all[0]); got != receipt.Failed {
		t.Errorf("a mail whose event is gone: got %s, want it given up", got)
	}
}

func TestAMailWithoutAnAnswerIsTriedTheMoreSeldomTheLongerItWaits(t *testing.T) {
	w := start(t)
	e := sample(t, events.InvitationCancelled) // told to one person
	e.Time = w.now
	w.write(access.Change{Events: []events.Event{e}})
	began, tried := w.now, []int{}
	w.send = func(context.Context) error {
		tried = append(tried, int(w.now.Sub(began).Minutes()))
		return fmt.Errorf("%w: the connection was cut", mail.ErrUncertain)
	}
	w.tell(e, e.Data.Person.Email)
	for range 60 {
		w.now = w.now.Add(time.Minute)
		w.invoke([]byte(tick))
	}
	if want := []int{0, 2, 4, 8, 16, 31, 46}; !slices.Equal(tried, want) {
		t.Errorf("got attempts after %v minutes, want %v", tried, want)
	}
}

// A mail that is cut off while it is being sent may have been taken, and would go out twice.
func TestAShardThatCannotBeListedCutsOffNoMailOfAnother(t *testing.T) {
	w := start(t)
	// Four shards are gone through side by side at first: the mail is in one of them.
	e := sample(t, events.InvitationCancelled)
	to, mine := e.Data.Person.Email, -1
	for w.away = true; mine < 0 || mine >= 4; {
		e.ID = ulid.Make().String()
		w.write(access.Change{Events: []events.Event{e}})
		w.tell(e, to)
		w.now = w.now.Add(time.Minute)
		for i := range w.store.DueShards() {
			mails, _, err := w.store.WaitingMails(t.Context(), i, w.now, "", 100)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(mails, func(m receipt.Waiting) bool { return m.Event == e.ID }) {
				mine = i
			}
		}
	}
	w.away = false
	// While it is being sent, another shard of the four fails. The two others wait for a fifth, which begins when the failed one has ended.
	sending, fifth := make(chan struct{}), make(chan struct{})
	wait := func(c chan struct{}) {
		select {
		case <-c:
		case <-time.After(30 * time.Second):
			t.Error("the shards did not take their turns")
		}
	}
	var first, failing sync.Once
	begun := 0
	w.listing = func(shard int) (err error) {
		w.mu.Lock()
		if begun++; begun == 5 {
			close(fifth)
		}
		early := begun < 5
		w.mu.Unlock()
		if shard != mine && early {
			wait(sending)
			failing.Do(func() { err = errors.New("the table did not answer") })
			if err == nil {
				wait(fifth)
			}
		}
		return err
	}
	w.send = func(ctx context.Context) (err error) {
		first.Do(func() {
			close(sending)
			wait(fifth)
			err = ctx.Err()
		})
		return err
	}
	if _, err := w.handler().Invoke(t.Context(), []byte(tick)); err == nil || !strings.Contains(err.Error(), "the table did not answer") {
		t.Errorf("got %v, want the error of the list", err)
	}
	if r, err := w.store.Mail(t.Context(), receipt.KeyOf(e, to)); err != nil || r == nil || r.State != receipt.Sent {
		t.Errorf("got the receipt %+v, %v, want the mail sent", r, err)
	}
	if begun != w.store.DueShards() {
		t.Errorf("got %d lists, want one of each shard", begun)
	}
}
