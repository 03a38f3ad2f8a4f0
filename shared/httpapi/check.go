package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/authzen"
	"partneraccess/shared/metrics"
)

// FactSource is where decisions find their facts. Every error means that a question cannot be answered now.
type FactSource interface {
	// Facts reads the facts of all questions, in their order. What is not there is nil.
	Facts(ctx context.Context, qs []access.FactsQuery, c access.Consistency) ([]access.Facts, error)
	// UserByEmail returns the id of the partner's user with the address, "" when there is none.
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
	Uses      UseRecorder // nil: uses are not recorded
	Past      PastFacts
	Catalogue *access.Catalogue
	Now       func() time.Time
	BaseURL   string // of the service, as callers see it, without a slash at the end
	Log       *slog.Logger
	Metrics   *metrics.Recorder // nil: nothing is counted

	AskPage string // the partner's portal, where people ask; may hold {customer} and {partner}. "" = denials do not say how to ask

	UnloggedAllows int // percent of the answers that allow all that was asked, which the log leaves out
}

// NewCheck answers the decision endpoints, OpenID AuthZEN Authorization API 1.0 under /access/v1, and its discovery document. A token with
// the scope partner-access/check may ask anything; a partner's user, known by a verified e-mail address, only about itself.
func NewCheck(c CheckConfig) lambda.Handler {
	k := &check{CheckConfig: c, header: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}}
	return apigateway.Lambda(k.handle, refuse, c.Log, apigateway.UnloggedRoutine(c.UnloggedAllows))
}

type check struct {
	CheckConfig
	header  map[string]string // of every answer; never written to
	decoder authzen.Decoder

	pausedUntil atomic.Int64 // no use is recorded before: nanoseconds since 1970
}

func (k *check) handle(ctx context.Context, r *apigateway.Request) apigateway.Response {
	var body []byte
	var refused *access.Error
	switch r.RouteKey {
	case "POST /access/v1/evaluation", "POST /access/v1/evaluations":
		var out evaluated
		if out, refused = k.evaluate(ctx, r, r.RouteKey == "POST /access/v1/evaluations"); refused == nil {
			return out.response(k.header)
		}
	case "POST /access/v1/search/subject":
		body, refused = k.search(ctx, r, authzen.Required{Action: true, ResourceID: true}, k.subjects)
	case "POST /access/v1/search/resource":
		body, refused = k.search(ctx, r, authzen.Required{SubjectID: true, Action: true}, k.resources)
	case "POST /access/v1/search/action":
		body, refused = k.search(ctx, r, authzen.Required{SubjectID: true, ResourceID: true}, k.actions)
	case "GET /.well-known/authzen-configuration":
		return k.metadata()
	default:
		refused = access.Refuse(access.NotFound, "There is nothing here.")
	}
	if refused != nil {
		return refusal(refused, r.RequestID)
	}
	return apigateway.Response{Status: http.StatusOK, Header: k.header, Body: body}
}

// metadata is the discovery document, which changes with deployments alone: callers may keep it for an hour.
func (k *check) metadata() apigateway.Response {
	header := maps.Clone(k.header)
	header["Cache-Control"] = "public, max-age=3600"
	return apigateway.Response{Status: http.StatusOK, Header: header, Body: authzen.Metadata(k.BaseURL)}
}

// decode reads a request's body; evaluations says that it may be a batch.
func (k *check) decode(r *apigateway.Request, evaluations bool) (*authzen.Request, *access.Error) {
	if !isJSON(r.Header("content-type")) {
		return nil, access.Refuse(access.Invalid, "The body has to be JSON: send Content-Type: application/json.")
	}
	return k.decoder.Decode(r.Body, evaluations)
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}

// evaluation is a query on its way to a decision, in the service's own terms.
type evaluation struct {
	query     *authzen.Query
	user      string // the subject's id, "" while or because it is unknown
	address   string // of a subject that is named by it
	customer  string // whose resource it is, unless it is a partner's portal
	portal    bool
	partner   string // whose portal it is
	knownType bool   // the catalogue has the resource's type
	failed    *access.Error
	decision  access.Decision
	ask       *authzen.Ask // where a denied person can ask for it; nil: nowhere
	use       access.Use   // that the decision is, when it is not recorded yet; see recordUses
	past      *pastEvaluation
}

// evaluated is the answer to a query, or to a batch of them.
type evaluated struct {
	body    []byte    // escaped
	at      time.Time // of a batch's decisions; a single query's answer holds it in its context
	reason  string    // of a single decision
	allowed bool      // all of it
}

// response shows the instant of a batch in a header, so that a repeated batch has the same body.
func (e evaluated) response(header map[string]string) apigateway.Response {
	if !e.at.IsZero() {
		header = maps.Clone(header)
		header["Evaluated-At"] = e.at.Format(authzen.EvaluatedAt)
	}
	return apigateway.Response{
		Status: http.StatusOK, Header: header, Body: e.body, Escaped: true, Decision: e.reason, Routine: e.allowed,
	}
}

// evaluate answers a query, or a batch of them.
func (k *check) evaluate(ctx context.Context, r *apigateway.Request, many bool) (evaluated, *access.Error) {
	request, refused := k.decode(r, many)
	if refused != nil {
		return evaluated{}, refused
	}
	evaluations := make([]evaluation, len(request.Queries))
	for i := range evaluations {
		evaluations[i] = k.prepare(&request.Queries[i], authzen.Required{SubjectID: true, Action: true, ResourceID: true})
	}
	if !request.Batch && evaluations[0].failed != nil {
		return evaluated{}, evaluations[0].failed
	}
	if refused := auditors(r, evaluations); refused != nil {
		return evaluated{}, refused
	}
	backEnd, refused := k.mayAsk(ctx, r, evaluations)
	if refused != nil {
		return evaluated{}, refused
	}
	k.findUsers(ctx, r, evaluations)
	now := k.decide(ctx, r, evaluations)
	if request.Batch {
		evaluations = upToDecisive(request.Semantic, evaluations)
	}
	if backEnd {
		k.recordUses(ctx, r, request.Batch, evaluations)
	}
	if request.Batch {
		return evaluated{at: now, allowed: k.count(evaluations), body: authzen.AppendBatch(
			r.Buffer(32+384*len(evaluations)), len(evaluations), func(b []byte, i int) []byte {
				if e := &evaluations[i]; e.failed == nil {
					return e.answer(b, time.Time{})
				}
				return authzen.AppendFailure(b, evaluations[i].failed, problemFor(evaluations[i].failed.Code).status)
			},
		)}, nil
	}
	allowed, e := k.count(evaluations), &evaluations[0]
	if e.failed != nil {
		return evaluated{}, e.failed
	}
	return evaluated{body: e.answer(r.Buffer(512), now), reason: e.code(), allowed: allowed}, nil
}

// prepare validates a query and translates it into the service's own terms. What is wrong with it is in failed.
func (k *check) prepare(q *authzen.Query, required authzen.Required) (e evaluation) {
	e.query = q
	if e.failed = q.Validate(required); e.failed != nil {
		return e
	}
	if q.Context != nil && q.Context.At != nil {
		if e.past, e.failed = k.prepareAt(q); e.failed != nil {
			return e
		}
	}
	if q.Subject.Type == "user" {
		e.user, e.address = access.Subject(q.Subject.ID)
	}
	if q.Resource.Type == access.PartnerType {
		e.portal, e.partner, e.knownType = true, q.Resource.ID, true
		return e
	}
	var t access.ResourceType
	if t, e.knownType = k.Catalogue.Resource(q.Resource.Type); !e.knownType {
		return e
	}
	e.customer = q.Resource.ID
	if !t.Self {
		e.customer, e.failed = q.Resource.Customer, q.RequireCustomer()
	}
	return e
}

// mayAsk refuses a caller who asks about others than it may, and tells whether the caller is a back end.
func (k *check) mayAsk(ctx context.Context, r *apigateway.Request, evaluations []evaluation) (backEnd bool, _ *access.Error) {
	if !slices.ContainsFunc(evaluations, func(e evaluation) bool { return e.past == nil }) {
		return false, nil // auditors has seen to it
	}
	account, err := accountOf(&r.Claims, nil)
	switch {
	case account.Kind == access.MemberAccount, account.Kind == access.FederatedAccount:
		return false, access.Refuse(access.Forbidden, "This needs a token with the scope %s, or one of a partner's user, not of a customer's "+
			"member.",
			ScopeCheck)
	case err != nil:
		return false, access.Refuse(unauthenticated, "It is unclear which account this token was made out to: sign in again.")
	case account.Kind == access.NamelessAccount && slices.Contains(r.Claims.Scopes, ScopeCheck):
		return true, nil
	}
	address, ok := access.ParseEmail(r.Claims.Email)
	if !ok {
		return false, access.Refuse(access.Forbidden, "This needs a token with the scope %s, or one of a partner's user with a verified e-mail "+
			"address.",
			ScopeCheck)
	}
	me, err := k.Facts.UserByEmail(ctx, address)
	if err != nil {
		return false, k.readFailed(ctx, r, err)
	}
	if account.Kind == access.UserAccount && !access.SameAccount(account.Name, me) { // the account has another address by now
		return false, access.Refuse(unauthenticated, "This token was made out to an account that has another address now, or is gone: sign in "+
			"again.")
	}
	for i := range evaluations {
		e := &evaluations[i]
		mine := me != "" && (e.user == me || e.address == address)
		namesNobody := e.user == "" && e.address == "" // a failure about it tells nothing
		if !mine && (e.failed == nil || !namesNobody) {
			return false, access.Refuse(access.Forbidden, "Without the scope %s a partner's user may ask only about itself.", ScopeCheck)
		}
		if e.address != "" {
			e.user, e.address = me, ""
		}
	}
	return false, nil
}

// findUsers finds the users that evaluations name by their e-mail addresses.
func (k *check) findUsers(ctx context.Context, r *apigateway.Request, evaluations []evaluation) {
	var addresses []string
	for i := range evaluations {
		if a := evaluations[i].address; a != "" && !slices.Contains(addresses, a) {
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
				failed[i] = k.readFailed(ctx, r, err)
			} else if access.ValidUserID(user) {
				users[i] = user
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return none
	for i := range evaluations {
		if n := slices.Index(addresses, evaluations[i].address); n >= 0 {
			evaluations[i].user = users[n]
			if evaluations[i].failed == nil {
				evaluations[i].failed = failed[n]
			}
		}
	}
}

// decide reads the facts of all evaluations, in one call for each consistency that is wanted, and then decides them. It returns the instant
// of the decisions, which is after the reading: what ends meanwhile has ended.
func (k *check) decide(ctx context.Context, r *apigateway.Request, evaluations []evaluation) time.Time {
	facts := make([]access.Facts, len(evaluations))
	questions := make([]access.FactsQuery, 0, len(evaluations))
	for _, c := range [...]access.Consistency{access.Strong, access.Eventual, access.Snapshot} {
		questions = questions[:0]
		for i := range evaluations {
			if e := &evaluations[i]; e.reads(c) {
				questions = append(questions, e.question())
			}
		}
		if len(questions) == 0 {
			continue
		}
		found, err := k.Facts.Facts(ctx, questions, c)
		if err != nil {
			failed := k.readFailed(ctx, r, err)
			for i := range evaluations {
				if e := &evaluations[i]; e.reads(c) {
					e.failed = failed
				}
			}
			continue
		}
		for i := range evaluations {
			if evaluations[i].reads(c) {
				facts[i], found = found[0], found[1:]
			}
		}
	}
	k.decidePast(ctx, r, evaluations)
	now := k.Now().UTC()
	today := access.DayOf(now)
	for i := range evaluations {
		if e := &evaluations[i]; e.failed == nil && e.past == nil {
			e.decision = k.decideOne(e, facts[i], e.query.Action.ID, now)
			e.use = access.UnrecordedUse(facts[i], e.decision, today)
			if !e.decision.Allow && k.AskPage != "" && !e.portal && access.ValidID(e.customer) {
				e.ask = k.askPage(e, facts[i])
			}
		}
	}
	return now
}

// askPage returns where the denied person can ask the customer; nil where that would not help.
func (k *check) askPage(e *evaluation, f access.Facts) *authzen.Ask {
	kind, possible := f.Askable(e.decision)
	if !possible {
		return nil
	}
	page := strings.NewReplacer("{customer}", e.customer, "{partner}", f.Partner.ID).Replace(k.AskPage)
	mark := "?"
	if strings.Contains(page, "?") {
		mark = "&"
	}
	return &authzen.Ask{Kind: kind, Page: page + mark + "ask=" + string(cmp.Or(kind, access.AskAccess)) + "&customer=" + e.customer}
}

func (k *check) decideOne(e *evaluation, f access.Facts, action string, now time.Time) access.Decision {
	switch {
	case e.user == "":
		return access.Decision{Reason: access.UnknownSubject}
	case !e.knownType:
		return access.Decision{Reason: access.ActionNotAllowed}
	case e.portal:
		return k.Catalogue.DecidePortal(f, e.partner, action)
	}
	return k.Catalogue.Decide(f, e.customer, action, now)
}

// reads returns whether the evaluation needs facts that are read with this consistency.
func (e *evaluation) reads(c access.Consistency) bool {
	return e.failed == nil && e.past == nil && e.user != "" && e.knownType && e.query.Consistency() == c
}

// question asks for the facts. A malformed customer id is left out: no grant can have it.
func (e *evaluation) question() access.FactsQuery {
	q := access.FactsQuery{User: e.user}
	if !e.portal && access.ValidID(e.customer) {
		q.Customer = e.customer
	}
	return q
}

// readFailed logs why facts could not be read, and returns the refusal for the caller.
func (k *check) readFailed(ctx context.Context, r *apigateway.Request, err error) *access.Error {
	k.Log.LogAttrs(ctx, slog.LevelError, "facts unread", slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey),
		slog.String("error", err.Error()))
	return access.Refuse(unavailable, "The question cannot be answered at the moment: treat it as denied, or ask again.")
}

// upToDecisive are the evaluations of a batch up to the one that decides it.
func upToDecisive(s authzen.Semantic, evaluations []evaluation) []evaluation {
	for i := range evaluations {
		allow := evaluations[i].failed == nil && evaluations[i].decision.Allow
		if s == authzen.DenyOnFirstDeny && !allow || s == authzen.PermitOnFirstPermit && allow {
			return evaluations[:i+1]
		}
	}
	return evaluations
}

// count records the decisions in the metrics, equal ones together, and returns whether all of them allow.
func (k *check) count(evaluations []evaluation) (allowed bool) {
	if len(evaluations) == 1 { // nearly always
		k.countAlike(&evaluations[0], 1)
		return evaluations[0].allowed()
	}
	type tally struct {
		of *evaluation
		n  int
	}
	var tallies []tally
	for i := range evaluations {
		e := &evaluations[i]
		at := slices.IndexFunc(tallies, func(t tally) bool { return t.of.code() == e.code() })
		if at < 0 {
			at = len(tallies)
			tallies = append(tallies, tally{of: e})
		}
		tallies[at].n++
	}
	allowed = true
	for _, t := range tallies {
		k.countAlike(t.of, t.n)
		allowed = allowed && t.of.allowed()
	}
	return allowed
}

func (k *check) countAlike(e *evaluation, n int) {
	switch {
	case e.past != nil: // no decision about anything that happens
	case e.allowed():
		k.Metrics.Allowed(n)
	case e.failed != nil:
		k.Metrics.Unanswered(e.code(), n)
	default:
		k.Metrics.Denied(e.code(), n)
	}
}

// allowed reports whether the evaluation allows something now. What was allowed once never counts, so that its log line is always kept.
func (e *evaluation) allowed() bool { return e.failed == nil && e.past == nil && e.decision.Allow }

// code is the reason of the decision, or why there is none.
func (e *evaluation) code() string {
	if e.failed != nil {
		return string(e.failed.Code)
	}
	return string(e.decision.Reason)
}
