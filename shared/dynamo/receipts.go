package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// keepMails is how long the state of a mail can be read.
const keepMails = 366 * 24 * time.Hour

// Conditions of receipts. Instants are texts of fixed width, so that they can be compared.
const (
	waits     = "#state = :claimed AND (attribute_not_exists(#lease) OR #lease <= :now)"
	claimable = "attribute_not_exists(pk) OR (" + waits + ")"
	held      = "#state = :claimed AND #claim = :claim"
)

func mailKey(k receipt.Key) (Key, error) {
	switch {
	case k.Event == "" || k.Recipient == "":
		return Key{}, fmt.Errorf("the mail of event %q to recipient %q has no key", k.Event, k.Recipient)
	case k.Customer != "":
		return customerMailKey(k.Customer, k.Event, k.Recipient), nil
	case k.Partner != "":
		return partnerMailKey(k.Partner, k.Event, k.Recipient), nil
	case k.Provider:
		return providerMailKey(k.Event, k.Recipient), nil
	}
	return Key{}, fmt.Errorf("the mail of event %s concerns nobody", k.Event)
}

// edit is an UpdateItem on one receipt or one blocked address.
type edit struct {
	key       Key
	condition string
	set       []string // clauses
	remove    []string // attributes
	values    map[string]types.AttributeValue
}

// instantOrNone sets an instant, or removes the attribute for the zero one.
func (e *edit) instantOrNone(name string, at time.Time) {
	if at.IsZero() {
		e.textOrNone(name, "")
		return
	}
	e.textOrNone(name, timeText(at))
}

// textOrNone sets a text, or removes the attribute for the empty one.
func (e *edit) textOrNone(name, text string) {
	if text == "" {
		e.remove = append(e.remove, name)
	}
	e.to(name, text)
}

// written sets how a mail is written.
func (e *edit) written(w receipt.Written) {
	e.to("language", w.Language)
	e.to("zone", w.Zone)
	e.to("content", w.Content)
}

// update is the edit as a part of a transaction.
func (e *edit) update(table string) types.Update {
	expression, names := e.expression()
	return types.Update{
		TableName: &table, Key: e.key.attributes(), UpdateExpression: &expression, ConditionExpression: &e.condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: e.values,
	}
}

// expression is what the edit does, and the names in it and in its condition.
func (e *edit) expression() (string, map[string]string) {
	names := map[string]string{}
	var expression string
	if len(e.set) > 0 {
		expression = "SET " + strings.Join(e.set, ", ")
	}
	if len(e.remove) > 0 {
		expression += " REMOVE #" + strings.Join(e.remove, ", #")
	}
	for _, text := range []string{expression, e.condition} {
		for _, word := range strings.FieldsFunc(text,
			func(r rune) bool { return !strings.ContainsRune("#_abcdefghijklmnopqrstuvwxyz0123456789", r) }) {
			if name, ok := strings.CutPrefix(word, "#"); ok {
				names[word] = name
			}
		}
	}
	return expression, names
}

func (e *edit) to(name, v string) {
	if v != "" {
		e.set = append(e.set, "#"+name+" = :"+name)
		e.values[":"+name] = str(v)
	}
}

// receipt sets what a receipt says of its mail from the beginning.
func (e *edit) receipt(k Key, r receipt.Receipt) {
	e.to("event", r.Event)
	e.to("recipient", r.Recipient)
	e.to("type", string(r.Type))
	e.to("to", r.To)
	e.to("template", r.Template)
	e.to("side", r.Side)
	e.to("with", r.With)
	e.to("source", r.Source)
	if p := r.With + r.Partner; p != "" && r.Side != customerSide { // what is said to the customer is not the partner's to read
		e.to("gsi1pk", partnerIndexPK(p))
		e.to("gsi1sk", k.SK)
	}
}

// mailEdit is an edit that makes a mail claimed; the first one also creates it. :zero, :now and :claimed are among its values.
func mailEdit(k Key, now time.Time) edit {
	return edit{
		key: k,
		set: []string{"#created = if_not_exists(#created, :now)", "#updated = :now", "#ttl = if_not_exists(#ttl, :ttl)", "#state = :claimed"},
		values: map[string]types.AttributeValue{
			":zero": num(0), ":now": str(timeText(now)), ":ttl": num(now.Add(keepMails).Unix()), ":claimed": str(string(receipt.Claimed)),
		},
	}
}

// due makes the mail due for another attempt at an instant, unless it is settled before.
func (e *edit) due(at time.Time) {
	e.to(gsi2pk, mailDuePK(dueShard(e.key)))
	e.to(gsi2sk, dueSK(at, e.key))
}

// settled are the attributes that only a mail under way or waiting has.
func settled() []string { return []string{"lease", "claim", "since", gsi2pk, gsi2sk} }

// update writes an edit and returns what it has set. When the condition fails it returns false and the item as it is; nil when there is
// none.
func (s *Store) update(ctx context.Context, doing string, e edit) (bool, *item, error) {
	expression, names := e.expression()
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: e.key.attributes(), UpdateExpression: &expression, ConditionExpression: &e.condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: e.values,
		ReturnValues: types.ReturnValueUpdatedNew, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var not *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, fromSDK(out.Attributes), nil
	case !errors.As(err, &not):
		return false, nil, failed(doing, err)
	case len(not.Item) == 0:
		return false, nil, nil
	}
	return false, fromSDK(not.Item), nil
}

// ClaimMail claims a mail for sending until the lease ends. Of concurrent callers one gets it. It fails with receipt.ErrHeld while another
// holds it and with receipt.ErrSettled when nothing is left to do. At the instant at which a lease ends it is over.
func (s *Store) ClaimMail(ctx context.Context, r receipt.Receipt, now time.Time, lease time.Duration) (receipt.Claim, error) {
	k, err := mailKey(r.Key)
	if err != nil {
		return receipt.Claim{}, err
	}
	c := receipt.Claim{Key: r.Key, Token: rand.Text(), Lease: now.Add(lease).UTC().Truncate(time.Millisecond)}
	e := mailEdit(k, now)
	e.condition = claimable
	e.set = append(e.set, "#attempts = if_not_exists(#attempts, :zero) + :one", "#since = if_not_exists(#since, :now)")
	e.values[":one"] = num(1)
	e.to("lease", timeText(c.Lease))
	e.to("claim", c.Token)
	e.due(c.Lease)
	e.receipt(k, r)
	ok, is, err := s.update(ctx, "claim a mail", e)
	switch {
	case err != nil:
		return receipt.Claim{}, err
	case ok:
		c.Since, err = decode(is, func(it *item) time.Time { return it.t("since") })
		return c, err
	case is == nil:
		return receipt.Claim{}, fmt.Errorf("claim a mail: %w: it refused without a reason", access.ErrUnavailable)
	case is.s("claim") == c.Token: // it was written, but the answer got lost and the SDK asked again
		c.Since, err = decode(is, func(it *item) time.Time { return it.t("since") })
		return c, err
	case is.s("state") == string(receipt.Claimed):
		return receipt.Claim{}, receipt.ErrHeld
	}
	return receipt.Claim{}, receipt.ErrSettled
}

// SettleMail records the result of a claimed mail. When another has claimed the mail meanwhile, only "sent" is recorded, which is a fact;
// the other decides the rest.
func (s *Store) SettleMail(ctx context.Context, c receipt.Claim, o receipt.Outcome) error {
	k, err := mailKey(c.Key)
	if err != nil {
		return err
	}
	e := edit{
		key: k, condition: held, remove: settled(),
		values: map[string]types.AttributeValue{":claimed": str(string(receipt.Claimed))},
	}
	e.to("state", string(o.State))
	e.to("updated", timeText(o.At))
	e.to("message_id", o.MessageID)
	e.textOrNone("reason", o.Reason)
	if o.State == receipt.Sent {
		e.condition = "#state = :claimed"
		e.to("sent", timeText(o.At))
		e.written(o.Written)
	} else {
		e.values[":claim"] = str(c.Token)
	}
	ok, is, err := s.update(ctx, "settle a mail", e)
	switch {
	case err != nil:
		return err
	case !ok && is == nil:
		return receipt.ErrUnknown
	case !ok && o.Written != (receipt.Written{}) && is.s("message_id") == o.MessageID:
		// Feedback came first, and does not know how it is written.
		w := edit{key: k, condition: "#message_id = :message_id", values: map[string]types.AttributeValue{":message_id": str(o.MessageID)}}
		w.written(o.Written)
		if _, _, err := s.update(ctx, "settle a mail", w); err != nil {
			return err
		}
		s.metrics.Mail(string(o.State))
	case ok || o.State == receipt.Sent: // it was sent, though SES's feedback may have settled it before
		s.metrics.Mail(string(o.State))
	}
	return nil
}

// ReleaseMail ends a claim, so that the mail can be claimed at once, and makes it due at that instant. The reason is kept until the mail is
// settled.
func (s *Store) ReleaseMail(ctx context.Context, c receipt.Claim, reason string, now, due time.Time) error {
	k, err := mailKey(c.Key)
	if err != nil {
		return err
	}
	e := edit{
		key: k, condition: held, remove: []string{"lease", "claim"},
		values: map[string]types.AttributeValue{":claimed": str(string(receipt.Claimed)), ":claim": str(c.Token)},
	}
	e.to("updated", timeText(now))
	e.to("reason", reason)
	e.due(due)
	_, _, err = s.update(ctx, "release a mail", e)
	return err
}

// MarkMail records feedback of the mail service. Feedback that is older than what is known, or about a message from before the mail was
// sent again, changes nothing. Feedback on a claimed mail, or on one that was given up without an answer, proves that it was sent: it is
// not sent again. It fails with receipt.ErrUnknown when there is no such mail.
func (s *Store) MarkMail(ctx context.Context, f receipt.Feedback) error {
	k, err := mailKey(f.Key)
	if err != nil {
		return err
	}
	rank := f.State.Rank()
	if rank <= receipt.Sent.Rank() || f.MessageID == "" {
		return fmt.Errorf("mark a mail: %q of message %q is no news", f.State, f.MessageID)
	}
	e := edit{
		key: k, remove: settled(),
		values: map[string]types.AttributeValue{":claimed": str(string(receipt.Claimed)), ":failed": str(string(receipt.Failed))},
	}
	e.set = append(e.set, "#sent = if_not_exists(#sent, :updated)")
	e.to("state", string(f.State))
	e.to("updated", timeText(f.At))
	e.to("message_id", f.MessageID)
	e.textOrNone("reason", f.Reason)
	var lower []string
	for _, st := range []receipt.State{receipt.Sent, receipt.Delivered, receipt.Bounced} {
		if st.Rank() < rank {
			lower = append(lower, ":"+string(st))
			e.values[":"+string(st)] = str(string(st))
		}
	}
	e.condition = "attribute_exists(pk) AND NOT contains(#past, :message_id) AND (#state = :claimed OR (#state = :failed AND " +
		"attribute_not_exists(#message_id)) OR (#message_id = :message_id AND #state IN (" + strings.Join(lower, ", ") + ")))"
	ok, is, err := s.update(ctx, "mark a mail", e)
	switch {
	case err != nil:
		return err
	case !ok && is == nil:
		return receipt.ErrUnknown
	case ok:
		s.metrics.Mail(string(f.State))
	}
	return nil
}

// ReopenMail makes a settled mail claimable again, so that it is sent once more. It fails with receipt.ErrUnknown when there is no such
// mail, with receipt.ErrHeld when it is being sent or is waiting, and with receipt.ErrDone when it has been sent for that request already.
// asked names the request; "" cannot be told from others. A waiting mail becomes the one that was asked for.
func (s *Store) ReopenMail(ctx context.Context, key receipt.Key, asked string, now time.Time) error {
	k, err := mailKey(key)
	if err != nil {
		return err
	}
	r, err := s.Mail(ctx, key)
	switch {
	case err != nil:
		return err
	case r == nil:
		return receipt.ErrUnknown
	case r.State == receipt.Claimed && asked == "":
		return receipt.ErrHeld
	case r.State == receipt.Claimed:
		e := edit{
			key: k, condition: waits,
			values: map[string]types.AttributeValue{":claimed": str(string(receipt.Claimed)), ":now": str(timeText(now))},
		}
		e.to("asked", asked)
		if _, _, err := s.update(ctx, "ask for a mail", e); err != nil {
			return err
		}
		return receipt.ErrHeld
	case asked != "" && asked == r.Asked:
		return receipt.ErrDone
	}
	e := edit{
		key: k, condition: "#state = :was AND attribute_not_exists(#message_id)", remove: []string{"reason", "message_id", "sent"},
		values: map[string]types.AttributeValue{":was": str(string(r.State))},
	}
	e.textOrNone("asked", asked)
	e.to("state", string(receipt.Claimed))
	e.to("updated", timeText(now))
	e.due(now.Add(reopened)) // whoever reopens it sends it at once, and may die before
	if r.MessageID != "" {
		e.condition = "#state = :was AND #message_id = :message"
		e.set = append(e.set, "#past = list_append(if_not_exists(#past, :none), :messages)")
		e.values[":message"] = str(r.MessageID)
		e.values[":messages"] = list(r.MessageID)
		e.values[":none"] = list()
	}
	ok, _, err := s.update(ctx, "reopen a mail", e)
	if err == nil && !ok {
		return receipt.ErrHeld // it was settled otherwise, or reopened, just now
	}
	return err
}

// reopened is how long a reopened mail is left to its caller before others send it.
const reopened = 2 * time.Minute

// WaitingMails lists the mails of one of DueShards that are due for another attempt by now, longest due first, after the given position. It
// reads index 2: some may be settled already.
func (s *Store) WaitingMails(ctx context.Context, shard int, now time.Time, after string, limit int) (mails []receipt.Waiting, more bool,
	err error,
) {
	items, more, err := s.dueBy(ctx, mailDuePK(shard), now, after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, it := range items {
		w := receipt.Waiting{Position: it.s(gsi2sk)}
		w.Event, w.Recipient, _ = strings.Cut(strings.TrimPrefix(it.s(sk), mailPrefix), "#")
		aboutOf(it, &w.Key)
		mails = append(mails, w)
	}
	return mails, more, nil
}

// Mail returns the state of one mail; nil when there is none.
func (s *Store) Mail(ctx context.Context, key receipt.Key) (*receipt.Receipt, error) {
	k, err := mailKey(key)
	if err != nil {
		return nil, err
	}
	return one(ctx, s, k, (*item).receipt)
}

// InvitationMails returns the states of the mails with the invitations' latest tokens, by invitation id. Mails of which no sending has
// begun are missing.
func (s *Store) InvitationMails(ctx context.Context, invitations ...*access.Invitation) (map[string]*receipt.Receipt, error) {
	keys := map[string]Key{}
	for _, i := range invitations {
		if i.MailEvent != "" {
			keys[i.ID] = customerMailKey(i.Customer, i.MailEvent, receipt.Digest(i.Email))
		}
	}
	items, err := s.get(ctx, slices.Collect(maps.Values(keys)))
	if err != nil {
		return nil, err
	}
	out := map[string]*receipt.Receipt{}
	for id, k := range keys {
		r, err := lookup(items, k, (*item).receipt)
		if err != nil {
			return nil, err
		}
		if r != nil {
			out[id] = r
		}
	}
	return out, nil
}

// The sides that the lists tell apart, as the mails' templates name them.
const (
	customerSide = "customer"
	partnerSide  = "partner"
)

// CustomerMails lists the mails about a customer, newest first: those to its contacts, to users and to invited people, without those to the
// partners' contacts, whose addresses the customer must not see.
func (s *Store) CustomerMails(ctx context.Context, customer string, ask access.PageRequest) (access.Page[receipt.Receipt], error) {
	return s.mails(ctx, span{pk: customerPK(customer)}, sk, ask, func(r *receipt.Receipt) bool { return r.Side != partnerSide })
}

// PartnerMails lists the mails about a partner, newest first, without those to the customers' contacts. It reads index 1.
func (s *Store) PartnerMails(ctx context.Context, partner string, ask access.PageRequest) (access.Page[receipt.Receipt], error) {
	return s.mails(ctx, span{pk: partnerIndexPK(partner), index: gsi1}, gsi1sk, ask, nil)
}

func (s *Store) mails(ctx context.Context, sp span, key string, ask access.PageRequest,
	keep func(*receipt.Receipt) bool,
) (access.Page[receipt.Receipt], error) {
	sp.first, sp.last = mailPrefix, mailPrefix+"~"
	return walk(ctx, ask, false, s.newestFirst(sp, mailPrefix, key), each((*item).receipt, keep), after(mailPrefix, key))
}

func (it *item) receipt() *receipt.Receipt {
	r := &receipt.Receipt{
		Key:  receipt.Key{Event: it.s("event"), Recipient: it.s("recipient")},
		With: it.s("with"), Type: events.Type(it.s("type")), To: it.s("to"), Template: it.s("template"), Side: it.s("side"),
		State: receipt.State(it.s("state")), Lease: it.t("lease"), MessageID: it.s("message_id"), Attempts: int(it.n("attempts")),
		Asked: it.s("asked"), Reason: it.s("reason"), Lines: it.list("lines"), Source: it.s("source"),
		Written: receipt.Written{Language: it.s("language"), Zone: it.s("zone"), Content: it.s("content")},
		Created: it.t("created"), Sent: it.t("sent"), Updated: it.t("updated"),
	}
	aboutOf(it, &r.Key)
	return r
}

// aboutOf says in the key of a mail whom the mail is about, by where its receipt stands.
func aboutOf(it *item, k *receipt.Key) {
	switch kind, id, _ := strings.Cut(it.s(pk), "#"); kind + "#" {
	case customerPK(""):
		k.Customer = id
	case webhookPrefix:
		k.Provider = true
	default:
		k.Partner = id
	}
}

// BlockAddress stops all mails to an address that bounced permanently, or the mails of one organisation of which its reader complained.
// Events older than the block's last change, including its removal, change nothing.
func (s *Store) BlockAddress(ctx context.Context, b receipt.Block) error {
	e := edit{
		key: blockKey(b.Address, b.Source), condition: "attribute_not_exists(pk) OR #at < :at",
		values: map[string]types.AttributeValue{},
	}
	e.to("email", b.Address)
	e.to("source", b.Source)
	e.to("state", string(b.State))
	e.to("reason", b.Reason)
	e.to("at", timeText(b.At))
	_, _, err := s.update(ctx, "block an address", e)
	return err
}

// cleared is the state of an address that was blocked.
const cleared = "cleared"

// ClearAddress removes all blocks of an address and reports whether there were any. Blocks from after now stay.
func (s *Store) ClearAddress(ctx context.Context, address string, now time.Time) (bool, error) {
	blocks, err := s.Blocks(ctx, address)
	if err != nil || len(blocks) == 0 {
		return false, err
	}
	for _, b := range blocks {
		e := edit{
			key: blockKey(address, b.Source), condition: "attribute_exists(pk) AND #state <> :state AND #at <= :at", remove: []string{"reason"},
			values: map[string]types.AttributeValue{},
		}
		e.to("state", cleared)
		e.to("at", timeText(now))
		if ok, _, err := s.update(ctx, "clear an address", e); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// maxBlocks is how many organisations' blocks of one address are read; later ones are ignored.
const maxBlocks = 500

// Blocks returns what blocks mails to an address; none when it gets all.
func (s *Store) Blocks(ctx context.Context, address string) ([]receipt.Block, error) {
	items, _, err := s.query(ctx, span{pk: blockPK(address), first: blockPrefix, last: blockPrefix + "~"}, maxBlocks)
	if err != nil {
		return nil, err
	}
	var out []receipt.Block
	for _, it := range items {
		b, err := decode(it, (*item).block)
		if err != nil {
			return nil, err
		}
		if b.State != cleared {
			out = append(out, *b)
		}
	}
	return out, nil
}

// Blocked returns why an address gets no mail that an organisation causes (receipt.SourceOf); nil when it does.
func (s *Store) Blocked(ctx context.Context, address, source string) (*receipt.Block, error) {
	blocks, err := s.Blocks(ctx, address)
	for i := range blocks {
		if b := &blocks[i]; b.Source == "" || b.Source == source {
			return b, err
		}
	}
	return nil, err
}

func (it *item) block() *receipt.Block {
	return &receipt.Block{
		Address: it.s("email"), Source: it.s("source"), State: receipt.State(it.s("state")), Reason: it.s("reason"),
		At: it.t("at"),
	}
}

// Event reads the event that a mail is about; nil when there is none.
func (s *Store) Event(ctx context.Context, key receipt.Key) (*events.Event, error) {
	k := partnerEventKey(key.Partner, key.Event)
	switch {
	case key.Customer != "":
		k = customerEventKey(key.Customer, key.Event)
	case key.Provider:
		k = webhookNoticeKey("", key.Event)
	}
	var e events.Event
	it, err := one(ctx, s, k, func(it *item) *item { return it })
	if err == nil && it == nil && key.Customer != "" { // a notice about one of its webhooks
		it, err = one(ctx, s, webhookNoticeKey(key.Customer, key.Event), func(it *item) *item { return it })
	}
	if err == nil && it != nil {
		e, err = it.event()
	}
	if err != nil || it == nil {
		return nil, err
	}
	return &e, nil
}
