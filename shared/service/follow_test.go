package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// course is a table with one user, its account, and workers that go on step by step, in whatever order, and may die between any two steps.
type course struct {
	now     time.Time
	user    access.User
	email   access.Email
	task    *access.Task
	account string // the telephone number that was written last
	workers []*worker
	edits   int
	late    []late
}

// late is a request without an answer. It arrives at some time while its signature is good.
type late struct {
	phone string
	until time.Time
}

// worker follows a task. It waits before and after everything that can be seen from outside.
type worker struct {
	service.Store

	c      *course
	lease  time.Time
	resume chan bool // false: die
	fate   func() int
	parked chan bool // false: has ended
}

func (w *worker) step() {
	w.parked <- true
	if !<-w.resume {
		runtime.Goexit()
	}
}

func (w *worker) User(context.Context, string) (*access.User, error) {
	w.step()
	u := w.c.user
	return &u, nil
}

func (w *worker) Task(context.Context, string) (*access.Task, error) {
	w.step()
	return w.c.task, nil
}

func (w *worker) Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	for {
		c, _, err := plan(ctx)
		if err != nil {
			return err
		}
		w.step()
		if w.c.commit(c) {
			return nil
		}
	}
}

// pool is where the worker's accounts are.
type pool struct {
	service.Accounts
	w *worker
}

func (p pool) Sync(_ context.Context, u access.Account, _ bool) (settled bool, err error) {
	w := p.w
	w.step()
	switch w.fate() {
	case lost:
		w.c.late = append(w.c.late, late{u.Phone, w.c.now.Add(signed)})
		return false, errSync
	case repeated: // by the SDK, which was answered then
		w.c.late = append(w.c.late, late{u.Phone, w.c.now.Add(signed)})
		w.c.account = u.Phone
		return false, nil
	}
	w.c.account = u.Phone
	w.step()
	return true, nil
}

// What becomes of a request: it is answered, it is not, or it is not and the next attempt is.
const (
	_ = iota
	lost
	repeated
)

// signed is for how long a request's signature is good: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
const signed = 5 * time.Minute

// land has one of the requests that are still on their way arrive.
func (c *course) land(i int) {
	c.account = c.late[i].phone
	c.late = append(c.late[:i], c.late[i+1:]...)
}

// commit writes tasks and users, when they are as they were found.
func (c *course) commit(change access.Change) bool {
	for _, w := range change.Writes {
		switch w := w.(type) {
		case access.TaskWrite:
			if w.Before.Stored() != c.task.Stored() {
				return false
			}
		case access.UserWrite:
			if w.Before.Stored() != c.user.Version {
				return false
			}
		}
	}
	for _, w := range change.Writes {
		switch w := w.(type) {
		case access.TaskWrite:
			c.task = w.After
		case access.UserWrite:
			c.user = *w.After
		}
	}
	return true
}

func (c *course) planContext() access.PlanContext {
	return access.PlanContext{Now: c.now, Actor: access.Actor{Kind: "provider"}, NewID: func() string { return "" }, Accounts: true}
}

func (c *course) start(t *access.Task, fate func() int) {
	if t == nil {
		return
	}
	w := &worker{c: c, lease: t.Due, resume: make(chan bool), parked: make(chan bool), fate: fate}
	mine := *t
	go func() {
		defer close(w.parked)
		s := &service.Service{Accounts: pool{w: w}, Store: w, Now: time.Now}
		_ = s.FollowAccount(context.Background(), &mine) // an error leaves the task
	}()
	if <-w.parked {
		c.workers = append(c.workers, w)
	}
}

// edit changes the telephone number, and starts the worker of the request.
func (c *course) edit(t *rapid.T) {
	c.edits++
	change, _, err := access.PlanUser(access.UserFacts{
		Partner: &access.Partner{ID: "contoso", Status: access.Active}, User: &c.user, Email: &c.email, Task: c.task,
	}, access.UserCommand{Seen: access.AnyVersion, Phone: new(fmt.Sprintf("+49%07d", c.edits))}, c.planContext())
	if err != nil || !c.commit(change) {
		t.Fatalf("edit: %v", err)
	}
	c.start(change.Identity(), fates(t))
}

func (c *course) sweep(t *rapid.T) {
	change, mine := access.PlanClaimIdentityTask(c.task, c.planContext())
	if !c.commit(change) {
		t.Fatal("the task could not be taken")
	}
	c.start(mine, fates(t))
}

// fates are drawn when a worker starts, and not while it runs beside the test.
func fates(t *rapid.T) func() int {
	fate := rapid.SampledFrom([]int{0, 0, 0, lost, repeated}).Draw(t, "fate")
	return func() int { return fate }
}

// run lets a worker take a step, or die.
func (c *course) run(i int, live bool) {
	w := c.workers[i]
	w.resume <- live
	if !<-w.parked {
		c.workers = append(c.workers[:i], c.workers[i+1:]...)
	}
}

// advance moves the clock. No function lives as long as it has the task, and no request is on its way for ever.
func (c *course) advance(d time.Duration) {
	c.now = c.now.Add(d)
	for i := len(c.late) - 1; i >= 0; i-- {
		if !c.now.Before(c.late[i].until) {
			c.land(i)
		}
	}
	for i := len(c.workers) - 1; i >= 0; i-- {
		if !c.now.Before(c.workers[i].lease) {
			c.run(i, false)
		}
	}
}

func TestInAnyOrderOfWorkersAndCrashesTheAccountFollowsTheUser(t *testing.T) {
	for range 20 { // a hundred runs seldom come upon the one that matters
		rapid.Check(t, whateverOrder)
	}
}

func whateverOrder(t *rapid.T) {
	id := "contoso:" + strings.Repeat("0", 26)
	c := &course{
		now: time.Date(2026, time.June, 1, 10, 0, 0, 0, time.UTC),
		user: access.User{
			ID: id, Partner: "contoso", Email: "kim@contoso.example", Name: "Kim", Role: access.Tech, Status: access.Active,
			Version: 1,
		},
		email: access.Email{Address: "kim@contoso.example", User: id, Version: 1},
	}
	actions := map[string]func(*rapid.T){
		"edit":    func(t *rapid.T) { c.edit(t) },
		"sweep":   func(t *rapid.T) { c.sweep(t) },
		"advance": func(t *rapid.T) { c.advance(time.Duration(rapid.IntRange(1, 30).Draw(t, "seconds")) * time.Second) },
		"wait":    func(t *rapid.T) { c.advance(time.Duration(rapid.IntRange(1, 8).Draw(t, "minutes")) * time.Minute) },
		"land": func(t *rapid.T) {
			if len(c.late) == 0 {
				t.Skip("nothing is on its way")
			}
			c.land(rapid.IntRange(0, len(c.late)-1).Draw(t, "late"))
		},
	}
	turn := func(live bool) func(*rapid.T) {
		return func(t *rapid.T) {
			if len(c.workers) == 0 {
				t.Skip("nobody is at work")
			}
			c.run(rapid.IntRange(0, len(c.workers)-1).Draw(t, "worker"), live)
		}
	}
	actions["step"], actions["step on"] = turn(true), turn(true)
	actions["finish"] = func(t *rapid.T) {
		turn(true)(t)
		for n := len(c.workers); n > 0 && len(c.workers) == n; {
			c.run(n-1, true)
		}
	}
	actions["die"] = turn(false)
	t.Repeat(actions)

	for len(c.workers) > 0 {
		c.run(0, rapid.Bool().Draw(t, "live"))
	}
	// What fails no more is settled within two rounds, and nothing on its way gets past the second.
	for n := 0; c.task != nil && n < 3; n++ {
		c.advance(time.Minute)
		if _, mine := access.PlanClaimIdentityTask(c.task, c.planContext()); mine == nil {
			c.advance(signed + time.Minute)
		}
		change, mine := access.PlanClaimIdentityTask(c.task, c.planContext())
		if !c.commit(change) {
			t.Fatal("the task could not be taken")
		}
		c.start(mine, func() int { return 0 })
		for len(c.workers) > 0 {
			c.run(0, true)
		}
	}
	if len(c.late) > 0 && c.task == nil {
		t.Fatalf("the task is gone, and %d requests are on their way", len(c.late))
	}
	if c.task != nil || c.account != c.user.Phone {
		t.Fatalf("account: got %q and task %+v, want %q and none", c.account, c.task, c.user.Phone)
	}
}

type failing struct{ pool }

func (failing) Sync(context.Context, access.Account, bool) (bool, error) { return true, errSync }

var errSync = errors.New("no")

func TestAFailureLeavesTheTask(t *testing.T) {
	c := &course{user: access.User{ID: "contoso:kim", Version: 1}, task: &access.Task{User: "contoso:kim", Version: 1}}
	w := &worker{c: c, resume: make(chan bool), parked: make(chan bool)}
	go func() {
		<-w.parked
		w.resume <- true
	}()
	s := &service.Service{Accounts: failing{pool{w: w}}, Store: w, Now: time.Now}
	if err := s.FollowAccount(t.Context(), c.task); !errors.Is(err, errSync) || c.task == nil {
		t.Errorf("got %v and task %+v, want the failure and the task", err, c.task)
	}
}
