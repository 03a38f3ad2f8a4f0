package access

// Askable returns what the denied user could ask the customer for, of what the decision has read anyway. The kind is "" where nothing read
// says whether the customer takes requests: there is no grant, or one that has ended, whose copy of the customer's policy is as old as its
// end. Possible is false where asking would not help, or this user could not ask.
func (f Facts) Askable(d Decision) (kind RequestKind, possible bool) {
	u, p, g := f.User, f.Partner, f.Grant
	if d.Allow || u == nil || p == nil || !eligible(p) {
		return "", false
	}
	switch d.Reason {
	case NoGrant, DeniedExpired, DeniedEnded:
		return "", u.Role.AsksForOthers()
	case UserNotAssigned:
		return AskAccess, u.Role != External && g.takesRequests()
	case LevelTooLow:
		return AskRaise, d.Level < p.Offer && g.takesRequests()
	}
	return "", false
}

func (g *Grant) takesRequests() bool { return g != nil && !g.Managed && g.Asking != RequestsOff }
