package httpapi

import (
	"context"
	"slices"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/authzen"
)

// A check with context.at asks what was decided at an instant of the past. It has a scope of its own, and its answer is marked, so that
// nobody takes it for one about now: a back end that serves people cannot ask it by mistake, and an auditor's token opens nothing.

// PastFacts is where decisions about the past find their facts. Its error means that the questions cannot be answered now.
type PastFacts interface {
	// PastFacts returns the facts about each question as they were, with the versions that are missing for it.
	PastFacts(ctx context.Context, qs []access.FactsQuery, of access.Past) ([]access.Facts, [][]access.MissingVersions, error)
}

// pastEvaluation is what an evaluation about the past has beside.
type pastEvaluation struct {
	access.Past
	missing []access.MissingVersions
}

// prepareAt reads the instant that a query's context names, and returns what is wrong with it.
func (k *check) prepareAt(q *authzen.Query) (*pastEvaluation, *access.Error) {
	p := &pastEvaluation{}
	at, err := parseInstant(*q.Context.At)
	if err != nil {
		return p, q.InvalidAt(err.Error())
	}
	p.Past = access.Past{At: at, Asked: k.Now().UTC()}
	if err := access.CheckPast(at, p.Asked); err != nil {
		return p, q.InvalidAt(err.Detail)
	}
	if q.Subject.Type == "user" && !access.ValidUserID(q.Subject.ID) {
		return p, q.InvalidSubject("About the past a user is named by its id: an address may have been another person's then.")
	}
	return p, nil
}

// auditors refuses questions about the past without the scope for them.
func auditors(r *apigateway.Request, evaluations []evaluation) *access.Error {
	if !slices.ContainsFunc(evaluations, func(e evaluation) bool { return e.past != nil }) {
		return nil
	}
	account, err := accountOf(&r.Claims, nil)
	if err != nil || account.Kind != access.NamelessAccount || !slices.Contains(r.Claims.Scopes, ScopeAudit) {
		return access.Refuse(access.Forbidden, "Questions about the past (context.at) need a token with the scope %s.", ScopeAudit)
	}
	return nil
}

// decidePast decides the evaluations about the past, by the facts of their instants. Questions about one instant are read together.
func (k *check) decidePast(ctx context.Context, r *apigateway.Request, evaluations []evaluation) {
	of := map[access.Past][]*evaluation{}
	for i := range evaluations {
		if e := &evaluations[i]; e.past != nil && e.failed == nil {
			of[e.past.Past] = append(of[e.past.Past], e)
		}
	}
	for past, those := range of {
		questions := make([]access.FactsQuery, 0, len(those))
		for _, e := range those {
			if e.user != "" && e.knownType {
				questions = append(questions, e.question())
			}
		}
		facts, missing, err := k.Past.PastFacts(ctx, questions, past)
		if err != nil {
			failed := k.readFailed(ctx, r, err)
			for _, e := range those {
				e.failed = failed
			}
			continue
		}
		for _, e := range those {
			var f access.Facts
			if e.user != "" && e.knownType {
				f, facts = facts[0], facts[1:]
				e.past.missing, missing = missing[0], missing[1:]
			}
			e.decision = k.decideOne(e, f, e.query.Action.ID, past.At)
		}
	}
}

// answer writes the evaluation's decision.
func (e *evaluation) answer(b []byte, at time.Time) []byte {
	if e.past != nil {
		return authzen.AppendPast(b, &e.decision, at, e.past.At, e.past.missing)
	}
	return authzen.AppendDecision(b, &e.decision, at, e.ask)
}
