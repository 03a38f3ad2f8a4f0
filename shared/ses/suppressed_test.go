package ses_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"partneraccess/shared/ses"
)

func TestAnAddressIsTakenOffSESsSuppressionList(t *testing.T) {
	const address = "rita+news@partner.example"
	for _, c := range []struct {
		name   string
		status int    // 0: the connection is cut
		kind   string // of the error
		want   string // what the error says; "": there is none
		calls  int
	}{
		{"it was on it", 200, "", "", 1},
		{"it was not on it", 404, "NotFoundException", "", 1},
		{"too fast", 429, "TooManyRequestsException", "TooManyRequestsException", 4},
		{"no right to", 403, "AccessDeniedException", "AccessDeniedException", 1},
		{"no such address", 400, "BadRequestException", "BadRequestException", 1},
		{"an internal error", 500, "InternalServiceErrorException", "InternalServiceErrorException", 1},
		{"no answer", 0, "", "EOF", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var asked []string
			s := ses.NewSuppressed(client(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked = append(asked, r.Method+" "+r.URL.Path)
				mu.Unlock()
				if c.status == 0 {
					panic(http.ErrAbortHandler)
				}
				if c.kind != "" {
					w.Header().Set("X-Amzn-Errortype", c.kind)
				}
				w.WriteHeader(c.status)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": "about " + address})
			}))
			err := s.Remove(t.Context(), address)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "rita") {
				t.Errorf("the error would put the address into the log: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(asked) != c.calls || asked[0] != "DELETE /v2/email/suppression/addresses/"+address {
				t.Errorf("got the requests %q, want %d to delete the address", asked, c.calls)
			}
		})
	}
}
