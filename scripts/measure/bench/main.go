// Command bench measures the service against its goals and prints each figure as a ratio of two things measured in the same run, so that
// the machine and its other work cancel out. It fails when something cannot be measured, not when a goal is missed. Its arguments choose
// parts; none means all but million, which needs minutes and 3 GB, revoke, which needs minutes, and peer, which needs the peer's binary.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/scripts/measure/bench/peer"
)

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is some figures that are measured together.
type part struct {
	name    string
	measure func(context.Context) ([]fixture.Figure, error)
	named   bool // measured only when its name is given
}

func parts() []part {
	return []part{
		{name: "storage", measure: storageCost},
		{name: "check", measure: cpuAndAllocations},
		{name: "batch", measure: batchAgainstSingles},
		{name: "direct", measure: direct},
		{name: "binary", measure: binary},
		{name: "everyone", measure: everyone},
		{name: "lists", measure: lists},
		{name: "people", measure: people},
		{name: "uses", measure: uses},
		{name: "bulk", measure: bulkJobs},
		{name: "ends", measure: ends},
		{name: "growth", measure: growth},
		{name: "fair", measure: fair},
		{name: "revoke", measure: takings, named: true},
		{name: "million", measure: million, named: true},
		{name: "peer", measure: peer.Measure, named: true},
	}
}

// run prints each figure as soon as it is there: loading the large tables takes a minute.
func run(ctx context.Context, w io.Writer, chosen []string) error {
	const row = "%-72s %-40s %s\n"
	all := parts()
	for _, name := range chosen {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			var names []string
			for _, p := range all {
				names = append(names, p.name)
			}
			return fmt.Errorf("there is no part %q: choose from %s", name, strings.Join(names, ", "))
		}
	}
	if _, err := fmt.Fprintf(w, row, "FIGURE", "MEASURED", "GOAL"); err != nil {
		return err
	}
	for _, p := range all {
		if named := slices.Contains(chosen, p.name); !named && (len(chosen) > 0 || p.named) {
			continue
		}
		figures, err := p.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, f := range figures {
			if _, err := fmt.Fprintf(w, row, f[0], f[1], f[2]); err != nil {
				return err
			}
		}
	}
	return nil
}
