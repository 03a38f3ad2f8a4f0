package dynamo

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

const (
	// candidatesPerPage bounds the work of a page whose filter wants few: it is short then, and has a next one.
	candidatesPerPage = 1000
	// usersPerRead is the least that is read of one grant's people at once.
	usersPerRead = 8
)

// stream gives the people of one grant in the order of the filter, whether or not they can come in: whoever belongs to it is among them.
type stream struct {
	peopleSource
	at    access.Place // what the places of its people begin with
	after string       // the SortName after which it begins, or goes on; "" = its beginning
	users []*access.User
	more  bool // others follow those of users
	by    access.PeopleFilter
}

// mergedPeople fills a page from the streams of the grants, in which each person has one place.
func (s *Store) mergedPeople(
	ctx context.Context, sources []peopleSource, f access.PeopleFilter, ask access.PageRequest,
) (access.PeoplePage, error) {
	page := access.PeoplePage{Page: access.Page[access.Person]{Items: []access.Person{}}}
	groups, err := streams(sources, f, ask.After)
	if err != nil {
		return page, err
	}
	seen, last := 0, ask.After
	for len(groups) > 0 {
		if len(page.Items) >= ask.Limit || seen >= candidatesPerPage {
			page.Next = last
			return page, nil
		}
		want := max(ask.Limit-len(page.Items), 10)
		if seen > 0 { // few of those so far were wanted
			want = 100
		}
		rows, done, err := s.nextPeople(ctx, groups[0], want)
		if err != nil {
			return page, err
		}
		if done {
			groups = groups[1:]
		}
		seen += len(rows)
		at := make(map[string]string, len(rows))
		for i := range rows {
			at[rows[i].User.ID] = f.PlaceOf(&rows[i]).Position()
		}
		still, err := s.decidedAgain(ctx, rows, f)
		if err != nil {
			return page, err
		}
		if room := ask.Limit - len(page.Items); len(still) > room {
			page.Items = append(page.Items, still[:room]...)
			page.Next = at[still[room-1].User.ID]
			return page, nil
		}
		page.Items = append(page.Items, still...)
		if len(rows) > 0 {
			last = at[rows[len(rows)-1].User.ID]
		}
	}
	return page, nil
}

// streams groups the grants by what their people's places begin with, in the order of the filter, without those that come before the
// position.
func streams(sources []peopleSource, f access.PeopleFilter, position string) ([][]*stream, error) {
	var after access.Place
	if position != "" {
		var err error
		if after, err = access.ParsePosition(position); err != nil {
			return nil, err
		}
	}
	begin := access.Place{after[0], after[1], after[2]}
	var all []*stream
	for _, p := range sources {
		one := &stream{peopleSource: p, at: f.PlaceOfGrant(p.grant, p.partner), more: true, by: f}
		if position != "" {
			switch c := f.Compare(one.at, begin); {
			case c < 0:
				continue
			case c == 0:
				one.after = after[3]
			}
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *stream) int { return f.Compare(a.at, b.at) })
	var groups [][]*stream
	for i, one := range all {
		if i == 0 || all[i-1].at != one.at {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], one)
	}
	return groups, nil
}

// nextPeople takes the next people of a group, at most that many, and reports whether none is left.
func (s *Store) nextPeople(ctx context.Context, group []*stream, most int) (rows []access.Person, done bool, err error) {
	n := max(2*most/len(group), usersPerRead)
	for len(rows) < most {
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(peopleAtOnce)
		for _, one := range group {
			if len(one.users) == 0 && one.more {
				work.Go(func() error { return s.read(ctx, one, n) })
			}
		}
		if err := work.Wait(); err != nil {
			return nil, false, err
		}
		var first *stream
		for _, one := range group {
			if len(one.users) > 0 && (first == nil || one.before(first)) {
				first = one
			}
		}
		if first == nil {
			return rows, true, nil
		}
		rows = append(rows, access.Person{Facts: access.Facts{Partner: first.partner, User: first.users[0], Grant: first.grant}})
		first.users = first.users[1:]
	}
	return rows, false, nil
}

// before reports whether the next user of the stream comes before that of another one of its group.
func (one *stream) before(other *stream) bool {
	a, b := one.users[0], other.users[0]
	x, y := one.at, other.at
	x[3], y[3] = access.SortName(a.Name, a.ID), access.SortName(b.Name, b.ID)
	return one.by.Compare(x, y) < 0
}

// read reads the next users of a stream: of a grant with few of the partner's users all of them, otherwise n.
func (s *Store) read(ctx context.Context, one *stream, n int) error {
	if one.picked() {
		return s.readPicked(ctx, one)
	}
	partition := partnerIndexPK(one.grant.Partner)
	sp := prefixed(partition, userPrefix, one.after).inIndex()
	if one.by.Descending {
		if sp = prefixed(partition, userPrefix, "").inIndex(); one.after != "" {
			sp.last = userPrefix + one.after // it was taken: it comes first and is dropped
		}
		sp.backwards = true
	}
	items, more, err := s.query(ctx, sp, n+1)
	if err != nil {
		return err
	}
	for _, it := range items {
		u, err := decode(it, (*item).user)
		if err != nil {
			return err
		}
		if name := access.SortName(u.Name, u.ID); name != one.after {
			one.users = append(one.users, u)
		}
	}
	if one.more = more && len(items) > 0; len(one.users) > 0 {
		u := one.users[len(one.users)-1]
		one.after = access.SortName(u.Name, u.ID)
	}
	return nil
}

func (s *Store) readPicked(ctx context.Context, one *stream) error {
	rows, err := whole(ctx, s, prefixed(customerPK(one.grant.Customer), assignmentPrefix(one.grant.Partner), ""), (*item).assignment)
	if err != nil {
		return err
	}
	users, err := s.pickedUsers(ctx, one.grant, rows)
	if err != nil {
		return err
	}
	place := func(u *access.User) access.Place { return access.Place{3: access.SortName(u.Name, u.ID)} }
	slices.SortFunc(users, func(a, b *access.User) int { return one.by.Compare(place(a), place(b)) })
	if one.after != "" {
		users = slices.DeleteFunc(users, func(u *access.User) bool { return one.by.Compare(place(u), access.Place{3: one.after}) <= 0 })
	}
	one.users, one.more = users, false
	return nil
}
