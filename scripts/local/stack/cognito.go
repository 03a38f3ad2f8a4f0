package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
)

// accounts are people's accounts of a stack that keeps some.
type accounts struct {
	server   *cognitolocal.Server
	owned    bool // the server is ours to stop
	pool     cognitolocal.Pool
	api      *cognitoidentityprovider.Client // of the stack itself, not of the functions
	keys     jwk.Set                         // that the pool's tokens are signed with
	provider *cognito.Provider
}

// startAccounts begins to start cognito-local, when accounts are to be kept and none is there already: beside the engine, since it takes
// a second. Wait, which may be called again, gives the accounts, nil for none.
func (s *Stack) startAccounts(ctx context.Context, c Config) (wait func() (*accounts, error)) {
	if !c.Accounts && c.Cognito == nil {
		return func() (*accounts, error) { return nil, nil }
	}
	wait = sync.OnceValues(func() (*accounts, error) {
		a := &accounts{server: c.Cognito}
		if a.server == nil {
			var err error
			if a.server, err = cognitolocal.Start(ctx, cognitolocal.Options{DataDir: c.DataDir, Log: c.EngineLog}); err != nil {
				return nil, err
			}
			a.owned = true
		}
		options := c.CognitoOptions
		if c.Calls != nil {
			options = append(slices.Clone(options), func(o *cognitoidentityprovider.Options) { o.APIOptions = append(o.APIOptions, c.Calls.Watch) })
		}
		if err := a.prepare(ctx, s.table, options); err != nil {
			return nil, errors.Join(err, a.stop())
		}
		return a, nil
	})
	go func() { _, _ = wait() }() // whoever waits is told
	return wait
}

func (a *accounts) prepare(ctx context.Context, name string, change []func(*cognitoidentityprovider.Options)) error {
	var err error
	if a.pool, err = a.server.Pool(ctx, name); err != nil {
		return err
	}
	if a.api, err = a.server.Client(); err != nil {
		return err
	}
	ofFunctions, err := a.server.Client(change...)
	if err != nil {
		return err
	}
	a.provider = cognito.New(ofFunctions, a.pool.ID, a.pool.Client)
	a.keys, err = jwk.Fetch(ctx, a.server.Issuer(a.pool)+"/.well-known/jwks.json")
	return err
}

func (a *accounts) stop() error {
	if a == nil || !a.owned {
		return nil
	}
	return a.server.Stop()
}

// login signs a person in with the password from a mail, or its own, as a page would, and answers with a token for the gateway.
func (s *Stack) login(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Email       string `json:"email"`
		Password    string `json:"password"`
		NewPassword string `json:"new_password"` // in the place of a temporary one
	}
	if !decode(w, r, &request) {
		return
	}
	address, ok := access.ParseEmail(request.Email)
	switch {
	case s.accounts == nil:
		refuse(w, http.StatusNotFound, "no accounts are kept here (IDENTITY=none): POST /_local/token gives a token for anybody")
		return
	case !ok || request.Password == "":
		refuse(w, http.StatusBadRequest,
			`give {"email": "kim@contoso.example", "password": "..."}, and "new_password" to replace a temporary one`)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	token, err := s.accounts.login(r.Context(), address, request.Password, request.NewPassword)
	switch {
	case errors.Is(err, errWrongCredentials):
		refuse(w, http.StatusUnauthorized, "Incorrect username or password.")
	case errors.Is(err, errNewPasswordRequired):
		writeJSON(w, http.StatusOK, map[string]string{"challenge": string(types.ChallengeNameTypeNewPasswordRequired)})
	case access.CodeOf(err) == access.WeakPassword:
		refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		s.log.Error("log-in failed", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		writeJSON(w, http.StatusOK, map[string]string{"token": token})
	}
}

var (
	errWrongCredentials    = errors.New("wrong credentials")
	errNewPasswordRequired = errors.New("a new password is required")
)

// login gives a token. What Cognito does and cognito-local leaves out is done here: it finds the account by its verified address, lets no
// disabled one in, looks at a temporary password, and holds a new one to the policy.
func (a *accounts) login(ctx context.Context, address, password, proposed string) (string, error) {
	found, err := a.api.ListUsers(ctx,
		&cognitoidentityprovider.ListUsersInput{UserPoolId: &a.pool.ID, Filter: aws.String(fmt.Sprintf("email = %q", address))})
	if err != nil {
		return "", err
	}
	if len(found.Users) != 1 || !found.Users[0].Enabled || !verified(found.Users[0].Attributes) {
		return "", errWrongCredentials
	}
	account := found.Users[0]
	checked, err := a.api.AdminInitiateAuth(ctx, &cognitoidentityprovider.AdminInitiateAuthInput{
		UserPoolId: &a.pool.ID, ClientId: &a.pool.Client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": aws.ToString(account.Username), "PASSWORD": password},
	})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode() == "InvalidPasswordException" || api.ErrorCode() == "NotAuthorizedException"):
		return "", errWrongCredentials
	case err != nil:
		return "", err
	case account.UserStatus == types.UserStatusTypeConfirmed:
		return aws.ToString(checked.AuthenticationResult.IdToken), nil // also with a second factor: cognito-local knows none of ours
	case proposed == "":
		return "", errNewPasswordRequired
	}
	if err := access.CheckPassword(password, proposed); err != nil {
		return "", err
	}
	challenge, err := a.api.InitiateAuth(ctx, &cognitoidentityprovider.InitiateAuthInput{
		ClientId: &a.pool.Client, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": aws.ToString(account.Username), "PASSWORD": password},
	})
	if err != nil {
		return "", err
	}
	done, err := a.api.RespondToAuthChallenge(ctx, &cognitoidentityprovider.RespondToAuthChallengeInput{
		ClientId: &a.pool.Client, ChallengeName: challenge.ChallengeName, Session: challenge.Session,
		ChallengeResponses: map[string]string{"USERNAME": aws.ToString(account.Username), "NEW_PASSWORD": proposed},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(done.AuthenticationResult.IdToken), nil
}

func verified(attributes []types.AttributeType) bool {
	for _, a := range attributes {
		if aws.ToString(a.Name) == "email_verified" {
			return aws.ToString(a.Value) == "true"
		}
	}
	return false
}

// trustAccounts has the gateway accept the pool's ID tokens, beside those of the stack's own issuer.
func (s *Stack) trustAccounts(a *Authorizer) {
	if s.accounts != nil {
		a.Trust(s.accounts.keys, s.accounts.server.Issuer(s.accounts.pool), s.accounts.pool.Client)
	}
}

// watchAccounts says when cognito-local ends that should not have.
func (s *Stack) watchAccounts() {
	if s.accounts == nil || !s.accounts.owned {
		return
	}
	go func() {
		<-s.accounts.server.Died()
		s.fail(errors.New("cognito-local ended"))
	}()
}

// DirectAccounts is how a test looks at the accounts themselves; nil and "" when none are kept.
func (s *Stack) DirectAccounts() (api *cognitoidentityprovider.Client, pool string) {
	if s.accounts == nil {
		return nil, ""
	}
	return s.accounts.api, s.accounts.pool.ID
}
