// Package mail turns events into e-mails: which event tells whom what, in which words, and each mail once.
//
// Letters is the table below and nothing else; a test holds the two together. Renderer writes a letter as plain text and HTML from the same
// words. Notifier claims, sends and settles them, over a sender and receipts that others implement. Where the settings name a chat, it gets
// what those who decide about a new request get, as a card.
//
//	event                      letter (side)                               carries     who is told
//	grant.created              granted (user)                                          the users added
//	grant.created              granted (partner)                                       the partner's contacts (1)
//	grant.created              granted (customer)                                      the customer's contacts
//	grant.edited               granted (user)                                          the users added
//	grant.edited               removed (user)                                          the users removed
//	grant.edited               changed (user)                                          the users whose own level changed
//	grant.edited               changed (user)                                          the other users, when their terms changed
//	grant.edited               changed (partner)                                       the partner's contacts (2)
//	grant.edited               changed (customer)                                      the customer's contacts, unless only the note changed
//	grant.suspended            granted (user)                                          the users added
//	grant.suspended            removed (user)                                          the users removed
//	grant.suspended            suspended (user)                                        the other users
//	grant.suspended            suspended (partner)                                     the partner's contacts (3)
//	grant.suspended            suspended (customer)                                    the customer's contacts
//	grant.resumed              granted (user)                                          the users added
//	grant.resumed              removed (user)                                          the users removed
//	grant.resumed              resumed (user)                                          the other users
//	grant.resumed              resumed (partner)                                       the partner's contacts (3)
//	grant.resumed              resumed (customer)                                      the customer's contacts
//	grant.started              started (user)                                          the users
//	grant.started              started (partner)                                       the partner's contacts
//	grant.started              started (customer)                                      the customer's contacts
//	grant.expiring             expiring (user)                                         the users
//	grant.expiring             expiring (partner)                                      the partner's contacts
//	grant.expiring             expiring (customer)                                     the customer's contacts
//	grant.expired              expired (user)                                          the users
//	grant.expired              expired (partner)                                       the partner's contacts
//	grant.expired              expired (customer)                                      the customer's contacts
//	grant.revoked              revoked (user)                                          the users
//	grant.revoked              revoked (partner)                                       the partner's contacts
//	grant.revoked              revoked (customer)                                      the customer's contacts
//	grant.relinquished         relinquished (user)                                     the users
//	grant.relinquished         relinquished (partner)                                  the partner's contacts
//	grant.relinquished         relinquished (customer)                                 the customer's contacts
//	grant.ended                ended (user)                                            the users
//	grant.ended                ended (partner)                                         the partner's contacts
//	grant.ended                ended (customer)                                        the customer's contacts
//	grant.user_left            user_left (partner)                                     the partner's contacts, when no user is left
//	grant.user_left            user_left (customer)                                    the customer's contacts
//	grant.person_changed       person_changed (customer)                               the customer's contacts
//	grant.partner_suspended    partner_suspended (customer)                            the customer's contacts
//	grant.partner_resumed      partner_resumed (customer)                              the customer's contacts
//	partner.suspended          partner_suspended (partner)                             the partner's contacts
//	partner.resumed            partner_resumed (partner)                               the partner's contacts
//	partner.removed            partner_removed (partner)                               the partner's contacts
//	user.created               account (user)                              credential  the person who gets an account
//	user.created               account (partner)                                       the partner's primary address, unless by an invitation
//	user.edited                address (user)                              credential  the person, when the address changed
//	user.edited                address_former (user)                                   the address before, when it changed
//	user.edited                address (partner)                                       the partner's primary address, if the address changed
//	user.enabled               address (user)                              credential  the person, when the address changed
//	user.enabled               address_former (user)                                   the address before, when it changed
//	user.enabled               address (partner)                                       the partner's primary address, if the address changed
//	user.disabled              address_former (user)                                   the address before, when it changed
//	user.activation_renewed    activation_renewed (user)                   credential  the person
//	user.activation_renewed    activation_renewed (partner)                            the partner's primary address
//	user.activation_missed     activation_missed (user)                                the person
//	user.activation_missed     activation_missed (partner)                             the partner's primary address
//	member.added               account (member)                            credential  the person, when an account was made
//	member.activation_renewed  activation_renewed (member)                 credential  the person
//	invitation.created         invitation (invitee)                        token       the person
//	invitation.created         invitation (customer)                                   the customer's contacts, when the partner invites
//	invitation.resent          invitation (invitee)                        token       the person
//	invitation.reminded        invitation_reminder (invitee)               token       the person
//	invitation.cancelled       invitation_cancelled (invitee)                          the person
//	invitation.cancelled       invitation_cancelled (customer or partner)              the inviter, or the inviting side's contacts (4)
//	invitation.accepted        invitation_accepted (customer or partner)               the inviter, or the inviting side's contacts
//	invitation.declined        invitation_declined (customer or partner)               the inviter, or the inviting side's contacts
//	invitation.expired         invitation_expired (customer or partner)                the inviter, or the inviting side's contacts
//	request.created            request (customer)                                      those who decide
//	request.created            request (user)                                          the person who asked
//	request.reminded           request_reminder (customer)                             those who decide
//	request.questioned         request_question (user)                                 the person who asked
//	request.seconded           request_seconded (customer)                             the others who decide
//	request.approved           request_approved (user)                                 the person who asked
//	request.approved           request_approved (customer)                             the others who decide
//	request.declined           request_declined (user)                                 the person who asked
//	request.declined           request_declined (customer)                             the others who decide
//	request.withdrawn          request_withdrawn (customer)                            those who decide
//	request.expired            request_ended (user)                                    the person who asked
//	request.expired            request_ended (customer)                                those who decide
//	request.cancelled          request_ended (user)                                    the person who asked
//	request.cancelled          request_ended (customer)                                those who decide
//	request.codes_refused      request_codes (customer)                                the customer's contacts
//	webhook.failing            webhook_failing (provider)                              the provider's address
//	webhook.failing            webhook_failing (customer)                              the customer's contacts
//	webhook.disabled           webhook_disabled (provider)                             the provider's address
//	webhook.disabled           webhook_disabled (customer)                             the customer's contacts
//
// A crowd is a set of users too large to be named in the event.
//
//  1. When they choose the users, or a crowd, everyone or nobody is named.
//  2. When there is a message, everyone was switched, the choice became theirs, users were removed who are not named, or a crowd's or
//     nobody's terms changed.
//  3. When there is a message, a crowd or nobody is named, users were removed who are not named, or everyone was switched.
//  4. When nobody cancelled it: it ended with the grant, the inviter or one of the sides.
//
// The customer's contacts get one digest for a change, however many users it concerns. Everybody else concerned by a user's or a member's
// account, by what the directory says of a partner or a customer, or by a managed relationship beginning and ending, is told by the change
// of the grant, or not at all.
//
// An address gets one mail for one event. What happened follows from the event; whom it reaches, and what is so, from what holds when the
// mail is made (Situation): people and contacts are told at the addresses that they have then, level and status are what a check would
// answer, and what holds no longer is not sent. What ends or pauses access is sent however late, and organisations hear of each change.
// Where a partner has no contacts its owner is told. Secrets (tokens, temporary passwords) are made when the mail is sent; they are in no
// event, no receipt and no log.
package mail
