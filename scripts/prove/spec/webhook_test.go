package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/client"
)

// receiver is a server that verifies what it is sent as a product would, and answers challenges.
type receiver struct {
	*httptest.Server
	contract *spec.Contract

	mu     sync.Mutex
	keys   []string
	answer func(id, name string) int // nil: 204
	got    map[string][]string       // ids by type
	wrong  error                     // the last message that was not verified
	silent bool                      // challenges are not answered
	after  string                    // what it answers to Retry-After
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{contract: contract(t), got: map[string][]string{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	var e struct {
		ID   string
		Type string
		Data struct{ Token string }
	}
	if err := json.Unmarshal(body, &e); err != nil {
		r.wrong = err
		return
	}
	name := e.Type
	if !strings.HasPrefix(name, "webhook.") {
		name = "event"
	}
	if err := r.contract.Message(name, req, body); err != nil {
		r.wrong = err
	}
	if len(r.keys) > 0 { // until it knows its secret it can only answer
		seconds, _ := strconv.ParseInt(req.Header.Get("webhook-timestamp"), 10, 64) // the world's clock is moved while messages are on their way
		m, err := client.VerifyWebhook(req.Header, body, time.Unix(seconds, 0), r.keys...)
		if err == nil && m.ID != e.ID {
			err = fmt.Errorf("webhook-id is %s, and the event's id %s", m.ID, e.ID)
		}
		if err != nil {
			r.wrong = err
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	r.got[e.Type] = append(r.got[e.Type], e.ID)
	if e.Type == "webhook.verify" {
		if !r.silent {
			_ = json.NewEncoder(w).Encode(map[string]string{"token": e.Data.Token})
		}
		return
	}
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(e.ID, e.Type)
	}
	if r.after != "" {
		w.Header().Set("Retry-After", r.after)
	}
	w.WriteHeader(status)
}

// ids are those of the events of a type that came, each attempt of them.
func (r *receiver) ids(name string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got["com.partner-access."+name+".v1"])
}

func (r *receiver) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

const webhooks = "/v1/webhooks"

// hooked is a world with a webhook that is active, and its receiver.
func hooked(t *testing.T, body m) (*spec.World, *receiver, string) {
	t.Helper()
	w := spec.New(t, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Partner("contoso")
	r := newReceiver(t)
	return w, r, hook(t, w, r, body)
}

func hook(t *testing.T, w *spec.World, r *receiver, body m) (path string) {
	t.Helper()
	return hookOf(t, w.Provider(), webhooks, r, body)
}

// hookOf has a caller name the receiver, below the path of its webhooks.
func hookOf(t *testing.T, by *spec.Client, of string, r *receiver, body m) (path string) {
	t.Helper()
	body["url"] = r.URL + "/hooks"
	made := by.Do("POST", of, body).Want(201)
	r.set(func() { r.keys = []string{made.String("secret")} })
	path = of + "/" + made.String("webhook.id")
	if got := made.Header.Get("Location"); got != path {
		t.Errorf("Location: got %s, want %s", got, path)
	}
	wantStatusAs(t, by, path, "active")
	return path
}

func wantStatus(t *testing.T, w *spec.World, path, status string) {
	t.Helper()
	wantStatusAs(t, w.Provider(), path, status)
}

func wantStatusAs(t *testing.T, by *spec.Client, path, status string) {
	t.Helper()
	spec.Eventually(t, func() error {
		if is := by.Do("GET", path, nil).Want(200).String("status"); is != status {
			return fmt.Errorf("the webhook is %s, want %s", is, status)
		}
		return nil
	})
}

func wantCount(t *testing.T, r *receiver, name string, n int, meanwhile func()) []string {
	t.Helper()
	var ids []string
	spec.Eventually(t, func() error {
		if meanwhile != nil {
			meanwhile()
		}
		r.mu.Lock()
		wrong := r.wrong
		r.mu.Unlock()
		if ids = r.ids(name); wrong != nil || len(ids) < n {
			return errors.Join(wrong, fmt.Errorf("%s came %d times, want %d", name, len(ids), n))
		}
		return nil
	})
	if len(ids) > n {
		t.Fatalf("%s came %d times, want %d: %q", name, len(ids), n, ids)
	}
	return ids
}

func TestAnEventReachesAWebhookOnceAndSigned(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"v1", "v1a"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w, r, path := hooked(t, m{"types": []string{"grant.*", "access.lost"}, "secret_kind": kind})
			w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
			w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
			wantCount(t, r, "grant.created", 1, nil)
			wantCount(t, r, "access.lost", 1, nil)
			id := wantCount(t, r, "grant.revoked", 1, nil)[0]
			if n := len(r.ids("access.gained")); n > 0 {
				t.Errorf("access.gained came, which was not asked for")
			}
			spec.Eventually(t, func() error {
				for _, d := range w.Provider().Do("GET", path+"/deliveries?state=delivered", nil).Want(200).Get("items").([]any) {
					if d := d.(map[string]any); d["event"] == id && d["attempts"] == 1.0 && d["last_status"] == 204.0 {
						return nil
					}
				}
				return errors.New("the log does not have it")
			})
		})
	}
}

func TestAnAddressThatDoesNotAnswerTheChallengeGetsNothing(t *testing.T) {
	t.Parallel()
	w := spec.New(t, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Partner("contoso")
	r := newReceiver(t)
	r.silent = true
	made := w.Provider().Do("POST", webhooks, m{"url": r.URL}).Want(201)
	path := webhooks + "/" + made.String("webhook.id")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	spec.Eventually(t, func() error {
		w.Advance(10 * time.Minute)
		if s := w.Provider().Do("GET", path+"/deliveries", nil).Want(200).String("items.0.state"); s != "failed" {
			return fmt.Errorf("the challenge is %s, want failed", s)
		}
		return nil
	})
	if code := w.Provider().Do("GET", path+"/deliveries", nil).Want(200).String("items.0.last_code"); code != "bad_challenge" {
		t.Errorf("got the code %q, want bad_challenge", code)
	}
	r.mu.Lock()
	if n := len(r.got["webhook.verify"]); n != 3 || len(r.got) != 1 {
		t.Errorf("got %v, want three challenges and nothing else", r.got)
	}
	r.silent, r.keys = false, []string{made.String("secret")}
	r.mu.Unlock()
	w.Provider().Do("POST", path+"/test", nil).WantProblem(409, "webhook_not_verified")
	w.Provider().Do("PATCH", path, m{"status": "active"}, "If-Match", "*").WantProblem(409, "webhook_not_verified")
	w.Provider().Do("POST", path+"/verify", nil).Want(200)
	wantStatus(t, w, path, "active")
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	wantCount(t, r, "grant.revoked", 1, nil)
	if n := len(r.ids("grant.created")); n != 0 {
		t.Errorf("grant.created came %d times, though the address was not verified then", n)
	}
}

func TestWhatAnAddressRefusesComesAgainWithTheSameID(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"grant.created"}})
	failures := 3
	r.set(func() {
		r.answer = func(string, string) int {
			if failures--; failures >= 0 {
				return http.StatusInternalServerError
			}
			return http.StatusNoContent
		}
	})
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	spec.Eventually(t, func() error {
		d := w.Provider().Do("GET", path+"/deliveries?state=pending", nil).Want(200)
		if d.Get("items.length") != 1.0 || d.Get("items.0.last_code") != "status" || d.Get("items.0.last_status") != 500.0 {
			return fmt.Errorf("got %s, want its status to be the reason", d.Body)
		}
		return nil
	})
	ids := wantCount(t, r, "grant.created", 4, func() { w.Advance(10 * time.Minute) })
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("got the ids %q, want one", ids)
	}
	spec.Eventually(t, func() error {
		d := w.Provider().Do("GET", path+"/deliveries", nil).Want(200)
		if d.String("items.0.state") != "delivered" || d.Int("items.0.attempts") != 4 {
			return fmt.Errorf("got %s, want it delivered at the fourth attempt", d.Body)
		}
		return nil
	})
}

// An address that hangs or refuses holds up no other, and is left alone for a while.
func TestAWebhookThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w, bad, _ := hooked(t, m{"types": []string{"grant.*"}})
	good := newReceiver(t)
	hook(t, w, good, m{"types": []string{"grant.*"}})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	bad.set(func() { bad.answer = func(string, string) int { <-release; return 500 } })
	for range 10 {
		w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	}
	wantCount(t, good, "grant.revoked", 10, nil)
}

func TestAnAddressThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{})
	r.set(func() { r.answer = func(string, string) int { return http.StatusGone } })
	w.Provider().Do("POST", path+"/test", nil).Want(202)
	wantStatus(t, w, path, "disabled")
	if reason := w.Provider().Do("GET", path, nil).Want(200).String("reason"); reason != "gone" {
		t.Errorf("got %s, want gone", reason)
	}
	if m := mailed(t, w, operations, "webhook.disabled", 1); !strings.Contains(m.Text, "410") || strings.Contains(m.Text, "/hooks") {
		t.Errorf("got the mail %s, want why, and the host alone", m.Text)
	}
}

// operations is the address that the local stack names for mails about the provider's webhooks.
const operations = "operations@cloud.example"

func TestFiveDaysOfFailuresDisableAWebhook(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"webhook.none", "grant.*"}[1:]})
	r.set(func() { r.answer = func(string, string) int { return 503 } })
	for day := range 6 {
		if status := w.Provider().Do("GET", path, nil).Want(200).String("status"); day < 5 && status != "active" {
			t.Fatalf("it is %s after %d days, want active", status, day)
		}
		w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
		before := len(r.ids("grant.created"))
		spec.Eventually(t, func() error {
			w.Advance(10 * time.Minute)
			if len(r.ids("grant.created")) == before {
				return errors.New("no attempt was made")
			}
			return nil
		})
		w.Advance(20 * time.Hour)
	}
	spec.Eventually(t, func() error {
		w.Advance(time.Hour)
		if s := w.Provider().Do("GET", path, nil).Want(200); s.Get("status") != "disabled" || s.Get("reason") != "failing" {
			return fmt.Errorf("got %s, want it disabled", s.Body)
		}
		return nil
	})
	mailed(t, w, operations, "webhook.disabled", 1)
	var told []string
	for _, m := range w.Stack.Mail.List() {
		if m.To == operations {
			told = append(told, m.Event+" "+m.Subject[len(m.Subject)-6:])
		}
	}
	slices.Sort(told)
	if want := []string{"webhook.disabled sabled", "webhook.failing  a day", "webhook.failing 3 days"}; !slices.Equal(told, want) {
		t.Errorf("the provider was told %q, want %q", told, want)
	}
	r.set(func() { r.answer = nil })
	w.Provider().Do("POST", path+"/verify", nil).Want(200)
	wantStatus(t, w, path, "active")
}

func TestAnAddressThatAsksToWaitIsLeftAloneUntilThen(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"grant.created"}})
	r.set(func() { r.answer, r.after = func(string, string) int { return 429 }, "7200" })
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	wantCount(t, r, "grant.created", 1, nil)
	r.set(func() { r.answer = nil })
	for range 11 { // a test beside it waits as well
		w.Advance(10 * time.Minute)
	}
	w.Provider().Do("POST", path+"/test", nil).Want(202)
	w.Advance(time.Second)
	r.mu.Lock()
	if n := len(r.got["webhook.test"]); n != 0 {
		t.Errorf("%d tests came before the address wanted anything", n)
	}
	r.mu.Unlock()
	wantCount(t, r, "grant.created", 2, func() { w.Advance(10 * time.Minute) })
}

func TestWhatHappensDuringAPauseComesAfterIt(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"grant.*"}})
	w.Provider().Do("PATCH", path, m{"status": "paused"}).WantProblem(428, "if_match_required")
	paused := w.Provider().Do("PATCH", path, m{"status": "paused"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", path, m{"status": "active"}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	spec.Eventually(t, func() error {
		if n := w.Provider().Do("GET", path+"/deliveries?state=pending", nil).Want(200).Get("items.length"); n != 1.0 {
			return fmt.Errorf("%v deliveries wait, want one", n)
		}
		return nil
	})
	w.Advance(time.Hour)
	if n := len(r.ids("grant.created")); n != 0 {
		t.Fatalf("it came %d times during the pause", n)
	}
	w.Provider().Do("PATCH", path, m{"status": "active"}, "If-Match", paused.Header.Get("ETag")).Want(200)
	wantCount(t, r, "grant.created", 1, nil)
}

func TestBothSecretsSignForADay(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"grant.*"}})
	former := r.keys[0]
	next := w.Provider().Do("POST", path+"/rotate", nil).Want(200).String("secret")
	if next == former {
		t.Fatal("the secret is the same")
	}
	w.Advance(24*time.Hour - time.Second)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201) // verified with the former one
	wantCount(t, r, "grant.created", 1, nil)
	r.set(func() { r.keys = []string{next} })
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	wantCount(t, r, "grant.revoked", 1, nil)
	w.Advance(time.Second)
	r.set(func() { r.keys = []string{former} })
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	spec.Eventually(t, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !errors.Is(r.wrong, client.ErrWebhook) {
			return errors.Join(errors.New("want that the former secret signs no more"), r.wrong)
		}
		return nil
	})
	if body := string(w.Provider().Do("GET", webhooks, nil).Want(200).Body); slices.Contains([]string{former, next}, body) {
		t.Error("the list shows a secret")
	}
}

func TestWhatFailedIsRetriedAndReplayed(t *testing.T) {
	t.Parallel()
	w, r, path := hooked(t, m{"types": []string{"grant.*"}})
	began := w.Now()
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	wantCount(t, r, "grant.created", 1, nil)
	id := wantCount(t, r, "grant.revoked", 1, nil)[0]
	delivered := func(want float64) {
		t.Helper()
		spec.Eventually(t, func() error {
			if n := w.Provider().Do("GET", path+"/deliveries?state=delivered", nil).Want(200).Get("items.length"); n != want {
				return fmt.Errorf("%v are delivered, want %v", n, want)
			}
			return nil
		})
	}
	delivered(3) // and the challenge
	w.Provider().Do("POST", path+"/deliveries/"+id+"/retry", nil).Want(202)
	wantCount(t, r, "grant.revoked", 2, nil)
	delivered(3)
	if n := w.Provider().Do("POST", path+"/replay", m{"from": began}).Want(200).Int("replayed"); n != 0 {
		t.Errorf("%d are replayed, though nothing has failed", n)
	}
	if n := w.Provider().Do("POST", path+"/replay", m{"from": began, "all": true}).Want(200).Int("replayed"); n != 2 {
		t.Errorf("%d are replayed, want both events", n)
	}
	wantCount(t, r, "grant.created", 2, nil)
	wantCount(t, r, "grant.revoked", 3, nil)
	w.Provider().Do("POST", path+"/replay", m{"from": w.Now().Add(time.Hour), "until": w.Now()}).Want(200)
	w.Provider().Do("POST", path+"/replay", m{}).WantProblem(400, "invalid", "/from")
}

// Whoever did not get the answer asks again under the same key, and has the secret all the same.
func TestAWebhookIsMadeOnceUnderAKey(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	body := m{"url": "https://hooks.example.invalid/"}
	first := w.Provider().Do("POST", webhooks, body, "Idempotency-Key", "one").Want(201)
	again := w.Provider().Do("POST", webhooks, body, "Idempotency-Key", "one").Want(201)
	if first.String("secret") != again.String("secret") || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %s and %s, want the first answer again", first.Body, again.Body)
	}
	if n := w.Provider().Do("GET", webhooks, nil).Want(200).Get("items.length"); n != 1.0 {
		t.Errorf("got %v webhooks, want one", n)
	}
}

func TestAWebhookIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for pointer, body := range map[string]m{
		"/url":         {"url": "http://example.com/"},
		"/types/0":     {"url": "https://example.com/", "types": []string{"grant.unknown"}},
		"/types/1":     {"url": "https://example.com/", "types": []string{"grant.*", "*"}},
		"/customer":    {"url": "https://example.com/", "customer": "a#b"},
		"/secret_kind": {"url": "https://example.com/", "secret_kind": "v2"},
		"/status":      {"url": "https://example.com/", "status": "active"},
		"/description": {"url": "https://example.com/", "description": "a\nb"},
	} {
		w.Provider().Do("POST", webhooks, body).WantProblem(400, "invalid", pointer)
	}
	w.Provider().Do("POST", webhooks, m{}).WantProblem(400, "invalid", "/url")
	for range 20 {
		w.Provider().Do("POST", webhooks, m{"url": "https://example.invalid/"}).Want(201)
	}
	w.Provider().Do("POST", webhooks, m{"url": "https://example.invalid/"}).WantProblem(409, "too_many_webhooks")
	path := webhooks + "/" + w.Provider().Do("GET", webhooks, nil).Want(200).String("items.0.id")
	w.Provider().Do("DELETE", path, nil, "If-Match", `"9"`).WantProblem(412, "version_mismatch")
	w.Provider().Do("DELETE", path, nil).Want(204)
	w.Provider().Do("GET", path, nil).WantProblem(404, "not_found")
	w.Provider().Do("POST", webhooks, m{"url": "https://example.invalid/"}).Want(201)
}

// BenchmarkRevokeToWebhook measures how long after the answer to a revoke a receiver on this machine has its access.lost.
func BenchmarkRevokeToWebhook(b *testing.B) {
	w := spec.New(b, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Partner("contoso")
	came := make(chan time.Time, 16)
	s := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, r *http.Request) {
		var e struct {
			Type string
			Data struct{ Token string }
		}
		at := time.Now()
		_ = json.NewDecoder(r.Body).Decode(&e)
		if e.Type == "webhook.verify" {
			_ = json.NewEncoder(res).Encode(map[string]string{"token": e.Data.Token})
			return
		}
		came <- at
	}))
	b.Cleanup(s.Close)
	made := w.Provider().Do("POST", webhooks, m{"url": s.URL, "types": []string{"access.lost"}}).Want(201)
	spec.Eventually(b, func() error {
		if is := w.Provider().Do("GET", made.Header.Get("Location"), nil).Want(200).String("status"); is != "active" {
			return fmt.Errorf("it is %s", is)
		}
		return nil
	})
	var took []time.Duration
	for b.Loop() {
		w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
		answered := time.Now()
		took = append(took, max(0, (<-came).Sub(answered)))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
}
