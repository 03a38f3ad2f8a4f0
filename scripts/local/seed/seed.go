// Package seed puts demo data into a running Partner Access through its HTTP API.
package seed

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"partneraccess/scripts/local/ask"
)

// DirectoryScope is the scope that all of the seed's requests need.
const DirectoryScope = "partner-access/directory"

// Person is somebody of the demo data.
type Person struct {
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"` // in the words of the API: admin, member, owner, tech, ...
	Of    string `json:"of"`   // "customer acme" or "partner contoso"
}

// Token makes a token of a scope, or of the person with an address.
type Token func(scope, email string) (string, error)

// People are the persons of the demo data as whom one can look around, whether or not it has been put in.
func People() []Person {
	return []Person{
		{"ann@acme.example", "Ann Archer", "admin", "customer acme"},
		{"bob@acme.example", "Bob Baker", "member", "customer acme"},
		{"gil@globex.example", "Gil Garcia", "admin", "customer globex"},
		{"olga@contoso.example", "Olga Olsen", "owner", "partner contoso"},
		{"kim@contoso.example", "Kim Keller", "tech", "partner contoso"},
		{"sam@contoso.example", "Sam Silva", "business", "partner contoso"},
		{"fred@fabrikam.example", "Fred Fischer", "owner", "partner fabrikam"},
		{"tess@fabrikam.example", "Tess Tanaka", "tech", "partner fabrikam"},
		{"mia@umbra.example", "Mia Moreau", "admin", "customer umbra"},
		{"ida@aldgate.example", "Ida Iversen", "owner", "partner aldgate"},
	}
}

type object map[string]any

type request struct {
	method, path string
	body         object
}

// requests are in an order in which each finds what it refers to.
func requests() []request {
	put := func(body object, segments ...string) request {
		path, _ := url.JoinPath("/v1", segments...) // a constant base: cannot fail
		return request{http.MethodPut, path, body}
	}
	user := func(partner, email, name, role, phone string) request {
		return request{http.MethodPost, "/v1/partners/" + partner + "/users", object{
			"email": email, "name": name, "role": role, "phone": phone, "mfa": true,
		}}
	}
	return []request{
		put(object{"name": "Contoso MSP", "class": "channel", "offer": "manage", "sso": true, "contacts": []string{"ops@contoso.example"}},
			"partners", "contoso"),
		put(object{"name": "Fabrikam Résell", "class": "channel", "offer": "support", "contacts": []string{"hello@fabrikam.example"}}, "partners",
			"fabrikam"),
		put(object{"name": "Northwind Traders", "class": "other", "offer": "view", "contacts": []string{"info@northwind.example"}}, "partners",
			"northwind"),

		put(object{"name": "Acme", "domain": "acme.example", "contacts": []string{"it@acme.example"}}, "customers", "acme"),
		put(object{"name": "Globex", "domain": "globex.example", "contacts": []string{"it@globex.example"}}, "customers", "globex"),
		put(object{"name": "Initech", "domain": "initech.example", "contacts": []string{"it@initech.example"}}, "customers", "initech"),

		put(object{"name": "Ann Archer", "role": "admin"}, "customers", "acme", "members", "ann@acme.example"),
		put(object{"name": "Bob Baker", "role": "member"}, "customers", "acme", "members", "bob@acme.example"),
		put(object{"name": "Gil Garcia", "role": "admin"}, "customers", "globex", "members", "gil@globex.example"),

		user("contoso", "olga@contoso.example", "Olga Olsen", "owner", "+4930123450"),
		user("contoso", "kim@contoso.example", "Kim Keller", "tech", "+4930123456"),
		user("contoso", "sam@contoso.example", "Sam Silva", "business", "+4930123457"),
		user("fabrikam", "fred@fabrikam.example", "Fred Fischer", "owner", "+33140000001"),
		user("fabrikam", "tess@fabrikam.example", "Tess Tanaka", "tech", "+33140000002"),

		put(object{"partner": "contoso"}, "customers", "initech", "managing-partner"),
	}
}

// Run puts organisations and their people into the service at base, for somebody to begin with: nobody has access to anything but
// contoso to initech, which it manages. What is there already stays or is set to the same again, so that a run that was cut off
// can be repeated.
func Run(ctx context.Context, base string, token Token) error {
	bearer, err := token(DirectoryScope, "")
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	for _, r := range requests() {
		if _, err := send(ctx, base, bearer, r); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}

func send(ctx context.Context, base, bearer string, r request) (ask.Answer, error) {
	q := ask.Request{Method: r.method, URL: base + r.path, Token: bearer}
	if r.body != nil {
		q.Body = r.body
	}
	if r.method == http.MethodPatch {
		q.Header = map[string]string{"If-Match": "*"}
	}
	a, err := ask.Send(ctx, http.DefaultClient, q)
	if err != nil || earlier(a.Text("code")) {
		return a, err
	}
	return a, a.Into(nil)
}

// earlier is whether a refusal says that an earlier run, which was cut off, has done that.
func earlier(code string) bool { return code == "email_taken" || code == "already_invited" }
