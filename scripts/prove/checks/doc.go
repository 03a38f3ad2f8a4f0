// Package checks holds the project to its shape: which package may import which, what lies where, and that what is said in two places is
// the same in both. It has tests only.
package checks
