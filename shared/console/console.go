// Package console is what the console (scripts/console) is served with: its settings, its headers, and how long a file may be cached. The
// local stack and the CDK app read it here, so that they cannot differ.
package console

import "strings"

// Settings is what the console reads from /settings.json: what differs between stages. scripts/console/src/settings.ts says the same.
type Settings struct {
	API     string `json:"api"`               // without a slash at the end; empty: where the page is
	Product string `json:"product,omitempty"` // what the provider's product is called, as in mails
	Local   bool   `json:"local,omitempty"`
	Login   *Login `json:"login,omitempty"`
}

// Login is a hosted login: authorization code with PKCE.
type Login struct {
	Authorize string   `json:"authorize"`        // the authorization endpoint
	Token     string   `json:"token"`            // the token endpoint
	Logout    string   `json:"logout,omitempty"` // where signing out leads; {origin} becomes the page's own origin, percent-encoded
	ClientID  string   `json:"client_id"`
	Scopes    []string `json:"scopes"`
}

// SettingsFile is where the console looks for its settings, beside index.html.
const SettingsFile = "settings.json"

// SignIn is the page to which the hosted login leads back.
const SignIn = "/sign-in"

// Header is one that comes with a response.
type Header struct{ Name, Value string }

// Headers come with the page and every file of it. It may load only its own files, and send requests only to its
// own origin and those.
func Headers(origins ...string) []Header {
	return []Header{
		{
			"Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " +
				strings.Join(append([]string{"'self'"}, origins...), " ") + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
		},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"}, // an invitation's address is a secret
		{"X-Frame-Options", "DENY"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
	}
}

// Assets is the folder of the files whose names change with their content.
const Assets = "assets"

// The values of Cache-Control: of what lies in Assets, and of all else, the settings among it, which has to be asked for each time.
const (
	CacheForever    = "public, max-age=31536000, immutable"
	CacheRevalidate = "no-cache"
)
