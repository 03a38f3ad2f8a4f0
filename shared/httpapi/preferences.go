package httpapi

import (
	"context"
	"slices"
	"strings"

	"partneraccess/shared/access"
)

type preferencesView struct {
	Language textOrNull `json:"language"`
	Zone     textOrNull `json:"zone"`
}

func viewPreferences(p access.Preferences) preferencesView {
	return preferencesView{Language: textOrNull(p.Language), Zone: textOrNull(p.Zone)}
}

type preferencesBody struct {
	Language opt[string] `json:"language"`
	Zone     opt[string] `json:"zone"`
}

// preferences reads both: what is left out or null is left to the provider.
func (b preferencesBody) preferences(languages []string) (access.Preferences, error) {
	var f findings
	var p access.Preferences
	if s := f.textOrNone(b.Language, "/language", "a language is one of: "+strings.Join(languages, ", "),
		func(s string) bool { return slices.Contains(languages, s) }); s != nil {
		p.Language = *s
	}
	if s := f.textOrNone(b.Zone, "/zone", "a zone is a time zone of the IANA database, such as Europe/Berlin",
		func(s string) bool { return zoneOf(s) != nil }); s != nil {
		p.Zone = *s
	}
	return p, f.err()
}

// putPreferences is for the person alone who calls: the path names nobody.
func putPreferences(ctx context.Context, c *call) (reply, error) {
	var b preferencesBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	p, err := b.preferences(c.api.Languages)
	if err != nil {
		return reply{}, err
	}
	if c.who.id.Email == "" {
		return reply{}, access.Refuse(access.Forbidden, "this needs a token of a person with a verified e-mail address")
	}
	p, err = c.service.SetPreferences(ctx, c.caller(), p)
	return reply{status: 200, body: viewPreferences(p)}, err
}
