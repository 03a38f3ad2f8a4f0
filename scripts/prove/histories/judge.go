package histories

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// pair is a customer and a partner.
type pair struct{ customer, partner int }

// part are the operations of an epoch that concern one pair, with what it was when the epoch began.
type part struct {
	pair
	begin state
	ops   []*operation
}

// linearizable tells what is wrong with a part, "" when nothing is. A part that cannot be judged in time is wrong.
func (p part) linearizable(limit time.Duration, keep string) string {
	var ops []porcupine.Operation
	for _, o := range p.ops {
		if o.kind == searchUsers || o.kind == searchCustomers || o.kind == searchActions {
			continue // which list their candidates first, and decide about each later
		}
		if o.how == "strong" && (o.kind == check || o.kind == batch) && p.meets(o) {
			continue // strong is no snapshot: see violations
		}
		ops = append(ops, porcupine.Operation{ClientId: o.client, Input: o, Call: o.call, Return: o.end})
	}
	m := model(p.begin)
	result, info := porcupine.CheckOperationsVerbose(m, ops, limit)
	if result == porcupine.Ok {
		return ""
	}
	out := fmt.Sprintf("customer %d and partner %d, from %v: the history of %d operations is %s", p.customer, p.partner, p.begin, len(ops),
		result)
	if keep != "" {
		file := filepath.Join(keep, fmt.Sprintf("history-c%d-p%d-%d.html", p.customer, p.partner, p.ops[0].call))
		if err := porcupine.VisualizePath(m, info, file); err == nil {
			out += ": look at " + file
		}
		list, err := os.Create(file + ".txt")
		if err == nil {
			for _, o := range ops {
				_, _ = fmt.Fprintln(list, o.Input)
			}
			_ = list.Close()
		}
	}
	return out
}

// meets tells whether a change was under way during the operation.
func (p part) meets(o *operation) bool {
	return slices.ContainsFunc(p.ops, func(c *operation) bool { return !c.kind.reads() && c.call <= o.end && o.call <= c.end })
}

// mark notes with each change of a grant what else changed meanwhile.
func (p part) mark() {
	for _, o := range p.ops {
		if o.kind.reads() {
			continue
		}
		for _, c := range p.ops {
			if c.call > o.end || o.call > c.end || c == o {
				continue
			}
			switch c.kind {
			case suspendPartner, resumePartner:
				o.partners = append(o.partners, active, suspended)
			case removePartner:
				o.partners = append(o.partners, active, suspended, removed)
			case grantUsers, grantEveryone, approve, revoke, relinquish:
				o.regranted = true
			case join, leave, disable, enable, addMember, removeMember:
				o.mixed |= of(c.users...)
			}
		}
	}
}

// violations returns the checks that granted access although the request that removed it had been answered before the check began, and no
// request that may restore it overlapped or followed. It does not use the model.
func (p part) violations() []string {
	var out []string
	for _, c := range p.ops {
		if !c.kind.reads() || c.kind == observe {
			continue
		}
		for i, user := range c.users {
			if c.answers[i] != "granted" {
				continue
			}
			for _, removal := range p.ops {
				if removal.end >= c.call || !removal.removesAccess(user, c) {
					continue
				}
				restored := slices.ContainsFunc(p.ops, func(g *operation) bool {
					return g != removal && g.end > removal.call && g.call < c.end && g.restoresAccess(removal, user, c)
				})
				if !restored {
					out = append(out, fmt.Sprintf("user %d got access by [%v] although [%v] had been answered", user, c, removal))
				}
			}
		}
	}
	return out
}

// removesAccess reports whether the user has no access for such a check once this request was answered.
func (o *operation) removesAccess(user int, c *operation) bool {
	if o.answer != "200" && o.answer != "204" && o.answer != "201" {
		return false
	}
	switch o.kind {
	case removeUsers, deleteUser, leave, disable, addMember:
		return slices.Contains(o.users, user)
	case setUsers:
		return !slices.Contains(o.users, user)
	case suspend, revoke, relinquish, suspendPartner, removePartner:
		return true
	case setLevel:
		return o.level < c.need
	case setUntil:
		return o.until != none && c.nows[0] >= o.until
	case setFrom:
		return o.from != none && c.nows[len(c.nows)-1] < o.from
	}
	return false
}

// restoresAccess tells whether this may undo what was taken.
func (o *operation) restoresAccess(taken *operation, user int, c *operation) bool {
	if o.answer != "200" && o.answer != "204" && o.answer != "201" {
		return false
	}
	fresh := (o.kind == grantUsers || o.kind == grantEveryone) && o.answer == "201" || o.kind == approve
	switch taken.kind {
	case leave, removePartner:
		return false // for ever
	case disable:
		return o.kind == enable && slices.Contains(o.users, user)
	case addMember:
		return o.kind == removeMember && slices.Contains(o.users, user)
	case suspendPartner:
		return o.kind == resumePartner
	case revoke, relinquish:
		return fresh
	case suspend:
		return o.kind == resume || fresh
	case setLevel:
		return o.level >= c.need || fresh
	case setUntil:
		return o.until != unchanged || fresh
	case setFrom:
		return o.from != unchanged || fresh
	}
	switch o.kind {
	case grantUsers, addUsers, setUsers:
		return slices.Contains(o.users, user)
	case grantEveryone, everyoneOn, approve:
		return true
	}
	return false
}
