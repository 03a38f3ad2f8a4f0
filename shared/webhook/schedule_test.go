package webhook_test

import (
	"testing"
	"time"

	"partneraccess/shared/webhook"
)

func TestAttemptsComeByTheSchedule(t *testing.T) {
	total := time.Duration(0)
	for attempts, want := range []string{"0s", "5s", "5m0s", "30m0s", "2h0m0s", "5h0m0s", "10h0m0s", "14h0m0s", "20h0m0s", "24h0m0s"} {
		pause, again := webhook.Next(attempts, 0)
		if !again || pause.String() != want {
			t.Errorf("after %d failed attempts: got %v, %t, want %s", attempts, pause, again, want)
		}
		total += pause
		if latest, _ := webhook.Next(attempts, 1); latest != pause+pause/10 {
			t.Errorf("after %d failed attempts: the longest pause is %v, want 10%% more than %v", attempts, latest, pause)
		}
		if half, _ := webhook.Next(attempts, 0.5); half != pause+pause/20 {
			t.Errorf("after %d failed attempts: got %v in the middle", attempts, half)
		}
	}
	if want := 75*time.Hour + 35*time.Minute + 5*time.Second; total != want {
		t.Errorf("the last attempt is after %v, want %v", total, want)
	}
}

func TestTheScheduleEnds(t *testing.T) {
	for _, attempts := range []int{10, 11, 1000, -1} {
		if pause, again := webhook.Next(attempts, 0.5); again || pause != 0 {
			t.Errorf("after %d failed attempts: got %v, %t", attempts, pause, again)
		}
	}
	for _, random := range []float64{-5, 7} {
		if pause, _ := webhook.Next(9, random); pause < 24*time.Hour || pause > 26*time.Hour+24*time.Minute {
			t.Errorf("with %v: got %v", random, pause)
		}
	}
}
