package mail_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
	"partneraccess/shared/messages"
)

// families are the keys that are made of a name: what they begin with, and the names that there are.
func families() map[string][]string {
	levels, roles, reasons := []string{}, []string{"member"}, []string{}
	for l := access.None; l <= access.Manage; l++ {
		levels = append(levels, l.String())
	}
	for _, r := range []access.Role{access.Owner, access.Admin, access.Business, access.Tech, access.SalesMarketing, access.External} {
		roles = append(roles, string(r))
	}
	for _, r := range []access.Reason{
		access.RevokedByCustomer, access.RelinquishedByPartner, access.Expired, access.PartnerRemoved, access.CustomerRemoved,
		access.RelationshipEnded, access.ManagementEnded, access.GrantEnded, access.ChoiceChanged, access.InviterLeft, access.NotActive,
		access.ManagedNow, access.PeriodChanged, access.RequesterLeft, access.Fulfilled,
	} {
		reasons = append(reasons, string(r))
	}
	var invitation, happened []string
	for _, typ := range events.Types() {
		if what, ok := strings.CutPrefix(string(typ), "invitation."); ok {
			invitation = append(invitation, what)
		}
	}
	for _, template := range mail.Templates() {
		happened = append(happened, mail.HappenedAs(template))
	}
	slices.Sort(happened)
	return map[string][]string{
		"level": levels, "level.means": levels, "role": roles, "reason": reasons, "invitation_is": invitation,
		"happened": slices.Compact(happened), "month": strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12"), "zone": {"cet", "cest"},
	}
}

// What no letter says any more is deleted, and what a letter says is there.
func TestEachWordOfTheCatalogueIsUsed(t *testing.T) {
	t.Parallel()
	english, err := messages.Load(messages.Fallback, "mails.")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for family, names := range families() {
		for _, name := range names {
			used["mails."+family+"."+name] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	templates, err := filepath.Glob("templates/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, templates...) {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\.T[( ]"([^"]+[^.])"`).FindAllStringSubmatch(string(text), -1) {
			if key := "mails." + found[1]; !strings.HasSuffix(f, "_test.go") {
				used[key] = true
				if !english.Has(key) {
					t.Errorf("%s: got %s, which the catalogue has not", f, key)
				}
			}
		}
	}
	for _, key := range english.Keys() {
		if !used[key] {
			t.Errorf("got the words of %s, which nothing uses", key)
		}
	}
	for key := range used {
		if !english.Has(key) {
			t.Errorf("got no words of %s", key)
		}
	}
}

// A line of a summary is made when the letter would be sent, and stays as it was written then.
func TestASummaryHasALineForEachLetter(t *testing.T) {
	t.Parallel()
	r := renderer(t, settings())
	for _, language := range messages.Languages() {
		for name, l := range cases(t) {
			if l.Template == "summary" || l.Template == "digest" {
				continue
			}
			l.Reader.Language = language
			if line, err := mail.Line(r, l); err != nil || line == "" || strings.Contains(line, "_") {
				t.Errorf("%s in %s: got %q and %v", name, language, line, err)
			}
		}
	}
}
