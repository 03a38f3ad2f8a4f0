package crash

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// row is a row of the table: its texts and numbers, and the lines of what is a list of texts.
type row map[string]string

// rows reads the whole table out of the data that the stack has left behind, past all of the service's own code.
func (w *world) rows(ctx context.Context) (_ []row, err error) {
	e, err := engine.Start(ctx, engine.Options{Kind: cmp.Or(os.Getenv("DYNAMODB"), engine.Dynoxide), DataDir: w.Data})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop()) }()
	var out []row
	pages := dynamodb.NewScanPaginator(e.Client(),
		&dynamodb.ScanInput{TableName: aws.String(stack.DefaultTable), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the table: %w", err)
		}
		for _, item := range page.Items {
			r := row{}
			for name, v := range item {
				switch v := v.(type) {
				case *types.AttributeValueMemberS:
					r[name] = v.Value
				case *types.AttributeValueMemberN:
					r[name] = v.Value
				case *types.AttributeValueMemberL:
					for _, v := range v.Value {
						if line, ok := v.(*types.AttributeValueMemberS); ok {
							r[name] += line.Value + "\n"
						}
					}
				}
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// sorted are the events among rows, each once, oldest first; receipts are the mails' rows.
func sorted(rows []row) (all []events.Event, receipts map[letter]row, err error) {
	receipts = map[letter]row{}
	for _, r := range rows {
		switch sk := r["sk"]; {
		case strings.HasPrefix(sk, "T#"):
			var e events.Event
			if err := json.Unmarshal([]byte(r["event"]), &e); err != nil {
				return nil, nil, fmt.Errorf("the event %s: %w", sk, err)
			}
			all = append(all, e)
		case strings.HasPrefix(sk, "L#"):
			receipts[letter{r["event"], r["recipient"]}] = r
		}
	}
	slices.SortFunc(all, func(a, b events.Event) int { return cmp.Compare(a.ID, b.ID) })
	return all, receipts, nil
}

// atKill notes the mails that somebody was sending, and counts the events that nobody had begun to tell.
func (w *world) atKill(ctx context.Context) error {
	rows, err := w.rows(ctx)
	if err != nil {
		return err
	}
	all, receipts, err := sorted(rows)
	if err != nil {
		return err
	}
	w.report.Kills++
	w.stops++
	for _, e := range all {
		letters := mail.Letters(e)
		begun := len(letters) == 0
		for _, l := range letters {
			key := letter{e.ID, receipt.Digest(l.To)}
			r := receipts[key]
			begun = begun || r != nil
			if r["state"] == string(receipt.Claimed) && r["lease"] != "" {
				w.window[key]++
			}
		}
		if !begun {
			w.report.Unread++
		}
	}
	return nil
}

// atRest holds what is there against what was answered, and against what people got.
func (w *world) atRest(ctx context.Context, customers []*customer) error {
	rows, err := w.rows(ctx)
	if err != nil {
		return err
	}
	all, receipts, err := sorted(rows)
	if err != nil {
		return err
	}
	w.report.Events = len(all)
	for _, c := range customers {
		for _, f := range w.firms {
			c.judgeGrant(f, rows, all)
		}
	}
	w.judgeMails(all, receipts, w.inbox.all())
	w.judgeVersions(rows)
	w.judgeDeliveries(all, w.receiver.all())
	return nil
}

// judgeVersions looks whether each version of a grant that there was a round ago is kept: the function that keeps them may be some moments
// behind the mails, but not a round.
func (w *world) judgeVersions(rows []row) {
	now, kept := map[string]int{}, map[string]map[int]bool{}
	for _, r := range rows {
		number := 0
		_, _ = fmt.Sscan(r["version"], &number) // 0 is none
		partner, isGrant := strings.CutPrefix(r["sk"], "G#")
		switch {
		case strings.HasPrefix(r["pk"], "C#") && isGrant:
			now[strings.TrimPrefix(r["pk"], "C#")+"#"+partner] = number
		case strings.HasPrefix(r["pk"], "Z#CG#"):
			of := strings.TrimPrefix(r["pk"], "Z#CG#")
			if kept[of] == nil {
				kept[of] = map[int]bool{}
			}
			kept[of][number] = true
		}
	}
	w.report.Versions = 0
	for of, last := range w.former {
		for n := 1; n <= last; n++ {
			if w.report.Versions++; !kept[of][n] {
				w.violated("version %d of the grant %s was not kept", n, of)
			}
		}
	}
	w.former = now
}

// judgeGrant holds a grant's events against its changes, and against its row.
func (c *customer) judgeGrant(f *firm, rows []row, all []events.Event) {
	about := c.id + ", " + f.id
	var told []events.Type
	var last *events.Event
	in := map[string]bool{}
	for _, e := range all {
		if e.Customer == nil || e.Customer.ID != c.id || e.Partner == nil || e.Partner.ID != f.id || e.Data.Grant == "" {
			continue
		}
		if last != nil && e.Data.Version != last.Data.Version+1 {
			c.violated("%s: the event %s is of version %d and the one before, %s, of version %d, want each version to have its event", about, e.ID,
				e.Data.Version, last.ID, last.Data.Version)
		}
		told, last = append(told, e.Type), &e
		replay(in, e, f)
	}
	if !slices.Equal(told, c.told[f.id]) {
		c.violated("%s: got the events %v, want those of the changes, %v", about, told, c.told[f.id])
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r["pk"] == "C#"+c.id && r["sk"] == "G#"+f.id })
	if last == nil || i < 0 {
		if (last == nil) != (i < 0) {
			c.violated("%s: got a grant: %v, with an event: %v", about, i >= 0, last != nil)
		}
		return
	}
	if got := rows[i]["version"]; got != fmt.Sprint(last.Data.Version) {
		c.violated("%s: the grant is of version %s, want that of its last event, %d", about, got, last.Data.Version)
	}
	want := c.grants[f.id]
	if want.open && (last.Data.UserCount == nil || *last.Data.UserCount != len(want.in) || len(in) != len(want.in)) {
		c.violated("%s: the last event counts %v users and the events together say %d, want %d", about, last.Data.UserCount, len(in),
			len(want.in))
	}
}

// replay has the users in the grant be those whom the event leaves.
func replay(in map[string]bool, e events.Event, f *firm) {
	if e.Type == events.GrantRevoked || e.Type == events.GrantCreated {
		clear(in)
	}
	if e.Data.Everyone != nil && *e.Data.Everyone {
		for _, u := range f.users {
			in[u] = true
		}
	}
	for _, p := range e.Data.Added {
		in[p.ID] = true
	}
	for _, p := range e.Data.Removed {
		delete(in, p.ID)
	}
}

// judgeMails holds the mails that came against the events that tell of them, and against the summaries of what went beyond a day's budget.
func (w *world) judgeMails(all []events.Event, receipts map[letter]row, came map[letter][]string) {
	mails, summaries, window, twice := 0, 0, 0, 0
	wanted := map[letter]bool{}
	once := func(what string, key letter) {
		mails++
		claimed, n := w.window[key], len(came[key])
		if claimed > 0 {
			window++
		}
		if n < 1 || n > 1+claimed {
			w.violated("%s: got %d mails, want 1, and at most one more for each kill at which it was being sent (%d)", what, n, claimed)
		} else {
			twice += n - 1
		}
		if got := receipts[key]["state"]; got != string(receipt.Sent) {
			w.violated("%s: got the receipt %q, want sent", what, got)
		}
	}
	spent := map[receipt.Budget]int{}
	for _, e := range all {
		for _, l := range mail.Letters(e) {
			if receipts[letter{e.ID, receipt.Digest(l.To)}]["state"] == string(receipt.Sent) {
				spent[receipt.NewBudget(receipt.SourceOf(e), l.To, false, e.Time)]++
			}
		}
	}
	for _, e := range all {
		for _, l := range mail.Letters(e) {
			key := letter{e.ID, receipt.Digest(l.To)}
			wanted[key] = true
			what := fmt.Sprintf("%s, event %s to %s", e.Type, e.ID, l.To)
			switch state := receipt.State(receipts[key]["state"]); {
			case l.Side == mail.User && state == receipt.Dropped && len(came[key]) <= w.window[key]:
				// What a letter to a user said may have held no longer when it was made: then it is dropped, and was sent only by a sender that
				// was killed.
				mails++
			case state == receipt.Bundled:
				b := receipt.NewBudget(receipt.SourceOf(e), l.To, false, e.Time)
				in := summarised(receipts, b, e.Time)
				if spent[b] < receipt.Daily || len(came[key]) > 0 || !in {
					w.violated("%s: it was left to the day's summary after %d others, and came %d times; in the summary: %v", what, spent[b],
						len(came[key]), in)
				}
			default:
				once(what, key)
			}
		}
	}
	for key, r := range receipts {
		if r["type"] == string(receipt.SummaryType) {
			wanted[key] = true
			summaries++
			once("the summary "+key.event+" to "+r["to"], key)
		}
	}
	for key, mails := range came {
		if !wanted[key] {
			w.violated("got the mail %q of event %s, want none: the event is not there, or tells that person nothing", mails, key.event)
		}
	}
	w.report.Mails, w.report.Summaries, w.report.Window, w.report.Twice = mails, summaries, window, twice
}

// summarised tells whether a summary of what the budget's organisation caused to its recipient has a line about what happened then.
func summarised(receipts map[letter]row, b receipt.Budget, at time.Time) bool {
	for key, r := range receipts {
		if key.recipient == b.Recipient && r["source"] == b.Source && strings.Contains(r["lines"], at.UTC().Format("2 January 2006, 15:04 UTC")) {
			return true
		}
	}
	return false
}
