// Package dynamo keeps the domain's records in one DynamoDB table.
//
// The access patterns, from which the keys follow (keys.go builds them all):
//
//	pattern                                   read                                                         where
//	decide one question                       BatchGetItem of 2 to 4 keys, strongly consistent             partner, user, grant, assignment
//	decide n questions                        ceil(distinct keys / 100) BatchGetItems, side by side        the same
//	who has this e-mail address               GetItem                                                      E#<address>
//	plan a change of a grant                  BatchGetItem: customer, partner, headcount, grant, users
//	                                          named; then their assignments; then the grant's version      C#…, P#…
//	   … that replaces the set of users       Query of the grant's assignments                             C#<customer>, U#<partner>:
//	grants of a customer                      Query, a page                                                C#<customer>, G#
//	users of a grant, picked one by one       Query, a page; BatchGetItem of the users                     C#<customer>, U#<partner>:
//	users of a partner                        Query, a page                                                P#<partner>, U#
//	members of a customer                     Query, a page                                                C#<customer>, M#
//	history of a customer                     Query, a page, newest first                                  C#<customer>, T#
//	history of a partner                      Query of index 1, a page, newest first                       P#<partner>, T#
//	customers of a partner                    Query of index 1, a page; BatchGetItem of the customers      P#<partner>, C#
//	grants of a user                          Query of index 1, a page                                     U#<user>, C#
//	partners by a word of their name          Query, a page                                                W#<first letter>, <word>…
//	all partners by name                      Query of index 1, 4 shards side by side                      D#<shard>
//	partners that were removed                the same                                                     R#<shard>
//	all customers by name                     the same                                                     A#<shard>
//	partners below a partner                  Query, a page; BatchGetItem of the partners                  P#<partner>, V#
//	invitations of a customer, or one         Query, a page, or GetItem                                    C#<customer>, I#
//	invitations to a partner                  Query of index 1, a page; BatchGetItem of the same           P#<partner>, I#
//	what is due                               Query of index 2, 8 shards side by side                      Q#<shard>, <instant>…
//	a task that goes through many grants      GetItem                                                      K#<id>
//	what became of the mails of a customer    Query, a page, newest first                                  C#<customer>, L#
//	   … of a partner                         Query of index 1, a page, newest first                       P#<partner>, L#
//	the mails that wait to be sent            Query of index 2, 8 shards, 4 side by side                   N#<shard>, <instant>…
//	one mail, and whether an address is       GetItem                                                      L#<event>#<recipient>, B#<address>
//	   blocked
//	the first answer to a repeated request    GetItem                                                      I#<digest>
//
// Writes are one TransactWriteItems per change: every record with the version that it must be found in, the events, and the answer
// to the request's idempotency key. There is no Scan, no partition that everything shares, and no write without a condition.
//
// The rows of "everyone up to number n", of epochs and of single users are explained at access.Grant.
package dynamo
