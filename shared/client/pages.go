package client

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"time"
)

// Pages reads all items of a list of the API, page after page: Pages[Grant](ctx, c, "/v1/customers/acme/grants?status=active"). It ends
// with an error, or after the last item.
func Pages[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		address, err := url.Parse(path)
		if err != nil {
			yield(none, err)
			return
		}
		query := address.Query()
		for {
			var page struct {
				Items []T     `json:"items"`
				Next  *string `json:"next_cursor"`
			}
			at := address.EscapedPath()
			if len(query) > 0 {
				at += "?" + query.Encode()
			}
			if _, err := c.Do(ctx, Request{Path: at}, &page); err != nil {
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == nil || *page.Next == "" {
				return
			}
			query.Set("cursor", *page.Next)
		}
	}
}

// Organisation names a customer or a partner.
type Organisation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Grant is a partner's access to a customer, as far as most need it. Instants are in UTC; Until is nil without an end.
type Grant struct {
	ID             string       `json:"id"`
	Customer       Organisation `json:"customer"`
	Partner        Organisation `json:"partner"`
	Level          string       `json:"level"`
	EffectiveLevel string       `json:"effective_level"` // the lower of what was granted and what the provider offers
	Status         string       `json:"status"`
	Everyone       bool         `json:"everyone"`
	UserCount      int          `json:"user_count"`
	From           time.Time    `json:"from"`
	Until          *time.Time   `json:"until"`
	Version        int64        `json:"version"`
}

// Grants are a customer's.
func (c *Client) Grants(ctx context.Context, customer string) iter.Seq2[Grant, error] {
	return Pages[Grant](ctx, c, "/v1/customers/"+Escape(customer)+"/grants")
}

// Escape makes one segment of a path of a name: an id, or an address.
func Escape(segment string) string { return strings.ReplaceAll(url.PathEscape(segment), "+", "%2B") }
