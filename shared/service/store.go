package service

import (
	"context"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/mail/receipt"
)

// Store is the table, as the use cases use it. Whatever is read is strongly consistent unless it is said otherwise, and nil when it is not
// there. Each method fails with access.ErrUnavailable when the storage does not answer in time or has no capacity left; any other error
// that it does not name is a mistake of ours.
type Store interface {
	changes
	records
	facts
	lists
	due
	mails
	requests
	jobs
	webhooks
}

// changes is what every write needs.
type changes interface {
	// Apply plans and commits one change. When a record has changed since it was loaded, it plans again, a bounded number of times; it waits
	// for a change that ends access. It returns plan's error; access.Contention when others were always first, and nothing was changed;
	// access.ErrKeyUsed when an answer is stored under the digest already; and access.ErrUnavailable also when it is unknown whether the
	// change was made.
	Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error
	// Take is Apply for a change that ends access and gives none. Other changes cannot prevent it: it never returns access.Contention, but
	// access.ErrUnavailable after some seconds.
	Take(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error
	// StoredResponse returns the first response to a repeatable request.
	StoredResponse(ctx context.Context, digest string) (*access.StoredResponse, error)
}

// records reads one record, or a few that belong together.
type records interface {
	Partner(ctx context.Context, id string) (*access.Partner, error)
	Customer(ctx context.Context, id string) (*access.Customer, error)
	// User reads a partner's user, also one who has left.
	User(ctx context.Context, id string) (*access.User, error)
	// Email reads the record of an e-mail address; nil when nothing is known of it.
	Email(ctx context.Context, address string) (*access.Email, error)
	// Identity reads who has an e-mail address. For an unknown address the result holds the address alone.
	Identity(ctx context.Context, address string) (access.Identity, error)
	// Memberships reads a person's place in each of the customers; those in which it has none are missing.
	Memberships(ctx context.Context, address string, customers []string) ([]access.Membership, error)
	// Invitation reads an invitation, pending or ended. One that has ended more than a year ago may be gone.
	Invitation(ctx context.Context, customer, id string) (*access.Invitation, error)
	// InvitationRow reads an invitation with what decides whether it still stands.
	InvitationRow(ctx context.Context, customer, id string) (*access.InvitationRow, error)
	// InvitationMails reads what became of the mails with the invitations' latest links, by the invitations' ids. Those that nobody has begun
	// to send are missing.
	InvitationMails(ctx context.Context, invitations ...*access.Invitation) (map[string]*receipt.Receipt, error)
}

// facts loads what plans look at. A change that is planned on them is committed only when they are still as they were loaded.
type facts interface {
	// GrantFacts loads a customer and a partner with their grant, and the users of those ids with their assignments. With whole, or when they
	// are few, all assignments are loaded. The grant and its assignments are as they were together at one instant.
	GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error)
	// UserFacts loads a partner's user; user is "" for a new one, and address the one that it gets, "" when it keeps its own.
	UserFacts(ctx context.Context, partner, user, address string) (access.UserFacts, error)
	// ErasureFacts loads a partner's user, also one who has left, with the records of its addresses.
	ErasureFacts(ctx context.Context, partner, user string) (access.ErasureFacts, error)
	MemberFacts(ctx context.Context, customer, address string) (access.MemberFacts, error)
	// LastAdmin tells whether no other member of the customer is an admin, though one of its grants has not ended.
	LastAdmin(ctx context.Context, customer, address string, now time.Time) (bool, error)
	// Domains reads the records of the registry of domains that a plan about these addresses or domains looks at.
	Domains(ctx context.Context, addresses ...string) (access.Domains, error)
	// InvitationFacts loads what a plan about an invitation of that address looks at; i is that invitation, nil for a new one.
	InvitationFacts(ctx context.Context, customer, partner, address string, i *access.Invitation) (access.InvitationFacts, error)
}

// lists reads what is listed, a page at a time. Those of a partner's customers, invitations and events, and of customers by name, come from
// an index, which may be some moments behind; what is said of each item is not, except for events.
type lists interface {
	// CustomerGrants and PartnerCustomers fail with access.Invalid at ?sort when a list that must be sorted is too long.
	CustomerGrants(ctx context.Context, c *access.Customer, f access.GrantFilter, ask access.PageRequest) (access.GrantPage, error)
	PartnerCustomers(ctx context.Context, p *access.Partner, f access.GrantFilter, ask access.PageRequest) (access.GrantPage, error)
	// People lists who can come in to a customer's tenant, and CustomersOfPerson where one user can. Which users there are comes from an
	// index, too. They fail with access.Invalid at ?cursor when the position is none.
	People(ctx context.Context, customer string, f access.PeopleFilter, ask access.PageRequest) (access.PeoplePage, error)
	CustomersOfPerson(ctx context.Context, user string, f access.PeopleFilter, ask access.PageRequest) (access.PeoplePage, error)
	// GrantAt reads a grant as it was, with both sides and, unless viewer is "", what it let that user of the partner do; each record that did
	// not exist then is nil. It returns the versions that are missing for that.
	GrantAt(
		ctx context.Context, customer, partner, viewer string, of access.Past,
	) (access.GrantRow, []access.MissingVersions, error)
	GrantUsers(ctx context.Context, g *access.Grant, ask access.PageRequest) (access.Page[access.GrantUser], error)
	Users(ctx context.Context, partner, query string, onlyActive bool, ask access.PageRequest) (access.Page[access.User], error)
	Members(ctx context.Context, customer string, ask access.PageRequest) (access.Page[access.Member], error)
	Customers(ctx context.Context, query string, ask access.PageRequest) (access.Page[access.Customer], error)
	SubPartners(ctx context.Context, parent string, ask access.PageRequest) (access.Page[access.Partner], error)
	Partners(ctx context.Context, query string, keep func(*access.Partner) bool, ask access.PageRequest) (access.Page[access.Partner], error)
	CustomerInvitations(
		ctx context.Context, customer string, f access.InvitationFilter, ask access.PageRequest,
	) (access.Page[access.InvitationRow], error)
	PartnerInvitations(
		ctx context.Context, partner string, f access.InvitationFilter, ask access.PageRequest,
	) (access.Page[access.InvitationRow], error)
	CustomerHistory(ctx context.Context, customer string, f access.HistoryFilter, ask access.PageRequest) (access.Page[events.Event], error)
	PartnerHistory(ctx context.Context, partner string, f access.HistoryFilter, ask access.PageRequest) (access.Page[events.Event], error)
	// Section returns the published events of a feed that come after a number; a negative one stands for the oldest that is kept.
	Section(ctx context.Context, feed string, after int64, limit int, now time.Time) (cloudevents.Section, error)
}

// due reads what the work of the clock goes through, a stretch at a time. Next is where the following one begins, "" when there is none; a
// stretch can be empty and have a next one. What comes from an index may be some moments behind: whoever does the work decides again on the
// facts.
type due interface {
	// Erase puts the pseudonym into a stretch of what concerns the partner and names the person. It fails when an item was just changed, and
	// can be repeated.
	Erase(ctx context.Context, x access.Erasure, after string, limit int) (next string, err error)
	// Task reads a task that is not done yet.
	Task(ctx context.Context, id string) (*access.Task, error)
	// AssignmentRows lists the rows of a grant, also those that count no more. The grant was read before them.
	AssignmentRows(
		ctx context.Context, customer, partner, after string, limit int,
	) (g *access.Grant, rows []*access.Assignment, next string, err error)
	// PendingInvitations lists those of a customer, to a partner, or of one of its users.
	PendingInvitations(
		ctx context.Context, customer, partner, user, after string, limit int,
	) (rows []*access.InvitationRow, next string, err error)
	// CustomersOf lists the customers that have, or had, a grant for the partner, in the order of their ids, and PartnersOf the partners for
	// which the customer has or had one. More tells that others follow the last.
	CustomersOf(ctx context.Context, partner, after string, limit int) (customers []string, more bool, err error)
	PartnersOf(ctx context.Context, customer, after string, limit int) (partners []string, more bool, err error)
	// Listings lists by which names a customer and its partners, or where that is "" a partner and its customers, stand in lists, in the order
	// of the other side's names; and Listed reads one again, nil when its pair is listed otherwise by now.
	Listings(ctx context.Context, customer, partner, after string, limit int) (list []*access.Listing, next string, err error)
	Listed(ctx context.Context, l *access.Listing) (*access.Listing, error)
	// CustomersConcerned lists the customers whose open grants name or count one user, and with everyone also those that all of the partner
	// may enter.
	CustomersConcerned(ctx context.Context, u *access.User, everyone bool, after string) (customers []string, next string, err error)
}

// mails is what became of mails, and what organisations may still have us send. The lists leave out those to the other side's contacts.
type mails interface {
	// Event reads the event that a mail is about.
	Event(ctx context.Context, key receipt.Key) (*events.Event, error)
	Mail(ctx context.Context, key receipt.Key) (*receipt.Receipt, error)
	// Concerned reads what a mail is about, as it is now; either id may be "". It is nothing for a change to stand on.
	Concerned(ctx context.Context, customer, partner string, users []string) (access.GrantFacts, error)
	CustomerMails(ctx context.Context, customer string, ask access.PageRequest) (access.Page[receipt.Receipt], error)
	PartnerMails(ctx context.Context, partner string, ask access.PageRequest) (access.Page[receipt.Receipt], error)
	// ReopenMail makes a settled mail one that can be sent once more. It fails with receipt.ErrUnknown when there is no such mail, with
	// receipt.ErrHeld when it is being sent, or is waiting to be, and with receipt.ErrDone when it has been sent for the request that asked
	// names already.
	ReopenMail(ctx context.Context, key receipt.Key, asked string, now time.Time) error
	// Blocks are what holds back mails to an address; none when it gets them all.
	Blocks(ctx context.Context, address string) ([]receipt.Block, error)
	// ClearAddress lets an address get all mails again. The result tells whether it was blocked: false, too, by what happened after now, which
	// stands.
	ClearAddress(ctx context.Context, address string, now time.Time) (bool, error)
	// MailsLeft tells whether a budget has room for one more mail.
	MailsLeft(ctx context.Context, b receipt.Budget) (bool, error)
	// SpendMail counts a mail against a budget, and tells whether it is within it. The id names the mail, which counts once.
	SpendMail(ctx context.Context, b receipt.Budget, id string) (bool, error)
}
