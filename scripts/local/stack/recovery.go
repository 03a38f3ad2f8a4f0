package stack

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"partneraccess/shared/access"
)

// How long a recovery code is good for, and for how many attempts: as at Cognito, whose hosted login does all of this in a deployed stage.
const (
	recoveryLife     = time.Hour
	recoveryAttempts = 5
)

// recoveries are the codes by which lost passwords are replaced (P20), by username. cognito-local prints its codes on its console, never
// lets one expire, and takes any number of attempts; the stack keeps codes of its own and mails them to the mailbox. The zero value is
// empty and ready.
type recoveries struct {
	mu    sync.Mutex
	codes map[string]*recovery
}

type recovery struct {
	code  string
	until time.Time
	left  int // attempts
}

// begin makes a code for the account; the one before ends with it.
func (r *recoveries) begin(username string, now time.Time) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	code := fmt.Sprintf("%06d", n)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.codes == nil {
		r.codes = map[string]*recovery{}
	}
	r.codes[username] = &recovery{code: code, until: now.Add(recoveryLife), left: recoveryAttempts}
	return code, nil
}

// take reports whether the code is the account's, and uses it up. Each attempt counts.
func (r *recoveries) take(username, code string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.codes[username]
	if c == nil || c.left == 0 || !now.Before(c.until) {
		return false
	}
	c.left--
	if subtle.ConstantTimeCompare([]byte(c.code), []byte(code)) == 0 {
		return false
	}
	delete(r.codes, username)
	return true
}

// forgot mails a code to the verified address of an account with a password of its own. The answer is the same where there is no such
// account.
func (s *Stack) forgot(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Email string `json:"email"`
	}
	if !decode(w, r, &request) {
		return
	}
	address, ok := access.ParseEmail(request.Email)
	switch {
	case s.accounts == nil:
		refuse(w, http.StatusNotFound, "no accounts are kept here (IDENTITY=none): there is no password to replace")
		return
	case !ok:
		refuse(w, http.StatusBadRequest, `give {"email": "kim@contoso.example"}`)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	account, err := s.accounts.recoverable(r.Context(), address)
	if err == nil && account != "" {
		var code string
		if code, err = s.recoveries.begin(account, s.Clock.Now()); err == nil {
			s.Mail.Add(recoveryMail(address, code, s.Clock.Now().UTC()))
		}
	}
	if err != nil {
		s.log.Error("a recovery code cannot be sent", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"sent": true})
}

// confirmForgot replaces the password of the account that a code was mailed to.
func (s *Stack) confirmForgot(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Email       string `json:"email"`
		Code        string `json:"code"`
		NewPassword string `json:"new_password"`
	}
	if !decode(w, r, &request) {
		return
	}
	address, ok := access.ParseEmail(request.Email)
	switch {
	case s.accounts == nil:
		refuse(w, http.StatusNotFound, "no accounts are kept here (IDENTITY=none): there is no password to replace")
		return
	case !ok || request.Code == "" || request.NewPassword == "":
		refuse(w, http.StatusBadRequest, `give {"email": "kim@contoso.example", "code": "123456", "new_password": "..."}`)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if err := access.CheckPassword("", request.NewPassword); err != nil { // before the code is used up
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	account, err := s.accounts.recoverable(r.Context(), address)
	switch {
	case err == nil && (account == "" || !s.recoveries.take(account, request.Code, s.Clock.Now())):
		refuse(w, http.StatusUnauthorized, "The code is wrong, or has expired: ask for another one.")
		return
	case err == nil:
		_, err = s.accounts.api.AdminSetUserPassword(r.Context(), &cognitoidentityprovider.AdminSetUserPasswordInput{
			UserPoolId: &s.accounts.pool.ID, Username: &account, Password: &request.NewPassword, Permanent: true,
		})
	}
	if err != nil {
		s.log.Error("a lost password cannot be replaced", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// recoverable is the username of the enabled account that has the verified address and a password of its own; "" when there is none. Who
// has a temporary password still signs in with that.
func (a *accounts) recoverable(ctx context.Context, address string) (string, error) {
	found, err := a.api.ListUsers(ctx,
		&cognitoidentityprovider.ListUsersInput{UserPoolId: &a.pool.ID, Filter: aws.String(fmt.Sprintf("email = %q", address))})
	if err != nil || len(found.Users) != 1 {
		return "", err
	}
	if u := found.Users[0]; u.Enabled && u.UserStatus == types.UserStatusTypeConfirmed && verified(u.Attributes) {
		return aws.ToString(u.Username), nil
	}
	return "", nil
}

// recoveryMail is the mail that Cognito sends itself in a deployed stage.
func recoveryMail(to, code string, at time.Time) Mail {
	text := "Your password reset code is " + code +
		". It is valid for one hour.\n\nIf you did not ask for it, ignore this mail: your password stays as it is."
	return Mail{
		ID: messageID(), To: to, From: "no-reply@verificationemail.com", Subject: "Your password reset code", Text: text,
		HTML:    "<p>" + text + "</p>",
		Headers: map[string]string{}, Tags: map[string]string{}, At: at,
	}
}
