package httpapi

import (
	"context"
	"slices"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

type requestView struct {
	ID          string            `json:"id"`
	Customer    string            `json:"customer"`
	Partner     string            `json:"partner"`
	Kind        string            `json:"kind"`
	Personal    bool              `json:"personal"`
	Level       textOrNull        `json:"level"`
	Everyone    bool              `json:"everyone"`
	Users       []requestedView   `json:"users"`
	From        *time.Time        `json:"from"`
	Until       *time.Time        `json:"until"`
	Reason      string            `json:"reason"`
	Ticket      string            `json:"ticket"`
	Grant       textOrNull        `json:"grant"` // that it is about; null: approving opens one
	RequestedBy byView            `json:"requested_by"`
	Status      string            `json:"status"`
	Cancelled   textOrNull        `json:"cancelled_because"`
	Question    textOrNull        `json:"question"`
	Approvals   []approvalView    `json:"approvals,omitempty"` // for the customer's people
	DecidedBy   *byView           `json:"decided_by"`
	Note        string            `json:"note"`
	Granted     *grantedTermsView `json:"granted"`
	ExpiresAt   time.Time         `json:"expires_at"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Version     int64             `json:"version"`
}

// requestedView is a user for whom something is asked; without name and address when the user has left.
type requestedView struct {
	ID    string     `json:"id"`
	Name  textOrNull `json:"name"`
	Email textOrNull `json:"email"`
}

type grantedTermsView struct {
	Level    textOrNull `json:"level"`
	Everyone bool       `json:"everyone"`
	Users    []string   `json:"users"`
	From     *time.Time `json:"from"`
	Until    *time.Time `json:"until"`
}

type approvalView struct {
	Email string           `json:"email"`
	Terms grantedTermsView `json:"terms"`
	At    time.Time        `json:"at"`
}

func viewTerms(t access.RequestTerms) grantedTermsView {
	v := grantedTermsView{Everyone: t.Everyone, Users: append([]string{}, t.Users...), From: timeOrNull(t.From), Until: timeOrNull(t.Until)}
	if t.Level != access.None {
		v.Level = textOrNull(t.Level.String())
	}
	return v
}

// viewRequest shows a request as it is at that instant. The partner does not see who of the customer's people has approved so far.
func viewRequest(r *access.RequestRow, forPartner bool, now time.Time) requestView {
	asked := viewTerms(r.Asked)
	status, why := r.Status(now)
	v := requestView{
		ID: r.ID, Customer: r.Request.Customer, Partner: r.Request.Partner, Kind: string(r.Kind), Personal: r.Personal, Level: asked.Level,
		Everyone: asked.Everyone, Users: make([]requestedView, len(asked.Users)), From: asked.From, Until: asked.Until, Reason: r.Purpose,
		Ticket: r.Ticket, Grant: textOrNull(r.Request.Grant), RequestedBy: byView{Kind: string(r.By.Kind), Email: r.By.Email},
		Status: string(status), Cancelled: textOrNull(why), Question: textOrNull(r.Question), Note: r.Note,
		ExpiresAt: r.Expires, CreatedAt: r.Created, UpdatedAt: r.Updated, Version: r.Version,
	}
	for i, id := range asked.Users {
		v.Users[i] = requestedView{ID: id}
		if u := r.Users[id]; u != nil {
			v.Users[i] = requestedView{ID: id, Name: textOrNull(u.Name), Email: textOrNull(u.Email)}
		}
	}
	if r.Decider.Email != "" {
		v.DecidedBy = &byView{Kind: string(r.Decider.Kind), Email: r.Decider.Email}
	}
	if r.Granted != nil {
		granted := viewTerms(*r.Granted)
		v.Granted = &granted
	}
	for _, a := range r.Approvals {
		if !forPartner {
			v.Approvals = append(v.Approvals, approvalView{Email: a.Email, Terms: viewTerms(a.Terms), At: a.At})
		}
	}
	return v
}

type requestBody struct {
	Customer opt[string]   `json:"customer"`
	Code     opt[string]   `json:"code"`
	Kind     opt[string]   `json:"kind"`
	Level    opt[string]   `json:"level"`
	Users    opt[[]string] `json:"users"`
	Everyone opt[bool]     `json:"everyone"`
	From     opt[moment]   `json:"from"`
	Until    opt[moment]   `json:"until"`
	Reason   opt[string]   `json:"reason"`
	Ticket   opt[string]   `json:"ticket"`
}

// command reads what is asked for, and of which customer.
func (b requestBody) command() (cmd access.RequestCommand, customer string, err error) {
	var f findings
	if id := f.text(b.Customer, "/customer", "this cannot be a customer's id", access.ValidID); id != nil {
		customer = *id
	} else if !b.Customer.Given {
		f.add("/customer", "name the customer")
	}
	if kind := oneOf(&f, b.Kind, "/kind", access.AskAccess, access.AskExtend, access.AskRaise); kind != nil {
		cmd.Kind = *kind
	} else if !b.Kind.Given {
		f.add("/kind", "say what you ask for: access, extend or raise")
	}
	if code := f.text(b.Code, "/code", "a code has at most 40 characters", func(s string) bool { return len(s) <= 40 }); code != nil {
		cmd.Code = *code
	}
	if users := f.users(b.Users, "/users", access.MaxRequestUsers); users != nil {
		cmd.Users = *users
	}
	if everyone := f.flag(b.Everyone, "/everyone"); everyone != nil {
		cmd.Everyone = *everyone
	}
	if why := f.message(b.Reason, "/reason"); why != nil {
		cmd.Purpose = *why
	}
	const ticketHelp = "a ticket has 1 to 200 characters that can be seen, on one line"
	if ticket := f.text(b.Ticket, "/ticket", ticketHelp, access.ValidName); ticket != nil {
		cmd.Ticket = *ticket
	}
	cmd.Level, cmd.From, cmd.Until = f.level(b.Level, "/level"), optionalInstant(b.From), instantOrZero(b.Until)
	if cmd.Kind == access.AskAccess && b.Until.Null {
		cmd.Until = nil
	}
	return cmd, customer, f.err()
}

type requestAnswer struct {
	Request requestView `json:"request"`
}

// askedReply is the answer to the partner's side.
func (c *call) askedReply(a service.Asked) reply {
	out := reply{status: 200, version: a.Version, body: requestAnswer{viewRequest(a.RequestRow, true, c.api.now())}}
	if a.Created {
		out.status, out.location = 201, "/v1/partners/"+a.Request.Partner+"/requests/"+a.ID
	}
	return out
}

// postRequest has no dry run: it changes nobody's access, and codes could be tried with one.
func postRequest(ctx context.Context, c *call) (reply, error) {
	var b requestBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, customer, err := b.command()
	if err != nil {
		return reply{}, err
	}
	return perform(c, c.askedReply, func(o service.Options[service.Asked]) (service.Asked, error) {
		return c.service.Ask(ctx, c.caller(), c.PathValue("partner"), customer, cmd, o)
	})
}

// requestFilter reads status, and the other side: customer or partner, an organisation's id.
func (c *call) requestFilter(other string) (access.RequestFilter, access.PageRequest, string, error) {
	ask, q, digest, err := pageAsk(c.Request, "status", other)
	f := access.RequestFilter{
		Customer: q.Get("customer"), Partner: q.Get("partner"), Status: access.RequestStatus(q.Get("status")), Now: c.api.now(),
	}
	if err != nil {
		return f, ask, digest, err
	}
	all := []access.RequestStatus{
		"", access.RequestPending, access.RequestApproved, access.RequestDeclined, access.RequestWithdrawn, access.RequestExpired,
		access.RequestCancelled,
	}
	if !slices.Contains(all, f.Status) {
		return f, ask, digest, access.Refuse(access.Invalid,
			"status is one of: pending, approved, declined, withdrawn, expired, cancelled").At("?status")
	}
	if with := q.Get(other); with != "" && !access.ValidID(with) {
		return f, ask, digest, access.Refuse(access.Invalid, "%s is the id of a %s", other, other).At("?" + other)
	}
	return f, ask, digest, nil
}

func listRequests(ctx context.Context, c *call) (reply, error) {
	filter, ask, digest, err := c.requestFilter("partner")
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.CustomerRequests(ctx, c.PathValue("customer"), filter, ask)
	return listReply(page, err, digest, func(r *access.RequestRow) requestView { return viewRequest(r, false, filter.Now) })
}

func listPartnerRequests(ctx context.Context, c *call) (reply, error) {
	filter, ask, digest, err := c.requestFilter("customer")
	if err != nil {
		return reply{}, err
	}
	page, err := c.service.PartnerRequests(ctx, c.caller(), c.PathValue("partner"), filter, ask)
	return listReply(page, err, digest, func(r *access.RequestRow) requestView {
		return viewRequest(r, c.who.kind != provider, filter.Now)
	})
}

func getRequest(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	r, err := c.service.CustomerRequest(ctx, c.PathValue("customer"), c.PathValue("request"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: r.Version, body: viewRequest(r, false, c.api.now())}, nil
}

func getPartnerRequest(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	r, err := c.service.PartnerRequest(ctx, c.caller(), c.PathValue("partner"), c.PathValue("request"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: r.Version, body: viewRequest(r, c.who.kind != provider, c.api.now())}, nil
}

func deleteRequest(ctx context.Context, c *call) (reply, error) {
	a, err := c.service.Withdraw(ctx, c.caller(), c.PathValue("partner"), c.PathValue("request"))
	return replyWith(c.askedReply, a, err)
}

type approveBody struct {
	Level opt[string]   `json:"level"`
	Until opt[moment]   `json:"until"`
	Users opt[[]string] `json:"users"`
	Note  opt[string]   `json:"note"`
}

type decidedAnswer struct {
	Request requestView `json:"request"`
	Grant   *grantView  `json:"grant"` // null: nothing is granted yet, or at all
}

func (c *call) decidedReply(d service.Decided) reply {
	now := c.api.now()
	v := decidedAnswer{Request: viewRequest(d.RequestRow, false, now)}
	if g := d.Granted; g != nil {
		row := access.GrantRow{Grant: g.Grant, Customer: g.Relation.Customer, Partner: g.Relation.Partner, Headcount: g.Relation.Headcount}
		grant := viewGrant(row, now)
		v.Grant = &grant
	}
	return reply{status: 200, version: d.Version, body: v}
}

func approveRequest(ctx context.Context, c *call) (reply, error) {
	var b approveBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	cmd := access.ApproveCommand{
		Level: f.level(b.Level, "/level"), Until: instantOrZero(b.Until), Users: f.users(b.Users, "/users", access.MaxRequestUsers),
	}
	if note := f.message(b.Note, "/note"); note != nil {
		cmd.Note = *note
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return perform(c, c.decidedReply, func(o service.Options[service.Decided]) (service.Decided, error) {
		return c.service.Approve(ctx, c.caller(), c.PathValue("customer"), c.PathValue("request"), cmd, o)
	})
}

type declineBody struct {
	Note opt[string] `json:"note"`
}

func declineRequest(ctx context.Context, c *call) (reply, error) {
	var b declineBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	note := ""
	if said := f.message(b.Note, "/note"); said != nil {
		note = *said
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return perform(c, c.decidedReply, func(o service.Options[service.Decided]) (service.Decided, error) {
		return c.service.DeclineRequest(ctx, c.caller(), c.PathValue("customer"), c.PathValue("request"), note, o)
	})
}

type questionBody struct {
	Question opt[string] `json:"question"`
}

func askAboutRequest(ctx context.Context, c *call) (reply, error) {
	var b questionBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	question := f.message(b.Question, "/question")
	if !b.Question.has() || b.Question.Value == "" {
		f.add("/question", "say what you want to know")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return perform(c, c.decidedReply, func(o service.Options[service.Decided]) (service.Decided, error) {
		return c.service.AskBack(ctx, c.caller(), c.PathValue("customer"), c.PathValue("request"), *question, o)
	})
}

type policyView struct {
	Mode           string     `json:"mode"`
	Approvers      []string   `json:"approvers"` // none: all admins
	Approvals      int        `json:"approvals"`
	Hours          int        `json:"hours"`
	MaxDays        *int       `json:"max_days"` // null: any period, also without an end
	ReasonRequired bool       `json:"reason_required"`
	CodeMadeAt     *time.Time `json:"code_made_at"` // null: there is no code, so that nobody can ask with one
	Version        int64      `json:"version"`
}

func viewPolicy(p access.RequestPolicy) policyView {
	p = p.Or()
	v := policyView{
		Mode: string(p.Mode), Approvers: append([]string{}, p.Approvers...), Approvals: p.Approvals, Hours: p.Hours,
		ReasonRequired: p.ReasonRequired, CodeMadeAt: timeOrNull(p.CodeMade), Version: p.PublicVersion(),
	}
	if p.MaxDays > 0 {
		v.MaxDays = &p.MaxDays
	}
	return v
}

func policyReply(c *access.Customer) reply {
	return reply{status: 200, version: c.Requests.PublicVersion(), body: viewPolicy(c.Requests)}
}

func getRequestPolicy(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	cust, err := c.service.Customer(ctx, c.PathValue("customer"))
	return replyWith(policyReply, cust, err)
}

type policyBody struct {
	Mode           opt[string]   `json:"mode"`
	Approvers      opt[[]string] `json:"approvers"`
	Approvals      opt[int]      `json:"approvals"`
	Hours          opt[int]      `json:"hours"`
	MaxDays        opt[int]      `json:"max_days"`
	ReasonRequired opt[bool]     `json:"reason_required"`
}

// policy reads the whole policy: what is left out is as if the customer had never said anything about it.
func (b policyBody) policy() (access.RequestPolicy, error) {
	var f findings
	p := access.RequestPolicy{Approvals: 1, Hours: access.DefaultRequestHours}
	mode := oneOf(&f, b.Mode, "/mode", access.RequestsOff, access.RequestsByCode, access.RequestsKnown, access.RequestsOpen)
	if mode != nil {
		p.Mode = *mode
	} else if !b.Mode.Given {
		f.add("/mode", "say who may ask: off, code, known or open")
	}
	if approvers := f.contacts(b.Approvers, "/approvers"); approvers != nil {
		p.Approvers = slices.Sorted(slices.Values(*approvers))
	}
	p.Approvals = f.number(b.Approvals, "/approvals", p.Approvals, access.MaxApprovals)
	p.Hours = f.number(b.Hours, "/hours", p.Hours, access.MaxRequestHours)
	if !b.MaxDays.Null {
		p.MaxDays = f.number(b.MaxDays, "/max_days", 0, access.MaxRequestDays)
	}
	if why := f.flag(b.ReasonRequired, "/reason_required"); why != nil {
		p.ReasonRequired = *why
	}
	return p, f.err()
}

func putRequestPolicy(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(true)
	if err != nil {
		return reply{}, err
	}
	var b policyBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	p, err := b.policy()
	if err != nil {
		return reply{}, err
	}
	cmd := access.PolicyCommand{Seen: seen, RequestPolicy: p}
	return perform(c, policyReply, func(o service.Options[*access.Customer]) (*access.Customer, error) {
		return c.service.SavePolicy(ctx, c.caller(), c.PathValue("customer"), cmd, o)
	})
}

type codeAnswer struct {
	Code   string     `json:"code"`
	Policy policyView `json:"policy"`
}

// postRequestCode is carried out each time: an answer that is kept for an Idempotency-Key would keep the code.
func postRequestCode(ctx context.Context, c *call) (reply, error) {
	code, cust, err := c.service.NewRequestCode(ctx, c.caller(), c.PathValue("customer"))
	if err != nil {
		return reply{}, err
	}
	return reply{status: 200, version: cust.Requests.PublicVersion(), body: codeAnswer{code, viewPolicy(cust.Requests)}}, nil
}
