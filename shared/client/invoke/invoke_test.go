package invoke_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/client"
	"partneraccess/shared/client/invoke"
)

// function answers invocations, and keeps the latest.
type function struct {
	out  lambda.InvokeOutput
	err  error
	name string
	got  struct {
		RouteKey, Body string
		Headers        map[string]string
		RequestContext struct {
			Authorizer struct {
				JWT struct{ Claims map[string]string }
			}
		}
	}
}

func (f *function) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	f.name = *in.FunctionName
	if err := json.Unmarshal(in.Payload, &f.got); err != nil {
		return nil, err
	}
	return &f.out, f.err
}

var kim = client.Question{User: "kim@contoso.example", Action: "reports:read", Customer: "acme"}

func TestAQuestionIsTheEventOfABackEnd(t *testing.T) {
	t.Parallel()
	f := &function{out: lambda.InvokeOutput{Payload: []byte(
		`{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\"decision\":true,\"context\":{\"reason\":\"granted\"}}"}`,
	)}}
	d, err := invoke.New(f, "partner-access-prod-check").Check(t.Context(), kim)
	if err != nil || !d.Allowed || d.Reason != "granted" {
		t.Errorf("got %+v, %v, want it allowed", d, err)
	}
	if f.name != "partner-access-prod-check" || f.got.RouteKey != "POST /access/v1/evaluation" ||
		f.got.Headers["content-type"] != "application/json" {
		t.Errorf("got %s, %+v", f.name, f.got)
	}
	if scope := f.got.RequestContext.Authorizer.JWT.Claims["scope"]; scope != "partner-access/check" || f.got.Headers["authorization"] != "" {
		t.Errorf("got the scope %q and the headers %v, want that of a back end, and no token", scope, f.got.Headers)
	}
}

func TestOnlyTheFunctionsClearYesAllows(t *testing.T) {
	t.Parallel()
	const yes = `"{\"decision\":true}"`
	for about, f := range map[string]*function{
		"Lambda refuses":           {err: errors.New("TooManyRequestsException")},
		"the function fails":       {out: lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(`{"statusCode":200,"body":` + yes + `}`)}},
		"an answer of another":     {out: lambda.InvokeOutput{Payload: []byte(`{"decision":true}`)}},
		"no answer":                {},
		"a refusal":                {out: lambda.InvokeOutput{Payload: []byte(`{"statusCode":403,"body":` + yes + `}`)}},
		"half an answer":           {out: lambda.InvokeOutput{Payload: []byte(`{"statusCode":200,"body":"{\"decision\":tr"}`)}},
		"a body that is no base64": {out: lambda.InvokeOutput{Payload: []byte(`{"statusCode":200,"isBase64Encoded":true,"body":` + yes + `}`)}},
	} {
		if d, err := invoke.New(f, "check", client.Tries(1)).Check(t.Context(), kim); err == nil || d.Allowed {
			t.Errorf("%s: got %+v, %v, want an error", about, d, err)
		}
	}
	var p *client.Problem
	_, err := invoke.New(&function{}, "check").Do(t.Context(), client.Request{Path: "/v1/me"}, nil)
	if !errors.As(err, &p) || p.Status != 404 {
		t.Errorf("another function's request: got %v, want 404", err)
	}
}
