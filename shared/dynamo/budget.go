package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/mail/receipt"
)

// keepBudgets is how long a budget is kept after its day.
const keepBudgets = 72 * time.Hour

// SpendMail counts a mail against a budget and reports whether it is within it. The id names the mail: repeated calls count it once and
// return the same.
func (s *Store) SpendMail(ctx context.Context, b receipt.Budget, id string) (bool, error) {
	ok, is, err := s.update(ctx, "count a mail", edit{
		key: budgetKey(b), condition: "attribute_not_exists(pk) OR (size(#ids) < :most AND NOT contains(#ids, :id))",
		set: []string{"#ids = list_append(if_not_exists(#ids, :none), :ids)", "#ttl = :ttl"},
		values: map[string]types.AttributeValue{
			":most": num(b.Most()), ":id": str(id), ":ids": list(id), ":none": list(), ":ttl": num(b.Renewed().Add(keepBudgets).Unix()),
		},
	})
	return ok || is != nil && slices.Contains(is.list("ids"), id), err
}

// MailsLeft reports whether a budget has room for one more mail.
func (s *Store) MailsLeft(ctx context.Context, b receipt.Budget) (bool, error) {
	ids, err := one(ctx, s, budgetKey(b), func(it *item) *[]string { l := it.list("ids"); return &l })
	return err == nil && (ids == nil || len(*ids) < b.Most()), err
}

// BundleMail adds a line to a summary, which is due at that instant; the first line creates it. It may be repeated. Lines beyond
// receipt.MaxLines are left out: the history has them. It fails with receipt.ErrSettled when the summary is being sent, or was.
func (s *Store) BundleMail(ctx context.Context, r receipt.Receipt, line string, now, due time.Time) error {
	k, err := mailKey(r.Key)
	if err != nil {
		return err
	}
	e := mailEdit(k, now)
	e.condition = "attribute_not_exists(pk) OR (#state = :claimed AND attribute_not_exists(#lease) AND size(#lines) < :most" +
		" AND NOT contains(#lines, :line))"
	e.set = append(e.set, "#attempts = if_not_exists(#attempts, :zero)", "#lines = list_append(if_not_exists(#lines, :none), :lines)")
	e.values[":most"], e.values[":line"], e.values[":lines"], e.values[":none"] = num(receipt.MaxLines), str(line), list(line), list()
	e.due(due)
	e.receipt(k, r)
	ok, is, err := s.update(ctx, "bundle a mail", e)
	switch {
	case err != nil || ok:
		return err
	case is != nil && (slices.Contains(is.list("lines"), line) || is.s("state") == string(receipt.Claimed) && is.s("lease") == ""):
		// it has the line, or enough of them
		return nil
	}
	return receipt.ErrSettled
}
