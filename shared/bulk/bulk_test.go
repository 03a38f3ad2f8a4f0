package bulk_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/bulk"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
	"partneraccess/shared/setup"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

var start = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// world is a table with jobs whose rows are done by a function of the test's own.
type world struct {
	*dynamo.Store
	t   *testing.T
	now time.Time
	ids func() string

	mu   sync.Mutex
	done []string // which rows were done, in their order: "acme 1"
	do   func(ctx context.Context, row *access.JobRow) (access.RowResult, error)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	client, table := engine.Shared(t).Client(), "bulk-"+rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, table, false); err != nil {
		t.Fatal(err)
	}
	w := &world{Store: dynamo.New(client, table), t: t, now: start}
	w.ids = setup.IDs(w.clock)
	w.do = func(context.Context, *access.JobRow) (access.RowResult, error) {
		return access.RowResult{Status: 200}, nil
	}
	return w
}

func (w *world) clock() time.Time { return w.now }

// submit asks for a job of a customer with so many rows, in the same shard as all others.
func (w *world) submit(customer string, rows int) *access.Job {
	w.t.Helper()
	shard := func(id string) bool {
		jobs, _, err := w.DueJobs(w.t.Context(), 0, w.now, "", 100)
		if err != nil {
			w.t.Fatal(err)
		}
		return slices.ContainsFunc(jobs, func(j access.DueJob) bool { return j.ID == id })
	}
	s := &service.Service{Store: w.Store, Now: w.clock, NewID: w.ids, Log: slog.New(slog.DiscardHandler)}
	for {
		ask := service.JobRequest{Customer: customer}
		for range rows {
			ask.Rows = append(ask.Rows, &access.JobRow{Op: access.OpRevoke, Customer: customer, Partner: "contoso"})
		}
		j, err := s.SubmitJob(w.t.Context(), ask, service.Options[*access.Job]{})
		if err != nil {
			w.t.Fatal(err)
		}
		if shard(j.ID) {
			return j
		}
		if _, err := s.CancelJob(w.t.Context(), customer, j.ID, service.Options[*access.Job]{}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Do implements bulk.Rows.
func (w *world) Do(ctx context.Context, row *access.JobRow) (access.RowResult, error) {
	w.mu.Lock()
	w.done = append(w.done, fmt.Sprint(row.Customer, " ", row.Number))
	w.mu.Unlock()
	return w.do(ctx, row)
}

func (w *world) work(ctx context.Context, store bulk.Store) bulk.Report {
	w.t.Helper()
	b := &bulk.Worker{
		Store: store, Rows: func(*access.Job) bulk.Rows { return w }, Now: w.clock, NewID: w.ids, Log: slog.New(slog.DiscardHandler),
	}
	r, err := b.Run(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) wantJob(id, want string) {
	w.t.Helper()
	j, err := w.Job(w.t.Context(), id)
	if err != nil || j == nil {
		w.t.Fatal(j, err)
	}
	if got := fmt.Sprintf("%s %d %d", j.State, j.Succeeded, j.Failed); got != want {
		w.t.Errorf("got the job %s, want %s", got, want)
	}
}

func TestOrganisationsTakeTurnsHoweverMuchOneHas(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.submit("acme", 10*access.JobPiece)
	}
	last := w.submit("globex", access.JobPiece)
	w.work(t.Context(), w)
	w.wantJob(last.ID, fmt.Sprintf("done %d 0", access.JobPiece))
	first := slices.Index(w.done, "globex 1")
	if before := first - access.JobPiece; first < 0 || before > 0 {
		t.Errorf("got %d rows of another organisation before the first one's, want a piece of %d at most", first, access.JobPiece)
	}
	if got, want := len(w.done), 31*access.JobPiece; got != want {
		t.Errorf("got %d rows done, want each of %d once", got, want)
	}
}

// lostRecord fails one write of results after the rows were done, as a kill does.
type lostRecord struct {
	*world
	left int
}

func (l *lostRecord) Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	return l.world.Apply(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		c, answer, err := plan(ctx)
		results := slices.ContainsFunc(c.Writes, func(w access.Write) bool { _, is := w.(access.JobRowWrite); return is })
		if err == nil && results {
			if l.left--; l.left == 0 {
				err = fmt.Errorf("%w: unplugged", access.ErrUnavailable)
			}
		}
		return c, answer, err
	})
}

func TestRowsWhoseResultsWereLostAreDoneAgainUnderTheSameKeys(t *testing.T) {
	w := newWorld(t)
	keys := map[string]int{}
	w.do = func(_ context.Context, row *access.JobRow) (access.RowResult, error) {
		keys[row.Key]++
		return access.RowResult{Status: 200}, nil
	}
	j := w.submit("acme", 3*access.JobPiece)
	w.work(t.Context(), &lostRecord{w, 2})
	w.wantJob(j.ID, fmt.Sprintf("running %d 0", access.JobPiece))
	w.now = w.now.Add(time.Minute)
	w.work(t.Context(), w)
	w.wantJob(j.ID, fmt.Sprintf("done %d 0", 3*access.JobPiece))
	if len(keys) != 3*access.JobPiece {
		t.Errorf("got %d keys, want one for each of %d rows", len(keys), 3*access.JobPiece)
	}
	if again := len(w.done) - len(keys); again != access.JobPiece {
		t.Errorf("got %d rows done twice, want those of one piece", again)
	}
}

func TestOneWorkerHasAShardUntilItsLeaseIsOver(t *testing.T) {
	w := newWorld(t)
	j := w.submit("acme", 1)
	hold := func(worker string, until time.Time) bool {
		mine, err := w.HoldJobs(t.Context(), 0, worker, w.now, until)
		if err != nil {
			t.Fatal(err)
		}
		return mine
	}
	if !hold("killed", w.now.Add(time.Minute)) || hold("another", w.now.Add(time.Minute)) || !hold("killed", w.now.Add(time.Minute)) {
		t.Error("want one worker to hold the shard, and to hold it longer")
	}
	w.work(t.Context(), w)
	w.now = w.now.Add(time.Minute - time.Millisecond)
	w.work(t.Context(), w)
	w.wantJob(j.ID, "queued 0 0")
	w.now = w.now.Add(time.Millisecond)
	w.work(t.Context(), w)
	w.wantJob(j.ID, "done 1 0")
}

func TestARowWithoutAnAnswerIsTriedAgainAndFailsAtLast(t *testing.T) {
	w := newWorld(t)
	w.do = func(_ context.Context, row *access.JobRow) (access.RowResult, error) {
		if row.Number == 2 {
			return access.RowResult{Status: 503, Code: "unavailable", Detail: "unplugged"}, errors.New("unplugged")
		}
		return access.RowResult{Status: 200}, nil
	}
	j, other := w.submit("acme", 3), w.submit("globex", 1)
	tries := func() int { return strings.Count(strings.Join(w.done, ","), "acme 2") }
	w.work(t.Context(), w)
	w.wantJob(j.ID, "running 1 0")
	w.wantJob(other.ID, "done 1 0")
	w.work(t.Context(), w)
	if got := tries(); got != 1 {
		t.Errorf("at the same instant: got %d attempts, want it to wait", got)
	}
	for range access.JobAttempts {
		w.now = w.now.Add(time.Minute)
		w.work(t.Context(), w)
	}
	w.wantJob(j.ID, "done 2 1")
	if got := tries(); got != access.JobAttempts {
		t.Errorf("got %d attempts, want %d", got, access.JobAttempts)
	}
}

func TestARunThatIsOutOfTimeLeavesTheRestToTheNextOne(t *testing.T) {
	w := newWorld(t)
	j := w.submit("acme", 5)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // less than a row may take
	defer cancel()
	if r := w.work(ctx, w); r.Rows != 0 {
		t.Errorf("got %+v, want no row begun", r)
	}
	if r := w.work(t.Context(), w); r.Rows != 5 || r.Jobs != 1 {
		t.Errorf("the next run: got %+v, want all rows", r)
	}
	w.wantJob(j.ID, "done 5 0")
}
