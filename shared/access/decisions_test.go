package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// The decisions of testdata/decisions are cases as data: facts, a question and the decision that has to follow. What a case leaves
// out is as in defaultCase, whose answer is yes: Kim of Contoso reads Acme's insights. A fact that is null is not there.

type decisionFile struct {
	About     string            `json:"about"`
	Catalogue json.RawMessage   `json:"catalogue"` // absent: the default one
	Cases     []json.RawMessage `json:"cases"`
}

type decisionCase struct {
	Name  string    `json:"name"`
	Facts caseFacts `json:"facts"`
	Ask   caseAsk   `json:"ask"`
	Want  caseWant  `json:"want"`
}

type caseFacts struct {
	Partner    *casePartner    `json:"partner"`
	User       *caseUser       `json:"user"`
	Grant      *caseGrant      `json:"grant"`
	Assignment *caseAssignment `json:"assignment"`
}

type casePartner struct {
	ID     string        `json:"id"`
	Class  access.Class  `json:"class"`
	Offer  string        `json:"offer"`
	SSO    bool          `json:"sso"`
	Status access.Status `json:"status"`
	Parent string        `json:"parent"`
}

type caseUser struct {
	ID       string        `json:"id"`
	Partner  string        `json:"partner"`
	Number   int64         `json:"number"`
	Role     access.Role   `json:"role"`
	Status   access.Status `json:"status"`
	MemberOf []string      `json:"member_of"`
	Email    string        `json:"email"`
	Former   []string      `json:"former"`
}

type caseGrant struct {
	Customer   string        `json:"customer"`
	Partner    string        `json:"partner"`
	Level      string        `json:"level"`
	State      access.State  `json:"state"`
	Ended      access.Reason `json:"ended"` // the reason of the end
	From       time.Time     `json:"from"`
	Until      time.Time     `json:"until"`
	RequireSSO bool          `json:"require_sso"`
	Managed    bool          `json:"managed"`
	Everyone   bool          `json:"everyone"`
	Epoch      int64         `json:"epoch"`
	UpTo       int64         `json:"up_to"`
	AssignedBy string        `json:"assigned_by"`

	Domain string            `json:"domain"`
	Caps   map[string]string `json:"caps"`
}

type caseAssignment struct {
	Customer string `json:"customer"`
	User     string `json:"user"`
	Epoch    int64  `json:"epoch"`
	Out      bool   `json:"out"`
	Level    string `json:"level"`

	By     access.Assigner `json:"by"`
	Number int64           `json:"number"`
}

type caseAsk struct {
	Customer string    `json:"customer"`
	Portal   string    `json:"portal"` // asks about this partner's portal instead
	Action   string    `json:"action"`
	At       time.Time `json:"at"`
}

type caseWant struct {
	Allow      bool                  `json:"allow"`
	Why        access.DecisionReason `json:"why"`
	Level      string                `json:"level"`
	ValidUntil time.Time             `json:"valid_until"`
	Grant      bool                  `json:"grant"` // the grant's id is told
}

func defaultCase() decisionCase {
	return decisionCase{
		Facts: caseFacts{
			Partner: &casePartner{ID: "contoso", Class: access.Channel, Offer: "manage", SSO: true, Status: access.Active},
			User: &caseUser{
				ID: "contoso:kim", Partner: "contoso", Number: 1, Role: access.Tech, Status: access.Active,
				Email: "kim@contoso.example",
			},
			Grant: &caseGrant{
				Customer: "acme", Partner: "contoso", Level: "manage", State: access.StateOpen, From: day("2026-01-01"),
				Epoch: 1,
			},
			Assignment: &caseAssignment{Customer: "acme", User: "contoso:kim", Epoch: 1},
		},
		Ask:  caseAsk{Customer: "acme", Action: "insights:read", At: day("2026-06-15")},
		Want: caseWant{Level: "none", Grant: true},
	}
}

func (f caseFacts) facts() access.Facts {
	var out access.Facts
	if p := f.Partner; p != nil {
		out.Partner = &access.Partner{ID: p.ID, Class: p.Class, Offer: level(p.Offer), SSO: p.SSO, Status: p.Status, Parent: p.Parent}
	}
	if u := f.User; u != nil {
		out.User = &access.User{
			ID: u.ID, Partner: u.Partner, Number: u.Number, Role: u.Role, Status: u.Status, MemberOf: u.MemberOf,
			Email: u.Email, FormerEmails: u.Former,
		}
	}
	if g := f.Grant; g != nil {
		out.Grant = &access.Grant{
			ID: "grt_1", Customer: g.Customer, Partner: g.Partner, Level: level(g.Level), State: g.State, From: g.From, Until: g.Until,
			RequireSSO: g.RequireSSO, Managed: g.Managed, Everyone: g.Everyone, Epoch: g.Epoch, EveryoneUpTo: g.UpTo, Domain: g.Domain,
			AssignedBy: access.Assigner(g.AssignedBy),
		}
		for address, l := range g.Caps {
			if out.Grant.Caps == nil {
				out.Grant.Caps = access.Caps{}
			}
			out.Grant.Caps[address] = level(l)
		}
		if g.Ended != "" {
			out.Grant.State, out.Grant.End = access.StateEnded, &access.End{Reason: g.Ended, At: day("2026-06-01")}
		}
	}
	if a := f.Assignment; a != nil {
		out.Assignment = &access.Assignment{
			Customer: a.Customer, Partner: "contoso", User: a.User, Epoch: a.Epoch, Excluded: a.Out, By: a.By,
			Number: a.Number,
		}
		if a.Level != "" {
			out.Assignment.Level = new(level(a.Level))
		}
	}
	return out
}

func TestDecisionCases(t *testing.T) {
	files, err := filepath.Glob("testdata/decisions/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/decisions: got %d files (%v), want some", len(files), err)
	}
	told := map[access.DecisionReason]bool{}
	for _, file := range files {
		f, catalogue := readDecisions(t, file)
		for i, raw := range f.Cases {
			c := defaultCase()
			if err := strictJSON(raw, &c); err != nil || c.Name == "" {
				t.Fatalf("%s: case %d: got name %q and error %v, want a case with a name", file, i+1, c.Name, err)
			}
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) {
				facts := c.Facts.facts()
				want := access.Decision{Allow: c.Want.Allow, Reason: c.Want.Why, Level: level(c.Want.Level), Until: c.Want.ValidUntil}
				got := catalogue.DecidePortal(facts, c.Ask.Portal, c.Ask.Action)
				if c.Ask.Portal == "" {
					if c.Want.Grant {
						want.Grant = "grt_1"
					}
					got = catalogue.Decide(facts, c.Ask.Customer, c.Ask.Action, c.Ask.At)
					level, in := access.EffectiveLevel(facts, c.Ask.Customer, c.Ask.At)
					if wantIn := got.Level > access.None; in != wantIn || level != got.Level {
						t.Errorf("Enters: got %v, %s; want %v, %s as in the decision", in, level, wantIn, got.Level)
					}
				}
				if got != want {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
				told[got.Reason] = true
			})
		}
	}
	for _, w := range []access.DecisionReason{
		access.Granted, access.UnknownSubject, access.DeniedPartnerNotActive, access.DeniedPartnerNotEligible, access.SSORequired,
		access.DeniedUserNotActive,
		access.NoGrant, access.NotYetActive, access.DeniedSuspended, access.DeniedExpired, access.DeniedEnded,
		access.UserNotAssigned, access.DeniedConflict, access.DeniedOwnOrganisation, access.LevelTooLow, access.ActionNotAllowed,
		access.RoleNotAllowed,
	} {
		if !told[w] {
			t.Errorf("reason %s: got no case that ends in it, want at least one", w)
		}
	}
}

func readDecisions(t *testing.T, file string) (decisionFile, *access.Catalogue) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f decisionFile
	if err := strictJSON(data, &f); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if f.Catalogue == nil {
		return f, access.DefaultCatalogue()
	}
	c, err := access.ParseCatalogue(f.Catalogue)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return f, c
}

func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Two facts that deny never make up for each other.
func TestNoPairOfDenialsAddsUpToAYes(t *testing.T) {
	denials := []struct {
		name string
		deny func(*caseFacts)
	}{
		{"user removed", func(f *caseFacts) { f.User.Status = access.Removed }},
		{"user disabled", func(f *caseFacts) { f.User.Status = access.Disabled }},
		{"user invited", func(f *caseFacts) { f.User.Status = access.Status("invited") }},
		{"user of another partner", func(f *caseFacts) { f.User.Partner = "fabrikam" }},
		{"user is a member", func(f *caseFacts) { f.User.MemberOf = []string{"acme"} }},
		{"user of the customer's domain", func(f *caseFacts) { f.Grant.Domain = "contoso.example" }},
		{"user capped", func(f *caseFacts) { f.Grant.Caps = map[string]string{"kim@contoso.example": "view"} }},
		{"user kept out", func(f *caseFacts) { f.Grant.Caps = map[string]string{"kim@contoso.example": "none"} }},
		{"user capped under a former address", func(f *caseFacts) {
			f.User.Former, f.Grant.Caps = []string{"kim@old.example"}, map[string]string{"kim@old.example": "view"}
		}},
		{"another person in the account", func(f *caseFacts) { f.Assignment.By, f.Assignment.Number = access.ByCustomer, 7 }},
		{"partner suspended", func(f *caseFacts) { f.Partner.Status = access.Suspended }},
		{"partner removed", func(f *caseFacts) { f.Partner.Status = access.Removed }},
		{"partner of another class", func(f *caseFacts) { f.Partner.Class = access.Other }},
		{"partner of another id", func(f *caseFacts) { f.Partner.ID = "fabrikam" }},
		{"nothing offered", func(f *caseFacts) { f.Partner.Offer = "none" }},
		{"no single sign-on", func(f *caseFacts) { f.Partner.SSO, f.Grant.RequireSSO = false, true }},
		{"grant of another partner", func(f *caseFacts) { f.Grant.Partner = "fabrikam" }},
		{"grant of another customer", func(f *caseFacts) { f.Grant.Customer = "initech" }},
		{"grant of no known state", func(f *caseFacts) { f.Grant.State = "requested" }},
		{"grant suspended", func(f *caseFacts) { f.Grant.State = access.StateSuspended }},
		{"grant ended", func(f *caseFacts) { f.Grant.Ended = access.RevokedByCustomer }},
		{"grant over", func(f *caseFacts) { f.Grant.Until = day("2026-06-15") }},
		{"grant in the future", func(f *caseFacts) { f.Grant.From = day("2026-06-16") }},
		{"grant of a later epoch", func(f *caseFacts) { f.Grant.Epoch++ }},
		{"nothing granted", func(f *caseFacts) { f.Grant.Level = "none" }},
		{"assignment out", func(f *caseFacts) { f.Assignment.Out = true }},
		{"assignment of another user", func(f *caseFacts) { f.Assignment.User = "contoso:lee" }},
		{"assignment elsewhere", func(f *caseFacts) { f.Assignment.Customer = "initech" }},
		{"assignment below the action", func(f *caseFacts) { f.Assignment.Level = "view" }},
		// From here on facts are missing, which the others before them would change.
		{"no assignment", func(f *caseFacts) { f.Assignment = nil }},
		{"no grant", func(f *caseFacts) { f.Grant = nil }},
		{"no partner", func(f *caseFacts) { f.Partner = nil }},
		{"no user", func(f *caseFacts) { f.User = nil }},
	}
	catalogue := access.DefaultCatalogue()
	decide := func(deny ...func(*caseFacts)) access.Decision {
		c := defaultCase()
		for _, d := range deny {
			d(&c.Facts)
		}
		return catalogue.Decide(c.Facts.facts(), "acme", "settings:write", c.Ask.At)
	}
	if d := decide(); !d.Allow {
		t.Fatalf("nothing against it: got %+v, want yes", d)
	}
	for i, a := range denials {
		for _, b := range denials[i:] { // a with itself, too
			if d := decide(a.deny, b.deny); d.Allow || d.Reason == access.Granted {
				t.Errorf("%s, and %s: got %+v, want no", a.name, b.name, d)
			}
		}
	}
}

func level(s string) access.Level {
	l, ok := access.ParseLevel(s)
	if !ok {
		panic(fmt.Sprintf("no level is called %q", s))
	}
	return l
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}
