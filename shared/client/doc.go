// Package client asks the service: may this partner's user do that at this customer, and what else its API answers. It needs nothing but
// the standard library, and fails closed: whatever is not a clear yes is a no.
//
//	access := client.New("https://api.cloud.example", client.Credentials(tokenURL, id, secret))
//	guard := client.Middleware(access, func(r *http.Request) (client.Question, error) {
//		user, err := session(r) // your own: who has signed in
//		return client.Question{User: user, Action: "reports:read", Customer: r.PathValue("customer")}, err
//	})
//	http.Handle("GET /customers/{customer}/reports", guard(reports))
//
// Questions that are asked at the same moment travel together, 50 at most. Requests that can be repeated without harm are repeated when the
// service asks for it (429, 503, Retry-After) or does not answer, as long as the context lasts. Nothing is kept of an answer unless
// KeepAllows says so.
//
// VerifyWebhook is the other side of webhooks: whether a message is the service's.
//
// The module's path is partneraccess, whatever the repository is that it lives in. To use it from a fork whose commit has the tag v0.1.0:
//
//	go mod edit -require=partneraccess@v0.1.0 -replace=partneraccess=github.com/you/partner-access@v0.1.0
//	go mod tidy
package client
