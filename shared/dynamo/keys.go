package dynamo

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode/utf8"

	"partneraccess/shared/mail/receipt"

	"partneraccess/shared/access"
)

// Every key of the table is built here and nowhere else. Ids and e-mail addresses never contain '#', so that no key can be forged.

// Key is the primary key of one item.
type Key struct{ PK, SK string }

// loggable returns the key without personal data: addresses, and words of names.
func (k Key) loggable() string {
	plain := func(s string) string {
		kind, rest, _ := strings.Cut(s, "#")
		if rest != "" && (strings.Contains(rest, "@") || kind == "W") {
			return kind + "#…"
		}
		return s
	}
	if strings.HasPrefix(k.PK, "W#") {
		return plain(k.PK)
	}
	return plain(k.PK) + " " + plain(k.SK)
}

// Names of the table's attributes and index.
const (
	pk     = "pk"
	sk     = "sk"
	gsi1   = "gsi1"
	gsi1pk = "gsi1pk"
	gsi1sk = "gsi1sk"
	gsi2   = "gsi2"
	gsi2pk = "gsi2pk"
	gsi2sk = "gsi2sk"
	ttl    = "ttl"
)

func customerPK(customer string) string { return "C#" + customer }
func partnerPK(partner string) string   { return "P#" + partner }

func partnerKey(partner string) Key            { return Key{partnerPK(partner), "P"} }
func headcountKey(partner string) Key          { return Key{partnerPK(partner), "H"} }
func userKey(user string) Key                  { return Key{partnerPK(partnerOf(user)), userSK(user)} }
func customerKey(customer string) Key          { return Key{customerPK(customer), "C"} }
func memberKey(customer, email string) Key     { return Key{customerPK(customer), "M#" + email} }
func grantKey(customer, partner string) Key    { return Key{customerPK(customer), grantSK(partner)} }
func assignmentKey(customer, user string) Key  { return Key{customerPK(customer), userSK(user)} }
func emailKey(address string) Key              { return Key{"E#" + address, "E"} }
func domainKey(name string) Key                { return Key{"O#" + name, "O"} }
func wordKey(word, partner string) Key         { return Key{wordPK(word), word + "#" + partner} }
func customerEventKey(customer, id string) Key { return Key{customerPK(customer), eventSK(id)} }
func partnerEventKey(partner, id string) Key   { return Key{partnerPK(partner), eventSK(id)} }
func idempotencyKey(digest string) Key         { return Key{"I#" + digest, "I"} }

func subPartnerKey(parent, partner string) Key {
	return Key{partnerPK(parent), subPartnerPrefix + partner}
}
func taskKey(id string) Key                 { return Key{"K#" + id, "K"} }
func invitationKey(customer, id string) Key { return Key{customerPK(customer), invitationPrefix + id} }

// closedInvitationKey is the key of an invitation that has ended. Older ones may be among the pending ones.
func closedInvitationKey(customer, id string) Key {
	return Key{customerPK(customer), closedPrefix + id}
}

func requestKey(customer, id string) Key { return Key{customerPK(customer), requestPrefix + id} }

func decidedRequestKey(customer, id string) Key { return Key{customerPK(customer), decidedPrefix + id} }

// askedKey is the key by which a partner finds its request: the customer's is in the customer's partition.
func askedKey(partner, id string) Key { return Key{partnerPK(partner), requestPrefix + id} }

// slotKey is the key of the latest request of a kind and pair; user is who asks for itself, or "".
func slotKey(customer, partner string, kind access.RequestKind, user string) Key {
	return Key{customerPK(customer), "S#" + partner + "#" + string(kind) + "#" + user}
}

// attemptsKey is the key of what a partner tried at a customer in vain, in the partner's partition: there may be no such customer.
func attemptsKey(partner, customer string) Key { return Key{partnerPK(partner), "A#" + customer} }

// invitedKey is the key by which the pending invitation to an address is found.
func invitedKey(i *access.Invitation) Key {
	return Key{customerPK(i.Customer), "J#" + i.Partner + "#" + i.Email}
}

// formerUserKey is the key of a user who has left, outside the list of the partner's users. Older ones may be in that list.
func formerUserKey(user string) Key { return Key{partnerPK(partnerOf(user)), "F#" + user} }

func userSK(user string) string     { return "U#" + user }
func grantSK(partner string) string { return "G#" + partner }
func eventSK(id string) string      { return "T#" + id } // ids are ULIDs: they sort by time

// Prefixes of sort keys, for queries.
const (
	grantPrefix    = "G#"
	memberPrefix   = "M#"
	userPrefix     = "U#"
	eventPrefix    = "T#"
	customerPrefix = "C#" // in index 1

	invitationPrefix = "I#" // also in index 1, like the next
	closedPrefix     = "X#"
	subPartnerPrefix = "V#"

	listingPrefix = "N#" // also in index 1

	requestPrefix = "Q#" // of requests that are to be decided; also in index 1, like the next
	decidedPrefix = "D#" // of those that have ended
)

func assignmentPrefix(partner string) string { return "U#" + partner + ":" }

// Index 1 has the relations in the other direction: a partner's customers and history, a user's grants, the partners by name.
func partnerIndexPK(partner string) string   { return "P#" + partner }
func userIndexPK(user string) string         { return "U#" + user }
func customerIndexSK(customer string) string { return customerPrefix + customer }

// listingKey orders a customer's grants by the partner's name; in index 1 the same item orders the partner's by the customer's.
func listingKey(l *access.Listing) Key {
	return Key{customerPK(l.Customer), listingPrefix + l.PartnerName}
}

// userIndexSK orders a partner's users by name.
func userIndexSK(u *access.User) string { return userPrefix + access.SortName(u.Name, u.ID) }

// directoryShards spreads the list of all partners, so that no partition holds them all.
const directoryShards = 4

func directoryPK(shard int) string { return fmt.Sprintf("D#%d", shard) }

// removedPK is the same for removed partners, which are in no list that people see.
func removedPK(shard int) string { return fmt.Sprintf("R#%d", shard) }

func directoryShard(organisation string) int { return shardOf(organisation, directoryShards) }

// customersPK spreads the list of all customers in the same way.
func customersPK(shard int) string { return fmt.Sprintf("A#%d", shard) }

func directorySK(normalName, organisation string) string { return normalName + "#" + organisation }

// dueShards divides the work that is due (index 2), so that no partition holds all of it.
const dueShards = 8

func duePK(shard int) string { return fmt.Sprintf("Q#%d", shard) }

func dueShard(k Key) int { return shardOf(k.PK+"\n"+k.SK, dueShards) }

// shardOf spreads names evenly over that many shards.
func shardOf(name string, shards uint32) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32() % shards)
}

func dueSK(at time.Time, k Key) string { return timeText(at) + "#" + k.PK + "#" + k.SK }

// wordPK is the partition of the words with the same first letter.
func wordPK(word string) string {
	_, n := utf8.DecodeRuneInString(word)
	return "W#" + word[:n]
}

// partnerOf returns the partner in a user's id.
func partnerOf(user string) string {
	p, _, _ := strings.Cut(user, ":")
	return p
}

// Mails are beside the history of the organisation that they are about; blocked addresses have a partition each.
const mailPrefix = "L#"

func customerMailKey(customer, event, recipient string) Key {
	return Key{customerPK(customer), mailSK(event, recipient)}
}

func partnerMailKey(partner, event, recipient string) Key {
	return Key{partnerPK(partner), mailSK(event, recipient)}
}

// A job and its rows have a partition of their own, outside of the customer's: a thousand rows are in nobody's way there.
const (
	jobPrefix    = "J#"
	jobRowPrefix = "R#"
)

func jobPK(id string) string { return jobPrefix + id }
func jobKey(id string) Key   { return Key{jobPK(id), "J"} }

// jobRowKey orders the rows by their numbers.
func jobRowKey(job string, number int) Key {
	return Key{jobPK(job), fmt.Sprintf("%s%04d", jobRowPrefix, number)}
}

// openJobsKey is the key of which jobs of a customer are open; with "" of the provider's.
func openJobsKey(customer string) Key { return Key{jobPrefix + jobOwner(customer), "O"} }

// jobOwner is the partition of the customer whose job it is, and "C#" for the provider.
func jobOwner(customer string) string { return customerPK(customer) }

// jobShards divides the open jobs (index 2). Each shard has one worker at a time.
const jobShards = 4

func jobDuePK(shard int) string { return jobPrefix + fmt.Sprint(shard) }

// jobLeaseKey is the key of which worker does a shard's jobs.
func jobLeaseKey(shard int) Key { return Key{fmt.Sprintf("%sL#%d", jobPrefix, shard), "L"} }

// mailDuePK divides the mails that wait for another attempt or for the end of a lease (index 2). They are apart from the work of the sweep,
// which cannot send.
func mailDuePK(shard int) string { return fmt.Sprintf("N#%d", shard) }

func mailSK(event, recipient string) string { return mailPrefix + event + "#" + recipient }

// budgetKey is the key of what one organisation has caused to be mailed to one recipient on one day.
func budgetKey(b receipt.Budget) Key {
	kind := "N"
	if b.Security {
		kind = "S"
	}
	return Key{"Y#" + b.Source + "#" + b.Recipient, b.Day.UTC().Format("2006-01-02") + "#" + kind}
}

// blockKey is the key of a block of an address: of all mails, or of the mails of one organisation.
func blockKey(address, source string) Key {
	if source == "" {
		return Key{blockPK(address), blockPrefix}
	}
	return Key{blockPK(address), blockPrefix + "#" + source}
}

func blockPK(address string) string { return "B#" + address }

const blockPrefix = "B"

// Versions of records are in partitions of their own, one for each record but for assignments: those of one grant are together. An
// assignment has an item beside its versions, by which those who were ever assigned are found. No filter of the table's stream matches the
// kind of these partitions: who records versions never sees its own items.
const (
	versionKind     = "Z#"
	versionPrefix   = "V#"
	assignedPrefix  = "R#"
	versionDigits   = 12
	afterAllStamps  = "~"
	betweenStampAnd = "#"
)

// recordRef is a record whose versions are kept: the partition of its versions, and what their sort keys begin with.
type recordRef struct{ pk, prefix string }

// refOf returns where the versions of the record with that key are; false when no versions are kept of it. A user who has left has the same
// as before.
func refOf(k Key) (recordRef, bool) {
	kind, id, _ := strings.Cut(k.PK, "#")
	row, of, _ := strings.Cut(k.SK, "#")
	switch kind + row {
	case "PP", "PH", "CC":
		return recordRef{versionKind + kind + row + "#" + id, versionPrefix}, true
	case "PU", "PF":
		return recordRef{versionKind + "PU#" + of, versionPrefix}, true
	case "CG":
		return recordRef{grantVersionsPK(id, of), versionPrefix}, true
	case "CU":
		return recordRef{assignmentVersionsPK(id, partnerOf(of)), versionPrefix + of + "#"}, true
	}
	return recordRef{}, false
}

func grantVersionsPK(customer, partner string) string {
	return versionKind + "CG#" + customer + "#" + partner
}

// assignmentVersionsPK is the partition of the assignments of all users of the partner in the customer's grant.
func assignmentVersionsPK(customer, partner string) string {
	return versionKind + "CU#" + customer + "#" + partner
}

// assignedKey is the key of the item that says that the user was assigned at some time.
func assignedKey(customer, user string) Key {
	return Key{assignmentVersionsPK(customer, partnerOf(user)), assignedPrefix + user}
}

// key returns the key of a version. Versions of a record sort by when they were made, and those of the same instant by their numbers.
func (r recordRef) key(made access.Stamp, number int64) Key {
	return Key{r.pk, fmt.Sprintf("%s%s%s%0*d", r.prefix, made, betweenStampAnd, versionDigits, number)}
}

// upTo is the span of the versions that were made at the instant or before it, latest first, and after that of those made later, earliest
// first.
func (r recordRef) upTo(at access.Stamp) span {
	return span{pk: r.pk, first: r.prefix, last: r.prefix + string(at) + betweenStampAnd + afterAllStamps, backwards: true}
}

func (r recordRef) after(at access.Stamp) span {
	return span{pk: r.pk, first: r.prefix + string(at) + betweenStampAnd + afterAllStamps, last: r.prefix + afterAllStamps}
}

// Feeds of published events are in partitions of their own, which no filter of the table's stream matches. Their receipts have one each: an
// event is looked up by its id.
const (
	feedPrefix      = "F#"
	publishedPrefix = "E#"
	busPrefix       = "X#"
	busShards       = 4
)

// feedPK is the partition of a feed: of customers/acme it is F#customers/acme.
func feedPK(feed string) string { return feedPrefix + feed }

// feedKey is the key of the number of a feed's latest event.
func feedKey(feed string) Key { return Key{feedPK(feed), "N"} }

// publishedKey is the key of an event at its place in a feed: 20 digits.
func publishedKey(feed, sequence string) Key { return Key{feedPK(feed), publishedPrefix + sequence} }

// busKey is the key of the receipt of an event for the bus.
func busKey(id string) Key { return Key{busPrefix + id, "B"} }

// busDuePK divides the events that wait for another attempt at the bus (index 2).
func busDuePK(shard int) string { return fmt.Sprintf("%s%d", busPrefix, shard) }

// Webhooks of one owner are one item; each webhook has an item for its queue, and a partition for its deliveries. No filter of the table's
// stream matches them, but for the notices beside the first.
const (
	webhookPrefix  = "H#"
	deliveryPrefix = "E#"
	webhookShards  = 2
)

// webhooksKey is the key of the webhooks of a customer; with "" of the provider's.
func webhooksKey(customer string) Key { return Key{webhookPrefix + customerPK(customer), "H"} }

// queueKey is the key of what is known of the deliveries to a webhook as a whole.
func queueKey(webhook string) Key { return Key{webhookPrefix + "Q#" + webhook, "Q"} }

// queueDuePK divides the webhooks that have something to send (index 2).
func queueDuePK(shard int) string { return fmt.Sprintf("%s%d", webhookPrefix, shard) }

// webhookNoticeKey is the key of a notice about one of a customer's webhooks; with "" of the provider's. It begins as events' keys do, so
// that the stream brings it to whom sends mails, and to nobody else.
func webhookNoticeKey(customer, id string) Key { return Key{webhooksKey(customer).PK, eventSK(id)} }

// providerMailKey is the key of a mail to the provider, beside its webhooks: there are no others.
func providerMailKey(event, recipient string) Key {
	return Key{webhooksKey("").PK, mailSK(event, recipient)}
}

// deliveriesPK is the partition of the deliveries to a webhook, and in index 2 of those that wait.
func deliveriesPK(webhook string) string { return webhookPrefix + "D#" + webhook }

// deliveryKey is the key of the delivery of an event: ids are ULIDs, which sort by time.
func deliveryKey(webhook, event string) Key {
	return Key{deliveriesPK(webhook), deliveryPrefix + event}
}
