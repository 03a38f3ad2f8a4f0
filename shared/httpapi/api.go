package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/service"
)

// Config is what the functions for people and for the provider's systems are made of.
type Config struct {
	service.Service
	Notices   service.Notices // which mails a change causes, for dry runs
	Languages []string        // in which mails are written, sorted
	// CheckWebhook says what is wrong with an address to which events are to be sent.
	CheckWebhook     func(address string) error
	CustomerWebhooks bool   // whether customers keep webhooks of their own
	SignInURL        string // where a partner's user enters a customer's tenant; {customer} and {domain} are filled in. "" = not shown
}

// reply is what an endpoint answers: a value to be encoded, or a body that is encoded already.
type reply struct {
	status   int
	body     any
	encoded  []byte
	version  int64 // of the representation; 0 = the ETag is made of the body
	etag     string
	location string
	replayed bool
	export   *export // of a list: how it is to be given; nil = as JSON

	contentType  string // "" = application/json
	cacheControl string // "" = no-store
	planned      bool   // the request asked for one plan, and that was carried out
}

// encode is the body as JSON; nil when there is none.
func (r reply) encode() ([]byte, error) {
	if r.body == nil {
		return r.encoded, nil
	}
	return json.Marshal(r.body)
}

// call is one request on its way through an endpoint.
type call struct {
	*apigateway.Request
	api     *api
	service *service.Service // its log names the request
	who     caller
	tag     string // the one entity tag of If-Match that is tried now; "" = the whole header
	row     *rowMark
}

// rowMark identifies the row of a bulk job that a request stands for, which is made once.
type rowMark struct {
	key     string
	expires time.Time
}

type endpoint func(ctx context.Context, c *call) (reply, error)

type api struct {
	Config
	routes map[string]Route // by their keys
}

// NewGrant serves the routes of the grant function.
func NewGrant(cfg Config) lambda.Handler { return serve(api{Config: cfg}, grantRoutes()) }

// NewEdit serves the routes of the edit function.
func NewEdit(cfg Config) lambda.Handler { return serve(api{Config: cfg}, editRoutes()) }

// NewRevoke serves the routes of the revoke function.
func NewRevoke(cfg Config) lambda.Handler { return serve(api{Config: cfg}, revokeRoutes()) }

// NewList serves the routes of the list function.
func NewList(cfg Config) lambda.Handler { return serve(api{Config: cfg}, listRoutes()) }

// NewDirectory serves the routes of the directory function.
func NewDirectory(cfg Config) lambda.Handler { return serve(api{Config: cfg}, directoryRoutes()) }

// NewInvite serves the routes of the invite function.
func NewInvite(cfg Config) lambda.Handler { return serve(api{Config: cfg}, inviteRoutes()) }

// NewWebhook serves the routes of the webhook function.
func NewWebhook(cfg Config) lambda.Handler { return serve(api{Config: cfg}, webhookRoutes()) }

// NewBulk serves the routes of the bulk function.
func NewBulk(cfg Config) lambda.Handler {
	return serve(api{Config: cfg}, bulkRoutes(), apigateway.LargestBody(maxBulkBody))
}

func serve(a api, routes []Route, options ...apigateway.Option) lambda.Handler {
	a.routes = byKey(routes)
	return apigateway.Lambda(a.handle, refuse, a.Log, options...)
}

func byKey(routes []Route) map[string]Route {
	out := map[string]Route{}
	for _, r := range routes {
		out[r.Key()] = r
	}
	return out
}

// answerTime is reserved of the function's time for the answer: when a function is stopped, API Gateway answers 500 without a reason.
const answerTime = 300 * time.Millisecond

// handle takes a request through authorisation and its endpoint, and turns every failure into a problem document.
func (a *api) handle(ctx context.Context, r *apigateway.Request) apigateway.Response {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-answerTime))
		defer cancel()
	}
	out, err := a.answer(ctx, r)
	if err != nil {
		return a.failure(err, r)
	}
	res := apigateway.Response{Status: out.status, Header: map[string]string{}}
	if list, is := out.body.(exportable); is && out.export != nil {
		res.Body, res.Header, err = out.export.encode(list, r.Path, fileName(r, a.now()))
	} else if res.Body, err = out.encode(); len(res.Body) > 0 {
		res.Header["Content-Type"] = cmp.Or(out.contentType, "application/json")
	}
	if err != nil {
		return a.failure(err, r)
	}
	res.Header["Cache-Control"] = cmp.Or(out.cacheControl, "no-store")
	if res.Header["Content-Type"] != "" {
		switch {
		case out.etag != "":
			res.Header["ETag"] = out.etag
		case out.version > 0:
			res.Header["ETag"] = etag(out.version)
		default:
			sum := sha256.Sum256(res.Body)
			res.Header["ETag"] = `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
		}
	}
	if out.location != "" {
		res.Header["Location"] = out.location
	}
	if out.planned {
		res.Header["Preference-Applied"] = "plan"
	}
	if out.replayed {
		res.Header["Idempotency-Replayed"] = "true"
	}
	return res
}

func (a *api) answer(ctx context.Context, r *apigateway.Request) (reply, error) {
	route, ok := a.routes[r.RouteKey]
	if !ok || route.Fallback {
		return reply{}, access.Refuse(access.NotFound,
			"there is no operation with this method at this address: the contract (openapi.yaml) lists all operations")
	}
	who, err := authorise(ctx, a.Store, a.Federation, r, route.callers)
	if err != nil {
		return reply{}, err
	}
	for _, name := range []string{"customer", "partner"} {
		if id := r.PathValue(name); id != "" && !access.ValidID(id) {
			return reply{}, invalidID(r, name)
		}
	}
	dry, err := readDryRun(r, route)
	if err != nil {
		return reply{}, err
	}
	if !route.query {
		if err := noQuery(r); err != nil {
			return reply{}, err
		}
	}
	var exported *export
	if route.exports {
		if exported, err = takeExport(r); err != nil {
			return reply{}, err
		}
	}
	use := a.Service
	use.Log, use.Request = a.Log.With("request_id", r.RequestID), r.RequestID
	c := &call{Request: r, api: a, service: &use, who: who}
	plan := preferredPlan(r)
	switch {
	case dry:
		return c.dryRun(ctx, route.endpoint)
	case plan != "" && route.rehearsable():
		return c.asPlanned(ctx, route.endpoint, plan)
	}
	out, err := c.forEachTag(ctx, route.endpoint)
	out.export = exported
	return out, err
}

// invalidID refuses a malformed id: as bad input where PUT would create it, with 404 elsewhere.
func invalidID(r *apigateway.Request, name string) error {
	if r.Method == "PUT" && (r.RouteKey == "PUT /v1/partners/{partner}" || r.RouteKey == "PUT /v1/customers/{customer}") {
		return access.Refuse(access.Invalid,
			"%q cannot be the id of a %s: 1 to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit",
			r.PathValue(name), name)
	}
	return notFound()
}

// readConfirm reads ?confirm: whether the caller confirms that.
func (c *call) readConfirm(what access.Code) (bool, error) {
	value, err := c.onlyParameter("confirm", "what can be confirmed here is "+string(what), string(what))
	return value != "", err
}

// onlyParameter reads the one parameter that a route has, which has one of the values; "" when it is left out. Detail refuses others.
func (c *call) onlyParameter(name, detail string, values ...string) (string, error) {
	q, err := c.Query()
	switch {
	case err != nil:
		return "", access.Refuse(access.Invalid, "the query string cannot be read: percent-encode it")
	case len(q) == 0:
		return "", noQuery(c.Request)
	}
	var f findings
	for other, given := range q {
		switch {
		case other != name:
			f.add("?"+other, "this parameter is unknown here")
		case len(given) > 1:
			f.add("?"+name, "this parameter stands there twice")
		case !slices.Contains(values, given[0]):
			f.add("?"+name, detail)
		}
	}
	return q.Get(name), sortedErr(&f)
}

// failure answers an error. What is no refusal is logged, once; the caller learns only whether it can try again.
func (a *api) failure(err error, r *apigateway.Request) apigateway.Response {
	var refused *access.Error
	if errors.As(err, &refused) {
		return refusal(refused, r.RequestID)
	}
	code, say := internal, "this is our fault: nothing that we know of was changed"
	if errors.Is(err, access.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		code, say = unavailable, "the storage did not answer in time: read what is there, then try again"
	}
	a.Log.Error("request failed", "request_id", r.RequestID, "route", r.RouteKey, "code", string(code), "error", err.Error())
	return refusal(access.Refuse(code, "%s; the request id helps us find it", say), r.RequestID)
}

func (a *api) now() time.Time { return a.Now().UTC().Truncate(time.Millisecond) }

// caller is who calls, for the use cases.
func (c *call) caller() service.Caller { return c.who.forService(c.PathValue("customer")) }

// perform calls a use case with the request's preconditions and Idempotency-Key, and answers with its result as present shows it; or, when
// the key was used before, with the first answer.
func perform[T any](c *call, present func(T) reply, do func(service.Options[T]) (T, error)) (reply, error) {
	repeat, err := repeatOf(c, "", present)
	if err != nil {
		return reply{}, err
	}
	out, err := do(service.Options[T]{Repeat: repeat, Precondition: c.precondition})
	return replyWith(present, out, err)
}

// replyWith is the answer with the result of a use case, or its error.
func replyWith[T any](present func(T) reply, out T, err error) (reply, error) {
	var before *service.Repeated
	switch {
	case errors.As(err, &before):
		first := before.Answer
		return reply{status: first.Status, encoded: first.Body, etag: first.ETag, location: first.Location, replayed: true}, nil
	case err != nil:
		return reply{}, err
	}
	return present(out), nil
}

// repeatOf is what repeats the request under its Idempotency-Key; nil when it has none. Part distinguishes the changes of one request.
func repeatOf[T any](c *call, part string, present func(T) reply) (*service.Repeat[T], error) {
	record, err := c.idempotency(part)
	if record == nil {
		return nil, err
	}
	return &service.Repeat[T]{
		Digest: record.Digest, Fingerprint: record.Fingerprint, Expires: record.Expires,
		Encode: func(result T) (access.StoredResponse, error) {
			out := present(result)
			if c.row != nil { // which records the status and the version alone
				out.body = nil
			}
			body, err := out.encode()
			a := access.StoredResponse{Status: out.status, Body: body, Location: out.location}
			if out.version > 0 {
				a.ETag = etag(out.version)
			}
			return a, err
		},
	}, nil
}

// answerLifetime is how long the first answer to an Idempotency-Key is kept.
const answerLifetime = 24 * time.Hour

// idempotency is the record of the request's Idempotency-Key; nil when it has none. A key counts for its caller and its route.
func (c *call) idempotency(part string) (*access.StoredResponse, error) {
	if c.row != nil {
		digest, body := sha256.Sum256([]byte("bulk\n"+c.row.key)), sha256.Sum256(c.Body)
		return &access.StoredResponse{
			Digest:      base64.RawURLEncoding.EncodeToString(digest[:]),
			Fingerprint: base64.RawURLEncoding.EncodeToString(body[:]),
			Expires:     c.row.expires,
		}, nil
	}
	if c.Method != "POST" || !c.HasHeader("idempotency-key") {
		return nil, nil
	}
	key := c.Header("idempotency-key")
	if key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, access.Refuse(access.Invalid, "an Idempotency-Key has 1 to 255 visible ASCII characters")
	}
	who := c.Claims.Issuer + "\n" + c.Claims.Subject + "\n" + c.who.id.Email
	digest := sha256.Sum256([]byte(strings.Join([]string{who, c.RouteKey, c.Path, part, key}, "\n")))
	body := sha256.Sum256(c.Body)
	return &access.StoredResponse{
		Digest:      base64.RawURLEncoding.EncodeToString(digest[:]),
		Fingerprint: base64.RawURLEncoding.EncodeToString(body[:]),
		Expires:     c.api.now().Add(answerLifetime),
	}, nil
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// maxTags is how many entity tags a precondition may name: each that does not match costs a read.
const maxTags = 10

// forEachTag calls the endpoint once for each entity tag of If-Match, until one matches: any of a list will do (RFC 9110, 13.1.1).
func (c *call) forEachTag(ctx context.Context, do endpoint) (out reply, err error) {
	tags := entityTags(c.Header("if-match"))
	if len(tags) > maxTags {
		return reply{}, access.Refuse(access.Invalid, "If-Match names %d versions: at most %d are looked at, one is enough", len(tags), maxTags)
	}
	if len(tags) == 0 { // none, *, or malformed ones
		return do(ctx, c)
	}
	for _, c.tag = range tags {
		if out, err = do(ctx, c); access.CodeOf(err) != access.VersionMismatch {
			break
		}
	}
	return out, err
}

// entityTags are those of a list, each once, as they are written; none when it is no list of entity tags (RFC 9110, 8.8.3).
func entityTags(list string) []string {
	var out []string
	for rest := strings.Trim(list, ", \t"); rest != ""; rest = strings.TrimLeft(rest, ", \t") {
		opaque := strings.TrimPrefix(rest, "W/")
		inner, quoted := strings.CutPrefix(opaque, `"`)
		end := strings.IndexByte(inner, '"')
		if !quoted || end < 0 {
			return nil
		}
		tag := rest[:len(rest)-len(opaque)+end+2]
		if rest = strings.TrimLeft(rest[len(tag):], " \t"); rest != "" && rest[0] != ',' {
			return nil
		}
		if !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// ifMatch is the entity tag that is tried now, or the whole header when it is no list.
func (c *call) ifMatch() string {
	if c.tag != "" {
		return c.tag
	}
	return strings.TrimSpace(c.Header("if-match"))
}

// hasIfMatch returns whether the request has an If-Match, and thus needs something to be there (RFC 9110, 13.1.1).
func (c *call) hasIfMatch() bool { return c.ifMatch() != "" }

func nothingMatches() error {
	return access.Refuse(access.VersionMismatch, "there is nothing under this id: leave If-Match out to create it")
}

// checkIfNoneMatch refuses when If-None-Match excludes the version that is there (RFC 9110, 13.1.2). Version is 0 when there is none.
func (c *call) checkIfNoneMatch(version int64) error {
	header := strings.TrimSpace(c.Header("if-none-match"))
	if version == 0 || header == "" {
		return nil
	}
	weak := func(tag string) bool { return strings.TrimPrefix(tag, "W/") == etag(version) } // If-None-Match compares weakly
	if header != "*" && !slices.ContainsFunc(entityTags(header), weak) {
		return nil
	}
	return access.Refuse(access.VersionMismatch, "there is one already, at version %d, and If-None-Match wants none: read it and edit it",
		version)
}

// precondition checks If-None-Match, and If-Match where nothing is there, against the version; 0 when nothing is there.
func (c *call) precondition(version int64) error {
	if version == 0 && c.hasIfMatch() {
		return nothingMatches()
	}
	return c.checkIfNoneMatch(version)
}

// readIfMatch reads If-Match: the version that the caller has read. A weak tag matches nothing, nor does one that this service did
// not make.
func (c *call) readIfMatch(required bool) (int64, error) {
	tag := c.ifMatch()
	switch {
	case tag == "" && required:
		return 0, access.Refuse(ifMatchRequired, "say which version you have seen: send its ETag as If-Match, or * for whichever is there")
	case tag == "", tag == "*":
		return access.AnyVersion, nil
	}
	if n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64); err == nil && n > 0 && etag(n) == tag {
		return n, nil
	}
	return 0, nil // no version is 0: it matches nothing
}
