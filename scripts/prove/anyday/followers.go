package anyday

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
)

// Followed is what became of a product that follows access.lost and access.gained and knows none of the rules.
type Followed struct {
	Changes      int
	Lost, Gained int // events
	Fell, Rose   int // of a person's level at a customer, over commands and over the clock
	Asked        int // checks that the product had to ask because an event said so
	Violations   []string
}

// session is a person at a customer, as a product knows it.
type session struct{ customer, user string }

// concerns is what a receiver writes to find the sessions that an event concerns: see events/README.md.
func concerns(m cloudevents.Match, customer, partner, user string) bool {
	return (m.Customer == "" || m.Customer == customer) &&
		(m.Partner == "" || m.Partner == partner) &&
		(m.User == "" || m.User == user)
}

// follower is such a product.
type follower struct {
	*world
	Followed

	known map[session]access.Level // what the product believes
}

// Follow makes a random history. After each command each person who has less than before is named by an access.lost, and who has more by an
// access.gained; and after each run of the sweep a product that does what the events say knows everybody's level exactly.
func Follow(ctx context.Context, c Config) (*Followed, error) {
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	f := &follower{world: w, known: map[session]access.Level{}}
	for f.world.Report.Changes < c.Changes {
		if err := f.step(); err != nil {
			return nil, err
		}
	}
	f.Followed.Changes = f.world.Report.Changes
	return &f.Followed, nil
}

func (f *follower) step() error {
	most := 2 * int64(length) / int64(f.Config.Changes) / 10
	f.now = f.now.Add(time.Duration(f.random.Int64N(most)).Truncate(time.Millisecond) + time.Millisecond)
	if f.random.IntN(2) == 0 {
		if err := f.sweepAndCompare(); err != nil {
			return err
		}
	}
	before, err := f.levels()
	if err != nil {
		return err
	}
	do := f.command
	if f.random.IntN(5) == 0 {
		do = f.terms
	}
	if err := do(); err != nil {
		return err
	}
	told, err := f.news()
	if err != nil {
		return err
	}
	after, err := f.levels()
	if err != nil {
		return err
	}
	for s, is := range after {
		was := before[s]
		has := func(name string) bool {
			return slices.ContainsFunc(told, func(e cloudevents.Event) bool {
				return e.Name() == name && concerns(*e.Data.Match, s.customer, partnerOf(s.user), s.user)
			})
		}
		if is < was {
			if f.Fell++; !has(cloudevents.Lost) {
				f.complain(fmt.Sprintf("%v fell from %s to %s, and nothing says so", s, was, is))
			}
		}
		if is > was {
			if f.Rose++; !has(cloudevents.Gained) {
				f.complain(fmt.Sprintf("%v rose from %s to %s, and nothing says so", s, was, is))
			}
		}
	}
	return f.follow(told, after)
}

// terms changes what the commands of anyday leave alone: single sign-on, classes, domains, starts, and whole organisations.
func (f *follower) terms() error {
	c, p := pick(f.world, f.customers), pick(f.world, f.partners)
	var err error
	switch f.random.IntN(7) {
	case 0:
		err = f.savePartner(p, access.PartnerCommand{SSO: ref(f.random.IntN(3) > 0)})
	case 1:
		err = f.savePartner(p, access.PartnerCommand{Class: ref(pick(f.world, []access.Class{access.Channel, access.Channel, access.Other}))})
	case 2:
		err = f.editGrant(c, p, access.EditCommand{RequireSSO: ref(f.random.IntN(2) == 0)})
	case 3: // D7: from now on some of the partner's people have addresses of the customer's own
		domain := pick(f.world, []string{c + ".example", "other-" + p + ".example", p + ".example"})
		_, err = f.service.SaveCustomer(f.ctx, f.provider(), c, access.CustomerCommand{Seen: access.AnyVersion, Domain: &domain},
			service.Options[service.SavedCustomer]{})
	case 4:
		err = f.editGrant(c, p, access.EditCommand{From: ref(f.now.Add(time.Duration(f.random.IntN(48)) * time.Hour))})
	case 5:
		day := 24 * time.Hour
		later := access.GrantCommand{Level: ref(f.level()), From: ref(f.now.Add(day)), Everyone: true, Until: ref(f.now.Add(3 * day))}
		_, err = f.service.Grant(f.ctx, f.customer(c), c, service.Grantee{Partner: p}, later, service.Options[service.Granted]{})
	case 6:
		if len(f.partners) > 2 && f.random.IntN(10) == 0 {
			f.partners = slices.DeleteFunc(slices.Clone(f.partners), func(id string) bool { return id == p })
			err = f.service.RemovePartner(f.ctx, f.provider(), p)
		}
	}
	if refused := new(access.Error); errors.As(err, &refused) {
		return nil
	}
	return err
}

func (f *follower) savePartner(p string, cmd access.PartnerCommand) error {
	cmd.Seen = access.AnyVersion
	_, err := f.service.SavePartner(f.ctx, f.provider(), p, cmd, false, service.Options[service.SavedPartner]{})
	return err
}

func (f *follower) editGrant(c, p string, cmd access.EditCommand) error {
	cmd.Seen = access.AnyVersion
	_, err := f.service.Edit(f.ctx, f.customer(c), c, p, cmd, service.Options[service.Granted]{})
	return err
}

// sweepAndCompare has the clock's events written down, after which the product has to know what is.
func (f *follower) sweepAndCompare() error {
	if _, err := f.sweep.Run(f.ctx); err != nil {
		return err
	}
	told, err := f.news()
	if err != nil {
		return err
	}
	is, err := f.levels()
	if err != nil {
		return err
	}
	if err := f.follow(told, is); err != nil {
		return err
	}
	for s, level := range is {
		if known := f.known[s]; known != level {
			f.complain(fmt.Sprintf("%v: the product believes %s, and a check says %s", s, known, level))
			f.known[s] = level
		}
	}
	return nil
}

// follow does what the events say.
func (f *follower) follow(told []cloudevents.Event, is map[session]access.Level) error {
	for _, e := range told {
		for s := range is {
			if !concerns(*e.Data.Match, s.customer, partnerOf(s.user), s.user) {
				continue
			}
			if e.Name() == cloudevents.Lost && !*e.Data.Ask {
				most, ok := access.ParseLevel(e.Data.Level)
				if !ok {
					return fmt.Errorf("%q is no level", e.Data.Level)
				}
				f.known[s] = min(f.known[s], most)
				continue
			}
			f.Asked++
			f.known[s] = is[s]
		}
	}
	return nil
}

// news are the events that the table's stream has brought.
func (f *follower) news() ([]cloudevents.Event, error) {
	if err := f.stream.read(); err != nil {
		return nil, err
	}
	var out []cloudevents.Event
	for _, b := range f.stream.waiting {
		for _, r := range b {
			told, err := f.shifts(r)
			if err != nil {
				return nil, err
			}
			out = append(out, told...)
		}
	}
	f.stream.waiting = nil
	return out, nil
}

func (f *follower) shifts(r events.DynamoDBEventRecord) ([]cloudevents.Event, error) {
	if r.EventName == "REMOVE" {
		return nil, nil
	}
	var old []byte
	now, err := json.Marshal(r.Change.NewImage)
	if err != nil {
		return nil, err
	}
	if len(r.Change.OldImage) > 0 {
		if old, err = json.Marshal(r.Change.OldImage); err != nil {
			return nil, err
		}
	}
	n, err := dynamo.NewsOf(old, now)
	if err != nil {
		return nil, err
	}
	var out []cloudevents.Event
	for i, s := range n.Shifts {
		if s.Lost {
			f.Lost++
		} else {
			f.Gained++
		}
		out = append(out, cloudevents.FromShift("https://api.access.example", n.IDs[i], n.At, s))
	}
	return out, nil
}

// levels are everybody's levels at each customer now, as a check gives them.
func (f *follower) levels() (map[session]access.Level, error) {
	var questions []access.FactsQuery
	for _, u := range slices.Concat(f.users, f.left) {
		for _, c := range f.customers {
			questions = append(questions, access.FactsQuery{User: u, Customer: c})
		}
	}
	facts, err := f.reader.Facts(f.ctx, questions, access.Strong)
	if err != nil {
		return nil, err
	}
	out := map[session]access.Level{}
	for i, q := range questions {
		out[session{q.Customer, q.User}], _ = access.EffectiveLevel(facts[i], q.Customer, f.now)
	}
	return out, nil
}

func (f *follower) complain(about string) {
	f.Followed.Violations = append(f.Followed.Violations, f.now.Format(time.RFC3339Nano)+": "+about)
}

func partnerOf(user string) string {
	for i, c := range user {
		if c == ':' {
			return user[:i]
		}
	}
	return ""
}
