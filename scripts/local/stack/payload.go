package stack

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// What API Gateway puts in for the account and the API; nothing should depend on the values.
const (
	accountID = "000000000000"
	apiID     = "local"
)

// payload is the event that an HTTP API sends to a function, payload format version 2.0
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
// It is spelled out here, rather than taken from aws-lambda-go's events, because that type leaves out what AWS sends
// as null and adds what AWS does not send.
type payload struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  requestContext    `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	Body            *string           `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorized `json:"authorizer,omitempty"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type authorized struct {
	JWT struct {
		Claims map[string]string `json:"claims"`
		Scopes []string          `json:"scopes"` // null where the route asks for none
	} `json:"jwt"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// encodePayload turns a request into the event's JSON. claims is nil on a public route.
func encodePayload(r *http.Request, body []byte, m match, claims map[string]string, requestID string, now time.Time) ([]byte, error) {
	path := decodedPath(r.URL)
	host, port := hostAndPort(r.Host)
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	p := payload{
		Version: "2.0", RouteKey: m.routeKey, RawPath: path, RawQueryString: r.URL.RawQuery,
		Cookies: cookies(r.Header), Headers: headers(r, ip, port), Query: query(r.URL.RawQuery), PathParameters: m.params,
		RequestContext: requestContext{
			AccountID: accountID, APIID: apiID, DomainName: host, DomainPrefix: strings.Split(host, ".")[0],
			HTTP: httpContext{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent(),
			},
			RequestID: requestID, RouteKey: m.routeKey, Stage: "$default",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	if claims != nil {
		a := &authorized{}
		a.JWT.Claims = claims
		p.RequestContext.Authorizer = a
	}
	if len(body) > 0 {
		text := string(body)
		if !isText(r.Header.Get("Content-Type")) || !utf8.Valid(body) {
			text, p.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		p.Body = &text
	}
	return json.Marshal(p)
}

// headers are lower-cased, repeats joined with commas, with what API Gateway adds.
func headers(r *http.Request, ip, port string) map[string]string {
	out := make(map[string]string, len(r.Header)+4)
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	out["host"] = r.Host
	if from := out["x-forwarded-for"]; from != "" {
		ip = from + ", " + ip
	}
	out["x-forwarded-for"], out["x-forwarded-port"], out["x-forwarded-proto"] = ip, port, "http"
	return out
}

func cookies(h http.Header) []string {
	var out []string
	for _, line := range h.Values("Cookie") {
		for c := range strings.SplitSeq(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// query decodes the parameters, repeats joined with commas. What is badly encoded stays as it is.
func query(raw string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescapeQuery(name), unescapeQuery(value)
		if before, repeated := out[name]; repeated {
			value = before + "," + value
		}
		out[name] = value
	}
	return out
}

func unescapeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// isText says whether API Gateway hands a body of this type on as text; it sends all others, forms among them, in base64.
func isText(contentType string) bool {
	if contentType == "" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "+xml") ||
		t == "application/json" || t == "application/xml" || t == "application/javascript"
}

func hostAndPort(hostport string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), "80"
	}
	return host, port
}

// newRequestID has the shape of API Gateway's.
func newRequestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.URLEncoding.EncodeToString(b[:])
}
