package faults_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// line carries the requests of a world's clients, and fails one of them when it is told to.
type line struct {
	mu      sync.Mutex
	armed   bool
	target  call
	fault   fault
	lasting bool // all later calls of the same operation fail as well
	hit     bool
	dead    bool
	seen    map[string]int
	calls   []call
	changes int // calls that may have changed the table

	clock  func() time.Time
	astray []stray
}

// stray is a request whose sender has given up, and which lands later.
type stray struct {
	sent time.Time
	land func()
}

// signed is for how long a request's signature is good: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
const signed = 5 * time.Minute

func (l *line) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// call is one call of AWS: what it is about, and which of its kind it is within an invocation. So it is the same one in the next run, in
// whatever order calls that are made side by side come.
type call struct {
	name string // service, operation and partitions
	n    int
}

func (c call) String() string { return fmt.Sprintf("%s (%d)", c.name, c.n+1) }

// operation is what a lasting fault keeps failing.
func (c call) operation() string {
	op, _, _ := strings.Cut(c.name, " ")
	return op
}

// writes tells whether the call changes anything, so that a lost answer is not the same as a lost request.
func (c call) writes() bool {
	for _, read := range []string{
		"dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.Query", "dynamodb.TransactGetItems",
		"cognito.AdminGetUser", "cognito.AdminListGroupsForUser",
	} {
		if c.operation() == read {
			return false
		}
	}
	return true
}

// fault is a way in which a call fails.
type fault string

const (
	throttled fault = "throttled"               // refused, without effect
	broken    fault = "5xx"                     // likewise
	late      fault = "timed out before effect" // the request got lost
	lost      fault = "timed out after effect"  // the answer got lost
	cut       fault = "cut in the answer"       // after the effect: half of the answer comes
	// timed out, and has its effect once the same call was made again, by the SDK, or, when it lasts, by whoever calls again; but at last when
	// its signature ends
	straggles   fault = "lands after the retry"
	diesBefore  fault = "dies before" // the function ends in the middle, before the call
	diesBetween fault = "dies after"  // and after it, before anything else
)

// dies tells whether the function ends, with everything that it has under way.
func (f fault) dies() bool { return f == diesBefore || f == diesBetween }

// amount says in how many ways each call fails: in all; in those that tell more than others, which leaves out what differs in nothing but
// how the SDK takes it; or in every second of these, dealt so that two calls after another see all of them.
var amount = flag.String("ways", "half", "fail each call in `all` ways, in the telling ones, or in half of these")

// way is a fault, once or for good.
type way struct {
	fault   fault
	lasting bool
}

// waysOf are those in which a call is made to fail.
func waysOf(c call) []way {
	all := *amount == "all"
	switch {
	case c.writes() && all:
		return []way{
			{throttled, false},
			{broken, false},
			{late, false},
			{lost, false},
			{cut, false},
			{straggles, false},
			{diesBefore, false},
			{diesBetween, false},
			{throttled, true},
			{broken, true},
			{late, true},
			{lost, true},
			{cut, true},
			{straggles, true},
		}
	case c.writes(): // until it is tried again, what straggles is as what was late
		return []way{
			{straggles, false},
			{lost, false},
			{cut, false},
			{diesBefore, false},
			{diesBetween, false},
			{throttled, true},
			{lost, true},
			{straggles, true},
		}
	case all:
		return []way{
			{throttled, false},
			{broken, false},
			{late, false},
			{cut, false},
			{straggles, false},
			{diesBefore, false},
			{throttled, true},
			{broken, true},
			{late, true},
			{straggles, true},
		}
	}
	return []way{{throttled, true}, {diesBefore, false}}
}

// arm fails the call in the next invocation.
func (l *line) arm(c call, f fault, lasting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed, l.target, l.fault, l.lasting, l.hit, l.dead = true, c, f, lasting, false, false
	l.seen, l.calls = map[string]int{}, nil
}

// disarm says whether the call was made, and whether the function has died of it.
func (l *line) disarm() (hit, died bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hit, died = l.hit, l.dead
	l.armed, l.dead = false, false
	return hit, died
}

// listen begins a new count of calls; heard are those since.
func (l *line) listen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen, l.calls = map[string]int{}, nil
}

func (l *line) heard() []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// service is the line as one client has it.
type service struct {
	*line
	name string
	to   http.RoundTripper
}

func (s service) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	s.land(signed)
	f, overtakes := s.next(s.name, r, body)
	send := func() (*http.Response, error) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return s.to.RoundTrip(r)
	}
	drop := func(keep int64) (*http.Response, error) {
		res, err := send()
		if err != nil {
			return nil, err
		}
		whole, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if keep == 0 || err != nil {
			return nil, errors.Join(err, timeout{})
		}
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), torn{}))
		return res, nil
	}
	switch f {
	case "":
		res, err := send()
		if overtakes {
			s.land(0)
		}
		return res, err
	case straggles:
		s.lead(r, body)
	case throttled:
		return s.refuse(r,
			map[string]string{"dynamodb": "ThrottlingException", "ses": "TooManyRequestsException", "cognito": "TooManyRequestsException"}[s.name],
			map[string]int{"ses": 429}[s.name]), nil
	case broken:
		return s.refuse(r, "InternalServerError", 500), nil
	case lost, diesBetween:
		return drop(0)
	case cut:
		return drop(1)
	}
	return nil, timeout{}
}

func read(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(r.Body)
}

// lead leads a request astray. Nobody waits for its answer any more.
func (s service) lead(r *http.Request, body []byte) {
	late := r.Clone(context.WithoutCancel(r.Context()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.astray = append(s.astray, stray{s.clock(), func() {
		late.Body = io.NopCloser(bytes.NewReader(body))
		if res, err := s.to.RoundTrip(late); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}})
}

// land lets what went astray that long ago have its effect, and says how much that was.
func (l *line) land(age time.Duration) int {
	l.mu.Lock()
	var astray, younger []stray
	for _, s := range l.astray {
		if l.clock().Sub(s.sent) >= age {
			astray = append(astray, s)
		} else {
			younger = append(younger, s)
		}
	}
	l.astray = younger
	l.mu.Unlock()
	for _, s := range astray {
		s.land()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes += len(astray)
	return len(astray)
}

// next notes a call, and gives the fault that is meant for it, "" for none, and whether what went astray lands once this call is through.
func (l *line) next(service string, r *http.Request, body []byte) (f fault, overtakes bool) {
	c := call{name: service + "." + describe(r, body)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if service == "dynamodb" && c.writes() {
		l.changes++
	}
	if l.dead {
		return late, false
	}
	c.n = l.seen[c.name]
	l.seen[c.name]++
	l.calls = append(l.calls, c)
	switch {
	case !l.armed:
	case c == l.target && !l.hit:
		l.hit = true
		l.dead = l.fault.dies()
		return l.fault, false
	case l.hit && l.lasting && c.operation() == l.target.operation():
		return l.fault, false
	}
	return "", len(l.astray) > 0 && c.name == l.target.name
}

var (
	partition = regexp.MustCompile(`"(?:pk|:pk)":\{"S":"([^"]*)"\}`)
	made      = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}|^I#.*`) // what differs from run to run
	shard     = regexp.MustCompile(`^Q#\d$`)
)

// dueWork is a call that lists what is due in one shard.
const dueWork = "dynamodb.Query Q#"

func partitions(body []byte) []string {
	var out []string
	for _, m := range partition.FindAllSubmatch(body, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// describe names a call so that the same one in another run has the same name.
func describe(r *http.Request, body []byte) string {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case op == "" && strings.HasSuffix(r.URL.Path, "/invocations"):
		return "Invoke"
	case op == "":
		return "SendEmail"
	}
	var about []string
	for _, p := range partitions(body) {
		about = append(about, shard.ReplaceAllString(made.ReplaceAllString(p, "*"), "Q#"))
	}
	slices.Sort(about)
	if about = slices.Compact(about); len(about) > 6 {
		about = append(about[:6], "…")
	}
	return strings.TrimSpace(op + " " + strings.Join(about, " "))
}

func (s service) refuse(r *http.Request, code string, status int) *http.Response {
	if status == 0 {
		status = http.StatusBadRequest
	}
	return answer(r, status, code, `{"__type":"`+code+`","message":"a fault that the test makes"}`)
}

// answer is a service's answer; code "" is a success.
func answer(r *http.Request, status int, code, body string) *http.Response {
	h := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	if code != "" {
		h.Set("X-Amzn-Errortype", code)
	}
	return &http.Response{
		StatusCode: status, Request: r, ProtoMajor: 1, ProtoMinor: 1, Header: h,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

type timeout struct{}

func (timeout) Error() string   { return "read tcp: i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
