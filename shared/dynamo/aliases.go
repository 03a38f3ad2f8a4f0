package dynamo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partneraccess/shared/access"
)

// A reader outside of the service, which decides in a back end's own process, sees aliases where the service sees addresses: its role
// allows no attribute that holds an address. Each user and each grant has them beside the addresses, as every write makes them.

// Attributes that only such readers need.
const (
	rules     = "rules"      // by which rules one has to decide: see decisionRules
	alias     = "alias"      // of a user's address
	aliases   = "aliases"    // of the addresses before it
	aliasCaps = "alias_caps" // a grant's caps, as draft.caps writes them
)

// decisionRules is the number of the rules that decide about a record. Whoever makes a decision look at something new raises it, together
// with what is written: a back end with an older version of this package then refuses the record, instead of passing over what denies.
const decisionRules = 1

func (d draft) aliases(u *access.User) {
	d.s(alias, access.Alias(u.Email))
	former := make([]string, len(u.FormerEmails))
	for i, address := range u.FormerEmails {
		former[i] = access.Alias(address)
	}
	d.list(aliases, former)
}

func (d draft) aliasCaps(caps access.Caps) {
	out := make([]string, 0, len(caps))
	for _, address := range slices.Sorted(maps.Keys(caps)) {
		out = append(out, caps[address].String()+" "+access.Alias(address))
	}
	d.list(aliasCaps, out)
}

// WithAliases has a reader look at no addresses: a user's are aliases, and so are a grant's caps, so that decisions are the same. Records
// of newer rules than this package knows are errors, as are users and grants that were written before there were aliases: a cap could be
// missing. UserByEmail finds whose an address is by the address alone, as ever.
func WithAliases() Option { return func(s *settings) { s.aliases = true } }

// checkRules refuses a record that says that it is to be decided by other rules; written says that it has to say by which.
func (it *item) checkRules(written bool) {
	n := int64(1)
	if written || it.find(rules) != nil {
		n = it.n(rules)
	}
	switch {
	case n > decisionRules:
		it.check(rules, fmt.Errorf("the service decides by its rules %d, and this version of the package knows %d: update it", n, decisionRules))
	case n < 1:
		it.check(rules, errors.New("it was written by a version of the service before 2026-11-29, which made no aliases: write it again"))
	}
}

// decisiveOf is the projection of a reader: what a decision looks at.
func decisiveOf(withAliases bool) string {
	if !withAliases {
		return decisive
	}
	return strings.NewReplacer(
		`"email"`, `"`+alias+`"`, `"former"`, `"`+aliases+`"`, `"caps"`, `"`+aliasCaps+`"`,
		`"asking"`, `"`+rules+`"`, // who asks for more does so at the service
	).Replace(decisive)
}
