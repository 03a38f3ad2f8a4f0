package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"partneraccess/events"
)

// RequestMode says which partners may ask a customer for access.
type RequestMode string

// The modes. A partner with an open grant needs no code: the customer knows it.
const (
	RequestsOff    RequestMode = "off"
	RequestsByCode RequestMode = "code"  // whoever has the code that the customer hands out; the default
	RequestsKnown  RequestMode = "known" // partners that have, or had, a grant of this customer
	RequestsOpen   RequestMode = "open"  // every partner that a customer could grant access
)

// Limits of a policy, and what holds where the customer has not said.
const (
	DefaultRequestHours = 168
	MaxRequestHours     = 24 * 90
	MaxRequestDays      = 3650
	MaxApprovals        = 3
	MaxApprovers        = 20
)

// RequestPolicy is what a customer says about partners that ask for access. The zero value is a customer that has said nothing: see Or.
type RequestPolicy struct {
	Mode           RequestMode
	Approvers      []string // addresses, sorted: only these of the customer's admins decide; none = all admins
	Approvals      int      // how many different people have to approve the same terms
	Hours          int      // how long a request waits for a decision
	MaxDays        int      // the longest period that can be asked for; 0 = any, also without an end. Of an extension it begins now
	ReasonRequired bool
	CodeDigest     string // of the present code, see RequestCodeDigest; "" = there is none
	CodeMade       time.Time
	Version        int64 // how often it was changed
}

// Or returns the policy with what holds where the customer has not said.
func (p RequestPolicy) Or() RequestPolicy {
	if p.Mode == "" {
		p.Mode = RequestsByCode
	}
	if p.Approvals == 0 {
		p.Approvals = 1
	}
	if p.Hours == 0 {
		p.Hours = DefaultRequestHours
	}
	return p
}

// PublicVersion is the version that the API shows: 1 of a policy that the customer has never changed.
func (p RequestPolicy) PublicVersion() int64 { return p.Version + 1 }

// Decides reports whether the member decides about requests: an admin, and one of the approvers where the policy names some. Somebody who
// is named and no admin any more does not.
func (p RequestPolicy) Decides(m *Member) bool {
	return m != nil && m.Admin && (len(p.Approvers) == 0 || slices.Contains(p.Approvers, m.Email))
}

// The code that a customer hands out. It has no letters that look like others.
const (
	requestCodeLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	requestCodeLength  = 8
)

// RequestCode makes a code of random bytes, of which there have to be eight.
func RequestCode(random [requestCodeLength]byte) string {
	code := make([]byte, requestCodeLength)
	for i, b := range random {
		code[i] = requestCodeLetters[int(b)%len(requestCodeLetters)] // 256 is a multiple of 32: each letter is as likely
	}
	return string(code)
}

// RequestCodeDigest is what is stored of a customer's code. People may type it in lower case, and with spaces or hyphens.
func RequestCodeDigest(customer, code string) string {
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
	sum := sha256.Sum256([]byte(customer + "\n" + code))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// matches reports whether the code is the customer's, in the same time whatever it is.
func (p RequestPolicy) matches(customer, code string) bool {
	same := subtle.ConstantTimeCompare([]byte(RequestCodeDigest(customer, code)), []byte(p.CodeDigest)) == 1
	return same && p.CodeDigest != "" && code != ""
}

// Codes that were wrong: so many in so long, for one partner and one customer, whether or not there is that customer.
const (
	maxWrongCodes    = 5
	wrongCodesWithin = time.Hour
	wrongCodesTell   = 24 * time.Hour // the customer hears of one partner's wrong codes once in so long
)

// CodeAttempts counts what one partner tried at one customer in vain, see RequestFacts.
type CodeAttempts struct {
	Partner  string
	Customer string
	Count    int
	Since    time.Time // when the first of them was made, UTC
	Notified time.Time // when the customer was last notified, UTC; zero = never
	Version  int64
}

// left returns how many attempts are left, and after how long there are some again when there are none.
func (a *CodeAttempts) left(now time.Time) (n int, wait time.Duration) {
	if a == nil || !now.Before(a.Since.Add(wrongCodesWithin)) {
		return maxWrongCodes, 0
	}
	return max(0, maxWrongCodes-a.Count), a.Since.Add(wrongCodesWithin).Sub(now)
}

// PlanWrongCode plans that an attempt is counted. With the last one that an hour allows, the customer is notified, at most once a day for
// each partner, so that a partner cannot flood it. It is refused with TooManyRequests when none was left: then nobody learns anything of
// the attempt. The facts are those that the attempt was refused on.
func PlanWrongCode(f RequestFacts, customer, partner string, pc PlanContext) (Change, error) {
	left, wait := f.Attempts.left(pc.Now)
	if left == 0 {
		return Change{}, tooManyCodes(wait)
	}
	next := CodeAttempts{Partner: partner, Customer: customer, Since: pc.Now, Count: maxWrongCodes - left + 1}
	next.Version = f.Attempts.Stored() + 1
	if f.Attempts != nil {
		next.Notified = f.Attempts.Notified
		if left < maxWrongCodes {
			next.Since = f.Attempts.Since
		}
	}
	var c Change
	if left == 1 && f.Customer != nil && f.Customer.Status == Active && !pc.Now.Before(next.Notified.Add(wrongCodesTell)) {
		next.Notified = pc.Now
		asking := events.Organisation{ID: partner}
		if f.Partner != nil {
			asking.Name = f.Partner.Name
		}
		e := pc.asClock().event(events.RequestCodesRefused, f.Customer, nil, events.Data{Asking: &asking})
		c.Events = append(c.Events, e) // without the partner as a party: it would learn from its history that there is this customer
	}
	c.Writes = append(c.Writes, CodeAttemptsWrite{Before: f.Attempts, After: &next})
	return c, nil
}

func tooManyCodes(wait time.Duration) *Error {
	e := Refuse(TooManyRequests, "your organisation has tried in vain too often to ask this customer: try again later, with the right code")
	e.Wait = wait
	return e
}

// PolicyCommand replaces a customer's policy, but for the code.
type PolicyCommand struct {
	Seen int64 // PublicVersion of the policy that the caller read, or AnyVersion
	RequestPolicy
}

// PlanRequestPolicy plans that the customer has another policy. The members are those whom it names; each has to be an admin. The grants
// copy the mode, since a check says with it whether asking makes sense.
func PlanRequestPolicy(c *Customer, members []Member, cmd PolicyCommand, pc PlanContext) (Change, *Customer, error) {
	if c == nil || c.Status != Active {
		return Change{}, nil, notFound("customer")
	}
	for i, address := range cmd.Approvers {
		if !slices.ContainsFunc(members, func(m Member) bool { return m.Email == address && m.Admin }) {
			return Change{}, nil, Refuse(Invalid, "%s is no admin of this organisation: only admins grant access, and so decide about requests",
				address).At(userPointer(false, "/approvers", i))
		}
	}
	if v := c.Requests.PublicVersion(); cmd.Seen != AnyVersion && cmd.Seen != v {
		return Change{}, nil, versionMismatch("policy", cmd.Seen, v)
	}
	is := cmd.RequestPolicy
	is.CodeDigest, is.CodeMade, is.Version = c.Requests.CodeDigest, c.Requests.CodeMade, c.Requests.Version
	was := c.Requests.Or()
	var l alteredFields
	l.text("mode", string(was.Mode), string(is.Mode))
	l.list("approvers", was.Approvers, is.Approvers)
	add(&l, "approvals", was.Approvals, is.Approvals, number)
	add(&l, "hours", was.Hours, is.Hours, number)
	add(&l, "max_days", was.MaxDays, is.MaxDays, number)
	l.flag("reason_required", was.ReasonRequired, is.ReasonRequired)
	if len(l) == 0 {
		return Change{}, c, nil
	}
	slices.SortFunc(l, func(a, b events.Change) int { return strings.Compare(a.Field, b.Field) })
	return pc.changePolicy(c, is, l)
}

func number(n int) any {
	if n == 0 {
		return nil
	}
	return strconv.Itoa(n)
}

// PlanRequestCode plans that the customer hands out another code from now on: the one before opens nothing any more.
func PlanRequestCode(c *Customer, digest string, pc PlanContext) (Change, *Customer, error) {
	if c == nil || c.Status != Active {
		return Change{}, nil, notFound("customer")
	}
	is := c.Requests
	was := is.CodeMade
	is.CodeDigest, is.CodeMade = digest, pc.Now
	var l alteredFields
	l.instant("code_made_at", was, is.CodeMade)
	return pc.changePolicy(c, is, l)
}

func (pc PlanContext) changePolicy(c *Customer, is RequestPolicy, changes alteredFields) (Change, *Customer, error) {
	is.Version++
	after := *c
	after.Requests, after.Updated = is, pc.Now
	after.Version++
	d := events.Data{Version: after.Version, Changes: changes}
	for _, ch := range changes {
		d.Fields = append(d.Fields, ch.Field)
	}
	out := Change{
		Writes: []Write{CustomerWrite{Before: c, After: &after}},
		Events: []events.Event{pc.event(events.RequestPolicyEdited, &after, nil, d)},
	}
	if c.Requests.Or().Mode != is.Or().Mode {
		out.Writes = append(out.Writes, pc.rulesTask(c.ID))
	}
	return out, &after, nil
}
