package spec_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// cards is a chat that refuses the first cards and keeps the others.
type cards struct {
	sync.Mutex
	refuse int
	kept   []string
}

func (c *cards) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.Lock()
	defer c.Unlock()
	if c.refuse > 0 {
		c.refuse--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.kept = append(c.kept, string(body))
}

func (c *cards) all() []string {
	c.Lock()
	defer c.Unlock()
	return append([]string(nil), c.kept...)
}

// The deployment's chat hears of a request that waits, once, with a link; from there nobody decides.
func TestAChatHearsOfARequestThatWaits(t *testing.T) {
	t.Parallel()
	chat := &cards{refuse: 1}
	s := httptest.NewServer(chat)
	t.Cleanup(s.Close)
	w := spec.New(t, func(c *stack.Config) {
		c.Stream, c.Settings = true, map[string]string{"CHAT_WEBHOOK": s.URL + "/services/secret"}
	})
	w.Customer("acme")
	w.Partner("contoso")
	olga := w.User("contoso", "olga@contoso.example", "owner")
	ann := w.AdminOf("acme")
	body := m{
		"customer": "acme", "code": code(ann), "kind": "access", "level": "view", "users": []string{olga},
		"reason": "[Here](https://evil.example) <!channel>",
	}
	id := w.As("olga@contoso.example").Do("POST", contosoRequests, body).Want(201).String("request.id")
	spec.Eventually(t, func() error {
		w.Advance(time.Minute) // what was refused is tried again
		_, err := mailWith(w, "/v1/customers/acme/mail", "chat@127.0.0.1", "request.created", "sent")
		return err
	})
	got := chat.all()
	if len(got) != 1 || !json.Valid([]byte(got[0])) {
		t.Fatalf("got %q, want one card", got)
	}
	for _, want := range []string{"asks for access to", "Olga", "request=" + id, "AdaptiveCard", "Action.OpenUrl"} {
		if !strings.Contains(got[0], want) {
			t.Errorf("got %s, want %q in it", got[0], want)
		}
	}
	for _, not := range []string{"Action.Http", "Action.Submit", "approve\"", "evil.example"} {
		if strings.Contains(got[0], not) {
			t.Errorf("got %s, want no %q in it", got[0], not)
		}
	}
	mails := string(w.Provider().Do("GET", "/v1/customers/acme/mail", nil).Want(200).Body)
	if strings.Contains(mails, "secret") {
		t.Errorf("the mails name the chat's address: %s", mails)
	}
	ann.Do("POST", acmeRequests+"/"+id+"/decline", m{}).Want(200)
	mailed(t, w, "olga@contoso.example", "request.declined", 1)
	if got := chat.all(); len(got) != 1 {
		t.Errorf("got %q, want that a decision is none of the chat's concern", got)
	}
}
