package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"partneraccess/scripts/local/processes"
)

// memory is what each kind of process held, in MiB, from sample to sample. Processes of one kind count together.
type memory map[string][]float64

// watch samples a process and its children until ctx ends; the function that it returns waits for that.
func watch(ctx context.Context, process int, every time.Duration) func() memory {
	out := memory{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			for name, size := range sizes(process) {
				out[name] = append(out[name], size)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(every):
			}
		}
	})
	return func() memory { wg.Wait(); return out }
}

// sizes are what the process and its children hold, in MiB, by name.
func sizes(parent int) map[string]float64 {
	out := map[string]float64{}
	family, err := processes.Family(parent)
	if err != nil {
		return out // it is told that nothing is known
	}
	for _, p := range family {
		out[p.Name] += float64(p.Resident) / (1 << 20)
	}
	return out
}

// print writes what memory was, and returns the name of what grew. The engine holds the data in memory, so that each write, whose events
// and receipts are kept, makes it larger: that part is told and does not count.
func (m memory) print(w io.Writer, writes int64) (grew string) {
	// MiB that a write may leave in the engine: a grant's change, its events, its mails' receipts, the answer to its key, and the stream's
	// records
	const kept = 40.0 / 1024
	if len(m) == 0 {
		_, _ = fmt.Fprintln(w, "memory: not told by this system")
		return ""
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := m[name]
		if len(s) < 8 {
			_, _ = fmt.Fprintf(w, "memory of %-12s %4.0f MiB at the end; too short a time to tell more\n", name, s[len(s)-1])
			continue
		}
		before, after := median(s[len(s)/4:len(s)/2]), median(s[3*len(s)/4:])
		_, _ = fmt.Fprintf(w, "memory of %-12s %4.0f MiB in the second quarter, %4.0f MiB in the last one (%.2fx)\n", name, before, after,
			after/before)
		allowed := before*1.1 + 8
		if name == "dynoxide" || name == "java" {
			allowed += float64(writes) / 2 * kept
		}
		if after > allowed {
			grew = name
		}
	}
	return grew
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}
