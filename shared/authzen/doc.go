// Package authzen is the protocol of the OpenID AuthZEN Authorization API 1.0, without HTTP and without the facts that decide: it reads
// requests, and writes the answers and the metadata.
//
//	query.go      what is asked: a subject, an action, a resource and a context, and what is wrong with them
//	request.go    a body to a Request
//	response.go   decisions, failures and results to a body
//	metadata.go   the discovery document
//	reasons.go    the sentences that explain a decision
package authzen
