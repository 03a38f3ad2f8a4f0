package dynamo

import (
	"crypto/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/manifest"
)

// aliasReader is a reader with aliases of a table with world in it.
func aliasReader(t *testing.T) (*Reader, *dynamodb.Client, *wiretap) {
	t.Helper()
	e := engine.Shared(t)
	table := "aliases-" + rand.Text()
	if err := CreateTable(t.Context(), e.Client(), table, false); err != nil {
		t.Fatal(err)
	}
	fill(t, e.Client(), table)
	tap := &wiretap{}
	return reader(t, e.Endpoint(), table, tap, WithAliases()), e.Client(), tap
}

func TestAReaderWithAliasesAsksForNoAddress(t *testing.T) {
	r, _, tap := aliasReader(t)
	got, err := r.Facts(t.Context(), acme, access.Strong)
	if err != nil || got[0].User.Email != access.Alias("kim@contoso.example") {
		t.Fatalf("got %s, %v, want kim's alias", text(got), err)
	}
	if body := tap.bodies[0]; strings.Contains(body, `"email"`) || strings.Contains(body, `"former"`) || strings.Contains(body, `"caps"`) {
		t.Errorf("got the request %s, want no attribute with an address", body)
	}
	if id, err := r.UserByEmail(t.Context(), "kim@contoso.example"); err != nil || id != kim {
		t.Errorf("whose address: got %q, %v, want kim", id, err)
	}
	if _, err := r.Facts(t.Context(), acme, access.Snapshot); err == nil {
		t.Error("a snapshot: got facts, want an error: it reads whole records")
	}
}

// What the requests name is what the exported role allows, no more and no less.
func TestTheCheckRoleAllowsJustWhatIsAskedFor(t *testing.T) {
	r, _, tap := aliasReader(t)
	if _, err := r.Facts(t.Context(), acme, access.Strong); err != nil {
		t.Fatal(err)
	}
	if _, err := r.UserByEmail(t.Context(), "kim@contoso.example"); err != nil {
		t.Fatal(err)
	}
	alias, name := regexp.MustCompile(`"#\w+":"(\w+)"`), map[string][]string{}
	for i, operation := range tap.asked {
		names := []string{pk, sk} // of the key, which IAM counts among the attributes
		for _, m := range alias.FindAllStringSubmatch(tap.bodies[i], -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		name["dynamodb:"+operation] = slices.Compact(names)
	}
	for _, right := range manifest.CheckRole() {
		if got := slices.Sorted(slices.Values(right.Attributes)); !slices.Equal(got, name[right.Action]) {
			t.Errorf("%s: the role allows %v, and the reader asks for %v", right.Action, got, name[right.Action])
		}
		delete(name, right.Action)
	}
	if len(name) > 0 {
		t.Errorf("the role does not allow %v", name)
	}
}

func TestAUserWithoutAnAliasIsRefused(t *testing.T) {
	_, us, _, _ := world()
	r, db, _ := aliasReader(t)
	d := userItem(&us[0])
	delete(d, alias)
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(r.table), Item: d}); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Facts(t.Context(), acme, access.Strong); err == nil {
		t.Errorf("got %s, want an error: the customer's domain would not deny", text(got))
	}
}

func TestRecordsOfOtherRulesAreRefused(t *testing.T) {
	p, us, g, a := world()
	for _, c := range []struct {
		name  string
		of    draft
		rules types.AttributeValue // nil: none
		want  string               // in the error; "": there is none
	}{
		{"a user of newer rules", userItem(&us[0]), num(decisionRules + 1), "update it"},
		{"a grant of newer rules", grantItem(&g), num(decisionRules + 1), "update it"},
		{"a partner of newer rules", partnerItem(&p), num(decisionRules + 1), "update it"},
		{"an assignment of newer rules", assignmentItem(&a), num(decisionRules + 1), "update it"},
		{"a user from before there were aliases", userItem(&us[0]), nil, "write it again"},
		{"a grant from before there were aliases", grantItem(&g), nil, "write it again"},
		{"a grant of damaged rules", grantItem(&g), str("two"), "no whole number"},
		{"a partner from before there were aliases", partnerItem(&p), nil, ""},
		{"an assignment from before there were aliases", assignmentItem(&a), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, db, _ := aliasReader(t)
			if delete(c.of, rules); c.rules != nil {
				c.of[rules] = c.rules
			}
			if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(r.table), Item: c.of}); err != nil {
				t.Fatal(err)
			}
			_, err := r.Facts(t.Context(), acme, access.Strong)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
