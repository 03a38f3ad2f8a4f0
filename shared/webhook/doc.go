// Package webhook sends a message to an address that somebody else has named, without becoming the way into the network from which it
// sends, and signs it as Standard Webhooks says (https://www.standardwebhooks.com, version 1.0.0). It knows no partners, no events and
// no store: who is sent what, and what is kept of an attempt, is its caller's.
package webhook
