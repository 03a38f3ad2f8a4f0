package histories

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// kind is what a request does.
type kind int

const (
	check kind = iota
	batch
	searchUsers
	searchCustomers
	searchActions
	grantUsers
	grantEveryone
	setUsers
	addUsers
	removeUsers
	deleteUser // by its own route
	everyoneOn
	everyoneOff
	setLevel
	setUntil
	setFrom
	suspend
	resume
	revoke
	relinquish
	askFor // access
	approve
	decline
	withdraw
	join
	leave
	disable
	enable
	suspendPartner
	resumePartner
	removePartner
	addMember
	removeMember
	moveClock
	observe // of everything, while nobody else does anything
	kinds
)

func (k kind) String() string {
	return [kinds]string{
		"check", "batch of checks", "search users", "search customers", "search actions", "grant to users", "grant to everyone", "set users",
		"add users",
		"remove users", "delete user from grant", "everyone on", "everyone off", "level", "until", "from", "suspend", "resume", "revoke",
		"relinquish", "ask", "approve", "decline", "withdraw",
		"user created", "user removed", "user disabled", "user enabled", "partner suspended", "partner resumed", "partner removed",
		"member added",
		"member removed", "clock moved", "observe",
	}[k]
}

// reads tells whether it changes nothing.
func (k kind) reads() bool { return k <= searchActions || k == observe }

// ofPartner tells whether it concerns the partner with all customers.
func (k kind) ofPartner() bool { return k >= join && k <= removePartner }

// ofRequest tells whether it names a request that there is.
func (k kind) ofRequest() bool { return k >= approve && k <= withdraw }

// unchanged is a minute that a command leaves as it is; none is "at once" for a beginning, and "never" for an end.
const (
	unchanged int64 = -1
	none      int64 = 0
)

// command is one request. The instants are minutes since the clock's start.
type command struct {
	kind     kind
	customer int
	partner  int
	users    []int // of the partner, by their numbers in the epoch
	level    int   // from 0 (none) to 3 (manage); -1 leaves it
	from     int64
	until    int64
	need     int    // the level that the action of a check needs
	how      string // consistency
	by       int64  // how many minutes the clock is moved
	request  int    // the number of a request
	decider  int    // who decides about it: one of the customer's two admins, or the partner's owner (owners)
}

func (c *command) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s c%d p%d", c.kind, c.customer, c.partner)
	if len(c.users) > 0 {
		fmt.Fprintf(&b, " users %v", c.users)
	}
	if c.level >= 0 {
		fmt.Fprintf(&b, " level %d", c.level)
	}
	if c.until != unchanged {
		fmt.Fprintf(&b, " until %d", c.until)
	}
	if c.from != unchanged {
		fmt.Fprintf(&b, " from %d", c.from)
	}
	if c.kind == askFor || c.kind.ofRequest() {
		fmt.Fprintf(&b, " request %d by %d", c.request, c.decider)
	}
	if c.kind == check {
		fmt.Fprintf(&b, " needs %d %s", c.need, c.how)
	}
	return b.String()
}

// weights say how often each kind is chosen.
func weights() []kind {
	var out []kind
	for k, n := range map[kind]int{
		check: 100, batch: 14, searchUsers: 3, searchCustomers: 3, searchActions: 3,
		grantUsers: 24, grantEveryone: 8, setUsers: 6, addUsers: 12, removeUsers: 8, deleteUser: 6, everyoneOn: 5, everyoneOff: 6,
		setLevel: 6, setUntil: 6, setFrom: 3, suspend: 3, resume: 8, revoke: 6, relinquish: 2,
		join: 2, leave: 2, disable: 1, enable: 8, suspendPartner: 1, resumePartner: 16, addMember: 2, removeMember: 3, moveClock: 1,
		askFor: 24, approve: 36, decline: 2, withdraw: 2,
	} {
		for range n {
			out = append(out, k)
		}
	}
	// A map's order differs from run to run, and a seed should choose the same again.
	slices.Sort(out)
	return out
}

// choose makes a command up. users is how many numbers the partner's users have; now is the clock's minute.
func choose(r *rand.Rand, all []kind, customers, partners int, users func(partner int) int, now int64) command {
	c := command{
		kind: all[r.IntN(len(all))], customer: r.IntN(customers), partner: r.IntN(partners), level: -1, from: unchanged, until: unchanged,
		need: 1,
		how:  "snapshot",
	}
	n := users(c.partner)
	someone := func() int { return r.IntN(n) }
	if r.IntN(2) == 0 {
		c.how = "strong"
	}
	switch c.kind {
	case check, searchUsers, searchCustomers:
		c.need = [...]int{1, 1, 1, 2, 3}[r.IntN(5)]
		c.users = []int{someone()}
	case searchActions, deleteUser, enable, addMember, removeMember:
		c.users = []int{someone()}
	case leave, disable:
		c.users = []int{1 + r.IntN(n-1)} // the first is the owner, who stays
	case grantUsers, setUsers, addUsers, removeUsers:
		c.users = []int{someone()}
		if other := someone(); r.IntN(3) == 0 && other != c.users[0] {
			c.users = append(c.users, other)
		}
	case askFor:
		if r.IntN(4) > 0 { // else for everyone
			c.users = []int{someone()}
		}
		if r.IntN(3) == 0 {
			c.level = 1 + r.IntN(3)
		}
		if r.IntN(4) == 0 {
			c.until = now + 1 + r.Int64N(3)
		}
	case approve, decline, withdraw:
		if c.decider = r.IntN(2); r.IntN(8) == 0 {
			c.decider = owners
		}
		switch r.IntN(6) {
		case 0:
			c.level = 1 + r.IntN(2)
		case 1:
			c.until = now + 1 + r.Int64N(2)
		}
	case setLevel:
		c.level = r.IntN(4)
	case setUntil:
		c.until = someEnd(r, now)
	case setFrom:
		c.from = none
		if r.IntN(2) == 0 {
			c.from = now + 1 + r.Int64N(2)
		}
	case moveClock:
		c.by = 1 + r.Int64N(2)
	}
	if c.kind == grantUsers || c.kind == grantEveryone {
		if r.IntN(2) == 0 {
			c.level = 1 + r.IntN(3)
		}
		if r.IntN(5) == 0 {
			c.until = someEnd(r, now)
		}
	}
	return c
}

// owners is the decider that none is: the partner's owner.
const owners = 2

func someEnd(r *rand.Rand, now int64) int64 {
	if r.IntN(3) == 0 {
		return none
	}
	return now + 1 + r.Int64N(3)
}
