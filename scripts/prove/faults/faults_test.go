package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/shared/manifest"
)

// The matrix. Whatever fails, what was asked for is there in the end exactly once, with its event, or, where the answer said no, not at
// all; every mail has come exactly once, but for the one gap that is documented, which is counted; and the counts of users are right.
func TestWhateverCallFailsInTheMiddleTheOutcomeIsTheSame(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var mu sync.Mutex
	var total tally
	t.Run("when", func(t *testing.T) {
		for _, u := range useCases() {
			t.Run(u.name, func(t *testing.T) {
				t.Parallel()
				got := prove(t, u)
				mu.Lock()
				defer mu.Unlock()
				total.add(got)
				t.Logf("%-48s %s", u.name, got)
			})
		}
	})
	t.Logf("%d use cases in %s: %s", len(useCases()), time.Since(began).Round(time.Second), total)

	// Whatever failed, no function has called what it may not.
	forbidden, _ := called.Compare(manifest.Functions(), manifest.Rights)
	for _, c := range forbidden {
		t.Errorf("called, and not allowed in shared/manifest/rights.go: %s", c)
	}
	kinds := len(called.Calls())
	if kinds == 0 {
		t.Error("got no call noted, want all of them")
	}
	t.Logf("%d kinds of calls, %d of them not allowed", kinds, len(forbidden))
}

// tally is what became of the runs of a use case.
type tally struct {
	sites, runs int
	first       int // were answered as done though a call failed: the SDK, or the function, tried again
	again       int // were done when the caller tried again
	later       int // were done when the stream, or the schedule, came by again
	was         int // were refused when the caller tried again, since they had been done: 404, 409, 410, 412
	twice       int // mails that came twice, in the gap
}

func (a *tally) add(b tally) {
	a.sites += b.sites
	a.runs += b.runs
	a.first += b.first
	a.again += b.again
	a.later += b.later
	a.was += b.was
	a.twice += b.twice
}

func (a tally) String() string {
	return fmt.Sprintf("%3d calls, %4d runs: %4d done at once, %4d when tried again, %3d later, %3d found done; %d mails twice in the gap",
		a.sites, a.runs, a.first, a.again, a.later, a.was, a.twice)
}

// picture is all that there is in the end.
type picture struct {
	records  string
	outside  []string
	receipts []string // and the tasks that are left for later
}

func (w *world) picture() picture {
	return picture{w.records(), w.outside(), append(w.receipts(), w.tasks()...)}
}

func prove(t *testing.T, u useCase) tally {
	w := newWorld(t)
	defer w.drop()
	found(w)
	if u.prepare != nil {
		u.prepare(w)
	}
	from := w.snapshot()
	from.silent = u.silent

	// Without a fault.
	w.restore(from)
	before := w.records()
	w.line.listen()
	if o := u.call(w); !o.done() {
		t.Fatalf("without a fault: got %s %s, want it done", o, o.body)
	}
	sites := telling(w.line.heard())
	if len(sites) == 0 {
		t.Fatal("without a fault: got no call, want some that can fail")
	}
	after := w.records()
	if after == before && !u.inParts {
		t.Fatal("without a fault: nothing changed")
	}
	w.settle(u.wait)
	want := w.picture()
	if wrong := w.miscounted(); wrong != "" {
		t.Errorf("without a fault: %s", wrong)
	}
	if left := w.named(u.erased); len(left) > 0 {
		t.Errorf("without a fault: %s is still named in %.500q", u.erased, left)
	}

	out := tally{sites: len(sites)}
	for i, site := range sites {
		for j, way := range waysOf(site) {
			if *amount == "half" && (i+j)%2 != 0 {
				continue
			}
			w.restore(from)
			r := &run{world: w, useCase: u, site: site, fault: way.fault, lasting: way.lasting}
			out.add(r.prove(before, after, want))
			if r.failed > 0 {
				return out
			}
		}
	}
	return out
}

// telling leaves out calls that are as others: of the lists of due work, of which there is one for each shard, the first and the last are
// looked at.
func telling(calls []call) []call {
	last := 0
	for _, c := range calls {
		if c.name == dueWork {
			last = max(last, c.n)
		}
	}
	return slices.DeleteFunc(calls, func(c call) bool { return c.name == dueWork && c.n != 0 && c.n != last })
}

// run is one use case with one call that fails.
type run struct {
	*world
	useCase
	site    call
	fault   fault
	lasting bool
	failed  int
}

func (r *run) errorf(format string, args ...any) {
	r.t.Helper()
	r.failed++
	lasting := ""
	if r.lasting {
		lasting = ", and all later ones"
	}
	r.t.Errorf("%s: %s%s: %s", r.site, r.fault, lasting, fmt.Sprintf(format, args...))
}

func (r *run) prove(before, after string, want picture) tally {
	w, out := r.world, tally{runs: 1}
	w.line.arm(r.site, r.fault, r.lasting)
	o := r.call(w)
	hit, died := w.line.disarm()
	if !hit {
		r.errorf("the call was not made this time")
		return out
	}
	if died {
		o = outcome{}
	}

	// What is there now is what was, or what was wanted: with its events, and as it was answered.
	now := w.records()
	switch {
	case r.inParts:
	case now != before && now != after:
		r.errorf("answered %s, got half of it: compared with what was asked for: %s", o,
			differences(strings.Split(now, "\n"), strings.Split(after, "\n")))
	case o.done() && now != after:
		r.errorf("answered %s, and it was not done", o)
	case !o.done() && !o.open():
		r.errorf("answered %s %s, want it done or unknown: the request is in order", o, o.body)
	}

	// Whoever called calls again, until it knows.
	switch {
	case o.done():
		out.first++
	default:
		for n := 0; o.open() && n < 4; n++ {
			if r.inParts { // SES's word comes within seconds, a batch or the schedule later
				w.want(w.feedback())
				w.advance(time.Minute)
			}
			o = r.call(w)
		}
		switch {
		case o.done():
			out.again++
		case o.open() && r.inParts:
			out.later++
		case o.open():
			r.errorf("got %s %s again and again, want it done once nothing fails any more", o, o.body)
		case now != after:
			r.errorf("got %s %s when tried again, and it is not done", o, o.body)
		default:
			out.was++
		}
	}

	w.settle(r.wait)
	if w.line.land(0) > 0 { // the call was not made again
		w.settle(0)
	}
	got := w.picture()
	if got.records != want.records {
		r.errorf("the records differ: %s", differences(strings.Split(got.records, "\n"), strings.Split(want.records, "\n")))
	}
	if wrong := w.miscounted(); wrong != "" {
		r.errorf("%s", wrong)
	}
	if left := w.named(r.erased); len(left) > 0 {
		r.errorf("%s is still named in %.500q", r.erased, left)
	}
	less, more := differ(got.outside, want.outside)
	gap := r.useCase.again != nil && r.useCase.again(r.site, r.fault, r.lasting) ||
		r.fault == straggles && r.site.operation() == "ses.SendEmail" // which SES takes only after its word on it was waited for in vain
	each := map[string]bool{}
	for _, m := range more {
		gap = gap && !each[m] && slices.Contains(want.outside, m) // twice, and never three times
		each[m] = true
	}
	if gap && len(less) == 0 && (r.lasting || r.fault.dies() || len(more) <= 1) {
		out.twice += len(more)
	} else if len(less)+len(more) > 0 {
		r.errorf("mails and accounts differ: %s", differences(got.outside, want.outside))
	}
	if !slices.Equal(got.receipts, want.receipts) {
		r.errorf("the receipts differ: %s", differences(got.receipts, want.receipts))
	}
	return out
}

// differ compares two lists as bags: what is missing, and what is too much.
func differ(got, want []string) (less, more []string) {
	n := map[string]int{}
	for _, s := range want {
		n[s]++
	}
	for _, s := range got {
		if n[s]--; n[s] < 0 {
			more = append(more, s)
		}
	}
	for s, left := range n {
		for range left {
			less = append(less, s)
		}
	}
	return less, more
}

func differences(got, want []string) string {
	less, more := differ(got, want)
	return fmt.Sprintf("\n\tmissing: %s\n\ttoo much: %s", strings.Join(less, "\n\t         "), strings.Join(more, "\n\t         "))
}
