package stack

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partneraccess/scripts/local/engine"
)

// Addresses of these domains make SES do what it does to mails that cannot be delivered.
const (
	refusedDomain    = "refused.example"    // SendEmail refuses the mail
	bouncedDomain    = "bounced.example"    // it is taken, and comes back for good
	fullDomain       = "full.example"       // it is taken, and comes back because the mailbox is full: a transient bounce
	suppressedDomain = "suppressed.example" // it is taken and dropped, because the address is on the suppression list, until it is taken off
	complainedDomain = "complained.example" // it arrives, and its reader calls it spam
)

// sesPath is where the stack serves the API: a client's base endpoint is the stack's URL and this.
const sesPath = "/_local/ses"

// feedbackAfter is how long SES takes to say what has become of a mail. In AWS it is seconds.
const feedbackAfter = 150 * time.Millisecond

// SES speaks as much of Amazon SES's API v2 as sending needs, checks what SES checks, and puts the mails into the mailbox. What
// becomes of a mail it tells the feedback function, as EventBridge would. It keeps the account's suppression list. Its faults are for
// tests.
type SES struct {
	box      *Mailbox
	now      func() time.Time
	feedback func(ctx context.Context, event []byte) error // nil: nobody wants to know
	log      *slog.Logger

	background context.Context //nolint:containedctx // the stack's: feedback outlives the request that causes it
	wg         sync.WaitGroup

	mu     sync.Mutex
	faults []fault
	listed map[string]bool // by address: it has come onto the suppression list, or false: it was taken off
}

type fault struct {
	status  int
	kind    string
	message string
	lose    bool // what was asked is done and the answer lost
}

// Throttle refuses the next n sendings, as SES does when they come faster than the account may send.
func (s *SES) Throttle(n int) {
	s.plan(n, fault{status: http.StatusTooManyRequests, kind: "TooManyRequestsException", message: "Maximum sending rate exceeded."})
}

// Fail answers the next n sendings with an internal error; no mail is sent.
func (s *SES) Fail(n int) {
	s.plan(n, fault{status: http.StatusInternalServerError, kind: "InternalServiceErrorException", message: "Internal error."})
}

// Pause refuses the next n sendings, as SES does when it has paused the account.
func (s *SES) Pause(n int) {
	s.plan(n, fault{status: http.StatusBadRequest, kind: "SendingPausedException", message: "Sending is paused for this account."})
}

// Lose takes the next n mails and cuts the connection before it has answered.
func (s *SES) Lose(n int) { s.plan(n, fault{lose: true}) }

// Heal forgets the faults that have not happened yet.
func (s *SES) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *SES) plan(n int, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.faults = append(s.faults, f)
	}
}

func (s *SES) nextFault() (f fault, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 {
		return fault{}, false
	}
	f, s.faults = s.faults[0], s.faults[1:]
	return f, true
}

// sending is the body of SendEmail (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html).
type sending struct {
	FromEmailAddress     string
	ConfigurationSetName string
	Destination          struct{ ToAddresses, CcAddresses, BccAddresses []string }
	ReplyToAddresses     []string
	EmailTags            []pair
	Content              struct {
		Simple *struct {
			Subject content
			Body    struct{ Text, HTML *content }
			Headers []pair
		}
	}
}

type pair struct{ Name, Value string }

type content struct{ Data, Charset string }

// The limits that the API's reference gives.
var (
	tagText    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	headerName = regexp.MustCompile(`^[!-9;-~]{1,126}$`)
	headerText = regexp.MustCompile(`^[ -~]{1,995}$`)
)

// serve adds what SES answers.
func (s *SES) serve(mux *http.ServeMux) {
	mux.Handle("POST "+sesPath+"/v2/email/outbound-emails", s)
	mux.HandleFunc("DELETE "+sesPath+"/v2/email/suppression/addresses/{address}", s.takeOff)
}

// takeOff answers DeleteSuppressedDestination
// (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DeleteSuppressedDestination.html).
func (s *SES) takeOff(w http.ResponseWriter, r *http.Request) {
	f, faulty := s.nextFault()
	if faulty && !f.lose {
		sesError(w, f)
		return
	}
	address := r.PathValue("address")
	was := s.list(address, false)
	if faulty {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	if !was {
		sesError(w,
			fault{
				status: http.StatusNotFound, kind: "NotFoundException",
				message: "Email address " + address + " does not exist on your suppression list.",
			})
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// list puts an address onto the suppression list, or takes it off, and tells whether it was on it.
func (s *SES) list(address string, on bool) (was bool) {
	address = strings.ToLower(plain(address))
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.suppresses(address)
	if s.listed == nil {
		s.listed = map[string]bool{}
	}
	s.listed[address] = on
	return was
}

// suppresses tells whether an address, in lower case, is on the suppression list. The caller has the lock.
func (s *SES) suppresses(address string) bool {
	on, known := s.listed[address]
	return on || !known && domainOf(address) == suppressedDomain
}

// ServeHTTP answers SendEmail.
func (s *SES) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 40<<20))
	if err != nil {
		sesError(w, fault{status: http.StatusBadRequest, kind: "BadRequestException", message: "The message is too large."})
		return
	}
	var in sending
	if err := json.Unmarshal(body, &in); err != nil {
		sesError(w, fault{status: http.StatusBadRequest, kind: "BadRequestException", message: "The body is not understood: " + err.Error()})
		return
	}
	f, faulty := s.nextFault()
	if faulty && !f.lose {
		sesError(w, f)
		return
	}
	if why := in.wrong(); why != "" {
		sesError(w, fault{status: http.StatusBadRequest, kind: "BadRequestException", message: why})
		return
	}
	to := in.Destination.ToAddresses[0]
	if domainOf(to) == refusedDomain {
		sesError(w, fault{status: http.StatusBadRequest, kind: "MessageRejected", message: "Email address is not verified: " + to})
		return
	}
	m := in.mail(s.now().UTC())
	s.box.Add(m)
	s.mu.Lock()
	dropped := s.suppresses(strings.ToLower(plain(to)))
	s.mu.Unlock()
	if !dropped && domainOf(to) == bouncedDomain { // the configuration set keeps nobody off who complains
		s.list(to, true)
	}
	s.tell(m, in.ConfigurationSetName, dropped)
	if faulty {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	writeJSON(w, http.StatusOK, map[string]string{"MessageId": m.ID})
}

// wrong says why SES would not take it, or nothing.
func (in *sending) wrong() string {
	c := in.Content.Simple
	all := append(append(append([]string{}, in.Destination.ToAddresses...), in.Destination.CcAddresses...), in.Destination.BccAddresses...)
	if c == nil {
		return "Only simple content is understood here."
	}
	if len(all) != 1 || len(in.Destination.ToAddresses) != 1 { // SES takes 50, but one must not see the others
		return "Here a mail has one recipient."
	}
	for _, a := range append(append(all, in.FromEmailAddress), in.ReplyToAddresses...) {
		if _, err := mail.ParseAddress(a); err != nil || !ascii(a) {
			return "Illegal address: " + a
		}
	}
	if c.Subject.Data == "" || strings.ContainsAny(c.Subject.Data, "\r\n") {
		return "Illegal subject."
	}
	if c.Body.Text == nil && c.Body.HTML == nil {
		return "There is no body."
	}
	if len(in.EmailTags) > 50 || len(c.Headers) > 15 {
		return "Too many tags or headers."
	}
	for _, t := range in.EmailTags {
		if !tagText.MatchString(t.Name) || !tagText.MatchString(t.Value) {
			return "Illegal tag: " + t.Name + "=" + t.Value
		}
	}
	for _, h := range c.Headers {
		if !headerName.MatchString(h.Name) || !headerText.MatchString(h.Value) || len(h.Name)+len(h.Value) > 996 {
			return "Illegal header: " + h.Name
		}
	}
	return ""
}

// ascii: SES takes no other addresses; a name before one has to be an encoded word.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func (in *sending) mail(at time.Time) Mail {
	c := in.Content.Simple
	from := in.FromEmailAddress
	if a, err := mail.ParseAddress(from); err == nil && a.Name != "" {
		from = a.Name + " <" + a.Address + ">" // as a mail program shows it
	}
	m := Mail{
		ID: messageID(), To: in.Destination.ToAddresses[0], From: from, Subject: c.Subject.Data,
		Headers: map[string]string{}, Tags: map[string]string{}, At: at,
	}
	if t := c.Body.Text; t != nil {
		m.Text = t.Data
	}
	if h := c.Body.HTML; h != nil {
		m.HTML = h.Data
	}
	for _, h := range c.Headers {
		m.Headers[h.Name] = h.Value
	}
	if len(in.ReplyToAddresses) > 0 {
		m.Headers["Reply-To"] = strings.Join(in.ReplyToAddresses, ", ")
	}
	for _, t := range in.EmailTags {
		m.Tags[t.Name] = t.Value
	}
	m.Event = strings.ReplaceAll(m.Tags["type"], "-", ".") // a tag has no dots
	return m
}

// messageID looks like SES's own.
func messageID() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	h := hex.EncodeToString(b)
	return h[:16] + "-" + h[16:24] + "-" + h[24:28] + "-" + h[28:32] + "-" + h[32:36] + "-" + h[36:48] + "-000000"
}

func sesError(w http.ResponseWriter, f fault) {
	w.Header().Set("X-Amzn-Errortype", f.kind)
	writeJSON(w, f.status, map[string]string{"message": f.message})
}

// plain is an address without the name that may stand before it.
func plain(address string) string {
	if a, err := mail.ParseAddress(address); err == nil {
		return a.Address
	}
	return address
}

// domainOf is the domain of an address, which may have a name before it.
func domainOf(address string) string {
	a := plain(address)
	return strings.ToLower(a[strings.LastIndexByte(a, '@')+1:])
}

// tell has the feedback function hear what became of a mail. As Lambda does for events that nobody waits for, it tries three times.
func (s *SES) tell(m Mail, set string, dropped bool) {
	if s.feedback == nil || s.background.Err() != nil {
		return
	}
	event, err := json.Marshal(feedbackEvent(m, set, dropped, s.now().UTC()))
	if err != nil {
		s.log.Error("a mail's feedback cannot be encoded", "error", err.Error())
		return
	}
	s.wg.Go(func() {
		for attempt := range 3 {
			if !sleep(s.background, feedbackAfter<<(3*attempt)) {
				return
			}
			err := s.feedback(s.background, event)
			if err == nil {
				return
			}
			s.log.Warn("function failed", "function", "feedback", "attempt", attempt+1, "error", err.Error())
		}
	})
}

// feedbackEvent is what EventBridge makes of an event of SES's configuration set
// (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html has the detail's fields). Dropped: the address
// is on the suppression list.
func feedbackEvent(m Mail, set string, dropped bool, at time.Time) events.EventBridgeEvent {
	stamp := at.Format("2006-01-02T15:04:05.000Z")
	address := plain(m.To)
	tags := map[string][]string{"ses:configuration-set": {set}, "ses:source-ip": {"127.0.0.1"}}
	for name, value := range m.Tags {
		tags[name] = []string{value}
	}
	detail := map[string]any{"mail": map[string]any{
		"timestamp": m.At.Format("2006-01-02T15:04:05.000Z"), "source": m.From, "sendingAccountId": accountID, "messageId": m.ID,
		"destination": []string{address}, "headersTruncated": false, "tags": tags,
	}}
	bounce := func(kind, sub, status, diagnostic string) string {
		detail["eventType"] = "Bounce"
		detail["bounce"] = map[string]any{
			"feedbackId": messageID(), "bounceType": kind, "bounceSubType": sub, "timestamp": stamp,
			"bouncedRecipients": []map[string]string{{"emailAddress": address, "action": "failed", "status": status, "diagnosticCode": diagnostic}},
		}
		return "Email Bounced"
	}
	var detailType string
	switch domain := domainOf(m.To); {
	case dropped:
		detailType = bounce("Permanent", "OnAccountSuppressionList", "5.1.1",
			"Amazon SES did not send the message to this address because it is on the suppression list for your account.")
	case domain == bouncedDomain:
		detailType = bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")
	case domain == fullDomain:
		detailType = bounce("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full")
	case domain == complainedDomain:
		detailType = "Email Complaint Received"
		detail["eventType"] = "Complaint"
		detail["complaint"] = map[string]any{
			"feedbackId": messageID(), "timestamp": stamp, "arrivalDate": stamp, "complaintFeedbackType": "abuse", "userAgent": "Local stack",
			"complainedRecipients": []map[string]string{{"emailAddress": address}},
		}
	default:
		detailType = "Email Delivered"
		detail["eventType"] = "Delivery"
		detail["delivery"] = map[string]any{
			"timestamp": stamp, "processingTimeMillis": 7, "recipients": []string{address}, "smtpResponse": "250 2.0.0 OK",
			"reportingMTA": "localhost",
		}
	}
	raw, err := json.Marshal(detail)
	if err != nil { // maps of texts
		panic(err)
	}
	return events.EventBridgeEvent{
		Version: "0", ID: newInvocationID(), DetailType: detailType, Source: "aws.ses", AccountID: accountID, Time: at.Truncate(time.Second),
		Region: engine.Region, Resources: []string{"arn:aws:ses:" + engine.Region + ":" + accountID + ":configuration-set/" + set}, Detail: raw,
	}
}

// wait waits until no feedback is under way, once the background has ended.
func (s *SES) wait() { s.wg.Wait() }

// newFeedback calls the manifest's function that hears of the mails; nil when it has no handler.
func (s *Stack) newFeedback() func(context.Context, []byte) error {
	for _, f := range s.functions {
		if f.Feedback && s.handlers[f.Name] != nil {
			return func(ctx context.Context, event []byte) error {
				_, err := invoke(context.WithoutCancel(ctx), s.handlers, f, newInvocationID(), event)
				return err
			}
		}
	}
	return nil
}
