package access_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// What is erased of an event, and what stays.

func TestAnErasureChangesOnlyWhatNamesThePerson(t *testing.T) {
	t.Parallel()
	const lee, kim = "contoso:01KAP2X5T0P3T6V1K8M4X9C7ZQ", "contoso:01KAP2X5T0KJ5M8QZC3V7E1R2A"
	x := access.Erasure{User: lee, Partner: "contoso", Addresses: []string{"lee@contoso.example", "lee.wong@contoso.example"}}
	const erased = `"email":"erased-01kap2x5t0p3t6v1k8m4x9c7zq@erased.invalid"`
	for name, c := range map[string]struct{ event, want string }{
		"a user among others": {
			`"actor":{"kind":"customer","email":"ann@acme.example"},"data":{"users":[{"id":"` + lee +
				`","email":"lee@contoso.example","name":"Lee"},{"id":"` + kim + `","email":"kim@contoso.example","name":"Kim"}]}`,
			`"actor":{"kind":"customer","email":"ann@acme.example"},"data":{"users":[{"id":"` + lee + `",` + erased +
				`,"name":"Erased person"},{"id":"` + kim + `","email":"kim@contoso.example","name":"Kim"}]}`,
		},
		"the actor, by id": {
			`"actor":{"kind":"partner","email":"lee@contoso.example","name":"Lee","id":"` + lee + `"},"data":{}`,
			`"actor":{"kind":"partner",` + erased + `,"name":"Erased person","id":"` + lee + `"},"data":{}`,
		},
		"the actor of an old event": {
			`"actor":{"kind":"partner","email":"lee.wong@contoso.example"},"data":{}`, `"actor":{"kind":"partner",` + erased + `},"data":{}`,
		},
		"a customer's member with the address": {
			`"actor":{"kind":"customer","email":"lee@contoso.example"},"data":{"inviter":{"email":"lee@contoso.example"},"side":"customer"}`, "",
		},
		"the user who has the address now": {
			`"actor":{"kind":"partner","email":"lee@contoso.example","id":"` + kim + `"},` +
				`"data":{"person":{"id":"` + kim + `","email":"lee@contoso.example"},"email_was":"kim@contoso.example"}`, "",
		},
		"who was invited, and who invited": {
			`"actor":{"kind":"clock"},"data":{"inviter":{"id":"` + lee + `","email":"lee@contoso.example"},"side":"partner",` +
				`"person":{"email":"eve@elsewhere.example"}}`,
			`"actor":{"kind":"clock"},"data":{"inviter":{"id":"` + lee + `",` + erased + `},"side":"partner",` +
				`"person":{"email":"eve@elsewhere.example"}}`,
		},
		"another address and name": {
			`"actor":{"kind":"provider"},"data":{"changes":[{"field":"email","was":"lee@contoso.example","is":"lee.wong@contoso.example"},` +
				`{"field":"name","was":"Lee","is":"Lee Wong"},{"field":"role","was":"tech","is":"admin"}],` +
				`"person":{"id":"` + lee + `","email":"lee.wong@contoso.example"},"email_was":"lee@contoso.example"}`,
			`"actor":{"kind":"provider"},"data":{"changes":[{"field":"email","was":P,"is":P},{"field":"name","was":"Erased person",` +
				`"is":"Erased person"},{"field":"role","was":"tech","is":"admin"}],"person":{"id":"` + lee + `",` + erased + `},"email_was":P}`,
		},
		"the partner's contacts": {
			`"actor":{"kind":"provider"},"partner":{"id":"contoso","contacts":["ops@contoso.example","lee@contoso.example"]},` +
				`"data":{"changes":[{"field":"contacts","was":null,"is":["lee@contoso.example"]}]}`,
			`"actor":{"kind":"provider"},"partner":{"id":"contoso","contacts":["ops@contoso.example",P]},` +
				`"data":{"changes":[{"field":"contacts","was":null,"is":[P]}]}`,
		},
		"what somebody wrote": {`"actor":{"kind":"clock"},"data":{"note":"for lee@contoso.example"}`, ""},
	} {
		decode := func(text string) (e events.Event) {
			t.Helper()
			text = strings.ReplaceAll(text, "P,", strings.TrimPrefix(erased, `"email":`)+",")
			text = strings.NewReplacer(":P}", ":"+erased[8:]+"}", "[P]", "["+erased[8:]+"]", ",P]", ","+erased[8:]+"]").Replace(text)
			if err := json.Unmarshal([]byte("{"+text+"}"), &e); err != nil {
				t.Fatalf("%s: %v in %s", name, err, text)
			}
			return e
		}
		got := decode(c.event)
		changed := x.Event(&got)
		if c.want == "" {
			c.want = c.event
		}
		g, _ := json.Marshal(got)
		want, _ := json.Marshal(decode(c.want))
		if string(g) != string(want) || changed != (c.want != c.event) {
			t.Errorf("%s: got %s, changed %t, want %s", name, g, changed, want)
		}
		if x.Event(&got) {
			t.Errorf("%s: erased again: got a change, want none", name)
		}
	}
}

func TestAPseudonymIsAnAddressThatNobodyCanHave(t *testing.T) {
	t.Parallel()
	p := access.Pseudonym("contoso:01KAP2X5T0P3T6V1K8M4X9C7ZQ")
	if got, ok := access.ParseEmail(p); !ok || got != p || !access.IsPseudonym(p) || access.IsPseudonym("lee@contoso.example") {
		t.Errorf("got %q (%t), want a pseudonym that is an address in lower case", got, ok)
	}
}
