// Package trust has a partner's people do whatever they can to get more than the customers have consented to, and holds every answer
// against an oracle of that consent.
//
// The attackers are a partner's owner, admin, business user and others, an external person, somebody who was demoted and somebody who was
// removed, each with all tokens from before, and the admin of a customer who colludes. They draw from all routes that are open to them, and
// from many that are not. Between them honest customers, the provider and an honest partner go about their business, and the clock is
// moved.
//
// The oracle (consent.go) is written from the rules of who is against whom, and not from the service's code: it knows what customers and
// the provider asked for and were answered 2xx, which accounts there are, and the time. It says, for each customer and account, the most
// that may be allowed. After each step the service is asked about some of them, by id and by address, and this must hold:
//
//   - no check allows more than was consented to;
//   - what is changed is the attackers' to change: no customer's route, nobody of a higher role, nothing by who has left, nothing while the
//     partner is suspended, and no invitation is accepted that no longer stands;
//   - no answer and no mail holds a text that belongs to another organisation: names of its people, notes, messages to another partner.
//
// What it has found on 2026-11-28, in services in which the rules were not there yet, after so many steps: notes in the partner's mails, 5;
// ranks, addresses in customers' domains and suspended partners who change things, within 117; an invitation whose grant had ended, 89; a
// person replaced by a change of address, within 6,188.
//
// Undone on purpose, one at a time, with seed 7, each is found after so many steps:
//
//	1 an address      customers' domains are refused                           12
//	                  members' addresses are refused                        1,729
//	                  an account carries no customer's membership               8
//	                  a token under a former address is refused                48
//	                  an unproved address is found by no grant                 91
//	                  and yields to who proves it                              13
//	                  the check denies people of the customer's domain      1,118
//	                  also of one that it registers later                   1,118
//	                  the check denies the customer's members                  48
//	2 rank            no role above one's own is given or handled              18
//	                  nobody above is removed                                  20
//	                  owners are the provider's                             1,177
//	                  nobody changes his own role                              16
//	                  the last owner stays                                     19
//	3 a cap           the partner's choice lifts none                          10
//	                  it follows the account to another address                48
//	                  it holds for an external person                           9
//	                  and while everyone is in                                 14
//	                  an invitation lifts none                                  9
//	                  it outlives the grant                                    44
//	4 an invitation   ends with its grant                                     173
//	                  and when its inviter is no lead                          13
//	                  or is disabled                                           13
//	                  or has become another person                          1,040
//	                  or is the customer's admin no more                       88
//	                  and when the choice changes sides                       220
//	                  gives no more than the grant when it was made           115
//	                  nor when it is accepted                               1,088
//	                  nor for longer                                           38
//	                  is for one address                                      494
//	5 a person        who is replaced loses what customers picked              55
//	                  at once, before the clock's work                         55
//
// The figures 12, 18, 20 and 115 are of the present draws; the others were taken just before the last draws were added.
//
// Not found within 2,750 steps: that a later membership reaches accounts by their former addresses, that a cap holds for users who
// were made after it, and that a pending invitation ends with its own time, where the clock's work comes first. That a change of address
// ends the password and the sessions is left to other tests: passwords are not kept here.
//
// It has found one fault in a service that had all rules: whom the partner had picked before the customer took the choice back kept
// access until the clock's work was done, when its address moved to another domain (382 steps). The long form since, seed 7, on
// 2026-11-28: 100,750 steps in 403 worlds, 604,500 checks and 73,421 mails, in 25 minutes beside other work, with 0 violations.
//
// Some requests are sent as dry runs first, which must write nothing (the table's stream shows it). Then everybody whom checks answer
// otherwise afterwards, and nobody else, has to stand in them, and so do the events and the mails: each with its template and, where the
// caller may see it, its recipient. Where work follows later, it is done at once, and its mails are counted. That found five faults when
// dry runs were made (people who are another person by now; ends of access that there is none of; who assigns the users, which decides
// about such people; a member who is removed, and was to decide).
//
// The attackers ask for access, too, and answer their own requests in the customers' place; the customers' admins decide, sometimes two of
// them, and sometimes less than was asked for. The oracle is then also that nothing is approved by who is no admin or is of the asking
// side, by fewer people than the customer says, at more than was asked for, when it is moot, or without the grant being so at once. The
// figures above were taken before these draws were added.
//
// It is an upper bound: what is denied although there is consent is the business of the tests in scripts/prove/spec.
package trust
