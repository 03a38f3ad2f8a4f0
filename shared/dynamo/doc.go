// Package dynamo keeps the domain's records in one DynamoDB table.
//
// The access patterns, from which the keys follow (keys.go builds them all):
//
//	pattern                                   read                                                         where
//	decide one question                       BatchGetItem of 2 to 4 keys, strongly consistent             partner, user, grant, assignment
//	decide n questions                        ceil(distinct keys / 100) BatchGetItems, side by side        the same
//	who has this e-mail address               GetItem                                                      E#<address>
//	who owns this domain, or one above it     BatchGetItem, one key for each label but the last            O#<domain>
//	plan a change of a grant                  BatchGetItem: customer, partner, headcount, grant, users
//	                                          named; then their assignments; then the grant's version      C#…, P#…
//	   … that replaces the set of users       Query of the grant's assignments                             C#<customer>, U#<partner>:
//	grants of a customer, by id               Query, a page                                                C#<customer>, G#
//	   … sorted and counted                   the same, up to 500; BatchGetItem of the partners            C#<customer>, G#
//	   … of more than 500, by name            Query, a page; BatchGetItem of grants and partners           C#<customer>, N#<name>#
//	who can come in to a tenant: few people   Query of the grants, then each one's assignments and users   C#<customer>, G# and U#
//	   … of many, a page                      Query of index 1, some users of each partner by name;
//	                                          BatchGetItem of those shown, with their assignments          P#<partner>, U#<name>#
//	the last use of a person's access         with the assignment; UpdateItem, once a day                  C#<customer>, U#<user>
//	users of a grant, picked one by one       Query, a page; BatchGetItem of the users                     C#<customer>, U#<partner>:
//	users of a partner                        Query, a page                                                P#<partner>, U#
//	a user who has left                       GetItem, BatchGetItem, when not among those                  P#<partner>, F#<user>
//	members of a customer                     Query, a page                                                C#<customer>, M#
//	history of a customer                     Query, a page, newest first                                  C#<customer>, T#
//	history of a partner                      Query of index 1, a page, newest first                       P#<partner>, T#
//	customers of a partner, by id             Query of index 1, a page; BatchGetItem of the customers      P#<partner>, C#
//	   … sorted and counted                   the same, up to 500                                          P#<partner>, C#
//	customers whose tenants a user can enter  Query of index 1, the user's rows and the partner's grants;
//	                                          BatchGetItem of customers, grants and assignments            U#<user>, C# and P#<partner>, C#
//	   … of more than 500, by name            Query of index 1, a page; BatchGetItem of both               P#<partner>, N#<name>#
//	grants of a user                          Query of index 1, a page                                     U#<user>, C#
//	partners by a word of their name          Query, a page                                                W#<first letter>, <word>…
//	all partners by name                      Query of index 1, 4 shards side by side                      D#<shard>
//	partners that were removed                the same                                                     R#<shard>
//	all customers by name                     the same                                                     A#<shard>
//	partners below a partner                  Query, a page; BatchGetItem of the partners                  P#<partner>, V#
//	invitations of a customer, or one         Query, a page, or GetItem                                    C#<customer>, I#
//	   … that have ended, for a year          the same, side by side, or after the first                   C#<customer>, X#
//	invitations to a partner                  Query of index 1, a page; BatchGetItem of the same           P#<partner>, I# and X#
//	the pending invitation to an address      GetItem, then of the invitation                              C#<customer>, J#<partner>#…
//	whether invitations still stand           BatchGetItem: customer, partner, grant; then who invited     C#…, P#…
//	requests to a customer, or one            Query, a page; BatchGetItem of what decides about them, or of it     C#<customer>, Q# and D#
//	requests of a partner                     Query of index 1, a page; BatchGetItem of the same           P#<partner>, Q# and D#
//	the latest request of a kind              GetItem, then of the request                                 C#<customer>, S#<partner>#…
//	which customer a partner's request is to  GetItem                                                      P#<partner>, Q#
//	what a partner tried in vain              GetItem                                                      P#<partner>, A#<customer>
//	the grants that concern one user          Query of index 1, the user's rows and the partner's grants   U#<user>, C# and P#<partner>, C#
//	what is due                               Query of index 2, 8 shards side by side                      Q#<shard>, <instant>…
//	what names a person who is erased         Query of index 1, a page                                     P#<partner>
//	a task that goes through many grants      GetItem                                                      K#<id>
//	what became of the mails of a customer    Query, a page, newest first                                  C#<customer>, L#
//	   … of a partner                         Query of index 1, a page, newest first                       P#<partner>, L#
//	open jobs                                 Query of index 2, 4 shards side by side                      J#<shard>, <instant>…
//	a job, and its rows                       GetItem; Query, a page                                       J#<job>, J and R#<row>
//	which jobs of an organisation are open    GetItem                                                      J#C#<customer>, O
//	the mails that wait to be sent            Query of index 2, 8 shards, 4 side by side                   N#<shard>, <instant>…
//	one mail, and whether an address is       GetItem                                                      L#<event>#<recipient>, B#<address>
//	   blocked
//	how the recipients of a mail read         BatchGetItem                                                 E#<address>
//	the first answer to a repeated request    GetItem                                                      I#<digest>
//	the events of a feed                      GetItem of its number, Query, a page; TransactGetItems of    F#<feed>, N and E#<number>
//	                                          one that is not seen
//	the number of a feed's latest event       GetItem                                                      F#<feed>, N
//	whether the bus has an event              with the event: the transaction's condition                  X#<event>, B
//	the events that wait for the bus          Query of index 2, 4 shards; GetItem of each                  X#<shard>, <instant>…
//	what a record was at an instant           the record; Query of its versions, one item, twice at most   Z#<kind>#…, V#<instant>#…
//	who was ever assigned in a grant          Query                                                        Z#CU#<customer>#<partner>, R#
//	the versions of a person who is erased    Query                                                        Z#PU#<user>, V#
//
// Writes are one TransactWriteItems per change: every record with the version that it must be found in, the events, and the answer
// to the request's idempotency key. There is no Scan, no partition that everything shares, and no write without a condition.
//
// # Holds
//
// What ends access comes before what gives it (Store.Take beside Store.Apply), however many write the same record: otherwise whoever is to
// lose access could keep everybody busy with changes of his own. A change that ends access is first tried as any other. When a record has
// changed since it was loaded, the change sets the attribute "hold" of that record to an instant some seconds away, loads, plans and
// commits again. Until that instant no other write of the record meets its condition, but for those that end access, too: each of them can
// be in the way once. The write that replaces the record also drops the hold; after a crash it runs out. Its instants are the real clock's:
// it is a lease, and no part of what is decided.
//
// A hold is no version: whoever has loaded the record may go on reading it, checks do not look at it, and histories and events show nothing
// of it.
//
// Turned down on 2026-11-24: conditions on less than the version (the state of the grant alone, say), under which an event would tell of
// levels and users that were not there any more, and a revoke and an edit that overlap could both be committed in an order that never was;
// a mark that checks look at, completed by a second write, since a change and its event would be two transactions, and each reader would
// have to know about half a revoke; a queue of writers, which costs every write a request more; and more attempts without a hold, which are
// a matter of luck.
//
// # Last use
//
// A check that allows something writes the day of it into the assignment's row (RecordUse), which it has read anyway: once a person,
// customer and day. The day is no part of the assignment: it bumps no version, meets no condition but its own, is in no event, and an
// assignment is written by an update that leaves it as it is. Somebody whom everyone includes has a row with the last use alone, of
// access.NoEpoch, which admits nobody; the task that deletes old rows keeps those with a last use while their users may be in without an
// assignment.
//
// Turned down on 2026-11-28: a row of its own, a fifth key of each check; writing after the answer, since Lambda freezes a function that
// has answered; a queue, which costs more than the write; an instant instead of a day, which is a write for each check; a use on the
// grant's row, where its writers would meet it.
//
// The rows of "everyone up to number n", of epochs and of single users are explained at access.Grant.
package dynamo
