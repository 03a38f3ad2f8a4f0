package seed

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"partneraccess/scripts/local/ask"
)

// States puts the customer umbra into the service at base, with a partner in each state that access can have: active, ending soon,
// everyone, scheduled, suspended, ended, an invitation and a request that wait; initech, which a partner manages, is Run's. What is there
// already is set to the same again. Periods are counted from now on.
func States(ctx context.Context, base string, token Token, now time.Time) error {
	s := &sender{ctx: ctx, base: base, token: token}
	const mia = "mia@umbra.example"
	const umbra, grants = "/v1/customers/umbra", "/v1/customers/umbra/grants"
	s.send("", http.MethodPut, umbra, object{"name": "Umbra Health", "domain": "umbra.example", "contacts": []string{"it@umbra.example"}})
	s.send("", http.MethodPut, umbra+"/members/"+mia, object{"name": "Mia Moreau", "role": "admin"})
	for _, p := range []struct{ id, name, people string }{
		{"aldgate", "Aldgate Consulting", "Ida Iversen, Noor Nasser, Ravi Rao"},
		{"brightline", "Brightline IT", "Pia Pohl, Quinn Quist"},
		{"corvus", "Corvus Security", "Tom Tran, Uma Ueda, Vic Vale, Wes Wu"},
		{"delphi", "Delphi Analytics", "Xia Xu"},
		{"evergreen", "Evergreen Managed Services", "Yan Yilmaz, Zoe Zhu"},
		{"foundry", "Foundry Partners", "Abe Adler"},
		{"granite", "Granite Support", "Bea Berg"},
	} {
		s.send("", http.MethodPut, "/v1/partners/"+p.id,
			object{"name": p.name, "class": "channel", "offer": "manage", "sso": true, "contacts": []string{"ops@" + p.id + ".example"}})
		role := "owner"
		for name := range strings.SplitSeq(p.people, ", ") {
			email := strings.ToLower(name[:strings.Index(name, " ")]) + "@" + p.id + ".example"
			s.send("", http.MethodPost, "/v1/partners/"+p.id+"/users", object{"email": email, "name": name, "role": role})
			role = "tech"
		}
	}

	in := func(days int) string { return now.AddDate(0, 0, days).UTC().Format(time.RFC3339) }
	s.send(mia, http.MethodPost, grants, object{"partner": "aldgate", "users": s.users("aldgate"), "level": "manage"})
	s.send(mia, http.MethodPost, grants, object{"partner": "brightline", "users": s.users("brightline"), "level": "support", "until": in(9)})
	s.send(mia, http.MethodPost, grants, object{"partner": "corvus", "everyone": true, "level": "view", "until": in(21)})
	s.send(mia, http.MethodPost, grants,
		object{"partner": "delphi", "users": s.users("delphi"), "level": "view", "from": in(5), "until": in(35)})
	s.send(mia, http.MethodPost, grants, object{"partner": "evergreen", "users": s.users("evergreen"), "level": "support"})
	s.send(mia, http.MethodPatch, grants+"/evergreen", object{"state": "suspended"})
	s.send(mia, http.MethodPost, grants, object{"partner": "foundry", "users": s.users("foundry"), "level": "view"})
	s.send(mia, http.MethodDelete, grants+"/foundry", nil)
	s.send(mia, http.MethodPost, umbra+"/invitations", object{"email": "kai@freelance.example", "partner": "aldgate", "level": "view"})
	code := s.send(mia, http.MethodPost, umbra+"/request-policy/code", nil).Text("code")
	s.send("bea@granite.example", http.MethodPost, "/v1/partners/granite/requests", object{
		"customer": "umbra", "code": code, "kind": "access", "level": "support", "users": s.users("granite"), "until": in(30),
		"reason": "Roll out the new scheduling module",
	})
	return s.err
}

// sender sends one request after another, until one fails.
type sender struct {
	ctx   context.Context //nolint:containedctx // of States alone
	base  string
	token Token
	err   error
}

// send asks as the person with the address, or with the directory's scope.
func (s *sender) send(as, method, path string, body object) ask.Answer {
	if s.err != nil {
		return ask.Answer{}
	}
	scope := DirectoryScope
	if as != "" {
		scope = ""
	}
	bearer, err := s.token(scope, as)
	if err != nil {
		s.err = fmt.Errorf("seed: %w", err)
		return ask.Answer{}
	}
	r := request{method: method, path: path, body: body}
	a, err := send(s.ctx, s.base, bearer, r)
	if err != nil {
		s.err = fmt.Errorf("seed: %w", err)
	}
	return a
}

// users are the ids of a partner's users.
func (s *sender) users(partner string) []string {
	var page struct{ Items []struct{ ID string } }
	a := s.send("", http.MethodGet, "/v1/partners/"+partner+"/users", nil)
	if s.err == nil {
		s.err = a.Into(&page)
	}
	var out []string
	for _, u := range page.Items {
		out = append(out, u.ID)
	}
	return out
}
