package receipt_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"partneraccess/events"
	"partneraccess/shared/mail/receipt"
)

func TestAReceiptStandsByTheCustomerWhenThereIsOne(t *testing.T) {
	t.Parallel()
	acme, contoso := &events.Organisation{ID: "acme"}, &events.Organisation{ID: "contoso"}
	for _, c := range []struct {
		event    events.Event
		customer string
		partner  string
		with     string
	}{
		{events.Event{ID: "01", Customer: acme, Partner: contoso}, "acme", "", "contoso"},
		{events.Event{ID: "01", Customer: acme}, "acme", "", ""},
		{events.Event{ID: "01", Partner: contoso}, "", "contoso", ""},
		{events.Event{ID: "01"}, "", "", ""},
	} {
		r := receipt.New(c.event, "kim@contoso.example", "granted", "user")
		if r.Customer != c.customer || r.Partner != c.partner || r.With != c.with || r.Event != "01" ||
			r.Recipient != receipt.Digest("kim@contoso.example") {
			t.Errorf("%+v: got %+v, want customer %q, partner %q, with %q", c.event, r, c.customer, c.partner, c.with)
		}
	}
}

func TestADigestDoesNotShowTheAddressAndIsTheSameInCapitals(t *testing.T) {
	t.Parallel()
	a, b, c := receipt.Digest("kim@contoso.example"), receipt.Digest("Kim@Contoso.example"), receipt.Digest("lee@contoso.example")
	if a != b || a == c || !regexp.MustCompile(`^[0-9a-f]{24}$`).MatchString(a) {
		t.Errorf("got %s, %s and %s, want 24 digits, the first two the same", a, b, c)
	}
}

func TestTagsNameTheOrganisationWhateverItsIDIs(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "id")
		k := receipt.Key{Event: "01", Recipient: receipt.Digest("a@b.example")}
		if rapid.Bool().Draw(t, "customer") {
			k.Customer = id
		} else {
			k.Partner = id
		}
		tag := k.Organisation()
		if !plain.MatchString(tag) {
			t.Fatalf("got the tag %q", tag)
		}
		if got, err := receipt.ParseKey(tag, "01", "a@b.example"); err != nil || got != k {
			t.Fatalf("got %+v and %v back, want %+v", got, err, k)
		}
	})
	for _, tag := range []string{"", "c", "c-", "p-", "x-acme", "c-a.b", "c-a_b", "acme", "c-a_2", "C-acme"} {
		if k, err := receipt.ParseKey(tag, "01", "a@b.example"); err == nil {
			t.Errorf("the tag %q: got %+v, want an error", tag, k)
		}
	}
	own := receipt.KeyOf(events.Event{ID: "01", Webhook: "whk_1"}, "a@b.example")
	if got, err := receipt.ParseKey(own.Organisation(), "01", "a@b.example"); err != nil || got != own || !own.Provider {
		t.Errorf("the provider's: got %+v and %v back, want %+v", got, err, own)
	}
	if _, err := receipt.ParseKey("c-acme", "", "a@b.example"); err == nil {
		t.Error("no event: got no error, want one")
	}
}

func TestNewsOfAMailRankFromSentToComplained(t *testing.T) {
	t.Parallel()
	last := 0
	for _, s := range []receipt.State{receipt.Sent, receipt.Delivered, receipt.Bounced, receipt.Complained} {
		if s.Rank() <= last {
			t.Errorf("%s: got the rank %d after %d, want a higher one", s, s.Rank(), last)
		}
		last = s.Rank()
	}
	for _, s := range []receipt.State{receipt.Claimed, receipt.Failed, receipt.Suppressed, receipt.Dropped, ""} {
		if s.Rank() != 0 {
			t.Errorf("%s: got the rank %d, want 0", s, s.Rank())
		}
	}
}
