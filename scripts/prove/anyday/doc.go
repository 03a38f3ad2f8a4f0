// Package anyday proves that the past is told as it was: it makes a random history of changes on a real engine, asks checks all along,
// feeds the table's stream to the function publish in batches that come twice, in another order, and whose writes fail, and then asks every
// check again about its instant. No answer may differ, and none may be incomplete.
package anyday
