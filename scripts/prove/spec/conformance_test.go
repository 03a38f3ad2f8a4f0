package spec_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// scenario is a case of the OpenID Foundation's conformance suite for AuthZEN.
type scenario struct {
	Name        string          `json:"name"`
	Endpoint    string          `json:"endpoint"`
	Flow        string          `json:"flow"` // once, repeat, compat or pages
	Method      string          `json:"method"`
	Payload     json.RawMessage `json:"payload"`
	Body        *string         `json:"body"` // instead of the payload, as it is
	ContentType string          `json:"content_type"`
	Credentials string          `json:"credentials"` // "", wrong or none
	RequestID   bool            `json:"request_id"`
	Status      []int           `json:"status"`
	Expect      struct {
		Decision    *bool                     `json:"decision"`
		Evaluations []struct{ Decision bool } `json:"evaluations"`
		Results     *[]map[string]string      `json:"results"`
	} `json:"expect"`
}

// decidedByAttributes are the scenarios that want a decision by properties of the subject, the action or the resource, which this service
// does not know.
func decidedByAttributes() []string {
	return []string{
		"authzen-pdp-evaluation-fixture-request-deny-based-on-action-properties",
		"authzen-pdp-evaluation-fixture-request-permit-based-on-action-properties",
		"authzen-pdp-evaluation-fixture-request-deny-based-on-properties",
		"authzen-pdp-evaluation-fixture-request-permit-based-on-subject-properties",
		"authzen-pdp-evaluations-batch-with-properties-validated",
		"authzen-pdp-evaluations-batch-with-subject-properties-validated",
		"authzen-pdp-action-search-action-search-with-properties",
		"authzen-pdp-resource-search-resource-search-with-subject-properties",
		"authzen-pdp-subject-search-subject-search-with-resource-properties",
	}
}

// TestTheScenariosOfTheAuthZENConformanceSuite runs the cases that apply to a service without policies on attributes, with the suite's own
// fixture: alice reads and writes record-1 and reads record-2, bob reads record-1. Where the data comes from stands in the file.
func TestTheScenariosOfTheAuthZENConformanceSuite(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/httpapi/testdata/conformance/authzen-scenarios.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []scenario }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	catalogue := filepath.Join(t.TempDir(), "catalogue.json")
	text := `{"levels":{"view":["read"],"manage":["write"]},"resource_types":{"record":{"self":true}}}`
	if err := os.WriteFile(catalogue, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := spec.New(t, func(c *stack.Config) { c.Settings = map[string]string{"CATALOGUE_FILE": catalogue} })
	w.Partner("contoso")
	alice, bob := w.User("contoso", "alice@contoso.example", "tech"), w.User("contoso", "bob@contoso.example", "tech")
	for _, r := range []string{"record-1", "record-2"} {
		w.Customer(r)
	}
	w.Grant("record-1", object{"partner": "contoso", "users": []string{alice}, "level": "manage"}).Want(201)
	w.Grant("record-1", object{"email": "bob@contoso.example", "level": "view"}).Want(200)
	w.Grant("record-2", object{"partner": "contoso", "users": []string{alice}, "level": "view"}).Want(201)

	ours := strings.NewReplacer(`"alice"`, `"`+alice+`"`, `"bob"`, `"`+bob+`"`)
	ran := 0
	for _, c := range file.Cases {
		if slices.Contains(decidedByAttributes(), c.Name) {
			continue
		}
		ran++
		t.Run(strings.TrimPrefix(c.Name, "authzen-pdp-"), func(t *testing.T) { runScenario(t, w.In(t), c, ours) })
	}
	if ran != 118 {
		t.Errorf("got %d scenarios, want the 118 that apply", ran)
	}
}

func runScenario(t *testing.T, w *spec.World, c scenario, ours *strings.Replacer) {
	t.Helper()
	by := w.Backend()
	switch c.Credentials {
	case "none":
		by = w.Anonymous()
	case "wrong":
		by = w.Bearer("wrong")
	}
	body := ours.Replace(string(c.Payload))
	if c.Body != nil {
		body = ours.Replace(*c.Body)
	}
	header := []string{"Content-Type", "application/json"}
	if c.ContentType != "" {
		header[1] = c.ContentType
	}
	if c.RequestID {
		header = append(header, "X-Request-ID", "the-callers-own")
	}
	method := http.MethodPost
	if c.Method != "" {
		method = c.Method
	}
	send := by.Do
	if method != http.MethodPost {
		send = by.Local // the contract has no such operation
	}
	do := func(body string) *spec.Answer { return send(method, "/access/v1/"+c.Endpoint, body, header...) }
	a := do(body)
	if !slices.Contains(c.Status, a.Status) {
		t.Fatalf("%s: got %d %s, want one of %v", body, a.Status, a.Body, c.Status)
	}
	if c.RequestID && a.Header.Get("X-Request-ID") != "the-callers-own" {
		t.Errorf("got X-Request-ID %q, want the request's", a.Header.Get("X-Request-ID"))
	}
	if a.Status != http.StatusOK {
		return
	}
	if c.Flow == "repeat" && c.Endpoint != "evaluation" { // which has its instant in the body
		if again := do(body); !bytes.Equal(again.Body, a.Body) {
			t.Errorf("got\n%s again, want the same body:\n%s", again.Body, a.Body)
		}
	}
	if want := c.Expect.Decision; want != nil && a.Get("decision") != *want {
		t.Errorf("%s: got %s, want the decision %v", body, a.Body, *want)
	}
	if want := c.Expect.Evaluations; want != nil {
		if got := a.Int("evaluations.length"); got != len(want) {
			t.Fatalf("%s: got %s, want %d evaluations", body, a.Body, len(want))
		}
		for i, e := range a.Get("evaluations").([]any) {
			if e.(object)["decision"] != want[i].Decision {
				t.Errorf("%s: got %s, want %v at %d", body, a.Body, want[i].Decision, i)
			}
		}
	}
	if c.Expect.Results != nil {
		wantResults(t, c, a, do, body, ours)
	}
}

// wantResults compares a search's results, page by page where the case has pages. A search for resources may find more: the suite's batches
// read record-2, and its searches know record-1 only.
func wantResults(t *testing.T, c scenario, a *spec.Answer, do func(string) *spec.Answer, body string, ours *strings.Replacer) {
	t.Helper()
	want, got := []string{}, []string{}
	for _, r := range *c.Expect.Results {
		text, _ := json.Marshal(r)
		want = append(want, ours.Replace(string(text)))
	}
	for n := 0; n < 10; n++ {
		for _, r := range a.Get("results").([]any) {
			text, _ := json.Marshal(r)
			if c.Endpoint != "search/resource" || slices.Contains(want, string(text)) {
				got = append(got, string(text))
			}
		}
		token := a.String("page.next_token")
		if c.Flow != "pages" || token == "" {
			break
		}
		if n == 0 && a.Int("results.length") != 1 {
			t.Errorf("got %s, want one result a page", a.Body)
		}
		a = do(strings.Replace(body, `"page": {`, `"page": {"token": "`+token+`", `, 1)).Want(http.StatusOK)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got the results %s, want %s", body, got, want)
	}
}
