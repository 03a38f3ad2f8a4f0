package spec_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/shared/access"
)

// The identity provider's groups, which its own apps read: who is in which follows the role in the table.

// groups are those that the identity provider has the user's account in; "none" without an account.
func (o *employer) groups(user string) string {
	o.t.Helper()
	api, pool := o.Stack.DirectAccounts()
	a, err := api.AdminListGroupsForUser(o.t.Context(),
		&cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: &pool, Username: &user})
	if is := smithy.APIError(nil); errors.As(err, &is) && is.ErrorCode() == "UserNotFoundException" {
		return "none"
	}
	if err != nil {
		o.t.Fatal(err)
	}
	var names []string
	for _, g := range a.Groups {
		names = append(names, *g.GroupName)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func (o *employer) wantGroups(user, want string) {
	o.t.Helper()
	if got := o.groups(user); got != want {
		o.t.Errorf("groups of %s: got %q, want %q", user, got, want)
	}
}

// join puts the user's account into a group, as the provider does by hand.
func (o *employer) join(user, group string) {
	o.t.Helper()
	api, pool := o.Stack.DirectAccounts()
	if _, err := api.AdminAddUserToGroup(o.t.Context(),
		&cognitoidentityprovider.AdminAddUserToGroupInput{UserPoolId: &pool, Username: &user, GroupName: &group}); err != nil {
		o.t.Fatal(err)
	}
}

func TestP2_P19_AnAccountIsInTheGroupOfItsRoleAndFollowsTheRole(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	api, pool := o.Stack.DirectAccounts()
	own := "pilots" // a group of the provider's own
	if _, err := api.CreateGroup(t.Context(), &cognitoidentityprovider.CreateGroupInput{UserPoolId: &pool, GroupName: &own}); err != nil {
		t.Fatal(err)
	}
	kim := o.User("contoso", "kim@contoso.example", "tech")
	o.wantGroups(kim, "partner-tech partners")
	o.join(kim, own)
	for _, role := range []string{"admin", "business", "sales_marketing", "owner", "tech"} {
		o.edit(kim, object{"role": role})
		o.wantGroups(kim, "partner-"+role+" partners pilots")
		o.wantNoTask(kim)
	}
	o.wantAccount(kim, "enabled kim@contoso.example")

	// Only the group of the role that it has, whoever put it into others.
	o.join(kim, "partner-owner")
	o.edit(kim, object{"status": "disabled"})
	o.wantGroups(kim, "partner-tech partners pilots")
	o.edit(kim, object{"status": "active", "role": "business", "email": "kira@contoso.example", "phone": "+4930123456"})
	o.wantGroups(kim, "partner-business partners pilots")
	o.wantAccount(kim, "enabled kira@contoso.example +4930123456")

	ext := o.User("contoso", "ext@elsewhere.example", "external")
	o.wantGroups(ext, "partner-external partners")
	o.remove(kim)
	o.wantGroups(kim, "none")
}

// What somebody may do the table says: a group that says otherwise changes nothing.
func TestAGroupAtTheIdentityProviderAllowsNothing(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, _ := o.employee("kim@contoso.example", "tech", secretOne)
	o.join(kim, "partner-owner")
	token := o.login("kim@contoso.example", secretOne, "").Want(http.StatusOK).String("token")
	me := o.Bearer(token)
	me.Do(http.MethodGet, "/v1/partners/contoso/account", nil).WantProblem(http.StatusForbidden, "forbidden")
	me.Do(http.MethodPost, "/v1/partners/contoso/users",
		object{"email": "new@contoso.example", "name": "New", "role": "tech"}).WantProblem(http.StatusForbidden, "forbidden")
	// Nor is the old role kept for as long as a token lives.
	o.edit(kim, object{"role": "business"})
	me.Do(http.MethodGet, "/v1/partners/contoso/mail", nil).Want(http.StatusOK)
	o.edit(kim, object{"role": "tech"})
	me.Do(http.MethodGet, "/v1/partners/contoso/mail", nil).WantProblem(http.StatusForbidden, "forbidden")
}

// Every way in which one of the calls can fail. The answer is a success, and the sweep finishes the account.
func TestP19_AnotherRoleIsCarriedThroughByTheSweepWhateverFails(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	for i, call := range []string{"AdminListGroupsForUser", "AdminRemoveUserFromGroup", "AdminAddUserToGroup", "*"} {
		for _, after := range []bool{false, true} {
			name := fmt.Sprintf("%s, after its effect: %v", call, after)
			user := o.User("contoso", fmt.Sprintf("u%d-%v@contoso.example", i, after), "tech")
			o.throughFailures(name, user, call, after, func() { o.edit(user, object{"role": "admin"}) })
			if got := o.groups(user); got != "partner-admin partners" {
				t.Errorf("%s: groups: got %q, want those of an admin", name, got)
			}
		}
	}
}

// A pool that was restored, or made by hand.
func TestP19_APoolWithoutTheGroupsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	api, pool := o.Stack.DirectAccounts()
	for _, g := range access.Groups() {
		if _, err := api.DeleteGroup(t.Context(), &cognitoidentityprovider.DeleteGroupInput{UserPoolId: &pool, GroupName: &g.Name}); err != nil {
			t.Fatal(err)
		}
	}
	o.edit(kim, object{"role": "business", "phone": "+4930123456"})
	lee := o.User("contoso", "lee@contoso.example", "tech")
	for user, want := range map[string]string{kim: "enabled kim@contoso.example +4930123456", lee: "enabled lee@contoso.example"} {
		o.wantNoTask(user)
		o.wantAccount(user, want)
		o.wantGroups(user, "")
	}
	// The next change after the groups were made puts the account into its own.
	if _, err := cognitolocal.Shared(t).Pool(t.Context(), o.Stack.Table()); err != nil {
		t.Fatal(err)
	}
	o.edit(kim, object{"phone": nil})
	o.wantGroups(kim, "partner-business partners")
	o.wantGroups(lee, "")
}
