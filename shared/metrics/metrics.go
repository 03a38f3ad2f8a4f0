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
	Decisions   = "Decisions"   // by Reason: evaluations that were answered; one that could not be, under its problem's code
	GrantsEnded = "GrantsEnded" // by Reason: why, as the grant keeps it
	Mails       = "Mails"       // by State: what became of mails; one that is sent and then delivered counts under both
	SweepLag    = "SweepLag"    // seconds for which the oldest piece of due work had waited for the sweep; 0 when nothing was due
	Contention  = "Contention"  // changes and readings that others got in between of, each time that was so
)

// The dimensions.
const (
	Stage  = "Stage"
	Reason = "Reason"
	State  = "State"
)

// DefaultStage stands for a stage that was not named.
const DefaultStage = "local"

// Recorder writes the metrics of one deployment. It is safe for concurrent use; a nil one drops everything.
type Recorder struct {
	w     io.Writer
	now   func() time.Time
	stage string

	mu  sync.Mutex
	buf []byte // of the latest line, to be used again
}

// New returns a recorder that writes a line for each value, in one Write, to w. The stage, DefaultStage when it is "", is a dimension.
func New(w io.Writer, stage string, now func() time.Time) *Recorder {
	if stage == "" {
		stage = DefaultStage
	}
	return &Recorder{w: w, now: now, stage: stage}
}

// Decision counts n evaluations with the same answer.
func (r *Recorder) Decision(reason string, n int) {
	r.write(Decisions, "Count", Reason, reason, strconv.Itoa(n))
}

// GrantEnded counts a grant whose end was recorded.
func (r *Recorder) GrantEnded(reason string) {
	r.write(GrantsEnded, "Count", Reason, reason, "1")
}

// Mail counts a mail whose state was recorded.
func (r *Recorder) Mail(state string) {
	r.write(Mails, "Count", State, state, "1")
}

// Sweep records how long the oldest due work had waited.
func (r *Recorder) Sweep(lag time.Duration) {
	r.write(SweepLag, "Seconds", "", "", strconv.FormatFloat(lag.Seconds(), 'f', 3, 64))
}

// Contended counts one write or snapshot that met a concurrent change.
func (r *Recorder) Contended() {
	r.write(Contention, "Count", "", "", "1")
}

// write writes one value. The line is built by hand: a check has no time for more.
func (r *Recorder) write(metric, unit, dimension, member, value string) {
	if r == nil {
		return
	}
	at := r.now().UnixMilli()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := append(r.buf[:0], `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":[["`+Stage+`"`...)
	if dimension != "" {
		b = append(b, `,"`...)
		b = append(b, dimension...)
		b = append(b, '"')
	}
	b = append(b, `]],"Metrics":[{"Name":"`...)
	b = append(b, metric...)
	b = append(b, `","Unit":"`...)
	b = append(b, unit...)
	b = append(b, `"}]}]},"`+Stage+`":"`...)
	b = appendPlain(b, r.stage)
	if dimension != "" {
		b = append(b, `","`...)
		b = append(b, dimension...)
		b = append(b, `":"`...)
		b = appendPlain(b, member)
	}
	b = append(b, `","`...)
	b = append(b, metric...)
	b = append(b, `":`...)
	b = append(b, value...)
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
