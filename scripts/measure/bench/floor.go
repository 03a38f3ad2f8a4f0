package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// floor is what a check is measured against: a typed handler of aws-lambda-go that reads one grant with the SDK's GetItem and
// answers whether it is open. Nobody who uses the two libraries as they come can do less.
func floor(client *dynamodb.Client, table string) lambda.Handler {
	return lambda.NewHandler(func(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var q struct {
			Subject  struct{ Type, ID string }
			Action   struct{ Name string }
			Resource struct{ Type, ID string }
		}
		if err := json.Unmarshal([]byte(r.Body), &q); err != nil {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest}, nil //nolint:nilerr // the caller's fault
		}
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(table), ConsistentRead: aws.Bool(true),
			Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "C#" + q.Resource.ID},
				"sk": &types.AttributeValueMemberS{Value: "G#contoso"},
			},
		})
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("read the grant: %w", err)
		}
		state, _ := out.Item["state"].(*types.AttributeValueMemberS)
		body := `{"decision":false}`
		if state != nil && state.Value == "open" {
			body = `{"decision":true}`
		}
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusOK, Body: body, Headers: map[string]string{"Content-Type": "application/json"},
		}, nil
	})
}
