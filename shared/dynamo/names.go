package dynamo

import (
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"partneraccess/shared/access"
)

// maxNameBytes limits the name by which a list is sorted, so that it fits into a key in any script: one character can become 18 in normal
// form.
const maxNameBytes = 900

// normalise returns the form in which names are sorted: without case and accents, words separated by one space.
func normalise(name string) string {
	s := strings.Join(words(name), " ")
	if len(s) > maxNameBytes {
		s = strings.ToValidUTF8(s[:maxNameBytes], "")
	}
	return s
}

func words(name string) []string         { return access.NameWords(name) }
func distinctWords(name string) []string { return access.DistinctNameWords(name) }

// firstID returns the first ULID of that instant.
func firstID(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(max(t.UnixMilli(), 0))) // fails after the year 10889 only
	return id.String()
}
