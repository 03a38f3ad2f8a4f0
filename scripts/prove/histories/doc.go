// Package histories lets many clients change and check the same few grants at once, over HTTP, and holds what they were answered against
// what the service promises: that every history could have happened one request after the other, and that nothing is allowed that had been
// taken away before the check began.
//
// Among the changes are a partner's requests for access: asked for, approved by one or by two (by the asking partner's owner, too, which is
// refused), declined, withdrawn, and moot by what happens meanwhile.
//
// A history is cut into epochs. At the end of each all clients wait, the clock is moved on, everything is read, and what was read is both
// the last operation of that epoch and the beginning of the next: so each part is judged in milliseconds and none is left unjudged.
package histories
