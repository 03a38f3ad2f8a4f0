// Command cost prints what the service costs at AWS's list prices, computed from what it was seen to use here: requests, round trips, read
// and write units, mails, billed milliseconds, bytes of logs and of answers; and what the stack costs while nobody uses it, from what is in
// it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx := context.Background()
	rows, rest, err := measure(ctx)
	if err == nil {
		err = errors.Join(table(os.Stdout, rows), tableOfMonth(os.Stdout, rest))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

// use is what one of something uses.
type use struct {
	requests    float64 // through API Gateway
	invocations float64
	gbSeconds   float64
	reads       float64 // units
	writes      float64
	mails       float64
	logBytes    float64 // that CloudWatch counts, of the functions and of API Gateway
	outBytes    float64 // to callers
}

// dollars is what it costs.
func (u use) dollars() float64 {
	return u.requests*gatewayRequest + u.compute() + u.reads*readUnit + u.writes*writeUnit + u.mails*mail + u.logs() + u.out()
}

func (u use) compute() float64 { return u.invocations*lambdaRequest + u.gbSeconds*lambdaGBSecond }

// logs is what taking them costs, and keeping them as long as they are kept.
func (u use) logs() float64 { return u.logBytes / gigabyte * (logGB + logMonths*logKeptGB) }

func (u use) out() float64 { return u.outBytes / gigabyte * outGB }

// row is a line of the table: what so many of something cost.
type row struct {
	what string
	many float64
	one  use
	goal float64 // dollars at most; 0: none was set
}

func (r row) dollars() float64 { return r.many * r.one.dollars() }

func table(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	lines := []string{
		"| what\t| in all\t| API Gateway\t| Lambda\t| reads\t| writes\t| mails\t| logs\t| data out\t| goal\t|",
		strings.Repeat("|---\t", 10) + "|",
	}
	for _, r := range rows {
		goal := "-"
		if r.goal > 0 {
			goal = fmt.Sprintf("$%.2f", r.goal)
		}
		u := r.one
		line := "| " + r.what + "\t"
		for _, part := range []float64{
			u.dollars(), u.requests * gatewayRequest, u.compute(), u.reads * readUnit, u.writes * writeUnit, u.mails * mail, u.logs(), u.out(),
		} {
			line += "| " + money(r.many*part) + "\t"
		}
		lines = append(lines, line+"| "+goal+"\t|")
	}
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}

func money(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("$%.3f", v)
}
