package cognitolocal_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/shared/access"
)

func start(t *testing.T, dir string) *cognitolocal.Server {
	t.Helper()
	s, err := cognitolocal.Start(t.Context(), cognitolocal.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAKeptPoolIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	was, err := first.Pool(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	other, err := first.Pool(t.Context(), "other")
	if err != nil || other.ID == was.ID || other.Client == was.Client {
		t.Errorf("another name: got %+v (%v), want another pool than %+v", other, err, was)
	}
	user := "contoso.eu:01J9Z3NDEKTSV4RRFFQ69G5FAV" // a partner's id can have dots
	create(t, first, was, user)
	before, err := first.Client()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range access.Groups() { // all are there
		if _, err := before.AdminAddUserToGroup(t.Context(),
			&cognitoidentityprovider.AdminAddUserToGroupInput{UserPoolId: &was.ID, Username: &user, GroupName: &g.Name}); err != nil {
			t.Errorf("group %s: %v", g.Name, err)
		}
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Errorf("stopping twice: got %v, want no error", err)
	}

	second := start(t, dir)
	is, err := second.Pool(t.Context(), "kept")
	if err != nil || is != was {
		t.Errorf("after a restart: got pool %+v (%v), want %+v", is, err, was)
	}
	api, err := second.Client()
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.AdminGetUser(t.Context(), &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &is.ID, Username: &user})
	if err != nil || *got.Username != user {
		t.Errorf("after a restart: got %v (%v), want the account", got, err)
	}
	in, err := api.AdminListGroupsForUser(t.Context(),
		&cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: &is.ID, Username: &user})
	if err != nil || len(in.Groups) != len(access.Groups()) {
		t.Errorf("after a restart: got %v (%v), want the account in the groups that it was in", in, err)
	}
}

func create(t *testing.T, s *cognitolocal.Server, p cognitolocal.Pool, user string) {
	t.Helper()
	api, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.AdminCreateUser(t.Context(), &cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: &p.ID, Username: &user, MessageAction: types.MessageActionTypeSuppress,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatIsStoppedLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := start(t, "")
	if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) != 1 {
		t.Fatalf("while it runs: got %v (%v), want one folder", left, err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Error("it still answers")
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("got %v (%v), want an empty folder", left, err)
	}
}
