// Package httpapi is the service's HTTP API, behind API Gateway: it decodes requests, authorises their callers, calls the use cases
// of shared/service, and encodes what they come to. One file for each group of endpoints; the contract is openapi.yaml.
//
//	authorise.go  who may call what
//	views.go      what is shown of each record
//	api.go        a request's way through authorisation, endpoint, preconditions, idempotency key and problem document
//	decode.go     strict JSON, with a pointer to what is wrong
//	problem.go    how each failure is answered
//	check.go …    the decisions, whose protocol is shared/authzen
package httpapi
