package stack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
)

func TestPagesAnswerWhatIsNeitherTheAPIsNorTheStacksOwn(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }))
	for path, want := range map[string]bool{
		"/": true, "/customers/acme/partners": true, "/v1/nothing": false, "/v1": false,
		"/access/v1": false, "/_local/health": false,
	} {
		if got := fetch(t, s.URL()+path) == "the page"; got != want {
			t.Errorf("%s: got the page: %v, want %v", path, got, want)
		}
	}
}

func TestWithoutPagesTheGatewayAnswersEverything(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, nil)
	if got := fetch(t, s.URL()+"/"); got != `{"message":"Not Found"}` {
		t.Errorf("got %q, want the gateway's refusal", got)
	}
}

func TestTheDemoPeopleAreTold(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, nil, seed.Person{Email: "ann@acme.example", Name: "Ann", Role: "admin", Of: "customer acme"})
	var got []map[string]string
	if err := json.Unmarshal([]byte(fetch(t, s.URL()+"/_local/people")), &got); err != nil || len(got) != 1 ||
		got[0]["email"] != "ann@acme.example" || got[0]["of"] != "customer acme" {
		t.Errorf("got %v (%v), want Ann", got, err)
	}
	if got := fetch(t, startWithPages(t, nil).URL()+"/_local/people"); got != "[]\n" {
		t.Errorf("without demo data: got %q, want an empty list", got)
	}
}

func startWithPages(t *testing.T, pages http.Handler, people ...seed.Person) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "pages-" + t.Name() + string(rune('a'+len(people))), Pages: pages, People: people,
		CreateTable: dynamo.CreateTable,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
