// Command bench measures the service against its goals and prints each figure as a ratio of two things measured in the same run, so that
// the machine and its other work cancel out. It fails when something cannot be measured, not when a goal is missed.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// figure is one line of the table.
type figure struct{ what, measured, goal string }

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run prints each figure as soon as it is there: loading the large tables takes a minute.
func run(ctx context.Context, w io.Writer) error {
	const row = "%-72s %-40s %s\n"
	if _, err := fmt.Fprintf(w, row, "FIGURE", "MEASURED", "GOAL"); err != nil {
		return err
	}
	for _, measure := range []func(context.Context) ([]figure, error){
		storageCost, cpuAndAllocations, batchAgainstSingles, binary, everyone, lists, ends, growth,
	} {
		figures, err := measure(ctx)
		if err != nil {
			return err
		}
		for _, f := range figures {
			if _, err := fmt.Fprintf(w, row, f.what, f.measured, f.goal); err != nil {
				return err
			}
		}
	}
	return nil
}
