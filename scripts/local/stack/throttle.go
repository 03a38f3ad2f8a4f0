package stack

import (
	"sync"
	"time"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// buckets are API Gateway's token buckets, one for each route
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html). API Gateway's are spread over many machines, and
// take more or less than the number at times; these take exactly that.
type buckets struct {
	limits manifest.Throttles
	now    func() time.Time

	mu sync.Mutex
	of map[string]*bucket // by route key
}

type bucket struct {
	tokens float64
	at     time.Time // when they were counted
}

// take takes a token for a request of that route, and returns whether there was one.
func (b *buckets) take(m match) bool {
	limit := b.limits.Of(m.function.Name, httpapi.Route{Public: m.public})
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.of[m.routeKey]
	if of == nil {
		of = &bucket{tokens: limit.Burst}
		b.of[m.routeKey] = of
	} else if passed := now.Sub(of.at); passed > 0 { // the clock can be moved back
		of.tokens = min(limit.Burst, of.tokens+passed.Seconds()*limit.Rate)
	}
	of.at = now
	if of.tokens < 1 {
		return false
	}
	of.tokens--
	return true
}

// Throttle has the gateway refuse what is beyond the limits of a route from now on, as API Gateway does: with 429, before it looks at the
// token, and without saying when to come again.
func (g *Gateway) Throttle(limits manifest.Throttles) {
	g.buckets.Store(&buckets{limits: limits, now: g.now, of: map[string]*bucket{}})
}
