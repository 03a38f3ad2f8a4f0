package httpapi

import (
	"context"
	"strconv"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/service"
)

// publishedView is a part of a feed of published events. It has no cursor: whoever has read an event knows where to go on.
type publishedView struct {
	Items  []cloudevents.Event `json:"items"`
	After  string              `json:"after"`
	Latest string              `json:"latest"`
	More   bool                `json:"more"`
}

// listPublished lists the events of one feed, as other systems get them.
func listPublished(ctx context.Context, c *call) (reply, error) {
	q, err := c.feedQuery()
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.Published(ctx, q)
	if err != nil {
		return reply{}, err
	}
	out := publishedView{
		Items: append([]cloudevents.Event{}, page.Events...), // [] and not null when there are none
		After: cloudevents.Number(page.After), Latest: cloudevents.Number(page.Latest), More: page.After < page.Latest,
	}
	return reply{status: 200, body: out}, nil
}

// feedQuery reads customer or partner, after, types and limit. No list gives a cursor for it, so that pageAsk refuses each.
func (c *call) feedQuery() (service.FeedQuery, error) {
	ask, q, _, err := pageAsk(c.Request, "customer", "partner", "after", "types")
	if err != nil {
		return service.FeedQuery{}, err
	}
	var wrong findings
	out := service.FeedQuery{Customer: q.Get("customer"), Partner: q.Get("partner"), Types: typesIn(q.Get("types"), &wrong), Limit: ask.Limit}
	switch {
	case (out.Customer == "") == (out.Partner == ""):
		wrong.add("?customer", "name one feed, by customer or by partner: events are in order, and complete, in a feed alone")
	case out.Customer != "" && !access.ValidID(out.Customer):
		wrong.add("?customer", "this is no id of a customer")
	case out.Partner != "" && !access.ValidID(out.Partner):
		wrong.add("?partner", "this is no id of a partner")
	}
	if s := q.Get("after"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || strings.Trim(s, "0123456789") != "" || len(s) > len(cloudevents.Number(0)) {
			wrong.add("?after", "this is no sequence of an event, such as "+cloudevents.Number(1)+"; 0 stands before the first")
		}
		out.After = &n
	}
	return out, sortedErr(&wrong)
}

// typesIn reads patterns of names of events. One that stands for no event is a mistake which nobody would see otherwise.
func typesIn(list string, wrong *findings) []string {
	if list == "" {
		return nil
	}
	patterns := strings.Split(list, ",")
	for _, p := range patterns {
		if !cloudevents.Selects(p) {
			wrong.add("?types", "types are names of events, or their beginnings such as grant.*, separated by commas: one of them stands for none")
			break
		}
	}
	return patterns
}
