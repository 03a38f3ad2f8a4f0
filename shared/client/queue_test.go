package client_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"partneraccess/shared/client"
)

// The service takes 64 KiB. One who asks for a customer with a long name must not have others' questions refused.
func TestALongQuestionTakesNoOtherAlong(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if len(text) > 64<<10 {
			says(413, `{"message":"Payload Too Large"}`)(w, r)
			return
		}
		var body struct{ Evaluations []any }
		if json.Unmarshal(text, &body) != nil || len(body.Evaluations) == 0 {
			says(200, yes)(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"evaluations":[`+yes+strings.Repeat(`,`+yes, len(body.Evaluations)-1)+`]}`)
	})
	c := client.New(s.URL, token)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			q := kim
			long := i%10 == 9
			if long {
				q.Customer = strings.Repeat("<", 70_000)
			} else {
				q.Customer = strings.Repeat("<", 190-len(kim.User)-len(kim.Action)) // as many as go together, and as long as they get
			}
			if d, err := c.Check(t.Context(), q); (err != nil) != long || d.Allowed == long {
				t.Errorf("a question of %d bytes: got %v, %v", len(q.Customer), d.Allowed, err)
			}
		})
	}
	wg.Wait()
}
