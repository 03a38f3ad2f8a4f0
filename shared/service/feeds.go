package service

import (
	"context"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
)

// FeedQuery says which published events are wanted: those of one feed, since order and completeness hold in a feed alone.
type FeedQuery struct {
	Customer string   // its feed: what concerns it, whatever the partner
	Partner  string   // or that of a partner: what concerns no customer
	After    *int64   // the number of the last event that the caller has; nil = begin with the oldest that is kept
	Types    []string // patterns of names, see cloudevents.Wanted; none = all
	Limit    int      // how many events are read at most: those that are not wanted count
}

// FeedPage is a part of a feed.
type FeedPage struct {
	Events []cloudevents.Event // those that are wanted, in their order
	After  int64               // the number to go on after: of the last event that was read, wanted or not
	Latest int64               // the number of the feed's latest event: there is more while After is less
}

// Published reads what a feed has after a number. Also of an organisation that was removed, whose last events say so. It refuses with
// access.EventsGone when the event that comes next is not kept any more, so that nothing is passed over in silence, and with
// access.Invalid when the feed has not got as far as the number: after a restored backup the same numbers are given again.
func (s *Service) Published(ctx context.Context, q FeedQuery) (FeedPage, error) {
	if err := s.everThere(ctx, q.Customer, q.Partner); err != nil {
		return FeedPage{}, err
	}
	after := int64(-1)
	if q.After != nil {
		after = *q.After
	}
	read, err := s.Store.Section(ctx, cloudevents.Feed(q.Customer, q.Partner), after, q.Limit, s.now())
	switch {
	case err != nil:
		return FeedPage{}, err
	case read.Gone:
		return FeedPage{}, access.Refuse(access.EventsGone,
			"the event after number %d is no longer kept: read the present state from the API, then go on after %s, or without after from "+
				"the oldest event that is kept", after, cloudevents.Number(read.Latest)).At("?after")
	case after > read.Latest:
		return FeedPage{}, access.Refuse(access.Invalid,
			"the latest event of this feed has the number %s: the service was restored from a backup, or the number is another feed's. "+
				"Read the present state from the API, then go on after that number", cloudevents.Number(read.Latest)).At("?after")
	}
	page := FeedPage{After: max(after, 0), Latest: read.Latest}
	if q.After == nil && len(read.Events) == 0 {
		page.After = read.Latest // none is kept
	}
	for _, e := range read.Events {
		page.After = e.Place()
		if cloudevents.Wanted(e.Name(), q.Types) {
			page.Events = append(page.Events, e)
		}
	}
	page.Latest = max(page.Latest, page.After) // others came meanwhile
	return page, nil
}

// everThere fails when there is no such customer or partner, and never was.
func (s *Service) everThere(ctx context.Context, customer, partner string) error {
	if customer != "" {
		found, err := s.Store.Customer(ctx, customer)
		if err == nil && found == nil {
			err = NothingHere()
		}
		return err
	}
	found, err := s.Store.Partner(ctx, partner)
	if err == nil && found == nil {
		err = NothingHere()
	}
	return err
}
