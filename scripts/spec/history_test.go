package spec_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"partneraccess/scripts/spec"
)

// Histories: several clients change and check the same grants at random, over HTTP, and what they were answered is held against what the
// service promises. HISTORY=40 runs forty rounds instead of two; SEED chooses the same commands again (their interleaving differs).

const (
	historyCustomers = 3
	historyClients   = 4 // of each customer
	historyUsers     = 3
	historyCommands  = 30 // of each client
	everyUser        = 1<<historyUsers - 1
)

type kindOfCommand int

const (
	checkUser kindOfCommand = iota
	grantUser
	grantEveryone
	addUser
	removeUser // by editing
	deleteUser // by its own route
	everyoneOn
	everyoneOff
	suspend
	resume
	revoke
)

func (k kindOfCommand) String() string {
	return [...]string{"check", "grant to", "grant to everyone", "add", "remove", "delete", "everyone on", "everyone off", "suspend", "resume", "revoke"}[k]
}

// command is one request about a customer's grant to contoso. User counts where the kind is about one.
type command struct {
	kind     kindOfCommand
	customer int
	user     int
}

// done is a command that was answered. The instants are since the start of the history.
type done struct {
	command
	client      int
	call, ended time.Duration
	answer      string // of a check its reason, otherwise as became says it
}

func historySize(t *testing.T) (size int, seed uint64) {
	t.Helper()
	size, seed = 2, rand.Uint64()
	var err error
	if s := os.Getenv("HISTORY"); s != "" {
		if size, err = strconv.Atoi(s); err != nil || size < 1 {
			t.Fatalf("HISTORY=%s: want a number from 1", s)
		}
	}
	if s := os.Getenv("SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("SEED=%s: want a number", s)
		}
	}
	t.Logf("SEED=%d HISTORY=%d", seed, size)
	return size, seed
}

// history has the clients do their commands, all at once, in a world of their own.
func history(t *testing.T, seed uint64, consistency string) []done {
	t.Helper()
	w := spec.New(t)
	w.Partner("contoso")
	var users []string
	for u := range historyUsers {
		users = append(users, w.User("contoso", fmt.Sprintf("u%d@contoso.example", u), "tech"))
	}
	for c := range historyCustomers {
		w.Customer(fmt.Sprint("c", c))
		w.AdminOf(fmt.Sprint("c", c))
	}
	clients := historyCustomers * historyClients
	all := make([][]done, clients)
	start := time.Now()
	var running sync.WaitGroup
	for n := range clients {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(n)))
			for range historyCommands {
				d := done{client: n, command: anyCommand(random, n%historyCustomers)}
				do := request(w, d.command, users, consistency)
				d.call = time.Since(start)
				a := do()
				d.ended = time.Since(start)
				if d.answer = became(a); d.kind == checkUser && a.Status == 200 {
					d.answer = a.String("context.reason")
					if allowed := a.Get("decision") == true; allowed != (d.answer == "granted") {
						t.Errorf("a check: got %v because %s, want true exactly for granted", allowed, d.answer)
					}
				}
				all[n] = append(all[n], d)
			}
		})
	}
	running.Wait()
	var out []done
	for _, one := range all {
		out = append(out, one...)
	}
	return out
}

func anyCommand(random *rand.Rand, customer int) command {
	c := command{customer: customer, user: random.IntN(historyUsers)}
	if random.IntN(2) == 0 {
		c.kind = checkUser
		return c
	}
	c.kind = []kindOfCommand{
		grantUser, grantUser, grantUser, grantEveryone, addUser, addUser, removeUser, removeUser, deleteUser, everyoneOn, everyoneOff, suspend, resume, resume, revoke,
	}[random.IntN(15)]
	return c
}

func request(w *spec.World, c command, users []string, consistency string) func() *spec.Answer {
	customer := fmt.Sprint("c", c.customer)
	admin, user := w.AdminOf(customer), users[c.user]
	all := "/v1/customers/" + customer + "/grants"
	one := all + "/contoso"
	edit := func(body m) func() *spec.Answer {
		return func() *spec.Answer { return admin.Do("PATCH", one, body, "If-Match", "*") }
	}
	switch c.kind {
	case grantUser:
		return func() *spec.Answer { return admin.Do("POST", all, m{"partner": "contoso", "users": []string{user}}) }
	case grantEveryone:
		return func() *spec.Answer { return admin.Do("POST", all, m{"partner": "contoso", "everyone": true}) }
	case addUser:
		return edit(m{"users": m{"add": []string{user}}})
	case removeUser:
		return edit(m{"users": m{"remove": []string{user}}})
	case deleteUser:
		return func() *spec.Answer { return admin.Do("DELETE", one+"/users/"+user, nil) }
	case everyoneOn:
		return edit(m{"everyone": true})
	case everyoneOff:
		return edit(m{"everyone": false})
	case suspend:
		return edit(m{"state": "suspended"})
	case resume:
		return edit(m{"state": "open"})
	case revoke:
		return func() *spec.Answer { return admin.Do("DELETE", one, nil) }
	}
	backend, question := w.Backend(), spec.Question(user, "sign_in", customer)
	question["context"] = m{"consistency": consistency}
	return func() *spec.Answer { return backend.Do("POST", "/access/v1/evaluation", question) }
}

// relation is what the model knows of a customer's grant: naively, who is in.
type relation struct {
	phase    string // "" = there never was one; open, suspended, ended
	everyone bool
	in       int // a bit for each user
}

// step is the model: what a command makes of a relation, and what it is answered.
func (r relation) step(c command) (relation, string) {
	bit := 1 << c.user
	admitted := r.everyone || r.in&bit != 0
	if c.kind == grantUser || c.kind == grantEveryone {
		answer := "200"
		if r.phase == "" || r.phase == "ended" {
			r, answer = relation{phase: "open"}, "201"
		}
		switch {
		case c.kind == grantEveryone:
			r.everyone, r.in = true, 0
		case !r.everyone:
			r.in |= bit
		}
		return r, answer
	}
	switch {
	case c.kind == checkUser && r.phase == "":
		return r, "no_grant"
	case c.kind == checkUser && r.phase != "open":
		return r, r.phase
	case c.kind == checkUser && admitted:
		return r, "granted"
	case c.kind == checkUser:
		return r, "user_not_assigned"
	case r.phase == "":
		return r, "404 not_found"
	case r.phase == "ended" && c.kind == revoke:
		return r, "200"
	case r.phase == "ended":
		return r, "409 ended"
	}
	switch c.kind {
	case addUser:
		if !r.everyone {
			r.in |= bit
		}
	case removeUser, deleteUser:
		switch {
		case r.everyone:
			return r, "409 everyone_is_on"
		case !admitted && c.kind == deleteUser:
			return r, "404 not_found"
		case !admitted:
			return r, "200"
		case r.in == bit:
			return r, "409 last_user"
		}
		r.in &^= bit
	case everyoneOn:
		r.everyone, r.in = true, 0
	case everyoneOff:
		if r.everyone {
			r.everyone, r.in = false, everyUser
		}
	case suspend:
		r.phase = "suspended"
	case resume:
		r.phase = "open"
	case revoke:
		r.phase = "ended"
	}
	return r, "200"
}

// contended is the answer to a change that was not made because others were always first.
const contended = "409 contention"

func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, historyCustomers)
			for _, op := range ops {
				c := op.Input.(command).customer
				parts[c] = append(parts[c], op)
			}
			return parts
		},
		Init: func() any { return relation{} },
		Step: func(state, in, out any) (bool, any) {
			if out == contended {
				return true, state
			}
			next, answer := state.(relation).step(in.(command))
			return answer == out, next
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v %d: %v", in.(command).kind, in.(command).user, out) },
		DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
	}
}

func TestWithSnapshotTheHistoryOfEveryGrantIsLinearizable(t *testing.T) {
	t.Parallel()
	size, seed := historySize(t)
	for round := range size {
		h := history(t, seed+uint64(round), "snapshot")
		var ops []porcupine.Operation
		for _, d := range h {
			ops = append(ops, porcupine.Operation{ClientId: d.client, Input: d.command, Output: d.answer, Call: int64(d.call), Return: int64(d.ended)})
		}
		result, info := porcupine.CheckOperationsVerbose(model(), ops, time.Minute)
		if result != porcupine.Ok {
			file := filepath.Join(os.TempDir(), fmt.Sprintf("history-%d.html", seed+uint64(round)))
			if err := porcupine.VisualizePath(model(), info, file); err != nil {
				t.Log(err)
			}
			t.Fatalf("round %d: got a history that is %s, want %s: look at %s", round, result, porcupine.Ok, file)
		}
		report(t, h)
	}
}

func TestWithStrongNothingIsAllowedThatWasTakenAwayBeforeTheCheckBegan(t *testing.T) {
	t.Parallel()
	size, seed := historySize(t)
	for round := range size {
		h := history(t, seed+uint64(round), "strong")
		for _, v := range violations(h) {
			t.Errorf("round %d: %s", round, v)
		}
		report(t, h)
	}
}

// violations are the checks that let a user in though that had been taken away, and the answer given, before the check began; unless
// something that gives it again overlapped or followed.
func violations(h []done) []string {
	var out []string
	for _, c := range h {
		if c.kind != checkUser || c.answer != "granted" {
			continue
		}
		for _, taken := range h {
			if taken.customer != c.customer || !taken.takes(c.user) || taken.ended >= c.call {
				continue
			}
			given := false
			for _, g := range h {
				given = given || g.customer == c.customer && g.givesBack(taken.command, c.user) && g.ended > taken.call && g.call < c.ended
			}
			if !given {
				out = append(out, fmt.Sprintf("got customer %d's user %d allowed by a check from %v to %v, want a denial since %v from %v to %v",
					c.customer, c.user, c.call, c.ended, taken.kind, taken.call, taken.ended))
			}
		}
	}
	return out
}

// takes tells whether, once this was answered, the user was out.
func (d done) takes(user int) bool {
	if d.answer != "200" {
		return false
	}
	switch d.kind {
	case removeUser, deleteUser:
		return d.user == user
	case suspend, revoke:
		return true
	}
	return false
}

// givesBack tells whether this can undo what was taken from the user.
func (d done) givesBack(taken command, user int) bool {
	if d.answer != "200" && d.answer != "201" {
		return false
	}
	switch taken.kind {
	case revoke:
		return d.kind == grantUser || d.kind == grantEveryone
	case suspend:
		return d.kind == resume || d.answer == "201"
	}
	switch d.kind {
	case grantUser, addUser:
		return d.user == user
	case grantEveryone, everyoneOn:
		return true
	}
	return false
}

// report fails the test for answers that no history may hold, and tells how the commands fared.
func report(t *testing.T, h []done) {
	t.Helper()
	count := map[string]int{}
	for _, d := range h {
		count[d.answer]++
		if d.answer[0] == '5' {
			t.Errorf("%v: got %s, want an answer", d.kind, d.answer)
		}
	}
	if count["granted"] == 0 || count["200"] == 0 {
		t.Errorf("got the answers %v, want some of every kind", count)
	}
	t.Logf("%d commands: %v", len(h), count)
}

func TestTheJudgeOfHistoriesSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	at := func(kind kindOfCommand, user int, from, to int, answer string) done {
		return done{command: command{kind: kind, user: user}, call: time.Duration(from), ended: time.Duration(to), answer: answer}
	}
	granted := at(grantUser, 0, 0, 10, "201")
	for _, c := range []struct {
		about          string
		history        []done
		linear, strong bool // whether it is right
	}{
		{"in after the grant", []done{granted, at(checkUser, 0, 11, 20, "granted")}, true, true},
		{"another user", []done{granted, at(checkUser, 1, 11, 20, "granted")}, false, true}, // strong promises about what was taken away
		{"in after the revoke", []done{granted, at(revoke, 0, 11, 20, "200"), at(checkUser, 0, 21, 30, "granted")}, false, false},
		{"in during the revoke", []done{granted, at(revoke, 0, 11, 25, "200"), at(checkUser, 0, 21, 30, "granted")}, true, true},
		{"out, then in, during the revoke", []done{granted, at(revoke, 0, 11, 50, "200"), at(checkUser, 0, 21, 30, "ended"), at(checkUser, 0, 31, 40, "granted")}, false, true},
		{"in after suspension", []done{granted, at(suspend, 0, 11, 20, "200"), at(checkUser, 0, 21, 30, "granted")}, false, false},
		{"in while it is resumed", []done{granted, at(suspend, 0, 11, 20, "200"), at(resume, 0, 21, 40, "200"), at(checkUser, 0, 22, 30, "granted")}, true, true},
		{"resumed too late", []done{granted, at(suspend, 0, 11, 20, "200"), at(checkUser, 0, 22, 30, "granted"), at(resume, 0, 31, 40, "200")}, false, false},
		{"in after everyone, then removed", []done{
			granted, at(everyoneOn, 0, 11, 20, "200"), at(everyoneOff, 0, 21, 30, "200"), at(removeUser, 2, 31, 40, "200"), at(checkUser, 2, 41, 50, "granted"),
		}, false, false},
		{"two first grants", []done{granted, at(grantUser, 1, 0, 10, "201")}, false, true},
		{"two last users", []done{granted, at(addUser, 1, 11, 20, "200"), at(removeUser, 0, 21, 30, "200"), at(deleteUser, 1, 21, 30, "200")}, false, true},
		{"the last user stays", []done{granted, at(addUser, 1, 11, 20, "200"), at(removeUser, 0, 21, 30, "200"), at(deleteUser, 1, 21, 30, "409 last_user")}, true, true},
		{"a change that was refused for contention", []done{granted, at(revoke, 0, 11, 20, contended), at(checkUser, 0, 21, 30, "granted")}, true, true},
	} {
		var ops []porcupine.Operation
		for i, d := range c.history {
			ops = append(ops, porcupine.Operation{ClientId: i, Input: d.command, Output: d.answer, Call: int64(d.call), Return: int64(d.ended)})
		}
		if got := porcupine.CheckOperations(model(), ops); got != c.linear {
			t.Errorf("%s: got linearizable: %v, want %v", c.about, got, c.linear)
		}
		if got := violations(c.history); (len(got) == 0) != c.strong {
			t.Errorf("%s: got the violations %q, want none: %v", c.about, got, c.strong)
		}
	}
}
