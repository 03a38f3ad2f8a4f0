package dynamo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
)

// These tests are inside the package because they set a table up from items that were written in other ways than the store would.

const (
	kim = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"
	lea = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S2"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// world is a partner with two users; kim is in acme's grant.
func world() (access.Partner, []access.User, access.Grant, access.Assignment) {
	created := at("2026-10-01T08:00:00.123Z")
	support := access.Support
	p := access.Partner{
		ID: "contoso", Name: "Contoso \"MSP\" Zürich\n", Class: access.Channel, Offer: access.Manage, SSO: true, Status: access.Active,
		Contacts: []string{"ops@contoso.example", "it@contoso.example"}, Created: created, Updated: created, Version: 4,
	}
	us := []access.User{
		{
			ID: kim, Partner: "contoso", Number: 1, Email: "kim@contoso.example", Name: "Kim", Role: access.Tech, Status: access.Active,
			MFA: true, MemberOf: []string{"fabrikam"}, Created: created, Updated: created, Version: 2,
		},
		{
			ID: lea, Partner: "contoso", Number: 2, Email: "lea@contoso.example", Role: access.Owner, Status: access.Active, Created: created,
			Updated: created, Version: 1,
		},
	}
	g := access.Grant{
		ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.Manage, State: access.StateOpen, From: created,
		Until: at("2027-03-01T00:00:00Z"), AssignedBy: access.ByCustomer, Note: `a "note" \ with everything`, Count: 1, Created: created,
		Updated: created, Version: 7,
	}
	a := access.Assignment{Customer: "acme", Partner: "contoso", User: kim, Level: &support, At: created, Version: 7}
	return p, us, g, a
}

func fill(t *testing.T, db *dynamodb.Client, table string) {
	t.Helper()
	p, us, g, a := world()
	drafts := []draft{partnerItem(&p), grantItem(&g), assignmentItem(&a)}
	for i := range us {
		drafts = append(drafts, userItem(&us[i]), emailItem(&access.Email{Address: us[i].Email, User: us[i].ID, Version: 1}))
	}
	for _, d := range drafts {
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: d}); err != nil {
			t.Fatal(err)
		}
	}
}

// wiretap lets a test look at the responses, or make them up.
type wiretap struct {
	dynamodb.HTTPClient
	mu     sync.Mutex
	asked  []string // the operations
	bodies []string
	answer func(n int, body string) (status int, answer string) // 0 = ask the engine
}

func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	w.asked = append(w.asked, strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."))
	w.bodies = append(w.bodies, string(body))
	n := len(w.asked)
	w.mu.Unlock()
	if w.answer != nil {
		if status, answer := w.answer(n, string(body)); status != 0 {
			return response(r, status, answer), nil
		}
	}
	return w.HTTPClient.Do(r)
}

func response(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: r, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": contentType, "X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)}},
	}
}

// reader is a Reader through a wiretap, with the client that the functions use.
func reader(t *testing.T, endpoint, table string, tap *wiretap, options ...Option) *Reader {
	t.Helper()
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
	}
	client, err := NewClient(func(name string) string { return env[name] }, func(o *dynamodb.Options) {
		tap.HTTPClient = o.HTTPClient
		o.HTTPClient = tap
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewReader(client, table, options...)
}

func engineReader(t *testing.T) (*Reader, *wiretap) {
	t.Helper()
	e := engine.Shared(t)
	table := "facts-" + rand.Text()
	if err := CreateTable(t.Context(), e.Client(), table, false); err != nil {
		t.Fatal(err)
	}
	fill(t, e.Client(), table)
	tap := &wiretap{}
	return reader(t, e.Endpoint(), table, tap), tap
}

var acme = []access.FactsQuery{{User: kim, Customer: "acme"}}

func TestOneQuestionIsOneRequestOfFourStronglyConsistentKeys(t *testing.T) {
	r, tap := engineReader(t)
	p, us, g, a := world()
	for _, c := range []access.Consistency{access.Strong, access.Eventual, access.Snapshot} {
		tap.asked, tap.bodies = nil, nil
		got, err := r.Facts(t.Context(), acme, c)
		if err != nil {
			t.Fatal(err)
		}
		want := []access.Facts{{Partner: &p, User: &us[0], Grant: &g, Assignment: &a}}
		if c != access.Snapshot {
			want[0] = decisiveOnly(want[0])
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %s\nwant %s", c, text(got), text(want))
		}
		if len(tap.asked) != 1 {
			t.Errorf("%s: got %d requests %v, want 1", c, len(tap.asked), tap.asked)
		}
		if n := strings.Count(tap.bodies[0], `"pk":`); n != 4 {
			t.Errorf("%s: got %d keys, want 4", c, n)
		}
		if strong := strings.Contains(tap.bodies[0], `"ConsistentRead":true`); strong != (c == access.Strong) {
			t.Errorf("%s: got ConsistentRead %v", c, strong)
		}
	}
}

// decisiveOnly is what BatchGetItem is asked for of those facts.
func decisiveOnly(f access.Facts) access.Facts {
	if p := f.Partner; p != nil {
		f.Partner = &access.Partner{ID: p.ID, Status: p.Status, Class: p.Class, Offer: p.Offer, SSO: p.SSO}
	}
	if u := f.User; u != nil {
		f.User = &access.User{
			ID: u.ID, Partner: u.Partner, Status: u.Status, Number: u.Number, Role: u.Role, MemberOf: u.MemberOf,
			Email: u.Email, FormerEmails: u.FormerEmails,
		}
	}
	if g := f.Grant; g != nil {
		f.Grant = &access.Grant{
			ID: g.ID, Customer: g.Customer, Partner: g.Partner, Level: g.Level, State: g.State, From: g.From, Until: g.Until,
			RequireSSO: g.RequireSSO,
			Everyone:   g.Everyone, Epoch: g.Epoch, EveryoneUpTo: g.EveryoneUpTo, Domain: g.Domain, Caps: g.Caps, AssignedBy: g.AssignedBy,
		}
	}
	if a := f.Assignment; a != nil {
		f.Assignment = &access.Assignment{
			Customer: a.Customer, Partner: a.Partner, User: a.User, Epoch: a.Epoch, Excluded: a.Excluded, Level: a.Level,
			By: a.By, Number: a.Number,
		}
	}
	return f
}

// A decision on what was read must be the decision on what is there, whatever is there: an attribute that the projection forgets would be a
// fact that no longer denies.
func TestFactsHoldAllThatDecisionsLookAt(t *testing.T) {
	e := engine.Shared(t)
	table := "facts-" + rand.Text()
	if err := CreateTable(t.Context(), e.Client(), table, false); err != nil {
		t.Fatal(err)
	}
	r := reader(t, e.Endpoint(), table, &wiretap{})
	sparing := reader(t, e.Endpoint(), table, &wiretap{}, WithAliases())
	catalogue := access.DefaultCatalogue()
	instants := []time.Time{{}, at("2026-10-01T08:00:00.123Z"), at("2026-11-01T00:00:00Z"), at("2027-03-01T00:00:00Z")}
	levels := []access.Level{access.None, access.View, access.Support, access.Manage}
	customers := []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}
	told := map[access.DecisionReason]bool{}
	rapid.Check(t, func(t *rapid.T) {
		bit := func(name string) bool { return rapid.Bool().Draw(t, name) }
		mostly := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) > 0 }
		p := access.Partner{
			ID: "contoso", Name: "Contoso", Class: access.Channel, Offer: rapid.SampledFrom(levels).Draw(t, "offer"), SSO: bit("sso"),
			Status: access.Active, Parent: "umbrella", Version: 1,
		}
		if !mostly("channel") {
			p.Class = "other"
		}
		u := access.User{
			ID: kim, Partner: "contoso", Number: int64(rapid.IntRange(1, 3).Draw(t, "number")), Email: "kim@contoso.example", Status: access.Active,
			Version: 1,
			Role:    rapid.SampledFrom([]access.Role{access.Owner, access.Admin, access.Business, access.Tech, access.External}).Draw(t, "role"),
		}
		if bit("another address before") {
			u.FormerEmails = []string{"kim@old.example"}
		}
		if !mostly("partner active") {
			p.Status = rapid.SampledFrom([]access.Status{access.Suspended, access.Removed}).Draw(t, "partner status")
		}
		if !mostly("user active") {
			u.Status = rapid.SampledFrom([]access.Status{access.Status("invited"), access.Disabled, access.Removed}).Draw(t, "user status")
		}
		for _, c := range customers {
			if !mostly("no member of " + c) {
				u.MemberOf = append(u.MemberOf, c)
			}
		}
		drafts := []draft{partnerItem(&p), amongUsers(&u)}
		facts := make([]access.Facts, len(customers))
		questions := make([]access.FactsQuery, len(customers))
		for i, c := range customers {
			questions[i], facts[i] = access.FactsQuery{User: kim, Customer: c}, access.Facts{Partner: &p, User: &u}
			if mostly("grant " + c) {
				g := access.Grant{
					ID: "grt_" + c, Customer: c, Partner: "contoso", Level: rapid.SampledFrom(levels).Draw(t, "level"), RequireSSO: bit("require_sso"),
					State: rapid.SampledFrom(
						[]access.State{access.StateOpen, access.StateOpen, access.StateSuspended, access.StateEnded}).Draw(t, "state"),
					Everyone: bit("everyone"), Epoch: int64(rapid.IntRange(0, 1).Draw(t, "epoch")),
					EveryoneUpTo: int64(rapid.IntRange(0, 3).Draw(t, "up_to")),
					From:         rapid.SampledFrom(instants).Draw(t, "from"), Until: rapid.SampledFrom(instants).Draw(t, "until"), Version: 1,
				}
				if g.State == access.StateEnded {
					g.End = &access.End{
						Reason: rapid.SampledFrom([]access.Reason{access.Expired, access.RevokedByCustomer}).Draw(t, "reason"),
						At:     instants[1],
					}
				}
				if !mostly("another domain") {
					g.Domain = "contoso.example"
				}
				for _, address := range []string{"kim@contoso.example", "kim@old.example", "lea@contoso.example"} {
					if !mostly("no cap on " + address) {
						if g.Caps == nil {
							g.Caps = access.Caps{}
						}
						g.Caps[address] = rapid.SampledFrom(levels).Draw(t, "cap")
					}
				}
				facts[i].Grant = &g
				drafts = append(drafts, grantItem(&g))
			}
			if mostly("assignment " + c) {
				a := access.Assignment{
					Customer: c, Partner: "contoso", User: kim, Epoch: int64(rapid.IntRange(0, 1).Draw(t, "its epoch")), Excluded: !mostly("in"),
					Version: 1,
				}
				if bit("its own level") {
					a.Level = new(rapid.SampledFrom(levels).Draw(t, "its level"))
				}
				if bit("picked by the customer") {
					a.By, a.Number = access.ByCustomer, int64(rapid.IntRange(0, 3).Draw(t, "picked as"))
				}
				facts[i].Assignment = &a
				drafts = append(drafts, assignmentItem(&a))
			}
		}
		replace(t, e.Client(), table, drafts, questions)
		now := rapid.SampledFrom(instants[1:]).Draw(t, "now")
		for _, how := range []struct {
			*Reader
			access.Consistency
		}{{r, access.Strong}, {r, access.Eventual}, {r, access.Snapshot}, {sparing, access.Strong}, {sparing, access.Eventual}} {
			c := how.Consistency
			read, err := how.Facts(t.Context(), questions, c)
			if err != nil {
				t.Fatal(err)
			}
			if shown := text(read); how.Reader == sparing && (strings.Contains(shown, "kim@") || strings.Contains(shown, "lea@")) {
				t.Fatalf("got an address in %s, want aliases alone", shown)
			}
			for i, q := range questions {
				for _, action := range []string{"reports:read", "settings:write", "no:such"} {
					want := catalogue.Decide(facts[i], q.Customer, action, now)
					if got := catalogue.Decide(read[i], q.Customer, action, now); got.Reason != want.Reason || got.Allow != want.Allow ||
						got.Level != want.Level ||
						got.Grant != want.Grant || !got.Until.Equal(want.Until) {
						t.Fatalf("%s, %s: got %+v of %s, want %+v of %s", c, action, got, text(read[i]), want, text(facts[i]))
					}
					told[want.Reason] = true
				}
				for _, action := range []string{"users:write", "customers:read", "no:such"} {
					if got, want := catalogue.DecidePortal(read[i], "contoso", action), catalogue.DecidePortal(facts[i], "contoso", action); got != want {
						t.Fatalf("%s, portal, %s: got %+v, want %+v", c, action, got, want)
					}
				}
			}
		}
	})
	t.Logf("the decisions had %d different reasons: %v", len(told), told)
}

func TestEachFactThatIsReadDeniesAlone(t *testing.T) {
	e := engine.Shared(t)
	table := "facts-" + rand.Text()
	if err := CreateTable(t.Context(), e.Client(), table, false); err != nil {
		t.Fatal(err)
	}
	r := reader(t, e.Endpoint(), table, &wiretap{})
	now := at("2026-11-01T00:00:00Z")
	for _, c := range []struct {
		want access.DecisionReason
		turn func(p *access.Partner, u *access.User, g *access.Grant, a *access.Assignment)
	}{
		{access.Granted, func(*access.Partner, *access.User, *access.Grant, *access.Assignment) {}},
		{access.UnknownSubject, func(_ *access.Partner, u *access.User, _ *access.Grant, _ *access.Assignment) {
			u.Status = access.Removed
		}},
		{access.DeniedPartnerNotActive, func(p *access.Partner, _ *access.User, _ *access.Grant, _ *access.Assignment) {
			p.Status = access.Suspended
		}},
		{access.DeniedPartnerNotEligible, func(p *access.Partner, _ *access.User, _ *access.Grant, _ *access.Assignment) { p.Class = "other" }},
		{access.SSORequired, func(p *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			p.SSO, g.RequireSSO = false, true
		}},
		{access.DeniedUserNotActive, func(_ *access.Partner, u *access.User, _ *access.Grant, _ *access.Assignment) {
			u.Status = access.Disabled
		}},
		{access.NotYetActive, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.From = now.Add(time.Millisecond)
		}},
		{access.DeniedSuspended, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.State = access.StateSuspended
		}},
		{access.DeniedExpired, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) { g.Until = now }},
		{access.DeniedExpired, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.State, g.End = access.StateEnded, &access.End{Reason: access.Expired, At: now}
		}},
		{access.DeniedEnded, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.State, g.End = access.StateEnded, &access.End{Reason: access.RevokedByCustomer, At: now}
		}},
		{access.UserNotAssigned, func(_ *access.Partner, _ *access.User, _ *access.Grant, a *access.Assignment) { a.Excluded = true }},
		{access.UserNotAssigned, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) { g.Epoch = 5 }},
		{access.DeniedConflict, func(_ *access.Partner, u *access.User, _ *access.Grant, _ *access.Assignment) {
			u.MemberOf = []string{"other", "acme"}
		}},
		{access.DeniedOwnOrganisation, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.Domain = "contoso.example"
		}},
		{access.UserNotAssigned, func(_ *access.Partner, _ *access.User, _ *access.Grant, a *access.Assignment) {
			a.By, a.Number = access.ByCustomer, 9
		}},
		{access.LevelTooLow, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) {
			g.Caps = access.Caps{"kim@contoso.example": access.None}
		}},
		{access.LevelTooLow, func(_ *access.Partner, u *access.User, g *access.Grant, _ *access.Assignment) {
			u.FormerEmails, g.Caps = []string{"kim@old.example"}, access.Caps{"kim@old.example": access.View}
		}},
		{access.LevelTooLow, func(p *access.Partner, _ *access.User, _ *access.Grant, _ *access.Assignment) { p.Offer = access.None }},
		{access.LevelTooLow, func(_ *access.Partner, _ *access.User, g *access.Grant, _ *access.Assignment) { g.Level = access.None }},
		{access.LevelTooLow, func(_ *access.Partner, _ *access.User, _ *access.Grant, a *access.Assignment) {
			a.Level = new(access.None)
		}},
	} {
		p, us, g, a := world()
		c.turn(&p, &us[0], &g, &a)
		for _, d := range []draft{partnerItem(&p), amongUsers(&us[0]), grantItem(&g), assignmentItem(&a)} {
			if _, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: d}); err != nil {
				t.Fatal(err)
			}
		}
		f, err := r.Facts(t.Context(), acme, access.Strong)
		if err != nil {
			t.Fatal(err)
		}
		if got := access.DefaultCatalogue().Decide(f[0], "acme", "reports:read", now); got.Reason != c.want {
			t.Errorf("got %s, want %s, of %s", got.Reason, c.want, text(f[0]))
		}
	}
}

// amongUsers is the user's item where those of the partner stand, as also of one who left before former users had a place of their own.
func amongUsers(u *access.User) draft {
	d := userItem(u)
	d["sk"] = str(userSK(u.ID))
	return d
}

// replace writes the items, and deletes those of the questions that are not among them.
func replace(t *rapid.T, db *dynamodb.Client, table string, drafts []draft, questions []access.FactsQuery) {
	there := map[Key]bool{}
	for _, d := range drafts {
		it := fromSDK(d)
		there[Key{it.s(pk), it.s(sk)}] = true
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: d}); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range questions {
		for _, k := range []Key{grantKey(q.Customer, partnerOf(q.User)), assignmentKey(q.Customer, q.User)} {
			if there[k] {
				continue
			}
			if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: newDraft(k)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestOneQuestionTakesFourReadUnits(t *testing.T) {
	r, tap := engineReader(t)
	if _, err := r.Facts(t.Context(), acme, access.Strong); err != nil {
		t.Fatal(err)
	}
	// The very request that was sent, once more, and its price asked for.
	body := strings.Replace(tap.bodies[0], `{"RequestItems"`, `{"ReturnConsumedCapacity":"TOTAL","RequestItems"`, 1)
	var in dynamodb.BatchGetItemInput
	in.ReturnConsumedCapacity = "TOTAL"
	c := call{target: batchGetTarget, request: []byte(body), pool: &r.scanners}
	var units string
	c.read = func(s *scanner) error {
		i := strings.Index(s.text, `"CapacityUnits":`)
		if i < 0 {
			return errors.New("no consumed capacity in " + s.text)
		}
		units, _, _ = strings.Cut(strings.TrimRight(s.text[i+len(`"CapacityUnits":`):], "}]"), ",")
		return nil
	}
	if _, err := r.client.BatchGetItem(t.Context(), r.batch, c.use); err != nil {
		t.Fatal(err)
	}
	units, _, _ = strings.Cut(units, "}")
	if n, err := strconv.ParseFloat(units, 64); err != nil || n > 4 {
		t.Errorf("got %q read units, want 4 at most", units)
	}
}

func TestWhatIsNotThereIsNil(t *testing.T) {
	r, _ := engineReader(t)
	p, us, _, _ := world()
	got, err := r.Facts(t.Context(), []access.FactsQuery{
		{User: kim}, {User: lea, Customer: "fabrikam"}, {User: "nobody:01JD8Z6Q7YB5V3K2N4M6P8R0S9", Customer: "acme"},
	}, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	want := []access.Facts{{Partner: &p, User: &us[0]}, {Partner: &p, User: &us[1]}, {}}
	for i := range want {
		want[i] = decisiveOnly(want[i])
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", text(got), text(want))
	}
	if got[0].Partner != got[1].Partner {
		t.Error("two questions about one partner got two copies of it")
	}
	none, err := r.Facts(t.Context(), nil, access.Strong)
	if len(none) != 0 || err != nil {
		t.Errorf("no question: got %v, %v", none, err)
	}
}

func TestABatchTakesARequestForEachHundredDifferentKeys(t *testing.T) {
	r, tap := engineReader(t)
	var qs []access.FactsQuery
	for i := range 75 { // 2 + 150 keys
		qs = append(qs, access.FactsQuery{User: kim, Customer: fmt.Sprintf("customer%d", i)})
	}
	qs = append(qs, acme[0], acme[0])
	for c, want := range map[access.Consistency]int{access.Strong: 2, access.Snapshot: 2} {
		tap.asked = nil
		got, err := r.Facts(t.Context(), qs, c)
		if err != nil {
			t.Fatal(err)
		}
		if len(tap.asked) != want {
			t.Errorf("%s: got %d requests, want %d", c, len(tap.asked), want)
		}
		if got[0].Grant != nil || got[75].Grant == nil || got[75] != got[76] || got[0].User == nil {
			t.Errorf("%s: got %s", c, text(got))
		}
	}
}

func TestASnapshotReadsEachQuestionInOneTransaction(t *testing.T) {
	r, tap := engineReader(t)
	var qs []access.FactsQuery
	for i := range 60 { // of a partner each: 240 keys
		qs = append(qs, access.FactsQuery{User: fmt.Sprintf("p%d:01JD8Z6Q7YB5V3K2N4M6P8R0S1", i), Customer: "acme"})
	}
	if _, err := r.Facts(t.Context(), qs, access.Snapshot); err != nil {
		t.Fatal(err)
	}
	for _, body := range tap.bodies {
		for i := range 60 {
			if n := strings.Count(body, fmt.Sprintf(`#p%d"`, i)) + strings.Count(body, fmt.Sprintf(`#p%d:`, i)); n != 0 && n != 5 {
				// P#p in two keys
				t.Errorf("question %d is split: %d of its keys are in one transaction", i, n)
			}
		}
	}
}

func TestUnprocessedKeysAreAskedForAgain(t *testing.T) {
	r, tap := engineReader(t)
	tap.answer = func(n int, body string) (int, string) {
		if n == 1 { // everything but two keys was throttled
			var in struct {
				RequestItems map[string]struct{ Keys []json.RawMessage }
			}
			if err := json.Unmarshal([]byte(body), &in); err != nil {
				t.Error(err)
			}
			p, _, _, _ := world()
			item := `{"pk":{"S":"P#contoso"},"sk":{"S":"P"},"id":{"S":"contoso"},"offer":{"S":"manage"},"version":{"N":"4"},"name":{"S":` +
				strconv.Quote(p.Name) + `}}`
			left, _ := json.Marshal(in.RequestItems[r.table].Keys[2:])
			return 200, `{"Responses":{"` + r.table + `":[` + item + `]},"UnprocessedKeys":{"` + r.table + `":{"ConsistentRead":true,"Keys":` +
				string(left) + `}}}`
		}
		return 0, ""
	}
	got, err := r.Facts(t.Context(), acme, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Partner == nil || got[0].Grant == nil || got[0].Assignment == nil || got[0].User != nil {
		t.Errorf("got %s, want all that the two answers held", text(got))
	}
	if len(tap.asked) != 2 || strings.Count(tap.bodies[1], `"pk":`) != 2 || !strings.Contains(tap.bodies[1], `"ConsistentRead":true`) {
		t.Errorf("got requests %q, want a second one for the two keys", tap.bodies)
	}
}

func TestKeysThatStayUnprocessedAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := &wiretap{answer: func(int, string) (int, string) {
			return 200, `{"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"P#contoso"},"sk":{"S":"P"}}]}}}`
		}}
		r := reader(t, "http://127.0.0.1:1", "t", tap)
		if got, err := r.Facts(t.Context(), acme, access.Strong); err == nil {
			t.Errorf("got %s, want an error", text(got))
		}
		if len(tap.asked) != rounds+1 {
			t.Errorf("got %d requests, want %d", len(tap.asked), rounds+1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Facts(ctx, acme, access.Strong); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that the request was cancelled", err)
		}
	})
}

func TestPassingFailuresAreTriedAgainAndOthersAreNot(t *testing.T) {
	const ok = `{"Responses":{},"UnprocessedKeys":{}}`
	damagedBody := "\x00"
	for _, c := range []struct {
		name        string
		status      int
		body        string
		consistency access.Consistency
		again       bool
		code        string
	}{
		{
			"throttled", 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`,
			access.Strong, true, "",
		},
		{
			"throttled by account", 400, `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}`, access.Strong,
			true, "",
		},
		{"internal error", 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}`, access.Strong, true, ""},
		{"no JSON at all", 503, `<html>Service Unavailable</html>`, access.Strong, true, ""},
		{"damaged on its way", 200, damagedBody, access.Strong, true, ""},
		{
			"conflict", 400,
			`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}`, access.Snapshot, true, "",
		},
		{
			"cancelled for good", 400,
			`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"ValidationError"}]}`, access.Snapshot, false, "TransactionCanceledException",
		},
		{
			"no such table", 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`,
			access.Strong, false, "ResourceNotFoundException",
		},
		{
			"not allowed", 400, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}`, access.Strong, false,
			"AccessDeniedException",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			tap := &wiretap{}
			r := reader(t, "http://127.0.0.1:1", "t", tap)
			tap.HTTPClient = httpClient(func(req *http.Request) (*http.Response, error) {
				if len(tap.asked) > 1 {
					if c.consistency == access.Snapshot {
						return response(req, 200, `{"Responses":[{},{},{},{}]}`), nil
					}
					return response(req, 200, ok), nil
				}
				resp := response(req, c.status, c.body)
				if c.body == damagedBody {
					resp.Body = io.NopCloser(strings.NewReader(ok[:20]))
				}
				return resp, nil
			})
			got, err := r.Facts(t.Context(), acme, c.consistency)
			if c.again {
				if err != nil || len(tap.asked) != 2 || got[0] != (access.Facts{}) {
					t.Errorf("got %v, %v after %d requests; want the second answer", got, err, len(tap.asked))
				}
				return
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != c.code || len(tap.asked) != 1 {
				t.Errorf("got %v after %d requests; want %s at once", err, len(tap.asked), c.code)
			}
		})
	}
}

type httpClient func(*http.Request) (*http.Response, error)

func (f httpClient) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestAConnectionThatBreaksIsTriedAgain(t *testing.T) {
	tap := &wiretap{}
	r := reader(t, "http://127.0.0.1:1", "t", tap)
	tap.HTTPClient = httpClient(func(req *http.Request) (*http.Response, error) {
		if len(tap.asked) == 1 {
			return nil, errors.New("connection reset by peer")
		}
		return response(req, 200, `{"Responses":{"t":[]},"UnprocessedKeys":{}}`), nil
	})
	if _, err := r.Facts(t.Context(), acme, access.Strong); err != nil || len(tap.asked) != 2 {
		t.Errorf("got %v after %d requests", err, len(tap.asked))
	}
}

func TestAnItemThatCannotBeUnderstoodIsAnErrorAndNeverAZeroValue(t *testing.T) {
	for name, answer := range map[string]string{
		"level":      `{"Responses":{"t":[{"pk":{"S":"C#acme"},"sk":{"S":"G#contoso"},"level":{"S":"everything"}}]}}`,
		"number":     `{"Responses":{"t":[{"pk":{"S":"C#acme"},"sk":{"S":"G#contoso"},"level":{"S":"view"},"epoch":{"N":"many"}}]}}`,
		"instant":    `{"Responses":{"t":[{"pk":{"S":"C#acme"},"sk":{"S":"G#contoso"},"level":{"S":"view"},"until":{"S":"never"}}]}}`,
		"not asked":  `{"Responses":{"t":[{"pk":{"S":"C#other"},"sk":{"S":"G#contoso"},"level":{"S":"view"}}]}}`,
		"cut":        `{"Responses":{"t":[{"pk":{"S":"C#acme"},"sk":{"S":"G#cont`,
		"no JSON":    `Responses`,
		"wrong kind": `{"Responses":{"t":[{"pk":"C#acme"}]}}`,
	} {
		tap := &wiretap{answer: func(int, string) (int, string) { return 200, answer }}
		if got, err := reader(t, "http://127.0.0.1:1", "t", tap).Facts(t.Context(), acme, access.Strong); err == nil {
			t.Errorf("%s: got %s, want an error", name, text(got))
		}
	}
}

func TestUserByEmailIsOneRead(t *testing.T) {
	r, tap := engineReader(t)
	for address, want := range map[string]string{"kim@contoso.example": kim, "nobody@contoso.example": ""} {
		tap.asked = nil
		if got, err := r.UserByEmail(t.Context(), address); got != want || err != nil || len(tap.asked) != 1 {
			t.Errorf("%s: got %q, %v after %d requests; want %q after 1", address, got, err, len(tap.asked), want)
		}
	}
}

func TestCandidatesComeInPages(t *testing.T) {
	r, _ := engineReader(t)
	lists := map[string]struct {
		list func(access.PageRequest) (access.Page[string], error)
		want []string
	}{
		"users": {func(a access.PageRequest) (access.Page[string], error) { return r.UsersOf(t.Context(), "contoso", a) }, []string{kim, lea}},
		"customers": {
			func(a access.PageRequest) (access.Page[string], error) {
				return r.CustomersOf(t.Context(), "contoso", a)
			}, []string{"acme"},
		},
		"partners": {
			func(a access.PageRequest) (access.Page[string], error) { return r.PartnersOf(t.Context(), "acme", a) },
			[]string{"contoso"},
		},
	}
	for name, l := range lists {
		var got []string
		ask := access.PageRequest{Limit: 1}
		for n := 0; n < 4; n++ {
			page, err := l.list(ask)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Items...)
			if ask.After = page.Next; page.Next == "" {
				break
			}
		}
		if !reflect.DeepEqual(got, l.want) || ask.After != "" {
			t.Errorf("%s: got %v (then %q), want %v", name, got, ask.After, l.want)
		}
	}
}

func TestSettingsThatAreMissingAreNamed(t *testing.T) {
	full := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
	for _, c := range []struct{ set, to, want string }{
		{"AWS_REGION", "", "AWS_REGION"},
		{"AWS_REGION", "no region", "AWS_REGION"},
		{"AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID"},
		{"AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY"},
		{"AWS_ENDPOINT_URL", "::", "AWS_ENDPOINT_URL"},
		{"AWS_ENDPOINT_URL", "http://127.0.0.1:8000", ""},
	} {
		_, err := NewClient(func(name string) string {
			if name == c.set {
				return c.to
			}
			return full[name]
		})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s=%q: got %v, want an error about %q", c.set, c.to, err, c.want)
		}
	}
	c, err := NewClient(func(name string) string { return full[name] })
	if err != nil {
		t.Fatal(err)
	}
	ep, err := c.Options().EndpointResolverV2.ResolveEndpoint(t.Context(), dynamodb.EndpointParameters{})
	if err != nil || ep.URI.String() != "https://dynamodb.eu-central-1.amazonaws.com" {
		t.Errorf("got endpoint %s, %v", ep.URI.String(), err)
	}
}
