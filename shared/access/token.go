package access

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// A token opens one invitation: <customer>~<invitation>~<secret>. Only the digest of the secret is stored.

// Token puts an invitation's token together.
func Token(i *Invitation, secret string) string { return i.Customer + "~" + i.ID + "~" + secret }

// ParseToken takes a token apart; not ok when it cannot be one.
func ParseToken(token string) (customer, invitation, secret string, ok bool) {
	customer, rest, _ := strings.Cut(token, "~")
	invitation, secret, _ = strings.Cut(rest, "~")
	ok = ValidID(customer) && len(invitation) == 26 && ValidID(invitation) && len(secret) >= 20 && len(secret) <= 100
	return customer, invitation, secret, ok
}

// TokenDigest is what is stored of a token's secret.
func TokenDigest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
