package console_test

import (
	"strconv"
	"strings"
	"testing"

	"partneraccess/shared/console"
)

func TestOriginsThatMayShowThePages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origin          string
		deployed, local bool
	}{
		{"https://app.example.com", true, true},
		{"https://app.example.com:8443", true, true},
		{"https://intranet", true, true},
		{"https://localhost", false, true},
		{"https://app.localhost:8443", false, true},
		{"http://localhost:3000", false, true},
		{"http://127.0.0.1:3000", false, true},
		{"http://app.example.com", false, false},
		{"http://localhost.example.com", false, false},
		{"https://*.example.com", false, false},
		{"*", false, false},
		{"", false, false},
		{"null", false, false},
		{"https:", false, false},
		{"'self'", false, false},
		{"app.example.com", false, false},
		{"https://app.example.com/", false, false},
		{"https://app.example.com/path", false, false},
		{"https://app.example.com?x", false, false},
		{"https://app.example.com:443", false, false}, // a browser leaves it out
		{"https://app.example.com:0", false, false},
		{"https://App.example.com", false, false},
		{"https://bücher.example", false, false}, // a browser sends xn--
		{"https://user@app.example.com", false, false},
		{"https://app.example.com https://evil.example", false, false},
		{"https://app.example.com; script-src *", false, false},
		{"https://app.example.com\nX: y", false, false},
		{"javascript:alert(1)", false, false},
	} {
		for local, want := range map[bool]bool{false: c.deployed, true: c.local} {
			if err := console.CheckEmbed([]string{"https://ok.example", c.origin}, local); (err == nil) != want {
				t.Errorf("%q (local: %v): got %v, want it allowed: %v", c.origin, local, err, want)
			}
		}
	}
	var many []string
	for n := range console.MostEmbed + 1 {
		many = append(many, "https://app"+strconv.Itoa(n)+".example")
	}
	if err := console.CheckEmbed(many, false); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%d origins: got %v, want an error that says how many may be given", len(many), err)
	}
}
