package httpapi

import (
	"slices"
	"strings"
)

// Route is one HTTP route of the service: which function serves it, who may call it, and what it does.
type Route struct {
	Method   string
	Path     string // in API Gateway's own spelling: "/v1/customers/{customer}/grants"
	Function string // the name of the function that serves it
	Public   bool   // served without a token
	// Scopes are those of which the token must carry one to get past the gateway; none: every token gets as far as the function, which
	// authorises it, too.
	Scopes []string
	// Fallback says that the route takes the requests with its method that fit no other route, and refuses them.
	Fallback bool

	callers     callerKind // who may call it
	unrehearsed bool       // has no dry run, since it changes nobody's access
	query       bool       // its endpoint reads the query; elsewhere one is refused
	exports     bool       // it is a list that is also given as CSV and JSON Lines
	endpoint    endpoint   // nil: NewCheck serves it, or it is a fallback
}

// rehearsable tells whether the route has a dry run: those that change something do.
func (r Route) rehearsable() bool { return r.Method != "GET" && r.endpoint != nil && !r.unrehearsed }

// Key is the route as API Gateway names it (its "route key").
func (r Route) Key() string { return r.Method + " " + r.Path }

// Routes are all routes of the service: the only place that says who may call what. The first parameter of a route is the organisation that
// its callers belong to. What a caller may not see is answered like what does not exist.
func Routes() []Route {
	return slices.Concat(
		checkRoutes(), grantRoutes(), editRoutes(), revokeRoutes(), listRoutes(), directoryRoutes(), inviteRoutes(), mailRoutes(),
		bulkRoutes(), webhookRoutes(),
	)
}

// Each function's routes have a function of their own, so that its binary holds no other's endpoints.

func checkRoutes() []Route {
	return servedBy("check",
		decision("POST /access/v1/evaluation"),
		decision("POST /access/v1/evaluations"),
		decision("POST /access/v1/search/subject"),
		decision("POST /access/v1/search/resource"),
		decision("POST /access/v1/search/action"),
		decision("GET /.well-known/authzen-configuration").public(),
	)
}

func grantRoutes() []Route {
	return servedBy("grant",
		// W11: only its own admins grant for a customer; likewise below.
		route("POST /v1/customers/{customer}/grants", customerAdmin, postGrant),
	)
}

func editRoutes() []Route {
	return servedBy("edit",
		route("PATCH /v1/customers/{customer}/grants/{partner}", customerAdmin, patchGrant),
		route("PUT /v1/partners/{partner}/customers/{customer}/users", leads, putAssignedUsers),
	)
}

func revokeRoutes() []Route {
	return servedBy("revoke",
		route("DELETE /v1/customers/{customer}/grants/{partner}", customerAdmin, deleteGrant),
		route("DELETE /v1/customers/{customer}/grants/{partner}/users/{user}", customerAdmin, deleteGrantUser),
		route("DELETE /v1/partners/{partner}/customers/{customer}", leads, relinquish),
		// Leads remove any user, the others themselves.
		route("DELETE /v1/partners/{partner}/customers/{customer}/users/{user}", employees|external, leaveCustomer),
	)
}

func listRoutes() []Route {
	return servedBy("list",
		route("GET /v1/customers", provider, listAllCustomers),
		route("GET /v1/customers/{customer}", members|provider, getCustomer),
		route("GET /v1/customers/{customer}/grants", members|provider, listGrants).exported(),
		route("GET /v1/customers/{customer}/grants/{partner}", members|provider, getGrant),
		route("GET /v1/customers/{customer}/grants/{partner}/users", members|provider, listGrantUsers),
		route("GET /v1/customers/{customer}/people", members|provider, listPeople).exported(),
		route("GET /v1/customers/{customer}/members", members|provider, listMembers),
		route("GET /v1/customers/{customer}/history", members|provider, listCustomerHistory).exported(),
		route("GET /v1/partners", anyMember|provider, listPartners),
		route("GET /v1/partners/{partner}", employees|anyMember|provider, getPartner),
		route("GET /v1/partners/{partner}/users", employees|anyCustomerAdmin|provider, listUsers),
		route("GET /v1/partners/{partner}/users/{user}", employees|provider, getUser),
		// Leads see any user's, the others their own.
		route("GET /v1/partners/{partner}/users/{user}/customers", employees|external|provider, listPersonCustomers),
		route("GET /v1/partners/{partner}/customers", employees|external|provider, listCustomers).exported(),
		route("GET /v1/partners/{partner}/customers/{customer}", employees|external|provider, getPartnerCustomer),
		route("GET /v1/partners/{partner}/partners", employees|provider, listSubPartners),
		route("GET /v1/partners/{partner}/customers/{customer}/users", employees|provider, listGrantUsers),
		route("GET /v1/partners/{partner}/history", employees|provider, listPartnerHistory).exported(),
		route("GET /v1/partners/{partner}/account", owner, getAccount), // P8
		route("GET /v1/events", provider, listPublished),
		route("GET "+problemsPath, anonymous, getProblems),
		// None for OPTIONS: API Gateway answers preflights itself where no route takes them.
		fallback("GET"), fallback("POST"), fallback("PUT"), fallback("PATCH"), fallback("DELETE"),
	)
}

func directoryRoutes() []Route {
	return servedBy("directory",
		route("GET /v1/me", signedIn, getMe),
		route("PUT /v1/me/preferences", signedIn, putPreferences).withoutDryRun(), // each its own
		route("PUT /v1/partners/{partner}", provider, putPartner),
		route("PATCH /v1/partners/{partner}", provider, patchPartner),
		route("DELETE /v1/partners/{partner}", provider, deletePartner),
		route("PATCH /v1/partners/{partner}/account", owner, patchAccount), // P8
		route("POST /v1/partners/{partner}/users", leads|provider, postUsers),
		route("PATCH /v1/partners/{partner}/users/{user}", leads|provider, patchUser),
		route("DELETE /v1/partners/{partner}/users/{user}", leads|provider, deleteUser).withQuery(),
		// each its own (P20)
		route("POST /v1/partners/{partner}/users/{user}/password", employees|external|provider, postPassword).withoutDryRun(),
		route("PUT /v1/customers/{customer}", provider, putCustomer),
		route("DELETE /v1/customers/{customer}", provider, deleteCustomer),
		route("PUT /v1/customers/{customer}/members/{email}", provider, putMember).withQuery(),
		route("DELETE /v1/customers/{customer}/members/{email}", provider, deleteMember).withQuery(),
		route("POST /v1/customers/{customer}/members/{email}/password", provider, postMemberPassword).withoutDryRun(),
		route("PUT /v1/customers/{customer}/relationships/{partner}", provider, putRelationship),
		route("DELETE /v1/customers/{customer}/relationships/{partner}", provider, deleteRelationship),
		route("PUT /v1/customers/{customer}/managing-partner", provider, putManagingPartner),
		route("DELETE /v1/customers/{customer}/managing-partner", provider, deleteManagingPartner),
	)
}

func inviteRoutes() []Route {
	return servedBy("invite",
		route("POST /v1/customers/{customer}/invitations", customerAdmin|anyLead, postInvitation),
		route("GET /v1/customers/{customer}/invitations", members|provider, listInvitations),
		route("GET /v1/customers/{customer}/invitations/{invitation}", members|anyLead|provider, getInvitation),
		route("DELETE /v1/customers/{customer}/invitations/{invitation}", customerAdmin|anyLead, deleteInvitation),
		route("POST /v1/customers/{customer}/invitations/{invitation}/resend", customerAdmin|anyLead, resendInvitation),
		route("GET /v1/partners/{partner}/invitations", leads|provider, listPartnerInvitations),
		// Leads ask for anybody and see all requests of their partner; the others ask for themselves, and see their own.
		route("POST /v1/partners/{partner}/requests", employees|external, postRequest).withoutDryRun(),
		route("GET /v1/partners/{partner}/requests", employees|external|provider, listPartnerRequests),
		route("GET /v1/partners/{partner}/requests/{request}", employees|external|provider, getPartnerRequest),
		route("DELETE /v1/partners/{partner}/requests/{request}", employees|external, deleteRequest),
		route("GET /v1/customers/{customer}/requests", members|provider, listRequests),
		route("GET /v1/customers/{customer}/requests/{request}", members|provider, getRequest),
		route("POST /v1/customers/{customer}/requests/{request}/approve", customerAdmin, approveRequest),
		route("POST /v1/customers/{customer}/requests/{request}/decline", customerAdmin, declineRequest),
		route("POST /v1/customers/{customer}/requests/{request}/ask", customerAdmin, askAboutRequest),
		route("GET /v1/customers/{customer}/request-policy", members|provider, getRequestPolicy),
		route("PUT /v1/customers/{customer}/request-policy", customerAdmin, putRequestPolicy),
		route("POST /v1/customers/{customer}/request-policy/code", customerAdmin, postRequestCode).withoutDryRun(),
		route("GET /v1/invitations/{token}", anonymous, previewInvitation),
		route("POST /v1/invitations/{token}/register", anonymous, registerInvitee).withoutDryRun(),
		route("POST /v1/invitations/{token}/accept", signedIn, acceptInvitation),
		route("POST /v1/invitations/{token}/decline", signedIn, declineInvitation),
	)
}

func mailRoutes() []Route {
	return servedBy("mail",
		route("GET /v1/customers/{customer}/mail", members|provider, listCustomerMails).exported(),
		route("GET /v1/partners/{partner}/mail", leads|provider, listPartnerMails).exported(),
		route("GET /v1/customers/{customer}/mail/{mail}", members|provider, getMail),
		route("GET /v1/partners/{partner}/mail/{mail}", leads|provider, getMail),
		route("POST /v1/customers/{customer}/mail/{mail}/resend", customerAdmin|provider, resendMail).withoutDryRun(),
		route("POST /v1/partners/{partner}/mail/{mail}/resend", leads|provider, resendMail).withoutDryRun(),
		route("DELETE /v1/mail/blocks/{email}", provider, deleteMailBlock).withoutDryRun(),
	)
}

func bulkRoutes() []Route {
	return servedBy("bulk",
		route("POST /v1/customers/{customer}/bulk", customerAdmin, postBulk).withoutDryRun().withQuery(), // its rows have one
		route("GET /v1/customers/{customer}/bulk/{job}", members|provider, getBulk),
		route("GET /v1/customers/{customer}/bulk/{job}/results", members|provider, listBulkResults).exported(),
		route("POST /v1/customers/{customer}/bulk/{job}/cancel", customerAdmin, cancelBulk).withoutDryRun(),
		route("POST /v1/customers/{customer}/bulk/{job}/retry", customerAdmin, retryBulk).withoutDryRun(),
		route("POST /v1/bulk", provider, postBulk).withoutDryRun().withQuery(),
		route("GET /v1/bulk/{job}", provider, getBulk),
		route("GET /v1/bulk/{job}/results", provider, listBulkResults).exported(),
		route("POST /v1/bulk/{job}/cancel", provider, cancelBulk).withoutDryRun(),
		route("POST /v1/bulk/{job}/retry", provider, retryBulk).withoutDryRun(),
	)
}

// Webhooks change nobody's access, so that none of these has a dry run.
func webhookRoutes() []Route {
	return servedBy("webhook",
		route("GET /v1/webhooks", provider, listWebhooks),
		route("POST /v1/webhooks", provider, postWebhook).withoutDryRun(),
		route("GET /v1/webhooks/{webhook}", provider, getWebhook),
		route("PATCH /v1/webhooks/{webhook}", provider, patchWebhook).withoutDryRun(),
		route("DELETE /v1/webhooks/{webhook}", provider, deleteWebhook).withoutDryRun(),
		route("POST /v1/webhooks/{webhook}/verify", provider, verifyWebhook).withoutDryRun(),
		route("POST /v1/webhooks/{webhook}/rotate", provider, rotateWebhook).withoutDryRun(),
		route("POST /v1/webhooks/{webhook}/test", provider, testWebhook).withoutDryRun(),
		route("GET /v1/webhooks/{webhook}/deliveries", provider, listDeliveries),
		route("POST /v1/webhooks/{webhook}/deliveries/{event}/retry", provider, retryDelivery).withoutDryRun(),
		route("POST /v1/webhooks/{webhook}/replay", provider, replayWebhook).withoutDryRun(),
		// The same of a customer, where the deployment allows them.
		route("GET /v1/customers/{customer}/webhooks", customerAdmin, ofCustomers(listWebhooks)),
		route("POST /v1/customers/{customer}/webhooks", customerAdmin, ofCustomers(postWebhook)).withoutDryRun(),
		route("GET /v1/customers/{customer}/webhooks/{webhook}", customerAdmin, ofCustomers(getWebhook)),
		route("PATCH /v1/customers/{customer}/webhooks/{webhook}", customerAdmin, ofCustomers(patchWebhook)).withoutDryRun(),
		route("DELETE /v1/customers/{customer}/webhooks/{webhook}", customerAdmin, ofCustomers(deleteWebhook)).withoutDryRun(),
		route("POST /v1/customers/{customer}/webhooks/{webhook}/verify", customerAdmin, ofCustomers(verifyWebhook)).withoutDryRun(),
		route("POST /v1/customers/{customer}/webhooks/{webhook}/rotate", customerAdmin, ofCustomers(rotateWebhook)).withoutDryRun(),
		route("POST /v1/customers/{customer}/webhooks/{webhook}/test", customerAdmin, ofCustomers(testWebhook)).withoutDryRun(),
		route("GET /v1/customers/{customer}/webhooks/{webhook}/deliveries", customerAdmin, ofCustomers(listDeliveries)),
		route("POST /v1/customers/{customer}/webhooks/{webhook}/deliveries/{event}/retry", customerAdmin,
			ofCustomers(retryDelivery)).withoutDryRun(),
		route("POST /v1/customers/{customer}/webhooks/{webhook}/replay", customerAdmin, ofCustomers(replayWebhook)).withoutDryRun(),
	)
}

func servedBy(function string, routes ...Route) []Route {
	for i := range routes {
		routes[i].Function = function
	}
	return routes
}

func route(key string, may callerKind, do endpoint) Route {
	method, path, _ := strings.Cut(key, " ")
	r := Route{Method: method, Path: path, Public: may == anonymous, callers: may, query: method == "GET", endpoint: do}
	if may == provider {
		r.Scopes = []string{ScopeDirectory}
	}
	return r
}

// decision is a route of the decision API; check.mayAsk authorises its callers.
func decision(key string) Route { return route(key, 0, nil) }

// fallback is the route of what fits no other: API Gateway's own answer would be no problem document.
func fallback(method string) Route {
	r := route(method+" /{proxy+}", anonymous, nil)
	r.Fallback = true
	return r
}

func (r Route) public() Route {
	r.Public = true
	return r
}

func (r Route) withoutDryRun() Route {
	r.unrehearsed = true
	return r
}

// exported has a list be given as CSV and JSON Lines, too.
func (r Route) exported() Route {
	r.exports = true
	return r
}

func (r Route) withQuery() Route {
	r.query = true
	return r
}
