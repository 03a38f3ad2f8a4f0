package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"partneraccess/events"
)

// stretch is how many events a worker has under way at once: so many come twice, at most, for each time that one is stopped, or that the
// clock is moved beyond its lease.
const stretch = 32

// receiver is an address of the provider's, outside of the stack, that gets all events.
type receiver struct {
	url    string
	server *http.Server

	mu   sync.Mutex
	came map[string]int // how often each id did
}

func openReceiver(ctx context.Context) (*receiver, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for events: %w", err)
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/", came: map[string]int{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // until it is closed
	return r, nil
}

// ServeHTTP takes each event, and answers challenges.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var in struct {
		ID, Type string
		Data     struct{ Token string }
	}
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil || in.ID == "" || in.ID != req.Header.Get("webhook-id") {
		http.Error(w, "no event with its own id", http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(in.Type, "webhook.") {
		_ = json.NewEncoder(w).Encode(map[string]string{"token": in.Data.Token})
		return
	}
	r.mu.Lock()
	r.came[in.ID]++
	r.mu.Unlock()
	w.WriteHeader(http.StatusNoContent) // whoever sent it may have been killed
}

func (r *receiver) all() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.came)
}

// hook has the receiver get all events from now on.
func (w *world) hook(ctx context.Context) error {
	a, err := w.must(ctx, w.provider, http.MethodPost, "/v1/webhooks", object{"url": w.receiver.url})
	if err != nil {
		return err
	}
	var made struct{ Webhook struct{ ID string } }
	if err := a.Into(&made); err != nil {
		return err
	}
	w.webhook = "/v1/webhooks/" + made.Webhook.ID
	return w.until("the webhook is active", func() (bool, error) {
		var h struct{ Status string }
		_, err := w.get(ctx, w.webhook, &h)
		return h.Status == "active", err
	})
}

// until waits for something, a minute at most.
func (w *world) until(what string, is func() (bool, error)) error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		done, err := is()
		if err != nil || done {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within a minute: %s", what)
		}
	}
}

// sent returns when the receiver has the watcher's latest event, and no delivery waits.
func (w *world) sent(ctx context.Context) error {
	var history struct{ Items []struct{ ID string } }
	if _, err := w.get(ctx, "/v1/customers/"+watcher+"/history?limit=1", &history); err != nil {
		return err
	}
	return w.until("all deliveries are done", func() (bool, error) {
		if len(history.Items) == 0 || w.receiver.all()[history.Items[0].ID] == 0 {
			return false, nil
		}
		var waiting struct{ Items []struct{ Event string } }
		_, err := w.get(ctx, w.webhook+"/deliveries?state=pending&limit=1", &waiting)
		return len(waiting.Items) == 0, err
	})
}

// judgeDeliveries looks whether each event has come, and how many came more than once.
func (w *world) judgeDeliveries(all []events.Event, came map[string]int) {
	for _, e := range all {
		if came[e.ID] == 0 {
			w.violated("the event %s (%s) never came to the webhook", e.ID, e.Type)
		}
	}
	w.report.Delivered, w.report.Doubled = len(came), 0
	for _, n := range came {
		w.report.Doubled += n - 1
	}
	if most := stretch * w.stops; w.report.Doubled > most {
		w.violated("%d events came to the webhook too often: %d at most, one stretch for each time that a worker was stopped",
			w.report.Doubled, most)
	}
}
