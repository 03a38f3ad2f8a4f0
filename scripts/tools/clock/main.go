// Command clock writes a file for go's -overlay flag with which everything that is built has another date: time.Now is that much later, and
// all that follows from it. It prints the file's path. Beside it lies date.cjs, with which Node.js has that date, for what tests start.
//
//	go test -overlay "$(go run ./scripts/tools/clock -at 2028-02-29T23:30:00Z)" ./shared/...
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	at := flag.String("at", "", "the `instant` that it shall be when the file is written, RFC 3339")
	goroot := flag.String("goroot", os.Getenv("GOROOT"), "the `folder` of Go, whose time package is changed in the overlay alone")
	flag.Parse()
	path, err := write(*at, *goroot)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clock:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

// now is the line of time.Now after which its seconds can be moved.
const now = "sec, nsec, mono := runtimeNow()\n"

// date is what Node.js runs first to have the same date (NODE_OPTIONS="--require …/date.cjs").
const date = `const Real = Date, ahead = %d
globalThis.Date = class Date extends Real {
  constructor(...parts) { super(...(parts.length ? parts : [Real.now() + ahead])) }
  static now() { return Real.now() + ahead }
}
`

func write(at, goroot string) (string, error) {
	then, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return "", fmt.Errorf("-at: %w", err)
	}
	original := filepath.Join(goroot, "src", "time", "time.go")
	text, err := os.ReadFile(original) //nolint:gosec // of the Go that runs this
	if err != nil {
		return "", err
	}
	if strings.Count(string(text), now) == 0 {
		return "", errors.New("this Go's time.Now is written in another way: look at time.go and change this tool")
	}
	ahead := int64(time.Until(then).Seconds())
	moved := strings.ReplaceAll(string(text), now, now+fmt.Sprintf("\tsec += %d\n", ahead))
	dir, err := os.MkdirTemp("", "clock-")
	if err != nil {
		return "", err
	}
	replaced := filepath.Join(dir, "time.go")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	shifted := fmt.Sprintf(date, ahead*1000)
	return path, errors.Join(os.WriteFile(replaced, []byte(moved), 0o600), os.WriteFile(path, overlay, 0o600),
		os.WriteFile(filepath.Join(dir, "date.cjs"), []byte(shifted), 0o600))
}
