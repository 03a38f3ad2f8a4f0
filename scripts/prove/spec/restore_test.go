package spec_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/dynamo"
)

// What infra/README.md says of a table that is restored to a point in time, as far as a local engine goes: another table with the items of
// then, whose stream is switched on afterwards, in the place of the first.
func TestATableThatIsRestoredGoesOnFromThen(t *testing.T) {
	t.Parallel()
	w := spec.New(t, withStream)
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	kim, lee := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "lee@contoso.example", "tech")
	w.AdminOf("acme").Do("POST", "/v1/customers/acme/grants", object{"partner": "contoso", "users": []string{kim, lee}}).Want(201)
	mails(t, w, "kim@contoso.example", "grant.created", "sent", 1)
	then, sent := backup(t, w), map[string]bool{}
	for _, m := range w.Stack.Mail.List() {
		sent[fmt.Sprint(m.To, m.Subject)] = true
	}
	if len(sent) == 0 {
		t.Fatal("no mail was sent before that point")
	}

	w.AdminOf("acme").Do("DELETE", "/v1/customers/acme/grants/contoso", nil).Want(200)
	mails(t, w, "kim@contoso.example", "grant.revoked", "sent", 1)
	w.Provider().Do("PUT", "/v1/customers/globex", object{"name": "Globex"}).Want(201)

	r := spec.New(t, withStream, func(c *stack.Config) {
		c.Table = "restored-" + w.Stack.Table()
		restore(t, w, c.Table, then)
	})
	if allowed, reason := r.Check(kim, "sign_in", "acme"); !allowed {
		t.Errorf("got %s for a grant that was revoked after that point, want it open again, as the runbook says", reason)
	}
	r.Provider().Do("GET", "/v1/customers/globex", nil).WantProblem(404, "not_found") // what came later is gone
	r.Provider().Do("PATCH", "/v1/partners/contoso", object{"status": "suspended"}).Want(200)
	if allowed, _ := r.Check(kim, "sign_in", "acme"); allowed {
		t.Error("the partner is suspended, as the runbook says, and a check still allows it")
	}
	r.Provider().Do("PATCH", "/v1/partners/contoso", object{"status": "active"}, "If-Match", "*").Want(200)
	r.AdminOf("acme").Do("DELETE", "/v1/customers/acme/grants/contoso", nil).Want(200)
	if allowed, _ := r.Check(kim, "sign_in", "acme"); allowed {
		t.Error("access is revoked again, and a check still allows it")
	}
	mails(t, r, "kim@contoso.example", "grant.revoked", "sent", 1)
	for _, m := range r.Stack.Mail.List() {
		if sent[fmt.Sprint(m.To, m.Subject)] {
			t.Errorf("got the mail %q to %v again, which was sent before that point", m.Subject, m.To)
		}
	}
}

// backup is every item of the table.
func backup(t *testing.T, w *spec.World) []map[string]types.AttributeValue {
	t.Helper()
	var out []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(w.Stack.Engine().Client(),
		&dynamodb.ScanInput{TableName: aws.String(w.Stack.Table()), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.Items...)
	}
	return out
}

// restore makes a table of the items, and switches its stream on.
func restore(t *testing.T, w *spec.World, table string, items []map[string]types.AttributeValue) {
	t.Helper()
	db := w.Stack.Engine().Client()
	err := dynamo.CreateTable(t.Context(), db, table, false)
	for _, item := range items {
		if err == nil {
			_, err = db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
		}
	}
	if err == nil {
		_, err = db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}})
	}
	if err != nil {
		t.Fatal(err)
	}
}
