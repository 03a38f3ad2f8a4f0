package authzen

import "partneraccess/shared/access"

// sentences explain a reason to the person who was refused, and to those who can change it. They need no escapes in JSON.
func sentences(w access.DecisionReason) (user, admin string) {
	switch w {
	case access.Granted:
		return "You have access.", "The grant, or the role, allows the action."
	case access.UnknownSubject:
		return "You have no account here.", "No partner has a user with this id or e-mail address."
	case access.DeniedPartnerNotActive:
		return "Your organisation has no access at the moment.", "The partner is suspended or removed: only the provider changes that."
	case access.DeniedPartnerNotEligible:
		return "Your organisation cannot be granted access to customers.", "The partner is not a channel partner: only the provider changes that."
	case access.SSORequired:
		return "Access needs your organisation's single sign-on.", "The grant requires single sign-on, which the partner has not enabled."
	case access.DeniedUserNotActive:
		return "Your account is not active.", "The user is invited or disabled: the partner's administrators change that."
	case access.NoGrant:
		return "The customer has not granted your organisation access.", "There is no grant of this customer for the user's partner."
	case access.NotYetActive:
		return "The access has not begun yet.", "The grant's period begins later."
	case access.DeniedSuspended:
		return "The access is suspended.", "The customer has suspended the grant and can resume it."
	case access.DeniedExpired:
		return "The access has expired.", "The grant's period has ended: the customer can grant access again."
	case access.DeniedEnded:
		return "The access has ended.", "The grant was revoked, relinquished or ended with its partner: the customer can grant access again."
	case access.UserNotAssigned:
		return "You are not among the users who have access to this customer.", "The user is not assigned in the grant."
	case access.DeniedConflict:
		return "You are a member of the customer.", "The user is a member of the customer, and members never have access as a partner's user."
	case access.DeniedOwnOrganisation:
		return "Your address belongs to the customer's own organisation.",
			"The user's address is in the customer's domain: partners are outside organisations."
	case access.LevelTooLow:
		return "Your access level is too low for this.",
			"The effective level, the lowest of grant, cap, assignment and offer, does not give the action; a higher one does."
	case access.ActionNotAllowed:
		return "This action is not available to partners.", "The catalogue gives the action, or the type of resource, to no level."
	case access.RoleNotAllowed:
		return "Your role does not allow this.", "The user's role does not allow the action in this partner's portal."
	}
	return "You have no access.", "The decision has no known reason."
}
