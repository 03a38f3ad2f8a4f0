package flow

import (
	"context"
	"contract/ogen"
	"testing"
)

// bearer signs ogen's requests.
type bearer string

func (b bearer) Token(context.Context, ogen.OperationName) (ogen.Token, error) {
	return ogen.Token{Token: string(b)}, nil
}

// answer is the one answer of an operation that is wanted; any other ends the test.
func answer[A any](t *testing.T, what string) func(res any, err error) *A {
	t.Helper()
	return func(res any, err error) *A {
		t.Helper()
		got, ok := res.(*A)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %T %+v", what, err, res, res)
		}
		return got
	}
}

func TestOgenClientRunsTheFlow(t *testing.T) {
	ctx, base := t.Context(), watched(t)
	as := func(token string) *ogen.Client {
		c, err := ogen.NewClient(base, bearer(token))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ann, backEnd := as(adminToken(t)), as(backEndToken(t))

	for _, body := range []ogen.GrantCreate{
		{Email: ogen.NewOptEmail(kim), Level: ogen.NewOptLevel(ogen.LevelSupport)},
		{Partner: ogen.NewOptOrganisationID(second), Everyone: ogen.NewOptBool(true), Level: ogen.NewOptLevel(ogen.LevelView)},
	} {
		res, err := ann.CreateGrant(ctx, &body, ogen.CreateGrantParams{Customer: customer})
		if answer[ogen.CreateGrantCreatedHeaders](t, "grant")(res, err).ETag == "" {
			t.Fatal("a grant has no ETag")
		}
	}

	var partners []string
	pages := 0
	for params := (ogen.ListGrantsParams{Customer: customer, Limit: ogen.NewOptInt(1)}); ; {
		res, err := ann.ListGrants(ctx, params)
		page := answer[ogen.GrantListHeaders](t, "list")(res, err)
		pages++
		for _, g := range page.Response.Items {
			partners = append(partners, string(g.Partner.ID))
		}
		next := page.Response.NextCursor
		if next.Null {
			break
		}
		params.Cursor = ogen.NewOptString(string(next.Value))
	}
	wantBoth(t, pages, partners)

	res, err := ann.GetGrant(ctx, ogen.GetGrantParams{Customer: customer, Partner: partner})
	read := answer[ogen.GrantHeaders](t, "read")(res, err)
	tag := ogen.EditGrantParams{Customer: customer, Partner: partner, IfMatch: ogen.NewOptString(read.ETag)}
	changed, err := ann.EditGrant(ctx, &ogen.GrantEdit{Level: ogen.NewOptLevel(ogen.LevelManage)}, tag)
	edited := answer[ogen.RevokeGrantOKApplicationJSONHeaders](t, "edit")(changed, err)
	want(t, "level", string(edited.Response.Grant.Level), "manage")
	changed, err = ann.EditGrant(ctx, &ogen.GrantEdit{Note: ogen.NewOptNilString("too late")}, tag)
	late := answer[ogen.VersionMismatchHeaders](t, "edit with the ETag of before")(changed, err)
	want(t, "code", late.Response.Code, ogen.VersionMismatchCodeVersionMismatch)

	check := func() ogen.Decision {
		t.Helper()
		res, err := backEnd.Evaluate(ctx, &ogen.EvaluationRequest{
			Subject: ogen.Subject{Type: "user", ID: kim}, Action: ogen.Action{Name: action}, Resource: ogen.Resource{Type: "customer", ID: customer},
		}, ogen.EvaluateParams{})
		return answer[ogen.DecisionHeaders](t, "check")(res, err).Response
	}
	want(t, "decision", check().Decision, true)
	resource := func(id string) ogen.BatchItem {
		return ogen.BatchItem{Resource: ogen.NewOptNilResourceInBatch(
			ogen.ResourceInBatch{Type: ogen.NewOptNilString("customer"), ID: ogen.NewOptNilString(id)})}
	}
	all, err := backEnd.EvaluateAll(ctx, &ogen.EvaluationsRequest{
		Subject:     ogen.NewOptNilSubjectInBatch(ogen.SubjectInBatch{Type: ogen.NewOptNilString("user"), ID: ogen.NewOptNilString(kim)}),
		Action:      ogen.NewOptNilActionInBatch(ogen.ActionInBatch{Name: ogen.NewOptNilString(action)}),
		Evaluations: ogen.NewOptNilBatchItemArray([]ogen.BatchItem{resource(customer), resource(other)}),
	}, ogen.EvaluateAllParams{})
	batch := answer[ogen.EvaluationsResponseHeaders](t, "batch")(all, err).Response.Evaluations
	want(t, "length of the batch", len(batch), 2)
	want(t, "first of the batch", batch[0].Decision, true)
	want(t, "second of the batch", batch[1].Decision, false)

	for _, p := range []ogen.OrganisationID{partner, second} {
		res, err := ann.RevokeGrant(ctx, ogen.RevokeGrantParams{Customer: customer, Partner: p})
		answer[ogen.RevokeGrantOKApplicationJSONHeaders](t, "revoke")(res, err)
	}
	denied := check()
	want(t, "decision after the end", denied.Decision, false)
	want(t, "reason", string(denied.Context.Reason.Value), "ended")
}
