package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

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

// canned is a storage that has its answers ready, as DynamoDB's front end would send them, and counts the calls.
type canned struct {
	answers map[string]func(request []byte) []byte // by X-Amz-Target
	calls   atomic.Int64
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	request := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, request); err != nil {
		return nil, err
	}
	c.calls.Add(1)
	answer := c.answers[r.Header.Get("X-Amz-Target")]
	if answer == nil {
		return nil, fmt.Errorf("no canned answer for %s", r.Header.Get("X-Amz-Target"))
	}
	body := answer(request)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type":     {"application/x-amz-json-1.0"},
			"Content-Length":   {strconv.Itoa(len(body))},
			"Date":             {"Sun, 22 Nov 2026 15:04:05 GMT"},
			"Server":           {"Server"},
			"Connection":       {"keep-alive"},
			"X-Amzn-Requestid": {"7FK3T0S1UHQ7R0V3JQ4KQNSO5AEMVJF66Q9ASUAAJGVNEXAMPLE0"},
			"X-Amz-Crc32":      {strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)},
		},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

func newClient(storage http.RoundTripper) *dynamodb.Client {
	token := sessionToken()
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: "ASIAEXAMPLEEXAMPLE00", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
				SessionToken: token,
			}, nil
		}),
		HTTPClient: &http.Client{Transport: storage},
	})
}
