// Package console is what the console (scripts/console) is served with: its settings, its headers, and how long a file may be cached. The
// local stack and the CDK app read it here, so that they cannot differ.
package console

import (
	"fmt"
	"regexp"
	"strings"
)

// Settings is what the console reads from /settings.json: what differs between stages. scripts/console/src/settings.ts says the same.
type Settings struct {
	API     string   `json:"api"`               // without a slash at the end; empty: where the page is
	Product string   `json:"product,omitempty"` // what the provider's product is called, as in mails
	Local   bool     `json:"local,omitempty"`
	Login   *Login   `json:"login,omitempty"`
	Embed   []string `json:"embed,omitempty"` // the origins whose pages may show the console in a frame; none: nobody may
}

// MostEmbed is the largest number of origins in Settings.Embed: they all stand in one header.
const MostEmbed = 20

var origin = regexp.MustCompile(`^(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([1-9][0-9]{0,4}))?$`)

// CheckEmbed returns an error unless each of the origins is one that a browser sends as Origin, letter by letter: https, a host without
// wildcards, and a port only where it is not 443. On the local stack http is allowed, too, for hosts on this machine, which a deployment
// refuses altogether: whatever runs on a reader's machine could show the console.
func CheckEmbed(origins []string, local bool) error {
	if len(origins) > MostEmbed {
		return fmt.Errorf("%d origins are given: %d may show the pages in a frame at most", len(origins), MostEmbed)
	}
	for _, o := range origins {
		m := origin.FindStringSubmatch(o)
		if m == nil || m[1] == "https" && m[3] == "443" || m[1] == "http" && m[3] == "80" {
			return fmt.Errorf("%q is no origin: give what a browser sends as Origin, such as https://app.example.com, without wildcards, "+
				"a path or the usual port", o)
		}
		here := m[2] == "localhost" || strings.HasSuffix(m[2], ".localhost") || m[2] == "127.0.0.1"
		if here && !local {
			return fmt.Errorf("%q is the reader's own machine, where anything may run: that is for the local stack alone", o)
		}
		if m[1] == "http" && !here {
			return fmt.Errorf("%q is not encrypted: give an origin that begins with https://", o)
		}
	}
	return nil
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

// Headers come with the page and every file of it. It may load only its own files, and send requests only to its own origin and those of
// connect. Pages of the origins in embed alone may show it in a frame, all that are around it: with none, nobody may.
func Headers(connect, embed []string) []Header {
	ancestors := "'none'"
	if len(embed) > 0 {
		ancestors = strings.Join(embed, " ")
	}
	headers := []Header{
		{
			"Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " +
				strings.Join(append([]string{"'self'"}, connect...), " ") + "; frame-ancestors " + ancestors + "; base-uri 'none'; form-action 'none'",
		},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"}, // an invitation's address is a secret
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
	}
	if len(embed) == 0 { // it knows no list, and browsers that know frame-ancestors leave it aside
		headers = append(headers, Header{"X-Frame-Options", "DENY"})
	}
	return headers
}

// Assets is the folder of the files whose names change with their content.
const Assets = "assets"

// The values of Cache-Control: of what lies in Assets, and of all else, the settings among it, which has to be asked for each time.
const (
	CacheForever    = "public, max-age=31536000, immutable"
	CacheRevalidate = "no-cache"
)
