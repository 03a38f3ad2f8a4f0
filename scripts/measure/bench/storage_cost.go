package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/shared/dynamo"
)

// storageCost counts what one check asks of a real engine.
func storageCost(ctx context.Context) ([]figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	if err := dynamo.CreateTable(ctx, e.Client(), table, false); err != nil {
		return nil, err
	}
	if err := write(ctx, e.Client(), table, []string{partnerJSON, userJSON, grantJSON, assignmentJSON}); err != nil {
		return nil, err
	}
	m := meter.New(e.Endpoint())
	defer m.Close()
	check := checkHandler(engineStorage{m.URL()}, table)
	if err := allowed(ctx, check, event(single, question)); err != nil {
		return nil, err
	}
	calls, reads, _, err := m.Take()
	return []figure{
		{"check: storage calls", strconv.Itoa(calls), "1"},
		{"check: read units", strconv.FormatFloat(reads, 'f', -1, 64), "4 at most"},
	}, err
}

func allowed(ctx context.Context, h lambda.Handler, payload []byte) error {
	out, err := h.Invoke(ctx, payload)
	if err != nil {
		return err
	}
	if !strings.Contains(string(out), `\"decision\":true`) {
		return fmt.Errorf("the check answered %s", out)
	}
	return nil
}

// engineStorage is an engine as the storage of a check: it gets the requests that were made for AWS.
type engineStorage struct{ endpoint string }

func (s engineStorage) RoundTrip(r *http.Request) (*http.Response, error) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, err
	}
	local, err := http.NewRequestWithContext(r.Context(), r.Method, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	local.Header = r.Header.Clone()
	local.Header.Del("Content-Length")
	return http.DefaultTransport.RoundTrip(local)
}

// growth measures checks while the table grows. The cost is the time of a check on the engine, storage included: what would grow.
func growth(ctx context.Context) ([]figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	// One table for each size, all there at once and measured in turns, so that the machine's other work meets all alike. Without a stream:
	// the default engine's writes slow down with one.
	sizes := []int{1_000, 10_000, 100_000}
	took := make([][]float64, len(sizes))
	checks := make([]lambda.Handler, len(sizes))
	for i, n := range sizes {
		name := fmt.Sprintf("%s-%d", table, n)
		if err := dynamo.CreateTable(ctx, e.Client(), name, false); err != nil {
			return nil, err
		}
		if err := load(ctx, e.Client(), name, n); err != nil {
			return nil, err
		}
		checks[i] = checkHandler(engineStorage{e.Endpoint()}, name)
	}
	const rounds = 1000
	for round := range rounds {
		for i, n := range sizes {
			customer := customerID((round * 7919) % n)
			p := event(single, strings.Replace(question, "acme", customer, 1))
			began := time.Now()
			if err := allowed(ctx, checks[i], p); err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(time.Since(began)))
		}
	}
	var out []figure
	base := median(took[0])
	for i, n := range sizes[1:] {
		m := median(took[i+1])
		out = append(out, figure{
			fmt.Sprintf("check with %d grants against 1000: time, p50 of %d", n, rounds),
			fmt.Sprintf("%.2fx (%v against %v)", m/base, time.Duration(m).Round(time.Microsecond), time.Duration(base).Round(time.Microsecond)),
			"0.95x to 1.05x",
		})
	}
	return out, nil
}

func customerID(n int) string { return fmt.Sprintf("c%06d", n) }

// load writes a partner, a user and so many grants with the user in each.
func load(ctx context.Context, db *dynamodb.Client, table string, grants int) error {
	texts := []string{partnerJSON, userJSON}
	for i := range grants {
		for _, text := range []string{grantJSON, assignmentJSON} {
			texts = append(texts, strings.ReplaceAll(text, "acme", customerID(i)))
		}
	}
	return write(ctx, db, table, texts)
}

// write puts items, written in DynamoDB's JSON, as fast as the engine takes them: as they are, without the SDK, which would take longer
// than the engine.
func write(ctx context.Context, db *dynamodb.Client, table string, texts []string) error {
	for part := range slices.Chunk(texts, 25) { // what one BatchWriteItem takes
		puts := make([]json.RawMessage, len(part))
		for i, text := range part {
			puts[i] = json.RawMessage(`{"PutRequest":{"Item":` + text + `}}`)
		}
		for pending := map[string][]json.RawMessage{table: puts}; len(pending) > 0; {
			var err error
			if pending, err = batchWrite(ctx, *db.Options().BaseEndpoint, pending); err != nil {
				return fmt.Errorf("load %s: %w", table, err)
			}
		}
	}
	return nil
}

// batchWrite returns what was not written.
func batchWrite(ctx context.Context, endpoint string, items map[string][]json.RawMessage) (map[string][]json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"RequestItems": items})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.BatchWriteItem")
	r.Header.Set("X-Amz-Date", "20261122T150405Z")
	// local engines verify none
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261122/"+engine.Region+
		"/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", resp.Status, answer)
	}
	var left struct{ UnprocessedItems map[string][]json.RawMessage }
	return left.UnprocessedItems, json.Unmarshal(answer, &left)
}
