package manifest

import (
	"encoding/json"

	"partneraccess/shared/httpapi"
)

// AccessLog is a line of API Gateway's access log, which is written for each request, also for those that no function sees. It names the
// route and not the path, which can hold a person's address or an invitation's token. Names are short: each byte is billed.
func AccessLog() string {
	text, err := json.Marshal(map[string]string{
		"id": "$context.requestId", "route": "$context.routeKey", "status": "$context.status", "ms": "$context.responseLatency",
		"ip": "$context.identity.sourceIp", "sub": "$context.authorizer.claims.sub",
		"refused": "$context.authorizer.error", "failed": "$context.integrationErrorMessage",
	})
	if err != nil { // strings alone
		panic(err)
	}
	return string(text)
}

// Throttle is how many requests a second API Gateway takes on one route, and how many at once: a bucket of Burst tokens into which Rate
// come each second, and of which each request takes one.
type Throttle struct{ Rate, Burst float64 }

// Throttles are those of a deployment. Each route has its own bucket, so that a rush on one holds no other up.
type Throttles struct {
	Check  Throttle // the routes of check
	Public Throttle // those that need no token
	Others Throttle
}

// DefaultThrottles are those of a deployment that does not say otherwise.
func DefaultThrottles() Throttles {
	return Throttles{Check: Throttle{1000, 2000}, Public: Throttle{20, 40}, Others: Throttle{200, 400}}
}

// Of is the throttle of a function's route.
func (t Throttles) Of(function string, r httpapi.Route) Throttle {
	switch {
	case r.Fallback:
		return Throttle{2, 10} // whatever the deployment: nobody needs it often, and each costs a run of a function
	case r.Public:
		return t.Public
	case function == "check":
		return t.Check
	}
	return t.Others
}

// ThrottleSetting is one number of throttles, as a deployment's settings name it.
type ThrottleSetting struct {
	Name  string
	Value *float64
	Most  float64 // API Gateway's own limit for an account, which can be raised by asking
}

// Settings are the numbers of the throttles, to be read and set.
func (t *Throttles) Settings() []ThrottleSetting {
	const rate, burst = 10_000, 5_000
	return []ThrottleSetting{
		{"throttleRate", &t.Others.Rate, rate},
		{"throttleBurst", &t.Others.Burst, burst},
		{"checkRate", &t.Check.Rate, rate},
		{"checkBurst", &t.Check.Burst, burst},
		{"publicRate", &t.Public.Rate, rate},
		{"publicBurst", &t.Public.Burst, burst},
	}
}
