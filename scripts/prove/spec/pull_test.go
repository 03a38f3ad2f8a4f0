package spec_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/cloudevents"
)

// feedPage is an answer of GET /v1/events.
type feedPage struct {
	Items  []cloudevents.Event `json:"items"`
	After  string              `json:"after"`
	Latest string              `json:"latest"`
	More   bool                `json:"more"`
}

func readFeed(t *testing.T, w *spec.World, query string) feedPage {
	t.Helper()
	var out feedPage
	if err := json.Unmarshal(w.Provider().Do("GET", "/v1/events?"+query, nil).Want(200).Body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// published waits until the feed of acme has events with these names, and returns what it has.
func published(t *testing.T, w *spec.World, names ...string) feedPage {
	t.Helper()
	var out feedPage
	spec.Eventually(t, func() error {
		out = readFeed(t, w, "customer=acme&limit=100")
		for _, n := range names {
			if !slices.ContainsFunc(out.Items, func(e cloudevents.Event) bool { return e.Name() == n }) {
				return fmt.Errorf("got %d events in the feed of acme, want %s among them", len(out.Items), n)
			}
		}
		return nil
	})
	return out
}

// What the bus was sent and what is read are the same events, in one order, whatever the pages.
func TestWhoMissedEventsReadsThemInOrderWithoutAGap(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	all := published(t, w, "grant.created", "access.gained", "grant.revoked", "access.lost")
	if all.More || all.After != all.Latest || all.Latest != cloudevents.Number(int64(len(all.Items))) {
		t.Errorf("got after %s, latest %s, more %t of %d events", all.After, all.Latest, all.More, len(all.Items))
	}
	var read []cloudevents.Event
	page := feedPage{After: "0", More: true}
	for page.More {
		page = readFeed(t, w, "customer=acme&limit=2&after="+page.After)
		read = append(read, page.Items...)
	}
	if len(read) < len(all.Items) {
		t.Errorf("got %d events page by page, want %d", len(read), len(all.Items))
	}
	spec.Eventually(t, func() error {
		sent := map[string]string{}
		for _, e := range w.Stack.Bus.List() {
			var in cloudevents.Event
			if err := json.Unmarshal(e.Detail, &in); err != nil {
				t.Fatal(err)
			}
			sent[in.ID] = string(e.Detail)
		}
		for i, e := range read {
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if e.Sequence != cloudevents.Number(int64(i+1)) || e.Feed != "customers/acme" || sent[e.ID] != string(text) {
				return fmt.Errorf("event %d: got %s, want what the bus got: %s", i+1, text, sent[e.ID])
			}
		}
		return nil
	})
	if end := readFeed(t, w, "customer=acme&after="+page.After); len(end.Items) != 0 || end.More || end.After != page.After {
		t.Errorf("at the end: got %+v", end)
	}
}

func TestEventsAreReadByTheirTypes(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	all := published(t, w, "grant.created", "access.gained", "grant.revoked", "access.lost")
	for types, want := range map[string][]string{
		"grant.revoked":         {"grant.revoked"},
		"access.*":              {"access.gained", "access.lost"},
		"grant.*,access.lost":   {"access.lost", "grant.created", "grant.revoked"},
		"partner.suspended":     nil,
		"grant.revoked,grant.*": {"grant.created", "grant.revoked"},
	} {
		page := readFeed(t, w, "customer=acme&limit=100&types="+types)
		var got []string
		for _, e := range page.Items {
			got = append(got, e.Name())
		}
		if slices.Sort(got); !slices.Equal(got, want) || page.After != all.Latest || page.More {
			t.Errorf("%s: got %q, after %s, want %q, after %s", types, got, page.After, want, all.Latest)
		}
	}
}

// A customer's feed has nothing of another's, and a partner's nothing that concerns a customer.
func TestAFeedIsOfOneOrganisation(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Provider().Do("PATCH", contosoPath, m{"status": "suspended"}, "If-Match", "*").Want(200)
	published(t, w, "grant.created", "access.gained")
	for query, feed := range map[string]string{
		"customer=acme": "customers/acme", "customer=globex": "customers/globex", "partner=contoso": "partners/contoso",
	} {
		spec.Eventually(t, func() error {
			page := readFeed(t, w, query+"&limit=100")
			for _, e := range page.Items {
				if e.Feed != feed || strings.HasPrefix(feed, "partners/") && e.Data.Customer != "" {
					t.Errorf("%s: got %+v", query, e)
				}
			}
			if len(page.Items) == 0 {
				return fmt.Errorf("%s: got no events", query)
			}
			return nil
		})
	}
}

// What is not kept any more is said, never passed over; and whoever was told knows where to go on.
func TestAfterThirtyDaysEventsAreGoneAndItIsSaid(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	old := published(t, w, "grant.created", "access.gained")
	w.Advance(31 * 24 * time.Hour)
	for _, after := range []string{"0", "1"} {
		gone := w.Provider().Do("GET", "/v1/events?customer=acme&after="+after, nil).WantProblem(410, "events_gone", "?after")
		if detail := gone.String("detail"); !strings.Contains(detail, old.Latest) {
			t.Errorf("after %s: got %q, want that it names %s", after, detail, old.Latest)
		}
	}
	if page := readFeed(t, w, "customer=acme"); len(page.Items) != 0 || page.After != old.Latest || page.More {
		t.Errorf("from the oldest: got %+v, want none, after %s", page, old.Latest)
	}
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	spec.Eventually(t, func() error {
		page := readFeed(t, w, "customer=acme&after="+old.Latest)
		if len(page.Items) == 0 || page.Items[0].Place() != int64(len(old.Items))+1 {
			return fmt.Errorf("got %+v, want the events since", page)
		}
		return nil
	})
}

func TestTheFeedOfARemovedCustomerStays(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("DELETE", "/v1/customers/acme", nil).Want(204)
	published(t, w, "customer.removed")
}

func TestAQuestionForEventsNamesOneFeedAndAPlaceInIt(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	latest := published(t, w, "customer.created").Latest
	for query, pointer := range map[string]string{
		"":                              "?customer",
		"customer=acme&partner=contoso": "?customer",
		"after=1":                       "?customer",
		"customer=ac%23me":              "?customer",
		"partner=con%2Ftoso":            "?partner",
		"customer=acme&after=-1":        "?after",
		"customer=acme&after=%2B1":      "?after",
		"customer=acme&after=x":         "?after",
		"customer=acme&after=1e3":       "?after",
		"customer=acme&after=0000000000000000000001": "?after",
		"customer=acme&after=99999999999999999999":   "?after",
		"customer=acme&after=9223372036854775807":    "?after",
		"customer=acme&after=" + latest + "0":        "?after",
		"customer=acme&types=grant.eaten":            "?types",
		"customer=acme&types=grant.*,":               "?types",
		"customer=acme&types=eaten.*":                "?types",
		"customer=acme&types=*.ended":                "?types",
		"customer=acme&limit=0":                      "?limit",
		"customer=acme&limit=101":                    "?limit",
		"customer=acme&cursor=x":                     "?cursor",
		"customer=acme&format=csv":                   "?format",
		"customer=acme&customer=globex":              "?customer",
	} {
		w.Provider().Do("GET", "/v1/events?"+query, nil).WantProblem(400, "invalid", pointer)
	}
	for _, query := range []string{"customer=nowhere", "partner=nobody", "partner=acme"} {
		w.Provider().Do("GET", "/v1/events?"+query, nil).WantProblem(404, "not_found")
	}
}

// The contract describes an event as the published schema does, member by member.
func TestTheContractHasThePublishedEventsOfTheSchema(t *testing.T) {
	t.Parallel()
	type described struct {
		Required   []string       `json:"required"`
		Properties map[string]any `json:"properties"`
	}
	var want, got described
	if err := json.Unmarshal(events.PublishedSchema(), &want); err != nil {
		t.Fatal(err)
	}
	text, err := contract(t).Doc.Components.Schemas["PublishedEvent"].Value.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	for _, p := range got.Properties {
		if o := p.(map[string]any); o["const"] != nil { // whose type generators of code need
			delete(o, "type")
		}
	}
	if err != nil || len(want.Properties) < 11 || !reflect.DeepEqual(got, want) {
		t.Errorf("got (%v)\n%v, want\n%v", err, got, want)
	}
}
