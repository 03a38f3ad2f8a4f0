package spec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// What ends access is not held up by what others write at the same time.

// writing has a dozen write the same until the function that it returns is called, which waits for them.
func writing(do func(writer, n int) *spec.Answer) (stop func()) {
	var done atomic.Bool
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for n := 0; !done.Load(); n++ {
				do(i, n)
			}
		})
	}
	return func() {
		done.Store(true)
		all.Wait()
	}
}

func TestWhatEndsAccessIsDoneWhileADozenKeepWritingTheSame(t *testing.T) {
	t.Parallel()
	const times = 6
	for _, c := range []struct {
		what    string
		writes  func(w *spec.World, users []string) func(writer, n int) *spec.Answer
		prepare func(w *spec.World, users []string, n int) // brings back what was ended
		take    func(w *spec.World, users []string, n int) *spec.Answer
	}{
		{"revoke", picking, granted, func(w *spec.World, _ []string, _ int) *spec.Answer {
			return w.AdminOf("acme").Do("DELETE", contosoGrant, nil)
		}},
		{"relinquish", picking, granted, func(w *spec.World, _ []string, _ int) *spec.Answer {
			return w.As("olga@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil)
		}},
		{"end the relationship", picking, granted, func(w *spec.World, _ []string, _ int) *spec.Answer {
			return w.Provider().Do("DELETE", "/v1/customers/acme/relationships/contoso", nil)
		}},
		{"suspend", picking, func(w *spec.World, users []string, n int) {
			if n == 0 {
				granted(w, users, n)
			}
		}, func(w *spec.World, _ []string, _ int) *spec.Answer {
			return w.AdminOf("acme").Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", "*")
		}},
		{"take a user out", picking, func(w *spec.World, users []string, n int) {
			if n == 0 {
				granted(w, users, n)
			}
		}, func(w *spec.World, users []string, _ int) *spec.Answer {
			return w.AdminOf("acme").Do("PATCH", contosoGrant, m{"users": m{"remove": []string{users[0]}}}, "If-Match", "*")
		}},
		{"disable a user", renaming, nil, func(w *spec.World, users []string, n int) *spec.Answer {
			return w.Provider().Do("PATCH", pathOf(users[n%len(users)]), m{"status": "disabled"}, "If-Match", "*")
		}},
		{"remove a user while others are created", creating, nil, func(w *spec.World, users []string, n int) *spec.Answer {
			return w.Provider().Do("DELETE", pathOf(users[n]), nil)
		}},
		{"the kill switch", contacting, nil, func(w *spec.World, _ []string, _ int) *spec.Answer {
			return w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"})
		}},
		{"remove a partner", contacting, nil, func(w *spec.World, _ []string, n int) *spec.Answer {
			if n > 0 {
				return &spec.Answer{Status: http.StatusNoContent} // once is for ever
			}
			return w.Provider().Do("DELETE", "/v1/partners/contoso", nil)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			w := spec.New(t)
			w.Customer("acme")
			w.Partner("contoso")
			w.User("contoso", "olga@contoso.example", "owner")
			var users []string
			for i := range times {
				users = append(users, w.User("contoso", fmt.Sprintf("u%d@contoso.example", i), "tech"))
			}
			stop := func() {}
			for n := range times {
				if c.prepare != nil {
					stop()
					c.prepare(w, users, n)
				}
				if n == 0 || c.prepare != nil {
					stop = writing(c.writes(w, users))
				}
				if a := c.take(w, users, n); a.Status != http.StatusOK && a.Status != http.StatusNoContent {
					t.Errorf("got %d %s, want it done", a.Status, a.Body)
				}
			}
			stop()
		})
	}
}

func granted(w *spec.World, users []string, _ int) {
	w.Grant("acme", m{"partner": "contoso", "users": users[:2], "assigned_by": "partner"}).Want(201)
}

func picking(w *spec.World, users []string) func(int, int) *spec.Answer {
	olga := w.As("olga@contoso.example")
	return func(i, n int) *spec.Answer {
		return olga.Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": users[(i+n)%4:]})
	}
}

func renaming(w *spec.World, users []string) func(int, int) *spec.Answer {
	return func(i, n int) *spec.Answer {
		return w.Provider().Do("PATCH", pathOf(users[n%len(users)]), m{"name": fmt.Sprint("Name ", i, n)}, "If-Match", "*")
	}
}

func creating(w *spec.World, _ []string) func(int, int) *spec.Answer {
	return func(i, n int) *spec.Answer {
		return w.Provider().Do("POST", "/v1/partners/contoso/users",
			m{"email": fmt.Sprintf("n%d-%d@contoso.example", i, n), "name": "New", "role": "tech"})
	}
}

func contacting(w *spec.World, _ []string) func(int, int) *spec.Answer {
	return func(i, n int) *spec.Answer {
		return w.Provider().Do("PATCH", "/v1/partners/contoso", m{"contacts": []string{fmt.Sprintf("n%d-%d@contoso.example", i, n)}}, "If-Match",
			"*")
	}
}

// forestalled are the functions with a table in which somebody else was always a little faster, once for each change, when it is told so.
type forestalled struct {
	http.RoundTripper
	armed atomic.Bool
	about string // only changes that hold this text
	holds atomic.Int64
}

func (f *forestalled) functions(c *stack.Config) {
	c.Handlers = func(d stack.Deps) (map[string]lambda.Handler, error) {
		o := d.Client.Options()
		send := o.HTTPClient
		o.HTTPClient = aws.HTTPClient(doer(func(r *http.Request) (*http.Response, error) {
			_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			if op == "UpdateItem" {
				f.holds.Add(1)
			}
			if op != "TransactWriteItems" {
				return send.Do(r)
			}
			text, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
			if !bytes.Contains(text, []byte(f.about)) || !f.armed.CompareAndSwap(true, false) {
				return send.Do(r)
			}
			var in struct{ TransactItems []json.RawMessage }
			if err := json.Unmarshal(text, &in); err != nil {
				return nil, err
			}
			var why []string
			for _, item := range in.TransactItems {
				reason := `{"Code":"ConditionalCheckFailed"}`
				if bytes.Contains(item, []byte(`"pk":{"S":"I#`)) { // the answer to a key: nobody else sends the same request
					reason = `{"Code":"None"}`
				}
				why = append(why, reason)
			}
			body := `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[` +
				strings.Join(why, ",") + `]}`
			return &http.Response{
				StatusCode: http.StatusBadRequest, Request: r, ProtoMajor: 1, ProtoMinor: 1,
				Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
				ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader([]byte(body))),
			}, nil
		}))
		d.Client = dynamodb.New(o)
		return stack.Functions(d)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestWhatEndsAccessHoldsContendedRecordsAndLeavesNoHold(t *testing.T) {
	t.Parallel()
	const acme, contoso = "/v1/customers/acme", "/v1/partners/contoso"
	var f forestalled
	w := spec.New(t, f.functions)
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	var users []string
	for i := range 5 {
		users = append(users, w.User("contoso", fmt.Sprintf("u%d@contoso.example", i), "tech"))
	}
	ann, olga, p := w.AdminOf("acme"), w.As("olga@contoso.example"), w.Provider()
	grant := m{"partner": "contoso", "users": users, "assigned_by": "partner"}
	invitation := func() string {
		return invitations + "/" +
			ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201).String("invitation.id")
	}
	took := func(what string, a *spec.Answer) {
		t.Helper()
		if a.Status != http.StatusOK && a.Status != http.StatusNoContent {
			t.Errorf("%s: got %d %s, want it done", what, a.Status, a.Body)
		}
		if n := f.holds.Swap(0); n == 0 {
			t.Errorf("%s: got no hold, want one", what)
		}
	}
	forestall := func(c *spec.Client, method, path string, body any) {
		t.Helper()
		f.armed.Store(true)
		took(method+" "+path, c.Do(method, path, body, "If-Match", "*"))
	}
	ann.Do("POST", grants, grant).Want(201)
	w.Partner("fabrikam")
	ann.Do("POST", grants, m{"partner": "fabrikam"}).Want(201)
	forestall(ann, "PATCH", contosoGrant, m{"caps": m{"u0@contoso.example": "view"}})
	f.about = "G#fabrikam" // which copies the caps
	forestall(ann, "PATCH", contosoGrant, m{"caps": m{"u0@contoso.example": "none"}})
	f.armed.Store(true)
	took("a level of one's own", ann.Do("POST", grants, m{"email": "u1@contoso.example", "level": "view"}))
	f.about = ""
	ann.Do("DELETE", grants+"/fabrikam", nil).Want(200)
	forestall(ann, "DELETE", contosoGrant+"/users/"+users[0], nil)
	forestall(ann, "PATCH", contosoGrant, m{"state": "suspended"})
	ann.Do("PATCH", contosoGrant, m{"state": "open", "everyone": true}, "If-Match", "*").Want(200)
	forestall(ann, "PATCH", contosoGrant, m{"everyone": false})
	olga.Do("PUT", contoso+"/customers/acme/users", m{"users": users[1:3]}).Want(200)
	forestall(ann, "PATCH", contosoGrant, m{"users": m{"remove": []string{users[1]}}})
	forestall(ann, "PATCH", contosoGrant, m{"until": "2027-01-01T00:00:00Z"})
	forestall(olga, "DELETE", contoso+"/customers/acme", nil)
	ann.Do("POST", grants, grant).Want(201)
	f.about = "G#contoso" // and not the job itself
	for _, edit := range []m{
		{"users": m{"remove": []string{users[4]}}}, {"caps": m{"u0@contoso.example": "view"}}, {"everyone": true}, {"everyone": false},
	} {
		edit["op"], edit["partner"] = "edit", "contoso"
		f.armed.Store(edit["everyone"] != true)
		job := ann.Do("POST", acmeBulk, m{"rows": []m{edit}}).Want(202).Header.Get("Location")
		done(t, ann, job)
		wantRows(t, ann, job, "done 200")
		if edit["everyone"] != true {
			took("a row of a job", ann.Do("GET", contosoGrant, nil))
		}
	}
	f.about = ""
	forestall(p, "DELETE", acme+"/relationships/contoso", nil)
	ann.Do("POST", grants, grant).Want(201)
	forestall(ann, "DELETE", contosoGrant, nil)
	forestall(ann, "DELETE", invitation(), nil)
	forestall(p, "PATCH", contoso+"/users/"+users[3], m{"status": "disabled"})
	forestall(p, "DELETE", contoso+"/users/"+users[3], nil)
	w.Member("acme", "bob@acme.example")
	forestall(p, "DELETE", acme+"/members/bob@acme.example", nil)
	forestall(p, "PATCH", contoso, m{"status": "suspended"})
	p.Do("PATCH", contoso, m{"status": "active"}).Want(200)
	p.Do("PUT", acme+"/managing-partner", m{"partner": "contoso"}).Want(201)
	forestall(p, "DELETE", acme+"/managing-partner", nil)
	ann.Do("POST", grants, m{"partner": "contoso", "users": users[:1], "until": spec.Start.Add(day)}).Want(201)
	w.Stack.Clock.Advance(day)
	f.about = "end_reason"
	f.armed.Store(true)
	w.Advance(0) // the sweep
	f.about = ""
	took("the sweep", ann.Do("GET", contosoGrant, nil))
	ann.Do("POST", grants, m{"partner": "contoso", "users": users[:1]}).Want(201)
	forestall(p, "DELETE", acme, nil)
	forestall(p, "DELETE", contoso, nil)
}
