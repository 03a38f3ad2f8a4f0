// Package faults proves what happens when a call of AWS fails in the middle of something: each use case is run once for each call that it
// makes and each way in which that call can fail, and must in the end come to the same as without a fault.
package faults
