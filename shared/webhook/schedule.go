package webhook

import "time"

// jitter is the most by which a pause is longer than the schedule says, as a part of it: what failed together does not come again together.
const jitter = 0.1

// schedule returns the pauses before the attempts: ten of them in about three days, as Standard Webhooks 1.0 proposes under
// "Deliverability and reliability".
func schedule() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour,
		24 * time.Hour,
	}
}

// Next returns how long to wait after that many failed attempts before the next one, with up to 10% of it added by a random number from 0
// to 1. It returns false when there is no further attempt.
func Next(attempts int, random float64) (time.Duration, bool) {
	pauses := schedule()
	if attempts < 0 || attempts >= len(pauses) {
		return 0, false
	}
	pause := pauses[attempts]
	return pause + time.Duration(float64(pause)*jitter*min(max(random, 0), 1)), true
}
