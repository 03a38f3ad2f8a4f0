package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/dynamo"
)

// storageCost counts what one check asks of a real engine.
func storageCost(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	if err := dynamo.CreateTable(ctx, e.Client(), fixture.Table, false); err != nil {
		return nil, err
	}
	items := []string{fixture.PartnerJSON, fixture.UserJSON, fixture.GrantJSON, fixture.AssignmentJSON}
	if err := fixture.Write(ctx, e.Client(), fixture.Table, items); err != nil {
		return nil, err
	}
	m := meter.New(e.Endpoint())
	defer m.Close()
	check := fixture.CheckHandler(engineStorage{m.URL()}, fixture.Table)
	if err := allowed(ctx, check, fixture.Event(fixture.Single, fixture.Question)); err != nil {
		return nil, err
	}
	calls, reads, _, err := m.Take()
	return []fixture.Figure{
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
func growth(ctx context.Context) ([]fixture.Figure, error) {
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
		name := fmt.Sprintf("%s-%d", fixture.Table, n)
		if err := dynamo.CreateTable(ctx, e.Client(), name, false); err != nil {
			return nil, err
		}
		if err := load(ctx, e.Client(), name, n); err != nil {
			return nil, err
		}
		checks[i] = fixture.CheckHandler(engineStorage{e.Endpoint()}, name)
	}
	const rounds = 1000
	for round := range rounds {
		for i, n := range sizes {
			customer := fixture.CustomerID((round * 7919) % n)
			p := fixture.Event(fixture.Single, strings.Replace(fixture.Question, "acme", customer, 1))
			began := time.Now()
			if err := allowed(ctx, checks[i], p); err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(time.Since(began)))
		}
	}
	var out []fixture.Figure
	base := fixture.Median(took[0])
	for i, n := range sizes[1:] {
		m := fixture.Median(took[i+1])
		out = append(out, fixture.Figure{
			fmt.Sprintf("check with %d grants against 1000: time, p50 of %d", n, rounds),
			fmt.Sprintf("%.2fx (%v against %v)", m/base, time.Duration(m).Round(time.Microsecond), time.Duration(base).Round(time.Microsecond)),
			"0.95x to 1.05x",
		})
	}
	return out, nil
}

// load writes a partner, a user and so many grants with the user in each.
func load(ctx context.Context, db *dynamodb.Client, table string, grants int) error {
	texts := []string{fixture.PartnerJSON, fixture.UserJSON}
	for i := range grants {
		for _, text := range []string{fixture.GrantJSON, fixture.AssignmentJSON} {
			texts = append(texts, strings.ReplaceAll(text, "acme", fixture.CustomerID(i)))
		}
	}
	return fixture.Write(ctx, db, table, texts)
}
