// Package e2e drives a running Partner Access from outside, over HTTP and by the real clock: the same tests for the handlers in the local
// stack's process, for the functions' binaries behind a Runtime API, and for functions in LocalStack.
//
// Without settings the tests build and start the local stack themselves. BACKEND=lambda go test ./scripts/prove/e2e starts it with the
// functions as programs of their own; with AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL_DYNAMODB they are those of LocalStack. SERVICE_URL
// names a local stack that runs already.
package e2e
