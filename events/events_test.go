package events_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"partneraccess/events"
)

// declared are the types that events.go declares. The linter exhaustive keeps the list as long as the declarations.
//
//exhaustive:enforce
var declared = map[events.Type]struct{}{
	events.PartnerCreated: {}, events.PartnerEdited: {}, events.PartnerSuspended: {}, events.PartnerResumed: {},
	events.PartnerRemoved: {}, events.UserCreated: {}, events.UserEdited: {}, events.UserDisabled: {},
	events.UserEnabled: {}, events.UserRemoved: {}, events.UserErased: {}, events.ActivationRenewed: {}, events.ActivationMissed: {},
	events.CustomerCreated: {}, events.CustomerEdited: {}, events.CustomerRemoved: {}, events.MemberAdded: {},
	events.MemberEdited: {}, events.MemberRemoved: {}, events.MemberRenewed: {}, events.GrantCreated: {}, events.GrantEdited: {},
	events.GrantSuspended: {}, events.GrantResumed: {}, events.GrantRevoked: {}, events.GrantRelinquished: {},
	events.GrantExpired: {}, events.GrantEnded: {}, events.ManagementAssigned: {}, events.ManagementEnded: {},
	events.GrantStarted: {}, events.GrantExpiring: {}, events.GrantUserLeft: {}, events.GrantPersonChanged: {},
	events.GrantPartnerSuspended: {}, events.GrantPartnerResumed: {}, events.InvitationCreated: {},
	events.InvitationResent: {}, events.InvitationReminded: {}, events.InvitationAccepted: {},
	events.InvitationDeclined: {}, events.InvitationCancelled: {}, events.InvitationExpired: {},
	events.RequestCreated: {}, events.RequestReminded: {}, events.RequestQuestioned: {}, events.RequestSeconded: {},
	events.RequestApproved: {}, events.RequestDeclined: {}, events.RequestWithdrawn: {}, events.RequestExpired: {},
	events.RequestCancelled: {}, events.RequestCodesRefused: {}, events.RequestPolicyEdited: {},
}

func constants() []events.Type { return slices.Sorted(maps.Keys(declared)) }

func sample(t *testing.T, typ events.Type) ([]byte, events.Event) {
	t.Helper()
	raw, err := events.Sample(typ)
	if err != nil {
		t.Fatal(err)
	}
	var e events.Event
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("the sample of %s: %v", typ, err)
	}
	return raw, e
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(events.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("urn:partner-access:events", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:partner-access:events")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shape is the part of the schema that the tests read as data.
type shape struct {
	AllOf []struct {
		If struct {
			Properties struct {
				Type struct {
					Const events.Type `json:"const"`
				} `json:"type"`
			} `json:"properties"`
		} `json:"if"`
		Then struct {
			Ref string `json:"$ref"`
		} `json:"then"`
	} `json:"allOf"`
	Defs map[string]struct {
		Required   []string                   `json:"required"`
		Properties map[string]json.RawMessage `json:"properties"`
	} `json:"$defs"`
}

func shapeOf(t *testing.T) shape {
	t.Helper()
	var s shape
	if err := json.Unmarshal(events.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// carries are the members of data that a type carries, and those that it never lacks.
func (s shape) carries(t *testing.T, typ events.Type) (all map[string]json.RawMessage, required []string) {
	t.Helper()
	var data struct {
		Required   []string                   `json:"required"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(s.Defs[string(typ)].Properties["data"], &data); err != nil {
		t.Fatalf("the schema of %s: %v", typ, err)
	}
	return data.Properties, data.Required
}

func TestEveryTypeHasASampleAndEverySampleAType(t *testing.T) {
	t.Parallel()
	if got, want := events.Types(), constants(); !slices.Equal(got, want) {
		t.Errorf("the samples: got %q, want one for each constant: %q", got, want)
	}
	if _, err := events.Sample("grant.imagined"); err == nil {
		t.Error("a type that there is not: got no error, want one")
	}
}

func TestEverySampleComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		raw, e := sample(t, typ)
		got, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, '\n'); !bytes.Equal(got, raw) {
			t.Errorf("%s: got %s, want %s", typ, got, raw)
		}
		if e.Type != typ {
			t.Errorf("the sample of %s: got the type %s", typ, e.Type)
		}
	}
}

func TestEverySampleIsValid(t *testing.T) {
	t.Parallel()
	s := compile(t)
	shape := shapeOf(t)
	for _, typ := range events.Types() {
		raw, e := sample(t, typ)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		known, _ := shape.carries(t, typ)
		for member := range doc.(map[string]any)["data"].(map[string]any) {
			if _, ok := known[member]; !ok {
				t.Errorf("%s: got the member data.%s, want the schema to name it", typ, member)
			}
		}
		id, err := ulid.ParseStrict(e.ID)
		if err != nil || ulid.Time(id.Time()).UnixMilli() != e.Time.UnixMilli() {
			t.Errorf("%s: got the id %s (%v), want a ULID of %s", typ, e.ID, err, e.Time)
		}
	}
}

// The samples are valid; this shows that the schema would have said so if they were not.
func TestTheSchemaRefusesAnEventThatLacksWhatItsTypeCarries(t *testing.T) {
	t.Parallel()
	s := compile(t)
	shape := shapeOf(t)
	for _, typ := range events.Types() {
		raw, _ := sample(t, typ)
		_, required := shape.carries(t, typ)
		drop := map[string][]string{
			"":     append([]string{"id", "type", "time", "actor", "data"}, shape.Defs[string(typ)].Required...),
			"data": required,
		}
		if len(shape.Defs[string(typ)].Required) == 0 {
			t.Errorf("%s: got no organisation that it requires, want one: who would it concern?", typ)
		}
		for within, members := range drop {
			for _, m := range members {
				doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				object := doc.(map[string]any)
				if within != "" {
					object = object[within].(map[string]any)
				}
				if _, ok := object[m]; !ok {
					t.Errorf("%s: got no %s %s, want the sample to have it", typ, within, m)
				}
				delete(object, m)
				if s.Validate(doc) == nil {
					t.Errorf("%s without %s %s: got no error, want one", typ, within, m)
				}
			}
		}
	}
}

func TestTheSchemaRefusesWrongValues(t *testing.T) {
	t.Parallel()
	s := compile(t)
	for name, change := range map[string][2]string{
		"a time with another zone":         {`"time": "2026-12-15T10:45:30.606Z"`, `"time": "2026-12-15T11:45:30.606+01:00"`},
		"a time that is none":              {`"2026-11-23T09:00:00Z"`, `"2026-11-23"`},
		"a level that there is not":        {`"level": "manage"`, `"level": "all"`},
		"an actor of another kind":         {`"kind": "customer"`, `"kind": "root"`},
		"a count below zero":               {`"user_count": 2`, `"user_count": -1`},
		"an id that is no ULID":            {`"id": "01M9`, `"id": "91M9`},
		"an organisation's id with a hash": {`"id": "acme"`, `"id": "ac#me"`},
	} {
		raw, _ := sample(t, events.GrantEdited)
		bad := strings.Replace(string(raw), change[0], change[1], 1)
		if bad == string(raw) {
			t.Fatalf("%s: the sample has no %s", name, change[0])
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

// Members are only ever added: an old schema must not refuse a new event.
func TestWhatAConsumerDoesNotKnowIsValid(t *testing.T) {
	t.Parallel()
	s := compile(t)
	raw, _ := sample(t, events.GrantEdited)
	for _, change := range [][2]string{
		{`"data": {`, `"colour": "red", "data": { "colour": "red",`},
		{`"type": "grant.edited"`, `"type": "grant.imagined"`},
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(string(raw), change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("with %s: %v", change[1], err)
		}
	}
}

func TestTheSchemaNamesEveryTypeAndEveryMember(t *testing.T) {
	t.Parallel()
	shape := shapeOf(t)
	var got []events.Type
	for _, rule := range shape.AllOf {
		typ := rule.If.Properties.Type.Const
		got = append(got, typ)
		if want := "#/$defs/" + string(typ); rule.Then.Ref != want {
			t.Errorf("%s: got the rule %s, want %s", typ, rule.Then.Ref, want)
		}
	}
	slices.Sort(got)
	if want := constants(); !slices.Equal(got, want) {
		t.Errorf("the types of the schema: got %q, want %q", got, want)
	}
	members := shape.Defs["data"].Properties
	carried := map[string]bool{}
	for _, typ := range got {
		all, _ := shape.carries(t, typ)
		for m := range all {
			carried[m] = true
			if _, ok := members[m]; !ok {
				t.Errorf("%s: got the member %s, want it described in $defs/data", typ, m)
			}
		}
	}
	for _, m := range jsonNames(t) {
		if _, ok := members[m]; !ok {
			t.Errorf("events.Data has the member %s, want it described in $defs/data", m)
		}
		if !carried[m] {
			t.Errorf("got the member %s in no type, want it in one", m)
		}
		delete(members, m)
	}
	for m := range members {
		t.Errorf("got the member %s in $defs/data, want events.Data to have it", m)
	}
}

// jsonNames are the members of an event's data, as they are called in JSON.
func jsonNames(t *testing.T) []string {
	t.Helper()
	typ := reflect.TypeFor[events.Data]()
	var out []string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "" {
			t.Fatalf("the field %s has no name in JSON", typ.Field(i).Name)
		}
		out = append(out, name)
	}
	return out
}

var secretive = regexp.MustCompile(`(?i)token|secret|passw|credential|hash|key`)

func TestNoEventHoldsASecret(t *testing.T) {
	t.Parallel()
	for _, m := range jsonNames(t) {
		if secretive.MatchString(m) {
			t.Errorf("got the member %s, want none that could be a secret: events are stored, streamed and shown", m)
		}
	}
	// Nothing in a sample looks as if it were made to be unguessable, but for ids.
	unguessable := regexp.MustCompile(`[A-Za-z0-9_-]{20,}`)
	digit := regexp.MustCompile(`[0-9]`)
	id := regexp.MustCompile(`(?i)^(grt_|inv_|erased-)?[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	for _, typ := range events.Types() {
		raw, _ := sample(t, typ)
		if found := secretive.Find(raw); found != nil {
			t.Errorf("%s: got %q", typ, found)
		}
		for _, s := range unguessable.FindAllString(string(raw), -1) {
			if digit.MatchString(s) && !id.MatchString(s) {
				t.Errorf("%s: got %q, want nothing that could be a secret", typ, s)
			}
		}
	}
}
