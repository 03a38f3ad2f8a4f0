package cognito_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
)

// pool answers calls by name: a JSON body, or the status and code of an error.
type pool struct {
	answers map[string]string   // a body; or "400 Code: message"
	calls   []string            // a call that names a group has its name behind it, after a space
	inTurn  map[string][]string // answers to a call's attempts, "?" for none, in place of the one
	bodies  map[string]map[string]any
}

func (p *pool) Do(r *http.Request) (*http.Response, error) {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	p.calls = append(p.calls, call)
	if group, ok := body["GroupName"].(string); ok {
		call += " " + group
		p.calls[len(p.calls)-1] = call
	}
	if p.bodies == nil {
		p.bodies = map[string]map[string]any{}
	}
	p.bodies[call] = body
	status, answer := http.StatusOK, p.answers[call]
	if all := p.inTurn[call]; len(all) > 0 {
		answer, p.inTurn[call] = all[0], all[1:]
	}
	switch answer {
	case "":
		answer = "{}"
	case "?":
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	}
	if answer[0] != '{' {
		status = map[byte]int{'4': 400, '5': 500}[answer[0]]
		code, message, _ := strings.Cut(answer[4:], ": ")
		text, err := json.Marshal(map[string]string{"__type": code, "message": message})
		if err != nil {
			return nil, err
		}
		answer = string(text)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(answer))), Request: r}, nil
}

// repeating has the SDK repeat what fails, as in production, without the pauses.
func repeating(o *cognitoidentityprovider.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

func provider(t *testing.T, p *pool, change ...func(*cognitoidentityprovider.Options)) *cognito.Provider {
	t.Helper()
	env := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
	api, err := cognito.NewClient(func(name string) string { return env[name] }, func(o *cognitoidentityprovider.Options) {
		o.HTTPClient, o.Retryer = p, aws.NopRetryer{}
		for _, f := range change {
			f(o)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return cognito.New(api, "eu-central-1_pool", "client")
}

func kim() access.Account {
	u := access.User{
		ID: "contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV", Partner: "contoso", Email: "kim@contoso.example", Phone: "+4930123456",
		Role: access.Tech, Status: access.Active,
	}
	return u.Account()
}

const (
	nobody  = "400 UserNotFoundException: User does not exist."
	grouped = `{"Groups":[{"GroupName":"partners"},{"GroupName":"partner-tech"}]}`
	current = `{"Enabled":true,"UserStatus":"FORCE_CHANGE_PASSWORD","UserAttributes":[{"Name":"email","Value":"kim@contoso.example"},{"Name":"email_verified","Value":"true"},{"Name":"phone_number","Value":"+4930123456"},{"Name":"phone_number_verified","Value":"true"}]}`
)

func TestAnAccountThatIsAsItShouldBeIsReadAndLeftAlone(t *testing.T) {
	p := &pool{answers: map[string]string{"AdminGetUser": current, "AdminListGroupsForUser": grouped}}
	if settled, err := provider(t, p).Sync(t.Context(), kim(), true); err != nil || !settled ||
		!slices.Equal(p.calls, []string{"AdminGetUser", "AdminListGroupsForUser"}) {
		t.Errorf("got %v (%v), want the account and its groups read", p.calls, err)
	}
}

func TestAnAccountIsMadeWithoutAMailAndWithItsAddressVerified(t *testing.T) {
	p := &pool{answers: map[string]string{"AdminGetUser": nobody}}
	want := []string{
		"AdminGetUser", "AdminCreateUser", "AdminListGroupsForUser", "AdminAddUserToGroup partners",
		"AdminAddUserToGroup partner-tech",
	}
	if settled, err := provider(t, p).Sync(t.Context(), kim(), true); err != nil || !settled || !slices.Equal(p.calls, want) {
		t.Fatalf("got %v (%v), want %v", p.calls, err, want)
	}
	b := p.bodies["AdminCreateUser"]
	if b["MessageAction"] != "SUPPRESS" || b["Username"] != kim().Name || b["ForceAliasCreation"] != nil {
		t.Errorf("got %v, want no mail, the user's id as the username, and nobody else's address taken", b)
	}
	attributes, err := json.Marshal(b["UserAttributes"])
	has := `[{"Name":"email","Value":"kim@contoso.example"},{"Name":"email_verified","Value":"true"},{"Name":"phone_number","Value":"+4930123456"},{"Name":"phone_number_verified","Value":"true"}]`
	if err != nil || string(attributes) != has {
		t.Errorf("attributes: got %s (%v), want %s", attributes, err, has)
	}
}

func TestAnAccountIsInTheGroupOfItsRoleAndInNoOther(t *testing.T) { // P19
	const (
		out, in = "AdminRemoveUserFromGroup ", "AdminAddUserToGroup "
		none    = "400 ResourceNotFoundException: Group not found."
		later   = "500 InternalErrorException: no"
	)
	for _, c := range []struct {
		name    string
		groups  string // that the account is in
		answers map[string]string
		want    []string // the calls
		fails   bool
	}{
		{"none yet", `{}`, nil, []string{in + "partners", in + "partner-tech"}, false},
		{
			"another role's", `{"Groups":[{"GroupName":"partners"},{"GroupName":"partner-owner"}]}`, nil,
			[]string{out + "partner-owner", in + "partner-tech"},
			false,
		},
		{
			"several roles', its own among them",
			`{"Groups":[{"GroupName":"partner-tech"},{"GroupName":"partners"},{"GroupName":"partner-owner"},{"GroupName":"partner-admin"}]}`,
			nil,
			[]string{out + "partner-admin", out + "partner-owner"},
			false,
		},
		{
			"the provider's own",
			`{"Groups":[{"GroupName":"partners"},{"GroupName":"partner-tech"},{"GroupName":"partner-of-the-year"},{"GroupName":"admins"}]}`, nil,
			nil, false,
		},
		{
			"a customer's people",
			`{"Groups":[{"GroupName":"partners"},{"GroupName":"partner-tech"},{"GroupName":"customers"}]}`, nil,
			[]string{out + "customers"},
			false,
		},
		{
			"a pool without the groups", `{}`,
			map[string]string{in + "partners": none, in + "partner-tech": none},
			[]string{in + "partners", in + "partner-tech"},
			false,
		},
		{
			"a group that is deleted meanwhile", `{"Groups":[{"GroupName":"partners"},{"GroupName":"partner-owner"}]}`,
			map[string]string{out + "partner-owner": none},
			[]string{out + "partner-owner", in + "partner-tech"},
			false,
		},
		{"a group that cannot be joined now", `{}`, map[string]string{in + "partners": later}, []string{in + "partners"}, true},
		{
			"a group that cannot be left now", `{"Groups":[{"GroupName":"partner-owner"}]}`,
			map[string]string{out + "partner-owner": later},
			[]string{out + "partner-owner"},
			true,
		},
		{"groups that cannot be read now", later, nil, nil, true},
	} {
		p := &pool{answers: map[string]string{"AdminGetUser": current, "AdminListGroupsForUser": c.groups}}
		maps.Copy(p.answers, c.answers)
		_, err := provider(t, p).Sync(t.Context(), kim(), true)
		if c.fails != errors.Is(err, access.ErrUnavailable) || !c.fails && err != nil {
			t.Errorf("%s: got %v, want access.ErrUnavailable: %v", c.name, err, c.fails)
		}
		if want := append([]string{"AdminGetUser", "AdminListGroupsForUser"}, c.want...); !slices.Equal(p.calls, want) {
			t.Errorf("%s: got %q, want %q", c.name, p.calls, want)
		}
	}
}

func TestASignOutIsForgivenToCognitoLocalAlone(t *testing.T) {
	u := kim()
	u.Status = access.Disabled
	disabled := strings.Replace(current, `"Enabled":true`, `"Enabled":false`, 1)
	for answer, ok := range map[string]bool{
		`500 CognitoLocal#Unsupported: Cognito Local unsupported feature: Unsupported x-amz-target header "AdminUserGlobalSignOut"`: true,
		`500 CognitoLocal#Unsupported: Cognito Local unsupported feature: Unsupported x-amz-target header "AdminDisableUser"`:       false,
		`500 Unsupported: something else`:  false,
		`500 InternalErrorException: no`:   false,
		`400 NotAuthorizedException: no`:   false,
		`400 TooManyRequestsException: no`: false,
		`{}`:                               true,
	} {
		p := &pool{answers: map[string]string{"AdminGetUser": disabled, "AdminUserGlobalSignOut": answer, "AdminListGroupsForUser": grouped}}
		_, err := provider(t, p).Sync(t.Context(), u, true)
		if (err == nil) != ok {
			t.Errorf("%s: got %v, want no error: %v", answer, err, ok)
		}
		if len(p.calls) < 2 || !slices.Equal(p.calls[:2], []string{"AdminGetUser", "AdminUserGlobalSignOut"}) {
			t.Errorf("%s: got %v, want a sign-out although the account was disabled before: that may have been all that was done", answer, p.calls)
		}
	}
}

func TestWhatMayGoThroughLaterIsUnavailable(t *testing.T) {
	for answer, want := range map[string]bool{
		"500 InternalErrorException: no":    true,
		"400 TooManyRequestsException: no":  true,
		"400 LimitExceededException: no":    true,
		"400 InvalidParameterException: no": false,
		"400 ResourceNotFoundException: no": false,
	} {
		_, err := provider(t, &pool{answers: map[string]string{"AdminGetUser": answer}}).Sync(t.Context(), kim(), true)
		if err == nil || errors.Is(err, access.ErrUnavailable) != want {
			t.Errorf("%s: got %v, want access.ErrUnavailable: %v", answer, err, want)
		}
	}
}

func TestAnAccountDropsALostAddressBeforeItGetsTheNewOne(t *testing.T) { // P19
	p := &pool{answers: map[string]string{
		"AdminGetUser":              strings.Replace(current, "kim@", "old@", 1),
		"AdminUpdateUserAttributes": "400 AliasExistsException: An account with the email already exists.",
	}}
	_, err := provider(t, p).Sync(t.Context(), kim(), true)
	if !errors.Is(err, cognito.ErrAddressHeld) || errors.Is(err, access.ErrUnavailable) {
		t.Errorf("got %v, want ErrAddressHeld alone", err)
	}
	if got := p.bodies["AdminDeleteUserAttributes"]["UserAttributeNames"]; got == nil || got.([]any)[0] != "email" {
		t.Errorf("dropped: got %v, want the address", got)
	}
}

func TestATemporaryPasswordSatisfiesPoliciesThatAskForClasses(t *testing.T) { // P15
	p := &pool{answers: map[string]string{"AdminGetUser": current}}
	seen := map[string]bool{}
	for range 200 {
		secret, settled, err := provider(t, p).TemporaryPassword(t.Context(), kim())
		if err != nil || !settled {
			t.Fatalf("got settled %v, %v, want it settled", settled, err)
		}
		b := p.bodies["AdminSetUserPassword"]
		if b["Password"] != secret || b["Permanent"] == true {
			t.Fatalf("got %v, want the password set, and not for good", b)
		}
		if seen[secret] || len(secret) != 23 || strings.Count(secret, "-") != 3 || strings.ContainsAny(secret, "0O1lI") ||
			access.CheckPassword("", secret) != nil ||
			!strings.ContainsFunc(secret, unicode.IsLower) || !strings.ContainsFunc(secret, unicode.IsUpper) ||
			!strings.ContainsFunc(secret, unicode.IsDigit) {
			t.Fatalf("got %q, want another one with all classes and nothing to be mistaken", secret)
		}
		seen[secret] = true
	}
}

func TestAPasswordIsSettledWhenEachAttemptWasAnswered(t *testing.T) { // P15
	const (
		refused   = "400 UserNotFoundException: no"
		throttled = "400 TooManyRequestsException: slow"
		broken    = "500 InternalErrorException: no"
		silent    = "?"
	)
	for _, c := range []struct {
		attempts []string // answers, in their order
		settled  bool
		err      error
	}{
		{[]string{"{}"}, true, nil},
		{[]string{throttled, "{}"}, true, nil},
		{[]string{silent, "{}"}, false, nil},
		{[]string{broken, "{}"}, false, nil}, // a gateway's answer is not that of the service behind it
		{[]string{throttled, throttled, throttled}, true, access.ErrUnavailable},
		{[]string{silent, throttled, throttled}, false, access.ErrUnavailable},
		{[]string{silent, silent, silent}, false, access.ErrUnavailable},
		{[]string{"{"}, true, access.ErrUnavailable}, // half an answer: it has had its effect
	} {
		p := &pool{answers: map[string]string{"AdminGetUser": current}, inTurn: map[string][]string{"AdminSetUserPassword": c.attempts}}
		secret, settled, err := provider(t, p, repeating).TemporaryPassword(t.Context(), kim())
		if settled != c.settled || !errors.Is(err, c.err) || (secret == "") != (err != nil) {
			t.Errorf("%q: got settled %v, %v, want settled %v, %v", c.attempts, settled, err, c.settled, c.err)
		}
		p = &pool{answers: p.answers, inTurn: map[string][]string{"AdminSetUserPassword": c.attempts}}
		if _, err := provider(t, p, repeating).Lapse(t.Context(), kim()); (err == nil) != (c.settled && c.err == nil) {
			t.Errorf("%q: ended: got %v, want an error unless all was answered, so that it is ended once more", c.attempts, err)
		}
	}
}

func TestAnAccountIsSettledWhenEachAttemptToWriteItWasAnswered(t *testing.T) {
	const throttled, silent = "400 TooManyRequestsException: slow", "?"
	disabled := strings.Replace(current, `"Enabled":true`, `"Enabled":false`, 1)
	for _, c := range []struct {
		call     string
		attempts []string
		settled  bool
	}{
		{"AdminEnableUser", []string{"{}"}, true},
		{"AdminEnableUser", []string{throttled, "{}"}, true},
		{"AdminEnableUser", []string{silent, "{}"}, false},
		{"AdminListGroupsForUser", []string{silent, grouped}, true}, // what reads does nothing, whenever it arrives
	} {
		p := &pool{
			answers: map[string]string{"AdminGetUser": disabled, "AdminListGroupsForUser": grouped},
			inTurn:  map[string][]string{c.call: c.attempts},
		}
		if settled, err := provider(t, p, repeating).Sync(t.Context(), kim(), true); settled != c.settled || err != nil {
			t.Errorf("%s %q: got settled %v, %v, want settled %v", c.call, c.attempts, settled, err, c.settled)
		}
	}
}

// Another password is sent to the new address once the account has it, and nothing that ends the old one must come after that.
func TestAnAccountGetsItsNewAddressAfterItsOldPasswordEnded(t *testing.T) { // P19
	for _, c := range []struct {
		attempt string
		alone   bool
		moves   bool
		err     error
	}{
		{"{}", true, true, nil},
		{"{}", false, false, nil},
		{"?", true, false, access.ErrUnavailable},
		{"?", false, false, access.ErrUnavailable},
	} {
		p := &pool{
			answers: map[string]string{"AdminGetUser": strings.Replace(current, "kim@", "old@", 1)},
			inTurn:  map[string][]string{"AdminSetUserPassword": {c.attempt, "{}"}},
		}
		_, err := provider(t, p, repeating).Sync(t.Context(), kim(), c.alone)
		if got := slices.Contains(p.calls, "AdminUpdateUserAttributes"); got != c.moves || !errors.Is(err, c.err) ||
			p.bodies["AdminSetUserPassword"] == nil {
			t.Errorf("%q, alone %v: got the calls %v (%v), want the password ended, and the new address: %v (%v)", c.attempt, c.alone, p.calls, err,
				c.moves, c.err)
		}
	}
}

// Whoever had the address before knows the password and has sessions. Neither may reach over to the new address.
func TestAnotherAddressEndsThePasswordThenTheSessionsAndThenComes(t *testing.T) { // P19
	for _, status := range []string{"FORCE_CHANGE_PASSWORD", "CONFIRMED", "RESET_REQUIRED"} {
		moved := strings.Replace(strings.Replace(current, "kim@", "old@", 1), "FORCE_CHANGE_PASSWORD", status, 1)
		p := &pool{answers: map[string]string{"AdminGetUser": moved, "AdminListGroupsForUser": grouped}}
		_, err := provider(t, p).Sync(t.Context(), kim(), true)
		want := []string{"AdminGetUser", "AdminSetUserPassword", "AdminUserGlobalSignOut", "AdminUpdateUserAttributes", "AdminListGroupsForUser"}
		if err != nil || !slices.Equal(p.calls, want) {
			t.Errorf("%s: got the calls %v (%v), want %v", status, p.calls, err, want)
		}
		if b := p.bodies["AdminSetUserPassword"]; b["Permanent"] == true {
			t.Errorf("%s: got %v, want a password that has to be replaced, so that another one is sent to the new address", status, b)
		}
		p = &pool{answers: map[string]string{"AdminGetUser": moved, "AdminUserGlobalSignOut": "400 TooManyRequestsException: slow"}}
		if _, err := provider(t, p).Sync(t.Context(), kim(), true); !errors.Is(err, access.ErrUnavailable) ||
			slices.Contains(p.calls, "AdminUpdateUserAttributes") {
			t.Errorf("%s: the sessions do not end: got the calls %v (%v), want the address left as it is", status, p.calls, err)
		}
	}
	chosen := strings.Replace(current, "FORCE_CHANGE_PASSWORD", "CONFIRMED", 1)
	p := &pool{answers: map[string]string{"AdminGetUser": chosen, "AdminListGroupsForUser": grouped}}
	if _, err := provider(t, p).Sync(t.Context(), kim(), true); err != nil || p.bodies["AdminSetUserPassword"] != nil {
		t.Errorf("once more, after the person has chosen a password: got the calls %v (%v), want the password left", p.calls, err)
	}
}

func TestWhoHasChosenAPasswordHasSignedInUnderTheAccountsAddress(t *testing.T) {
	chosen := strings.Replace(current, "FORCE_CHANGE_PASSWORD", "CONFIRMED", 1)
	for answer, want := range map[string]access.ActivationOutcome{
		chosen: {SignedInAs: "kim@contoso.example"},
		strings.Replace(chosen, "kim@", "old@", 1): {SignedInAs: "old@contoso.example"},
		current: {PasswordExpired: true},
		nobody:  {PasswordExpired: true},
	} {
		p := &pool{answers: map[string]string{"AdminGetUser": answer}}
		if got, err := provider(t, p).Lapse(t.Context(), kim()); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestTooManyWrongPasswordsAreNotOneMore(t *testing.T) { // P20
	p := &pool{answers: map[string]string{"AdminInitiateAuth": "400 NotAuthorizedException: Password attempts exceeded"}}
	err := provider(t, p).ChangePassword(t.Context(), kim(), "correct horse", "battery staple")
	if access.CodeOf(err) != access.TooManyRequests {
		t.Errorf("got %v, want too many requests", err)
	}
}

func TestWithoutARegionOrCredentialsThereIsNoClient(t *testing.T) {
	for _, missing := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		_, err := cognito.NewClient(func(name string) string {
			if name == missing {
				return ""
			}
			return "set"
		})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: got %v, want it named", missing, err)
		}
	}
}
