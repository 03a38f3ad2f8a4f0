package peer

import (
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"partneraccess/scripts/measure/bench/fixture"
)

func TestEveryAnswerOfOursToThePeersQuestionsIsRight(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond) // as the measurement has it
	check := invoked(fixture.CheckHandlerAt(inMemory(now), fixture.Table, time.Now))
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same questions every time
	allowed := 0
	const n = 2000
	for range n {
		q := nextQuestion(random, now)
		got, err := check(t.Context(), ourEvent(q))
		if err != nil {
			t.Fatal(err)
		}
		if got != q.allow {
			t.Fatalf("%+v: got %v", q, got)
		}
		if got {
			allowed++
		}
	}
	if allowed < n/4 || allowed > 3*n/4 {
		t.Errorf("%d of %d were allowed, want both answers often", allowed, n)
	}
}

func TestOnlyTheWaitForAnswersIsTakenOff(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const slow = 50 * time.Millisecond
	go func() { // answers each byte with one, after a while
		c, err := l.Accept()
		if err != nil {
			return
		}
		b := make([]byte, 1)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			time.Sleep(slow)
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}()
	w, err := waitFor(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 3 {
		if _, err := c.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(slow) // nobody waits
	}
	all := time.Since(began)
	if total, answers := w.take(); answers != 3 || total < 3*slow || total > all-3*slow {
		t.Errorf("got %d answers and %v of %v, want 3, and no more than what was waited", answers, total, all)
	}
	_ = c.Close()
	w.close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
