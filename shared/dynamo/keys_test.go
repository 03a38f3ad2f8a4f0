package dynamo

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEveryKeyIsBuiltFromItsIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of  string
		got Key
		pk  string
		sk  string
	}{
		{"a partner", partnerKey("contoso"), "P#contoso", "P"},
		{"a partner's headcount", headcountKey("contoso"), "P#contoso", "H"},
		{"a partner's user", userKey("contoso:01K"), "P#contoso", "U#contoso:01K"},
		{"a customer", customerKey("acme"), "C#acme", "C"},
		{"a customer's member", memberKey("acme", "ann@acme.example"), "C#acme", "M#ann@acme.example"},
		{"a grant", grantKey("acme", "contoso"), "C#acme", "G#contoso"},
		{"an assignment", assignmentKey("acme", "contoso:01K"), "C#acme", "U#contoso:01K"},
		{"an address", emailKey("kim@contoso.example"), "E#kim@contoso.example", "E"},
		{"a domain", domainKey("contoso.example"), "O#contoso.example", "O"},
		{"a word of a partner's name", wordKey("contoso", "c-1"), "W#c", "contoso#c-1"},
		{"a word of more than ASCII", wordKey("東京", "t"), "W#東", "東京#t"},
		{"a customer's event", customerEventKey("acme", "01K"), "C#acme", "T#01K"},
		{"a partner's event", partnerEventKey("contoso", "01K"), "P#contoso", "T#01K"},
		{"a task", taskKey("01K"), "K#01K", "K"},
		{"an invitation", invitationKey("acme", "01K"), "C#acme", "I#01K"},
		{"a mail about a customer", customerMailKey("acme", "01K", "ann@acme.example"), "C#acme", "L#01K#ann@acme.example"},
		{"a mail about a partner", partnerMailKey("contoso", "01K", "kim@contoso.example"), "P#contoso", "L#01K#kim@contoso.example"},
		{"a blocked address", blockKey("kim@contoso.example", ""), "B#kim@contoso.example", "B"},
		{"one organisation's mails to an address", blockKey("kim@contoso.example", "c-acme"), "B#kim@contoso.example", "B#c-acme"},
		{"an answer", idempotencyKey("digest"), "I#digest", "I"},
		{"index 1: a partner's customer", Key{partnerIndexPK("contoso"), customerIndexSK("acme")}, "P#contoso", "C#acme"},
		{"index 1: a user's customer", Key{userIndexPK("contoso:01K"), customerIndexSK("acme")}, "U#contoso:01K", "C#acme"},
		{
			"index 2: what is due",
			Key{duePK(7), dueSK(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), grantKey("acme", "contoso"))},
			"Q#7",
			"2026-11-22T12:00:00.000Z#C#acme#G#contoso",
		},
		{
			"index 2: a mail that waits",
			Key{mailDuePK(7), dueSK(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), partnerMailKey("contoso", "01K", "0f"))},
			"N#7",
			"2026-11-22T12:00:00.000Z#P#contoso#L#01K#0f",
		},
		{"a job", jobKey("01K"), "J#01K", "J"},
		{"a job's row", jobRowKey("01K", 7), "J#01K", "R#0007"},
		{"a customer's open jobs", openJobsKey("acme"), "J#C#acme", "O"},
		{"the provider's open jobs", openJobsKey(""), "J#C#", "O"},
		{"the number of a feed's latest event", feedKey("customers/acme"), "F#customers/acme", "N"},
		{"an event in a feed", publishedKey("customers/acme", "00000000000000000007"), "F#customers/acme", "E#00000000000000000007"},
		{"whether the bus has an event", busKey("01K"), "X#01K", "B"},
		{"who does a shard's jobs", jobLeaseKey(3), "J#L#3", "L"},
		{
			"index 2: a job that is open",
			Key{jobDuePK(3), dueSK(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), jobKey("01K"))},
			"J#3",
			"2026-11-22T12:00:00.000Z#J#01K#J",
		},
		{"index 1: a partner in the directory", Key{directoryPK(3), directorySK("contoso msp", "c-1")}, "D#3", "contoso msp#c-1"},
		{"index 1: a partner that was removed", Key{removedPK(3), "c-1"}, "R#3", "c-1"},
	} {
		if want := (Key{c.pk, c.sk}); c.got != want {
			t.Errorf("the key of %s: got %v, want %v", c.of, c.got, want)
		}
	}
}

func TestNoTwoRecordsShareAKey(t *testing.T) {
	t.Parallel()
	id := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,3}`)
	user := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,3}:0[0-9A-Z]{1,2}`)
	address := rapid.StringMatching(`[a-z.]{1,3}@[a-z.]{1,3}`)
	draw := func(t *rapid.T) (what string, k Key) {
		a, b, u, e := id.Draw(t, "a"), id.Draw(t, "b"), user.Draw(t, "user"), address.Draw(t, "address")
		switch rapid.IntRange(0, 21).Draw(t, "kind") {
		case 0:
			return "partner " + a, partnerKey(a)
		case 1:
			return "headcount " + a, headcountKey(a)
		case 2:
			return "user " + u, userKey(u)
		case 3:
			return "customer " + a, customerKey(a)
		case 4:
			return "member " + a + " " + e, memberKey(a, e)
		case 5:
			return "grant " + a + " " + b, grantKey(a, b)
		case 6:
			return "assignment " + a + " " + u, assignmentKey(a, u)
		case 7:
			return "address " + e, emailKey(e)
		case 8:
			return "word " + a + " " + b, wordKey(a, b)
		case 9:
			return "event of customer " + a + " " + b, customerEventKey(a, b)
		case 10:
			return "event of partner " + a + " " + b, partnerEventKey(a, b)
		case 11:
			return "task " + a, taskKey(a)
		case 12:
			return "invitation " + a + " " + b, invitationKey(a, b)
		case 13:
			return "mail of customer " + a + " " + b + " " + e, customerMailKey(a, b, e)
		case 14:
			return "mail of partner " + a + " " + b + " " + e, partnerMailKey(a, b, e)
		case 15:
			return "blocked " + e + " " + a, blockKey(e, a)
		case 16:
			return "domain " + a, domainKey(a)
		case 18:
			return "request " + a + " " + b, requestKey(a, b)
		case 19:
			return "decided request " + a + " " + b, decidedRequestKey(a, b)
		case 20:
			return "slot " + a + " " + b + " " + u, slotKey(a, b, "access", u)
		case 21:
			return "attempts " + a + " " + b, attemptsKey(a, b)
		default:
			return "answer " + a, idempotencyKey(a)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		one, k := draw(t)
		other, l := draw(t)
		if (one == other) != (k == l) {
			t.Fatalf("got the keys %v of %s and %v of %s, want them the same exactly when the records are", k, one, l, other)
		}
	})
}

func TestTheDirectoryIsSpreadEvenlyOverItsShards(t *testing.T) {
	t.Parallel()
	var got [directoryShards]int
	const n = 4000
	for i := range n {
		got[directoryShard(fmt.Sprintf("partner-%d", i))]++
	}
	for shard, c := range got {
		if c < n/directoryShards/2 || c > n/directoryShards*2 {
			t.Errorf("shard %d: got %d of %d partners, want about a %dth", shard, c, n, directoryShards)
		}
	}
}
