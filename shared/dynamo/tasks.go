package dynamo

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

func taskItem(t *access.Task) draft {
	k := taskKey(t.ID)
	d := newDraft(k)
	d.dueFor(k, t.Due, organisationOf(t))
	d.s("id", t.ID)
	d.s("kind", string(t.Kind))
	d.s("partner", t.Partner)
	d.s("customer", t.Customer)
	d.s("user", t.User)
	d.s("address", t.Address)
	d.s("after", t.LastCustomer)
	d.b("again", t.Again)
	d.t("due", t.Due)
	d.t("until", t.InFlightUntil)
	d.b("idle", t.Idle)
	d.s("email_was", t.EmailWas)
	d.list("addresses", t.Addresses)
	if t.FormerNumber > 0 {
		d.n("number", t.FormerNumber)
	}
	if t.HeadcountVersion > 0 {
		d.n("counted", t.HeadcountVersion)
	}
	d.t("created", t.Created)
	d.n("version", t.Version)
	return d
}

// organisationOf returns the partition of the organisation that a task is for.
func organisationOf(t *access.Task) string {
	switch {
	case t.Customer != "":
		return customerPK(t.Customer)
	case t.Partner != "":
		return partnerPK(t.Partner)
	}
	return ""
}

func (it *item) task() *access.Task {
	return &access.Task{
		ID: it.s("id"), Kind: access.TaskKind(it.s("kind")), Partner: it.s("partner"), Customer: it.s("customer"),
		User: it.s("user"), Address: it.s("address"), LastCustomer: it.s("after"), Again: it.b("again"),
		Due: it.t("due"), InFlightUntil: it.t("until"), Idle: it.b("idle"), Created: it.t("created"), Version: it.n("version"),
		Addresses: it.list("addresses"),
		EmailWas:  it.s("email_was"), FormerNumber: it.n("number"), HeadcountVersion: it.n("counted"),
	}
}

// DueShards returns into how many shards the due work is divided.
func (s *Store) DueShards() int { return dueShards }

// dueBy lists what is due by now in one partition of index 2, longest due first, after the given position.
func (s *Store) dueBy(ctx context.Context, partition string, now time.Time, after string, limit int) ([]*item, bool, error) {
	sp := span{index: gsi2, pk: partition, first: "0", last: timeText(now) + "#\U0010FFFF"}
	if after != "" {
		sp.first = after + "\x01"
	}
	return s.query(ctx, sp, limit)
}

// Due lists the work of one shard that is due by now, longest due first, after the given position. It reads index 2: some may have been
// done already.
func (s *Store) Due(ctx context.Context, shard int, now time.Time, after string, limit int) (work []access.DueWork, more bool, err error) {
	items, more, err := s.dueBy(ctx, duePK(shard), now, after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, it := range items {
		w := access.DueWork{Position: it.s(gsi2sk)}
		// The organisation follows the task's key. Older tasks do not have it.
		w.Organisation = strings.TrimPrefix(strings.TrimPrefix(w.Position[len(instantLayout):], "#"+it.s(pk)+"#"+it.s(sk)), "#")
		w.Due, _ = parseTime(w.Position[:len(instantLayout)]) // only for telling how late the sweep is
		partition, row := it.s(pk), it.s(sk)
		switch {
		case strings.HasPrefix(row, grantPrefix):
			w.Customer, w.Partner = strings.TrimPrefix(partition, customerPrefix), strings.TrimPrefix(row, grantPrefix)
			w.Organisation = partition
		case strings.HasPrefix(row, invitationPrefix):
			w.Customer, w.Invitation = strings.TrimPrefix(partition, customerPrefix), strings.TrimPrefix(row, invitationPrefix)
			w.Organisation = partition
		case strings.HasPrefix(row, requestPrefix) && strings.HasPrefix(partition, customerPrefix):
			w.Customer, w.Request = strings.TrimPrefix(partition, customerPrefix), strings.TrimPrefix(row, requestPrefix)
			w.Organisation = partition
		default:
			w.Task = strings.TrimPrefix(partition, "K#")
		}
		work = append(work, w)
	}
	return work, more, nil
}

// Task reads a task; nil when it is done.
func (s *Store) Task(ctx context.Context, id string) (*access.Task, error) {
	return one(ctx, s, taskKey(id), (*item).task)
}

// AssignmentRows lists the rows of a grant, also those that no longer count, by user id, a page at a time, without those that only say what
// was. The grant was read before them.
// Next is the position to continue from; "" at the end.
func (s *Store) AssignmentRows(ctx context.Context, customer, partner, after string, limit int) (g *access.Grant, rows []*access.Assignment,
	next string, err error,
) {
	if g, err = one(ctx, s, grantKey(customer, partner), (*item).grant); err != nil {
		return nil, nil, "", err
	}
	items, more, err := s.query(ctx, prefixed(customerPK(customer), assignmentPrefix(partner), after), limit)
	if err != nil {
		return nil, nil, "", err
	}
	for _, it := range items {
		a, err := decode(it, (*item).assignment)
		if err != nil {
			return nil, nil, "", err
		}
		if a.Version > 0 || a.LastUse.On != "" {
			rows = append(rows, a)
		}
		if more {
			next = a.User[len(partner)+1:]
		}
	}
	return g, rows, next, nil
}

// CustomersOf lists the customers that have or had a grant for a partner, by id, a page at a time. It reads index 1.
func (s *Store) CustomersOf(ctx context.Context, partner, after string, limit int) (customers []string, more bool, err error) {
	items, more, err := s.query(ctx, prefixed(partnerIndexPK(partner), customerPrefix, after).inIndex(), limit)
	for _, it := range items {
		customers = append(customers, strings.TrimPrefix(it.s(gsi1sk), customerPrefix))
	}
	return customers, more, err
}

// concernedAtOnce is how many rows of each kind CustomersConcerned reads in one request.
const concernedAtOnce = 500

// CustomersConcerned lists the customers whose open grants concern one user of a partner, by id, a page at a time: the user is assigned, or
// has access because everyone up to a number has. With everyone it also lists those to which everyone of the partner has access. Next is
// the position to continue from; "" at the end. A page can be empty and have a next one. Both parts come from index 1, which may lag: the
// caller decides again on the facts about the grant, and comes back later for what was being written. It costs one request to each part for
// 500 rows, however many grants do not concern the user.
func (s *Store) CustomersConcerned(ctx context.Context, u *access.User, everyone bool, after string) (customers []string, next string,
	err error,
) {
	var rows, grants []*item
	var moreRows, moreGrants bool
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		rows, moreRows, err = s.query(gctx, prefixed(userIndexPK(u.ID), customerPrefix, after).inIndex(), concernedAtOnce)
		return err
	})
	if u.Role != access.External { // who is external is in by a row of its own or not at all
		g.Go(func() (err error) {
			grants, moreGrants, err = s.query(gctx, prefixed(partnerIndexPK(u.Partner), customerPrefix, after).inIndex(), concernedAtOnce)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, "", err
	}
	customerOf := func(it *item) string { return strings.TrimPrefix(it.s(gsi1sk), customerPrefix) }
	for _, part := range []struct {
		items []*item
		more  bool
	}{{rows, moreRows}, {grants, moreGrants}} { // both parts are known up to the nearer of their ends
		if n := len(part.items); part.more && n > 0 {
			if last := customerOf(part.items[n-1]); next == "" || last < next {
				next = last
			}
		}
	}
	own := map[string]*access.Assignment{}
	listed := map[string]bool{}
	for _, it := range rows {
		a, err := decode(it, (*item).assignment)
		if err != nil {
			return nil, "", err
		}
		own[customerOf(it)] = a
		listed[customerOf(it)] = !a.Excluded
	}
	for _, it := range grants {
		g, err := decode(it, (*item).grant)
		if err != nil {
			return nil, "", err
		}
		a := own[g.Customer]
		switch {
		case a != nil && a.Epoch > g.Epoch: // the grant is as the index had it before
		case g.State == access.StateEnded:
			listed[g.Customer] = false
		case a != nil && a.Epoch == g.Epoch && !g.Everyone:
			listed[g.Customer] = !a.Excluded
		case g.Everyone:
			listed[g.Customer] = everyone
		default:
			listed[g.Customer] = u.Number <= g.EveryoneUpTo
		}
	}
	for c, is := range listed {
		if is && (next == "" || c <= next) {
			customers = append(customers, c)
		}
	}
	slices.Sort(customers)
	return customers, next, nil
}

// PartnersOf lists the partners that have or had a grant of a customer, by id, a page at a time.
func (s *Store) PartnersOf(ctx context.Context, customer, after string, limit int) (partners []string, more bool, err error) {
	items, more, err := s.query(ctx, prefixed(customerPK(customer), grantPrefix, after), limit)
	for _, it := range items {
		partners = append(partners, strings.TrimPrefix(it.s(sk), grantPrefix))
	}
	return partners, more, err
}
