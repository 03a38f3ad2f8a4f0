package httpapi

import (
	"net/url"
	"time"

	"partneraccess/shared/access"
)

// PastView says that an answer is about an instant of the past, and what it lacks. It is in no answer about now.
type PastView struct {
	At       time.Time     `json:"at"`
	Past     bool          `json:"past"` // always true
	Complete bool          `json:"complete"`
	Missing  []missingView `json:"missing"`
}

// A grant as it was, for either side.
type (
	pastGrantView struct {
		grantView
		PastView
	}
	pastPartnerCustomerView struct {
		partnerCustomerView
		PastView
	}
)

// missingView are versions of one record that are not known.
type missingView struct {
	Record   string `json:"record"`
	Customer string `json:"customer,omitzero"`
	Partner  string `json:"partner,omitzero"`
	User     string `json:"user,omitzero"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
}

func viewPast(of access.Past, missing []access.MissingVersions) *PastView {
	if of.At.IsZero() {
		return nil
	}
	v := &PastView{At: of.At, Past: true, Complete: len(missing) == 0, Missing: make([]missingView, len(missing))}
	for i, m := range missing {
		v.Missing[i] = missingView{
			Record: string(m.Kind), Customer: m.Customer, Partner: m.Partner, User: m.User, From: m.From, To: m.To,
		}
	}
	return v
}

// pastIn reads the instant about which a list is asked; the zero Past when it is about now.
func (c *call) pastIn(q url.Values, wrong *findings) access.Past {
	at := instantIn(q, "at", wrong)
	if at.IsZero() {
		return access.Past{}
	}
	of := access.Past{At: at.UTC(), Asked: c.api.now()}
	if err := access.CheckPast(of.At, of.Asked); err != nil {
		wrong.add("?at", err.Detail)
	}
	return of
}

// onlyPast reads the query of a route that knows at alone.
func (c *call) onlyPast() (access.Past, error) {
	q, err := url.ParseQuery(c.RawQuery)
	if err != nil || len(q) == 0 && c.RawQuery != "" {
		return access.Past{}, access.Refuse(access.Invalid, "the query string cannot be read: percent-encode it")
	}
	var wrong findings
	for name, values := range q {
		switch {
		case name != "at":
			wrong.add("?"+name, "this parameter is unknown here")
		case len(values) > 1:
			wrong.add("?at", "this parameter stands there twice")
		}
	}
	of := c.pastIn(q, &wrong)
	return of, sortedErr(&wrong)
}
