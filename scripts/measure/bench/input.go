package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// What both sides of the comparison are given: an event of API Gateway's HTTP API with a Cognito token's claims, and items as
// the store writes them.

// sessionToken is as long as the ones that Lambda hands out: it is signed with every request.
func sessionToken() string { return "IQoJb3JpZ2luX2VjE" + strings.Repeat("EXAMPLETOKEN/", 70) }

const question = `{"subject":{"type":"user","id":"contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"action":{"name":"reports:read"},"resource":{"type":"customer","id":"acme"}}`

// event is the payload (format 2.0) that Lambda gets for a POST with this body.
func event(path, body string) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, eventFormat, path, path, path, path, text)
}

const eventFormat = `{"version":"2.0","routeKey":"POST %s","rawPath":"%s","rawQueryString":"","headers":{"accept":"application/json","accept-encoding":"gzip","authorization":"Bearer eyJraWQiOiJrMXBWbU5kU2hvcnRLZXlJZEV4YW1wbGUwMTIzNDU2Nzg5IiwiYWxnIjoiUlMyNTYifQ.eyJzdWIiOiI2dXEzZXhhbXBsZWJhY2tlbmRjbGllbnQiLCJ0b2tlbl91c2UiOiJhY2Nlc3MiLCJzY29wZSI6InBhcnRuZXItYWNjZXNzXC9jaGVjayIsImF1dGhfdGltZSI6MTc5NTM1NjI0MCwiaXNzIjoiaHR0cHM6XC9cL2NvZ25pdG8taWRwLmV1LWNlbnRyYWwtMS5hbWF6b25hd3MuY29tXC9ldS1jZW50cmFsLTFfRXhhbXBsZTEiLCJleHAiOjE3OTUzNTk4NDAsImlhdCI6MTc5NTM1NjI0MCwidmVyc2lvbiI6MiwianRpIjoiM2YzYjQ1ZTYtMWYyYS00YjYzLTlkOGItOWY3YjFjMmQzZTRmIiwiY2xpZW50X2lkIjoiNnVxM2V4YW1wbGViYWNrZW5kY2xpZW50In0.Hc3lT1ZkExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignatureExampleSignature","content-length":"151","content-type":"application/json","host":"a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com","user-agent":"acme-reports/4.12 (linux; go1.26)","x-amzn-trace-id":"Root=1-6921d3f5-5f0a7c1e2d3b4a5968778695","x-forwarded-for":"198.51.100.23","x-forwarded-port":"443","x-forwarded-proto":"https","x-request-id":"01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"requestContext":{"accountId":"123456789012","apiId":"a1b2c3d4e5","authorizer":{"jwt":{"claims":{"auth_time":"1795356240","client_id":"6uq3examplebackendclient","exp":"1795359840","iat":"1795356240","iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example1","jti":"3f3b45e6-1f2a-4b63-9d8b-9f7b1c2d3e4f","scope":"partner-access/check","sub":"6uq3examplebackendclient","token_use":"access","version":"2"},"scopes":["partner-access/check"]}},"domainName":"a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com","domainPrefix":"a1b2c3d4e5","http":{"method":"POST","path":"%s","protocol":"HTTP/1.1","sourceIp":"198.51.100.23","userAgent":"acme-reports/4.12 (linux; go1.26)"},"requestId":"UKq5Ei1BFiAEJ7w=","routeKey":"POST %s","stage":"$default","time":"22/Nov/2026:15:04:05 +0000","timeEpoch":1795359845123},"body":%s,"isBase64Encoded":false}`

const grantJSON = `{"created":{"S":"2026-10-01T08:00:00.000Z"},"level":{"S":"support"},"up_to":{"N":"0"},"partner":{"S":"contoso"},"count":{"N":"3"},"gsi1pk":{"S":"P#contoso"},"gsi1sk":{"S":"C#acme"},"sk":{"S":"G#contoso"},"pk":{"S":"C#acme"},"version":{"N":"7"},"assigned_by":{"S":"customer"},"from":{"S":"2026-10-01T08:00:00.000Z"},"until":{"S":"2027-03-01T00:00:00.000Z"},"id":{"S":"grt_01JD8Z6Q7YB5V3K2N4M6P8R0S2"},"state":{"S":"open"},"customer":{"S":"acme"},"epoch":{"N":"0"},"updated":{"S":"2026-11-02T10:11:12.131Z"},"note":{"S":"migration to the new data centre"}}`

const partnerJSON = `{"created":{"S":"2026-01-15T08:00:00.000Z"},"name":{"S":"Contoso MSP"},"gsi1pk":{"S":"D#2"},"gsi1sk":{"S":"contoso msp#contoso"},"sk":{"S":"P"},"pk":{"S":"P#contoso"},"version":{"N":"4"},"id":{"S":"contoso"},"class":{"S":"channel"},"offer":{"S":"manage"},"sso":{"BOOL":true},"status":{"S":"active"},"contacts":{"L":[{"S":"ops@contoso.example"}]},"updated":{"S":"2026-11-02T10:11:12.131Z"}}`

const userJSON = `{"created":{"S":"2026-02-15T08:00:00.000Z"},"number":{"N":"17"},"email":{"S":"kim@contoso.example"},"name":{"S":"Kim Lee"},"phone":{"S":"+4930123456"},"role":{"S":"tech"},"sk":{"S":"U#contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"pk":{"S":"P#contoso"},"version":{"N":"2"},"id":{"S":"contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"mfa":{"BOOL":true},"status":{"S":"active"},"updated":{"S":"2026-11-02T10:11:12.131Z"}}`

const assignmentJSON = `{"gsi1pk":{"S":"U#contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"gsi1sk":{"S":"C#acme"},"sk":{"S":"U#contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"pk":{"S":"C#acme"},"version":{"N":"3"},"customer":{"S":"acme"},"user":{"S":"contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"epoch":{"N":"0"},"at":{"S":"2026-10-05T08:00:00.000Z"}}`

func always(answer string) func([]byte) []byte {
	b := []byte(answer)
	return func([]byte) []byte { return b }
}

// cannedAnswers are the storage's answers about one question.
func cannedAnswers(table string) map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"DynamoDB_20120810.GetItem":      always(`{"Item":` + grantJSON + `}`),
		"DynamoDB_20120810.BatchGetItem": projecting(table, []string{partnerJSON, userJSON, grantJSON, assignmentJSON}),
	}
}

// projecting answers BatchGetItem with the items as DynamoDB does, with the attributes that the request's ProjectionExpression names, or
// with all of them. The items are asked for a hundred at a time, in their order: the answer to each request is told by how many keys it
// has, and made at the first.
func projecting(table string, items []string) func([]byte) []byte {
	type request struct {
		RequestItems map[string]struct {
			ProjectionExpression     string
			ExpressionAttributeNames map[string]string
		}
	}
	answers, wanted := map[int][]byte{}, ""
	var mu sync.Mutex
	return func(body []byte) []byte {
		n := bytes.Count(body, []byte(`"sk":{`))
		mu.Lock()
		defer mu.Unlock()
		if answer := answers[n]; answer != nil {
			return answer
		}
		var r request
		if err := json.Unmarshal(body, &r); err != nil {
			panic(err)
		}
		if e := r.RequestItems[table]; e.ProjectionExpression != "" && wanted == "" {
			for i, item := range items {
				items[i] = project(item, strings.Split(e.ProjectionExpression, ","), e.ExpressionAttributeNames)
			}
			wanted = e.ProjectionExpression
		}
		for rest := items; len(rest) > 0; {
			part := rest[:min(len(rest), 100)]
			rest = rest[len(part):]
			answers[len(part)] = []byte(`{"Responses":{"` + table + `":[` + strings.Join(part, ",") + `]},"UnprocessedKeys":{}}`)
		}
		return answers[n]
	}
}

func project(item string, names []string, aliases map[string]string) string {
	var all, kept map[string]json.RawMessage
	if err := json.Unmarshal([]byte(item), &all); err != nil {
		panic(err)
	}
	kept = map[string]json.RawMessage{}
	for _, name := range names {
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		if v, ok := all[name]; ok {
			kept[name] = v
		}
	}
	out, err := json.Marshal(kept)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// customerOf is the id of the n-th customer of a batch, as long as the one of the single question.
func customerOf(n int) string { return fmt.Sprintf("ac%02d", n) }

func manyQuestions(n int) string {
	var b strings.Builder
	b.WriteString(`{"subject":{"type":"user","id":"contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"},"action":{"name":"reports:read"},"evaluations":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"resource":{"type":"customer","id":"%s"}}`, customerOf(i))
	}
	b.WriteString(`]}`)
	return b.String()
}

// manyAnswers answer a batch about n customers.
func manyAnswers(table string, n int) map[string]func([]byte) []byte {
	items := []string{partnerJSON, userJSON}
	for i := range n {
		items = append(items, strings.ReplaceAll(grantJSON, "acme", customerOf(i)), strings.ReplaceAll(assignmentJSON, "acme", customerOf(i)))
	}
	return map[string]func([]byte) []byte{"DynamoDB_20120810.BatchGetItem": projecting(table, items)}
}
