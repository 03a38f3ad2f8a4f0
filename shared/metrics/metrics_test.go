package metrics_test

import (
	"bytes"
	"encoding/json"
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
			"a decision", func(r *metrics.Recorder) { r.Decision("granted", 1) },
			`[["Stage","Reason"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}` + mid + `"Stage":"prod","Reason":"granted","Decisions":1}`,
		},
		{
			"many alike", func(r *metrics.Recorder) { r.Decision("no_grant", 99) },
			`[["Stage","Reason"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}` + mid + `"Stage":"prod","Reason":"no_grant","Decisions":99}`,
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
	r.Decision("granted", 1)
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
				r.Decision("user_not_assigned", 1)
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
	sink.Decision("granted", 1)
	if n := testing.AllocsPerRun(100, func() { sink.Decision("granted", 1) }); n > 0 {
		t.Errorf("got %v allocations for a decision, want none", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
