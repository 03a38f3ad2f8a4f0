package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"partneraccess/scripts/local/ask"
	"partneraccess/shared/stream/batch"
)

// localSource reads the local stack's list, which keeps the records themselves.
type localSource struct {
	url  string
	left []batch.DeadLetter
	read bool
}

func (s *localSource) next(ctx context.Context) (*letter, error) {
	if !s.read {
		if err := call(ctx, http.MethodGet, s.url, &s.left); err != nil {
			return nil, fmt.Errorf("read the dead letters: %w", err)
		}
		s.read = true
	}
	if len(s.left) == 0 {
		return nil, nil
	}
	l := &letter{DeadLetter: s.left[0]}
	s.left = s.left[1:]
	l.records = func(context.Context) ([]lambdaevents.DynamoDBEventRecord, error) {
		var e lambdaevents.DynamoDBEvent
		if err := json.Unmarshal([]byte(l.Payload), &e); err != nil {
			return nil, fmt.Errorf("decode the batch: %w", err)
		}
		return e.Records, nil
	}
	l.remove = func(ctx context.Context) error {
		return call(ctx, http.MethodDelete, s.url+"/"+url.PathEscape(l.RequestContext.RequestID), nil)
	}
	l.giveBack = func(context.Context) error { return nil } // the list hides nothing
	return l, nil
}

func call(ctx context.Context, method, url string, into any) error {
	a, err := ask.Send(ctx, http.DefaultClient, ask.Request{Method: method, URL: url})
	if err != nil {
		return err
	}
	if a.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s answers %d %s", url, a.Status, http.StatusText(a.Status))
	}
	return a.Into(into)
}
