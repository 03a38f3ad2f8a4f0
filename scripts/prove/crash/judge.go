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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// row is a row of the table: its texts and numbers.
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
	return nil
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

// judgeMails holds the mails that came against the events that tell of them.
func (w *world) judgeMails(all []events.Event, receipts map[letter]row, came map[letter][]string) {
	mails, window, twice := 0, 0, 0
	wanted := map[letter]bool{}
	for _, e := range all {
		for _, l := range mail.Letters(e) {
			key := letter{e.ID, receipt.Digest(l.To)}
			wanted[key] = true
			mails++
			claimed, n := w.window[key], len(came[key])
			if claimed > 0 {
				window++
			}
			// What a letter to a user said may have held no longer when it was made: then it is dropped, and was sent only by a sender that was
			// killed.
			outdated := l.Side == mail.User && receipts[key]["state"] == string(receipt.Dropped)
			if outdated && n <= claimed {
				continue
			}
			if n < 1 || n > 1+claimed {
				w.violated("%s, event %s to %s: got %d mails, want 1, and at most one more for each kill at which it was being sent (%d)", e.Type, e.ID,
					l.To, n, claimed)
			} else {
				twice += n - 1
			}
			if got := receipts[key]["state"]; got != string(receipt.Sent) {
				w.violated("%s, event %s to %s: got the receipt %q, want sent", e.Type, e.ID, l.To, got)
			}
		}
	}
	for key, mails := range came {
		if !wanted[key] {
			w.violated("got the mail %q of event %s, want none: the event is not there, or tells that person nothing", mails, key.event)
		}
	}
	w.report.Mails, w.report.Window, w.report.Twice = mails, window, twice
}
