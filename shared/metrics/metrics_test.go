package metrics_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/shared/metrics"
)

var noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

func at() time.Time { return noon }

func TestALineIsWhatCloudWatchReads(t *testing.T) {
	t.Parallel()
	const head, mid = `{"_aws":{"Timestamp":1795348800000,"CloudWatchMetrics":[{"Namespace":"PartnerAccess","Dimensions":`, `]}]},`
	for _, c := range []struct {
		name string
		do   func(*metrics.Recorder)
		want string
	}{
		{
			"an allowed check", func(r *metrics.Recorder) { r.Allowed(1) },
			`[["Stage","Decision"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}` + mid + `"Stage":"prod","Decision":"allowed","Decisions":1}`,
		},
		{
			"many that are denied alike", func(r *metrics.Recorder) { r.Denied("no_grant", 99) },
			`[["Stage","Decision"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}` + mid +
				`"Stage":"prod","Decision":"denied","Reason":"no_grant","Decisions":99}`,
		},
		{
			"one that cannot be answered", func(r *metrics.Recorder) { r.Unanswered("invalid", 1) },
			`[["Stage","Decision"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}` + mid +
				`"Stage":"prod","Decision":"unanswered","Reason":"invalid","Decisions":1}`,
		},
		{
			"an end", func(r *metrics.Recorder) { r.GrantEnded("expired") },
			`[["Stage","Reason"]],"Metrics":[{"Name":"GrantsEnded","Unit":"Count"}` + mid + `"Stage":"prod","Reason":"expired","GrantsEnded":1}`,
		},
		{
			"a mail", func(r *metrics.Recorder) { r.Mail("sent") },
			`[["Stage","State"]],"Metrics":[{"Name":"Mails","Unit":"Count"}` + mid + `"Stage":"prod","State":"sent","Mails":1}`,
		},
		{
			"a sweep that was late", func(r *metrics.Recorder) { r.Sweep(90*time.Second + 5*time.Millisecond) },
			`[["Stage"]],"Metrics":[{"Name":"SweepLag","Unit":"Seconds"}` + mid + `"Stage":"prod","SweepLag":90.005}`,
		},
		{
			"a sweep with nothing to do", func(r *metrics.Recorder) { r.Sweep(0) },
			`[["Stage"]],"Metrics":[{"Name":"SweepLag","Unit":"Seconds"}` + mid + `"Stage":"prod","SweepLag":0.000}`,
		},
		{
			"contention", func(r *metrics.Recorder) { r.Contended() },
			`[["Stage"]],"Metrics":[{"Name":"Contention","Unit":"Count"}` + mid + `"Stage":"prod","Contention":1}`,
		},
	} {
		var out bytes.Buffer
		c.do(metrics.New(&out, "prod", at))
		if got := out.String(); got != head+c.want+"\n" {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, head+c.want)
		}
	}
}

func TestWhateverTheCodeOrTheStageTheLineIsOneObject(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a b", `a"b`, `a\b`, "a\nb", "ü", strings.Repeat("x", 1000)} {
		var out bytes.Buffer
		metrics.New(&out, s, at).Mail(s)
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
			t.Errorf("%q: got %q (%v), want one line of JSON", s, out.Bytes(), err)
		}
		for _, name := range []string{"Stage", "State"} {
			if v, _ := line[name].(string); v == "" || len(v) > 250 {
				t.Errorf("%q: %s: got %q, want 1 to 250 characters", s, name, v)
			}
		}
	}
}

func TestARecorderThatIsNilDropsEverything(t *testing.T) {
	t.Parallel()
	var r *metrics.Recorder
	r.Allowed(1)
	r.Flush()
	r.Denied("no_grant", 1)
	r.Unanswered("invalid", 1)
	r.GrantEnded("expired")
	r.Mail("sent")
	r.Sweep(time.Second)
	r.Contended()
}

// whole counts the writes that are one line.
type whole struct {
	mu    sync.Mutex
	lines int
	other int
}

func (w *whole) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if json.Valid(b) && bytes.IndexByte(b, '\n') == len(b)-1 {
		w.lines++
	} else {
		w.other++
	}
	return len(b), nil
}

func TestLinesOfManyAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	w := &whole{}
	r := metrics.New(w, "", time.Now)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				r.Denied("user_not_assigned", 1)
				r.Contended()
			}
		})
	}
	wg.Wait()
	if w.lines != 3200 || w.other != 0 {
		t.Errorf("got %d whole lines and %d other writes, want 3200 and 0", w.lines, w.other)
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	sink := metrics.New(discard{}, "prod", at)
	sink.Allowed(1)
	if n := testing.AllocsPerRun(100, func() { sink.Allowed(1); sink.Denied("no_grant", 1) }); n > 0 {
		t.Errorf("got %v allocations for a decision, want none", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestAllowedChecksAreAddedUpForAMinuteAndNoneIsLost(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := noon
	r := metrics.New(&out, "prod", func() time.Time { return now })
	r.HoldAllowed(time.Minute)
	step := func(after time.Duration, do func(), want string) {
		t.Helper()
		out.Reset()
		now = noon.Add(after)
		do()
		var line struct {
			At        struct{ Timestamp int64 } `json:"_aws"`
			Decision  string
			Decisions int
		}
		got := ""
		if out.Len() > 0 {
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%s: %v", out.Bytes(), err)
			}
			got = fmt.Sprintf("%s %d of %s", line.Decision, line.Decisions, time.UnixMilli(line.At.Timestamp).UTC().Format(time.TimeOnly))
		}
		if got != want {
			t.Errorf("after %s: got %q, want %q", after, got, want)
		}
	}
	step(0, func() { r.Allowed(1) }, "")
	step(time.Second, func() { r.Allowed(50) }, "")
	step(2*time.Second, func() { r.Denied("no_grant", 1) }, "denied 1 of 12:00:02") // at once
	step(time.Minute-time.Millisecond, func() { r.Allowed(1) }, "")
	step(time.Minute, func() { r.Allowed(1) }, "allowed 53 of 12:00:00")
	step(time.Hour, func() { r.Allowed(2) }, "")
	step(2*time.Hour, r.Flush, "allowed 2 of 13:00:00")
	step(3*time.Hour, r.Flush, "")
}
