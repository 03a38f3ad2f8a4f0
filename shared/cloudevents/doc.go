// Package cloudevents gives the service's events the form in which other systems get them: CloudEvents 1.0, structured JSON
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md). The bus, webhooks and the list of events all make it here, so that
// an event is the same wherever it is read.
//
// The data is thin: ids, levels, instants and the names of the fields that changed. There are no addresses, no people's names and no free
// text in it, so that a copy needs no erasure, and whoever may know more reads it from the API.
//
// Beside the events of the history there are access.lost and access.gained, which are derived from what changes alter in the records that a
// check reads (see access.Shift).
package cloudevents
