// Package report prints what a proof has found.
package report

import (
	"fmt"
	"slices"
	"strings"
)

// Counts writes a line of how many there were of each, the most first.
func Counts(b *strings.Builder, name string, of map[string]int) {
	names := make([]string, 0, len(of))
	for n := range of {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return of[b] - of[a] })
	fmt.Fprintf(b, "  %s:", name)
	for i, n := range names {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(b, " %s %d", n, of[n])
	}
	b.WriteString("\n")
}

// Violations writes how many there were, and a line of each.
func Violations[T any](b *strings.Builder, all []T) {
	fmt.Fprintf(b, "  violations: %d\n", len(all))
	for _, v := range all {
		fmt.Fprintf(b, "    %v\n", v)
	}
}
