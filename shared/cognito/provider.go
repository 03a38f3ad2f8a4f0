// Package cognito keeps people's accounts in an Amazon Cognito user pool: Provider makes one account be as the table says (access.Account).
//
// An account's username never changes, and says whether it is a partner's user's or a customer's member's; the e-mail address is an alias
// for signing in, and changes with the user's.
// What the pool needs for this, in the words of CloudFormation:
//
//   - AliasAttributes [email], and no UsernameAttributes, with which Cognito would choose the usernames. It cannot be changed later.
//   - UsernameConfiguration CaseSensitive false. Addresses come in lower case; people type them as they like.
//   - The attribute email mutable and not required: an account gives up an address that it has lost before it can get the new one.
//   - AdminCreateUserConfig AllowAdminCreateUserOnly true: whoever could sign up could verify an address, and the service goes by
//     addresses.
//   - A client for this package, without a secret, with ALLOW_ADMIN_USER_PASSWORD_AUTH alone; pages sign in through a client of their own,
//     which must not be able to write the attribute email, and with PreventUserExistenceErrors ENABLED.
//   - MfaConfiguration OPTIONAL with SMS set up: two-factor sign-in is switched on for each user, and Cognito refuses that where it cannot
//     send texts.
//   - A password policy of at least 12 characters without classes (access.CheckPassword), and TemporaryPasswordValidityDays of 7 or more:
//     the sweep ends a temporary password after access.ActivationLife, whatever the pool would do.
//   - The groups of access.Groups, for the provider's own apps. An account does without a group that the pool does not have, and gets into
//     it at the next change of its user after the group was made: such a pool (restored, or made by hand) holds nothing up. Nothing here or
//     in shared/httpapi/authorise.go reads a group to decide anything: the table is the truth.
//
// The functions need cognito-idp:AdminGetUser, AdminCreateUser, AdminUpdateUserAttributes, AdminDeleteUserAttributes,
// AdminSetUserMFAPreference, AdminEnableUser, AdminDisableUser, AdminListGroupsForUser, AdminAddUserToGroup, AdminRemoveUserFromGroup,
// AdminUserGlobalSignOut, AdminDeleteUser and AdminSetUserPassword on that pool (directory, expire); AdminInitiateAuth (directory);
// AdminGetUser and AdminSetUserPassword (notify, mail).
package cognito

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"partneraccess/shared/access"
)

// Provider is one user pool.
type Provider struct {
	api    *cognitoidentityprovider.Client
	pool   string
	client string

	// Pause is how long TemporaryPassword waits before it looks again for an account that is being made, 30 times at most.
	Pause time.Duration
}

// New is the provider on the pool of that id. The client is the one whose id is given: it is asked whether a password is right.
func New(api *cognitoidentityprovider.Client, pool, client string) *Provider {
	api = cognitoidentityprovider.New(api.Options(),
		func(o *cognitoidentityprovider.Options) { o.APIOptions = append(o.APIOptions, watchMiddleware) })
	return &Provider{api: api, pool: pool, client: client, Pause: waitPause}
}

// ErrAddressHeld says that another account still has the user's address: it has to give it up first, and has a task that makes it.
var ErrAddressHeld = errors.New("another account still has the address")

// Sync makes the account be as it is to be: there, without a mail from Cognito, or deleted; with its address, its telephone number, its
// second factor; enabled or disabled; in the groups of its own, as far as the pool has them, and in no other that is maintained. What is
// disabled or removed is signed out everywhere, at each Sync. To repeat it is harmless, and what another Sync of the same account has done
// half is finished. It fails with access.ErrUnavailable when Cognito does not answer or has had enough, and with ErrAddressHeld.
//
// Another address ends the password and the sessions first. Settled tells that Cognito has answered each attempt to write: none can arrive
// later. When it is not alone, an account that has to get another address is left at the one that it has: the next Sync has to be, when it
// can be alone.
func (p *Provider) Sync(ctx context.Context, a access.Account, alone bool) (settled bool, err error) {
	ctx, sent := watchAttempts(ctx)
	err = p.sync(ctx, a, alone)
	return sent.settled(), err
}

func (p *Provider) sync(ctx context.Context, a access.Account, alone bool) error {
	if a.Status == access.Removed {
		return p.remove(ctx, a)
	}
	account, err := p.account(ctx, a)
	if err != nil {
		return err
	}
	if account == nil {
		if account, err = p.create(ctx, a); err != nil {
			return err
		}
	}
	if err := p.attributes(ctx, a, account, alone); err != nil {
		return err
	}
	if err := p.enable(ctx, a, account.Enabled); err != nil {
		return err
	}
	if err := p.groups(ctx, a); err != nil { // before the second factor, which Cognito refuses where it cannot send texts
		return err
	}
	return p.secondFactor(ctx, a, account)
}

func (p *Provider) remove(ctx context.Context, a access.Account) error {
	err := p.signOut(ctx, a)
	if err == nil {
		_, err = p.api.AdminDeleteUser(ctx, &cognitoidentityprovider.AdminDeleteUserInput{UserPoolId: &p.pool, Username: &a.Name})
	}
	if is(err, userNotFound) {
		return nil
	}
	return failed("delete an account", err)
}

// account returns the account at Cognito; nil when there is none.
func (p *Provider) account(ctx context.Context, a access.Account) (*cognitoidentityprovider.AdminGetUserOutput, error) {
	out, err := p.api.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &p.pool, Username: &a.Name})
	if is(err, userNotFound) {
		return nil, nil
	}
	return out, failed("read an account", err)
}

// create creates the account, unless it exists, and returns it. Its password is random and known to nobody, until TemporaryPassword sets
// another.
func (p *Provider) create(ctx context.Context, a access.Account) (*cognitoidentityprovider.AdminGetUserOutput, error) {
	in := &cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: &p.pool, Username: &a.Name, MessageAction: types.MessageActionTypeSuppress, TemporaryPassword: aws.String(password()),
		UserAttributes: []types.AttributeType{attribute(email, a.Email), attribute(emailVerified, "true")},
	}
	if a.Phone != "" {
		in.UserAttributes = append(in.UserAttributes, attribute(phone, a.Phone), attribute(phoneVerified, "true"))
	}
	_, err := p.api.AdminCreateUser(ctx, in)
	switch {
	case err == nil:
		return &cognitoidentityprovider.AdminGetUserOutput{UserAttributes: in.UserAttributes, Enabled: true}, nil
	case is(err, usernameExists): // somebody else was faster, or an attempt whose answer was lost, with what the user was then
		account, err := p.account(ctx, a)
		if err == nil && account == nil {
			err = fmt.Errorf("create an account: it was deleted meanwhile: %w", access.ErrUnavailable)
		}
		return account, err
	case is(err, aliasExists):
		return nil, fmt.Errorf("create an account: %w", ErrAddressHeld)
	}
	return nil, failed("create an account", err)
}

// Names of the attributes. Addresses and numbers are entered by those who manage a partner's people, who vouch for them.
const (
	email         = "email"
	emailVerified = "email_verified"
	phone         = "phone_number"
	phoneVerified = "phone_number_verified"
)

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

func (p *Provider) attributes(
	ctx context.Context, a access.Account, account *cognitoidentityprovider.AdminGetUserOutput, alone bool,
) error {
	has := map[string]string{}
	for _, a := range account.UserAttributes {
		has[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	if has[phone] != "" && a.Phone == "" {
		if err := p.drop(ctx, a, phone); err != nil {
			return err
		}
	}
	moved := has[email] != a.Email
	if moved {
		// Whoever reads the mails of the former address knows the password and has sessions: both end before the account gets the new address, to
		// which a password has to be sent then. That mail waits until the account has the address, so that this password does not replace the one
		// in the mail.
		if settled, err := p.temporary(ctx, a, password()); err != nil {
			return err
		} else if !settled {
			return fmt.Errorf("end a password: an attempt got no answer: %w", access.ErrUnavailable)
		}
		if err := p.signOut(ctx, a); err != nil {
			return failed("sign an account out", err)
		}
	}
	var want []types.AttributeType
	if a.Phone != "" && (has[phone] != a.Phone || has[phoneVerified] != "true") {
		want = append(want, attribute(phone, a.Phone), attribute(phoneVerified, "true"))
	}
	if (moved || has[emailVerified] != "true") && (alone || !moved) {
		want = append(want, attribute(email, a.Email), attribute(emailVerified, "true"))
	}
	if len(want) == 0 {
		return nil
	}
	_, err := p.api.AdminUpdateUserAttributes(ctx, &cognitoidentityprovider.AdminUpdateUserAttributesInput{
		UserPoolId: &p.pool, Username: &a.Name, UserAttributes: want,
	})
	if !is(err, aliasExists) {
		return failed("update an account", err)
	}
	// Two users who have swapped addresses would block each other for ever if each kept the address that it has lost.
	if has[email] != "" && moved {
		if err := p.drop(ctx, a, email); err != nil {
			return err
		}
	}
	return fmt.Errorf("update an account: %w", ErrAddressHeld)
}

func (p *Provider) drop(ctx context.Context, a access.Account, name string) error {
	_, err := p.api.AdminDeleteUserAttributes(ctx, &cognitoidentityprovider.AdminDeleteUserAttributesInput{
		UserPoolId: &p.pool, Username: &a.Name, UserAttributeNames: []string{name},
	})
	return failed("update an account", err)
}

func (p *Provider) enable(ctx context.Context, a access.Account, enabled bool) error {
	if a.Status == access.Active {
		if enabled {
			return nil
		}
		_, err := p.api.AdminEnableUser(ctx, &cognitoidentityprovider.AdminEnableUserInput{UserPoolId: &p.pool, Username: &a.Name})
		return failed("enable an account", err)
	}
	if enabled {
		if _, err := p.api.AdminDisableUser(ctx,
			&cognitoidentityprovider.AdminDisableUserInput{UserPoolId: &p.pool, Username: &a.Name}); err != nil {
			return failed("disable an account", err)
		}
	}
	return failed("sign an account out", p.signOut(ctx, a)) // also when it was disabled before: that may have been all that was done
}

// signOut ends the account's sessions. cognito-local has neither this call nor sessions.
func (p *Provider) signOut(ctx context.Context, a access.Account) error {
	_, err := p.api.AdminUserGlobalSignOut(ctx, &cognitoidentityprovider.AdminUserGlobalSignOutInput{UserPoolId: &p.pool, Username: &a.Name},
		notLacking("AdminUserGlobalSignOut"))
	if lacking(err, "AdminUserGlobalSignOut") {
		return nil
	}
	return err
}

// groups adds the account to the groups of its role, after it has removed it from those of other roles: an attempt that fails between
// leaves too few. Other groups are left as they are. A group that does not exist is skipped: ResourceNotFoundException is then about the
// group, since the account has just been read from the pool.
func (p *Provider) groups(ctx context.Context, a access.Account) error {
	has := map[string]bool{}
	pages := cognitoidentityprovider.NewAdminListGroupsForUserPaginator(p.api,
		&cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: &p.pool, Username: &a.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed("read an account's groups", err)
		}
		for _, g := range page.Groups {
			has[aws.ToString(g.GroupName)] = true
		}
	}
	want := a.Groups
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if !access.MaintainedGroup(name) || slices.Contains(want, name) {
			continue
		}
		_, err := p.api.AdminRemoveUserFromGroup(ctx,
			&cognitoidentityprovider.AdminRemoveUserFromGroupInput{UserPoolId: &p.pool, Username: &a.Name, GroupName: &name})
		if err != nil && !is(err, resourceNotFound) {
			return failed("take an account out of a group", err)
		}
	}
	for _, name := range want {
		if has[name] {
			continue
		}
		_, err := p.api.AdminAddUserToGroup(ctx,
			&cognitoidentityprovider.AdminAddUserToGroupInput{UserPoolId: &p.pool, Username: &a.Name, GroupName: &name})
		if err != nil && !is(err, resourceNotFound) {
			return failed("put an account into a group", err)
		}
	}
	return nil
}

// secondFactor switches two-factor sign-in by text message on or off (P13).
func (p *Provider) secondFactor(ctx context.Context, a access.Account, account *cognitoidentityprovider.AdminGetUserOutput) error {
	if slices.Contains(account.UserMFASettingList, "SMS_MFA") == a.MFA {
		return nil
	}
	_, err := p.api.AdminSetUserMFAPreference(ctx, &cognitoidentityprovider.AdminSetUserMFAPreferenceInput{
		UserPoolId: &p.pool, Username: &a.Name, SMSMfaSettings: &types.SMSMfaSettingsType{Enabled: a.MFA, PreferredMfa: a.MFA},
	}, notLacking("AdminSetUserMFAPreference"))
	if lacking(err, "AdminSetUserMFAPreference") {
		return nil
	}
	return failed("set an account's second factor", err)
}

// TemporaryPassword sets a password that signs the user in once and then has to be replaced (P15). It waits a moment for an account that is
// being created or is about to get the user's address, and then fails with access.ErrUnavailable. It refuses with access.Ended when there
// is no account any longer, or the user has chosen a password already: a mail that comes twice must not undo that.
//
// settled reports whether Cognito has answered each attempt to set it: none can arrive later and undo a password that is set after this
// one.
func (p *Provider) TemporaryPassword(ctx context.Context, a access.Account) (secret string, settled bool, err error) {
	if a.Status != access.Active {
		return "", true, access.Refuse(access.Ended, "the user is %s: no credential is made", a.Status)
	}
	account, err := p.account(ctx, a)
	for n := 0; err == nil && (account == nil || address(account) != a.Email); n++ {
		if n == waitAttempts {
			return "", true, fmt.Errorf("make a temporary password: the account is not there yet, or has another address: %w", access.ErrUnavailable)
		}
		select {
		case <-ctx.Done():
			return "", true, fmt.Errorf("make a temporary password: %w", ctx.Err())
		case <-time.After(p.Pause):
		}
		account, err = p.account(ctx, a)
	}
	if err != nil {
		return "", true, err
	}
	if account.UserStatus != types.UserStatusTypeForceChangePassword {
		return "", true, access.Refuse(access.Ended, "the user has chosen a password already: no credential is made")
	}
	secret = password()
	if settled, err = p.temporary(ctx, a, secret); err != nil {
		return "", settled, err
	}
	return secret, settled, nil
}

func address(account *cognitoidentityprovider.AdminGetUserOutput) string {
	for _, a := range account.UserAttributes {
		if aws.ToString(a.Name) == email {
			return aws.ToString(a.Value)
		}
	}
	return ""
}

// temporary sets a password that has to be replaced when it is used, and reports whether Cognito has answered each attempt.
func (p *Provider) temporary(ctx context.Context, a access.Account, secret string) (settled bool, err error) {
	ctx, sent := watchAttempts(ctx)
	_, err = p.api.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &p.pool, Username: &a.Name, Password: &secret, Permanent: false,
	})
	return sent.settled(), failed("make a temporary password", err)
}

// Activated reports whether the user has chosen a password.
func (p *Provider) Activated(ctx context.Context, a access.Account) (bool, error) {
	account, err := p.account(ctx, a)
	return account != nil && account.UserStatus != types.UserStatusTypeForceChangePassword, err
}

// Lapse ends the temporary password of a user who has not signed in with it, and reports whether that is so. It can be repeated, and has to
// be after an error, also when it succeeded, since an attempt without an answer may arrive later. A user who has chosen a password got the
// one before by mail, at the address of the account: each change of that ends the password.
func (p *Provider) Lapse(ctx context.Context, a access.Account) (access.ActivationOutcome, error) {
	account, err := p.account(ctx, a)
	switch {
	case err != nil:
		return access.ActivationOutcome{}, err
	case account == nil:
		return access.ActivationOutcome{PasswordExpired: true}, nil
	case account.UserStatus != types.UserStatusTypeForceChangePassword:
		return access.ActivationOutcome{SignedInAs: address(account)}, nil
	}
	settled, err := p.temporary(ctx, a, password()) // which nobody knows
	if err == nil && !settled {
		err = fmt.Errorf("end a temporary password: an attempt got no answer: %w", access.ErrUnavailable)
	}
	return access.ActivationOutcome{PasswordExpired: true}, err
}

// Reset ends the user's password, whoever chose it, and all sessions; TemporaryPassword sets the next one. It can be repeated, and has to
// be after an error, since an attempt without an answer may arrive later and end what is set meanwhile. Without an account there is nothing
// to end.
func (p *Provider) Reset(ctx context.Context, a access.Account) error {
	settled, err := p.temporary(ctx, a, password()) // which nobody knows
	switch {
	case is(err, userNotFound):
		return nil
	case err == nil && !settled:
		err = fmt.Errorf("end a password: an attempt got no answer: %w", access.ErrUnavailable)
	}
	if err != nil {
		return err
	}
	return failed("sign an account out", p.signOut(ctx, a))
}

// An account is created, and gets another address, by the request that changes its user, after the event of the change was published.
const (
	waitAttempts = 30
	waitPause    = 100 * time.Millisecond
)

// ChangePassword replaces the current password by a new one (P20). It refuses with access.WrongPassword, also when there is no account yet;
// with access.WeakPassword, when the pool's policy does; with access.TooManyRequests; and fails with access.ErrUnavailable.
func (p *Provider) ChangePassword(ctx context.Context, a access.Account, current, proposed string) error {
	// A challenge (a new password, a second factor) comes only after the right password: any answer will do.
	_, err := p.api.AdminInitiateAuth(ctx, &cognitoidentityprovider.AdminInitiateAuthInput{
		UserPoolId: &p.pool, ClientId: &p.client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": a.Name, "PASSWORD": current},
	})
	switch {
	case err == nil:
	case is(err, notAuthorized) && strings.Contains(err.Error(), "attempts exceeded"), is(err, tooManyRequests), is(err, limitExceeded):
		return access.Refuse(access.TooManyRequests, "there were too many attempts: wait a moment, then try again")
	case is(err, notAuthorized), is(err, userNotFound), is(err, invalidPassword): // the last one is cognito-local's
		return access.Refuse(access.WrongPassword, "the current password is another one: the password was not changed").At("/current")
	default:
		return failed("check a password", err)
	}
	_, err = p.api.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &p.pool, Username: &a.Name, Password: &proposed, Permanent: true,
	})
	var api smithy.APIError
	switch {
	case is(err, invalidPassword) && errors.As(err, &api):
		return access.Refuse(access.WeakPassword, "the new password is too weak: %s", api.ErrorMessage()).At("/new")
	case is(err, passwordHistory):
		return access.Refuse(access.WeakPassword, "the new password was used before: choose another").At("/new")
	case is(err, tooManyRequests), is(err, limitExceeded):
		return access.Refuse(access.TooManyRequests, "there were too many attempts: wait a moment, then try again")
	}
	return failed("change a password", err)
}

// password returns a strong password that is easy to read: four groups of letters and digits that cannot be confused, 115 bits. It
// satisfies every policy that asks for character classes.
func password() string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	for {
		var b strings.Builder
		for b.Len() < 23 {
			if b.Len()%6 == 5 {
				b.WriteByte('-')
				continue
			}
			var one [1]byte
			_, _ = rand.Read(one[:])                // it never fails
			if int(one[0]) < 256-256%len(letters) { // otherwise the first letters would come more often
				b.WriteByte(letters[int(one[0])%len(letters)])
			}
		}
		s := b.String()
		if strings.ContainsFunc(s, unicode.IsLower) && strings.ContainsFunc(s, unicode.IsUpper) && strings.ContainsFunc(s, unicode.IsDigit) {
			return s
		}
	}
}

// Codes of Cognito's errors. They are compared as texts, since what the calls declare is not all that they answer.
const (
	userNotFound     = "UserNotFoundException"
	resourceNotFound = "ResourceNotFoundException"
	usernameExists   = "UsernameExistsException"
	aliasExists      = "AliasExistsException"
	notAuthorized    = "NotAuthorizedException"
	invalidPassword  = "InvalidPasswordException"
	passwordHistory  = "PasswordHistoryPolicyViolationException"
	tooManyRequests  = "TooManyRequestsException"
	limitExceeded    = "LimitExceededException"
)

func is(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

// lacking reports whether cognito-local does not support the call. It compares the exact text, so that no error of Cognito is mistaken for
// it.
func lacking(err error, call string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "Unsupported" &&
		api.ErrorMessage() == fmt.Sprintf("Cognito Local unsupported feature: Unsupported x-amz-target header %q", call)
}

// notLacking prevents retries of calls that cognito-local does not support and answers with 500.
func notLacking(call string) func(*cognitoidentityprovider.Options) {
	return func(o *cognitoidentityprovider.Options) {
		o.Retryer = unlessLacking{o.Retryer, call}
	}
}

type unlessLacking struct {
	aws.Retryer
	call string
}

func (u unlessLacking) IsErrorRetryable(err error) bool {
	return !lacking(err, u.call) && u.Retryer.IsErrorRetryable(err)
}

// failed wraps an error with what the call was for; nil for no error. An error that a retry may cure is access.ErrUnavailable.
func failed(doing string, err error) error {
	var reply *smithyhttp.ResponseError
	var garbled *smithy.DeserializationError
	switch {
	case err == nil:
		return nil
	case retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary,
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		is(err, tooManyRequests), is(err, limitExceeded),
		errors.As(err, &reply) && reply.HTTPStatusCode() >= 500,
		errors.As(err, &garbled):
		return fmt.Errorf("identity provider: %s: %w: %w", doing, access.ErrUnavailable, err)
	}
	return fmt.Errorf("identity provider: %s: %w", doing, err)
}
