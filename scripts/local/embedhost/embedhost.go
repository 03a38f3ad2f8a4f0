// Package embedhost serves a page of a vendor's own application (scripts/console/embed), which shows the console's pages in a frame. It is
// for an origin of its own.
package embedhost

import (
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// New serves the page out of its folder. The console is at the origin pages. The page gets tokens from its own back end, as a vendor's
// would: from token, for a person by e-mail.
func New(dir fs.FS, pages string, token func(email string) (string, error)) http.Handler {
	// What a vendor's policy has to allow: the script and the frame.
	policy := fmt.Sprintf("default-src 'none'; script-src 'self' %[1]s; frame-src %[1]s; connect-src 'self'; style-src 'self'; "+
		"img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'", pages)
	mux := http.NewServeMux()
	for _, name := range []string{"index.html", "host.js", "host.css"} {
		at := "GET /" + name
		if name == "index.html" {
			at = "GET /{$}"
		}
		mux.HandleFunc(at, func(w http.ResponseWriter, _ *http.Request) {
			text, err := fs.ReadFile(dir, name)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
			_, _ = w.Write([]byte(strings.ReplaceAll(string(text), "{pages}", pages))) // the caller has gone away
		})
	}
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		text, err := token(r.FormValue("as"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(text)) // likewise
	})
	return mux
}
