package anyday

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
)

// Reads is what questions about the first day of a history cost.
type Reads struct {
	PeopleCalls, CheckCalls int
	PeopleUnits, CheckUnits float64
}

// FirstDay gives three partners grants of one customer, changes them as often as said in the two years after, and counts what it takes to
// ask who could enter the customer's tenant on the first day, and to ask one check about it.
func FirstDay(ctx context.Context, e *engine.Engine, table string, changes int) (r Reads, err error) {
	w, err := newWorld(ctx, Config{Engine: e, Table: table, Changes: changes, Seed: 1})
	if err != nil {
		return r, err
	}
	const customer = "acme"
	var user string
	for _, p := range w.partners {
		user = w.of(p)
		cmd := access.GrantCommand{Users: []string{user}}
		to := service.Grantee{Partner: p}
		if _, err := w.service.Grant(ctx, w.customer(customer), customer, to, cmd, service.Options[service.Granted]{}); err != nil {
			return r, err
		}
	}
	w.now = w.now.Add(time.Hour)
	first := w.now
	for i := range changes {
		w.now = w.now.Add(length / time.Duration(changes)).Truncate(time.Millisecond)
		cmd := access.EditCommand{Seen: access.AnyVersion, Level: ref([]access.Level{access.View, access.Support}[i/3%2])}
		p := w.partners[i%3]
		if _, err := w.service.Edit(ctx, w.customer(customer), customer, p, cmd, service.Options[service.Granted]{}); err != nil {
			return r, fmt.Errorf("change %d: %w", i, err)
		}
	}
	if err := w.stream.drain(); err != nil {
		return r, err
	}
	m := meter.New(e.Endpoint())
	defer m.Close()
	url := m.URL()
	store := dynamo.New(dynamodb.New(w.client.Options(), func(o *dynamodb.Options) { o.BaseEndpoint = &url }), table)
	of := access.Past{At: first, Asked: w.now}
	f := access.PeopleFilter{Now: first, Order: access.OrderName, Past: of}
	page, err := store.People(ctx, customer, f, access.PageRequest{Limit: 100})
	if err != nil {
		return r, err
	}
	if len(page.Items) != 3 || len(page.Missing) > 0 {
		return r, fmt.Errorf("got %d people and %v missing, want three and none", len(page.Items), page.Missing)
	}
	if r.PeopleCalls, r.PeopleUnits, _, err = m.Take(); err != nil {
		return r, err
	}
	if _, _, err := store.PastFacts(ctx, []access.FactsQuery{{User: user, Customer: customer}}, of); err != nil {
		return r, err
	}
	r.CheckCalls, r.CheckUnits, _, err = m.Take()
	return r, err
}
