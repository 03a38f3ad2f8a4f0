package stack

import (
	"fmt"
	"net/url"
	"strings"

	"partneraccess/shared/manifest"
)

// router finds the route of a request the way an HTTP API does: segment by segment on the decoded path, a literal segment before a
// parameter, both before a greedy one ({proxy+}, which takes the rest of the path), nothing redirected or cleaned.
type router struct {
	routes map[string][]route // by method
}

type route struct {
	key      string
	segments []string
	public   bool
	scopes   []string
	function manifest.Function
}

type match struct {
	routeKey string
	params   map[string]string
	public   bool
	scopes   []string // of which the token must carry one; none: it need not
	function manifest.Function
}

func newRouter(functions []manifest.Function) (*router, error) {
	out := &router{routes: map[string][]route{}}
	seen := map[string]string{}
	for _, f := range functions {
		for _, r := range f.Routes {
			if other, twice := seen[r.Key()]; twice {
				return nil, fmt.Errorf("route %q belongs to both %s and %s", r.Key(), other, f.Name)
			}
			seen[r.Key()] = f.Name
			out.routes[r.Method] = append(out.routes[r.Method], route{
				key: r.Key(), segments: strings.Split(r.Path, "/"), public: r.Public, scopes: r.Scopes, function: f,
			})
		}
	}
	return out, nil
}

// decodedPath is the path as API Gateway goes by it, and hands it on: decoded before anything else, so that %2F separates segments and %3F
// ends it. AWS's own test tool has these cases (aws-lambda-dotnet, Tools/LambdaTestTool-v2).
func decodedPath(u *url.URL) string {
	path, _, _ := strings.Cut(u.Path, "?")
	return path
}

func (r *router) find(method, path string) (match, bool) {
	decoded := strings.Split(path, "/")
	var best *route
	for i := range r.routes[method] {
		if candidate := &r.routes[method][i]; candidate.fits(decoded) && (best == nil || candidate.before(best)) {
			best = candidate
		}
	}
	if best == nil {
		return match{}, false
	}
	m := match{routeKey: best.key, public: best.public, scopes: best.scopes, function: best.function}
	for i, s := range best.segments {
		if name, is := parameter(s); is {
			if m.params == nil {
				m.params = map[string]string{}
			}
			m.params[name] = decoded[i]
			if best.greedy() && i == len(best.segments)-1 {
				m.params[name] = strings.Join(decoded[i:], "/")
			}
		}
	}
	return m, true
}

func (r *route) fits(segments []string) bool {
	if len(segments) != len(r.segments) && (!r.greedy() || len(segments) < len(r.segments)) {
		return false
	}
	for i, want := range r.segments {
		if _, is := parameter(want); is {
			if segments[i] == "" {
				return false
			}
		} else if segments[i] != want {
			return false
		}
	}
	return true
}

// greedy tells whether the route's last segment takes the rest of the path.
func (r *route) greedy() bool { return strings.HasSuffix(r.segments[len(r.segments)-1], "+}") }

// before: a route that is not greedy; else the first segment at which only one of the two is literal decides.
func (r *route) before(other *route) bool {
	if r.greedy() != other.greedy() {
		return other.greedy()
	}
	for i := range r.segments {
		_, mine := parameter(r.segments[i])
		if i == len(other.segments) { // the one with more segments before its greedy one
			return true
		}
		_, theirs := parameter(other.segments[i])
		if mine != theirs {
			return theirs
		}
	}
	return false
}

func parameter(segment string) (name string, is bool) {
	if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
		return strings.TrimSuffix(segment[1:len(segment)-1], "+"), true
	}
	return "", false
}
