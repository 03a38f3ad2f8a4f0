// Package metrics writes the service's metrics for CloudWatch, in its embedded metric format: lines of JSON on a function's standard
// output, which CloudWatch Logs turns into metrics without a call, and so without time or rights
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//
// A line holds codes and numbers only: no ids, no names, no addresses.
package metrics

import (
	"io"
	"strconv"
	"sync"
	"time"
)

// Namespace is where CloudWatch keeps all metrics of the service.
const Namespace = "PartnerAccess"

// The metrics. Each has the dimension Stage, and some have another one.
const (
	Decisions   = "Decisions"   // by Decision: evaluations that were answered, and those that could not be
	GrantsEnded = "GrantsEnded" // by Reason: why, as the grant keeps it
	Mails       = "Mails"       // by State: what became of mails; one that is sent and then delivered counts under both
	SweepLag    = "SweepLag"    // seconds for which the oldest piece of due work had waited for the sweep; 0 when nothing was due
	BulkLag     = "BulkLag"     // seconds for which the job of bulk changes that waited longest had not been continued; 0 when there was none
	Contention  = "Contention"  // changes and readings that others got in between of, each time that was so
	PastGaps    = "PastGaps"    // answers about the past without versions of records that should have been kept for long
)

// The dimensions.
const (
	Stage    = "Stage"
	Decision = "Decision"
	Reason   = "Reason"
	State    = "State"
)

// The values of Decision. Each value of a dimension is a metric that AWS bills: why a check was denied or failed stands in the line as
// Reason, which CloudWatch Logs Insights finds, and is no dimension.
const (
	Allowed    = "allowed"
	Denied     = "denied"
	Unanswered = "unanswered" // Reason is its problem's code
)

// DefaultStage stands for a stage that was not named.
const DefaultStage = "local"

// Recorder writes the metrics of one deployment. It is safe for concurrent use; a nil one drops everything.
type Recorder struct {
	w     io.Writer
	now   func() time.Time
	stage string

	mu    sync.Mutex
	buf   []byte        // of the latest line, to be used again
	hold  time.Duration // how long allowed evaluations are kept back at most
	held  int           // of them
	since time.Time     // when the first of them was
}

// New returns a recorder that writes a line for each value, in one Write, to w. The stage, DefaultStage when it is "", is a dimension.
func New(w io.Writer, stage string, now func() time.Time) *Recorder {
	if stage == "" {
		stage = DefaultStage
	}
	return &Recorder{w: w, now: now, stage: stage}
}

// HoldAllowed has the recorder add allowed evaluations up, and write the sum once they are that old when the next one comes, or at Flush.
// Nearly all checks are allowed, and a line for each costs more than the rest of their logs. The line bears the time of the first of them.
func (r *Recorder) HoldAllowed(atMost time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = atMost
}

// Allowed counts n evaluations that were allowed.
func (r *Recorder) Allowed(n int) {
	if r == nil || n == 0 {
		return
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == 0 {
		r.since = now
	}
	r.held += n
	if now.Sub(r.since) >= r.hold {
		r.flush()
	}
}

// Flush writes what is kept back.
func (r *Recorder) Flush() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

func (r *Recorder) flush() {
	if r.held == 0 {
		return
	}
	r.line(r.since, figure{Decisions, "Count", Decision, Allowed, strconv.Itoa(r.held), ""})
	r.held = 0
}

// Denied counts n evaluations that were denied for that reason.
func (r *Recorder) Denied(reason string, n int) {
	r.write(figure{Decisions, "Count", Decision, Denied, strconv.Itoa(n), reason})
}

// Unanswered counts n evaluations that could not be answered, with their problem's code.
func (r *Recorder) Unanswered(code string, n int) {
	r.write(figure{Decisions, "Count", Decision, Unanswered, strconv.Itoa(n), code})
}

// GrantEnded counts a grant whose end was recorded.
func (r *Recorder) GrantEnded(reason string) {
	r.write(figure{GrantsEnded, "Count", Reason, reason, "1", ""})
}

// Mail counts a mail whose state was recorded.
func (r *Recorder) Mail(state string) {
	r.write(figure{Mails, "Count", State, state, "1", ""})
}

// Sweep records how long the oldest due work had waited.
func (r *Recorder) Sweep(lag time.Duration) {
	r.write(figure{SweepLag, "Seconds", "", "", strconv.FormatFloat(lag.Seconds(), 'f', 3, 64), ""})
}

// Bulk records how long the bulk job that waited longest had not been continued.
func (r *Recorder) Bulk(lag time.Duration) {
	r.write(figure{BulkLag, "Seconds", "", "", strconv.FormatFloat(lag.Seconds(), 'f', 3, 64), ""})
}

// Contended counts one write or snapshot that met a concurrent change.
func (r *Recorder) Contended() {
	r.write(figure{Contention, "Count", "", "", "1", ""})
}

// PastGap counts one answer about the past that lacked versions of records.
func (r *Recorder) PastGap() {
	r.write(figure{PastGaps, "Count", "", "", "1", ""})
}

// figure is one value, with the member of its dimension, if it has one beside the stage, and a reason that is no dimension.
type figure struct{ metric, unit, dimension, member, value, reason string }

// write writes one value, of now.
func (r *Recorder) write(f figure) {
	if r == nil {
		return
	}
	at := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line(at, f)
}

// line writes one value. It is built by hand: a check has no time for more.
func (r *Recorder) line(at time.Time, f figure) {
	b := append(r.buf[:0], `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, at.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":[["`+Stage+`"`...)
	if f.dimension != "" {
		b = append(b, `,"`...)
		b = append(b, f.dimension...)
		b = append(b, '"')
	}
	b = append(b, `]],"Metrics":[{"Name":"`...)
	b = append(b, f.metric...)
	b = append(b, `","Unit":"`...)
	b = append(b, f.unit...)
	b = append(b, `"}]}]},"`+Stage+`":"`...)
	b = appendPlain(b, r.stage)
	if f.dimension != "" {
		b = append(b, `","`...)
		b = append(b, f.dimension...)
		b = append(b, `":"`...)
		b = appendPlain(b, f.member)
	}
	if f.reason != "" {
		b = append(b, `","`+Reason+`":"`...)
		b = appendPlain(b, f.reason)
	}
	b = append(b, `","`...)
	b = append(b, f.metric...)
	b = append(b, `":`...)
	b = append(b, f.value...)
	b = append(b, "}\n"...)
	r.buf = b
	_, _ = r.w.Write(b) // a figure that is lost must not fail what it tells of
}

// appendPlain appends a dimension's value: a code of the service, or the stage. CloudWatch takes 1 to 250 characters of ASCII; what would
// need an escape besides is written as "_".
func appendPlain(b []byte, s string) []byte {
	const most = 250
	if s == "" {
		s = "_"
	}
	for i := range min(len(s), most) {
		c := s[i]
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			c = '_'
		}
		b = append(b, c)
	}
	return b
}
