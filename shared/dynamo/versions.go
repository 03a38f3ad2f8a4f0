package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

// Every version of the records that decisions read is kept, so that what was at an instant can be told. No change writes its versions: the
// function publish takes them from the table's stream. A version is the record as it was, without what neither decisions nor lists show.
//
// Records bear consecutive numbers, their versions. An assignment's version is its grant's, so that it has a number of its own beside: the
// table counts it up with each change, and not with a last use.

// The attributes that only versions need.
const (
	changed = "changed" // the Stamp of a record's latest version
	serial  = "serial"  // the number of an assignment's latest version
)

func (it *item) stamp() access.Stamp { return access.Stamp(it.s(changed)) }

// stampedAssignment is a write of an assignment with what its change says of it.
type stampedAssignment struct {
	access.AssignmentWrite
	changed   access.Stamp
	withGrant bool // the change writes the grant, too: it decides about the user
}

// stamped returns the writes of a change with their stamps.
func stamped(c access.Change) []access.Write {
	stamp, grants := access.StampOf(c.At), map[Key]access.Stamp{}
	out := make([]access.Write, len(c.Writes))
	for i, w := range c.Writes {
		switch w := w.(type) {
		case access.PartnerWrite:
			out[i] = withStamp(w, stamp, func(p *access.Partner) *access.Stamp { return &p.Changed })
		case access.HeadcountWrite:
			out[i] = withStamp(w, stamp, func(h *access.Headcount) *access.Stamp { return &h.Changed })
		case access.UserWrite:
			out[i] = withStamp(w, stamp, func(u *access.User) *access.Stamp { return &u.Changed })
		case access.CustomerWrite:
			out[i] = withStamp(w, stamp, func(c *access.Customer) *access.Stamp { return &c.Changed })
		case access.GrantWrite:
			w = withStamp(w, stamp, func(g *access.Grant) *access.Stamp { return &g.Changed })
			grants[grantKey(w.After.Customer, w.After.Partner)], out[i] = w.After.Changed, w
		default:
			out[i] = w
		}
	}
	for i, w := range out {
		if w, ok := w.(access.AssignmentWrite); ok {
			a := w.After
			if a == nil {
				a = w.Before
			}
			at, with := grants[grantKey(a.Customer, partnerOf(a.User))]
			out[i] = stampedAssignment{w, max(at, stamp), with}
		}
	}
	return out
}

// withStamp returns the write with the stamp of the record's new version, which is never before that of the version before.
func withStamp[T any](w access.Replace[T], stamp access.Stamp, of func(*T) *access.Stamp) access.Replace[T] {
	after := *w.After
	to := of(&after)
	if *to = max(*to, stamp); w.Before != nil {
		*to = max(*to, *of(w.Before))
	}
	return access.Replace[T]{Before: w.Before, After: &after}
}

// kept are the attributes of a record that a version keeps, by the kind of its item. People's telephone numbers and what their accounts
// need, contacts, the customer's list of caps (each grant has its copy), and what the sweep goes by are not told of the past.
func kept(k Key) []string {
	kind, _ := refOf(k)
	switch kind.pk[len(versionKind):][:2] {
	case "PP":
		return []string{"id", "name", "class", "offer", "sso", "status", "parent", "created", "updated"}
	case "PH":
		return []string{"id", "last", "staff"}
	case "PU":
		return []string{"id", "number", "email", "former", "name", "role", "status", "member_of", "left", "created", "updated"}
	case "CC":
		return []string{"id", "name", "domain", "status", "managed_by", "created", "updated"}
	case "CG":
		return []string{
			"id", "customer", "partner", "level", "state", "from", "until", "require_sso", "assigned_by", "chosen", "managed", "note", "message",
			"domain", "caps", "ruled", "everyone", "epoch", "up_to", "up_to_at", "everyone_at", "everyone_by", "everyone_email", "count",
			"end_reason", "end_at", "end_by", "end_email", "extend", "earlier", "created", "updated", "quiet",
		}
	}
	return []string{"customer", "user", "epoch", "out", "level", "by", "number", "at", "granter", "granter_email"}
}

// actors are the attributes that name who acted, by the attribute of the side that the actor belongs to. Of a partner's people versions
// keep the side alone: their names are in the history, where a person can be erased.
func actors() map[string]string {
	return map[string]string{"everyone_by": "everyone_email", "end_by": "end_email", "granter": "granter_email"}
}

// numberOf returns the number of the version that an item is; 0 when versions of it are not kept, or it holds an assignment's last use
// alone.
func numberOf(k Key, it *item) int64 {
	switch r, ok := refOf(k); {
	case !ok:
		return 0
	case r.prefix != versionPrefix:
		return it.n(serial)
	}
	return it.n("version")
}

// RecordVersion keeps the version that an item of the table has become, unless it is the same as before, or of a kind of which none are
// kept: old and now are its images in DynamoDB's JSON, as the table's stream has them; old is empty for a new item. It can be repeated, in
// any order. It fails with access.ErrUnavailable when the table does not answer.
func (s *Store) RecordVersion(ctx context.Context, old, now json.RawMessage) error {
	image, err := attributesOf(now)
	if err != nil {
		return fmt.Errorf("the new image: %w", err)
	}
	before, err := attributesOf(old)
	if err != nil {
		return fmt.Errorf("the old image: %w", err)
	}
	it, key := fromSDK(image), keyOf(image)
	ref, ok := refOf(key)
	number := numberOf(key, it)
	if !ok || number == 0 || number == numberOf(key, fromSDK(before)) {
		return it.err
	}
	assignment := ref.prefix != versionPrefix
	if assignment && number == 1 {
		d := newDraft(assignedKey(it.s("customer"), it.s("user")))
		if err := s.keep(ctx, d); err != nil {
			return err
		}
	}
	d := versionDraft(key, ref, image)
	if err := s.keep(ctx, d); err != nil {
		return err
	}
	if id := it.s("id"); isUserKey(key) && !access.IsPseudonym(it.s("email")) {
		return s.eraseLateVersion(ctx, id, d)
	}
	return nil
}

func isUserKey(k Key) bool {
	r, ok := refOf(k)
	return ok && len(r.pk) > len(versionKind)+2 && r.pk[len(versionKind):][:3] == "PU#"
}

// versionDraft returns the item of a version: what is kept of the record, under the version's key.
func versionDraft(k Key, ref recordRef, image map[string]types.AttributeValue) draft {
	it := fromSDK(image)
	d := newDraft(ref.key(it.stamp(), numberOf(k, it)))
	for _, name := range append(slices.Clone(kept(k)), "version", serial, changed) {
		if v := image[name]; v != nil {
			d[name] = v
		}
	}
	for side, address := range actors() {
		if it.s(side) == string(access.ActorPartner) {
			delete(d, address)
		}
	}
	return d
}

// keep creates an item, unless it is there already.
func (s *Store) keep(ctx context.Context, d draft) error {
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: d, ConditionExpression: aws.String(absent)})
	var there *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &there) {
		return nil
	}
	return failed("keep a version", err)
}

// attributesOf decodes an item's image in DynamoDB's JSON: texts, numbers, booleans, and lists of texts, which are all that this package
// writes. Attributes of other types are left out.
func attributesOf(image json.RawMessage) (map[string]types.AttributeValue, error) {
	var in map[string]struct {
		S    *string
		N    *string
		BOOL *bool
		L    *[]struct{ S string }
	}
	if len(image) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(image, &in); err != nil {
		return nil, fmt.Errorf("decode it: %w", err)
	}
	out := make(map[string]types.AttributeValue, len(in))
	for name, v := range in {
		switch {
		case v.S != nil:
			out[name] = str(*v.S)
		case v.N != nil:
			out[name] = &types.AttributeValueMemberN{Value: *v.N}
		case v.BOOL != nil:
			out[name] = &types.AttributeValueMemberBOOL{Value: *v.BOOL}
		case v.L != nil:
			texts := make([]string, len(*v.L))
			for i, t := range *v.L {
				texts[i] = t.S
			}
			out[name] = list(texts...)
		}
	}
	return out, nil
}

// eraseLateVersion erases the person from a version that was kept just now, when the person was erased before: the stream may deliver a
// version that late. It reads after the version was written, and Erase reads the versions after the person's record was written, so that
// one of them finds it. With the addresses goes which of the customers' caps were the person's.
func (s *Store) eraseLateVersion(ctx context.Context, user string, d draft) error {
	u, err := one(ctx, s, formerUserKey(user), (*item).user)
	if err != nil || u == nil || !u.Erased() {
		return err
	}
	d["email"], d["name"] = str(access.Pseudonym(user)), str(access.ErasedName)
	delete(d, "former")
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: d, ConditionExpression: aws.String(present)})
	if err != nil {
		return failed("erase a person from a version", err)
	}
	return nil
}

// eraseVersions puts the pseudonym into all versions of a user.
func (s *Store) eraseVersions(ctx context.Context, user string) error {
	ref, _ := refOf(userKey(user))
	rows, err := whole(ctx, s, span{pk: ref.pk, first: ref.prefix, last: ref.prefix + afterAllStamps}, func(it *item) *item { return it })
	if err != nil {
		return err
	}
	for _, it := range rows {
		if !access.IsPseudonym(it.s("email")) {
			_, _, err := s.update(ctx, "erase a person from a version", edit{
				key: Key{it.s(pk), it.s(sk)}, condition: present, set: []string{"#email = :email", "#name = :name"}, remove: []string{"former"},
				values: map[string]types.AttributeValue{":email": str(access.Pseudonym(user)), ":name": str(access.ErasedName)},
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
