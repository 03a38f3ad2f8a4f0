// Package pages serves the built console (scripts/console), with the headers that a deployed stage sends, too.
package pages

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Settings is what the console reads from /settings.json: what differs between stages. scripts/console/src/settings.ts says the same.
type Settings struct {
	API   string `json:"api"` // without a slash at the end; empty: where the page is
	Local bool   `json:"local,omitempty"`
	Login *Login `json:"login,omitempty"`
}

// Login is a hosted login: authorization code with PKCE.
type Login struct {
	Authorize string   `json:"authorize"` // the authorization endpoint
	Token     string   `json:"token"`     // the token endpoint
	Logout    string   `json:"logout,omitempty"`
	ClientID  string   `json:"client_id"`
	Scopes    []string `json:"scopes"`
}

// Handler serves the folder that `npm run build` wrote: its files, the settings, and the page itself for every other path, which is the
// console's own to understand.
type Handler struct {
	dir      fs.FS
	settings []byte
	policy   string

	mu     sync.Mutex
	packed map[string]packed // by file name
}

// packed is a file's content, compressed, as of when it was written.
type packed struct {
	written time.Time
	content []byte
}

// New serves what stands in dir, which may be built anew meanwhile.
func New(dir fs.FS, s Settings) (*Handler, error) {
	if _, err := fs.Stat(dir, "index.html"); err != nil {
		return nil, fmt.Errorf("the console is not built (npm --prefix scripts run build): %w", err)
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	policy, err := Policy(s)
	if err != nil {
		return nil, err
	}
	return &Handler{dir: dir, settings: settings, policy: policy, packed: map[string]packed{}}, nil
}

// Policy is the page's Content-Security-Policy: only its own files, and requests to the API and to the login's token endpoint.
func Policy(s Settings) (string, error) {
	connect := []string{"'self'"}
	addresses := []string{s.API}
	if s.Login != nil {
		addresses = append(addresses, s.Login.Token)
	}
	for _, address := range addresses {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return "", fmt.Errorf("%q is no address", address)
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(connect, origin) {
			connect = append(connect, origin)
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " +
		strings.Join(connect, " ") + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", nil
}

// Owns tells whether a path is the pages' to answer, and not the API's or the local stack's.
func Owns(p string) bool {
	for _, prefix := range []string{"/v1", "/access", "/.well-known", "/_local"} {
		if p == prefix || strings.HasPrefix(p, prefix+"/") {
			return false
		}
	}
	return true
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // an invitation's address is a secret
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this is a page", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	switch {
	case name == "settings.json":
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Type", "application/json")
		_, _ = w.Write(h.settings) // the caller has gone away
		return
	case strings.HasPrefix(name, "assets/"): // their names change with their content
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	case strings.Contains(path.Base(name), ".") && h.has(name):
		header.Set("Cache-Control", "no-cache")
	default:
		name = "index.html"
		header.Set("Cache-Control", "no-cache")
	}
	h.file(w, r, name)
}

func (h *Handler) has(name string) bool {
	info, err := fs.Stat(h.dir, name)
	return err == nil && info.Mode().IsRegular()
}

func (h *Handler) file(w http.ResponseWriter, r *http.Request, name string) {
	if !h.has(name) {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8" // whatever the machine's own list says
	}
	w.Header().Set("Content-Type", kind)
	read := h.plain
	if compressible(kind) {
		w.Header().Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			read = h.gzipped
		}
	}
	content, written, err := read(name)
	if err != nil {
		w.Header().Del("Content-Encoding")
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Encoding") != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(content))) // ServeContent leaves it out of what is encoded
	}
	http.ServeContent(w, r, name, written, bytes.NewReader(content))
}

func (h *Handler) plain(name string) ([]byte, time.Time, error) {
	info, err := fs.Stat(h.dir, name)
	if err != nil {
		return nil, time.Time{}, err
	}
	content, err := fs.ReadFile(h.dir, name)
	return content, info.ModTime(), err
}

// gzipped is the file's compressed content, made once for each time that it is written.
func (h *Handler) gzipped(name string) ([]byte, time.Time, error) {
	info, err := fs.Stat(h.dir, name)
	if err != nil {
		return nil, time.Time{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p, ok := h.packed[name]; ok && p.written.Equal(info.ModTime()) {
		return p.content, p.written, nil
	}
	plain, _, err := h.plain(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, time.Time{}, err
	}
	if _, err := z.Write(plain); err != nil {
		return nil, time.Time{}, err
	}
	if err := z.Close(); err != nil {
		return nil, time.Time{}, err
	}
	h.packed[name] = packed{info.ModTime(), b.Bytes()}
	return b.Bytes(), info.ModTime(), nil
}

func compressible(kind string) bool {
	media, _, _ := strings.Cut(kind, ";")
	return strings.HasPrefix(media, "text/") || slices.Contains([]string{"image/svg+xml", "application/json"}, media)
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if coding, weight, _ := strings.Cut(part, ";"); strings.TrimSpace(coding) == "gzip" {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}
