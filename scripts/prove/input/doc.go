// Package input sends the service bad requests, made from openapi.yaml: values of another type, one more than a limit, Unicode of every
// kind, JSON that is huge, deep, cut off or says things twice, and ids that would mean something in a key or a path. None may be answered
// as a fault of the service's, each refusal has to be a problem document, and where one member of a good body was broken the refusal has to
// name that member.
package input
