// Package manifest is the list of the service's functions: what starts each of them and what each may do to the table.
// The CDK app and the local stack both read it, so that what is deployed and what is run locally cannot differ.
package manifest

import "time"

// Function is one Lambda function, built from functions/<Name>.
type Function struct {
	Name    string
	Does    string        // one sentence, for the operator
	Routes  []Route       // the HTTP routes that it serves
	Timeout time.Duration // after which Lambda ends an invocation
	Memory  int           // MiB
}

// Route is one HTTP route in API Gateway's own spelling: "GET /v1/customers/{customer}/grants".
type Route struct {
	Method string
	Path   string
	Public bool // served without a token
}

// Key is the route as API Gateway names it (its "route key").
func (r Route) Key() string { return r.Method + " " + r.Path }

func routes(rs ...Route) []Route { return rs }

func get(path string) Route    { return Route{Method: "GET", Path: path} }
func post(path string) Route   { return Route{Method: "POST", Path: path} }
func put(path string) Route    { return Route{Method: "PUT", Path: path} }
func patch(path string) Route  { return Route{Method: "PATCH", Path: path} }
func remove(path string) Route { return Route{Method: "DELETE", Path: path} }

// Functions are all of them, in the order in which an operator would want to read them.
func Functions() []Function {
	return []Function{
		{
			Name:    "check",
			Does:    "answers whether a partner's user may do something in a customer's tenant (AuthZEN 1.0)",
			Timeout: 10 * time.Second, Memory: 512,
			Routes: routes(
				post("/access/v1/evaluation"),
				post("/access/v1/evaluations"),
				post("/access/v1/search/subject"),
				post("/access/v1/search/resource"),
				post("/access/v1/search/action"),
				Route{Method: "GET", Path: "/.well-known/authzen-configuration", Public: true},
			),
		},
		{
			Name:    "grant",
			Does:    "lets a partner into a customer's tenant",
			Timeout: 15 * time.Second, Memory: 256,
			Routes: routes(post("/v1/customers/{customer}/grants")),
		},
		{
			Name:    "edit",
			Does:    "changes who is in, how much, and for how long",
			Timeout: 15 * time.Second, Memory: 256,
			Routes: routes(
				patch("/v1/customers/{customer}/grants/{partner}"),
				put("/v1/partners/{partner}/customers/{customer}/users"),
			),
		},
		{
			Name:    "revoke",
			Does:    "takes access away",
			Timeout: 15 * time.Second, Memory: 256,
			Routes: routes(
				remove("/v1/customers/{customer}/grants/{partner}"),
				remove("/v1/customers/{customer}/grants/{partner}/users/{user}"),
				remove("/v1/partners/{partner}/customers/{customer}"),
			),
		},
		{
			Name:    "list",
			Does:    "answers every question about what is there",
			Timeout: 15 * time.Second, Memory: 256,
			Routes: routes(
				get("/v1/me"),
				get("/v1/customers/{customer}"),
				get("/v1/customers/{customer}/grants"),
				get("/v1/customers/{customer}/grants/{partner}"),
				get("/v1/customers/{customer}/grants/{partner}/users"),
				get("/v1/customers/{customer}/members"),
				get("/v1/customers/{customer}/history"),
				get("/v1/partners"),
				get("/v1/partners/{partner}"),
				get("/v1/partners/{partner}/users"),
				get("/v1/partners/{partner}/users/{user}"),
				get("/v1/partners/{partner}/customers"),
				get("/v1/partners/{partner}/customers/{customer}/users"),
				get("/v1/partners/{partner}/history"),
				get("/v1/partners/{partner}/account"),
			),
		},
		{
			Name:    "directory",
			Does:    "keeps the partners, their users, the customers and their members",
			Timeout: 29 * time.Second, Memory: 256,
			Routes: routes(
				put("/v1/partners/{partner}"),
				patch("/v1/partners/{partner}"),
				remove("/v1/partners/{partner}"),
				patch("/v1/partners/{partner}/account"),
				post("/v1/partners/{partner}/users"),
				patch("/v1/partners/{partner}/users/{user}"),
				remove("/v1/partners/{partner}/users/{user}"),
				put("/v1/customers/{customer}"),
				remove("/v1/customers/{customer}"),
				put("/v1/customers/{customer}/members/{email}"),
				remove("/v1/customers/{customer}/members/{email}"),
				put("/v1/customers/{customer}/relationships/{partner}"),
				remove("/v1/customers/{customer}/relationships/{partner}"),
				put("/v1/customers/{customer}/managing-partner"),
				remove("/v1/customers/{customer}/managing-partner"),
			),
		},
	}
}
