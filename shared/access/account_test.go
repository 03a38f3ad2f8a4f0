package access_test

import (
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/access"
)

const ulid = "01J9Z3NDEKTSV4RRFFQ69G5FAV"

func TestAnAccountsNameSaysForGoodWhoseItIs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]access.AccountKind{
		"":                                       access.NamelessAccount,
		"ann":                                    access.NamelessAccount,
		"google_12345":                           access.NamelessAccount,
		"contoso:" + ulid:                        access.UserAccount,
		strings.ToLower("contoso:" + ulid):       access.UserAccount,
		"member:" + ulid:                         access.UserAccount, // of a partner that is called so
		"member~" + ulid:                         access.MemberAccount,
		strings.ToLower("member~" + ulid):        access.MemberAccount,
		"idp~corp_ann":                           access.FederatedAccount,
		"IDP~Corp_ann":                           access.FederatedAccount,
		"idp~corp_contoso:" + ulid:               access.FederatedAccount, // a subject is its identity provider's to choose
		"idp~corp_member~" + ulid:                access.FederatedAccount,
		"idp~corp_https://idp.example/users/ann": access.FederatedAccount,
		"idp~corp_https://idp.example/users?id=1": access.FederatedAccount,
	} {
		if got, ok := access.ParseAccountName(name); !ok || got.Kind != want || got.Name != name {
			t.Errorf("%q: got %+v (%v), want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"contoso:", "contoso:ann", ":" + ulid, "con~toso:" + ulid, "member~", "member~ann", "member~" + ulid + "0",
		"member~" + ulid[:25] + "ſ", // the long s, which upper case makes an S
		"idp~", "idp~corp", "idp~_ann", "idp~corp_", "~" + ulid, "other~" + ulid,
	} {
		if got, ok := access.ParseAccountName(name); ok {
			t.Errorf("%q: got %+v, want it refused", name, got)
		}
	}
}

func TestAMembersAccountIsTheOneThatTheAddressHasNow(t *testing.T) {
	t.Parallel()
	name, _ := access.ParseAccountName(strings.ToLower("member~" + ulid))
	if !name.IsMember("member~" + ulid) {
		t.Error("folded letters: got another account, want the same")
	}
	other := "member~" + strings.Repeat("0", 26)
	if name.IsMember(other) || name.IsMember("") {
		t.Error("another account, and none: got the same, want another")
	}
	user, _ := access.ParseAccountName("contoso:" + ulid)
	if user.IsMember("contoso:" + ulid) {
		t.Error("a user's account: got a member's, want none")
	}
}

func TestAnIdentityProviderVouchesForItsDomainsAlone(t *testing.T) {
	t.Parallel()
	f, err := access.ParseFederation("Corp=acme.example,initech.example;any=*")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		provider, address string
		want              bool
	}{
		{"corp", "ann@acme.example", true},
		{"corp", "ann@initech.example", true},
		{"corp", "ann@eu.acme.example", false}, // a subdomain may be somebody else's
		{"corp", "ann@globex.example", false},
		{"corp", "acme.example", false},
		{"any", "ann@globex.example", true},
		{"other", "ann@acme.example", false},
		{"", "ann@acme.example", false},
	} {
		if got := f.Vouches(c.provider, c.address); got != c.want {
			t.Errorf("%s for %s: got %v, want %v", c.provider, c.address, got, c.want)
		}
	}
	if again, err := access.ParseFederation(f.String()); err != nil || again.String() != f.String() {
		t.Errorf("written and read again: got %q (%v), want %q", again, err, f)
	}
	if none, err := access.ParseFederation(""); err != nil || len(none) != 0 || none.Covers("ann@acme.example") {
		t.Errorf("no setting: got %+v (%v), want none", none, err)
	}
	for _, bad := range []string{
		"corp", "corp=", "=acme.example", "co_rp=acme.example",
		"co.rp=acme.example", "corp=ACME.example", "corp=acme", "corp=a.example,*.b.example",
		"a-name-that-is-longer-than-28=acme.example",
	} {
		if got, err := access.ParseFederation(bad); err == nil {
			t.Errorf("%q: got %+v, want it refused", bad, got)
		}
	}
}

// memberAccount is the account that the address has for its members, and what the latest change has left to be done about accounts, in its
// order: "+" for one that comes, "-" for one that goes.
func (w *world) memberAccount(address string) (account string, left []string) {
	w.t.Helper()
	e := loaded(w.emails, address)
	for _, task := range w.change.IdentityTasks() {
		sign := "+"
		switch {
		case task.Address == "":
			if u := loaded(w.users, task.User); u == nil || u.Status == access.Removed {
				sign = "-"
			}
		case access.MemberAccountOf(task.User, task.Address, loaded(w.emails, task.Address)).Status == access.Removed:
			sign = "-"
		}
		kind, _, _ := strings.Cut(task.User, "~")
		left = append(left, sign+strings.TrimRight(kind, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
	}
	if e != nil {
		account = e.Account
	}
	return account, left
}

func (w *world) wantMemberAccount(address string, want bool, left ...string) string {
	w.t.Helper()
	account, got := w.memberAccount(address)
	if name, ok := access.ParseAccountName(account); (account != "") != want || want && (!ok || name.Kind != access.MemberAccount) {
		w.t.Errorf("account of %s: got %q, want one: %v", address, account, want)
	}
	if !slices.Equal(got, left) {
		w.t.Errorf("tasks: got %q, want %q", got, left)
	}
	return account
}

func TestAMemberGetsOneAccountForAllItsCustomers(t *testing.T) {
	w := newWorld(t)
	w.accounts = true
	w.member("acme", "bea@acme.example", true)
	first := w.wantMemberAccount("bea@acme.example", true, "+member")
	if !w.change.Events[0].Data.Account {
		t.Error("the event: got no account, want one, whose mail carries the password")
	}
	w.member("initech", "bea@acme.example", false)
	if again := w.wantMemberAccount("bea@acme.example", true); again != first || w.change.Events[0].Data.Account {
		t.Errorf("a second customer: got %q, want the account that she has, and no mail", again)
	}
	w.noMember("acme", "bea@acme.example")
	w.wantMemberAccount("bea@acme.example", true)
	w.noMember("initech", "bea@acme.example")
	w.wantMemberAccount("bea@acme.example", false, "-member")

	w.member("acme", "bea@acme.example", false)
	if again := w.wantMemberAccount("bea@acme.example", true, "+member"); again == first {
		t.Error("registered again: got the account of before, want another: its password and its tokens have ended")
	}
}

func TestNoAccountIsMadeWhereNoneIsKept(t *testing.T) {
	w := newWorld(t)
	w.member("acme", "bea@acme.example", true)
	w.wantMemberAccount("bea@acme.example", false)

	w.accounts = true
	w.federation = access.Federation{{Name: "corp", Domains: []string{"acme.example"}}}
	w.member("acme", "cyd@acme.example", true)
	w.wantMemberAccount("cyd@acme.example", false)
	w.member("acme", "cyd@initech.example", true)
	w.wantMemberAccount("cyd@initech.example", true, "+member")
}

func TestAMemberWhoseAddressAPartnersUserHasGetsNoAccount(t *testing.T) { // A7, A8
	w := newWorld(t)
	w.accounts, w.actor = true, provider
	kim := w.join("contoso", "kim", access.Tech)
	w.member("acme", "kim@contoso.example", false)
	w.wantMemberAccount("kim@contoso.example", false)

	// When the user gives the address up, the member can have it.
	if _, err := w.editUser(kim, access.UserCommand{Email: new("kira@contoso.example")}); err != nil {
		t.Fatal(err)
	}
	w.wantMemberAccount("kim@contoso.example", true, "+contoso:", "+member")

	w.member("acme", "kira@contoso.example", false)
	w.wantMemberAccount("kira@contoso.example", false)
	w.leave(kim)
	w.wantMemberAccount("kira@contoso.example", true, "-contoso:", "+member")
}

func TestAnUnprovedAccountEndsBeforeTheMembersComes(t *testing.T) {
	w := newWorld(t)
	w.accounts = true
	w.actor = access.Actor{Kind: "partner", Email: "olga@contoso.example", User: w.owner, Role: access.Owner}
	cmd := access.UserCommand{Email: new("bea@nowhere.example"), Name: new("Bea"), Role: new(access.Tech)}
	if _, err := w.newUser("contoso", cmd); err != nil {
		t.Fatal(err)
	}
	w.actor = provider
	w.member("acme", "bea@nowhere.example", true)
	w.wantMemberAccount("bea@nowhere.example", true, "-contoso:", "+member")
}

func TestAMembersPasswordIsRenewed(t *testing.T) {
	w := newWorld(t)
	w.member("acme", "bea@acme.example", true) // before accounts were kept
	w.accounts = true
	renew := func() access.Code {
		t.Helper()
		c, _, err := access.PlanRenewMember(w.memberFacts("acme", "bea@acme.example"), w.planContext())
		if err == nil {
			w.commit(c)
		}
		return access.CodeOf(err)
	}
	if code := renew(); code != "" {
		t.Fatalf("got %s, want an account", code)
	}
	first := w.wantMemberAccount("bea@acme.example", true, "+member")
	if code := renew(); code != "" || w.wantMemberAccount("bea@acme.example", true, "+member") != first {
		t.Errorf("again: got %s, want the same account", code)
	}
	w.federation = access.Federation{{Name: "corp", Domains: []string{"*"}}}
	if code := renew(); code != access.NotFound {
		t.Errorf("with an identity provider of its own: got %q, want not found", code)
	}
	w.federation = nil
	w.noMember("acme", "bea@acme.example")
	if code := renew(); code != access.NotFound {
		t.Errorf("no member: got %q, want not found", code)
	}
	kim := w.join("contoso", "kim", access.Tech)
	w.member("acme", "kim@contoso.example", false)
	_, _, err := access.PlanRenewMember(w.memberFacts("acme", "kim@contoso.example"), w.planContext())
	if access.CodeOf(err) != access.EmailTaken {
		t.Errorf("an address of %s: got %v, want it taken", kim, err)
	}
}

func TestE4_ARegistrationLeavesTheAccountToTheSweep(t *testing.T) {
	w := inviting(t)
	i := w.invitations[w.invited(ann, access.InviteCommand{Email: eve, Days: 7})]
	pc := w.as(access.Actor{Kind: access.ActorPartner, Email: eve}).planContext()
	pc.Accounts, pc.Unattended = true, true
	c, after, err := access.PlanRegister(w.inviteFacts(eve, &i), &i, "Eve", pc)
	if err != nil || after.State != access.InvitationAccepted {
		t.Fatalf("got %+v (%v), want it accepted", after, err)
	}
	task := c.Change.Identity()
	if task == nil || !task.Due.Equal(w.now) || task.User != after.User {
		t.Fatalf("got task %+v, want one of %s that is due", task, after.User)
	}
	if _, mine := access.PlanClaimIdentityTask(task, pc); mine == nil || !mine.InFlightUntil.IsZero() {
		t.Errorf("taken: got %+v, want a worker before whom nothing was sent", mine)
	}
	if e := c.Change.Events[0]; e.Data.Invitation != i.ID || !e.Data.Account || e.Actor.Email != ann.Email {
		t.Errorf("the first event: got %+v, want the inviter's, with an account", e)
	}

	w.join("contoso", "kim", access.Tech)
	f := w.inviteFacts(eve, &i)
	for _, u := range w.users {
		if u.Role == access.Tech {
			f.User = &u
		}
	}
	if c, _, err := access.PlanRegister(f, &i, "Eve", pc); access.CodeOf(err) != access.EmailTaken || !c.Change.Empty() {
		t.Errorf("an address with an account: got %v, want it taken", err)
	}
}
