package events_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"partneraccess/events"
)

// What can be read as an event is written so that it reads the same again: an edit of the history's encoding would lose what people were
// told.
func FuzzEvent(f *testing.F) {
	for _, typ := range events.Types() {
		sample, err := events.Sample(typ)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sample)
	}
	f.Add([]byte(`{"id":"","type":"\u0000","data":null,"customer":{},"partner":{"id":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e, again events.Event
		if json.Unmarshal(text, &e) != nil {
			return
		}
		written, err := json.Marshal(e)
		if err != nil {
			return // an instant beyond the year 9999, which no clock here gives
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%s cannot be read again: %v", written, err)
		}
		if rewritten, err := json.Marshal(again); err != nil || !bytes.Equal(rewritten, written) {
			t.Errorf("got %s (%v), want %s", rewritten, err, written)
		}
	})
}
