// Package trust has a partner's people do whatever they can to get more than the customers have consented to, and holds every answer against an oracle
// of that consent.
//
// The attackers are a partner's owner, admin, business user and others, an external person, somebody who was demoted and somebody who was removed, each
// with all tokens from before, and the admin of a customer who colludes. They draw from all routes that are open to them, and from many that are not. Between
// them honest customers, the provider and an honest partner go about their business, and the clock is moved.
//
// The oracle (consent.go) is written from the rules of who is against whom, and not from the service's code: it knows what customers and the provider
// asked for and were answered 2xx, which accounts there are, and the time. It says, for each customer and account, the most that may be allowed. After
// each step the service is asked about some of them, by id and by address, and this must hold:
//
//   - no check allows more than was consented to;
//   - what is changed is the attackers' to change: no customer's route, nobody of a higher role, nothing by who has left, nothing while the partner is
//     suspended, and no invitation is accepted that no longer stands;
//   - no answer and no mail holds a text that belongs to another organisation: names of its people, notes, messages to another partner.
//
// What it has found on 2026-11-28, in services in which the rules were not there yet, after so many steps: notes in the partner's mails, 5; ranks, addresses
// in customers' domains and suspended partners who change things, within 117; an invitation whose grant had ended, 89; a person replaced by a change
// of address, within 6,188. Undone on purpose: that customers' domains are refused, 2; that an account carries no customer's membership, 5,361. The other rules are
// still to be undone one at a time.
//
// It is an upper bound: what is denied although there is consent is the business of the tests in scripts/prove/spec.
package trust
