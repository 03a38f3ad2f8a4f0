package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

// The attributes of an assignment's row that hold its last use. Only RecordUse writes them. They are no part of the assignment's version:
// a change of the assignment neither meets a use nor loses one. See access.Use.
const (
	used   = "used"
	usedBy = "used_by"
)

// unused is the condition of a row that does not tell of a use yet, or of an older one.
const unused = "attribute_not_exists(#used) OR #used < :used OR #used_by <> :used_by"

// RecordUse writes that the user has used its access to the customer's tenant, unless the row tells so already. A user without a row, whom
// everyone includes, gets one without an assignment. It is one attempt without retries, within the time that ctx leaves: a use that was not
// recorded is recorded by the next check.
func (r *Reader) RecordUse(ctx context.Context, customer, user string, use access.Use) error {
	_, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &r.table, Key: assignmentKey(customer, user).attributes(),
		UpdateExpression:    aws.String("SET #used = :used, #used_by = :used_by, #customer = :customer, #user = :user"),
		ConditionExpression: aws.String(unused),
		ExpressionAttributeNames: map[string]string{
			"#used": used, "#used_by": usedBy, "#customer": "customer", "#user": "user",
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":used": str(string(use.On)), ":used_by": num(use.Number), ":customer": str(customer), ":user": str(user),
		},
		ReturnValues: types.ReturnValueNone,
	}, func(o *dynamodb.Options) { o.RetryMaxAttempts, o.Retryer = 1, aws.NopRetryer{} })
	var told *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &told) {
		return nil
	}
	return failed("record a use", err)
}

// withoutAssignment is the condition of a row that does not exist, or that holds a last use only.
const withoutAssignment = "attribute_not_exists(#version)"

// assignment writes an assignment. It updates the row instead of replacing it, so that the last use stays, whoever records one meanwhile; a
// hold ends with it, as with every write. An assignment that a change of its grant ends leaves a row that says when. A row that counts no
// more leaves the index, and says as before what it was: were it deleted and made again, its versions would be counted from 1 again, and
// one of before that is missing could not be seen.
func (tx *transaction) assignment(table string, w stampedAssignment) {
	condition, values := withoutAssignment, map[string]types.AttributeValue{}
	if was := w.Before.Stored(); was > 0 {
		condition, values = sameState, versionValue(was)
	}
	if w.After == nil && !w.withGrant {
		update := &types.Update{
			TableName: &table, Key: assignmentKey(w.Before.Customer, w.Before.User).attributes(), ConditionExpression: &condition,
			UpdateExpression:         aws.String("REMOVE #version, gsi1pk, gsi1sk, #hold, used, used_by"),
			ExpressionAttributeNames: map[string]string{"#version": "version", "#hold": hold},
		}
		if len(values) > 0 { // DynamoDB refuses an empty map
			update.ExpressionAttributeValues = values
		}
		*tx = append(*tx, types.TransactWriteItem{Update: update})
		return
	}
	var key Key
	d, names := draft{}, versionNames()
	if w.After == nil {
		key = assignmentKey(w.Before.Customer, w.Before.User)
		d.s("customer", w.Before.Customer)
		d.s("user", w.Before.User)
	} else {
		key, d = assignmentKey(w.After.Customer, w.After.User), assignmentItem(w.After)
		delete(d, pk)
		delete(d, sk)
	}
	d.s(changed, string(w.changed))
	var set, remove []string
	for _, name := range slices.Sorted(maps.Keys(d)) {
		set = append(set, "#"+name+" = :new_"+name)
		names["#"+name], values[":new_"+name] = name, d[name]
	}
	set = append(set, "#serial = if_not_exists(#serial, :none) + :one")
	names["#serial"], values[":none"], values[":one"] = serial, num(0), num(1)
	for _, name := range [...]string{
		"version", "epoch", gsi1pk, gsi1sk, "out", "level", "by", "number", "at", "granter", "granter_email", hold,
	} {
		if d[name] == nil {
			remove = append(remove, "#"+name)
			names["#"+name] = name
		}
	}
	expression := "SET " + strings.Join(set, ", ") + " REMOVE " + strings.Join(remove, ", ")
	*tx = append(*tx, types.TransactWriteItem{Update: &types.Update{
		TableName: &table, Key: key.attributes(), UpdateExpression: &expression,
		ConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}})
}
