package faults_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"partneraccess/events"
	"partneraccess/shared/httpapi"
)

// useCase is something that somebody, or the clock, does.
type useCase struct {
	name string

	// prepare makes what has to be there before, after the organisations and their people.
	prepare func(w *world)

	// call is one invocation. Whoever made it makes it again when it is not known whether it was done: a front end with the same
	// Idempotency-Key, Lambda with the rest of the batch, the schedule a minute later.
	call func(w *world) outcome

	erased  string        // an address that the table names nowhere in the end
	inParts bool          // what is done is several transactions, and each of them may be the last before the fault
	wait    time.Duration // until what is left to do later is due
	silent  bool          // SES's word on the mails does not come

	// again are the mails of which one more may come, when the n-th call fails in a way that is documented: mail.Notifier says that a gap
	// cannot be closed between the mail service's taking a mail and our word for it.
	again func(c call, f fault, lasting bool) bool
}

const (
	ann       = "admin@acme.example"
	olga      = "olga@contoso.example"
	kim       = "kim@contoso.example"
	sam       = "sam@contoso.example"
	eve       = "eve@elsewhere.example"
	key       = "Idempotency-Key"
	whichever = "*"
)

const (
	provider = httpapi.ScopeDirectory
	grants   = "/v1/customers/acme/grants"
	grant    = grants + "/contoso"
	people   = "/v1/partners/contoso/users"
	pick     = "/v1/partners/contoso/customers/acme"
	invites  = "/v1/customers/acme/invitations"
)

// found registers the organisations and their people, and lets all that follows from it happen.
func found(w *world) {
	for _, c := range customers {
		w.want(w.request("PUT", "/v1/customers/"+c, provider, fmt.Sprintf(`{"name":%q,"domain":"%s.example","contacts":["it@%[2]s.example"]}`, strings.ToUpper(c[:1])+c[1:], c)))
		w.want(w.request("PUT", "/v1/customers/"+c+"/members/admin@"+c+".example", provider, `{"name":"Ann","role":"admin"}`))
	}
	w.want(w.request("PUT", "/v1/partners/contoso", provider, `{"name":"Contoso","class":"channel","offer":"manage","sso":true,"contacts":["ops@contoso.example"]}`))
	for _, u := range []string{olga + " owner", kim + " tech", sam + " tech"} {
		address, role, _ := strings.Cut(u, " ")
		o := w.want(w.request("POST", people, provider, fmt.Sprintf(`{"email":%q,"name":"N","role":%q}`, address, role)))
		w.vars[address] = regexp.MustCompile(`contoso:[0-9A-Z]{26}`).FindString(o.body)
	}
}

// text fills the names of what was made into a request: {kim@contoso.example} is that user's id.
func (w *world) text(s string) string {
	for name, value := range w.vars {
		s = strings.ReplaceAll(s, "{"+name+"}", value)
	}
	return s
}

// requests makes a use case of one request.
func request(name, method, path, as, body string, prepare func(*world), header ...string) useCase {
	return useCase{name: name, prepare: prepare, call: func(w *world) outcome {
		return w.request(method, w.text(path), as, w.text(body), header...)
	}}
}

func in(body string) func(*world) {
	return func(w *world) { w.want(w.request("POST", grants, ann, w.text(body))) }
}

func both(first, second func(*world)) func(*world) {
	return func(w *world) {
		first(w)
		second(w)
	}
}

func invited(w *world) {
	o := w.want(w.request("POST", invites, ann, `{"email":"`+eve+`","partner":"contoso","level":"support"}`))
	w.vars["invitation"] = id.FindString(strings.SplitN(o.body, `"id":`, 2)[1])
	w.want(w.deliver())
	for _, m := range w.box.from(0) {
		if found := regexp.MustCompile(`invitations/(\S+)`).FindStringSubmatch(m.Text); found != nil {
			w.vars["token"] = found[1]
		}
	}
}

// clocked is a use case of the clock: the scheduled function runs once.
func clocked(name string, prepare func(*world), wait time.Duration) useCase {
	return useCase{name: name, inParts: true, wait: wait, prepare: prepare, call: func(w *world) outcome {
		return w.sweep()
	}}
}

// swept is clocked, so much after all that came of what was prepared.
func swept(name string, prepare func(*world), after time.Duration) useCase {
	return clocked(name, func(w *world) {
		w.settle(0)
		w.advance(7 * 24 * time.Hour)
		w.settle(0) // of the temporary passwords
		prepare(w)
		w.settle(0)
		w.advance(after)
	}, 0)
}

// told is a use case of the stream: the events of what was prepared reach the function that sends the mails.
func told(name string, prepare func(*world), more ...func(*useCase)) useCase {
	u := useCase{name: name, inParts: true, prepare: func(w *world) {
		w.settle(0)
		prepare(w)
	}, call: (*world).deliver}
	for _, change := range more {
		change(&u)
	}
	return u
}

// silently has SES tell nothing of its mails. Then the one gap shows.
func silently(u *useCase) {
	u.silent = true
	u.again = func(c call, f fault, lasting bool) bool {
		taken := f == lost || f == cut || f == diesBetween
		if f.dies() { // with all that was being sent beside
			return true
		}
		switch c.operation() {
		case "ses.SendEmail":
			return taken
		case "dynamodb.UpdateItem": // the second one says that the mail was sent
			return lasting && !taken
		}
		return false
	}
}

func useCases() []useCase {
	const day = 24 * time.Hour
	granted := in(`{"partner":"contoso","users":["{` + kim + `}"],"level":"support"}`)
	everyone := in(`{"partner":"contoso","everyone":true}`)
	two := in(`{"partner":"contoso","users":["{` + kim + `}","{` + sam + `}"],"level":"support"}`)
	theirs := in(`{"partner":"contoso"}`)
	atGlobex := func(w *world) {
		w.want(w.request("POST", "/v1/customers/globex/grants", "admin@globex.example", w.text(`{"partner":"contoso","users":["{`+kim+`}"]}`)))
	}
	suspended := func(w *world) {
		granted(w)
		w.want(w.request("PATCH", grant, ann, `{"state":"suspended"}`, "If-Match", whichever))
	}
	ending := in(`{"partner":"contoso","users":["{` + kim + `}"],"until":"` + start.Add(50*day).Format(time.RFC3339) + `"}`)
	ended := func(w *world) { w.want(w.request("DELETE", grant, ann, "")) }

	return append(append(behind(granted), webhookCases()...), []useCase{
		request("grant", "POST", grants, ann, `{"partner":"contoso","users":["{`+kim+`}"],"level":"support"}`, nil, key, "k"),
		request("grant everyone", "POST", grants, ann, `{"partner":"contoso","everyone":true}`, nil, key, "k"),
		request("grant, merged", "POST", grants, ann, `{"partner":"contoso","users":["{`+sam+`}"]}`, granted, key, "k"),
		request("grant again", "POST", grants, ann, `{"email":"`+kim+`","level":"view"}`, both(granted, ended), key, "k"),
		request("edit: add a user", "PATCH", grant, ann, `{"users":{"add":["{`+sam+`}"]}}`, granted, "If-Match", `"1"`),
		request("edit: set users", "PATCH", grant, ann, `{"users":{"set":["{`+sam+`}"]}}`, granted, "If-Match", whichever),
		request("edit: everyone on", "PATCH", grant, ann, `{"everyone":true}`, granted, "If-Match", `"1"`),
		request("edit: everyone off", "PATCH", grant, ann, `{"everyone":false}`, everyone, "If-Match", `"1"`),
		request("edit: terms", "PATCH", grant, ann, `{"level":"view","until":"2027-03-01T00:00:00Z"}`, granted, "If-Match", `"1"`),
		request("edit: suspend", "PATCH", grant, ann, `{"state":"suspended"}`, granted, "If-Match", `"1"`),
		request("edit: resume", "PATCH", grant, ann, `{"state":"open"}`, suspended, "If-Match", `"2"`),
		request("pick", "PUT", pick+"/users", olga, `{"users":["{`+kim+`}"]}`, theirs, "If-Match", whichever),
		request("revoke", "DELETE", grant, ann, "", granted),
		request("take a user out", "DELETE", grant+"/users/{"+sam+"}", ann, "", two),
		request("relinquish", "DELETE", pick, olga, "", granted),

		request("invite", "POST", invites, ann, `{"email":"`+eve+`","partner":"contoso"}`, nil, key, "k"),
		request("invite: send again", "POST", invites+"/{invitation}/resend", ann, "", invited, key, "k"),
		request("invite: cancel", "DELETE", invites+"/{invitation}", ann, "", invited),
		request("accept", "POST", "/v1/invitations/{token}/accept", eve, `{"name":"Eve"}`, invited, key, "k"),
		request("accept into a grant", "POST", "/v1/invitations/{token}/accept", eve, `{"name":"Eve"}`, both(granted, invited), key, "k"),
		request("decline", "POST", "/v1/invitations/{token}/decline", eve, "", invited, key, "k"),

		request("employee: create", "POST", people, olga,
			`{"email":"new@contoso.example","name":"New","role":"tech","phone":"+4930123456","mfa":true}`, nil, key, "k"),
		request("employee: create where everyone is in", "POST", people, olga, `{"email":"new@contoso.example","name":"New","role":"tech"}`,
			everyone, key, "k"),
		func() useCase {
			u := request("employees: create two", "POST", people, olga,
				`{"users":[{"email":"n1@contoso.example","name":"N","role":"tech"},{"email":"n2@contoso.example","name":"N","role":"tech"}]}`, nil, key,
				"k")
			u.inParts = true
			one := u.call
			u.call = func(w *world) outcome { // each employee has a result of its own
				o := one(w)
				if o.done() && strings.Contains(o.body, `"status":503`) {
					o = outcome{status: 503, code: "unavailable", body: o.body}
				}
				return o
			}
			return u
		}(),
		request("employee: edit", "PATCH", people+"/{"+kim+"}", olga, `{"email":"kim2@contoso.example","phone":"+4930123456","role":"business"}`,
			nil, "If-Match", whichever),
		request("employee: disable", "PATCH", people+"/{"+kim+"}", olga, `{"status":"disabled"}`, granted, "If-Match", whichever),
		// What was sent for the first change may reach the identity provider after all that was sent for the second.
		{name: "employee: enabled, and disabled right after", inParts: true, prepare: func(w *world) {
			w.want(w.request("PATCH", people+"/"+w.vars[kim], olga, `{"status":"disabled"}`, "If-Match", whichever))
			w.settle(0)
		}, call: func(w *world) outcome {
			if w.vars["enabled"] == "" {
				if o := w.request("PATCH", w.text(people+"/{"+kim+"}"), olga, `{"status":"active"}`, "If-Match", whichever); !o.done() {
					return o
				}
				w.vars["enabled"] = "yes"
			}
			return w.request("PATCH", w.text(people+"/{"+kim+"}"), olga, `{"status":"disabled"}`, "If-Match", whichever)
		}},
		func() useCase {
			u := request("employee: delete", "DELETE", people+"/{"+kim+"}", olga, "", both(two, atGlobex))
			u.wait = 10 * time.Minute
			return u
		}(),
		func() useCase {
			u := request("employee: erase", "DELETE", people+"/{"+kim+"}?erase=true", olga, "", both(two, atGlobex))
			u.inParts, u.erased, u.wait = true, kim, 10*time.Minute // the removal, and the erasure
			return u
		}(),
		request("partner: edit", "PATCH", "/v1/partners/contoso", provider, `{"name":"Contoso Nord","offer":"support"}`, granted, "If-Match",
			whichever),
		request("partner: suspend", "PATCH", "/v1/partners/contoso", provider, `{"status":"suspended"}`, both(granted, atGlobex), "If-Match",
			whichever),
		func() useCase {
			u := request("partner: remove", "DELETE", "/v1/partners/contoso", provider, "", both(granted, atGlobex))
			u.wait = 10 * time.Minute
			return u
		}(),
		request("preferences: choose", "PUT", "/v1/me/preferences", ann, `{"language":"de","zone":"Europe/Berlin"}`, nil),
		request("member: add", "PUT", "/v1/customers/acme/members/bob@acme.example", provider, `{"name":"Bob","role":"member"}`, nil),
		request("managing partner", "PUT", "/v1/customers/acme/managing-partner", provider, `{"partner":"contoso"}`, granted),

		swept("sweep: an end", ending, 43*day),
		swept("sweep: a reminder", ending, 36*day),
		swept("sweep: an invitation's reminder", invited, 5*day),
		swept("sweep: an invitation's end", invited, 7*day),
		clocked("sweep: the cascade of a partner's removal", func(w *world) {
			granted(w)
			atGlobex(w)
			w.settle(0)
			w.want(w.request("DELETE", "/v1/partners/contoso", provider, ""))
			w.want(w.deliver())
		}, 10*time.Minute),
		clocked("sweep: the cascade of a user's removal", func(w *world) {
			two(w)
			atGlobex(w)
			w.settle(0)
			w.want(w.request("DELETE", people+"/"+w.vars[kim], provider, ""))
			w.want(w.deliver())
		}, 10*time.Minute),
		func() useCase {
			u := clocked("sweep: a person is erased", func(w *world) {
				two(w)
				atGlobex(w)
				w.want(w.request("PATCH", people+"/"+w.vars[kim], provider, `{"name":"Kim K"}`, "If-Match", whichever))
				w.settle(0)
				w.want(w.request("DELETE", people+"/"+w.vars[kim]+"?erase=true", provider, ""))
				w.want(w.deliver())
			}, 10*time.Minute)
			u.erased = kim
			return u
		}(),
		clocked("sweep: a suspension is told", func(w *world) {
			granted(w)
			atGlobex(w)
			w.settle(0)
			w.want(w.request("PATCH", "/v1/partners/contoso", provider, `{"status":"suspended"}`, "If-Match", whichever))
			w.want(w.deliver())
		}, 0),
		clocked("sweep: an account that could not be made", func(w *world) {
			w.settle(0)
			w.line.arm(call{name: "cognito.AdminCreateUser"}, broken, true)
			w.want(w.request("POST", people, olga, `{"email":"new@contoso.example","name":"New","role":"tech"}`))
			if hit, _ := w.line.disarm(); !hit {
				w.t.Fatal("the account was made, want it left to the sweep")
			}
			w.advance(time.Minute)
		}, 0),
		clocked("sweep: a temporary password's end", func(w *world) {
			w.settle(0)
			w.advance(7 * day)
		}, 0),

		told("mail: a grant", granted),
		told("mail: a grant, without SES's word", granted, silently),
		told("mail: an invitation", func(w *world) {
			w.want(w.request("POST", invites, ann, `{"email":"`+eve+`","partner":"contoso"}`))
		}),
		told("mail: a temporary password", func(w *world) {
			w.want(w.request("POST", people, olga, `{"email":"new@contoso.example","name":"New","role":"tech"}`))
		}),
		told("mail: several events", func(w *world) {
			granted(w)
			w.want(w.request("PATCH", grant, ann, `{"level":"view"}`, "If-Match", whichever))
			ended(w)
		}),
		{name: "SES's word", inParts: true, prepare: func(w *world) {
			w.settle(0)
			granted(w)
			w.want(w.deliver())
		}, call: (*world).feedback},
		{name: "mail: sent again", inParts: true, prepare: func(w *world) {
			granted(w)
			w.settle(0)
			o := w.want(w.request("GET", "/v1/customers/acme/mail", ann, ""))
			for _, m := range strings.Split(o.body, `"id":`)[1:] {
				if strings.Contains(m, `"it@acme.example"`) && strings.Contains(m, string(events.GrantCreated)) {
					w.vars["mail"] = strings.Split(m, `"`)[1]
				}
			}
		}, call: func(w *world) outcome {
			return w.request(http.MethodPost, w.text("/v1/customers/acme/mail/{mail}/resend"), ann, "", key, "k")
		}},
	}...)
}
