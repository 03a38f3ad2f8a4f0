// Package processes tells what the processes of this machine use, as Linux tells it. Elsewhere it finds none.
package processes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Process is what one process uses.
type Process struct {
	ID, Parent int
	Name       string        // of its program, cut to 15 bytes by Linux
	CPU        time.Duration // since it began, in its own code and in the kernel's for it
	Resident   int64         // bytes
}

// Family is a process and all that descend from it, those that have ended left out.
func Family(id int) ([]Process, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := map[int]Process{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		p, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all[p.ID] = p
	}
	var out []Process
	for _, p := range all {
		for at := p; at.ID != 0; at = all[at.Parent] {
			if at.ID == id {
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

// parse reads /proc/<id>/stat (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
func parse(text []byte) (Process, error) {
	before, after, ok := bytes.Cut(text, []byte(" ("))
	end := bytes.LastIndexByte(after, ')') // the name may hold any character
	if !ok || end < 0 {
		return Process{}, fmt.Errorf("%q is not understood", text)
	}
	const parent, user, system, resident = 1, 11, 12, 21 // the first one here is the state
	fields := strings.Fields(string(after[end+1:]))
	if len(fields) <= resident {
		return Process{}, fmt.Errorf("%q is not understood", text)
	}
	var numbers [5]int64
	for i, field := range []string{string(before), fields[parent], fields[user], fields[system], fields[resident]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Process{}, fmt.Errorf("%q is not understood: %w", text, err)
		}
		numbers[i] = n
	}
	const tick = time.Second / 100 // USER_HZ is 100 wherever Go runs
	return Process{
		ID: int(numbers[0]), Parent: int(numbers[1]), Name: string(after[:end]),
		CPU: time.Duration(numbers[2]+numbers[3]) * tick, Resident: numbers[4] * int64(os.Getpagesize()),
	}, nil
}
