// Command cost prints what the service costs at AWS's list prices, computed from what it was seen to use here: requests, round trips, read
// and write units, mails, and billed milliseconds.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx := context.Background()
	rows, err := measure(ctx)
	if err == nil {
		err = table(os.Stdout, rows)
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
}

// dollars is what it costs.
func (u use) dollars() float64 {
	return u.requests*gatewayRequest + u.compute() + u.reads*readUnit + u.writes*writeUnit + u.mails*mail
}

func (u use) compute() float64 { return u.invocations*lambdaRequest + u.gbSeconds*lambdaGBSecond }

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
	lines := []string{"| what\t| in all\t| API Gateway\t| Lambda\t| reads\t| writes\t| mails\t| goal\t|", strings.Repeat("|---\t", 8) + "|"}
	money := func(v float64) string {
		if v == 0 {
			return "-"
		}
		return fmt.Sprintf("$%.3f", v)
	}
	for _, r := range rows {
		goal := "-"
		if r.goal > 0 {
			goal = fmt.Sprintf("$%.2f", r.goal)
		}
		u := r.one
		lines = append(lines,
			fmt.Sprintf("| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|", r.what, money(r.dollars()), money(r.many*u.requests*gatewayRequest),
				money(r.many*u.compute()), money(r.many*u.reads*readUnit), money(r.many*u.writes*writeUnit), money(r.many*u.mails*mail), goal))
	}
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}
