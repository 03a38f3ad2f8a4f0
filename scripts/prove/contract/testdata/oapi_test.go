package flow

import (
	"context"
	"contract/oapi"
	"net/http"
	"testing"
)

func TestOapiCodegenClientRunsTheFlow(t *testing.T) {
	ctx, base := t.Context(), watched(t)
	as := func(token string) *oapi.ClientWithResponses {
		c, err := oapi.NewClientWithResponses(base, oapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ann, backEnd := as(adminToken(t)), as(backEndToken(t))

	for _, body := range []oapi.GrantCreate{
		{Email: new(kim), Level: new(oapi.LevelSupport)},
		{Partner: new(second), Everyone: new(true), Level: new(oapi.LevelView)},
	} {
		made, err := ann.CreateGrantWithResponse(ctx, customer, &oapi.CreateGrantParams{}, body)
		if err != nil || made.JSON201 == nil || made.Headers201.ETag == "" {
			t.Fatalf("grant: %v, %+v", err, made)
		}
	}

	var partners []string
	pages := 0
	for params := (oapi.ListGrantsParams{Limit: new(1)}); ; pages++ {
		page, err := ann.ListGrantsWithResponse(ctx, customer, &params)
		if err != nil || page.JSON200 == nil {
			t.Fatalf("list: %v, %+v", err, page)
		}
		for _, g := range page.JSON200.Items {
			partners = append(partners, g.Partner.Id)
		}
		if params.Cursor = page.JSON200.NextCursor; params.Cursor == nil {
			pages++
			break
		}
	}
	wantBoth(t, pages, partners)

	read, err := ann.GetGrantWithResponse(ctx, customer, partner, &oapi.GetGrantParams{})
	if err != nil || read.JSON200 == nil {
		t.Fatalf("read: %v, %+v", err, read)
	}
	tag := &oapi.EditGrantParams{IfMatch: &read.Headers200.ETag}
	edited, err := ann.EditGrantWithResponse(ctx, customer, partner, tag, oapi.GrantEdit{Level: new(oapi.LevelManage)})
	if err != nil || edited.JSON200 == nil {
		t.Fatalf("edit: %v, %+v", err, edited)
	}
	want(t, "level", string(edited.JSON200.Grant.Level), "manage")
	late, err := ann.EditGrantWithResponse(ctx, customer, partner, tag, oapi.GrantEdit{Note: new("too late")})
	if err != nil || late.ApplicationproblemJSON412 == nil {
		t.Fatalf("edit with the ETag of before: %v, %+v", err, late)
	}
	want(t, "code", late.ApplicationproblemJSON412.Code, oapi.VersionMismatchCodeVersionMismatch)

	check := func() oapi.Decision {
		t.Helper()
		asked, err := backEnd.EvaluateWithResponse(ctx, &oapi.EvaluateParams{}, oapi.EvaluationRequest{
			Subject: oapi.Subject{Type: "user", Id: kim}, Action: oapi.Action{Name: action}, Resource: oapi.Resource{Type: "customer", Id: customer},
		})
		if err != nil || asked.JSON200 == nil {
			t.Fatalf("check: %v, %+v", err, asked)
		}
		return *asked.JSON200
	}
	want(t, "decision", check().Decision, true)
	batch, err := backEnd.EvaluateAllWithResponse(ctx, &oapi.EvaluateAllParams{}, oapi.EvaluationsRequest{
		Subject: &oapi.SubjectInBatch{Type: new("user"), Id: new(kim)},
		Action:  &oapi.ActionInBatch{Name: new(action)},
		Evaluations: &[]oapi.BatchItem{
			{Resource: &oapi.ResourceInBatch{Type: new("customer"), Id: new(customer)}},
			{Resource: &oapi.ResourceInBatch{Type: new("customer"), Id: new(other)}},
		},
	})
	if err != nil || batch.JSON200 == nil || batch.JSON200.Evaluations == nil || len(*batch.JSON200.Evaluations) != 2 {
		t.Fatalf("batch: %v, %+v", err, batch)
	}
	want(t, "first of the batch", (*batch.JSON200.Evaluations)[0].Decision, true)
	want(t, "second of the batch", (*batch.JSON200.Evaluations)[1].Decision, false)

	for _, p := range []string{partner, second} {
		revoked, err := ann.RevokeGrantWithResponse(ctx, customer, p, &oapi.RevokeGrantParams{})
		if err != nil || revoked.JSON200 == nil {
			t.Fatalf("revoke: %v, %+v", err, revoked)
		}
	}
	denied := check()
	want(t, "decision after the end", denied.Decision, false)
	want(t, "reason", string(*denied.Context.Reason), "ended")
}
