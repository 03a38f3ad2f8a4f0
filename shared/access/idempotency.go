package access

import (
	"errors"
	"time"
)

// ErrKeyUsed says that a request's idempotency key was used before: nothing was changed, and its first answer can be read.
var ErrKeyUsed = errors.New("idempotency key was used before")

// StoredResponse is what a request with an idempotency key was answered. It is stored in the same transaction as the change, so that there
// is one exactly when the change was made.
type StoredResponse struct {
	Digest      string // of the key, the caller and the route
	Fingerprint string // of the request's body
	Status      int
	ETag        string
	Location    string
	Body        []byte
	Expires     time.Time // the record may go after this
}
