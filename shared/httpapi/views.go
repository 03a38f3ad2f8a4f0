package httpapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// The views are the shapes of what is answered. Times are RFC 3339 in UTC, null when there is none; what a caller may not see is left out.

// textOrNull is a text that is written as null when it is empty.
type textOrNull string

// MarshalJSONTo writes it.
func (t textOrNull) MarshalJSONTo(e *jsontext.Encoder) error {
	if t == "" {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteToken(jsontext.String(string(t)))
}

type organisationView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain,omitzero"`
}

type byView struct {
	Kind  string `json:"kind"`
	Email string `json:"email,omitzero"`
}

type endView struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	By     byView    `json:"by"`
}

type grantView struct {
	ID             string           `json:"id"`
	Customer       organisationView `json:"customer"`
	Partner        organisationView `json:"partner"`
	Level          string           `json:"level"`
	EffectiveLevel string           `json:"effective_level"`
	Status         string           `json:"status"`
	Reason         textOrNull       `json:"reason"` // why it is not active
	State          string           `json:"state"`
	Everyone       bool             `json:"everyone"`
	AssignedBy     string           `json:"assigned_by"`
	UserCount      int              `json:"user_count"`
	Managed        bool             `json:"managed"`
	RequireSSO     bool             `json:"require_sso"`
	From           time.Time        `json:"from"`
	Until          *time.Time       `json:"until"`
	AutoExtend     textOrNull       `json:"auto_extend"`
	Note           string           `json:"note"`
	Message        string           `json:"message"`
	End            *endView         `json:"end"`
	CreatedAt      time.Time        `json:"created_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
	Version        int64            `json:"version"`
}

func viewGrant(r access.GrantRow, now time.Time) grantView {
	g := r.Grant
	v := grantView{
		ID: g.ID, Customer: viewCustomerName(r.Customer), Partner: viewPartnerName(r.Partner),
		Level: g.Level.String(), EffectiveLevel: g.EffectiveLevel(r.Partner).String(), Status: string(g.Status(r.Partner, now)),
		Reason: textOrNull(g.DenialReason(r.Partner, now)), State: string(g.State),
		Everyone: g.Everyone, AssignedBy: string(g.AssignedBy), UserCount: g.UserCount(r.Headcount), Managed: g.Managed, RequireSSO: g.RequireSSO,
		From: g.From, Until: timeOrNull(g.Until), AutoExtend: textOrNull(access.DaysText(g.AutoExtend)),
		Note: g.Note, Message: g.Message, CreatedAt: g.Created, UpdatedAt: g.Updated,
		Version: g.PublicVersion(),
	}
	if e := g.EndAt(r.Partner, now); e != nil {
		v.End = &endView{Reason: string(e.Reason), At: e.At, By: byView{Kind: string(e.By.Kind), Email: e.By.Email}}
	}
	return v
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewCustomerName(c *access.Customer) organisationView {
	return organisationView{ID: c.ID, Name: c.Name, Domain: c.Domain}
}

func viewPartnerName(p *access.Partner) organisationView {
	return organisationView{ID: p.ID, Name: p.Name}
}

// changesView is what a request changed (D17).
type changesView struct {
	Added     []string      `json:"added"`
	Removed   []string      `json:"removed"`
	People    []changedView `json:"people"`
	Fields    []string      `json:"fields"`
	UserCount countView     `json:"user_count"`
}

// changedView is a user whom a request concerned. Without a level the user has no access.
type changedView struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Level string `json:"effective_level,omitzero"`
}

// viewChanged names the users whom the change added or removed, and those that the request named, as they are after it; of a grant that it
// ends, the users who were assigned.
func viewChanged(r access.GrantFacts, p access.GrantChange, named []string) []changedView {
	rows := maps.Clone(r.Assignments)
	for _, w := range p.Change.Writes {
		switch a, is := w.(access.AssignmentWrite); {
		case !is:
		case a.After == nil: // who was removed
			delete(rows, a.Before.User)
		default:
			if rows == nil {
				rows = map[string]*access.Assignment{}
			}
			rows[a.After.User] = a.After
		}
	}
	out := []changedView{}
	ids := slices.Concat(p.Summary.Added, p.Summary.Removed, named)
	ended := p.Grant.State == access.StateEnded
	if ended && !p.Change.Empty() && r.Grant.UsersCanBeListed() {
		for id, a := range r.Assignments {
			if u := r.Users[id]; u != nil && r.Grant.Admits(u, a) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		u := r.Users[id]
		if u == nil {
			continue
		}
		v := changedView{ID: id, Email: u.Email, Name: u.Name}
		if a := rows[id]; !ended && p.Grant.Admits(u, a) {
			v.Level = p.Grant.LevelOf(r.Partner, u, a).String()
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b changedView) int { return strings.Compare(a.Name, b.Name) })
	return out
}

type countView struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

type plannedView struct {
	Grant   grantView   `json:"grant"`
	Changes changesView `json:"changes"`
}

// plannedReply is the answer to a change of a grant. A partner gets it without the note, which is the customer's own.
func (c *call) plannedReply(g service.Granted) reply {
	did, r := g.Summary, g.Relation
	v := plannedView{
		Grant: viewGrant(access.GrantRow{Grant: g.Grant, Customer: r.Customer, Partner: r.Partner, Headcount: r.Headcount}, g.At),
		Changes: changesView{
			Added: did.Added, Removed: did.Removed, People: viewChanged(r, g.GrantChange, g.Named), Fields: did.Fields,
			UserCount: countView{did.Before, did.After},
		},
	}
	if c.who.actor().Kind == "partner" {
		v.Grant.Note = ""
	}
	return reply{status: 200, version: g.Grant.PublicVersion(), body: v}
}

// openedReply is the answer to a change that may open a grant.
func (c *call) openedReply(g service.Granted) reply {
	out := c.plannedReply(g)
	if g.Created {
		out.status, out.location = 201, "/v1/customers/"+g.Grant.Customer+"/grants/"+g.Grant.Partner
	}
	return out
}

// noContent is the answer to a change that has no body.
func noContent[T any](T) reply { return reply{status: 204} }

type customerView struct {
	ID              string     `json:"id"`
	Name            string     `json:"name"`
	Domain          textOrNull `json:"domain"`
	Contacts        []string   `json:"contacts"`
	ManagingPartner *string    `json:"managing_partner"`
	Caps            []capView  `json:"caps"`
	CreatedAt       time.Time  `json:"created_at"`
	UpdatedAt       time.Time  `json:"updated_at"`
	Version         int64      `json:"version"`
}

// capView is the highest level that one person may have.
type capView struct {
	Email string `json:"email"`
	Level string `json:"level"`
}

func viewCustomer(c *access.Customer) customerView {
	v := customerView{
		ID: c.ID, Name: c.Name, Domain: textOrNull(c.Domain), Contacts: c.Contacts, CreatedAt: c.Created, UpdatedAt: c.Updated,
		Version: c.Version,
	}
	for _, address := range slices.Sorted(maps.Keys(c.Caps)) {
		v.Caps = append(v.Caps, capView{address, c.Caps[address].String()})
	}
	if c.ManagedBy != "" {
		v.ManagingPartner = &c.ManagedBy
	}
	return v
}

// partnerView is a partner; customers see the first part of it.
type partnerView struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Class     string      `json:"class"`
	Status    string      `json:"status"`
	SSO       bool        `json:"sso"`
	Offer     *string     `json:"offer,omitzero"`
	Parent    *textOrNull `json:"parent,omitzero"`
	Contacts  *[]string   `json:"contacts,omitzero"`
	Domains   *[]string   `json:"domains,omitzero"`
	CreatedAt *time.Time  `json:"created_at,omitzero"`
	UpdatedAt *time.Time  `json:"updated_at,omitzero"`
	Version   int64       `json:"version,omitzero"`

	OwnerSetsSSO *bool `json:"owner_sets_sso,omitzero"`
}

func viewPartner(p *access.Partner, whole bool) partnerView {
	v := partnerView{ID: p.ID, Name: p.Name, Class: string(p.Class), Status: string(p.Status), SSO: p.SSO}
	if whole {
		offer, parent := p.Offer.String(), textOrNull(p.Parent)
		v.Domains, v.OwnerSetsSSO = &p.Domains, &p.OwnerSetsSSO
		v.Offer, v.Parent, v.Contacts, v.CreatedAt, v.UpdatedAt, v.Version = &offer, &parent, &p.Contacts, &p.Created, &p.Updated, p.Version
	}
	return v
}

type accountView struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	SSO      bool     `json:"sso"`
	Contacts []string `json:"contacts"`
	Version  int64    `json:"version"`

	OwnerSetsSSO bool `json:"owner_sets_sso"`
}

func viewAccount(p *access.Partner) accountView {
	return accountView{ID: p.ID, Name: p.Name, SSO: p.SSO, OwnerSetsSSO: p.OwnerSetsSSO, Contacts: p.Contacts, Version: p.Version}
}

// userView is a partner's user; customers see the first part of it.
type userView struct {
	ID        string      `json:"id"`
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	Role      string      `json:"role"`
	Status    string      `json:"status"`
	Phone     *textOrNull `json:"phone,omitzero"`
	MFA       *bool       `json:"mfa,omitzero"`
	Proved    *bool       `json:"email_proved,omitzero"`
	CreatedAt *time.Time  `json:"created_at,omitzero"`
	UpdatedAt *time.Time  `json:"updated_at,omitzero"`
	Version   int64       `json:"version,omitzero"`

	Missed *time.Time `json:"activation_missed_at,omitzero"`
}

func viewUser(u *access.User, whole bool) userView {
	v := userView{ID: u.ID, Email: u.Email, Name: u.Name, Role: string(u.Role), Status: string(u.Status)}
	if whole {
		phone, proved := textOrNull(u.Phone), !u.Unproved
		v.Proved = &proved
		v.Phone, v.MFA, v.CreatedAt, v.UpdatedAt, v.Version = &phone, &u.MFA, &u.Created, &u.Updated, u.Version
		v.Missed = timeOrNull(u.ActivationMissedAt)
	}
	return v
}

// grantUserView is a user who has access by a grant.
type grantUserView struct {
	userView
	Level string     `json:"effective_level"`
	Cap   textOrNull `json:"cap"`
	Since *time.Time `json:"assigned_at"` // null: has access because everyone has
	Used  textOrNull `json:"last_used_on"`
}

func viewGrantUser(g *access.Grant, p *access.Partner, u access.GrantUser) grantUserView {
	v := grantUserView{userView: viewUser(u.User, false), Used: textOrNull(access.LastUsed(u.User, u.Assignment))}
	if a := u.Assignment; a != nil && a.Epoch == g.Epoch {
		v.Since = &a.At
	}
	v.Level = g.LevelOf(p, u.User, u.Assignment).String()
	if most, capped := g.Caps.Of(u.User); capped {
		v.Cap = textOrNull(most.String())
	}
	return v
}

type memberView struct {
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

func viewMember(m *access.Member) memberView {
	v := memberView{Email: m.Email, Name: m.Name, Role: "member", CreatedAt: m.Created}
	if m.Admin {
		v.Role = "admin"
	}
	return v
}

// partnerCustomerView is a customer as the partner sees it (A1, A3, W14).
type partnerCustomerView struct {
	Customer       organisationView      `json:"customer"`
	Status         string                `json:"status"`
	Reason         textOrNull            `json:"reason"` // why it is not active
	Level          string                `json:"level"`
	EffectiveLevel string                `json:"effective_level"`
	From           time.Time             `json:"from"`
	Until          *time.Time            `json:"until"`
	Managed        bool                  `json:"managed"`
	Everyone       bool                  `json:"everyone"`
	AssignedBy     string                `json:"assigned_by"`
	UserCount      int                   `json:"user_count"`
	RequireSSO     bool                  `json:"require_sso"`
	Message        string                `json:"message"`
	YouHaveAccess  bool                  `json:"you_have_access"`
	YourLevel      string                `json:"your_level,omitzero"`  // of the partner's user who asks
	YourReason     access.DecisionReason `json:"your_reason,omitzero"` // as a check would give it
	SignInURL      string                `json:"sign_in_url,omitzero"` // only while you have access (A18-A20)
	Version        int64                 `json:"version"`              // of the grant: its ETag
}

func (a *api) viewPartnerCustomer(r access.GrantRow, now time.Time) partnerCustomerView {
	g := r.Grant
	v := partnerCustomerView{
		Customer: viewCustomerName(r.Customer), Status: string(g.Status(r.Partner, now)), Reason: textOrNull(g.DenialReason(r.Partner, now)),
		Level: g.Level.String(), EffectiveLevel: g.EffectiveLevel(r.Partner).String(),
		From: g.From, Until: timeOrNull(g.Until), Managed: g.Managed, Everyone: g.Everyone, AssignedBy: string(g.AssignedBy),
		UserCount: g.UserCount(r.Headcount), RequireSSO: g.RequireSSO, Message: g.Message, Version: g.PublicVersion(),
	}
	if r.Viewer.User != nil {
		mine := access.DecideAccess(r.Viewer, r.Customer.ID, now)
		v.YourLevel, v.YourReason = mine.Level.String(), mine.Reason
	}
	if _, v.YouHaveAccess = access.EffectiveLevel(r.Viewer, r.Customer.ID, now); v.YouHaveAccess && a.SignInURL != "" &&
		(r.Customer.Domain != "" || !strings.Contains(a.SignInURL, "{domain}")) {
		v.SignInURL = strings.NewReplacer("{customer}", r.Customer.ID, "{domain}", r.Customer.Domain).Replace(a.SignInURL)
	}
	return v
}

// viewOrganisation leaves out the organisation's contacts, which the other side need not know.
func viewOrganisation(o *events.Organisation) *organisationView {
	if o == nil {
		return nil
	}
	return &organisationView{ID: o.ID, Name: o.Name}
}

type listView[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// listReply is the answer with a page of a list, or the error of reading it.
func listReply[T, V any](p access.Page[T], err error, digest string, view func(*T) V) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	out := listView[V]{Items: make([]V, len(p.Items)), NextCursor: cursor(digest, p.Next)}
	for i := range p.Items {
		out.Items[i] = view(&p.Items[i])
	}
	return reply{status: 200, body: out}, nil
}
