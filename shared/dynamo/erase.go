package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// ErasureFacts loads what a plan to erase a partner's user reads: with its address records, which are none when it was erased before.
func (s *Store) ErasureFacts(ctx context.Context, partner, user string) (access.ErasureFacts, error) {
	var f access.ErasureFacts
	var err error
	if f.User, err = s.User(ctx, user); err != nil || f.User == nil {
		return f, err
	}
	keys := []Key{partnerKey(partner)}
	for _, address := range f.User.Addresses() {
		keys = append(keys, emailKey(address))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return f, err
	}
	if f.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return f, err
	}
	for _, k := range keys[1:] {
		e, err := lookup(items, k, (*item).email)
		if err != nil {
			return f, err
		}
		if e != nil {
			f.Emails = append(f.Emails, e)
		}
	}
	return f, nil
}

// formerUser stages another version of a user who has left. Older ones are still among the partner's users: they move.
func (tx *transaction) formerUser(table string, w access.UserWrite) {
	condition, values := absent+" OR "+sameState, versionValue(w.Before.Version)
	*tx = append(*tx, types.TransactWriteItem{Put: &types.Put{
		TableName: &table, Item: userItem(w.After), ConditionExpression: &condition,
		ExpressionAttributeNames: versionNames(), ExpressionAttributeValues: values,
	}}, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &table, Key: userKey(w.Before.ID).attributes(), ConditionExpression: &condition,
		ExpressionAttributeNames: versionNames(), ExpressionAttributeValues: values,
	}})
}

// Erase puts the pseudonym into a stretch of what concerns the partner and names the person: events, ended invitations, requests, mails,
// who ended grants and who assigned their users; and, with the first stretch, into the versions of the user. It reads index 1 after the
// position, and returns where the next stretch begins, "" at the end. Each item is written on the condition that it still says what the
// index said; otherwise Erase fails, and the stretch has to be done again. It can be repeated.
func (s *Store) Erase(ctx context.Context, x access.Erasure, after string, limit int) (next string, err error) {
	if after == "" {
		if err := s.eraseVersions(ctx, x.User); err != nil {
			return "", err
		}
	}
	sp := span{index: gsi1, pk: partnerIndexPK(x.Partner), first: " ", last: "\U0010FFFF"}
	if after != "" {
		sp.first = after + "\x01"
	}
	items, more, err := s.query(ctx, sp, limit)
	if err != nil {
		return "", err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, it := range items {
		g.Go(func() error { return s.eraseIn(gctx, x, it) })
		if more {
			next = it.s(gsi1sk)
		}
	}
	return next, g.Wait()
}

func (s *Store) eraseIn(ctx context.Context, x access.Erasure, it *item) error {
	e := edit{key: Key{it.s(pk), it.s(sk)}, condition: present, values: map[string]types.AttributeValue{}}
	switch {
	case strings.HasPrefix(e.key.SK, eventPrefix):
		if err := e.eraseEvent(x, it); err != nil {
			return err
		}
	case strings.HasPrefix(e.key.SK, invitationPrefix), strings.HasPrefix(e.key.SK, closedPrefix):
		i, err := decode(it, (*item).invitation)
		if err != nil {
			return err
		}
		if i.User == x.User || i.State != access.InvitationPending && x.Covers(i.Email) {
			e.replace("email", i.Email, x.Pseudonym())
		}
		if i.Inviter == x.User {
			e.replace("by_email", i.By.Email, x.Pseudonym())
		}
	case strings.HasPrefix(e.key.SK, requestPrefix), strings.HasPrefix(e.key.SK, decidedPrefix):
		if it.s("user") == x.User {
			e.replace("by_email", it.s("by_email"), x.Pseudonym())
		}
	case strings.HasPrefix(e.key.SK, mailPrefix):
		e.eraseMail(x, it)
	case strings.HasPrefix(e.key.SK, grantPrefix):
		e.eraseBy(x, it, "end_by", "end_email")
		e.eraseBy(x, it, "everyone_by", "everyone_email")
		if err := s.eraseGranter(ctx, x, it.s("customer")); err != nil {
			return err
		}
	}
	return s.erased(ctx, e)
}

// eraseGranter puts the pseudonym into the assignments at a customer that the person has made.
func (s *Store) eraseGranter(ctx context.Context, x access.Erasure, customer string) error {
	const atOnce = 100
	prefix := assignmentPrefix(x.Partner)
	for after, more := "", true; more; {
		items, rest, err := s.query(ctx, prefixed(customerPK(customer), prefix, after), atOnce)
		if err != nil {
			return err
		}
		for _, it := range items {
			e := edit{key: Key{it.s(pk), it.s(sk)}, condition: present, values: map[string]types.AttributeValue{}}
			e.eraseBy(x, it, "granter", "granter_email")
			if err := s.erased(ctx, e); err != nil {
				return err
			}
			after = strings.TrimPrefix(e.key.SK, prefix)
		}
		more = rest
	}
	return nil
}

// eraseBy replaces the address of somebody of the partner who has done something.
func (e *edit) eraseBy(x access.Erasure, it *item, kind, email string) {
	if it.s(kind) == string(access.ActorPartner) && x.Covers(it.s(email)) {
		e.replace(email, it.s(email), x.Pseudonym())
	}
}

// erased makes the edit of an item that names the person.
func (s *Store) erased(ctx context.Context, e edit) error {
	if len(e.set) == 0 {
		return nil
	}
	ok, is, err := s.update(ctx, "erase a person", e)
	if err == nil && !ok && is != nil { // one that is gone names nobody
		err = fmt.Errorf("erase a person: %w: item %s has changed", access.ErrUnavailable, e.key.loggable())
	}
	return err
}

// replace sets an attribute, on the condition that it is as it was read.
func (e *edit) replace(name, was, is string) {
	if was == "" || was == is {
		return
	}
	e.condition += " AND #" + name + " = :" + name + "_was"
	e.values[":"+name+"_was"] = str(was)
	e.to(name, is)
}

func (e *edit) eraseEvent(x access.Erasure, it *item) error {
	event, err := it.event()
	if err != nil || !x.Event(&event) {
		return err
	}
	after, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", event.Type, err)
	}
	e.replace("event", it.s("event"), string(after))
	return nil
}

// eraseMail erases the recipient of a mail, with what its server said, and what a summary tells of the person. The mail's key keeps a
// digest of the address, until the receipt ends.
func (e *edit) eraseMail(x access.Erasure, it *item) {
	if x.Covers(it.s("to")) {
		e.replace("to", it.s("to"), x.Pseudonym())
		e.remove = append(e.remove, "reason")
	}
	lines, changed := it.list("lines"), false
	for i := range lines {
		for _, address := range x.Addresses {
			if strings.Contains(lines[i], address) {
				lines[i], changed = strings.ReplaceAll(lines[i], address, x.Pseudonym()), true
			}
		}
	}
	if changed {
		e.set = append(e.set, "#lines = :lines")
		e.values[":lines"] = list(lines...)
	}
}
