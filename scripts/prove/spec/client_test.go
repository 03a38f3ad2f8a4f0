package spec_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/client"
	"partneraccess/shared/httpapi"
)

// The client package goes through a grant's life: list with a cursor, edit by version, the refusal of an old one, checks before and after.
func TestTheGoClientGoesThroughAGrantsLife(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Partner("fabrikam")
	w.Grant("acme", m{"partner": "fabrikam", "everyone": true, "level": "view"}).Want(201)
	as := func(token string) *client.Client {
		return client.New(w.Stack.URL(), client.TokenFunc(func(context.Context) (string, error) { return token, nil }))
	}
	ann := as(w.Token(stack.TokenRequest{Email: "admin@acme.example"}))
	backEnd := as(w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck}))
	ctx := t.Context()

	var answer struct{ Grant client.Grant }
	a, err := ann.Do(ctx, client.Request{
		Method: "POST", Path: grants, Body: m{"partner": "contoso", "users": []string{kim}, "level": "support"},
	}, &answer)
	made := answer.Grant
	if err != nil || a.Status != 201 || made.Level != "support" || made.UserCount != 1 || made.Until != nil {
		t.Fatalf("grant: got %d %+v, %v", a.Status, made, err)
	}
	var listed []string
	for g, err := range client.Pages[client.Grant](ctx, ann, grants+"?limit=1") {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, g.Partner.ID)
	}
	if !slices.Equal(listed, []string{"contoso", "fabrikam"}) {
		t.Errorf("list: got %v, want both, by name", listed)
	}

	question := func(user, action string) client.Question {
		return client.Question{User: user, Action: action, Customer: "acme"}
	}
	if d, err := backEnd.Check(ctx, question(kim, "reports:read")); err != nil || !d.Allowed || d.Grant != made.ID || d.EvaluatedAt.IsZero() {
		t.Errorf("check: got %+v, %v, want it allowed by %s", d, err, made.ID)
	}
	decisions, errs, err := backEnd.Checks(ctx, []client.Question{question(kim, "reports:read"), question(sam, "sign_in"), question(kim, "")})
	if err != nil || !decisions[0].Allowed || decisions[1].Allowed || decisions[1].Reason != "user_not_assigned" || decisions[2].Allowed {
		t.Errorf("checks: got %+v, %v", decisions, err)
	}
	var p *client.Problem
	if errs[0] != nil || errs[1] != nil || !errors.As(errs[2], &p) || p.Status != 400 {
		t.Errorf("checks: got the errors %v, want one, of the last", errs)
	}

	version := a.Header.Get("ETag")
	edit := client.Request{Method: "PATCH", Path: contosoGrant, Body: m{"level": "view"}, IfMatch: version}
	if _, err := ann.Do(ctx, edit, nil); err != nil {
		t.Fatal(err)
	}
	edit.Body = m{"level": "manage"}
	if _, err := ann.Do(ctx, edit, nil); !errors.As(err, &p) || p.Status != 412 || p.Code == "" || p.RequestID == "" {
		t.Errorf("an edit of an old version: got %v, want 412", err)
	}
	if d, err := backEnd.Check(ctx, question(kim, "reports:read")); err != nil || d.Allowed || d.Reason != "level_too_low" {
		t.Errorf("after the edit: got %+v, %v", d, err)
	}
	if _, err := ann.Do(ctx, client.Request{Method: "DELETE", Path: contosoGrant, IfMatch: "*"}, nil); err != nil {
		t.Fatal(err)
	}
	if d, err := backEnd.Check(ctx, question(kim, "sign_in")); err != nil || d.Allowed || d.Reason != "ended" {
		t.Errorf("after the end: got %+v, %v", d, err)
	}
	if _, err := as("none").Check(ctx, question(kim, "sign_in")); !errors.As(err, &p) || p.Status != 401 {
		t.Errorf("without a token: got %v, want 401", err)
	}
	for g, err := range ann.Grants(ctx, "globex") {
		if !errors.As(err, &p) || p.Status != 404 {
			t.Errorf("another's grants: got %v, %v, want 404", g, err)
		}
	}
}
