package dynamo

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Pending invitations are kept apart from ended ones, which are kept for a year, so that reading the pending ones costs the same however
// many have ended. A pending one is also found by its address. Events keep the history.

// closedFor is how long an invitation is kept after its end.
const closedFor = 365 * 24 * time.Hour

func invitationItem(i *access.Invitation) draft {
	k, prefix := invitationKey(i.Customer, i.ID), invitationPrefix
	if i.State != access.InvitationPending {
		k, prefix = closedInvitationKey(i.Customer, i.ID), closedPrefix
	}
	d := newDraft(k)
	d.index1(partnerIndexPK(i.Partner), prefix+i.ID)
	d.due(k, i.Due())
	if i.State != access.InvitationPending {
		d.n(ttl, i.Updated.Add(closedFor).Unix())
	}
	d.s("id", i.ID)
	d.s("customer", i.Customer)
	d.s("partner", i.Partner)
	d.s("grant", i.Grant)
	d.s("email", i.Email)
	d.s("level", i.Level.String())
	d.t("until", i.Until)
	d.s("state", string(i.State))
	d.s("reason", string(i.Reason))
	d.s("by", string(i.By.Kind))
	d.s("by_email", i.By.Email)
	d.s("inviter", i.Inviter)
	d.list("digests", i.Digests)
	d.n("sending", int64(i.Sending))
	d.s("mail", i.MailEvent)
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
		ID: it.s("id"), Customer: it.s("customer"), Partner: it.s("partner"), Grant: it.s("grant"), Email: it.s("email"),
		Level: it.level("level"),
		Until: it.t("until"), State: access.InvitationStatus(it.s("state")), Reason: access.Reason(it.s("reason")),
		By: access.By{Kind: access.ActorKind(it.s("by")), Email: it.s("by_email")}, Inviter: it.s("inviter"), Digests: it.list("digests"),
		Sending: int(it.n("sending")), MailEvent: it.s("mail"), Days: int(it.n("days")), Expires: it.t("expires"), Reminded: it.b("reminded"),
		User:    it.s("user"),
		Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
}

// invitation stages an invitation. One that ends moves to the ended ones.
func (tx *transaction) invitation(table string, w access.InvitationWrite) {
	if w.Before != nil && w.After.State != access.InvitationPending {
		tx.remove(table, invitationKey(w.Before.Customer, w.Before.ID), w.Before.Version)
		tx.create(table, invitationItem(w.After))
		return
	}
	tx.put(table, invitationItem(w.After), w.Before.Stored())
}

// invited adds the writes of the records by which a pending invitation is found, one for each partner and address. An invitation that ends
// in the same change in which the next is created is replaced by it.
func (tx *transaction) invited(table string, writes []access.Write) {
	type replacement struct{ from, to string } // ids
	replacements := map[Key]replacement{}
	for _, w := range writes {
		switch w := w.(type) {
		case access.InvitationWrite:
			k := invitedKey(w.After)
			t := replacements[k]
			switch {
			case w.Before == nil:
				t.to = w.After.ID
			case w.After.State != access.InvitationPending:
				t.from = w.Before.ID
			default:
				continue
			}
			replacements[k] = t
		case access.InvitationListing:
			replacements[invitedKey(w.Invitation)] = replacement{w.Invitation.ID, w.Invitation.ID}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(replacements),
		func(a, b Key) int { return cmp.Or(cmp.Compare(a.PK, b.PK), cmp.Compare(a.SK, b.SK)) }) {
		t := replacements[k]
		condition, values := absent, map[string]types.AttributeValue(nil)
		if t.from != "" { // those of before are not listed
			condition, values = absent+" OR invitation = :from", map[string]types.AttributeValue{":from": str(t.from)}
		}
		if t.to == "" {
			*tx = append(*tx, types.TransactWriteItem{Delete: &types.Delete{
				TableName: &table, Key: k.attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
			}})
			continue
		}
		d := newDraft(k)
		d.s("invitation", t.to)
		*tx = append(*tx, types.TransactWriteItem{Put: &types.Put{
			TableName: &table, Item: d, ConditionExpression: &condition, ExpressionAttributeValues: values,
		}})
	}
}

// Invitation reads an invitation, pending or ended; nil when there is none, or it has ended more than a year ago.
func (s *Store) Invitation(ctx context.Context, customer, id string) (*access.Invitation, error) {
	i, err := one(ctx, s, invitationKey(customer, id), (*item).invitation)
	if err != nil || i != nil {
		return i, err
	}
	return one(ctx, s, closedInvitationKey(customer, id), (*item).invitation)
}

// InvitationRow returns an invitation with what decides whether it is still valid; nil when there is none.
func (s *Store) InvitationRow(ctx context.Context, customer, id string) (*access.InvitationRow, error) {
	i, err := s.Invitation(ctx, customer, id)
	if err != nil || i == nil {
		return nil, err
	}
	rows, err := s.invitationRows(ctx, []*access.Invitation{i})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// invitationRows loads what decides whether the pending ones among the invitations are still valid. Nil stays nil.
func (s *Store) invitationRows(ctx context.Context, list []*access.Invitation) ([]*access.InvitationRow, error) {
	rows := make([]*access.InvitationRow, len(list))
	var keys []Key
	for n, i := range list {
		if i == nil {
			continue
		}
		rows[n] = &access.InvitationRow{Invitation: i}
		if i.State == access.InvitationPending {
			keys = append(keys, customerKey(i.Customer), partnerKey(i.Partner), grantKey(i.Customer, i.Partner))
		}
	}
	if len(keys) == 0 {
		return rows, nil
	}
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	inviters, err := s.inviters(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r == nil || r.State != access.InvitationPending {
			continue
		}
		if r.Customer, err = lookup(side, customerKey(r.Invitation.Customer), (*item).customer); err != nil {
			return nil, err
		}
		if r.Partner, err = lookup(side, partnerKey(r.Invitation.Partner), (*item).partner); err != nil {
			return nil, err
		}
		if r.Grant, err = lookup(side, grantKey(r.Invitation.Customer, r.Invitation.Partner), (*item).grant); err != nil {
			return nil, err
		}
		r.Inviter = inviters[r.ID]
	}
	return rows, nil
}

// inviters loads the people who sent the pending ones among the invitations, by invitation id.
func (s *Store) inviters(ctx context.Context, list []*access.Invitation) (map[string]access.Inviter, error) {
	out := map[string]access.Inviter{}
	var pending []*access.Invitation
	var addresses []Key
	for _, i := range list {
		if i != nil && i.State == access.InvitationPending {
			pending = append(pending, i)
			if i.By.Kind == "partner" && i.Inviter == "" {
				addresses = append(addresses, emailKey(i.By.Email))
			}
		}
	}
	known, err := s.get(ctx, addresses)
	if err != nil {
		return nil, err
	}
	key := func(i *access.Invitation) Key {
		switch {
		case i.By.Kind != "partner":
			return memberKey(i.Customer, i.By.Email)
		case i.Inviter != "":
			return userKey(i.Inviter)
		}
		if e := known[emailKey(i.By.Email)]; e != nil && e.s("user") != "" {
			return userKey(e.s("user"))
		}
		return userKey(i.Partner + ":") // nobody
	}
	keys := make([]Key, len(pending))
	for n, i := range pending {
		keys[n] = key(i)
	}
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	for n, i := range pending {
		var by access.Inviter
		if i.By.Kind == "partner" {
			by.User, err = lookup(side, keys[n], (*item).user)
		} else {
			by.Member, err = lookup(side, keys[n], (*item).member)
		}
		if err != nil {
			return nil, err
		}
		out[i.ID] = by
	}
	return out, nil
}

// PendingInvitations lists invitations whose end is not recorded, a page at a time: of a customer, to one partner unless that is ""; or,
// when customer is "", to a partner, sent by one of its users unless user is "". Next is the position to continue from, "" at the end.
// Those to a partner come from index 1, which may lag.
func (s *Store) PendingInvitations(ctx context.Context, customer, partner, user, after string, limit int) (rows []*access.InvitationRow,
	next string, err error,
) {
	want := func(i *access.Invitation) bool {
		sender := user == "" || i.By.Kind == "partner" && (i.Inviter == user || i.Inviter == "")
		return i.State == access.InvitationPending && sender && (partner == "" || i.Partner == partner)
	}
	list, next, err := pendingOf(ctx, s, invitationPrefix, customer, partner, after, limit, (*item).invitation, want)
	if err != nil {
		return nil, "", err
	}
	rows, err = s.invitationRows(ctx, list)
	return rows, next, err
}

// CustomerInvitations lists a customer's invitations, newest last. The cost of listing pending ones does not depend on how many have ended.
func (s *Store) CustomerInvitations(ctx context.Context, customer string, f access.InvitationFilter,
	ask access.PageRequest,
) (access.Page[access.InvitationRow], error) {
	join := func(ctx context.Context, items []*item) ([]*access.InvitationRow, error) {
		list, err := each((*item).invitation, nil)(ctx, items)
		if err != nil {
			return nil, err
		}
		return s.wantedInvitations(ctx, list, f)
	}
	return walk(ctx, ask, true, s.apart(customerPK(customer), sk, invitationPrefixes(f)...), join, idAfterPrefix(sk))
}

// PartnerInvitations lists the invitations to a partner, newest last. Which there are comes from index 1; they are read from the table.
func (s *Store) PartnerInvitations(ctx context.Context, partner string, f access.InvitationFilter,
	ask access.PageRequest,
) (access.Page[access.InvitationRow], error) {
	join := func(ctx context.Context, items []*item) ([]*access.InvitationRow, error) {
		list, err := currentOf(ctx, s, items, (*item).invitation, func(customer, id string) [2]Key {
			return [2]Key{invitationKey(customer, id), closedInvitationKey(customer, id)}
		})
		if err != nil {
			return nil, err
		}
		return s.wantedInvitations(ctx, list, f)
	}
	return walk(ctx, ask, true, s.apart(partnerIndexPK(partner), gsi1sk, invitationPrefixes(f)...), join, idAfterPrefix(gsi1sk))
}

func (s *Store) wantedInvitations(ctx context.Context, list []*access.Invitation, f access.InvitationFilter) ([]*access.InvitationRow,
	error,
) {
	return wanted(ctx, list, f.MatchesParties, s.invitationRows, f.Matches)
}

func invitationPrefixes(f access.InvitationFilter) []string {
	if f.Status == access.InvitationPending {
		return []string{invitationPrefix}
	}
	return []string{invitationPrefix, closedPrefix}
}

// idAfterPrefix returns the id in the key of an invitation or a request.
func idAfterPrefix(attribute string) func(*item) string {
	return func(it *item) string { return it.s(attribute)[len(invitationPrefix):] }
}

// apart reads invitations or requests of a partition of the table or of index 1, by id: pending and ended ones are kept apart, under one
// prefix each.
func (s *Store) apart(partition, attribute string, prefixes ...string) func(context.Context, string, int) ([]*item, bool, error) {
	id := idAfterPrefix(attribute)
	return func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		parts, more := make([][]*item, len(prefixes)), make([]bool, len(prefixes))
		g, ctx := errgroup.WithContext(ctx)
		for p, prefix := range prefixes {
			g.Go(func() (err error) {
				sp := prefixed(partition, prefix, after)
				if attribute == gsi1sk {
					sp = sp.inIndex()
				}
				parts[p], more[p], err = s.query(ctx, sp, n)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, false, err
		}
		all, any := slices.Concat(parts...), slices.Contains(more, true)
		for p, items := range parts { // nothing after the end of a part that goes on
			if more[p] && len(items) > 0 {
				last := id(items[len(items)-1])
				all = slices.DeleteFunc(all, func(it *item) bool { return id(it) > last })
			}
		}
		slices.SortStableFunc(all, func(a, b *item) int { return cmp.Compare(id(a), id(b)) })
		all = slices.CompactFunc(all, func(a, b *item) bool { return id(a) == id(b) }) // one that ends just now is in the index twice
		if len(all) > n {
			all, any = all[:n], true
		}
		return all, any, nil
	}
}

// InvitationFacts loads what a plan about an invitation of that address reads; i is the invitation, nil for a new one.
func (s *Store) InvitationFacts(ctx context.Context, customer, partner, address string, i *access.Invitation) (access.InvitationFacts,
	error,
) {
	var f access.InvitationFacts
	var err error
	if f.GrantFacts, err = s.GrantFacts(ctx, customer, partner, nil, false); err != nil {
		return f, err
	}
	listing := invitedKey(&access.Invitation{Customer: customer, Partner: partner, Email: address})
	items, err := s.get(ctx, []Key{emailKey(address), listing})
	if err != nil {
		return f, err
	}
	if f.Email, err = lookup(items, emailKey(address), (*item).email); err != nil {
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
	} else if f.User != nil && f.User.Role == access.External {
		if err := s.whereabouts(ctx, &f.Holder); err != nil {
			return f, err
		}
	}
	if it := items[listing]; it != nil {
		if f.Pending, err = s.Invitation(ctx, customer, it.s("invitation")); err != nil {
			return f, err
		}
	}
	if f.Customer != nil && !f.Customer.HasInvitations {
		if err := s.unlisted(ctx, &f, partner, address); err != nil {
			return f, err
		}
	}
	if f.Pending != nil && f.Pending.State != access.InvitationPending { // it ended while this was read
		f.Pending = nil
	}
	f.Inviters, err = s.inviters(ctx, []*access.Invitation{f.Pending, i})
	return f, err
}

// whereabouts loads the grants that give an external user access. Which customers there are comes from index 1, the rest from the table. A
// grant that is not in the index yet is not found; it ends with the account.
func (s *Store) whereabouts(ctx context.Context, h *access.AddressHolder) error {
	for position := ""; ; {
		customers, next, err := s.CustomersConcerned(ctx, h.User, false, position)
		if err != nil {
			return err
		}
		keys := make([]Key, 0, 2*len(customers))
		for _, c := range customers {
			keys = append(keys, grantKey(c, h.User.Partner), assignmentKey(c, h.User.ID))
		}
		items, err := s.get(ctx, keys)
		if err != nil {
			return err
		}
		for _, c := range customers {
			g, err := lookup(items, grantKey(c, h.User.Partner), (*item).grant)
			if err != nil {
				return err
			}
			a, err := lookup(items, assignmentKey(c, h.User.ID), (*item).assignment)
			if err != nil {
				return err
			}
			if g != nil && g.State != access.StateEnded && g.Admits(h.User, a) {
				h.Grants = append(h.Grants, g)
			}
		}
		if position = next; position == "" {
			h.GrantsLoaded = true
			return nil
		}
	}
}

// unlisted finds the pending invitations of a customer from before invitations were found by their address.
func (s *Store) unlisted(ctx context.Context, f *access.InvitationFacts, partner, address string) error {
	for after := ""; ; {
		items, more, err := s.query(ctx, prefixed(customerPK(f.Customer.ID), invitationPrefix, after), 500)
		if err != nil {
			return err
		}
		for _, it := range items {
			i, err := decode(it, (*item).invitation)
			if err != nil {
				return err
			}
			after = i.ID
			if i.State != access.InvitationPending {
				continue
			}
			if f.Pending == nil && i.Partner == partner && i.Email == address {
				f.Pending = i
			}
			f.Unlisted = append(f.Unlisted, i)
		}
		if !more {
			return nil
		}
	}
}
