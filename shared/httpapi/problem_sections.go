package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"slices"
	"strings"

	"partneraccess/shared/access"
)

// problemsPath is where the sections are. It lies under /v1, which the console's address serves, too.
const problemsPath = "/v1/problems"

// problemType is the `type` of a code's problem documents: a reference with a full path (RFC 9457, 3.1.1), which names the code's section
// at whichever address the service has.
func problemType(code access.Code) string { return problemsPath + "#" + string(code) }

// problemSection explains a code to whoever looks up its type.
type problemSection struct {
	code     access.Code
	happened string
	do       string
}

// problemSections returns a section for each code of problems. It is a function so that the binaries without its route do not carry the
// texts.
func problemSections() []problemSection { //nolint:funlen // a table
	return []problemSection{
		{
			access.Invalid,
			"The request has the wrong shape, type or range, names a member or parameter that is unknown here, or repeats one. A cursor of " +
				"another list or filter is refused in the same way.",
			"Correct each place that errors names: its pointer is the place in the body (RFC 6901), or ? and the name of a query parameter. " +
				"Sending the same request again gives the same answer.",
		},
		{
			unauthenticated,
			"The token's account has another address by now, or is gone; or it is unclear which account the token was made out to.",
			"Sign in again and use the new token. A token that is missing, expired or not for this service is refused by the gateway, " +
				"with a message and no problem document.",
		},
		{
			access.Forbidden,
			"The caller may see what the request names and may not do this with it: the role or the scope does not allow it.",
			"Have somebody with the role do it, or use a token with the scope that detail names. The contract lists who may call an operation, " +
				"in x-callers.",
		},
		{
			access.NotRegistered,
			"The token is good, and its person is neither a partner's user nor a customer's member.",
			"Ask the provider to register the person, or accept the invitation that was sent to this address.",
		},
		{
			access.Managed,
			"The customer is managed: the provider decides which partner has access to it.",
			"Ask the provider to change or to end the management.",
		},
		{
			access.NotFound,
			"There is nothing under this address or id, or it belongs to another organisation. The answer is the same, so that nobody learns which.",
			"Check the id and the organisation in the path, and whether the token is the right person's.",
		},
		{
			access.LastUser,
			"The request would remove the last user with access, and a grant keeps at least one.",
			"Add another user first, or revoke the grant.",
		},
		{
			access.EveryoneIsOn,
			"All of the partner's users have access, so that single ones can be neither added nor removed.",
			"Edit the grant: switch everyone off first.",
		},
		{
			access.ManagedElsewhere,
			"Another partner manages the customer, and a managed customer has one partner.",
			"End that partner's management first, if it should end.",
		},
		{
			access.CustomerHasPartners,
			"Other partners have access to the customer, and a managed customer has one partner.",
			"End the other partners' access first.",
		},
		{
			access.CustomerUserConflict,
			"The person is a member of the customer and can have no access to it as a partner's user.",
			"Choose another user, or have the provider remove the membership.",
		},
		{
			access.EmailTaken,
			"A partner's user has this address already.",
			"Use another address, or edit the user who has it.",
		},
		{
			access.EmailUnavailable,
			"The address cannot be used here. To whom it belongs is not said.",
			"Use another address. If the person insists that it is theirs, ask the provider.",
		},
		{
			access.DomainTaken,
			"The domain, or one above it, belongs to a customer or to another partner.",
			"Leave the domain out, or take it from the organisation that has it first.",
		},
		{
			access.LastAdmin,
			"The customer has open grants, and nobody else could revoke them.",
			"Make another member an admin first. To do it all the same, send the request again with ?confirm=last_admin.",
		},
		{
			access.OwnerRequired,
			"The partner would be left without an active owner.",
			"Make another user the owner first.",
		},
		{
			access.GrantDiffers,
			"The partner has an open grant whose terms differ from those of the request. A second grant adds people and changes nobody's terms.",
			"Leave out the members that errors names, or edit the grant with PATCH.",
		},
		{
			access.Ended,
			"It has ended or was removed, and what has ended cannot be changed.",
			"Grant or create it anew.",
		},
		{
			access.PlanChanged,
			"Carried out now, the request would have another effect than the plan that Prefer names. Nothing was changed.",
			"Make the dry run again, look at its plan, and send the request with the new one.",
		},
		{
			access.Contention,
			"Others changed the same record each time that this request was tried. Nothing was changed.",
			"Wait as Retry-After says, and send the request again.",
		},
		{
			access.AlreadyInvited,
			"The person has an invitation that is not answered yet.",
			"Send that one again, or withdraw it first.",
		},
		{
			access.JobOpen,
			"The bulk job is not done yet.",
			"Wait until its state says so, or cancel it.",
		},
		{
			access.NothingToRetry,
			"Each row of the bulk job is done: there is none to try again.",
			"Start a new job for new rows.",
		},
		{
			access.MailOutdated,
			"What the mail says is not true any more, it is a summary, or its address gets no mails about this any more. It is not sent again.",
			"Nothing, where detail names a newer mail or another state. Of a summary, send the mails that it names.",
		},
		{
			access.TooManyWebhooks,
			"There are as many webhooks as one owner can have.",
			"Remove one that is not used any more.",
		},
		{
			access.WebhookNotVerified,
			"The webhook's address has not answered the challenge, or the webhook was disabled: nothing is sent there.",
			"Answer webhook.verify with 2xx and the token of its data, then try again.",
		},
		{
			access.DeliveryPendingStill,
			"The delivery is being sent, or is about to be.",
			"Wait a minute, and read it again: it may have arrived by then.",
		},
		{
			access.EventsGone,
			"The events that follow the given number are not kept any more.",
			"Read the present state from the API, then go on after the number that detail names.",
		},
		{
			access.CannotAsk,
			"No customer takes this request: the code is wrong, the customer takes no requests, or there is no such customer. Which one is not " +
				"said.",
			"Ask the customer for its request code, and type it again. After some wrong codes the partner has to wait.",
		},
		{
			access.RequestEnded,
			"The request was decided, withdrawn, or is over.",
			"Read it to see how it ended. A partner can ask again with a new request.",
		},
		{
			access.AlreadyAsked,
			"The customer has put its question about this request, and there is one question for each.",
			"Approve or decline the request.",
		},
		{
			access.OwnRequest,
			"The person who would decide is a user of the partner that asks.",
			"Have another admin of the customer decide.",
		},
		{
			access.WiderThanAsked,
			"The approval would grant more than the request asks for: a higher level, more people, or a longer time.",
			"Approve at most what was asked for, and edit the grant afterwards.",
		},
		{
			access.GivesNothing,
			"What is asked for, or approved, is so already.",
			"Nothing, or ask for something else.",
		},
		{
			access.WrongPerson,
			"The invitation is bound to another address than the one that the token carries.",
			"Sign in with the invited address, or have the invitation sent to yours.",
		},
		{
			access.InvitationEnded,
			"The invitation was withdrawn, declined, accepted, or its time is over.",
			"Ask for a new one.",
		},
		{
			access.VersionMismatch,
			"If-Match or If-None-Match names another version than the one that is there: somebody has changed it since it was read.",
			"Read it again, look at what has changed, and send the edit with the new ETag.",
		},
		{
			tooLarge,
			"The body has more bytes than the operation takes: 64 KiB, and 1 MiB for bulk jobs.",
			"Divide the request, or use a bulk job.",
		},
		{
			unsupportedMediaType,
			"The header Content-Type does not say that the body is JSON.",
			"Send Content-Type: application/json; bulk jobs take text/csv, too.",
		},
		{
			access.UnknownEmail,
			"No partner has a user with this address.",
			"Check the spelling, or invite the person.",
		},
		{
			access.OwnOrganisation,
			"The person belongs to the customer's own organisation, and a partner's access is for others.",
			"Choose somebody of the partner. The customer's own people get their access from the customer.",
		},
		{
			access.PartnerNotEligible,
			"The partner is no channel partner, or the provider offers it no access of this kind.",
			"Choose another partner, or ask the provider to change the partner's offer.",
		},
		{
			access.PartnerNotActive,
			"The partner is suspended or removed. With status 403 it is the caller's own organisation: its people can read, and change nothing.",
			"Wait until the provider resumes the partner, or ask the provider why it is suspended.",
		},
		{
			access.UserNotOfPartner,
			"The user belongs to another partner than the grant's, or does not exist.",
			"Choose a user of this partner: GET /v1/partners/{partner}/users lists them.",
		},
		{
			access.UserNotActive,
			"The user is disabled or removed.",
			"Choose another user, or have one of the partner's leads enable this one first.",
		},
		{
			access.NotForCustomers,
			"The address, or its domain, belongs to a customer, and accounts of partners' users are not for a customer's people.",
			"Use an address of the partner's own.",
		},
		{
			access.PhoneRequired,
			"The user is to sign in with two factors, and has no telephone number.",
			"Give phone in international form, such as +4930123456.",
		},
		{
			access.PeriodInvalid,
			"The period ends in the past, or before it begins.",
			"Give an until that lies after from and after now, or null for no end.",
		},
		{
			access.WrongPassword,
			"The current password is another one than the request gives.",
			"Type it again. Whoever has lost it uses the sign-in page to reset it.",
		},
		{
			access.WeakPassword,
			"The new password is too short or too simple for the identity provider's rules.",
			"Choose a longer one, as detail says.",
		},
		{
			access.TooManyUsers,
			"One request would change the access of more than 80 users.",
			"Divide the request, or switch everyone on, which counts as one.",
		},
		{
			access.IdempotencyMismatch,
			"The Idempotency-Key was used for a request with another body.",
			"Use a new key for each new request. To repeat the first one, send the same body.",
		},
		{
			ifMatchRequired,
			"An edit has to say which version it was made from, so that it overwrites nobody's changes.",
			"Send the ETag of what was read as If-Match, or * for whichever version is there.",
		},
		{
			access.TooManyRequests,
			"There were too many requests for now: of a function, of what it stands on, or of requests that send mails or try secrets.",
			"Wait as Retry-After says. The gateway refuses rushes with the same status, a message and no problem document.",
		},
		{
			unavailable,
			"The storage did not answer in time. Whether a change was made is unknown.",
			"Read what is there, then try again; a POST with an Idempotency-Key can be repeated as it is. A check without an answer has to deny.",
		},
		{
			internal,
			"Something went wrong on our side. Nothing that we know of was changed.",
			"Try again later. If it stays, give the provider the request_id, which is in the log.",
		},
	}
}

// getProblems answers with the sections as a page: what problemType refers to.
func getProblems(_ context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	return reply{status: 200, encoded: problemsPage(), contentType: "text/html; charset=utf-8", cacheControl: "public, max-age=3600"}, nil
}

func problemsPage() []byte {
	var b strings.Builder
	b.WriteString(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Problems - Partner Access</title>
</head>
<body>
<h1>Problems</h1>
<p>Each refusal of the API is a problem document (RFC 9457). Its <code>code</code> is stable; its <code>type</code> points to a section of
this page; its <code>detail</code> says what is wrong with this request. Refusals of the gateway itself (401, 403, 404, 413, 429, 5xx) are a
JSON object with a <code>message</code>.</p>
`)
	sections := problemSections()
	slices.SortStableFunc(sections, func(a, b problemSection) int {
		return cmp.Or(cmp.Compare(problemFor(a.code).status, problemFor(b.code).status), cmp.Compare(a.code, b.code))
	})
	for _, s := range sections {
		p := problemFor(s.code)
		_, _ = fmt.Fprintf(&b, `<section id="%s">
<h2>%s</h2>
<p>%d <code>%s</code></p>
<p>What happened: %s</p>
<p>What to do: %s</p>
</section>
`, s.code, html.EscapeString(p.title), p.status, s.code, html.EscapeString(s.happened), html.EscapeString(s.do))
	}
	b.WriteString("</body>\n</html>\n")
	return []byte(b.String())
}
