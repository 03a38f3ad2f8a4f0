package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// written is the table's operations that write, as the line saw them.
func written(l *line) int {
	n := 0
	for _, op := range l.seen() {
		if op == "TransactWriteItems" {
			n++
		}
	}
	return n
}

func customerCreated(id string) access.Change {
	return access.Change{
		Writes: []access.Write{access.CustomerWrite{After: &access.Customer{ID: id, Name: "Acme", Status: access.Active, Version: 1}}},
		Events: []events.Event{{ID: eventID(noon, 1), Type: events.CustomerCreated, Time: noon, Customer: &events.Organisation{ID: id}}},
	}
}

func TestAWriteIsRefusedWhenWhatItStandsOnHasChanged(t *testing.T) {
	t.Parallel()
	r := full()
	next := func() record { // one version on
		n := full()
		n.Partner.Version++
		n.Headcount.Version++
		n.User.Version++
		n.Email.Version++
		n.Customer.Version++
		n.Member.Version++
		n.Grant.Version++
		n.Assignment.Version++
		n.Task.Version++
		n.Invitation.Version++
		return n
	}
	n := next()
	old := full() // as somebody loaded them, who was then overtaken
	old.Partner.Version--
	old.Headcount.Version--
	old.User.Version--
	old.Email.Version--
	old.Customer.Version--
	old.Member.Version--
	old.Grant.Version--
	old.Assignment.Version--
	old.Task.Version--
	old.Invitation.Version--
	renamed := *n.Partner
	renamed.Name = "Fabrikam"
	for _, c := range []struct {
		about string
		write access.Write
	}{
		{"a partner is created that is there", access.PartnerWrite{After: r.Partner}},
		{"a partner is edited that has changed", access.PartnerWrite{Before: old.Partner, After: n.Partner}},
		{"a partner is renamed that has changed", access.PartnerWrite{Before: old.Partner, After: &renamed}},
		{
			"a partner is edited that is gone",
			access.PartnerWrite{Before: &access.Partner{ID: "nobody", Version: 1}, After: &access.Partner{ID: "nobody", Version: 2}},
		},
		{"a headcount is created that is there", access.HeadcountWrite{After: r.Headcount}},
		{"a headcount is edited that has changed", access.HeadcountWrite{Before: old.Headcount, After: n.Headcount}},
		{"a headcount is relied on that has changed", access.HeadcountCheck{Headcount: *old.Headcount}},
		{"a headcount is relied on that is not there", access.HeadcountCheck{Headcount: access.Headcount{Partner: "nobody", Version: 1}}},
		{"a user is created who is there", access.UserWrite{After: r.User}},
		{"a user is edited who has changed", access.UserWrite{Before: old.User, After: n.User}},
		{"an address is taken that is taken", access.EmailWrite{After: r.Email}},
		{"an address is edited that has changed", access.EmailWrite{Before: old.Email, After: n.Email}},
		{"a customer is created that is there", access.CustomerWrite{After: r.Customer}},
		{"a customer is edited that has changed", access.CustomerWrite{Before: old.Customer, After: n.Customer}},
		{"a member is created who is there", access.MemberWrite{After: r.Member}},
		{"a member is edited who has changed", access.MemberWrite{Before: old.Member, After: n.Member}},
		{"a member is taken out who has changed", access.MemberWrite{Before: old.Member}},
		{
			"a member is taken out who is gone",
			access.MemberWrite{Before: &access.Member{Customer: "acme", Email: "nobody@acme.example", Version: 1}},
		},
		{"a grant is created that is there", access.GrantWrite{After: r.Grant}},
		{"a grant is edited that has changed", access.GrantWrite{Before: old.Grant, After: n.Grant}},
		{
			"a grant is edited that is gone",
			access.GrantWrite{
				Before: &access.Grant{Customer: "acme", Partner: "nobody", Version: 1},
				After:  &access.Grant{Customer: "acme", Partner: "nobody", Version: 2},
			},
		},
		{"an assignment is created that is there", access.AssignmentWrite{After: r.Assignment}},
		{"an assignment is edited that has changed", access.AssignmentWrite{Before: old.Assignment, After: n.Assignment}},
		{"a task is created that is there", access.TaskWrite{After: r.Task}},
		{"a task is edited that has changed", access.TaskWrite{Before: old.Task, After: n.Task}},
		{"a task is done that has changed", access.TaskWrite{Before: old.Task}},
		{"a task is done that is gone", access.TaskWrite{Before: &access.Task{ID: "nothing", Version: 1}}},
		{"an invitation is created that is there", access.InvitationWrite{After: r.Invitation}},
		{"an invitation is edited that has changed", access.InvitationWrite{Before: old.Invitation, After: n.Invitation}},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
				t.Fatal(err)
			}
			before := tb.dump(t)
			overtaken := errors.New("planned again")
			planned := 0
			err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
				if planned++; planned > 1 {
					return access.Change{}, nil, overtaken
				}
				change := customerCreated("innocent")
				change.Writes = append(change.Writes, c.write)
				return change, &access.StoredResponse{Digest: "d", Status: 200, Expires: noon}, nil
			})
			if !errors.Is(err, overtaken) {
				t.Errorf("got the error %v, want the plan to be asked again", err)
			}
			if after := tb.dump(t); after != before {
				t.Errorf("got the table\n%s\nwant it as it was:\n%s", after, before)
			}
		})
	}
}

func TestAWriteGoesThroughWhenNothingHasChanged(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r, n := full(), full()
	n.Partner.Version, n.Partner.Name = r.Partner.Version+1, "Contoso West Süd"
	n.User.Version++
	n.Grant.Version, n.Grant.Note = r.Grant.Version+1, ""
	n.Assignment.Version, n.Assignment.Excluded = r.Grant.Version+1, false
	if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
		t.Fatal(err)
	}
	err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{
		access.PartnerWrite{Before: r.Partner, After: n.Partner},
		access.UserWrite{Before: r.User, After: n.User},
		access.HeadcountCheck{Headcount: *r.Headcount},
		access.GrantWrite{Before: r.Grant, After: n.Grant},
		access.AssignmentWrite{Before: r.Assignment, After: n.Assignment},
		access.MemberWrite{Before: r.Member},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tb.load(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	n.Member, n.Answer = nil, nil
	if d := got.differs(n); d != "" {
		t.Error(d)
	}
	table := tb.dump(t)
	for word, want := range map[string]bool{
		`"W#m" "msp#contoso"`: false, `"W#k" "koln#contoso"`: false, `"W#c" "contoso#contoso"`: true,
		`"W#w" "west#contoso"`: true, `"W#s" "sud#contoso"`: true,
	} {
		if got := strings.Contains(table, word); got != want {
			t.Errorf("row %s after renaming: got %v, want %v", word, got, want)
		}
	}
}

func TestApplyPlansAgainUntilNobodyWasFaster(t *testing.T) {
	t.Parallel()
	for about, f := range map[string]fault{
		"another transaction holds a record":          cancel("None", "TransactionConflict"),
		"another transaction is being committed":      refuse(http.StatusBadRequest, "TransactionConflictException"),
		"a record has changed":                        cancel("ConditionalCheckFailed", "None"),
		"a record has changed and capacity is short":  cancel("ThrottlingError", "ConditionalCheckFailed"),
		"the table is throttled":                      cancel("ThrottlingError", "None"),
		"the table's capacity is used up":             cancel("None", "ProvisionedThroughputExceeded"),
		"throttled before the transaction was begun":  refuse(http.StatusBadRequest, "ThrottlingException"),
		"the request limit of the account is reached": refuse(http.StatusBadRequest, "RequestLimitExceeded"),
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.line.fail(times(3, f))
			if err := tb.Apply(t.Context(), planOf(customerCreated("acme"))); err != nil {
				t.Fatalf("got %v, want no error", err)
			}
			c, err := tb.Customer(t.Context(), "acme")
			if err != nil || c == nil {
				t.Errorf("got the customer %v (%v), want it to be there", c, err)
			}
			if got := written(tb.line); got != 4 {
				t.Errorf("got %d attempts to write, want 4", got)
			}
		})
	}
}

func TestApplyGivesUpWhenOthersAreAlwaysFaster(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	start := access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}
	tb.save(t, access.CustomerWrite{After: &start})
	planned := 0
	err := tb.Apply(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		planned++
		before, err := tb.Customer(ctx, "acme")
		if err != nil {
			return access.Change{}, nil, err
		}
		theirs, ours := *before, *before
		theirs.Version, theirs.Name = before.Version+1, "theirs"
		ours.Version, ours.Name = before.Version+1, "ours"
		if err := tb.Apply(ctx, planOf(access.Change{Writes: []access.Write{access.CustomerWrite{Before: before, After: &theirs}}})); err != nil {
			return access.Change{}, nil, err
		}
		return access.Change{Writes: []access.Write{access.CustomerWrite{Before: before, After: &ours}}}, nil, nil
	})
	if access.CodeOf(err) != access.Contention {
		t.Errorf("got the error %v, want contention", err)
	}
	if planned < 5 || planned > 50 {
		t.Errorf("got %d plans, want a few and a bounded number", planned)
	}
	c, err := tb.Customer(t.Context(), "acme")
	if err != nil || c.Name != "theirs" || c.Version != int64(planned)+1 {
		t.Errorf("got %+v (%v), want all of theirs and none of ours", c, err)
	}
}

func TestApplyGivesUpWhenThereIsNeverCapacity(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.line.fail(cancel("ThrottlingError"))
	err := tb.Apply(t.Context(), planOf(customerCreated("acme")))
	if !errors.Is(err, access.ErrUnavailable) || access.CodeOf(err) != "" {
		t.Errorf("got the error %v, want access.ErrUnavailable and no refusal", err)
	}
	if got := written(tb.line); got < 5 || got > 50 {
		t.Errorf("got %d attempts, want a few and a bounded number", got)
	}
}

func TestApplyStopsWaitingWhenTheCallerDoes(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ctx, stop := context.WithCancel(t.Context())
	tb.line.fail(func(r *http.Request, op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if n == 1 {
			stop()
		}
		return cancel("TransactionConflict")(r, op, n, send)
	})
	err := tb.Apply(ctx, planOf(customerCreated("acme")))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("got the error %v, want context.Canceled and access.ErrUnavailable", err)
	}
	if got := written(tb.line); got != 2 {
		t.Errorf("got %d attempts, want 2", got)
	}
}

func TestApplyFailsWithWhatThePlanFailsWith(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for _, want := range []error{access.Refuse(access.LastUser, "no"), errors.New("broken")} {
		err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
			return customerCreated("acme"), &access.StoredResponse{Digest: "d"}, want
		})
		if !errors.Is(err, want) {
			t.Errorf("got the error %v, want %v", err, want)
		}
	}
	if got := tb.line.seen(); len(got) != 0 {
		t.Errorf("got the operations %v, want none", got)
	}
}

func TestAGrantAndItsUsersAreReadAsTheyWereTogether(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := full()
	tb.save(t, access.CustomerWrite{After: r.Customer}, access.GrantWrite{After: r.Grant}, access.AssignmentWrite{After: r.Assignment})
	torn := 0
	tb.line.fail(func(q *http.Request, op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if op != "BatchGetItem" || torn == 2 || err != nil {
			return resp, err
		}
		torn++ // the grant is read a little earlier than the rest
		body, err := io.ReadAll(resp.Body)
		body = bytes.Replace(body, []byte(`"version":{"N":"9"}`), []byte(`"version":{"N":"8"}`), 2)
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		resp.Header.Del("X-Amz-Crc32")
		return resp, err
	})
	got, err := tb.GrantFacts(t.Context(), "acme", "contoso", []string{kim}, false)
	if err != nil || got.Grant.Version != r.Grant.Version || torn != 2 {
		t.Errorf("got version %v after %d torn readings (%v), want %d after 2", got.Grant, torn, err, r.Grant.Version)
	}
}

func TestAChangeThatIsEmptyCostsNothing(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	if err := tb.Apply(t.Context(), planOf(access.Change{})); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if got := tb.line.seen(); len(got) != 0 {
		t.Errorf("got the operations %v, want none", got)
	}
}

func TestAnIdempotencyKeyIsUsedOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	first := &access.StoredResponse{Digest: "d", Fingerprint: "one", Status: 201, Body: []byte(`{"n":1}`), Expires: noon}
	if err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		return customerCreated("acme"), first, nil
	}); err != nil {
		t.Fatal(err)
	}
	before := tb.dump(t)
	for about, change := range map[string]access.Change{
		"a change that could be made": customerCreated("globex"), "the same change again": customerCreated("acme"), "no change": {},
	} {
		err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
			return change, &access.StoredResponse{Digest: "d", Fingerprint: "two", Status: 200, Expires: noon}, nil
		})
		if !errors.Is(err, access.ErrKeyUsed) {
			t.Errorf("%s: got the error %v, want access.ErrRepeated", about, err)
		}
	}
	if after := tb.dump(t); after != before {
		t.Errorf("got the table\n%s\nwant it as it was:\n%s", after, before)
	}
	got, err := tb.StoredResponse(t.Context(), "d")
	if err != nil || got == nil || got.Fingerprint != "one" || string(got.Body) != `{"n":1}` {
		t.Errorf("got the answer %+v (%v), want the first one", got, err)
	}
	if got, err := tb.StoredResponse(t.Context(), "other"); got != nil || err != nil {
		t.Errorf("a key that was not used: got %+v (%v), want none", got, err)
	}
}

// calls are the kinds of requests that a store makes.
func calls(tb *table) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"TransactWriteItems": func(ctx context.Context) error { return tb.Apply(ctx, planOf(customerCreated("acme"))) },
		"GetItem":            func(ctx context.Context) error { _, err := tb.Partner(ctx, "contoso"); return err },
		"BatchGetItem": func(ctx context.Context) error {
			_, err := tb.GrantFacts(ctx, "acme", "contoso", nil, false)
			return err
		},
		"Query": func(ctx context.Context) error {
			_, err := tb.Members(ctx, "acme", access.PageRequest{Limit: 1})
			return err
		},
		"Query of index 1": func(ctx context.Context) error {
			_, err := tb.Partners(ctx, "", func(*access.Partner) bool { return true }, access.PageRequest{Limit: 1})
			return err
		},
	}
}

func TestAStorageThatDoesNotAnswerIsUnavailable(t *testing.T) {
	t.Parallel()
	for about, f := range map[string]fault{
		"500":                           refuse(http.StatusInternalServerError, "InternalServerError"),
		"503":                           refuse(http.StatusServiceUnavailable, "ServiceUnavailable"),
		"502 that is no JSON":           reply(http.StatusBadGateway, "<html>bad gateway</html>"),
		"501, which is not tried again": reply(http.StatusNotImplemented, "{}"),
		"throttling":                    refuse(http.StatusBadRequest, "ThrottlingException"),
		"no throughput":                 refuse(http.StatusBadRequest, "ProvisionedThroughputExceededException"),
		"the account's limit":           refuse(http.StatusBadRequest, "RequestLimitExceeded"),
		"200 that is no JSON":           reply(http.StatusOK, "<html>hello</html>"),
		"a connection cut before":       cutBefore,
		"a connection cut after":        cutAfter,
		"an answer cut in half":         cutWithin,
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			for call, do := range calls(tb) {
				tb.line.fail(f)
				if err := do(t.Context()); !errors.Is(err, access.ErrUnavailable) || access.CodeOf(err) != "" {
					t.Errorf("%s: got the error %v, want access.ErrUnavailable and no refusal", call, err)
				}
			}
			tb.line.fail(nil)
			for call, do := range calls(tb) {
				if call == "TransactWriteItems" {
					continue // may have been done
				}
				if err := do(t.Context()); err != nil {
					t.Errorf("%s, when the storage is back: got %v, want no error", call, err)
				}
			}
		})
	}
	t.Run("silence until the caller's time is up", func(t *testing.T) {
		t.Parallel()
		tb := newTable(t)
		for call, do := range calls(tb) {
			tb.line.fail(silence)
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if err := do(ctx); !errors.Is(err, access.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got the error %v, want access.ErrUnavailable and context.DeadlineExceeded", call, err)
			}
			stop()
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		tb := newTable(t)
		tb.Store = dynamo.New(clientOf(t, "http://127.0.0.1:1", newLine(t)), tb.name)
		for call, do := range calls(tb) {
			if err := do(t.Context()); !errors.Is(err, access.ErrUnavailable) {
				t.Errorf("%s: got the error %v, want access.ErrUnavailable", call, err)
			}
		}
	})
}

func TestARequestThatIsRefusedIsAMistakeOfOurs(t *testing.T) {
	t.Parallel()
	for about, f := range map[string]fault{
		"an expression that is wrong": refuse(http.StatusBadRequest, "ValidationException"),
		"a table that is not there":   refuse(http.StatusBadRequest, "ResourceNotFoundException"),
		"rights that are missing":     refuse(http.StatusBadRequest, "AccessDeniedException"),
		"a signature that is wrong":   refuse(http.StatusForbidden, "InvalidSignatureException"),
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.line.fail(f)
			for call, do := range calls(tb) {
				if err := do(t.Context()); err == nil || errors.Is(err, access.ErrUnavailable) || access.CodeOf(err) != "" {
					t.Errorf("%s: got the error %v, want one that is neither a refusal nor access.ErrUnavailable", call, err)
				}
			}
		})
	}
	t.Run("an item that DynamoDB refuses", func(t *testing.T) {
		t.Parallel()
		tb := newTable(t)
		tb.line.fail(cancel("None", "ValidationError"))
		if err := tb.Apply(t.Context(), planOf(customerCreated("acme"))); err == nil || errors.Is(err, access.ErrUnavailable) ||
			access.CodeOf(err) != "" {
			t.Errorf("got the error %v, want one that is neither a refusal nor access.ErrUnavailable", err)
		}
		if got := written(tb.line); got != 1 {
			t.Errorf("got %d attempts, want 1", got)
		}
	})
}

func TestAFaultThatPassesIsNotNoticed(t *testing.T) {
	t.Parallel()
	for about, f := range map[string]fault{
		"500": refuse(http.StatusInternalServerError, "InternalServerError"), "throttling": refuse(http.StatusBadRequest, "ThrottlingException"),
		"a connection cut before": cutBefore, "a connection cut after": cutAfter,
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			for call, do := range calls(tb) {
				tb.line.fail(times(2, f))
				if err := do(t.Context()); err != nil {
					t.Errorf("%s: got %v, want no error", call, err)
				}
			}
			if got := strings.Count(tb.dump(t), `"T#`); got != 1 {
				t.Errorf("got %d events, want 1", got)
			}
		})
	}
}

func TestAChangeIsWholeOrNothingWhereverTheConnectionIsCut(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		fault fault
		want  bool
	}{"before": {cutBefore, false}, "after": {cutAfter, true}, "within the answer": {cutWithin, true}} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.line.fail(c.fault)
			planned := 0
			err := tb.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
				planned++
				return full().change(), full().Answer, nil
			})
			if !errors.Is(err, access.ErrUnavailable) || planned != 1 {
				t.Errorf("got the error %v after %d plans, want access.ErrUnavailable after 1", err, planned)
			}
			rows := strings.Count("\n"+tb.dump(t), "\n\"")
			const all = 18
			if whole := rows == all; whole != c.want || rows != 0 && !whole {
				t.Errorf("got %d records, want all %d: %v, otherwise none", rows, all, c.want)
			}
		})
	}
}

func TestATransactionThatIsStillUnderWayIsUnavailable(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.line.fail(refuse(http.StatusBadRequest, "TransactionInProgressException"))
	if err := tb.Apply(t.Context(), planOf(customerCreated("acme"))); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("got the error %v, want access.ErrUnavailable", err)
	}
}

func TestKeysThatDynamoDBLeavesOutAreAskedForAgain(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := full()
	if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
		t.Fatal(err)
	}
	// The first answer holds nothing, the second all but what it says.
	left := func(keys ...string) fault {
		var list []string
		for _, k := range keys {
			pk, sk, _ := strings.Cut(k, " ")
			list = append(list, `{"pk":{"S":"`+pk+`"},"sk":{"S":"`+sk+`"}}`)
		}
		return reply(http.StatusOK, `{"Responses":{},"UnprocessedKeys":{"`+tb.name+`":{"ConsistentRead":true,"Keys":[`+strings.Join(list, ",")+
			`]}}}`)
	}
	all := []string{"C#acme C", "P#contoso P", "P#contoso H", "C#acme G#contoso", "P#contoso U#" + kim}
	tb.line.fail(times(2, left(all...)))
	was := len(tb.line.seen())
	got, err := tb.GrantFacts(t.Context(), "acme", "contoso", []string{kim}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.Customer == nil || got.Partner == nil || got.Headcount.Version == 0 || got.Grant == nil || got.Users[kim] == nil ||
		got.Assignments[kim] == nil {
		t.Errorf("got %+v, want all records", got)
	}
	if ops := tb.line.seen()[was:]; len(ops) != 5 {
		// three for these records, one for the assignment, and the last looks whether the grant is still the same
		t.Errorf("got the operations %v, want 5", ops)
	}

	tb.line.fail(left(all[0]))
	if _, err := tb.GrantFacts(t.Context(), "acme", "contoso", nil, false); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("one record is left out for ever: got the error %v, want access.ErrUnavailable", err)
	}
}

func TestManyRecordsAreReadInRequestsOfAHundred(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var writes []access.Write
	var ids []string
	for i := range 180 {
		id := "contoso:" + eventID(noon, byte(i))
		ids = append(ids, id)
		writes = append(writes, access.UserWrite{After: &access.User{ID: id, Partner: "contoso", Number: int64(i), Version: 1}})
	}
	tb.save(t, writes...)
	was := len(tb.line.seen())
	r, err := tb.GrantFacts(t.Context(), "acme", "contoso", slices.Concat(ids, ids[:20]), false)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Users) != 180 {
		t.Errorf("got %d users, want 180", len(r.Users))
	}
	if got := tb.line.seen()[was:]; len(got) != 2 { // 4 + 180 keys; without a grant there are no assignments
		t.Errorf("got the operations %v, want 2", got)
	}
}

func TestReadingWhatIsNotThereIsNoError(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ctx := t.Context()
	if p, err := tb.Partner(ctx, "x"); p != nil || err != nil {
		t.Errorf("partner: got %v, %v, want nothing", p, err)
	}
	if c, err := tb.Customer(ctx, "x"); c != nil || err != nil {
		t.Errorf("customer: got %v, %v, want nothing", c, err)
	}
	if u, err := tb.User(ctx, "x:u"); u != nil || err != nil {
		t.Errorf("user: got %v, %v, want nothing", u, err)
	}
	if m, err := tb.Member(ctx, "x", ann); m != nil || err != nil {
		t.Errorf("member: got %v, %v, want nothing", m, err)
	}
	if r, err := tb.GrantFacts(ctx, "x", "y", []string{"y:u"}, true); r.Customer != nil || r.Partner != nil || r.Grant != nil ||
		len(r.Users)+len(r.Assignments) > 0 || r.Headcount != (access.Headcount{Partner: "y"}) || err != nil {
		t.Errorf("relation: got %+v, %v, want nothing", r, err)
	}
	if f, err := tb.UserFacts(ctx, "y", "y:u", ann); f.Partner != nil || f.User != nil || f.Email != nil || f.OldEmail != nil || err != nil {
		t.Errorf("user's facts: got %+v, %v, want nothing", f, err)
	}
	if f, err := tb.MemberFacts(ctx, "x", ann); f.Customer != nil || f.Holder.User != nil || f.Email != nil || f.Member != nil || err != nil {
		t.Errorf("member's facts: got %+v, %v, want nothing", f, err)
	}
	if id, err := tb.Identity(ctx, ann); id.Email != ann || id.User != nil || id.Partner != nil || id.MemberOf != nil || err != nil {
		t.Errorf("identity: got %+v, %v, want the address alone", id, err)
	}
	if ms, err := tb.Memberships(ctx, ann, []string{"x"}); len(ms) != 0 || err != nil {
		t.Errorf("memberships: got %v, %v, want none", ms, err)
	}
}

func TestWhoHasAnAddress(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := full()
	r.User.Status = access.Active
	if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
		t.Fatal(err)
	}
	id, err := tb.Identity(t.Context(), "kim@contoso.example")
	if err != nil || id.User == nil || id.User.ID != kim || id.Partner == nil || id.Partner.ID != "contoso" ||
		!slices.Equal(id.MemberOf, []string{"acme", "globex"}) {
		t.Errorf("a partner's user: got %+v (%v), want Kim of Contoso", id, err)
	}
	ms, err := tb.Memberships(t.Context(), ann, []string{"acme", "globex", "acme"})
	if err != nil || len(ms) == 0 || ms[0].Customer.ID != "acme" || !ms[0].Member.Admin {
		t.Errorf("memberships: got %+v (%v), want acme", ms, err)
	}
	gone := *r.User
	gone.Status, gone.Version = access.Removed, gone.Version+1
	if err := tb.Apply(t.Context(),
		planOf(access.Change{Writes: []access.Write{access.UserWrite{Before: r.User, After: &gone}}})); err != nil {
		t.Fatal(err)
	}
	if id, err := tb.Identity(t.Context(), "kim@contoso.example"); err != nil || id.User != nil || id.Partner != nil {
		t.Errorf("a removed user: got %+v (%v), want nobody", id, err)
	}
}

func TestFactsOfAUserWhoChangesTheAddress(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	r := full()
	if err := tb.Apply(t.Context(), planOf(r.change())); err != nil {
		t.Fatal(err)
	}
	taken := &access.Email{Address: "lee@contoso.example", User: "contoso:other", Version: 1}
	tb.save(t, access.EmailWrite{After: taken})
	for _, c := range []struct {
		about, address string
		email, old     string
	}{
		{"keeps the address", "", r.Email.Address, ""},
		{"gives the same address", r.Email.Address, r.Email.Address, ""},
		{"takes a free address", "new@contoso.example", "", r.Email.Address},
		{"takes a taken address", taken.Address, taken.Address, r.Email.Address},
	} {
		f, err := tb.UserFacts(t.Context(), "contoso", kim, c.address)
		if err != nil {
			t.Fatal(err)
		}
		if f.Partner == nil || f.User == nil || f.Headcount.Version != r.Headcount.Version {
			t.Errorf("%s: got %+v, want partner, user and headcount", c.about, f)
		}
		if got := addressOf(f.Email); got != c.email {
			t.Errorf("%s: got the address %q, want %q", c.about, got, c.email)
		}
		if got := addressOf(f.OldEmail); got != c.old {
			t.Errorf("%s: got the old address %q, want %q", c.about, got, c.old)
		}
	}
}

func addressOf(e *access.Email) string {
	if e == nil {
		return ""
	}
	return e.Address
}

func TestEveryReadThatAPlanStandsOnIsStronglyConsistent(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := &consistency{line: tb.line}
	store := dynamo.New(clientOf(t, engine.Shared(t).Endpoint(), l), tb.name)
	ctx := t.Context()
	for about, read := range map[string]func() error{
		"GrantFacts":     func() error { _, err := store.GrantFacts(ctx, "a", "b", []string{"b:u"}, true); return err },
		"Partner":        func() error { _, err := store.Partner(ctx, "b"); return err },
		"Customer":       func() error { _, err := store.Customer(ctx, "a"); return err },
		"UserFacts":      func() error { _, err := store.UserFacts(ctx, "b", "b:u", ann); return err },
		"MemberFacts":    func() error { _, err := store.MemberFacts(ctx, "a", ann); return err },
		"Identity":       func() error { _, err := store.Identity(ctx, ann); return err },
		"StoredResponse": func() error { _, err := store.StoredResponse(ctx, "d"); return err },
		"CustomerGrants": func() error {
			_, err := store.CustomerGrants(ctx, &access.Customer{ID: "a"}, access.GrantFilter{}, access.PageRequest{Limit: 1})
			return err
		},
	} {
		l.weak = nil
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if len(l.weak) > 0 {
			t.Errorf("%s: got the requests %v without ConsistentRead, want it with all", about, l.weak)
		}
	}
}

// consistency remembers the bodies of requests that are not strongly consistent.
type consistency struct {
	*line
	weak []string
}

func (c *consistency) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
		c.weak = append(c.weak, string(body))
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return c.line.RoundTrip(again)
}
