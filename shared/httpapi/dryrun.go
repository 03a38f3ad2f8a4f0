package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/service"
)

// dryRunType is the media type of what a request would do: another representation than that of what it did.
const dryRunType = "application/vnd.partner-access.dry-run+json"

// shownAtMost is how many of those who gain, of those who lose and of the mails a dry run lists. It counts all.
const shownAtMost = 100

// dryRunView is what a request would do, had it been sent without dry_run.
type dryRunView struct {
	DryRun     bool         `json:"dry_run"`
	Would      wouldView    `json:"would"`
	Gains      []effectView `json:"gains"`
	Loses      []effectView `json:"loses"`
	GainsTotal int          `json:"gains_total"`
	LosesTotal int          `json:"loses_total"`
	Complete   bool         `json:"complete"` // false: more people are concerned, or more work follows, than was looked at
	Mails      []noticeView `json:"mails"`
	MailsTotal int          `json:"mails_total"`
	Events     []eventView  `json:"events"`
	Later      []string     `json:"later"`             // work that the sweep does afterwards, with mails and events of its own
	LaterMails int          `json:"later_mails_total"` // of that work
	Plan       string       `json:"plan,omitzero"`     // for Prefer
}

type wouldView struct {
	Status  int            `json:"status"`
	Problem *Problem       `json:"problem"` // null: it would not be refused
	Answer  jsontext.Value `json:"answer"`  // the body of the answer; null where it would have none
}

type effectView struct {
	User     personView `json:"user"`
	Customer string     `json:"customer"`
	From     string     `json:"from_level"`
	To       string     `json:"to_level"`
	At       *time.Time `json:"at"`    // null: at once
	Until    *time.Time `json:"until"` // null: without an end, or no access
}

type personView struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"`
	Email string      `json:"email"`
	Role  access.Role `json:"role"`
}

type noticeView struct {
	To       *string `json:"to"` // null: an address that the caller may not see
	Template string  `json:"template"`
}

type eventView struct {
	Type string `json:"type"`
}

// readDryRun reads dry_run, and takes it out of the query.
func readDryRun(r *apigateway.Request, route Route) (bool, error) {
	if !route.rehearsable() || !strings.Contains(r.RawQuery, "dry_run") {
		return false, nil
	}
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil || len(q["dry_run"]) != 1 {
		return false, noQuery(r)
	}
	value := q.Get("dry_run")
	q.Del("dry_run")
	r.RawQuery = q.Encode()
	if value != "true" && value != "false" {
		return false, access.Refuse(access.Invalid, "dry_run is true or false").At("?dry_run")
	}
	return value == "true", nil
}

// preferredPlan is the plan that the request is to carry out, of its Prefer header (RFC 7240); "" = any.
func preferredPlan(r *apigateway.Request) string {
	for part := range strings.SplitSeq(r.Header("prefer"), ",") {
		if plan, is := strings.CutPrefix(strings.TrimSpace(part), "plan="); is {
			return strings.Trim(plan, `"`)
		}
	}
	return ""
}

// rehearse plans what the request would do, and changes nothing. What is malformed is refused as ever.
func (c *call) rehearse(ctx context.Context, do endpoint) (dryRunView, *service.Rehearsal, error) {
	on, rehearsal := c.service.Rehearse()
	dry := *c
	dry.service = on
	v := dryRunView{
		DryRun: true, Gains: []effectView{}, Loses: []effectView{}, Mails: []noticeView{}, Events: []eventView{}, Complete: true,
		Later: []string{},
	}
	out, err := dry.forEachTag(ctx, do)
	var refused *access.Error
	switch {
	case errors.As(err, &refused) && refused.Code != access.Invalid && refused.Code != ifMatchRequired:
		p := problemOf(refused, c.RequestID)
		v.Would = wouldView{Status: p.Status, Problem: &p, Answer: jsontext.Value("null")}
		return v, rehearsal, nil
	case err != nil:
		return v, rehearsal, err
	}
	body, err := out.encode()
	if err != nil {
		return v, rehearsal, err
	}
	v.Would = wouldView{Status: out.status, Answer: body}
	if len(body) == 0 {
		v.Would.Answer = jsontext.Value("null")
	}
	if err := c.showEffects(ctx, &v, rehearsal); err != nil {
		return v, rehearsal, err
	}
	v.Plan, err = c.planOf(v)
	return v, rehearsal, err
}

// showEffects fills in who gains and loses what, the events and the mails.
func (c *call) showEffects(ctx context.Context, v *dryRunView, rehearsal *service.Rehearsal) error {
	now := c.api.now()
	effects, err := rehearsal.Effects(ctx, now)
	if err != nil {
		return err
	}
	v.Gains, v.Loses = viewEffects(effects.Gains, now), viewEffects(effects.Loses, now)
	v.Complete = effects.Complete
	notices, err := rehearsal.Notices(ctx, c.api.Notices)
	if err != nil {
		return err
	}
	hidden := map[string]bool{}
	for _, n := range notices {
		to := &n.To
		if !c.sees(n) {
			if hidden[n.Template] { // how many contacts the other side has is its own
				continue
			}
			to, hidden[n.Template] = nil, true
		}
		v.Mails = append(v.Mails, noticeView{to, n.Template})
	}
	for _, change := range rehearsal.Changes {
		for _, e := range change.Events {
			v.Events = append(v.Events, eventView{string(e.Type)})
		}
		for _, w := range change.Writes {
			if w, is := w.(access.TaskWrite); is && w.Before == nil && w.After.Kind.Notifies() {
				v.Later = append(v.Later, string(w.After.Kind))
			}
		}
	}
	slices.Sort(v.Later)
	v.Later = slices.Compact(v.Later)
	if len(v.Later) == 0 {
		return nil
	}
	return c.countLater(ctx, v, rehearsal)
}

// countLater fills in how many mails the work causes that follows.
func (c *call) countLater(ctx context.Context, v *dryRunView, rehearsal *service.Rehearsal) error {
	after, complete, err := c.service.Later(ctx, rehearsal)
	if err != nil {
		return err
	}
	v.Complete = v.Complete && complete
	for _, change := range after.Changes {
		for _, e := range change.Events {
			notices, err := c.api.Notices(ctx, after, e)
			if err != nil {
				return err
			}
			hidden := map[string]bool{}
			for _, n := range notices {
				if c.sees(n) || !hidden[n.Template] {
					v.LaterMails++
				}
				hidden[n.Template] = hidden[n.Template] || !c.sees(n)
			}
		}
	}
	return nil
}

func viewEffects(effects []service.Effect, now time.Time) []effectView {
	out := make([]effectView, len(effects))
	for i, e := range effects {
		out[i] = effectView{
			User:     personView{ID: e.User.ID, Name: e.User.Name, Email: e.User.Email, Role: e.User.Role},
			Customer: e.Customer, From: e.From.String(), To: e.To.String(), Until: timeOrNull(e.Until),
		}
		if !e.At.Equal(now) {
			out[i].At = &e.At
		}
	}
	return out
}

// sees tells whether the caller may see to whom a mail goes: not to the contacts of the other side, as in the lists of mails.
func (c *call) sees(n service.Notice) bool {
	actor := c.who.actor()
	switch {
	case c.who.kind == provider || n.To == c.who.id.Email:
		return true
	case n.Side == service.ToCustomer:
		return actor.Kind == access.ActorCustomer
	case n.Side == service.ToPartner:
		return actor.Kind == access.ActorPartner && c.who.kind&leads != 0
	}
	return actor.Kind == access.ActorCustomer || c.who.kind&leads != 0
}

// planOf identifies what the request would do: who gains and loses what, which mails and events follow. The same request has the same plan
// as long as it would do the same.
func (c *call) planOf(v dryRunView) (string, error) {
	v.Would.Answer = nil // has ids that are made anew each time
	body := sha256.Sum256(c.Body)
	text, err := json.Marshal(struct {
		Method, Path, Body string
		View               dryRunView
	}{c.Method, c.Path, base64.RawURLEncoding.EncodeToString(body[:]), v}, json.Deterministic(true))
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

// dryRun answers what the request would do.
func (c *call) dryRun(ctx context.Context, do endpoint) (reply, error) {
	v, _, err := c.rehearse(ctx, do)
	if err != nil {
		return reply{}, err
	}
	v.GainsTotal, v.LosesTotal, v.MailsTotal = len(v.Gains), len(v.Loses), len(v.Mails)
	v.Gains, v.Loses = v.Gains[:min(len(v.Gains), shownAtMost)], v.Loses[:min(len(v.Loses), shownAtMost)]
	v.Mails = v.Mails[:min(len(v.Mails), shownAtMost)]
	return reply{status: 200, body: v, contentType: dryRunType}, nil
}

// asPlanned carries out the request when it still does what the plan says.
func (c *call) asPlanned(ctx context.Context, do endpoint, plan string) (reply, error) {
	v, rehearsal, err := c.rehearse(ctx, do)
	switch {
	case err != nil:
		return reply{}, err
	case v.Plan != plan && c.Header("idempotency-key") == "":
		return reply{}, service.PlanChanged()
	case v.Plan != plan: // unless it was carried out before: then that is answered
		c.service = c.service.Conform(nil)
		out, err := c.forEachTag(ctx, do)
		if err == nil && !out.replayed {
			err = service.PlanChanged()
		}
		return out, err
	}
	c.service = c.service.Conform(rehearsal.Changes)
	out, err := c.forEachTag(ctx, do)
	out.planned = true
	return out, err
}
