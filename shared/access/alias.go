package access

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// aliasBytes is how much of a digest an alias holds: enough that nobody finds another address with the alias of a given one, and no more,
// since a grant can hold as many as MaxCaps.
const aliasBytes = 12

// Alias returns what stands for an address where a decision has to tell people apart, and whoever reads its facts need not know who they
// are: a digest of the address at the same domain. Decisions about aliases are those about the addresses: Caps.Of compares them, InDomain
// looks at their domains. Whoever knows an address can compute its alias, and so confirm a guess.
func Alias(address string) string {
	digest := sha256.Sum256([]byte(address))
	_, domain, _ := strings.Cut(address, "@")
	return base64.RawURLEncoding.EncodeToString(digest[:aliasBytes]) + "@" + domain
}
