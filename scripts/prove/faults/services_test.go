package faults_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// mailbox stands for SES: it takes every mail.
type mailbox struct {
	mu    sync.Mutex
	mails []sent
}

type sent struct {
	ID, To, Subject, Text string
	Tags                  map[string]string
}

func (b *mailbox) RoundTrip(r *http.Request) (*http.Response, error) {
	var in struct {
		Destination struct{ ToAddresses []string }
		EmailTags   []struct{ Name, Value string }
		Content     struct {
			Simple struct {
				Subject struct{ Data string }
				Body    struct{ Text struct{ Data string } }
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m := sent{
		ID: "message-" + rand.Text(), To: in.Destination.ToAddresses[0], Subject: in.Content.Simple.Subject.Data,
		Text: in.Content.Simple.Body.Text.Data, Tags: map[string]string{},
	}
	for _, t := range in.EmailTags {
		m.Tags[t.Name] = t.Value
	}
	b.mails = append(b.mails, m)
	return answer(r, http.StatusOK, "", `{"MessageId":"`+m.ID+`"}`), nil
}

func (b *mailbox) from(n int) []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sent{}, b.mails[n:]...)
}

// pool stands for a Cognito user pool, as far as the functions use one.
type pool struct {
	mu       sync.Mutex
	accounts map[string]account
}

type account struct {
	attributes map[string]string
	enabled    bool
	status     string
	mfa        bool
	password   string
	groups     []string
}

func (p *pool) clone() *pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &pool{accounts: map[string]account{}}
	for id, a := range p.accounts {
		a.attributes, a.groups = maps.Clone(a.attributes), slices.Clone(a.groups)
		out.accounts[id] = a
	}
	return out
}

func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	type attribute struct{ Name, Value string }
	var in struct {
		Username           string
		UserAttributes     []attribute
		UserAttributeNames []string
		Password           string
		TemporaryPassword  string
		Permanent          bool
		GroupName          string
		SMSMfaSettings     struct{ Enabled bool }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	p.mu.Lock()
	defer p.mu.Unlock()
	a, there := p.accounts[in.Username]
	fail := func(code string) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, code, `{"__type":"`+code+`","message":"no"}`), nil
	}
	if there == (op == "AdminCreateUser") {
		if there {
			return fail("UsernameExistsException")
		}
		return fail("UserNotFoundException")
	}
	taken := func() bool {
		for id, other := range p.accounts {
			for _, at := range in.UserAttributes {
				if at.Name == "email" && id != in.Username && other.attributes["email"] == at.Value {
					return true
				}
			}
		}
		return false
	}
	set := func() {
		for _, at := range in.UserAttributes {
			a.attributes[at.Name] = at.Value
		}
	}
	out := map[string]any{}
	switch op {
	case "AdminCreateUser":
		if taken() {
			return fail("AliasExistsException")
		}
		a = account{attributes: map[string]string{}, enabled: true, status: "FORCE_CHANGE_PASSWORD", password: in.TemporaryPassword}
		set()
	case "AdminGetUser":
		var attributes []attribute
		for name, value := range a.attributes {
			attributes = append(attributes, attribute{name, value})
		}
		out = map[string]any{"Username": in.Username, "UserAttributes": attributes, "Enabled": a.enabled, "UserStatus": a.status}
		if a.mfa {
			out["UserMFASettingList"] = []string{"SMS_MFA"}
		}
	case "AdminUpdateUserAttributes":
		if taken() {
			return fail("AliasExistsException")
		}
		set()
	case "AdminDeleteUserAttributes":
		for _, name := range in.UserAttributeNames {
			delete(a.attributes, name)
		}
	case "AdminSetUserMFAPreference":
		a.mfa = in.SMSMfaSettings.Enabled
	case "AdminEnableUser", "AdminDisableUser":
		a.enabled = op == "AdminEnableUser"
	case "AdminSetUserPassword":
		a.password, a.status = in.Password, "FORCE_CHANGE_PASSWORD"
		if in.Permanent {
			a.status = "CONFIRMED"
		}
	case "AdminListGroupsForUser":
		groups := []map[string]string{}
		for _, name := range a.groups {
			groups = append(groups, map[string]string{"GroupName": name})
		}
		out = map[string]any{"Groups": groups}
	case "AdminAddUserToGroup":
		if !slices.Contains(a.groups, in.GroupName) {
			a.groups = append(slices.Clone(a.groups), in.GroupName)
			slices.Sort(a.groups)
		}
	case "AdminRemoveUserFromGroup":
		a.groups = slices.DeleteFunc(slices.Clone(a.groups), func(name string) bool { return name == in.GroupName })
	case "AdminUserGlobalSignOut", "AdminDeleteUser":
	default:
		return nil, fmt.Errorf("the pool does not know %s", op)
	}
	if op == "AdminDeleteUser" {
		delete(p.accounts, in.Username)
	} else {
		p.accounts[in.Username] = a
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return answer(r, http.StatusOK, "", string(body)), nil
}
