package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

// renames plans that the customer acme gets another name, on what is there.
func (tb *table) renames(name string) func(context.Context) (access.Change, *access.StoredResponse, error) {
	return func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		before, err := tb.Customer(ctx, "acme")
		if err != nil {
			return access.Change{}, nil, err
		}
		after := *before
		after.Version, after.Name = before.Version+1, name
		return access.Change{Writes: []access.Write{access.CustomerWrite{Before: before, After: &after}}}, nil, nil
	}
}

func (tb *table) withAcme(t *testing.T) {
	t.Helper()
	tb.save(t, access.CustomerWrite{After: &access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}})
}

// heldUntil is until when acme is held; zero when it is not.
func (tb *table) heldUntil(t *testing.T) time.Time {
	t.Helper()
	out, err := tb.raw.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &tb.name, ConsistentRead: aws.Bool(true), Key: key("C#acme", "C")})
	if err != nil {
		t.Fatal(err)
	}
	n, ok := out.Item["hold"].(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}
	}
	ns, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, ns)
}

// holdAcme is what a change that ends access leaves when it crashes.
func (tb *table) holdAcme(t *testing.T, until time.Time) {
	t.Helper()
	_, err := tb.raw.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &tb.name, Key: key("C#acme", "C"), UpdateExpression: aws.String("SET #hold = :until"),
		ExpressionAttributeNames: map[string]string{"#hold": "hold"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":until": &types.AttributeValueMemberN{Value: strconv.FormatInt(
			until.UnixNano(), 10)}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func key(pk, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}}
}

func TestAChangeThatEndsAccessIsOvertakenAtMostOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	planned, refused := 0, 0
	err := tb.Take(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		planned++
		c, answer, err := tb.renames("ours")(ctx)
		if err := tb.Apply(context.Background(), tb.renames("theirs")); access.CodeOf(err) == access.Contention {
			// between reading and writing, each time
			refused++
		}
		return c, answer, err
	})
	if err != nil || planned != 2 || refused != 1 {
		t.Errorf("got %d plans, %d of theirs refused (%v), want 2 and 1", planned, refused, err)
	}
	if c, err := tb.Customer(t.Context(), "acme"); err != nil || c.Name != "ours" || c.Version != 3 {
		t.Errorf("got %+v (%v), want ours after one of theirs", c, err)
	}
	if until := tb.heldUntil(t); !until.IsZero() {
		t.Errorf("got a hold until %v, want it released", until)
	}
	if err := tb.Apply(t.Context(), tb.renames("theirs again")); err != nil {
		t.Errorf("afterwards: got %v, want no error", err)
	}
}

func TestAHoldHoldsUpWhatGivesAndNotWhatTakes(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	tb.holdAcme(t, time.Now().Add(time.Minute))
	if err := tb.Apply(t.Context(), tb.renames("given")); access.CodeOf(err) != access.Contention {
		t.Errorf("a change that gives: got %v, want contention", err)
	}
	if err := tb.Take(t.Context(), tb.renames("taken")); err != nil {
		t.Errorf("a change that takes: got %v, want no error", err)
	}
	if err := tb.Apply(t.Context(), tb.renames("given")); err != nil {
		t.Errorf("a change that gives, after it: got %v, want no error", err)
	}
}

func TestAHoldThatACrashHasLeftRunsOut(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	tb.holdAcme(t, time.Now().Add(-time.Millisecond))
	if err := tb.Apply(t.Context(), tb.renames("given")); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if until := tb.heldUntil(t); !until.IsZero() {
		t.Errorf("got a hold until %v, want none", until)
	}
}

func TestAHoldLastsSeconds(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	crashed := errors.New("crashed")
	planned := 0
	err := tb.Take(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		if planned++; planned == 2 {
			if left := time.Until(tb.heldUntil(t)); left < time.Second || left > 10*time.Second {
				t.Errorf("got a hold of %v, want some seconds", left)
			}
			return access.Change{}, nil, crashed
		}
		c, answer, err := tb.renames("ours")(ctx)
		return c, answer, errors.Join(err, tb.Apply(context.Background(), tb.renames("theirs")))
	})
	if !errors.Is(err, crashed) {
		t.Errorf("got %v, want what the plan failed with", err)
	}
	if until := tb.heldUntil(t); !until.IsZero() {
		t.Errorf("got a hold until %v, want it released when the plan was refused", until)
	}
}

func TestAChangeThatTurnsOutToOnlyTakeIsTakenAsOne(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	planned := 0
	err := tb.Apply(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		planned++
		c, answer, err := tb.renames("ours")(ctx)
		c.Narrows = true
		if err := tb.Apply(context.Background(), tb.renames("theirs")); err != nil && access.CodeOf(err) != access.Contention {
			t.Error(err)
		}
		return c, answer, err
	})
	if c, lost := tb.Customer(t.Context(), "acme"); err != nil || lost != nil || c.Name != "ours" || planned != 2 {
		t.Errorf("got %+v after %d plans (%v, %v), want ours after 2", c, planned, err, lost)
	}
}

func TestTakeNeverFailsWithContention(t *testing.T) {
	t.Parallel()
	for about, f := range map[string]fault{
		"another transaction holds a record":         cancel("None", "TransactionConflict"),
		"a record has changed":                       cancel("ConditionalCheckFailed", "None"),
		"another transaction is being committed":     refuse(http.StatusBadRequest, "TransactionConflictException"),
		"a record has changed, and others are there": cancel("ConditionalCheckFailed", "TransactionConflict"),
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.withAcme(t)
			tb.line.fail(func(r *http.Request, op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
				if op == "TransactWriteItems" && n < 60 {
					return f(r, op, n, send)
				}
				return send()
			})
			if err := tb.Take(t.Context(), tb.renames("taken")); err != nil {
				t.Errorf("after many attempts: got %v, want no error", err)
			}
			tb.line.fail(func(r *http.Request, op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
				if op == "TransactWriteItems" {
					return f(r, op, n, send)
				}
				return send()
			})
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
			defer stop()
			if err := tb.Take(ctx, tb.renames("never")); !errors.Is(err, access.ErrUnavailable) || access.CodeOf(err) != "" {
				t.Errorf("always: got %v, want access.ErrUnavailable", err)
			}
			if ctx.Err() != nil {
				t.Error("got no answer before the time was over, want one that can still be sent")
			}
		})
	}
}

func TestAPlanThatMeetsWhatOthersAreAboutToWriteIsMadeAgain(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	planned := 0
	err := tb.Take(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		if planned++; planned < 4 {
			return access.Change{}, nil, access.Refuse(access.Contention, "not yet")
		}
		return tb.renames("taken")(ctx)
	})
	if err != nil || planned != 4 {
		t.Errorf("got %d plans (%v), want 4", planned, err)
	}
}

func TestHoldsAreOnChangedRecordsAndReleasedWhereNothingIsWritten(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := full()
	if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
		t.Fatal(err)
	}
	held := func() []string {
		var out []string
		record := ""
		for line := range strings.Lines(tb.dump(t)) {
			if !strings.HasPrefix(line, "\t") {
				record = strings.TrimSpace(line)
			} else if strings.HasPrefix(line, "\thold:") {
				out = append(out, record)
			}
		}
		slices.Sort(out)
		return out
	}
	next := func() *access.Grant {
		g := *r.Grant
		g.Version++
		return &g
	}
	stale := *r.Headcount
	stale.Version--
	planned := 0
	err := tb.Take(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		if planned++; planned == 1 {
			return access.Change{Writes: []access.Write{access.HeadcountCheck{Headcount: stale}, access.GrantWrite{Before: r.Grant, After: next()}}},
				nil, nil
		}
		if got, want := held(), []string{`"P#contoso" "H"`}; !slices.Equal(got, want) {
			t.Errorf("got holds on %v, want %v", got, want)
		}
		return access.Change{Writes: []access.Write{
			access.HeadcountCheck{Headcount: *r.Headcount},
			access.GrantWrite{Before: r.Grant, After: next()},
		}}, nil, nil
	})
	if err != nil || planned != 2 {
		t.Errorf("got %d plans (%v), want 2", planned, err)
	}
	if got := held(); len(got) > 0 {
		t.Errorf("afterwards: got holds on %v, want none", got)
	}
}

// The promise, on the real engine: whatever others write, what takes is committed, and each is overtaken by no more than each other one
// that takes.
func TestWhatTakesIsCommittedAmongManyWhoWrite(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.withAcme(t)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var given atomic.Int64
	for range 12 {
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := tb.Apply(ctx, tb.renames("given")); err == nil {
					given.Add(1)
				} else if access.CodeOf(err) != access.Contention && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	var takers sync.WaitGroup
	for i := range 4 {
		takers.Go(func() {
			for n := range 10 {
				if err := tb.Take(t.Context(), tb.renames(fmt.Sprint("taken ", i, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	takers.Wait()
	stop()
	writers.Wait()
	c, err := tb.Customer(t.Context(), "acme")
	if err != nil || c.Version < 41+given.Load() { // one of theirs may have been committed and not been answered
		t.Errorf("got version %d (%v), want 40 more than the %d that were given", c.Version, err, given.Load())
	}
	if !tb.heldUntil(t).IsZero() {
		t.Error("got a hold, want none left")
	}
}
