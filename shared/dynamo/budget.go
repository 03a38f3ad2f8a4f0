package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/mail/receipt"
)

// keepBudgets is how long a budget is kept after its day.
const keepBudgets = 72 * time.Hour

// SpendMail counts a mail against a budget and reports whether it is within it. The id names the mail: repeated calls count it once and
// return the same.
func (s *Store) SpendMail(ctx context.Context, b receipt.Budget, id string) (bool, error) {
	key := budgetKey(b)
	condition := "attribute_not_exists(pk) OR (size(#ids) < :most AND NOT contains(#ids, :id))"
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: key.attributes(), ConditionExpression: &condition,
		UpdateExpression:         aws.String("SET #ids = list_append(if_not_exists(#ids, :none), :ids), #ttl = :ttl"),
		ExpressionAttributeNames: map[string]string{"#ids": "ids", "#ttl": ttl},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":most": num(b.Most()), ":id": str(id), ":none": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			":ids": &types.AttributeValueMemberL{Value: []types.AttributeValue{str(id)}}, ":ttl": num(b.Renewed().Add(keepBudgets).Unix()),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var not *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &not):
		return false, failed("count a mail", err)
	}
	return slices.Contains(fromSDK(not.Item).list("ids"), id), nil
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
	e := edit{
		key: k,
		condition: "attribute_not_exists(pk) OR (#state = :claimed AND attribute_not_exists(#lease) AND size(#lines) < :most" +
			" AND NOT contains(#lines, :line))",
		set: []string{
			"#attempts = if_not_exists(#attempts, :zero)", "#created = if_not_exists(#created, :now)", "#updated = :now",
			"#ttl = if_not_exists(#ttl, :ttl)",
			"#state = :claimed", "#lines = list_append(if_not_exists(#lines, :none), :lines)",
		},
		values: map[string]types.AttributeValue{
			":zero": num(0), ":now": str(timeText(now)), ":ttl": num(now.Add(keepMails).Unix()), ":claimed": str(string(receipt.Claimed)),
			":most": num(receipt.MaxLines),
			":line": str(line), ":none": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			":lines": &types.AttributeValueMemberL{Value: []types.AttributeValue{str(line)}},
		},
	}
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
