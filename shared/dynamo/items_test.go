package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"partneraccess/events"
	"partneraccess/shared/access"
)

var update = flag.Bool("update", false, "write testdata/*.golden as it is now")

const (
	kim = "contoso:01JKIM0000000000000000000K"
	ann = "ann@acme.example"

	stamp access.Stamp = "2026-11-22T12:00:00.000Z"
)

// full is one record of each kind with every field set.
func full() record {
	level := access.View
	return record{
		Partner: &access.Partner{
			ID: "contoso", Name: "Contoso MSP – Köln", Class: access.Channel, Offer: access.Manage, SSO: true, OwnerSetsSSO: true,
			Status: access.Suspended,
			Parent: "fabrikam", Contacts: []string{"ops@contoso.example", "help@contoso.example"}, Domains: []string{"contoso.example"},
			Created: noon, Updated: noon.Add(time.Hour), Changed: stamp, Version: 7,
		},
		Headcount: &access.Headcount{Partner: "contoso", LastNumber: 12, Staff: 9, Owners: 2, Changed: stamp, Version: 14},
		User: &access.User{
			ID: kim, Partner: "contoso", Number: 3, Email: "kim@contoso.example", Unproved: true, FormerEmails: []string{"kim@old.example"},
			Name:  "Kim 金",
			Phone: "+4930123456", Role: access.Tech,
			Status: access.Disabled, MFA: true, MemberOf: []string{"acme", "globex"}, RemovalHeadcountVersion: 13,
			ActivationMissedAt: noon.Add(time.Hour), Created: noon,
			Updated: noon.Add(time.Millisecond), Changed: stamp, Version: 4,
		},
		Email: &access.Email{
			Address: "kim@contoso.example", User: kim, MemberOf: []string{"acme", "globex"},
			FormerUsers: []string{"contoso:01JOTHER"}, Preferences: access.Preferences{Language: "de", Zone: "Europe/Berlin"}, Version: 5,
		},
		Domain: &access.Domain{Name: "acme.example", Customers: []string{"acme", "globex"}, Partner: "contoso", Version: 2},
		Customer: &access.Customer{
			ID: "acme", Name: "Acme", Domain: "acme.example", Contacts: []string{"it@acme.example"}, Status: access.Active,
			ManagedBy: "contoso", Caps: access.Caps{"kim@contoso.example": access.View, "lee@contoso.example": access.None}, HasInvitations: true,
			HasRequests: true, Requests: access.RequestPolicy{
				Mode: access.RequestsKnown, Approvers: []string{ann}, Approvals: 2, Hours: 24, MaxDays: 90, ReasonRequired: true, CodeDigest: "digest",
				CodeMade: noon, Version: 3,
			},
			Created: noon, Updated: noon, Changed: stamp, Version: 2,
		},
		Member: &access.Member{Customer: "acme", Email: ann, Name: "Ann", Admin: true, Created: noon, Version: 3},
		Grant: &access.Grant{
			ID: "grt_01JGRANT000000000000000000", Customer: "acme", Partner: "contoso", Level: access.Support, State: access.StateEnded, From: noon,
			Until:      noon.Add(24 * time.Hour),
			RequireSSO: true, AssignedBy: access.ByPartner, AssignedBySince: noon, Managed: true, Note: "migration\nsecond line", Message: "welcome",
			Domain: "acme.example", Caps: access.Caps{"kim@contoso.example": access.View}, RulesVersion: 7,
			Asking: access.RequestsOff, Everyone: true, Epoch: 3,
			EveryoneUpTo: 8, EveryoneUpToVersion: 6, EveryoneSince: noon.Add(time.Hour), EveryoneBy: access.By{Kind: "customer", Email: ann},
			Count: 5, PreviousEnd: noon.Add(time.Second),
			End:           &access.End{Reason: access.RevokedByCustomer, At: noon.Add(time.Hour), By: access.By{Kind: "customer", Email: ann}},
			NotifiedUntil: noon.Add(time.Minute), Created: noon, Updated: noon.Add(time.Hour), Changed: stamp, Version: 9, HiddenVersions: 2,
		},
		Assignment: &access.Assignment{
			Customer: "acme", Partner: "contoso", User: kim, Epoch: 3, Excluded: true, Level: &level, By: access.ByPartner,
			Number: 3, At: noon, Granter: access.By{Kind: "partner", Email: "olga@contoso.example"}, Version: 9,
		},
		Task: &access.Task{
			ID: "01JTASK00000000000000000000", Kind: access.TaskUserRemoved, Partner: "contoso", Customer: "acme", User: kim, LastCustomer: "acme",
			Again: true, Due: noon.Add(time.Minute), Created: noon, Version: 2,
			EmailWas: "kim@old.example", FormerNumber: 3, HeadcountVersion: 9,
		},
		Invitation: &access.Invitation{
			ID: "01JINVITE000000000000000000", Customer: "acme", Partner: "contoso", Grant: "grt_01JGRANT000000000000000000",
			Email: "lee@contoso.example", Level: access.View, Until: noon.Add(24 * time.Hour),
			State: access.InvitationPending, Reason: access.Expired, By: access.By{Kind: "customer", Email: ann}, Inviter: kim,
			Digests: []string{"hash", "of the reminder"}, Sending: 2, Days: 7, Expires: noon.Add(7 * 24 * time.Hour), Reminded: true,
			User: kim, Created: noon, Updated: noon, Version: 3,
		},
		Event: &events.Event{
			ID: eventID(noon, 1), Type: events.GrantEdited, Time: noon, Actor: events.Actor{Kind: "customer", Email: ann},
			Customer: &events.Organisation{ID: "acme", Name: "Acme"}, Partner: &events.Organisation{ID: "contoso", Name: "Contoso MSP – Köln"},
			Data: events.Data{Grant: "grt_01JGRANT000000000000000000", Version: 9, Level: "support", Fields: []string{"level"}},
		},
		Answer: &access.StoredResponse{
			Digest: "digest", Fingerprint: "fingerprint", Status: 201, ETag: `"1"`, Location: "/v1/x",
			Body: []byte(`{"a":"ä"}`), Expires: noon.Add(24 * time.Hour),
		},
	}
}

// bare is one record of each kind with nothing but what it cannot be without.
func bare() record {
	return record{
		Partner:    &access.Partner{ID: "p", Name: "&", Version: 1},
		Headcount:  &access.Headcount{Partner: "p", Version: 1},
		User:       &access.User{ID: "p:u", Partner: "p", Email: "u@p.example", Version: 1},
		Email:      &access.Email{Address: "u@p.example", User: "p:u", Version: 1},
		Domain:     &access.Domain{Name: "p.example", Version: 1},
		Customer:   &access.Customer{ID: "c", Version: 1},
		Member:     &access.Member{Customer: "c", Email: "u@p.example", Version: 1},
		Grant:      &access.Grant{Customer: "c", Partner: "p", Version: 1},
		Assignment: &access.Assignment{Customer: "c", Partner: "p", User: "p:u", Version: 1},
		Task:       &access.Task{ID: "t", Version: 1},
		Invitation: &access.Invitation{ID: "i", Customer: "c", Partner: "p", Version: 1},
		Event:      &events.Event{ID: eventID(noon, 2), Customer: &events.Organisation{ID: "c"}},
		Answer:     &access.StoredResponse{Digest: "d", Status: 204, Body: []byte{}, Expires: noon},
	}
}

// record is one record of each kind; all of them are about the same customer, partner and user.
type record struct {
	Partner    *access.Partner
	Headcount  *access.Headcount
	User       *access.User
	Email      *access.Email
	Domain     *access.Domain
	Customer   *access.Customer
	Member     *access.Member
	Grant      *access.Grant
	Assignment *access.Assignment
	Task       *access.Task
	Invitation *access.Invitation
	Event      *events.Event
	Answer     *access.StoredResponse
}

func (r record) change() access.Change {
	return access.Change{
		Writes: []access.Write{
			access.PartnerWrite{After: r.Partner},
			access.HeadcountWrite{After: r.Headcount},
			access.UserWrite{After: r.User},
			access.EmailWrite{After: r.Email},
			access.DomainWrite{After: r.Domain},
			access.CustomerWrite{After: r.Customer},
			access.MemberWrite{After: r.Member},
			access.GrantWrite{After: r.Grant},
			access.AssignmentWrite{After: r.Assignment},
			access.TaskWrite{After: r.Task},
			access.InvitationWrite{After: r.Invitation},
		},
		Events: []events.Event{*r.Event},
	}
}

// eventID is the n-th id of that instant.
func eventID(at time.Time, n byte) string {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		panic(err)
	}
	id[15] = n
	return id.String()
}

func TestEveryKeyAndItemIsAsTheGoldenFileSays(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for _, r := range []record{full(), bare()} {
		if err := tb.Apply(t.Context(),
			func(context.Context) (access.Change, *access.StoredResponse, error) { return r.change(), r.Answer, nil }); err != nil {
			t.Fatal(err)
		}
	}
	open := grantFor("open", "contoso", brief)
	removed := &access.Partner{ID: "gone", Name: "Gone", Status: access.Removed, Version: 3}
	alone := events.Event{
		ID: eventID(noon, 3), Type: events.PartnerRemoved, Time: noon,
		Partner: &events.Organisation{ID: "gone", Name: "Gone"},
	}
	if err := tb.Apply(t.Context(), planOf(access.Change{
		Writes: []access.Write{access.PartnerWrite{After: removed}, access.GrantWrite{After: open}},
		Events: []events.Event{alone},
	})); err != nil {
		t.Fatal(err)
	}
	pending := full().Invitation // that of full() stays; this one ends
	pending.ID, pending.Email, pending.Version = "01JINVITE000000000000000001", "max@elsewhere.example", 1
	closed := *pending
	closed.State, closed.Reason, closed.Version = access.InvitationCancelled, access.GrantEnded, 2
	for _, w := range []access.InvitationWrite{{After: pending}, {Before: pending, After: &closed}} {
		if err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{w}})); err != nil {
			t.Fatal(err)
		}
	}
	request := fullRequest()
	first := *request
	first.Version, first.State, first.Granted = 1, access.RequestPending, nil
	slot := access.RequestSlot{Customer: "acme", Partner: "contoso", Kind: access.AskRaise, User: kim, Request: request.ID, Version: 1}
	attempts := access.CodeAttempts{Partner: "contoso", Customer: "acme", Count: 3, Since: noon, Notified: noon.Add(time.Hour), Version: 2}
	for _, w := range []access.Write{
		access.RequestWrite{After: &first},
		access.RequestWrite{Before: &first, After: request},
		access.RequestSlotWrite{After: &slot},
		access.CodeAttemptsWrite{After: &attempts},
	} {
		if err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{w}})); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "testdata/items.golden", tb.dump(t))
}

// fullRequest is a request with every field set.
func fullRequest() *access.Request {
	asked := access.RequestTerms{Level: access.Support, Everyone: true, Users: []string{kim}, From: noon, Until: noon.Add(time.Hour)}
	less := asked
	less.Level = access.View
	return &access.Request{
		ID: "01JREQUEST000000000000000A", Customer: "acme", Partner: "contoso", Kind: access.AskRaise, Asked: asked, Purpose: "Because",
		Ticket: "T 1",
		Grant:  "grt_01JGRANT000000000000000000", Personal: true, User: kim,
		By:    access.By{Kind: access.ActorPartner, Email: "kim@contoso.example"},
		State: access.RequestApproved, Why: access.Fulfilled, Question: "Why?", Asker: access.By{Kind: access.ActorCustomer, Email: ann},
		Approvals: []access.Approval{{Email: ann, Terms: less, At: noon}}, Decider: access.By{Kind: access.ActorCustomer, Email: ann},
		Note: "Less", Granted: &less, Expires: noon.Add(time.Hour), Reminders: 2, Created: noon, Updated: noon, Version: 4,
	}
}

func TestARequestComesBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	full := fullRequest()
	bare := &access.Request{ID: "01JREQUEST000000000000000B", Customer: "acme", Partner: "contoso", State: access.RequestPending, Version: 1}
	for _, want := range []*access.Request{full, bare} {
		if err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{access.RequestWrite{After: want}}})); err != nil {
			t.Fatal(err)
		}
		got, err := tb.Request(t.Context(), "acme", want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		customer, err := tb.RequestCustomer(t.Context(), "contoso", want.ID)
		if err != nil || customer != "acme" {
			t.Errorf("whose it is: got %q (%v), want acme", customer, err)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run the tests with -update", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("%s, line %d: got\n%s\nwant\n%s\nA stored shape that changes needs a way for what is stored already; then run with -update.",
				file, i+1, a, b)
		}
	}
}

// load reads one record of each kind back.
func (tb *table) load(ctx context.Context, want record) (record, error) {
	var got record
	r, err := tb.GrantFacts(ctx, want.Customer.ID, want.Partner.ID, []string{want.User.ID}, true)
	if err != nil {
		return got, err
	}
	got.Partner, got.Headcount, got.Customer, got.Grant = r.Partner, &r.Headcount, r.Customer, r.Grant
	got.User, got.Assignment = r.Users[want.User.ID], r.Assignments[want.User.ID]
	m, err := tb.MemberFacts(ctx, want.Customer.ID, want.Email.Address)
	if err != nil {
		return got, err
	}
	got.Email = m.Email
	registry, err := tb.Domains(ctx, want.Domain.Name)
	if err != nil {
		return got, err
	}
	got.Domain = registry[want.Domain.Name]
	if got.Member, err = tb.Member(ctx, want.Customer.ID, want.Member.Email); err != nil {
		return got, err
	}
	if got.Task, err = tb.Task(ctx, want.Task.ID); err != nil {
		return got, err
	}
	if got.Invitation, err = tb.Invitation(ctx, want.Customer.ID, want.Invitation.ID); err != nil {
		return got, err
	}
	page, err := tb.CustomerHistory(ctx, want.Customer.ID, access.HistoryFilter{}, access.PageRequest{Limit: 1})
	if err != nil {
		return got, err
	}
	if len(page.Items) == 1 {
		got.Event = &page.Items[0]
	}
	got.Answer, err = tb.StoredResponse(ctx, want.Answer.Digest)
	return got, err
}

func (r record) differs(want record) string {
	a, b := reflect.ValueOf(r), reflect.ValueOf(want)
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			x, _ := json.Marshal(a.Field(i).Interface())
			y, _ := json.Marshal(b.Field(i).Interface())
			return a.Type().Field(i).Name + ": got " + string(x) + ", want " + string(y)
		}
	}
	return ""
}

func TestFullAndBareRecordsComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for _, want := range []record{full(), bare()} {
		if err := tb.Apply(t.Context(),
			func(context.Context) (access.Change, *access.StoredResponse, error) {
				return want.change(), want.Answer, nil
			}); err != nil {
			t.Fatal(err)
		}
		got, err := tb.load(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if d := got.differs(want); d != "" {
			t.Error(d)
		}
	}
}

func TestWhateverIsWrittenComesBackAsItWas(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var n int64
	rapid.Check(t, func(rt *rapid.T) {
		n++
		want := anyRecord(rt, n)
		if err := tb.Apply(t.Context(),
			func(context.Context) (access.Change, *access.StoredResponse, error) {
				return want.change(), want.Answer, nil
			}); err != nil {
			rt.Fatal(err)
		}
		got, err := tb.load(t.Context(), want)
		if err != nil {
			rt.Fatal(err)
		}
		if d := got.differs(want); d != "" {
			rt.Fatal(d)
		}
	})
}

// anyRecord draws records that nobody has drawn before.
func anyRecord(t *rapid.T, n int64) record {
	unique := "x" + ulid.ULID{14: byte(n >> 8), 15: byte(n)}.String()
	text := rapid.OneOf(rapid.Just(""), rapid.String())
	list := rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfN(rapid.StringN(1, 20, -1), 1, 4))
	number := rapid.Int64Range(0, 1<<60)
	yes := rapid.Bool()
	level := rapid.SampledFrom([]access.Level{access.None, access.View, access.Support, access.Manage})
	status := rapid.SampledFrom(
		[]access.Status{"", access.Active, access.Suspended, "invited", access.Disabled, access.Removed})
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		return time.UnixMilli(rapid.Int64Range(-62135596800000+1, 253402300799999).Draw(t, "ms")).UTC()
	})
	version := rapid.Int64Range(1, 1<<60)
	customer, partner := "c"+unique, "p"+unique
	user := partner + ":" + rapid.StringMatching(`[0-9A-Z]{26}`).Draw(t, "user")
	address := unique + "@x.example"
	name := rapid.StringOfN(rapid.Rune(), 1, 40, -1).Draw(t, "name")
	var end *access.End
	if yes.Draw(t, "ended") {
		end = &access.End{
			Reason: access.Expired, At: instant.Draw(t, "end"),
			By: access.By{Kind: access.ActorKind(text.Draw(t, "by")), Email: text.Draw(t, "by whom")},
		}
	}
	var own *access.Level
	if yes.Draw(t, "own level") {
		l := level.Draw(t, "level of the user")
		own = &l
	}
	e := events.Event{
		ID: eventID(noon, 1), Type: events.UserEdited, Time: instant.Draw(t, "event"),
		Customer: &events.Organisation{ID: customer, Name: name},
	}
	if yes.Draw(t, "event of both") {
		e.Partner = &events.Organisation{ID: partner, Name: name}
		e.Data.Note = text.Draw(t, "event's note")
	}
	return record{
		Partner: &access.Partner{
			ID: partner, Name: name, Class: access.Other, Offer: level.Draw(t, "offer"), SSO: yes.Draw(t, "sso"),
			OwnerSetsSSO: yes.Draw(t, "owner sets sso"), Status: status.Draw(t, "status"),
			Parent: text.Draw(t, "parent"), Contacts: list.Draw(t, "contacts"), Created: instant.Draw(t, "created"),
			Updated: instant.Draw(t, "updated"), Version: version.Draw(t, "version"),
		},
		Headcount: &access.Headcount{
			Partner: partner, LastNumber: number.Draw(t, "last"), Staff: int(number.Draw(t, "staff")),
			Owners: int(number.Draw(t, "owners")), Version: version.Draw(t, "version"),
		},
		User: &access.User{
			ID: user, Partner: partner, Number: number.Draw(t, "number"), Email: address, Name: text.Draw(t, "user's name"),
			Phone: text.Draw(t, "phone"),
			Role:  rapid.SampledFrom([]access.Role{access.Owner, access.External}).Draw(t, "role"), Status: status.Draw(t, "status"),
			MFA:      yes.Draw(t, "mfa"),
			MemberOf: list.Draw(t, "member of"), RemovalHeadcountVersion: number.Draw(t, "left"), ActivationMissedAt: instant.Draw(t, "missed"),
			Created: instant.Draw(t, "created"), Updated: instant.Draw(t, "updated"), Version: version.Draw(t, "version"),
		},
		Email: &access.Email{
			Address: address, User: rapid.SampledFrom([]string{"", user}).Draw(t, "user"), MemberOf: list.Draw(t, "member of"),
			Preferences: access.Preferences{Language: text.Draw(t, "language"), Zone: text.Draw(t, "zone")},
			Version:     version.Draw(t, "version"),
		},
		Domain: &access.Domain{
			Name: unique + ".example", Customers: list.Draw(t, "registered by"), Partner: text.Draw(t, "confirmed for"),
			Version: version.Draw(t, "version"),
		},
		Customer: &access.Customer{
			ID: customer, Name: text.Draw(t, "name"), Domain: text.Draw(t, "domain"), Contacts: list.Draw(t, "contacts"),
			Status:    status.Draw(t, "status"),
			ManagedBy: text.Draw(t, "managed by"), Created: instant.Draw(t, "created"), Updated: instant.Draw(t, "updated"),
			Version: version.Draw(t, "version"),
		},
		Member: &access.Member{
			Customer: customer, Email: address, Name: text.Draw(t, "name"), Admin: yes.Draw(t, "admin"),
			Created: instant.Draw(t, "created"), Version: version.Draw(t, "version"),
		},
		Grant: &access.Grant{
			ID: text.Draw(t, "grant"), Customer: customer, Partner: partner, Level: level.Draw(t, "level"),
			State: rapid.SampledFrom([]access.State{access.StateOpen, access.StateSuspended}).Draw(t, "state"),
			From:  instant.Draw(t, "from"), Until: instant.Draw(t, "until"), RequireSSO: yes.Draw(t, "require sso"), AssignedBy: access.ByCustomer,
			Managed: yes.Draw(t, "managed"),
			Note:    text.Draw(t, "note"), Everyone: yes.Draw(t, "everyone"), Epoch: number.Draw(t, "epoch"), EveryoneUpTo: number.Draw(t, "up to"),
			EveryoneUpToVersion: number.Draw(t, "up to at"), Count: int(number.Draw(t, "count")),
			End: end, NotifiedUntil: instant.Draw(t, "told"), Created: instant.Draw(t, "created"), Updated: instant.Draw(t, "updated"),
			Version: version.Draw(t, "version"), HiddenVersions: number.Draw(t, "quiet"),
		},
		Assignment: &access.Assignment{
			Customer: customer, Partner: partner, User: user, Epoch: number.Draw(t, "epoch"), Excluded: yes.Draw(t, "out"),
			Level: own, At: instant.Draw(t, "at"), Version: version.Draw(t, "version"),
		},
		Task: &access.Task{
			ID: unique, Kind: access.TaskPartnerRemoved, Partner: partner, User: text.Draw(t, "task's user"), LastCustomer: text.Draw(t, "after"),
			Again: yes.Draw(t, "again"),
			Due:   instant.Draw(t, "due"), Created: instant.Draw(t, "created"), Version: version.Draw(t, "version"),
		},
		Invitation: &access.Invitation{
			ID: unique, Customer: customer, Partner: partner, Email: text.Draw(t, "invited"), Level: level.Draw(t, "level"),
			Until:   instant.Draw(t, "until"),
			State:   rapid.SampledFrom([]access.InvitationStatus{access.InvitationPending, access.InvitationExpired}).Draw(t, "state"),
			By:      access.By{Kind: access.ActorKind(text.Draw(t, "by")), Email: text.Draw(t, "by whom")},
			Digests: list.Draw(t, "digests"), Sending: int(number.Draw(t, "sending")), MailEvent: text.Draw(t, "mail"),
			Days:    int(number.Draw(t, "days")),
			Expires: instant.Draw(t, "expires"), Reminded: yes.Draw(t, "reminded"),
			User: text.Draw(t, "who accepted"), Created: instant.Draw(t, "created"), Updated: instant.Draw(t, "updated"),
			Version: version.Draw(t, "version"),
		},
		Event: &e,
		Answer: &access.StoredResponse{
			Digest: unique, Fingerprint: text.Draw(t, "fingerprint"), Status: rapid.IntRange(100, 599).Draw(t, "http status"),
			ETag: text.Draw(t, "etag"), Location: text.Draw(t, "location"),
			Body: []byte(text.Draw(t, "body")), Expires: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "expires"), 0).UTC(),
		},
	}
}

func TestAnAttributeThatCannotBeUnderstoodIsAnError(t *testing.T) {
	t.Parallel()
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	number := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	r := full()
	type reading = func(context.Context, *table) error
	partner := func(ctx context.Context, tb *table) error { _, err := tb.Partner(ctx, "contoso"); return err }
	customer := func(ctx context.Context, tb *table) error { _, err := tb.Customer(ctx, "acme"); return err }
	user := func(ctx context.Context, tb *table) error { _, err := tb.User(ctx, kim); return err }
	member := func(ctx context.Context, tb *table) error { _, err := tb.Member(ctx, "acme", ann); return err }
	relation := func(ctx context.Context, tb *table) error {
		_, err := tb.GrantFacts(ctx, "acme", "contoso", []string{kim}, false)
		return err
	}
	whole := func(ctx context.Context, tb *table) error {
		_, err := tb.GrantFacts(ctx, "acme", "contoso", nil, true)
		return err
	}
	users := func(ctx context.Context, tb *table) error {
		_, err := tb.Users(ctx, "contoso", "", false, access.PageRequest{Limit: 1})
		return err
	}
	address := func(ctx context.Context, tb *table) error { _, err := tb.Identity(ctx, r.Email.Address); return err }
	history := func(ctx context.Context, tb *table) error {
		_, err := tb.CustomerHistory(ctx, "acme", access.HistoryFilter{}, access.PageRequest{Limit: 1})
		return err
	}
	answer := func(ctx context.Context, tb *table) error { _, err := tb.StoredResponse(ctx, "digest"); return err }
	task := func(ctx context.Context, tb *table) error { _, err := tb.Task(ctx, r.Task.ID); return err }
	invitation := func(ctx context.Context, tb *table) error {
		_, err := tb.Invitation(ctx, "acme", r.Invitation.ID)
		return err
	}
	for _, c := range []struct {
		pk, sk, attribute string
		value             types.AttributeValue
		read              reading
	}{
		{"P#contoso", "P", "offer", text("everything"), partner},
		{"P#contoso", "P", "offer", nil, partner},
		{"P#contoso", "P", "offer", text("everything"), relation},
		{"P#contoso", "P", "created", text("2026-11-22"), partner},
		{"P#contoso", "P", "version", text("seven"), partner},
		{"P#contoso", "P", "sso", text("true"), partner},
		{"P#contoso", "H", "last", number("1.5"), relation},
		{"P#contoso", "H", "staff", text("nine"), relation},
		{"P#contoso", "U#" + kim, "number", number("1e30"), user},
		{"P#contoso", "U#" + kim, "number", text("x"), users},
		{"P#contoso", "U#" + kim, "mfa", text("no"), user},
		{"C#acme", "C", "updated", text("2026-11-22T12:00:00Z"), customer},
		{"C#acme", "M#" + ann, "admin", text("no"), member},
		{"C#acme", "M#" + ann, "created", number("1"), member},
		{"C#acme", "G#contoso", "level", text("root"), relation},
		{"C#acme", "G#contoso", "level", nil, relation},
		{"C#acme", "G#contoso", "until", text("soon"), relation},
		{"C#acme", "G#contoso", "until", text(""), relation},
		{"C#acme", "G#contoso", "from", text("2026-11-22T12:00:00.000+01:00"), relation},
		{"C#acme", "G#contoso", "epoch", text("x"), relation},
		{"C#acme", "G#contoso", "end_at", text("x"), relation},
		{"C#acme", "U#" + kim, "out", text("true"), relation},
		{"C#acme", "U#" + kim, "level", text(""), relation},
		{"C#acme", "U#" + kim, "level", text("root"), whole},
		{"C#acme", "U#" + kim, "epoch", text("x"), whole},
		{"E#kim@contoso.example", "E", "version", text("x"), address},
		{"C#acme", "T#" + r.Event.ID, "event", text("{"), history},
		{"C#acme", "T#" + r.Event.ID, "event", nil, history},
		{"K#" + r.Task.ID, "K", "due", text("soon"), task},
		{"C#acme", "I#" + r.Invitation.ID, "level", text("root"), invitation},
		{"C#acme", "I#" + r.Invitation.ID, "expires", text("soon"), invitation},
		{"I#digest", "I", "status", text("x"), answer},
		{"I#digest", "I", "ttl", text("x"), answer},
	} {
		what := c.attribute + " of " + c.pk + " " + c.sk
		tb := newTable(t)
		if err := tb.Apply(t.Context(),
			func(context.Context) (access.Change, *access.StoredResponse, error) { return r.change(), r.Answer, nil }); err != nil {
			t.Fatal(err)
		}
		if err := c.read(t.Context(), tb); err != nil {
			t.Fatalf("%s, before: got %v, want no error", what, err)
		}
		in := &dynamodb.UpdateItemInput{
			TableName: &tb.name, Key: map[string]types.AttributeValue{"pk": text(c.pk), "sk": text(c.sk)},
			ExpressionAttributeNames: map[string]string{"#a": c.attribute},
		}
		expression := "REMOVE #a"
		if c.value != nil {
			expression = "SET #a = :v"
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": c.value}
		}
		in.UpdateExpression = &expression
		if _, err := tb.raw.UpdateItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		err := c.read(t.Context(), tb)
		if err == nil || access.CodeOf(err) != "" || errors.Is(err, access.ErrUnavailable) {
			t.Errorf("%s is %v: got the error %v, want one that is neither a refusal nor access.ErrUnavailable", what, c.value, err)
		}
	}
}

func TestAnEventThatConcernsNobodyIsNotWritten(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	c := access.Change{
		Writes: []access.Write{access.CustomerWrite{After: &access.Customer{ID: "acme", Version: 1}}},
		Events: []events.Event{{ID: eventID(noon, 1), Type: events.CustomerCreated}},
	}
	if err := tb.Apply(t.Context(), planOf(c)); err == nil {
		t.Error("got no error, want one")
	}
	if got := tb.dump(t); got != "" {
		t.Errorf("got the table\n%s\nwant nothing in it", got)
	}
}
