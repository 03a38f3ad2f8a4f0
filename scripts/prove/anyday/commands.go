package anyday

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// populate makes the organisations and their first people.
func (w *world) populate() error {
	provider := service.Caller{Actor: access.Actor{Kind: access.ActorProvider}}
	for _, id := range []string{"contoso", "fabrikam", "initech"} {
		name, offer := id, access.Manage
		cmd := access.PartnerCommand{Seen: access.AnyVersion, Name: &name, Offer: &offer}
		if _, err := w.service.SavePartner(w.ctx, provider, id, cmd, true, service.Options[service.SavedPartner]{}); err != nil {
			return err
		}
		w.partners = append(w.partners, id)
		for range 5 {
			if err := w.join(id); err != nil {
				return err
			}
		}
	}
	for _, id := range []string{"acme", "globex", "hooli", "umbrella"} {
		name, domain := id, id+".example"
		cmd := access.CustomerCommand{Seen: access.AnyVersion, Name: &name, Domain: &domain}
		if _, err := w.service.SaveCustomer(w.ctx, provider, id, cmd, service.Options[service.SavedCustomer]{}); err != nil {
			return err
		}
		w.customers = append(w.customers, id)
	}
	return nil
}

// join adds a user to a partner.
func (w *world) join(partner string) error {
	w.next++
	address := fmt.Sprintf("u%d@%s.example", w.next, partner)
	role := pick(w, []access.Role{access.Tech, access.Business, access.External, access.Owner})
	name := fmt.Sprintf("User %d", w.next)
	u, err := w.service.AddUser(w.ctx, w.provider(), partner, access.UserCommand{Email: &address, Name: &name, Role: &role},
		service.Options[*access.User]{})
	if err == nil {
		w.users = append(w.users, u.ID)
	}
	return err
}

func (w *world) provider() service.Caller {
	return service.Caller{Actor: access.Actor{Kind: access.ActorProvider}}
}

func (w *world) customer(id string) service.Caller {
	return service.Caller{Actor: access.Actor{Kind: access.ActorCustomer, Email: "ann@" + id + ".example"}, Customer: id}
}

func (w *world) owner(partner string) service.Caller {
	return service.Caller{
		Actor: access.Actor{Kind: access.ActorPartner, Email: "olga@" + partner + ".example", Role: access.Owner}, Leads: partner,
	}
}

// of is a user of the partner.
func (w *world) of(partner string) string {
	for {
		if u := pick(w, w.users); u[:len(partner)+1] == partner+":" {
			return u
		}
	}
}

// someOf are some users of the partner, each once.
func (w *world) someOf(partner string, most int) []string {
	seen := map[string]bool{}
	var out []string
	for range 1 + w.random.IntN(most) {
		if u := w.of(partner); !seen[u] {
			seen[u], out = true, append(out, u)
		}
	}
	return out
}

func ref[T any](v T) *T { return &v }

// command makes one random change. A refusal is none.
func (w *world) command() error {
	kinds := []struct {
		name   string
		weight int
		do     func(customer, partner string) error
	}{
		{"grant", 16, w.grant},
		{"edit", 34, w.edit},
		{"assign", 10, w.assign},
		{"revoke", 3, func(c, p string) error {
			_, err := w.service.Revoke(w.ctx, w.customer(c), c, p, service.Options[service.Granted]{})
			return err
		}},
		{"relinquish", 2, func(c, p string) error { _, err := w.service.Relinquish(w.ctx, w.owner(p), c, p); return err }},
		{"remove user", 8, func(c, p string) error {
			_, err := w.service.RemoveGrantUser(w.ctx, w.customer(c), c, p, w.of(p))
			return err
		}},
		{"leave", 4, func(c, p string) error { _, err := w.service.Leave(w.ctx, w.owner(p), c, p, w.of(p)); return err }},
		{"user", 12, w.editUser},
		{"partner", 6, w.editPartner},
		{"customer", 3, func(c, _ string) error {
			cmd := access.CustomerCommand{Seen: access.AnyVersion, Name: ref(fmt.Sprint(c, " ", w.random.IntN(100)))}
			_, err := w.service.SaveCustomer(w.ctx, w.provider(), c, cmd, service.Options[service.SavedCustomer]{})
			return err
		}},
		{"member", 2, w.member},
	}
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	for n, i := w.random.IntN(sum), 0; ; i++ {
		if n -= kinds[i].weight; n >= 0 {
			continue
		}
		err := kinds[i].do(pick(w, w.customers), pick(w, w.partners))
		var refused *access.Error
		switch {
		case err == nil:
			w.Report.Changes++
		case errors.As(err, &refused):
			w.Refused++
		default:
			return fmt.Errorf("%s: %w", kinds[i].name, err)
		}
		return nil
	}
}

func (w *world) level() access.Level {
	return pick(w, []access.Level{access.None, access.View, access.View, access.Support, access.Support, access.Manage, access.Manage})
}

// soon is an end that comes while the history lasts, or none.
func (w *world) soon() time.Time {
	if w.random.IntN(4) > 0 {
		return time.Time{}
	}
	return w.now.Add(time.Duration(1+w.random.IntN(60)) * 24 * time.Hour)
}

func (w *world) grant(c, p string) error {
	picks := pick(w, []access.Assigner{access.ByCustomer, access.ByPartner})
	cmd := access.GrantCommand{Level: ref(w.level()), Until: ref(w.soon()), AssignedBy: &picks}
	switch w.random.IntN(3) {
	case 0:
		cmd.Everyone = true
	case 1:
		cmd.Users = w.someOf(p, 4)
	}
	_, err := w.service.Grant(w.ctx, w.customer(c), c, service.Grantee{Partner: p}, cmd, service.Options[service.Granted]{})
	return err
}

func (w *world) edit(c, p string) error {
	cmd := access.EditCommand{Seen: access.AnyVersion}
	switch w.random.IntN(9) {
	case 0:
		cmd.Level = ref(w.level())
	case 1:
		cmd.Until = ref(w.soon())
	case 2:
		cmd.State = ref(pick(w, []access.State{access.StateOpen, access.StateOpen, access.StateSuspended}))
	case 3:
		cmd.Everyone = ref(w.random.IntN(2) == 0)
	case 4:
		cmd.Set = ref(w.someOf(p, 5))
	case 5:
		cmd.Add = w.someOf(p, 3)
	case 6:
		cmd.Remove = w.someOf(p, 2)
	case 7:
		cmd.AssignedBy = ref(pick(w, []access.Assigner{access.ByCustomer, access.ByPartner}))
	case 8:
		u, err := w.store.User(w.ctx, w.of(p))
		if err != nil || u == nil {
			return err
		}
		cmd.Caps = map[string]*access.Level{u.Email: nil}
		if w.random.IntN(3) > 0 {
			cmd.Caps[u.Email] = ref(w.level())
		}
	}
	_, err := w.service.Edit(w.ctx, w.customer(c), c, p, cmd, service.Options[service.Granted]{})
	return err
}

func (w *world) assign(c, p string) error {
	cmd := access.AssignCommand{Add: w.someOf(p, 2), Remove: w.someOf(p, 2)}
	if w.random.IntN(2) == 0 {
		cmd = access.AssignCommand{Users: ref(w.someOf(p, 4))}
	}
	_, err := w.service.Assign(w.ctx, w.owner(p), c, p, cmd, service.Options[service.Granted]{})
	return err
}

func (w *world) editUser(_, p string) error {
	u, cmd := w.of(p), access.UserCommand{Seen: access.AnyVersion}
	switch w.random.IntN(6) {
	case 0:
		return w.join(p)
	case 1:
		if w.random.IntN(2) == 0 {
			return w.remove(p, u)
		}
		cmd.Name = ref(fmt.Sprint("User ", w.random.IntN(1000)))
	case 2:
		cmd.Status = ref(pick(w, []access.Status{access.Active, access.Active, access.Disabled}))
	case 3:
		cmd.Status = ref(access.Active)
	case 4:
		cmd.Role = ref(pick(w, []access.Role{access.Tech, access.Business, access.External}))
	case 5:
		w.next++
		cmd.Email = ref(fmt.Sprintf("n%d@%s", w.next, pick(w, []string{p + ".example", "other-" + p + ".example"})))
	}
	_, err := w.service.EditUser(w.ctx, w.provider(), p, u, cmd, service.Options[*access.User]{})
	return err
}

// remove removes a user, who is asked about seldom from then on.
func (w *world) remove(p, u string) error {
	if err := w.service.RemoveUser(w.ctx, w.provider(), p, u); err != nil {
		return err
	}
	i := slices.Index(w.users, u)
	w.users = slices.Delete(w.users, i, i+1)
	w.left = append(w.left, u)
	return nil
}

func (w *world) editPartner(_, p string) error {
	cmd := access.PartnerCommand{Seen: access.AnyVersion}
	switch w.random.IntN(3) {
	case 0:
		cmd.Status = ref(pick(w, []access.Status{access.Active, access.Active, access.Active, access.Suspended}))
	case 1:
		cmd.Offer = ref(pick(w, []access.Level{access.View, access.Support, access.Manage}))
	case 2:
		cmd.Name = ref(fmt.Sprint(p, " ", w.random.IntN(100)))
	}
	_, err := w.service.SavePartner(w.ctx, w.provider(), p, cmd, false, service.Options[service.SavedPartner]{})
	return err
}

// member makes a partner's user a member of a customer, too, who then has no access there, or ends that.
func (w *world) member(c, p string) error {
	u, err := w.store.User(w.ctx, w.of(p))
	if err != nil || u == nil {
		return err
	}
	if w.random.IntN(2) == 0 {
		return w.service.RemoveMember(w.ctx, w.provider(), c, u.Email, true)
	}
	_, err = w.service.SaveMember(w.ctx, w.provider(), c, u.Email, service.MemberCommand{}, service.Options[service.SavedMember]{})
	return err
}
