package access

import (
	"slices"
	"strings"

	"partneraccess/events"
)

// UserFacts are the records that a plan about a partner's user reads.
type UserFacts struct {
	Partner   *Partner
	Headcount Headcount
	User      *User         // nil for a new one
	Email     *Email        // of the address that the user gets, or has
	OldEmail  *Email        // of the address that the user gives up
	Task      *Task         // the identity task that the user has
	Domains   Domains       // of the address that the user gets, and those above it
	Holder    AddressHolder // another user who has that address
}

// UserCommand creates or edits a partner's user. Nil fields were not given.
type UserCommand struct {
	Seen   int64
	Email  *string
	Name   *string
	Phone  *string // "" = none
	Role   *Role
	Status *Status // active or disabled
	MFA    *bool
}

// OnlyDisables reports whether the command disables the user and does nothing else.
func (c UserCommand) OnlyDisables() bool {
	return c.Status != nil && *c.Status == Disabled && c.Email == nil && c.Name == nil && c.Phone == nil && c.Role == nil && c.MFA == nil
}

// PlanNewUser plans that a partner gets a user (P2, P14). It refuses roles above the actor's own, and then addresses that cannot be the
// user's (see claim); owners are set by the provider, and the first user is one unless another role is given.
func PlanNewUser(f UserFacts, cmd UserCommand, pc PlanContext) (Change, *User, error) {
	if f.Partner == nil || f.Partner.Status == Removed {
		return Change{}, nil, notFound("partner")
	}
	role := Role("")
	if cmd.Role != nil {
		role = *cmd.Role
	} else if f.Headcount.LastNumber == 0 && pc.Actor.Kind == ActorProvider {
		role = Owner
	}
	if role == "" {
		return Change{}, nil, Refuse(Invalid, "a user needs a role: admin, business, tech, sales_marketing or external").At("/role")
	}
	if err := MayManageRole(pc.Actor, role); err != nil {
		return Change{}, nil, err.At("/role")
	}
	h := f.Headcount
	h.LastNumber++
	h.Version++
	u := User{
		ID: f.Partner.ID + ":" + pc.NewID(), Partner: f.Partner.ID, Number: h.LastNumber, Email: *cmd.Email, Role: role, Status: Active,
		Created: pc.Now, Updated: pc.Now, Version: 1,
	}
	applyUserCommand(&u, cmd)
	if err := checkPhone(&u); err != nil {
		return Change{}, nil, err
	}
	u.Unproved = f.needsProof(u.Email, pc)
	writes, past, err := f.claimAddress(u.Email, pc)
	if err != nil {
		return Change{}, nil, err
	}
	adjustHeadcount(&h, nil, &u)
	c := Change{
		Writes: append(writes, HeadcountWrite{Before: &f.Headcount, After: &h}, UserWrite{After: &u}, setAddressUser(f.Email, u.Email, u.ID)),
		Events: append(past, pc.event(events.UserCreated, nil, f.Partner, userData(&u))),
	}
	c.Writes = append(append(c.Writes, pc.accountTask(nil, &u)...), pc.activation(&u)...)
	return c, &u, nil
}

// PlanUser plans that a user is edited (P19), disabled or enabled. Nobody changes his own role, or a user whose role is above his own. An
// address that the provider sets is proved by that, even if it is the present one.
func PlanUser(f UserFacts, cmd UserCommand, pc PlanContext) (Change, *User, error) {
	if f.Partner == nil || f.Partner.Status == Removed || f.User == nil || f.User.Status == Removed {
		return Change{}, nil, notFound("user")
	}
	if err := MayManageRole(pc.Actor, f.User.Role); err != nil {
		return Change{}, nil, err
	}
	u := *f.User
	if cmd.Role != nil && *cmd.Role != u.Role {
		if err := checkRoleChange(pc.Actor, &u, *cmd.Role); err != nil {
			return Change{}, nil, err.At("/role")
		}
		u.Role = *cmd.Role
	}
	applyUserCommand(&u, cmd)
	if cmd.Email != nil && (u.Email != f.User.Email || pc.Actor.Kind == ActorProvider) {
		u.Unproved = f.needsProof(u.Email, pc)
	}
	fields := changedFields(f.User, &u)
	if len(fields) == 0 {
		return Change{}, f.User, nil
	}
	onlyDisables := len(fields) == 1 && fields[0] == "status" && u.Status == Disabled
	if cmd.Seen != AnyVersion && cmd.Seen != f.User.Version && !onlyDisables {
		return Change{}, nil, versionMismatch("user", cmd.Seen, f.User.Version)
	}
	if err := checkPhone(&u); err != nil {
		return Change{}, nil, err
	}
	var c Change
	var released []Write // last: the user's account gives the address up before another can get it
	h := f.Headcount
	adjustHeadcount(&h, f.User, &u)
	var was int64 // the number of the person before, when it is another one now
	if _, domain, _ := strings.Cut(u.Email, "@"); !strings.HasSuffix(f.User.Email, "@"+domain) {
		h.LastNumber++
		was, u.Number = u.Number, h.LastNumber
	}
	if h != f.Headcount {
		if h.Owners == 0 && f.Headcount.Owners > 0 {
			return Change{}, nil, ownerRequired()
		}
		h.Version++
		c.Writes = append(c.Writes, HeadcountWrite{Before: &f.Headcount, After: &h})
	}
	if u.Email != f.User.Email {
		var err error
		if u.FormerEmails, err = f.User.formerEmails(); err != nil {
			return Change{}, nil, err
		}
		writes, past, err := f.claimAddress(u.Email, pc)
		if err != nil {
			return Change{}, nil, err
		}
		c.Writes, c.Events = append(c.Writes, writes...), past
		// The customers whose member the old address is still have that person for their own, whatever it is called now (A7).
		released = pc.releaseAddress(f.OldEmail, f.User, true)
		holds := setAddressUser(f.Email, u.Email, u.ID)
		if samePerson := was == 0; samePerson && f.OldEmail != nil && holds.After.Preferences == (Preferences{}) {
			holds.After.Preferences = f.OldEmail.Preferences
		}
		c.Writes = append(c.Writes, holds, pc.personTask(f.User, &u, was, h.Version))
	}
	u.Updated = pc.Now
	u.Version++
	c.Writes = append(append(c.Writes, UserWrite{Before: f.User, After: &u}), pc.reviewInvitationsOf(f.User, &u)...)
	if u.Email != f.User.Email || u.Role != f.User.Role || u.Phone != f.User.Phone || u.MFA != f.User.MFA || u.Status != f.User.Status {
		c.Writes = append(c.Writes, pc.accountTask(f.Task, &u)...)
	}
	c.Writes = append(c.Writes, released...)
	d := userData(&u)
	d.Fields, d.Changes = fields, userAlterations(f.User, &u)
	if u.Email != f.User.Email {
		d.EmailWas = f.User.Email
	}
	c.Events = append(c.Events, pc.event(userEventType(f.User, &u), nil, f.Partner, d))
	return c, &u, nil
}

// checkRoleChange refuses to change one's own role, to give or take a role that the actor may not manage, and to make an employee of an
// external user or the other way round.
func checkRoleChange(a Actor, u *User, role Role) *Error {
	if a.User == u.ID {
		return Refuse(Forbidden, "nobody changes his own role: ask somebody else who manages your organisation's people")
	}
	if err := MayManageRole(a, role); err != nil {
		return err
	}
	if role == External || u.Role == External {
		return Refuse(Invalid, "an external user stays external, and an employee an employee: remove the account and create another")
	}
	return nil
}

// userEventType returns the event of an edit of a user.
func userEventType(before, after *User) events.Type {
	switch {
	case before.Status == after.Status:
		return events.UserEdited
	case after.Status == Disabled:
		return events.UserDisabled
	}
	return events.UserEnabled
}

// PlanRemoveUserAccount plans that a user is removed from the partner: at once it has no access anywhere (D23), and its address is free.
// The last owner cannot be removed, unless the partner is.
func PlanRemoveUserAccount(f UserFacts, pc PlanContext) (Change, error) {
	if f.Partner == nil || f.User == nil || f.User.Status == Removed {
		return Change{}, notFound("user")
	}
	if err := MayManageRole(pc.Actor, f.User.Role); err != nil {
		return Change{}, err
	}
	if h := f.Headcount; f.Partner.Status != Removed && h.Owners == 1 && f.User.Role == Owner && f.User.Status == Active {
		return Change{}, ownerRequired()
	}
	writes, u := AddressHolder{User: f.User, Partner: f.Partner, Headcount: f.Headcount, Task: f.Task}.removeUser(pc)
	return Change{
		Writes: append(writes, pc.releaseAddress(f.Email, u, false)...),
		Events: []events.Event{pc.event(events.UserRemoved, nil, f.Partner, userData(u))},
	}, nil
}

// MayManageRole refuses an actor who gives the role to a user, or changes a user who has it: a partner's person when the role is above his
// own, and everybody but the provider when it is owner. Whether the actor manages the partner's people at all is decided before.
func MayManageRole(a Actor, r Role) *Error {
	switch {
	case a.Kind == ActorProvider:
		return nil
	case r == Owner:
		return Refuse(Forbidden, "owners are set, changed and removed by the provider alone")
	case a.Kind == ActorPartner && r.Above(a.Role):
		return Refuse(Forbidden, "your role is %s: nobody gives a role above his own, or changes a user who has one", a.Role)
	}
	return nil
}

func ownerRequired() *Error {
	return Refuse(OwnerRequired, "the partner keeps at least one active owner: make another user the owner first")
}

// releaseAddress records that the user no longer has the address and, if the user stays and the address is a customer's member's, that it
// had it. The member, if there is one, gets an account.
func (pc PlanContext) releaseAddress(before *Email, u *User, stays bool) []Write {
	w := setAddressUser(before, u.Email, "")
	if stays && len(w.After.MemberOf) > 0 && !slices.Contains(w.After.FormerUsers, u.ID) {
		w.After.FormerUsers = append(slices.Clone(w.After.FormerUsers), u.ID)
	}
	return append([]Write{w}, pc.maintainMemberAccount(w.After, nil)...)
}

// setAddressUser records the partner's user who has the address; "" = none.
func setAddressUser(before *Email, address, user string) EmailWrite {
	after := Email{Address: address}
	if before != nil {
		after = *before
	}
	after.User = user
	after.forgetUnheld()
	after.Version++
	return EmailWrite{Before: before, After: &after}
}

// checkPhone refuses two-factor authentication without a telephone number (P13).
func checkPhone(u *User) error {
	if u.MFA && u.Phone == "" {
		return Refuse(PhoneRequired, "two-factor authentication needs a telephone number: give one, or switch mfa off").At("/phone") // P13
	}
	return nil
}

// adjustHeadcount replaces the user as it was by the user as it is in the headcount; nil = there is none.
func adjustHeadcount(h *Headcount, before, after *User) {
	one := func(u *User, n int) {
		if u == nil || u.Status == Removed {
			return
		}
		if u.Role != External {
			h.Staff += n
		}
		if u.Role == Owner && u.Status == Active {
			h.Owners += n
		}
	}
	one(before, -1)
	one(after, 1)
}

func applyUserCommand(u *User, cmd UserCommand) {
	set(&u.Email, cmd.Email)
	set(&u.Name, cmd.Name)
	set(&u.Phone, cmd.Phone)
	set(&u.Status, cmd.Status)
	set(&u.MFA, cmd.MFA)
}

// changedFields returns the names of the API's fields in which two versions of a user differ, sorted.
func changedFields(a, b *User) []string {
	var out []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"email", a.Email == b.Email},
		{"email_proved", a.Email != b.Email || a.Unproved == b.Unproved},
		{"mfa", a.MFA == b.MFA},
		{"name", a.Name == b.Name},
		{"phone", a.Phone == b.Phone},
		{"role", a.Role == b.Role},
		{"status", a.Status == b.Status},
	} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}

func userData(u *User) events.Data {
	p := person(u)
	return events.Data{Version: u.Version, Person: &p, Role: string(u.Role)}
}
