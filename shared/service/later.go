package service

import (
	"context"
	"maps"
	"slices"
	"strings"

	"partneraccess/shared/access"
)

// maxLater is how many stretches of later work are rehearsed: of 50 grants, invitations or requests each.
const maxLater = 40

// Later rehearses the work that the rehearsed changes leave to the sweep and that people get mails about, such as notifying each customer
// of a partner that is suspended. It changes nothing, not even this rehearsal. Complete is false when there is more of it than maxLater
// stretches.
//
// What the index lists is as it was before the changes, and each record as they would leave it: as for the sweep, which decides again on
// the records.
func (s *Service) Later(ctx context.Context, rehearsal *Rehearsal) (after *Rehearsal, complete bool, err error) {
	before := *s
	before.Store = rehearsal
	on, after := before.Rehearse()
	work, left := &Due{Service: on, Began: s.Now()}, maxLater
	for _, c := range rehearsal.Changes {
		for _, w := range c.Writes {
			w, is := w.(access.TaskWrite)
			if !is || w.Before != nil || !w.After.Kind.Notifies() {
				continue
			}
			for again := true; again; left-- {
				if left == 0 {
					return after, false, nil
				}
				t := rehearsed(after, taskRecord(w.After.ID), w.After)
				if again, err = work.taskPage(ctx, t); err != nil {
					return nil, false, err
				}
			}
		}
	}
	return after, true, nil
}

// Task reads a task.
func (r *Rehearsal) Task(ctx context.Context, id string) (*access.Task, error) {
	t, err := r.Store.Task(ctx, id)
	return rehearsed(r, taskRecord(id), t), err
}

// InvitationRow reads an invitation with what decides whether it still stands.
func (r *Rehearsal) InvitationRow(ctx context.Context, customer, id string) (*access.InvitationRow, error) {
	row, err := r.Store.InvitationRow(ctx, customer, id)
	return r.invitationRow(row), err
}

// PendingInvitations lists those that the table has.
func (r *Rehearsal) PendingInvitations(
	ctx context.Context, customer, partner, user, after string, limit int,
) (rows []*access.InvitationRow, next string, err error) {
	rows, next, err = r.Store.PendingInvitations(ctx, customer, partner, user, after, limit)
	for i, row := range rows {
		rows[i] = r.invitationRow(row)
	}
	return slices.DeleteFunc(rows, func(row *access.InvitationRow) bool { return row == nil }), next, err
}

func (r *Rehearsal) invitationRow(row *access.InvitationRow) *access.InvitationRow {
	if row == nil {
		return nil
	}
	out := *row
	out.Invitation = rehearsed(r, invitationRecord(row.Invitation.Customer, row.ID), row.Invitation)
	if out.Invitation == nil {
		return nil
	}
	out.Customer = rehearsed(r, customerRecord(row.Invitation.Customer), row.Customer)
	out.Partner = rehearsed(r, partnerRecord(row.Invitation.Partner), row.Partner)
	out.Grant = rehearsed(r, grantRecord(row.Invitation.Customer, row.Invitation.Partner), row.Grant)
	if u := row.Inviter.User; u != nil {
		out.Inviter.User = rehearsed(r, userRecord(u.ID), u)
	}
	if m := row.Inviter.Member; m != nil {
		out.Inviter.Member = rehearsed(r, memberRecord(m.Customer, m.Email), m)
	}
	return &out
}

// RequestFacts loads what a plan about a request looks at.
func (r *Rehearsal) RequestFacts(ctx context.Context, customer, id, who string, users []string) (access.RequestFacts, error) {
	f, err := r.Store.RequestFacts(ctx, customer, id, who, users)
	if err != nil || f.Row == nil {
		return f, err
	}
	f.Row = r.requestRow(f.Row)
	f.GrantFacts = r.overlaid(f.GrantFacts, customer, f.Row.Request.Partner, usersNamed(f.Row))
	if f.Customer == nil {
		return f, nil
	}
	var people []string
	if who != "" {
		people = append(people, who)
		for _, a := range f.Row.Approvals {
			people = append(people, a.Email)
		}
	}
	f.Deciders, err = r.Deciders(ctx, f.Customer, people...)
	return f, err
}

// Deciders reads who decides about requests to a customer. Where so many decide that not all get the mails (access.MaxApprovers), nobody
// takes the place of one who is removed.
func (r *Rehearsal) Deciders(ctx context.Context, c *access.Customer, people ...string) ([]access.Member, error) {
	found, err := r.Store.Deciders(ctx, c, people...)
	written := r.members(c.ID)
	var out []access.Member
	for _, m := range found {
		if _, is := written[m.Email]; !is {
			out = append(out, m)
		}
	}
	for _, email := range slices.Sorted(maps.Keys(written)) {
		if m := written[email]; m != nil && c.Requests.Decides(m) {
			out = append(out, *m)
		}
	}
	return out, err
}

// members are those of the customer that the rehearsal wrote, by their addresses; nil: removed.
func (r *Rehearsal) members(customer string) map[string]*access.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]*access.Member{}
	for key, record := range r.written {
		if email, is := strings.CutPrefix(key, memberRecord(customer, "")); is {
			m, _ := record.(*access.Member)
			out[email] = m
		}
	}
	return out
}

// PendingRequests lists those that the table has.
func (r *Rehearsal) PendingRequests(
	ctx context.Context, customer, partner, user, after string, limit int,
) (rows []*access.RequestRow, next string, err error) {
	rows, next, err = r.Store.PendingRequests(ctx, customer, partner, user, after, limit)
	for i, row := range rows {
		rows[i] = r.requestRow(row)
	}
	return rows, next, err
}

func (r *Rehearsal) requestRow(row *access.RequestRow) *access.RequestRow {
	q := row.Request
	f := r.overlaid(access.GrantFacts{
		Customer: row.Customer, Partner: row.Partner, Grant: row.Grant, Users: row.Users, Assignments: row.Assignments,
	}, q.Customer, q.Partner, usersNamed(row))
	out := *row
	out.Request = rehearsed(r, requestRecord(q.Customer, q.ID), q)
	out.Customer, out.Partner, out.Grant, out.Users, out.Assignments = f.Customer, f.Partner, f.Grant, f.Users, f.Assignments
	if u := row.Requester; u != nil {
		out.Requester = rehearsed(r, userRecord(u.ID), u)
	}
	return &out
}

// usersNamed are whoever asks, and for whom.
func usersNamed(row *access.RequestRow) []string {
	return append(slices.Clone(row.Asked.Users), row.User)
}
