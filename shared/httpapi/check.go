package httpapi

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/metrics"
)

// FactSource is where decisions find their facts. Every error of it means that a question cannot be answered now.
type FactSource interface {
	// Facts reads the facts of all questions, in their order. What is not there is nil.
	Facts(ctx context.Context, qs []access.FactsQuery, c access.Consistency) ([]access.Facts, error)
	// UserByEmail is the id of the partner's user with the address, "" when there is none.
	UserByEmail(ctx context.Context, address string) (string, error)
	// CustomersOf lists customers that may have a grant for the partner, PartnersOf partners that may have one of the customer, and
	// UsersOf the partner's users: candidates, each to be decided.
	CustomersOf(ctx context.Context, partner string, ask access.PageRequest) (access.Page[string], error)
	PartnersOf(ctx context.Context, customer string, ask access.PageRequest) (access.Page[string], error)
	UsersOf(ctx context.Context, partner string, ask access.PageRequest) (access.Page[string], error)
}

// CheckConfig is what the decision endpoints need.
type CheckConfig struct {
	Facts     FactSource
	Catalogue *access.Catalogue
	Now       func() time.Time
	BaseURL   string // of the service, as callers see it, without a slash at the end
	Log       *slog.Logger
	Metrics   *metrics.Recorder // nil: nothing is counted
}

// NewCheck answers the decision endpoints, OpenID AuthZEN Authorization API 1.0 under /access/v1, and its discovery document. A token with
// the scope partner-access/check may ask anything; a partner's user, known by a verified e-mail address, only about itself.
func NewCheck(c CheckConfig) lambda.Handler {
	k := &check{CheckConfig: c, header: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}}
	return Lambda(k.handle, c.Log)
}

type check struct {
	CheckConfig
	header  map[string]string // of every answer; never written to
	walkers sync.Pool         // of *walker
}

func (k *check) handle(ctx context.Context, r *Request) Response {
	var body []byte
	var refused *access.Error
	quoted, header := false, k.header
	switch r.RouteKey {
	case "POST /access/v1/evaluation", "POST /access/v1/evaluations":
		quoted = true
		var at time.Time
		if body, at, refused = k.evaluate(ctx, r, r.RouteKey == "POST /access/v1/evaluations"); !at.IsZero() {
			header = maps.Clone(header)
			header["Evaluated-At"] = at.Format(evaluatedAt)
		}
	case "POST /access/v1/search/subject":
		body, refused = k.search(ctx, r, needs{action: true, resourceID: true}, k.subjects)
	case "POST /access/v1/search/resource":
		body, refused = k.search(ctx, r, needs{subjectID: true, action: true}, k.resources)
	case "POST /access/v1/search/action":
		body, refused = k.search(ctx, r, needs{subjectID: true, resourceID: true}, k.actions)
	case "GET /.well-known/authzen-configuration":
		body = k.configuration()
	default:
		refused = access.Refuse(access.NotFound, "There is nothing here.")
	}
	if refused != nil {
		return refusal(refused, r.RequestID)
	}
	return Response{Status: http.StatusOK, Header: header, Body: body, quoted: quoted}
}

// read reads a request's body.
func (k *check) read(r *Request, evaluations bool) (*batch, *access.Error) {
	w, _ := k.walkers.Get().(*walker)
	if w == nil {
		w = &walker{}
	}
	defer k.walkers.Put(w)
	return w.readAsk(r, evaluations)
}

// matter is a question on its way to an answer.
type matter struct {
	user     string // the subject, "" while or because it is unknown
	address  string // of a subject that is named by it
	customer string // of a customer's resource
	portal   bool   // it is about a partner's portal
	partner  string // which
	known    bool   // the resource's type is
	failed   *access.Error
	decision access.Decision
}

// evaluatedAt is how the instant of a decision is written: always with milliseconds.
const evaluatedAt = "2006-01-02T15:04:05.000Z07:00"

// evaluate answers a question, or a batch of them. The instant is that of a batch's decisions, which stands in a header, so that a repeated batch has the
// same body; zero for a single question, in whose context it stands.
func (k *check) evaluate(ctx context.Context, r *Request, many bool) ([]byte, time.Time, *access.Error) {
	b, refused := k.read(r, many)
	if refused != nil {
		return nil, time.Time{}, refused
	}
	matters := make([]matter, len(b.asks))
	for i := range b.asks {
		a, m := &b.asks[i], &matters[i]
		if m.failed = a.flawed(needs{true, true, true}); m.failed == nil {
			m.failed = k.understand(a, m)
		}
	}
	if !b.many && matters[0].failed != nil {
		return nil, time.Time{}, matters[0].failed
	}
	if refused := k.mayAsk(ctx, r, matters); refused != nil {
		return nil, time.Time{}, refused
	}
	k.name(ctx, r, matters)
	now := k.decide(ctx, r, b.asks, matters)
	if b.many {
		matters = answered(b.semantic, matters)
		k.count(matters)
		return appendDecisions(r.room(32+384*len(matters)), matters), now, nil
	}
	k.count(matters)
	if m := &matters[0]; m.failed != nil {
		return nil, time.Time{}, m.failed
	}
	return appendDecision(r.room(512), &matters[0].decision, now), time.Time{}, nil
}

// understand translates a question into the service's own terms.
func (k *check) understand(a *ask, m *matter) *access.Error {
	if a.subject.kind == "user" {
		switch id := a.subject.id; {
		case access.ValidUserID(id):
			m.user = id
		case strings.Contains(id, "@"):
			m.address, _ = access.ParseEmail(id)
		}
	}
	if a.resource.kind == access.PartnerType {
		m.portal, m.partner, m.known = true, a.resource.id, true
		return nil
	}
	t, ok := k.Catalogue.Resource(a.resource.kind)
	if !ok {
		return nil
	}
	m.known = true
	m.customer = a.resource.id
	if !t.Self {
		if !a.resource.owned {
			f := flaw{"/properties/customer", "This is missing: it names the customer whose resource it is."}
			return f.at(a.resource.item, "/resource")
		}
		m.customer = a.resource.customer
	}
	return nil
}

// mayAsk refuses a caller who asks about others than it may.
func (k *check) mayAsk(ctx context.Context, r *Request, matters []matter) *access.Error {
	account, err := accountOf(&r.Claims)
	if err != nil {
		return access.Refuse(unauthenticated, "It is unclear which account this token was made out to: sign in again.")
	}
	if account == "" && slices.Contains(r.Claims.Scopes, ScopeCheck) {
		return nil
	}
	if r.Claims.Email == "" {
		return access.Refuse(access.Forbidden, "This needs a token with the scope %s, or one of a partner's user with a verified e-mail address.", ScopeCheck)
	}
	me, err := k.Facts.UserByEmail(ctx, r.Claims.Email)
	if err != nil {
		return k.unread(ctx, r, err)
	}
	if account != "" && !access.SameAccount(account, me) { // the address has changed hands since
		return access.Refuse(unauthenticated, "This token was made out to an account that has another address now, or is gone: sign in again.")
	}
	for i := range matters {
		m := &matters[i]
		mine := me != "" && (m.user == me || m.address == r.Claims.Email)
		if !mine && (m.failed == nil || m.user != "" || m.address != "") { // what names nobody tells nothing
			return access.Refuse(access.Forbidden, "Without the scope %s a partner's user may ask only about itself.", ScopeCheck)
		}
		if m.address != "" {
			m.user, m.address = me, ""
		}
	}
	return nil
}

// name finds the users whom questions name by their e-mail addresses.
func (k *check) name(ctx context.Context, r *Request, matters []matter) {
	var addresses []string
	for i := range matters {
		if a := matters[i].address; a != "" && !slices.Contains(addresses, a) {
			addresses = append(addresses, a)
		}
	}
	if len(addresses) == 0 {
		return
	}
	users := make([]string, len(addresses))
	failed := make([]*access.Error, len(addresses))
	var g errgroup.Group
	g.SetLimit(8)
	for i, a := range addresses {
		g.Go(func() error {
			user, err := k.Facts.UserByEmail(ctx, a)
			if err != nil {
				failed[i] = k.unread(ctx, r, err)
			} else if access.ValidUserID(user) {
				users[i] = user
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return none
	for i := range matters {
		if n := slices.Index(addresses, matters[i].address); n >= 0 {
			matters[i].user = users[n]
			if matters[i].failed == nil {
				matters[i].failed = failed[n]
			}
		}
	}
}

// decide reads the facts of all questions at one go, one for each consistency that is wanted, and then decides them. It returns the instant
// of the decisions, which is after the reading: what ends meanwhile has ended.
func (k *check) decide(ctx context.Context, r *Request, asks []ask, matters []matter) time.Time {
	questions := make([]access.FactsQuery, 0, len(matters))
	facts := make([]access.Facts, len(matters))
	for _, c := range [...]access.Consistency{access.Strong, access.Eventual, access.Snapshot} {
		questions = questions[:0]
		for i := range matters {
			if matters[i].open() && asks[i].consistency() == c {
				questions = append(questions, matters[i].question())
			}
		}
		if len(questions) == 0 {
			continue
		}
		found, err := k.Facts.Facts(ctx, questions, c)
		var failed *access.Error
		if err != nil {
			failed = k.unread(ctx, r, err)
		}
		for i, n := 0, 0; i < len(matters); i++ {
			if !matters[i].open() || asks[i].consistency() != c {
				continue
			}
			if failed == nil {
				facts[i] = found[n]
			}
			n++
		}
		if failed != nil {
			for i := range matters {
				if matters[i].open() && asks[i].consistency() == c {
					matters[i].failed = failed
				}
			}
		}
	}
	now := k.Now().UTC()
	for i := range matters {
		if m := &matters[i]; m.failed == nil {
			m.decision = k.decideOne(m, facts[i], asks[i].action.id, now)
		}
	}
	return now
}

func (k *check) decideOne(m *matter, f access.Facts, action string, now time.Time) access.Decision {
	switch {
	case m.user == "":
		return access.Decision{Reason: access.UnknownSubject}
	case !m.known:
		return access.Decision{Reason: access.ActionNotAllowed}
	case m.portal:
		return k.Catalogue.DecidePortal(f, m.partner, action)
	}
	return k.Catalogue.Decide(f, m.customer, action, now)
}

// open tells whether facts are needed.
func (m *matter) open() bool { return m.failed == nil && m.user != "" && m.known }

// question asks for the facts. Ids that cannot be do not reach the table: nothing is granted there.
func (m *matter) question() access.FactsQuery {
	q := access.FactsQuery{User: m.user}
	if !m.portal && access.ValidID(m.customer) {
		q.Customer = m.customer
	}
	return q
}

// unread logs why facts could not be read, and is what the caller is told of it.
func (k *check) unread(ctx context.Context, r *Request, err error) *access.Error {
	k.Log.LogAttrs(ctx, slog.LevelError, "facts unread", slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey),
		slog.String("error", err.Error()))
	return access.Refuse(unavailable, "The question cannot be answered at the moment: treat it as denied, or ask again.")
}

// answered are the evaluations of a batch up to the one that decides it.
func answered(s semantic, matters []matter) []matter {
	for i := range matters {
		allow := matters[i].failed == nil && matters[i].decision.Allow
		if s == denyOnFirstDeny && !allow || s == permitOnFirstPermit && allow {
			return matters[:i+1]
		}
	}
	return matters
}

// count tells the metrics what was answered, those that are alike together.
func (k *check) count(matters []matter) {
	if len(matters) == 1 { // nearly always
		k.Metrics.Decision(matters[0].code(), 1)
		return
	}
	type tally struct {
		code string
		n    int
	}
	var tallies []tally
	for i := range matters {
		code := matters[i].code()
		at := slices.IndexFunc(tallies, func(t tally) bool { return t.code == code })
		if at < 0 {
			at = len(tallies)
			tallies = append(tallies, tally{code: code})
		}
		tallies[at].n++
	}
	for _, t := range tallies {
		k.Metrics.Decision(t.code, t.n)
	}
}

// code is the reason of the decision, or why there is none.
func (m *matter) code() string {
	if m.failed != nil {
		return string(m.failed.Code)
	}
	return string(m.decision.Reason)
}

// The answers to evaluations are written as they have to stand in the response's payload, as the inside of a JSON string: a batch is long, and to escape it
// afterwards is a twentieth of its time. Only texts of others are escaped when they come.

// appendDecisions writes the answer to a batch.
func appendDecisions(b []byte, matters []matter) []byte {
	b = append(b, `{\"evaluations\":[`...)
	for i := range matters {
		m := &matters[i]
		if i > 0 {
			b = append(b, ',')
		}
		if m.failed != nil {
			b = appendFailure(b, m.failed)
		} else {
			b = appendDecision(b, &m.decision, time.Time{})
		}
	}
	return append(b, `]}`...)
}

// appendFailure writes the answer to one evaluation of a batch that could not be answered: no.
func appendFailure(b []byte, e *access.Error) []byte {
	message := e.Detail
	if len(e.Fields) > 0 {
		message = e.Fields[0].Pointer + ": " + e.Detail
	}
	b = append(b, `{\"decision\":false,\"context\":{\"error\":{\"status\":`...)
	b = strconv.AppendInt(b, int64(problems(e.Code).status), 10)
	b = append(b, `,\"message\":`...)
	b = quoteTwice(b, message)
	return append(b, `}}}`...)
}

// appendDecision writes one decision, with its instant unless that is zero. What it does not quote is this service's own text.
func appendDecision(b []byte, d *access.Decision, at time.Time) []byte {
	user, admin := sentences(d.Reason)
	b = append(b, `{\"decision\":`...)
	b = strconv.AppendBool(b, d.Allow)
	b = append(b, `,\"context\":{\"reason\":\"`...)
	b = append(b, d.Reason...)
	b = append(b, `\",\"reason_user\":\"`...)
	b = append(b, user...)
	b = append(b, `\",\"reason_admin\":\"`...)
	b = append(b, admin...)
	b = append(b, `\"`...)
	if d.Grant != "" {
		b = append(b, `,\"grant\":`...)
		b = quoteTwice(b, d.Grant)
		b = append(b, `,\"level\":\"`...)
		b = append(b, d.Level.String()...)
		b = append(b, `\"`...)
	}
	if !d.Until.IsZero() {
		b = append(b, `,\"valid_until\":\"`...)
		b = d.Until.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `\"`...)
	}
	if !at.IsZero() {
		b = append(b, `,\"evaluated_at\":\"`...)
		b = at.AppendFormat(b, evaluatedAt)
		b = append(b, `\"`...)
	}
	return append(b, `}}`...)
}

// quoteTwice appends s as a JSON string inside of a JSON string.
func quoteTwice(b []byte, s string) []byte {
	var room [64]byte
	for _, c := range quote(room[:0], s) { // which is UTF-8 and has no control characters
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}

// sentences say a reason to the person who was refused, and to who can change it. They need no escapes in JSON.
func sentences(w access.DecisionReason) (user, admin string) {
	switch w {
	case access.Granted:
		return "You have access.", "The grant, or the role, allows the action."
	case access.UnknownSubject:
		return "You are not known here.", "No partner has a user with this id or e-mail address."
	case access.DeniedPartnerNotActive:
		return "Your organisation has no access at the moment.", "The partner is suspended or removed: only the provider changes that."
	case access.DeniedPartnerNotEligible:
		return "Your organisation cannot be given access to customers.", "The partner is not a channel partner: only the provider changes that."
	case access.SSORequired:
		return "Access needs your organisation's single sign-on.", "The grant requires single sign-on, which the partner has not enabled."
	case access.DeniedUserNotActive:
		return "Your account is not active.", "The user is invited or disabled: the partner's administrators change that."
	case access.NoGrant:
		return "The customer has not let your organisation in.", "There is no grant of this customer for the user's partner."
	case access.PendingApproval:
		return "The customer has not approved the access yet.", "The grant was requested and waits for the customer's approval."
	case access.NotYetActive:
		return "The access has not begun yet.", "The grant's period begins later."
	case access.DeniedSuspended:
		return "The access is suspended.", "The customer has suspended the grant and can resume it."
	case access.DeniedExpired:
		return "The access has expired.", "The grant's period is over: the customer can grant again."
	case access.DeniedEnded:
		return "The access was ended.", "The grant was revoked, relinquished or ended with its partner: the customer can grant again."
	case access.UserNotAssigned:
		return "You are not among the users who have access to this customer.", "The user is not assigned in the grant."
	case access.DeniedConflict:
		return "You belong to the customer yourself.", "The user is a member of the customer and thus never comes in as a partner's user."
	case access.DeniedOwnOrganisation:
		return "Your address belongs to the customer's own organisation.", "The user's address is in the customer's domain: partners are outside organisations."
	case access.LevelTooLow:
		return "Your access does not go that far.", "The effective level, the lowest of grant, cap, assignment and offer, does not give the action; a higher one does."
	case access.ActionNotAllowed:
		return "This action is not open to partners.", "The catalogue gives the action, or the type of resource, to no level."
	case access.RoleNotAllowed:
		return "Your role does not allow this.", "The user's role does not allow the action in this partner's portal."
	}
	return "You have no access.", "The decision has no known reason."
}

// configuration is the discovery document, section 9 of the standard.
func (k *check) configuration() []byte {
	b := append([]byte(nil), `{"policy_decision_point":`...)
	b = quote(b, k.BaseURL)
	for _, e := range [...][2]string{
		{"access_evaluation_endpoint", "/access/v1/evaluation"},
		{"access_evaluations_endpoint", "/access/v1/evaluations"},
		{"search_subject_endpoint", "/access/v1/search/subject"},
		{"search_resource_endpoint", "/access/v1/search/resource"},
		{"search_action_endpoint", "/access/v1/search/action"},
	} {
		b = append(b, ',')
		b = quote(b, e[0])
		b = append(b, ':')
		b = quote(b, k.BaseURL+e[1])
	}
	return append(b, '}')
}
