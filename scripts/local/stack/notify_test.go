package stack_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/manifest"
)

// whole is the whole service with its stream, on the real engine.
func whole(t *testing.T) *stack.Stack {
	t.Helper()
	c := config(t)
	c.Table += rand.Text()
	c.Stream, c.CreateTable, c.Functions, c.Handlers = true, dynamo.CreateTable, nil, stack.Functions
	return start(t, c)
}

// happen stores a grant's event as the service does, with these people let in.
func happen(t *testing.T, s *stack.Stack, id string, added ...string) events.Event {
	t.Helper()
	count := len(added)
	e := events.Event{
		ID: id, Type: events.GrantCreated, Time: s.Clock.Now().Truncate(time.Millisecond),
		Actor:    events.Actor{Kind: "customer", Email: "ann@acme.example"},
		Customer: &events.Organisation{ID: "acme", Name: "Acme", Domain: "acme.example", Contacts: []string{"it@acme.example"}},
		Partner:  &events.Organisation{ID: "contoso", Name: "Contoso"},
		Data:     events.Data{Grant: "01G", Level: "view", Status: "active", UserCount: &count, AssignedBy: "customer"},
	}
	store := dynamo.New(s.Engine().Client(), s.Table())
	r, err := store.Concerned(t.Context(), "acme", "contoso", nil)
	if err != nil {
		t.Fatal(err)
	}
	var writes []access.Write
	if r.Grant == nil {
		writes = append(writes,
			access.PartnerWrite{After: &access.Partner{
				ID: "contoso", Name: "Contoso", Class: access.Channel, Offer: access.Manage, Status: access.Active,
				Contacts: []string{"ops@contoso.example"}, Version: 1,
			}},
			access.GrantWrite{After: &access.Grant{
				ID: "01G", Customer: "acme", Partner: "contoso", Level: access.View, State: access.StateOpen, Everyone: true, Epoch: 1, Version: 1,
			}})
	}
	for i, a := range added {
		u := access.User{
			ID: fmt.Sprintf("contoso:%s%02d", strings.ReplaceAll(id[2:], "L", "K"), i), Partner: "contoso", Number: int64(i + 1), Email: a,
			Name: "Somebody", Role: access.Tech, Status: access.Active, Version: 1,
		}
		writes = append(writes, access.UserWrite{After: &u})
		e.Data.Added = append(e.Data.Added, events.Person{ID: u.ID, Email: a, Name: u.Name})
	}
	if err := store.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		return access.Change{Writes: writes, Events: []events.Event{e}}, nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// sent counts the mails to an address about an event.
func sent(s *stack.Stack, to string) int {
	n := 0
	for _, m := range s.Mail.List() {
		if m.To == to {
			n++
		}
	}
	return n
}

func state(t *testing.T, s *stack.Stack, e events.Event, to string) receipt.State {
	t.Helper()
	r, err := dynamo.New(s.Engine().Client(), s.Table()).Mail(t.Context(), receipt.KeyOf(e, to))
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return ""
	}
	return r.State
}

func TestAnEventsMailsAreInTheBoxAtOnceAndTheirFateIsKnown(t *testing.T) {
	s := whole(t)
	happen(t, s, "01KWARM0000000000000000001", "warm@contoso.example") // opens the connections
	until(t, "the first mail is there", func() bool { return sent(s, "warm@contoso.example") == 1 })
	e := happen(t, s, "01KMA1LS000000000000000001", "kim@contoso.example", "sam@contoso.example")
	began := time.Now()
	until(t, "the mails are there", func() bool { return sent(s, "kim@contoso.example")+sent(s, "sam@contoso.example") == 2 })
	t.Logf("the mails were there after %s", time.Since(began)) // as long as the machine takes: a second is more than enough
	for _, to := range []string{"kim@contoso.example", "sam@contoso.example", "it@acme.example"} {
		until(t, "the mail to "+to+" is delivered", func() bool { return state(t, s, e, to) == receipt.Delivered })
	}
	if n := sent(s, "kim@contoso.example"); n != 1 {
		t.Errorf("got %d mails, want 1", n)
	}
}

func TestAMailThatIsRefusedOrComesBackIsKnownAndHoldsUpNoOther(t *testing.T) {
	s := whole(t)
	e := happen(t, s, "01KMA1LS000000000000000002", "kim@refused.example", "kim@bounced.example", "kim@full.example", "kim@complained.example",
		"kim@contoso.example")
	for to, want := range map[string]receipt.State{
		"kim@refused.example": receipt.Failed, "kim@bounced.example": receipt.Bounced, "kim@full.example": receipt.Bounced,
		"kim@complained.example": receipt.Complained, "kim@contoso.example": receipt.Delivered,
	} {
		until(t, to+" is "+string(want), func() bool { return state(t, s, e, to) == want })
	}
	again := happen(t, s, "01KMA1LS000000000000000003", "kim@bounced.example", "kim@full.example", "kim@complained.example",
		"kim@contoso.example")
	for to, want := range map[string]receipt.State{
		"kim@bounced.example": receipt.Suppressed, "kim@full.example": receipt.Bounced, "kim@complained.example": receipt.Suppressed,
		"kim@contoso.example": receipt.Delivered,
	} {
		until(t, to+" is then "+string(want), func() bool { return state(t, s, again, to) == want })
	}
	if n := len(s.Dead.List()); n != 0 {
		t.Errorf("got %d dead letters, want none", n)
	}
}

func TestWhileSESIsInTroubleMailsWaitAndAreThenSentOnce(t *testing.T) {
	s := whole(t)
	s.SES.Fail(3)
	s.SES.Throttle(6)
	s.SES.Pause(1)
	e := happen(t, s, "01KMA1LS000000000000000004", "kim@contoso.example", "sam@contoso.example")
	for _, to := range []string{"kim@contoso.example", "sam@contoso.example", "it@acme.example"} {
		until(t, "the mail to "+to+" has its receipt", func() bool { return state(t, s, e, to) != "" })
	}
	for range 7 { // the schedule takes up what waits, for a quarter of an hour at most; all of the trouble may meet the same mail
		if status, got := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"16m"}`); status != 200 {
			t.Fatalf("move the clock: got %d %s", status, got)
		}
	}
	for _, to := range []string{"kim@contoso.example", "sam@contoso.example", "it@acme.example"} {
		until(t, "the mail to "+to+" is delivered", func() bool { return state(t, s, e, to) == receipt.Delivered })
		if n := sent(s, to); n != 1 {
			t.Errorf("%s: got %d mails, want 1", to, n)
		}
	}
}

func TestAPoisonedEventIsADeadLetterAndItsNeighboursMailsArrive(t *testing.T) {
	c := config(t)
	c.Table += rand.Text()
	c.Stream, c.CreateTable, c.Handlers = true, dynamo.CreateTable, stack.Functions
	c.Functions = manifest.Functions()
	for i, f := range c.Functions {
		if f.Stream != nil {
			impatient := *f.Stream
			impatient.Retries = 2
			c.Functions[i].Stream = &impatient
		}
	}
	s := start(t, c)
	table := s.Table()
	if _, err := s.Engine().Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "C#acme"}, "sk": &types.AttributeValueMemberS{Value: "T#01KP"},
		"event": &types.AttributeValueMemberS{Value: "{"},
	}}); err != nil {
		t.Fatal(err)
	}
	happen(t, s, "01KMA1LS000000000000000005", "kim@contoso.example")
	until(t, "the neighbour's mail is there", func() bool { return sent(s, "kim@contoso.example") == 1 })
	until(t, "both readers of the stream have given the poison up", func() bool { return len(s.Dead.List()) == 2 })
	_, text := call(t, "GET", s.URL()+"/_local/dead-letters", "")
	var letters []struct{ Payload string }
	if err := json.Unmarshal([]byte(text), &letters); err != nil || len(letters) != 2 ||
		!strings.Contains(letters[0].Payload, "T#01KP") || !strings.Contains(letters[1].Payload, "T#01KP") {
		t.Errorf("dead letters: got %s (%v)", text, err)
	}
	if n := sent(s, "kim@contoso.example"); n != 1 {
		t.Errorf("got %d mails, want 1: receipts keep what comes again from being sent again", n)
	}
}
