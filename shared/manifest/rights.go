package manifest

// Right is one kind of call that a function makes. Its role allows exactly these.
type Right struct {
	Action string   // as IAM names it: "dynamodb:GetItem"
	On     Resource // what it is called on
	// Keys are the partition keys that it is called with, as patterns of dynamodb:LeadingKeys ("C#*"); none: whatever they are.
	Keys []string
	// Attributes are those that a call names, its key's included, and an update returns none; none: whatever they are.
	Attributes []string
}

// Resource is what a right is for.
type Resource string

// The resources of the service.
const (
	Table      Resource = "table"
	Index1     Resource = "table/index/gsi1"
	Index2     Resource = "table/index/gsi2"
	Mails      Resource = "mails"      // SES's identity and configuration set
	Suppressed Resource = "suppressed" // SES's suppression list, which is the whole account's: addresses to which SES sends nothing
	Accounts   Resource = "accounts"   // Cognito's user pool
	Worker     Resource = "work"       // the function that does bulk jobs
	Deliverer  Resource = "deliver"    // the function that sends to webhooks
	EventBus   Resource = "bus"        // that gets the service's events
)

// Rights are those of the function of that name. The rights that triggers need (reading the stream, sending to a dead-letter queue)
// and those to write logs and traces are not among them: the CDK app gives them.
func Rights(function string) []Right {
	if of := jobRights()[function]; of != nil {
		return of
	}
	return rights()[function]
}

// A table's item is read or written by the kind of its partition key, which stands in shared/dynamo/keys.go:
//
//	C  a customer: itself, its members, grants, assignments, invitations, requests, history and mails
//	P  a partner: itself, its users, history, mails and attempts to ask in vain; in index 1 what concerns it
//	O  whose a domain is
//	Y  what one organisation has caused to be mailed to one address on one day
//	E  whose an address is        B  an address that gets no mail    I  an answer to an idempotency key
//	W  words of partners' names   K  a task
//	D  the partners by name, and A  the customers (index 1)
//	Q  work that is due, N  mails that are, and J  bulk jobs that are (index 2)
//	J  a bulk job with its rows, which of an organisation's are open, and who does those of a shard
//	Z  versions of records
//	H  webhooks, their queues and deliveries, and notices and mails about them; in index 2 what waits to be sent
//	F  feeds of published events, and X their receipts; in index 2 those that wait for the bus
//
// The rights are what the tests of scripts/prove/spec see the functions call, no more and no less: spec.Main holds them against each other.
// The parts of a transaction are what IAM looks at: a PutItem in it needs the right to put.
func rights() map[string][]Right {
	return map[string][]Right{
		"check": {
			table("BatchGetItem", "C", "P"),
			table("GetItem", "C", "E", "P"),                                            // C and P: in TransactGetItems
			table("Query", "C", "P", "Z"),                                              // Z: what was; likewise below
			updating([]string{"pk", "sk", "customer", "used", "used_by", "user"}, "C"), // the last use, and nothing that decides
			index(Index1, "P"),
		},
		"grant": {
			table("BatchGetItem", "C", "P"),
			table("GetItem", "C", "E", "I"),
			table("PutItem", "C", "I", "K"), // K: a cap that all grants have to copy; likewise below
			table("Query", "C", "P"),
			table("UpdateItem", "C"),
		},
		"edit": {
			table("BatchGetItem", "C", "P"),
			table("ConditionCheckItem", "P"),
			table("GetItem", "C", "E"),
			table("PutItem", "C", "K"),
			table("Query", "C", "P"),      // P: users who have access by their number
			table("UpdateItem", "C", "P"), // holds, for what ends access (see shared/dynamo); likewise in the functions below
		},
		"revoke": {
			table("BatchGetItem", "C", "P"),
			table("GetItem", "C", "E"),
			table("PutItem", "C", "K"), // K: as edit
			table("Query", "C", "P"),   // P: everyone of a partner, for a dry run
			table("UpdateItem", "C"),
		},
		"list": {
			table("BatchGetItem", "C", "P"),
			table("GetItem", "C", "E", "F", "P"), // F: published events; likewise below
			table("Query", "C", "F", "P", "W", "Z"),
			index(Index1, "A", "D", "P", "U"),
		},
		"directory": append([]Right{
			table("BatchGetItem", "C", "E", "K", "O", "P"),
			table("DeleteItem", "C", "E", "K", "O", "P", "W"), // E: an address of a person who is erased
			table("GetItem", "C", "E", "I", "K", "P", "Y"),
			table("PutItem", "C", "E", "I", "K", "O", "P", "W"),
			table("Query", "C", "P"), // P, and index 1: whom a change concerns, for a dry run
			table("UpdateItem", "C", "P"),
			index(Index1, "P", "U"),
		}, accountCalls(
			"AdminAddUserToGroup", "AdminCreateUser", "AdminDeleteUser", "AdminDeleteUserAttributes", "AdminDisableUser", "AdminEnableUser",
			"AdminGetUser",
			"AdminInitiateAuth", "AdminListGroupsForUser", "AdminRemoveUserFromGroup", "AdminSetUserMFAPreference", "AdminSetUserPassword",
			"AdminUpdateUserAttributes", "AdminUserGlobalSignOut",
		)...),
		"invite": {
			table("BatchGetItem", "C", "E", "K", "O", "P"),
			table("ConditionCheckItem", "C", "P"),
			table("DeleteItem", "C", "P"), // an invitation that ends; an account that ends because the invited person has proved its address
			table("GetItem", "C", "E", "I", "P", "Y"),
			table("PutItem", "C", "E", "I", "K", "P"), // K: of an account that ends because the invited person has proved its address
			table("Query", "C", "P"),                  // P: users who have access by their number, when a request is approved
			table("UpdateItem", "C"),
			index(Index1, "P", "U"), // U: whether an external user has access anywhere still
		},
		"expire": append([]Right{
			table("BatchGetItem", "C", "P"),
			table("DeleteItem", "C", "K"),
			table("GetItem", "C", "E", "K", "P"), // E: whether an address is a member's still
			table("PutItem", "C", "K", "P"),      // P: a user who has not signed in
			table("Query", "C", "Z"),             // Z: versions of a person who is erased; likewise below
			table("UpdateItem", "C", "P", "Z"),   // P: history and mails, when a person is erased
			index(Index1, "P", "U"),
			index(Index2, "Q"),
		}, accountCalls(
			"AdminAddUserToGroup", "AdminCreateUser", "AdminDeleteUser", "AdminDeleteUserAttributes", "AdminDisableUser", "AdminEnableUser",
			"AdminGetUser",
			"AdminListGroupsForUser", "AdminRemoveUserFromGroup", "AdminSetUserMFAPreference", "AdminSetUserPassword", "AdminUpdateUserAttributes",
			"AdminUserGlobalSignOut",
		)...),
		"notify": append([]Right{
			table("BatchGetItem", "C", "E", "P"),      // what holds when a mail is made; E: how its recipients read
			table("GetItem", "C", "E", "H", "K", "P"), // E: whether an inviter still belongs to the inviting side; H: a webhook that fails
			table("PutItem", "C", "K", "P"),           // an invitation with a new token; when a temporary password ends, and its user
			table("Query", "B", "P"),                  // P: the owner of a partner without contacts
			table("UpdateItem", "C", "H", "P", "Y"),   // H: mails to the provider; likewise below
			index(Index2, "N"),
			{Action: "ses:SendEmail", On: Mails},
		}, accountCalls("AdminGetUser", "AdminSetUserPassword")...), // temporary passwords
		"publish": {
			table("GetItem", "F", "H", "P", "X"), // P: whether a person was erased; F and X: what waits for the bus
			table("PutItem", "F", "H", "X", "Z"),
			table("UpdateItem", "F", "H", "X"),
			index(Index2, "X"),
			{Action: "events:PutEvents", On: EventBus},
			{Action: "lambda:InvokeFunction", On: Deliverer},
		},
		"mail": append([]Right{
			table("BatchGetItem", "C", "E", "P"),
			table("GetItem", "C", "E", "H", "K", "P"),
			table("PutItem", "C", "K", "P"), // as notify
			table("Query", "B", "C", "P"),   // P: as notify
			table("UpdateItem", "B", "C", "P", "Y"),
			index(Index1, "P"),
			{Action: "ses:SendEmail", On: Mails},
			{Action: "ses:DeleteSuppressedDestination", On: Suppressed},
		}, accountCalls("AdminGetUser", "AdminSetUserPassword")...),
		"feedback": {
			table("UpdateItem", "B", "C", "H", "P"),
		},
	}
}

// CheckRole are the rights of the role that the stack exports to back ends that decide in their own process (shared/client/table): to read
// the records of decisions by their keys, in the attributes that decisions look at, none of which holds an address; and whose an address
// is, for those who know it.
func CheckRole() []Right {
	decisive := table("BatchGetItem", "C", "P")
	decisive.Attributes = []string{
		"pk", "sk", "id", "status", "class", "offer", "sso", // of a partner
		"number", "role", "member_of", "alias", "aliases", // of a user
		"customer", "partner", "level", "state", "from", "until", "require_sso", "everyone", "epoch", "up_to", "end_reason", "domain",
		"alias_caps", "assigned_by", // of a grant
		"user", "out", "by", "used", "used_by", // of an assignment
		"rules", // of all
	}
	resolving := table("GetItem", "E")
	resolving.Attributes = []string{"pk", "sk", "user"}
	return []Right{decisive, resolving}
}

// jobRights are those of the functions for bulk jobs and for webhooks.
func jobRights() map[string][]Right {
	return map[string][]Right{
		"bulk": {
			table("BatchGetItem", "C", "P"),
			table("GetItem", "E", "I", "J"),
			table("PutItem", "I", "J"),
			table("Query", "J"),
			{Action: "lambda:InvokeFunction", On: Worker},
		},
		"work": { // of its rows what grant, edit, revoke and directory need for theirs
			table("BatchGetItem", "C", "P"),
			table("ConditionCheckItem", "P"),
			table("GetItem", "C", "E", "I", "J"),
			table("PutItem", "C", "I", "J", "K"),
			table("Query", "C", "J", "P"),
			table("UpdateItem", "C", "J", "P"),
			index(Index2, "J"),
		},
		"webhook": {
			table("BatchGetItem", "C", "P"), // who asks for a customer's
			table("GetItem", "E", "H", "I"),
			table("PutItem", "H", "I"),
			table("Query", "H"),
			table("UpdateItem", "H"),
			{Action: "lambda:InvokeFunction", On: Deliverer},
		},
		"deliver": { // nothing but webhooks: it talks to others
			table("BatchGetItem", "H"),
			table("GetItem", "H"),
			table("PutItem", "H"), // a webhook that has answered its challenge, or is gone
			table("UpdateItem", "H"),
			index(Index2, "H"),
			{Action: "lambda:InvokeFunction", On: Deliverer},
		},
	}
}

// table is the right to an action of DynamoDB on items with partition keys of these kinds.
func table(action string, kinds ...string) Right {
	return Right{Action: "dynamodb:" + action, On: Table, Keys: patterns(kinds)}
}

// updating is the right to update these attributes, its key's among them, of items with partition keys of these kinds.
func updating(attributes []string, kinds ...string) Right {
	r := table("UpdateItem", kinds...)
	r.Attributes = attributes
	return r
}

// index is the right to query an index at partition keys of these kinds.
func index(i Resource, kinds ...string) Right {
	return Right{Action: "dynamodb:Query", On: i, Keys: patterns(kinds)}
}

func patterns(kinds []string) []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k + "#*"
	}
	return out
}

func accountCalls(calls ...string) []Right {
	out := make([]Right, len(calls))
	for i, c := range calls {
		out[i] = Right{Action: "cognito-idp:" + c, On: Accounts}
	}
	return out
}
