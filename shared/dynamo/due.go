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
	d.due(k, t.Due)
	d.s("id", t.ID)
	d.s("kind", string(t.Kind))
	d.s("partner", t.Partner)
	d.s("customer", t.Customer)
	d.s("user", t.User)
	d.s("after", t.After)
	d.b("again", t.Again)
	d.t("due", t.Due)
	d.t("until", t.Until)
	d.b("idle", t.Idle)
	d.t("created", t.Created)
	d.n("version", t.Version)
	return d
}

func (it *item) task() *access.Task {
	return &access.Task{
		ID: it.s("id"), Kind: access.TaskKind(it.s("kind")), Partner: it.s("partner"), Customer: it.s("customer"),
		User: it.s("user"), After: it.s("after"), Again: it.b("again"),
		Due: it.t("due"), Until: it.t("until"), Idle: it.b("idle"), Created: it.t("created"), Version: it.n("version"),
	}
}

func invitationItem(i *access.Invitation) draft {
	k := invitationKey(i.Customer, i.ID)
	d := newDraft(k)
	d.index1(partnerIndexPK(i.Partner), invitationPrefix+i.ID)
	d.due(k, i.Due())
	d.s("id", i.ID)
	d.s("customer", i.Customer)
	d.s("partner", i.Partner)
	d.s("grant", i.Grant)
	d.s("email", i.Email)
	d.s("level", i.Level.String())
	d.t("until", i.Until)
	d.s("state", string(i.State))
	d.s("reason", string(i.Reason))
	d.s("by", i.By.Kind)
	d.s("by_email", i.By.Email)
	d.s("inviter", i.Inviter)
	d.list("digests", i.Digests)
	d.n("sending", int64(i.Sending))
	d.n("days", int64(i.Days))
	d.t("expires", i.Expires)
	d.b("reminded", i.Reminded)
	d.s("user", i.User)
	d.t("created", i.Created)
	d.t("updated", i.Updated)
	d.n("version", i.Version)
	return d
}

func (it *item) invitation() *access.Invitation {
	return &access.Invitation{
		ID: it.s("id"), Customer: it.s("customer"), Partner: it.s("partner"), Grant: it.s("grant"), Email: it.s("email"), Level: it.level("level"),
		Until: it.t("until"), State: access.InvitationStatus(it.s("state")), Reason: access.Reason(it.s("reason")),
		By: access.By{Kind: it.s("by"), Email: it.s("by_email")}, Inviter: it.s("inviter"), Digests: it.list("digests"),
		Sending: int(it.n("sending")), Days: int(it.n("days")), Expires: it.t("expires"), Reminded: it.b("reminded"), User: it.s("user"),
		Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
}

// DueShards is into how many parts the due work is divided.
func (s *Store) DueShards() int { return dueShards }

// Due lists the work of one shard that is due by now, the longest due first, after the position of the work before. It comes from index 2: some of
// it may have been done already.
func (s *Store) Due(ctx context.Context, shard int, now time.Time, after string, limit int) (work []access.Work, more bool, err error) {
	sp := span{index: gsi2, pk: duePK(shard), first: "0", last: timeText(now) + "#\U0010FFFF"}
	if after != "" {
		sp.first = after + "\x01"
	}
	items, more, err := s.query(ctx, sp, limit)
	if err != nil {
		return nil, false, err
	}
	for _, it := range items {
		w := access.Work{Position: it.s(gsi2sk)}
		w.Due, _ = time.Parse(stamp, w.Position[:len(stamp)]) // only for telling how late the sweep is
		partition, row := it.s(pk), it.s(sk)
		switch {
		case strings.HasPrefix(row, grantPrefix):
			w.Customer, w.Partner = strings.TrimPrefix(partition, customerPrefix), strings.TrimPrefix(row, grantPrefix)
		case strings.HasPrefix(row, invitationPrefix):
			w.Customer, w.Invitation = strings.TrimPrefix(partition, customerPrefix), strings.TrimPrefix(row, invitationPrefix)
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

// CustomersOf lists the customers that have ever had a grant for a partner, in the order of their ids, a page at a time. It comes from index 1.
func (s *Store) CustomersOf(ctx context.Context, partner, after string, limit int) (customers []string, more bool, err error) {
	items, more, err := s.query(ctx, prefixed(partnerIndexPK(partner), customerPrefix, after).inIndex(), limit)
	for _, it := range items {
		customers = append(customers, strings.TrimPrefix(it.s(gsi1sk), customerPrefix))
	}
	return customers, more, err
}

// concernedAtOnce is how many rows of each kind CustomersConcerned reads in one request.
const concernedAtOnce = 500

// CustomersConcerned lists the customers whose open grants concern one user of a partner, in the order of their ids, a stretch at a time: the user is
// in by a row of its own, or counts because everyone up to a number does. With everyone, those that everyone of the partner may enter are listed, too.
// Next is the position to go on from; "" when there are no more. A stretch can be empty and have a next one. Both parts come from index 1, as far as
// it has come: the caller decides again on the relation itself, and comes back later for what was being written meanwhile. It costs one request to
// each part for 500 rows, whatever the number of grants that do not concern the user.
func (s *Store) CustomersConcerned(ctx context.Context, u *access.User, everyone bool, after string) (customers []string, next string, err error) {
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
		listed[customerOf(it)] = !a.Out
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
			listed[g.Customer] = !a.Out
		case g.Everyone:
			listed[g.Customer] = everyone
		default:
			listed[g.Customer] = u.Number <= g.UpTo
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

// PartnersOf lists the partners for which a customer has, or had, a grant, in the order of their ids, a page at a time.
func (s *Store) PartnersOf(ctx context.Context, customer, after string, limit int) (partners []string, more bool, err error) {
	items, more, err := s.query(ctx, prefixed(customerPK(customer), grantPrefix, after), limit)
	for _, it := range items {
		partners = append(partners, strings.TrimPrefix(it.s(sk), grantPrefix))
	}
	return partners, more, err
}

// Invitation reads an invitation; nil when there is none.
func (s *Store) Invitation(ctx context.Context, customer, id string) (*access.Invitation, error) {
	return one(ctx, s, invitationKey(customer, id), (*item).invitation)
}

// CustomerInvitations lists a customer's invitations that keep wants, newest last.
func (s *Store) CustomerInvitations(ctx context.Context, customer string, keep func(*access.Invitation) bool, ask access.PageAsk) (access.Page[access.Invitation], error) {
	return walk(ctx, ask, true, s.stretch(customerPK(customer), invitationPrefix), each((*item).invitation, keep), after(invitationPrefix, sk))
}

// PartnerInvitations lists the invitations to a partner that keep wants. Which there are comes from index 1.
func (s *Store) PartnerInvitations(ctx context.Context, partner string, keep func(*access.Invitation) bool, ask access.PageAsk) (access.Page[access.Invitation], error) {
	join := func(ctx context.Context, items []*item) ([]*access.Invitation, error) {
		keys := make([]Key, len(items))
		for i, it := range items {
			keys[i] = Key{it.s(pk), it.s(sk)}
		}
		side, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		out := make([]*access.Invitation, len(items))
		for i, k := range keys {
			v, err := lookup(side, k, (*item).invitation)
			if err != nil {
				return nil, err
			}
			if v != nil && keep(v) {
				out[i] = v
			}
		}
		return out, nil
	}
	return walk(ctx, ask, true, s.indexed(partnerIndexPK(partner), invitationPrefix), join, after(invitationPrefix, gsi1sk))
}

// InviteFacts loads what a plan about an invitation of that address looks at.
func (s *Store) InviteFacts(ctx context.Context, customer, partner, address string) (access.InviteFacts, error) {
	var f access.InviteFacts
	var err error
	if f.Relation, err = s.Relation(ctx, customer, partner, nil, false); err != nil {
		return f, err
	}
	if f.Email, err = one(ctx, s, emailKey(address), (*item).email); err != nil {
		return f, err
	}
	if f.Domains, err = s.Domains(ctx, address); err != nil {
		return f, err
	}
	if f.Holder, err = s.holder(ctx, f.Email); err != nil {
		return f, err
	}
	if f.User = f.Holder.User; f.User != nil && f.User.Partner == partner { // the row that it may have in the grant
		a, err := one(ctx, s, assignmentKey(customer, f.User.ID), (*item).assignment)
		if err != nil {
			return f, err
		}
		if a != nil {
			f.Assignments[f.User.ID] = a
		}
	}
	mine := func(i *access.Invitation) bool { return i.Partner == partner && i.Email == address }
	for ask := (access.PageAsk{Limit: 100}); ; {
		page, err := s.CustomerInvitations(ctx, customer, mine, ask)
		if err != nil {
			return f, err
		}
		for _, i := range page.Items {
			f.Invited = append(f.Invited, &i)
		}
		if ask.After = page.Next; page.Next == "" {
			return f, nil
		}
	}
}
