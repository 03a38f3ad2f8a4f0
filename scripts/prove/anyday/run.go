package anyday

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// Config says how long the history is, and where it happens.
type Config struct {
	Engine  *engine.Engine
	Table   string // it is made
	Changes int
	Seed    uint64
	World   int     // the number of the history: the same seed chooses the same for the same number
	Faulty  float64 // how many of the stream's batches come twice, late, or fail halfway: 0 to 1
	Lose    float64 // how many records of the stream are lost: answers must say that they are incomplete
}

// Report is what a run found.
type Report struct {
	Changes, Refused int // changes that were made, and commands that were refused
	Asked, Allowed   int // checks that were asked about the past, and how many of them had been allowed
	Lists, Rows      int // lists of people that were asked about the past, and their rows
	Batches, Failed  int // batches of the stream, and those of them that failed halfway
	Repeated         int // batches that came once more although they had succeeded
	Worlds           int // histories
	Incomplete       int // answers that said so
	Versions         int // items that publish made
	VersionBytes     int // of them, as DynamoDB bills storage
	Took, Asking     time.Duration
	Violations       []string
}

// String implements fmt.Stringer.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d changes (%d commands refused) in %d worlds, in %s; %d batches of the stream, %d failed halfway, %d came once more\n",
		r.Changes, r.Refused, r.Worlds, r.Took.Round(time.Second), r.Batches, r.Failed, r.Repeated)
	fmt.Fprintf(&b, "%d checks asked again about their instants (%d had been allowed), %d lists of people with %d rows, in %s: "+
		"%d differences, %d answers incomplete\n",
		r.Asked, r.Allowed, r.Lists, r.Rows, r.Asking.Round(time.Second), len(r.Violations), r.Incomplete)
	fmt.Fprintf(&b, "%d items of versions, %.0f bytes for each change: %.2f GB for a million changes\n", r.Versions,
		float64(r.VersionBytes)/float64(max(r.Changes, 1)), float64(r.VersionBytes)/float64(max(r.Changes, 1))*1e6/(1<<30))
	for _, v := range r.Violations[:min(len(r.Violations), 10)] {
		fmt.Fprintln(&b, "  "+v)
	}
	return b.String()
}

// asked is a check that was asked, with its answer.
type asked struct {
	at       time.Time
	customer string
	user     string
	action   string
	decision access.Decision
}

// listed is a list of people that was asked for.
type listed struct {
	at       time.Time
	customer string
	rows     []string
}

type world struct {
	Config
	Report

	ctx       context.Context //nolint:containedctx // of the run
	random    *rand.Rand
	now       time.Time
	client    *dynamodb.Client
	store     *dynamo.Store
	reader    *dynamo.Reader
	service   *service.Service
	sweep     *sweep.Sweep
	catalogue *access.Catalogue
	stream    *feed

	partners, customers []string
	users, left         []string // of the partners; those who have left
	next                int      // numbers new users
	checks              []asked
	lists               []listed
}

// start is when the history begins: it is two years long at least, whatever the number of changes.
func start() time.Time { return time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC) }

const length = 2 * 365 * 24 * time.Hour

// newWorld makes the table with its organisations and first people.
func newWorld(ctx context.Context, c Config) (*world, error) {
	w := &world{Config: c, ctx: ctx, now: start(), catalogue: access.DefaultCatalogue()}
	w.random = rand.New(rand.NewPCG(c.Seed, 15+uint64(c.World))) //nolint:gosec // no secret; the number is no negative one
	w.client = c.Engine.Client()
	if err := dynamo.CreateTable(ctx, w.client, c.Table, true); err != nil {
		return nil, err
	}
	clock := func() time.Time { return w.now }
	quiet := slog.New(slog.DiscardHandler)
	w.store, w.reader = dynamo.New(w.client, c.Table), dynamo.NewReader(w.client, c.Table)
	ids := setup.IDs(clock)
	w.service = &service.Service{Store: w.store, Now: clock, NewID: ids, Log: quiet}
	w.sweep = &sweep.Sweep{Store: w.store, Now: clock, NewID: ids, Log: quiet}
	var err error
	if w.stream, err = newFeed(w); err != nil {
		return nil, err
	}
	return w, w.populate()
}

// Run makes a history and asks about it.
func Run(ctx context.Context, c Config) (*Report, error) {
	began := time.Now()
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	for w.Report.Changes < c.Changes {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	w.Worlds, w.Took = 1, time.Since(began)
	if err := w.stream.drain(); err != nil {
		return nil, err
	}
	began = time.Now()
	if err := w.askAgain(); err != nil {
		return nil, err
	}
	w.Asking = time.Since(began)
	w.Versions = len(w.stream.kept)
	for _, size := range w.stream.kept {
		w.VersionBytes += size
	}
	return &w.Report, nil
}

// step makes one change, or is refused, and asks some checks.
func (w *world) step() error {
	most := 2 * int64(length) / int64(max(w.Config.Changes, 1))
	w.now = w.now.Add(time.Duration(w.random.Int64N(most)).Truncate(time.Millisecond) + time.Millisecond)
	if err := w.command(); err != nil {
		return err
	}
	if w.random.IntN(25) == 0 {
		if _, err := w.sweep.Run(w.ctx); err != nil {
			return err
		}
	}
	if w.random.IntN(3) == 0 {
		w.now = w.now.Add(time.Duration(w.random.IntN(3)) * time.Millisecond) // at the very instant of the change, too
	}
	for range w.random.IntN(3) {
		if err := w.check(); err != nil {
			return err
		}
	}
	if w.random.IntN(25) == 0 { // so often that a short history has some with people in them
		if err := w.list(); err != nil {
			return err
		}
	}
	if w.random.IntN(20) == 0 {
		return w.stream.deliver()
	}
	return nil
}

func pick[T any](w *world, of []T) T { return of[w.random.IntN(len(of))] }

// check asks one check and keeps the answer.
func (w *world) check() error {
	a := asked{at: w.now, customer: pick(w, w.customers), user: pick(w, w.users), action: "sign_in"}
	if w.random.IntN(20) == 0 && len(w.left) > 0 {
		a.user = pick(w, w.left)
	}
	if w.random.IntN(4) == 0 {
		a.action = pick(w, []string{"reports:read", "users:write"})
	}
	facts, err := w.reader.Facts(w.ctx, []access.FactsQuery{{User: a.user, Customer: a.customer}}, access.Strong)
	if err != nil {
		return err
	}
	a.decision = w.catalogue.Decide(facts[0], a.customer, a.action, a.at)
	if use := access.UnrecordedUse(facts[0], a.decision, access.DayOf(a.at)); use.On != "" { // which makes no version
		if err := w.reader.RecordUse(w.ctx, a.customer, a.user, use); err != nil {
			return err
		}
	}
	w.checks = append(w.checks, a)
	return nil
}

// list asks who can enter a tenant now, and keeps the answer.
func (w *world) list() error {
	l := listed{at: w.now, customer: pick(w, w.customers)}
	rows, _, err := w.people(l.customer, access.PeopleFilter{Now: w.now, Order: access.OrderName, Count: true})
	if err != nil {
		return err
	}
	l.rows = rows
	w.lists = append(w.lists, l)
	return nil
}

// people returns what a list says of each person, and what it lacks.
func (w *world) people(customer string, f access.PeopleFilter) (rows []string, lacks []access.MissingVersions, err error) {
	for ask := (access.PageRequest{Limit: 100}); ; {
		page, err := w.store.People(w.ctx, customer, f, ask)
		if err != nil {
			return nil, nil, err
		}
		lacks = append(lacks, page.Missing...)
		for _, p := range page.Items {
			rows = append(rows,
				fmt.Sprint(p.User.ID, " ", p.User.Name, " ", p.Partner.Name, " ", p.Level, " ", p.Why(), " ", p.Since(), " ", p.Grant.Until))
		}
		if ask.After = page.Next; page.Next == "" {
			return rows, lacks, nil
		}
	}
}

// askAgain asks every check and list about its instant.
func (w *world) askAgain() error {
	w.now = w.now.Add(time.Hour)
	for _, a := range w.checks {
		of := access.Past{At: a.at, Asked: w.now}
		facts, missing, err := w.store.PastFacts(w.ctx, []access.FactsQuery{{User: a.user, Customer: a.customer}}, of)
		if err != nil {
			return err
		}
		w.Asked++
		if a.decision.Allow {
			w.Allowed++
		}
		if len(missing[0]) > 0 {
			w.incomplete(fmt.Sprintf("check at %s: missing %v", a.at, missing[0]))
			continue
		}
		if got := w.catalogue.Decide(facts[0], a.customer, a.action, a.at); got != a.decision {
			w.violated(fmt.Sprintf("%s: may %s %s in %s: was %+v, is told as %+v", a.at.Format(time.RFC3339Nano), a.user, a.action, a.customer,
				a.decision, got))
		}
	}
	for _, l := range w.lists {
		f := access.PeopleFilter{Now: l.at, Order: access.OrderName, Past: access.Past{At: l.at, Asked: w.now}}
		rows, missing, err := w.people(l.customer, f)
		if err != nil {
			return err
		}
		w.Lists++
		w.Rows += len(rows)
		if len(missing) > 0 {
			w.incomplete(fmt.Sprintf("list at %s: missing %v", l.at, missing))
			continue
		}
		if !slices.Equal(rows, l.rows) {
			w.violated(fmt.Sprintf("%s: people of %s: were\n    %s\n  are told as\n    %s", l.at.Format(time.RFC3339Nano), l.customer,
				strings.Join(l.rows, "\n    "), strings.Join(rows, "\n    ")))
		}
	}
	return nil
}

// incomplete counts an answer that says what it lacks; where nothing was lost, it should not.
func (w *world) incomplete(about string) {
	if w.Incomplete++; w.Lose == 0 {
		w.violated(about)
	}
}

func (w *world) violated(about string) { w.Violations = append(w.Violations, about) }
