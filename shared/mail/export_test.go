package mail

import (
	"fmt"
	"slices"
	"strings"

	"partneraccess/events"
)

// Table is the table of the package comment, as the rules say it.
func Table() string {
	rows := [][4]string{{"event", "who is told", "letter (side)", "carries"}}
	var types []events.Type
	for _, r := range rules() {
		for _, t := range r.on {
			if !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
	}
	for _, t := range types {
		rows = append(rows, rowsOf(t)...)
	}
	return aligned(rows)
}

// Templates are the names of the letters' templates.
func Templates() []string {
	var out []string
	for _, r := range rules() {
		if !slices.Contains(out, r.template) {
			out = append(out, r.template)
		}
	}
	return out
}

// HappenedAs is the name under which the lines of summaries have a letter.
func HappenedAs(template string) string { return happenedAs(template) }

// Line is the line of a summary that tells of a letter.
func Line(r *Renderer, l Letter) (string, error) {
	v := r.view(l, "")
	line := v.happened()
	return line, v.w.err
}

// rowsOf are the rows of one event, in the order that decides what an address is told.
func rowsOf(t events.Type) [][4]string {
	var rows [][4]string
	for _, r := range rules() {
		if !slices.Contains(r.on, t) {
			continue
		}
		side := string(r.side)
		if side == "" {
			side = "customer or partner"
		}
		rows = append(rows, [4]string{string(t), r.to.name, r.template + " (" + side + ")", string(r.secret)})
	}
	return rows
}

func aligned(rows [][4]string) string {
	var wide [4]int
	for _, r := range rows {
		for i, c := range r {
			wide[i] = max(wide[i], len(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		line := fmt.Sprintf("//\t%-*s  %-*s  %-*s  %s", wide[0], r[0], wide[2], r[2], wide[3], r[3], r[1])
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// WithCard adds the chat to letters.
func WithCard(letters []Letter, e events.Event, chat string) []Letter {
	return withCard(letters, e, chat)
}
