// Package access is the domain: partners, their users, customers, their members, grants, and the decision whether somebody may
// do something. It is pure: values in, values and errors out; no I/O, and no clock or source of ids of its own.
//
// A write is planned here and committed elsewhere:
//
//	facts, command, PlanContext  --Plan…-->  Change (writes, each with what it must find, and events)  or  *Error
//
// Decide is the only place that allows an action. Each fact that it reads can deny on its own, so the storage may read the facts
// concurrently: a change that ended access before the read began is seen in the fact that it changed.
//
// Tags in comments (D20, W11, A7, E14, …) name a rule of the reference products; `make features` lists each with its test over HTTP.
package access
