package httpapi

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"partneraccess/shared/access"
)

type grantBody struct {
	Partner    opt[string]   `json:"partner"`
	Email      opt[string]   `json:"email"`
	Users      opt[[]string] `json:"users"`
	Everyone   opt[bool]     `json:"everyone"`
	Level      opt[string]   `json:"level"`
	From       opt[moment]   `json:"from"`
	Until      opt[moment]   `json:"until"`
	RequireSSO opt[bool]     `json:"require_sso"`
	AssignedBy opt[string]   `json:"assigned_by"`
	Note       opt[string]   `json:"note"`
	Message    opt[string]   `json:"message"`
}

// command reads what is to be granted, and to whom: a partner, or the address of one of its users.
func (b grantBody) command(cfg Config) (cmd access.GrantCommand, partner, email string, err error) {
	var f findings
	cmd = access.GrantCommand{
		Level: f.level(b.Level, "/level"), RequireSSO: f.flag(b.RequireSSO, "/require_sso"), Note: f.note(b.Note, "/note"), Message: f.message(b.Message, "/message"),
		AssignedBy: oneOf(&f, b.AssignedBy, "/assigned_by", access.ByCustomer, access.ByPartner), DefaultSSO: cfg.RequireSSO,
		From: given(b.From), Until: given(b.Until), Everyone: b.Everyone.Value,
	}
	f.flag(b.Everyone, "/everyone")
	if p := f.text(b.Partner, "/partner", "this cannot be a partner's id: look it up in the partners directory", access.ValidID); p != nil {
		partner = *p
	}
	if e := f.email(b.Email, "/email"); e != nil {
		email = *e
	}
	if users := f.users(b.Users, "/users", access.MaxUserChanges); users != nil {
		if cmd.Users = *users; len(b.Users.Value) == 0 {
			f.add("/users", "name at least one user, or leave this out to let the partner assign its users")
		}
	}
	switch {
	case b.Partner.Given == b.Email.Given:
		f.add("", "name either the partner or the email of one of its users")
	case b.Email.Given && (b.Users.Given || b.Everyone.Value):
		f.add("/email", "with an e-mail address one user is named: leave users and everyone out")
	case b.Users.Given && b.Everyone.Value:
		f.add("/everyone", "give either users or everyone")
	}
	return cmd, partner, email, f.err()
}

// given is an instant that was given; in a grant null means the same as nothing.
func given(o opt[moment]) *time.Time {
	if !o.has() {
		return nil
	}
	return &o.Value.Time
}

func postGrant(ctx context.Context, c *call) (reply, error) {
	dry, err := askedDry(c.Request)
	if err != nil {
		return reply{}, err
	}
	var b grantBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, partner, email, err := b.command(c.api.Config)
	if err != nil {
		return reply{}, err
	}
	customer := c.PathValue("customer")
	plan := func(ctx context.Context) (access.Change, reply, error) {
		cmd := cmd
		if email != "" {
			cust, err := c.api.Store.Customer(ctx, customer)
			if err != nil {
				return access.Change{}, reply{}, err
			}
			if err := access.CheckGrant(cust, cmd, c.moment()); err != nil {
				return access.Change{}, reply{}, err
			}
			user, err := c.individual(ctx, cust, email)
			if err != nil {
				return access.Change{}, reply{}, err
			}
			partner = user.Partner
			cmd.Users, cmd.Individual = []string{user.ID}, true
		}
		r, err := c.api.Store.Relation(ctx, customer, partner, cmd.Users, false)
		if err == nil && cmd.Everyone {
			r, err = c.replaced(ctx, r, cmd.Users)
		}
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		p, err := access.PlanGrant(r, cmd, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		out := planned(r, p, m.Now, cmd.Users...)
		if p.Created {
			out.status, out.location = 201, "/v1/customers/"+customer+"/grants/"+partner
		}
		return p.Change, out, nil
	}
	if dry {
		return c.dryRun(ctx, plan)
	}
	out, err := c.change(ctx, "", plan)
	if err != nil || email == "" || cmd.Level == nil { // then no cap is set
		return out, err
	}
	return out, c.spreadRules(ctx, customer)
}

// askedDry reads dry_run, the one parameter of the route.
func askedDry(r *Request) (bool, error) {
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil || len(q) != 1 || len(q["dry_run"]) != 1 {
		return false, noQuery(r)
	}
	switch q.Get("dry_run") {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, access.Refuse(access.Invalid, "dry_run is true or false").At("?dry_run")
}

// individual finds the partner's user who has an e-mail address (D8, D15), and refuses the customer's own people (D7, A7).
func (c *call) individual(ctx context.Context, customer *access.Customer, email string) (*access.User, error) {
	id, err := c.api.Store.Identity(ctx, email)
	if err != nil {
		return nil, err
	}
	if u := id.Individual(); u != nil {
		return u, nil
	}
	if slices.Contains(id.MemberOf, customer.ID) || access.InDomain(email, customer.Domain) {
		return nil, access.Refuse(access.OwnOrganisation, "%s is one of your own people: partners are people of outside organisations", email).At("/email")
	}
	return nil, access.Refuse(access.UnknownEmail, "%s is no user of any partner: check the address, or invite the person", email).At("/email")
}

type usersBody struct {
	Set    opt[[]string] `json:"set"`
	Add    opt[[]string] `json:"add"`
	Remove opt[[]string] `json:"remove"`
}

type editBody struct {
	Users      opt[usersBody] `json:"users"`
	Everyone   opt[bool]      `json:"everyone"`
	Level      opt[string]    `json:"level"`
	From       opt[moment]    `json:"from"`
	Until      opt[moment]    `json:"until"`
	State      opt[string]    `json:"state"`
	RequireSSO opt[bool]      `json:"require_sso"`
	AssignedBy opt[string]    `json:"assigned_by"`
	Note       opt[string]    `json:"note"`
	Message    opt[string]    `json:"message"`

	Caps opt[map[string]opt[string]] `json:"caps"`
}

func (b editBody) command() (access.EditCommand, error) {
	var f findings
	cmd := access.EditCommand{
		Everyone: f.flag(b.Everyone, "/everyone"), Level: f.level(b.Level, "/level"), From: cleared(b.From), Until: cleared(b.Until),
		State: oneOf(&f, b.State, "/state", access.StateOpen, access.StateSuspended), RequireSSO: f.flag(b.RequireSSO, "/require_sso"),
		AssignedBy: oneOf(&f, b.AssignedBy, "/assigned_by", access.ByCustomer, access.ByPartner), Note: f.note(b.Note, "/note"), Message: f.message(b.Message, "/message"),
		Caps: f.caps(b.Caps, "/caps"), Set: f.users(b.Users.Value.Set, "/users/set", access.MaxUserSet),
	}
	if add := f.users(b.Users.Value.Add, "/users/add", access.MaxUserChanges); add != nil {
		cmd.Add = *add
	}
	if remove := f.users(b.Users.Value.Remove, "/users/remove", access.MaxUserChanges); remove != nil {
		cmd.Remove = *remove
	}
	if b.Users.Null {
		f.add("/users", "say what to do with the users: set, or add and remove")
	}
	if cmd.Set != nil && (len(cmd.Add) > 0 || len(cmd.Remove) > 0) {
		f.add("/users", "give either set, or add and remove")
	}
	if cmd.Everyone != nil && *cmd.Everyone && cmd.Set != nil {
		f.add("/everyone", "everyone cannot be switched on while single users are chosen")
	}
	f.opposed(cmd.Add, cmd.Remove, "/users/remove")
	return cmd, f.err()
}

// opposed finds users who are to be added and removed.
func (f *findings) opposed(add, remove []string, pointer string) {
	for _, id := range add {
		if slices.Contains(remove, id) {
			f.add(pointer, id+" is to be added, too")
		}
	}
}

// cleared is an instant that was given, null being the zero time: without a bound.
func cleared(o opt[moment]) *time.Time {
	if !o.Given {
		return nil
	}
	return &o.Value.Time
}

// ofGrant loads and plans a change of the grant that the path names. The answer names the users in named, too, whom the request is about.
func (c *call) ofGrant(
	users []string, whole bool, plan func(access.Relation, access.Moment) (access.Planned, error), named ...string,
) func(context.Context) (access.Change, reply, error) {
	return func(ctx context.Context) (access.Change, reply, error) {
		r, err := c.api.Store.Relation(ctx, c.PathValue("customer"), c.PathValue("partner"), users, whole)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		p, err := plan(r, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		out := planned(r, p, m.Now, named...)
		if m.Actor.Kind == "partner" {
			out.body = withoutNote(out.body)
		}
		return p.Change, out, nil
	}
}

// replaced is the relation with the rows of those whom everyone is about to replace, so that the external users among them are named (E14). The rows of
// more than a set can name are not loaded: to switch everyone on costs the same whatever the size.
func (c *call) replaced(ctx context.Context, r access.Relation, users []string) (access.Relation, error) {
	if g := r.Grant; g == nil || g.Everyone || g.Few() || g.Count > access.MaxUserSet {
		return r, nil
	}
	return c.api.Store.Relation(ctx, r.Customer.ID, r.Partner.ID, users, true)
}

func patchGrant(ctx context.Context, c *call) (reply, error) {
	var b editBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, err := b.command()
	if err != nil {
		return reply{}, err
	}
	if cmd.Seen, err = c.seen(!cmd.OnlyTakes()); err != nil {
		return reply{}, err
	}
	users := slices.Concat(cmd.Add, cmd.Remove)
	if cmd.Set != nil {
		users = *cmd.Set
	}
	customer := c.PathValue("customer")
	var capped []string
	for _, address := range slices.Sorted(maps.Keys(cmd.Caps)) { // so that the event names them; the cap itself is the address's, whoever has it
		id, err := c.api.Store.Identity(ctx, address)
		if err != nil {
			return reply{}, err
		}
		if u := id.User; u != nil && u.Partner == c.PathValue("partner") {
			if capped = append(capped, u.ID); !slices.Contains(users, u.ID) {
				users = append(users, u.ID)
			}
		}
	}
	on := cmd.Everyone != nil && *cmd.Everyone
	edit := c.ofGrant(users, cmd.Set != nil, func(r access.Relation, m access.Moment) (access.Planned, error) {
		if on {
			var err error
			if r, err = c.replaced(ctx, r, users); err != nil {
				return access.Planned{}, err
			}
		}
		return access.PlanEdit(r, cmd, m)
	}, capped...)
	if cmd.OnlyTakes() {
		return c.take(ctx, edit)
	}
	var out reply
	if cmd.OnlyCaps() { // is not held up by those who give
		out, err = c.take(ctx, edit)
	} else {
		out, err = c.change(ctx, "", edit)
	}
	if err != nil || len(cmd.Caps) == 0 {
		return out, err
	}
	return out, c.spreadRules(ctx, customer)
}

// spreadRules has all the customer's grants copy its domain and caps before the request is answered. Should it fail, the sweep does the same, and so
// does the request when it is sent again.
func (c *call) spreadRules(ctx context.Context, customer string) error {
	cust, err := c.api.Store.Customer(ctx, customer)
	if err != nil || cust == nil {
		return err
	}
	rows, err := c.grantsOf(ctx, cust)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Grant.Ended(c.api.now()) || row.Grant.Follows(cust) {
			continue
		}
		if err := c.api.Store.Take(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) { // the partner cannot put it off
			r, err := c.api.Store.Relation(ctx, customer, row.Grant.Partner, nil, false)
			if err != nil {
				return access.Change{}, nil, err
			}
			p, err := access.PlanCustomerRules(r, c.moment())
			return p.Change, nil, err
		}); err != nil {
			return err
		}
	}
	return nil
}

type pickBody struct {
	Users    opt[[]string] `json:"users"`
	Add      opt[[]string] `json:"add"`
	Remove   opt[[]string] `json:"remove"`
	Everyone opt[bool]     `json:"everyone"`
}

// putPick is the partner's choice of who of its users may enter a customer (A5, E2, E11).
func putPick(ctx context.Context, c *call) (reply, error) {
	seen, err := c.seen(false)
	if err != nil {
		return reply{}, err
	}
	var b pickBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	cmd := access.PickCommand{Seen: seen, Users: f.users(b.Users, "/users", access.MaxUserSet), Everyone: f.flag(b.Everyone, "/everyone")}
	if add := f.users(b.Add, "/add", access.MaxUserChanges); add != nil {
		cmd.Add = *add
	}
	if remove := f.users(b.Remove, "/remove", access.MaxUserChanges); remove != nil {
		cmd.Remove = *remove
	}
	single := b.Add.Given || b.Remove.Given
	if !single && !b.Users.Given && !b.Everyone.Given || cmd.Users != nil && cmd.Everyone != nil && *cmd.Everyone || single && (b.Users.Given || b.Everyone.Given) {
		f.add("", "give either users, or everyone, or add and remove")
	}
	f.opposed(cmd.Add, cmd.Remove, "/remove")
	if err := f.err(); err != nil {
		return reply{}, err
	}
	users := slices.Concat(cmd.Add, cmd.Remove)
	if cmd.Users != nil {
		users = *cmd.Users
	}
	return c.change(ctx, "", c.ofGrant(users, !single, func(r access.Relation, m access.Moment) (access.Planned, error) {
		if err := c.unseen(openVersion(r, m)); err != nil {
			return access.Planned{}, err
		}
		return access.PlanPick(r, cmd, m)
	}))
}

func deleteGrant(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, c.ofGrant(nil, false, access.PlanRevoke))
}

func relinquish(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, c.ofGrant(nil, false, access.PlanRelinquish))
}

// leaveCustomer takes a user out of one customer's grant: the caller itself, or another of its partner's users.
func leaveCustomer(ctx context.Context, c *call) (reply, error) {
	user := c.PathValue("user")
	if !access.ValidUserID(user) || c.who.kind&leads == 0 && c.who.id.User.ID != user {
		return reply{}, nothingHere()
	}
	_, err := c.take(ctx, c.ofGrant([]string{user}, false, func(r access.Relation, m access.Moment) (access.Planned, error) {
		return access.PlanLeave(r, user, m)
	}))
	return reply{status: 204}, err
}

func deleteGrantUser(ctx context.Context, c *call) (reply, error) {
	user := c.PathValue("user")
	if !access.ValidUserID(user) {
		return reply{}, nothingHere()
	}
	return c.take(ctx, c.ofGrant([]string{user}, false, func(r access.Relation, m access.Moment) (access.Planned, error) {
		return access.PlanRemoveUser(r, user, m)
	}))
}
