package access

import (
	"errors"
	"time"
)

// ErrKeyUsed means that a request's idempotency key was used before: nothing was changed, and the stored response can be read.
var ErrKeyUsed = errors.New("idempotency key was used before")

// StoredResponse is the response to a request with an idempotency key. It is stored in the transaction of the change, so that it exists
// exactly when the change was made.
type StoredResponse struct {
	Digest      string // of the key, the caller and the route
	Fingerprint string // of the request's body
	Status      int
	ETag        string
	Location    string
	Body        []byte
	Expires     time.Time // the record may go after this
}
