package dynamo_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

// The stream may deliver a version of a person's record after the person was erased. It may not bring the name back.
func TestAVersionThatComesAfterAnErasureNamesNobody(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	kim := access.User{
		ID: "contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV", Partner: "contoso", Number: 1, Email: "kim@contoso.example", Name: "Kim Kaiser",
		FormerEmails: []string{"kk@contoso.example"}, Role: access.Tech, Status: access.Active, Created: noon, Updated: noon, Version: 1,
	}
	left := kim
	left.Status, left.Version = access.Removed, 2
	made := tb.image(t, &kim, access.UserWrite{After: &kim})
	gone := tb.image(t, &left, access.UserWrite{Before: &kim, After: &left})
	deliver := func(old, now json.RawMessage) {
		t.Helper()
		if err := tb.RecordVersion(t.Context(), old, now); err != nil {
			t.Fatal(err)
		}
	}
	deliver(nil, made) // in time
	f := access.ErasureFacts{Partner: &access.Partner{ID: "contoso", Name: "Contoso", Status: access.Active, Version: 1}, User: &left}
	c, err := access.PlanErase(f, access.PlanContext{
		Now: noon, Actor: access.Actor{Kind: access.ActorProvider}, NewID: func() string { return "01J9Z3NDEKTSV4RRFFQ69G5FAW" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tb.Apply(t.Context(), planOf(c)); err != nil {
		t.Fatal(err)
	}
	x := access.Erasure{User: kim.ID, Partner: "contoso", Addresses: left.Addresses()}
	if next, err := tb.Erase(t.Context(), x, "", 100); err != nil || next != "" {
		t.Fatalf("erase: got %q and %v, want all done", next, err)
	}
	for range 2 { // each comes twice
		deliver(made, gone)
		deliver(nil, made)
	}
	versions := 0
	for _, row := range strings.Split(tb.dump(t), "\"Z#PU#")[1:] {
		row, _, _ = strings.Cut(row, "\n\"")
		versions++
		for _, name := range append(left.Addresses(), left.Name) {
			if strings.Contains(row, name) {
				t.Errorf("a version still names %s: %s", name, row)
			}
		}
		if !strings.Contains(row, access.Pseudonym(kim.ID)) {
			t.Errorf("a version has no pseudonym: %s", row)
		}
	}
	if versions != 2 {
		t.Errorf("got %d versions, want those from before the erasure", versions)
	}
}

// image saves a user and returns the item's image in DynamoDB's JSON.
func (tb *table) image(t *testing.T, u *access.User, w access.Write) json.RawMessage {
	t.Helper()
	tb.save(t, w)
	for _, sk := range []string{"U#" + u.ID, "F#" + u.ID} {
		out, err := tb.raw.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &tb.name, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "P#" + u.Partner}, "sk": &types.AttributeValueMemberS{Value: sk},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Item) == 0 || u.Status == access.Removed && strings.HasPrefix(sk, "U#") {
			continue
		}
		in := map[string]any{}
		for name, v := range out.Item {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				in[name] = map[string]any{"S": v.Value}
			case *types.AttributeValueMemberN:
				in[name] = map[string]any{"N": v.Value}
			case *types.AttributeValueMemberL:
				texts := []any{}
				for _, e := range v.Value {
					texts = append(texts, map[string]any{"S": e.(*types.AttributeValueMemberS).Value})
				}
				in[name] = map[string]any{"L": texts}
			}
		}
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	t.Fatalf("there is no record of %s", u.ID)
	return nil
}
