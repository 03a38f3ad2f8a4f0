package alike

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/client"
	"partneraccess/shared/dynamo"
)

// world is random records. No plan has made them: they are what plans make, and more.
type world struct {
	partners, customers []string
	users, addresses    []string
	instants            []time.Time // of periods
	writes              []access.Write
	leaving             []access.Write // after the others
}

func noon() time.Time { return time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC) }

func of[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// usually is the first, but for one time in ten.
func usually[T any](r *rand.Rand, first T, others ...T) T {
	if r.IntN(10) > 0 {
		return first
	}
	return of(r, others...)
}

func levels() []access.Level {
	return []access.Level{access.None, access.View, access.Support, access.Manage}
}

func newWorld(r *rand.Rand, number int) *world {
	w := &world{}
	for i := range 4 {
		w.customers = append(w.customers, fmt.Sprintf("c%d-%d", number, i))
		w.instants = append(w.instants, noon().Add(time.Duration(r.IntN(90_000_000))*time.Millisecond))
	}
	for i := range 3 {
		p := fmt.Sprintf("p%d-%d", number, i)
		w.partners = append(w.partners, p)
		w.partner(r, p)
	}
	return w
}

func (w *world) partner(r *rand.Rand, id string) {
	w.writes = append(w.writes, access.PartnerWrite{After: &access.Partner{
		ID: id, Name: "Partner", Class: usually(r, access.Channel, access.Class("supplier")), SSO: r.IntN(4) > 0,
		Offer:  usually(r, access.Manage, levels()...),
		Status: usually(r, access.Active, access.Suspended, access.Removed), Version: 1, Created: noon(), Updated: noon(),
	}})
	var users []*access.User
	for i := range 4 {
		users = append(users, w.user(r, id, i))
	}
	for _, c := range w.customers {
		if r.IntN(8) == 0 {
			continue
		}
		g := w.grant(r, c, id, users)
		w.writes = append(w.writes, access.GrantWrite{After: g})
		for _, u := range users {
			if r.IntN(5) > 0 {
				w.writes = append(w.writes, access.AssignmentWrite{After: assignment(r, g, u)})
			}
		}
	}
}

func (w *world) user(r *rand.Rand, partner string, n int) *access.User {
	u := &access.User{
		ID: fmt.Sprintf("%s:%026d", partner, n), Partner: partner, Number: int64(1 + r.IntN(3)), Name: "A User",
		Email:   fmt.Sprintf("u%d@%s.example", n, strings.ReplaceAll(partner, "_", "-")),
		Role:    usually(r, access.Tech, access.Owner, access.External),
		Status:  usually(r, access.Active, access.Disabled, access.Status("invited")),
		Version: 1, Created: noon(), Updated: noon(),
	}
	if r.IntN(3) == 0 {
		u.FormerEmails = []string{"old-" + u.Email}
	}
	for _, c := range w.customers {
		if r.IntN(12) == 0 {
			u.MemberOf = append(u.MemberOf, c)
		}
	}
	w.users, w.addresses = append(w.users, u.ID), append(w.addresses, u.Email)
	w.writes = append(w.writes, access.UserWrite{After: u}, access.EmailWrite{After: &access.Email{Address: u.Email, User: u.ID, Version: 1}})
	if r.IntN(10) == 0 {
		gone := *u
		gone.Status, gone.Version = access.Removed, 2
		w.leaving = append(w.leaving, access.UserWrite{Before: u, After: &gone})
	}
	return u
}

func (w *world) grant(r *rand.Rand, customer, partner string, users []*access.User) *access.Grant {
	g := &access.Grant{
		ID: "grt_" + customer + "_" + partner, Customer: customer, Partner: partner, Level: usually(r, access.Manage, levels()...),
		State: usually(r, access.StateOpen, access.StateSuspended, access.StateEnded), From: noon(), RequireSSO: r.IntN(4) == 0,
		AssignedBy: of(r, access.ByCustomer, access.ByPartner), Everyone: r.IntN(4) == 0, Epoch: usually(r, int64(0), 1),
		EveryoneUpTo: int64(r.IntN(3)), Version: 1, Created: noon(), Updated: noon(),
	}
	if r.IntN(3) == 0 {
		g.From = of(r, w.instants...)
	}
	if r.IntN(3) > 0 {
		g.Until = of(r, w.instants...)
	}
	if g.State == access.StateEnded {
		g.End = &access.End{Reason: of(r, access.Expired, access.RevokedByCustomer), At: noon()}
	}
	if r.IntN(8) == 0 {
		g.Domain = partner + ".example"
	}
	if r.IntN(3) == 0 {
		g.Caps = access.Caps{"somebody@else.example": access.View}
		for _, u := range users {
			if r.IntN(2) == 0 {
				g.Caps[of(r, u.Email, "old-"+u.Email)] = of(r, levels()...)
			}
		}
	}
	return g
}

func assignment(r *rand.Rand, g *access.Grant, u *access.User) *access.Assignment {
	a := &access.Assignment{
		Customer: g.Customer, Partner: g.Partner, User: u.ID, Epoch: usually(r, int64(0), 1), Excluded: r.IntN(8) == 0, Version: 1, At: noon(),
		By: of(r, access.ByCustomer, access.ByPartner), Number: usually(r, int64(0), 1, 2, 3),
	}
	if r.IntN(3) == 0 {
		level := of(r, levels()...)
		a.Level = &level
	}
	return a
}

func (w *world) save(ctx context.Context, store *dynamo.Store) error {
	for _, writes := range [][]access.Write{w.writes, w.leaving} {
		for part := range slices.Chunk(writes, 40) {
			if err := store.Apply(ctx, func(context.Context) (access.Change, *access.StoredResponse, error) {
				return access.Change{Writes: part, At: noon()}, nil, nil
			}); err != nil {
				return fmt.Errorf("save the records: %w", err)
			}
		}
	}
	return nil
}

// question is mostly about what is there, and now and then about what is not, or malformed.
func (w *world) question(r *rand.Rand) client.Question {
	id := of(r, w.users...)
	_, domain, _ := strings.Cut(w.addresses[0], "@")
	return client.Question{
		User: usually(r, usually(r, id, of(r, w.addresses...), strings.ToUpper(of(r, w.addresses...))),
			"", "kim", "nobody@"+domain, "@", "a@b@c", strings.ToLower(id)+"X", of(r, w.partners...)+":01JD8Z6Q7YB5V3K2N4M6P8R0S9",
			"p#:x", "ü@"+domain),
		Action:   usually(r, of(r, "reports:read", "sign_in", "user_activity:read", "settings:write"), "", "no:such", "reports:read ", "*", `"`, "ä\x00"),
		Customer: usually(r, of(r, w.customers...), "", "nobody", "C#x", strings.ToUpper(w.customers[0]), strings.Repeat("x", 100), "ü"),
	}
}

// instant is one at which a period begins or ends, a millisecond beside it, or any other.
func (w *world) instant(r *rand.Rand) time.Time {
	at := of(r, w.instants...)
	switch r.IntN(6) {
	case 0:
		return at
	case 1:
		return at.Add(-time.Millisecond)
	case 2:
		return at.Add(-1) // a nanosecond
	case 3:
		return at.Add(time.Millisecond)
	}
	return noon().Add(time.Duration(r.Int64N(int64(26 * time.Hour))))
}

// Granted makes a table in which a customer grants one user support without an end, and returns a question about it that is allowed.
func Granted(ctx context.Context, e *engine.Engine, table string) (client.Question, error) {
	if err := dynamo.CreateTable(ctx, e.Client(), table, false); err != nil {
		return client.Question{}, err
	}
	q := client.Question{User: "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", Action: "reports:read", Customer: "acme"}
	w := world{writes: []access.Write{
		access.PartnerWrite{After: &access.Partner{
			ID: "contoso", Class: access.Channel, Offer: access.Manage, Status: access.Active, Version: 1,
		}},
		access.UserWrite{After: &access.User{
			ID: q.User, Partner: "contoso", Number: 1, Email: "kim@contoso.example", Role: access.Tech, Status: access.Active, Version: 1,
		}},
		access.GrantWrite{After: &access.Grant{
			ID: "grt_1", Customer: q.Customer, Partner: "contoso", Level: access.Support, State: access.StateOpen, Everyone: true, Version: 1,
		}},
	}}
	return q, w.save(ctx, dynamo.New(e.Client(), table))
}
