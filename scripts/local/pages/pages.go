// Package pages serves the built console (scripts/console) as shared/console says, which a deployed stage follows, too.
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

	"partneraccess/shared/console"
)

// Handler serves the folder that `npm run build` wrote: its files, the settings, and the page itself for every other path, which is the
// console's own to understand.
type Handler struct {
	dir      fs.FS
	settings []byte
	headers  []console.Header

	mu     sync.Mutex
	packed map[string]packed // by file name
}

// packed is a file's content, compressed, as of when it was written.
type packed struct {
	written time.Time
	content []byte
}

// New serves what stands in dir, which may be built anew meanwhile.
func New(dir fs.FS, s console.Settings) (*Handler, error) {
	if _, err := fs.Stat(dir, "index.html"); err != nil {
		return nil, fmt.Errorf("the console is not built (npm --prefix scripts run build): %w", err)
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	to, err := origins(s)
	if err != nil {
		return nil, err
	}
	if err := console.CheckEmbed(s.Embed, s.Local); err != nil {
		return nil, err
	}
	return &Handler{dir: dir, settings: settings, headers: console.Headers(to, s.Embed), packed: map[string]packed{}}, nil
}

// origins are those to which the page sends requests, but for its own: the API's and the login's token endpoint's.
func origins(s console.Settings) ([]string, error) {
	var out []string
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
			return nil, fmt.Errorf("%q is no address", address)
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	return out, nil
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
	for _, one := range h.headers {
		header.Set(one.Name, one.Value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this is a page", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	switch {
	case name == console.SettingsFile:
		header.Set("Cache-Control", console.CacheRevalidate)
		header.Set("Content-Type", "application/json")
		_, _ = w.Write(h.settings) // the caller has gone away
		return
	case strings.HasPrefix(name, console.Assets+"/"):
		header.Set("Cache-Control", console.CacheForever)
	case strings.Contains(path.Base(name), ".") && h.has(name):
		header.Set("Cache-Control", console.CacheRevalidate)
	default:
		name = "index.html"
		header.Set("Cache-Control", console.CacheRevalidate)
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
