package httpapi

import (
	"errors"
	"slices"
	"testing"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

func TestWhatIsWrongWithAQueryIsToldInTheOrderOfTheParameters(t *testing.T) {
	t.Parallel()
	const query = "z=1&q=1&q=2&limit=0&cursor=x&b=1&a=1&y=1&c=1&status=active"
	for _, c := range []struct {
		name string
		read func(*apigateway.Request) error
		want []string
	}{
		{"of a list", func(r *apigateway.Request) error {
			_, _, _, err := pageAsk(r, "q", "status")
			return err
		}, []string{"?a", "?b", "?c", "?cursor", "?limit", "?q", "?y", "?z"}},
		{"where none is known", noQuery, []string{"?a", "?b", "?c", "?cursor", "?limit", "?q", "?status", "?y", "?z"}},
	} {
		for range 20 { // a map's order is another each time
			var e *access.Error
			if err := c.read(&apigateway.Request{RawQuery: query}); !errors.As(err, &e) {
				t.Fatalf("%s: got %v, want a refusal", c.name, err)
			}
			var got []string
			for _, f := range e.Fields {
				got = append(got, f.Pointer)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("%s: got %q, want %q", c.name, got, c.want)
			}
		}
	}
}
