package turns_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/turns"
)

func order(q *turns.Queue[int]) string {
	var got []string
	for {
		who, piece, ok := q.Next()
		if !ok {
			return strings.Join(got, " ")
		}
		got = append(got, fmt.Sprint(who, piece))
	}
}

func TestOrganisationsTakeTurnsEachInItsOwnOrder(t *testing.T) {
	var q turns.Queue[int]
	for i, who := range strings.Split("aaabacb", "") {
		if !q.Add(who, i) {
			t.Fatalf("%s%d was not taken", who, i)
		}
	}
	if got, want := order(&q), "a0 b3 c5 a1 b6 a2 a4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := order(&q); got != "" {
		t.Errorf("once it is empty: got %s, want nothing", got)
	}
}

func TestNobodyHasMoreInTheQueueThanItsShare(t *testing.T) {
	q := turns.Queue[int]{Share: 2}
	var taken []bool
	for i := range 3 {
		taken = append(taken, q.Add("a", i))
	}
	taken = append(taken, q.Add("b", 0))
	if want := []bool{true, true, false, true}; !slices.Equal(taken, want) {
		t.Errorf("got %v, want %v", taken, want)
	}
	q.Next()
	if !q.Add("a", 3) {
		t.Error("after one was taken out: got the next refused, want it taken")
	}
	if got, want := order(&q), "b0 a1 a3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhoComesBackWaitsForTheOthers(t *testing.T) {
	var q turns.Queue[int]
	q.Add("a", 0)
	q.Add("b", 0)
	who, piece, _ := q.Next()
	q.Add(who, piece+1) // a piece that is not finished goes to the end
	if got, want := order(&q), "b0 a1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
