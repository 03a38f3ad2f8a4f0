// Package access is the domain: partners, their users, customers, their members, grants, and the decision whether somebody may
// do something. It is pure: values in, values and errors out; no I/O, and no clock or source of ids of its own.
//
// A write is planned here and committed elsewhere:
//
//	facts, command, PlanContext  --Plan…-->  Change (writes, each with what it must find, and events)  or  *Error
//
// Decide is the only place that says yes. Every fact that it looks at can deny on its own, which is why the storage may read the
// facts side by side: whatever was taken away before the reading began is seen in the one fact that tells it.
//
// Tags in comments (D20, W11, A7, E14, …) name a rule of the reference products; `make features` lists each with its test over HTTP.
package access
