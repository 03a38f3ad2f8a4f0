// Package receivers stands on the other side of the webhooks: what the service sends is verified by the libraries that receivers use, in Go
// and in Node, and by the project's own clients beside them, and each refuses what was altered on the way. The clients must not need these
// libraries, so their tests cannot be beside the clients.
package receivers
