// Package table decides in the caller's own process, as the service does: the same facts, read from the service's table with one strongly
// consistent BatchGetItem, and the same rules. It is for back ends in the vendor's account, for which a call of the service is a hop too
// many.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), checkRole))
//	db, err := table.Client(cfg)
//	access, err := table.New(db, tableName, access.DefaultCatalogue())
//	guard := client.Middleware(access, question)
//
// checkRole and tableName are the stack's outputs CheckRole and Table; the setting checkRoleFor says who may take the role. It reads what
// decisions look at, by key, and nothing else: no names, and no addresses but whose one is for those who know it.
//
// The promise is the service's: once a change that ends access has been answered, no check allows it, and a period ends on its instant, by
// this machine's clock. Nothing is kept of an answer. What cannot be read is an error, as is a record that was written by newer rules than
// this package knows, so that a back end that is older than the service denies instead of passing over what it does not know: update the
// back ends first.
//
// What the service does beside deciding is left out: there are no log lines, no figures, no page on which to ask for access; and a use of
// the access is recorded only with RecordUses, since the role cannot write.
package table

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/client"
	"partneraccess/shared/dynamo"
)

// Checker answers questions from the table. It may be used by many goroutines at once.
type Checker struct {
	reader      *dynamo.Reader
	catalogue   *access.Catalogue
	knownType   bool // the catalogue has customers
	consistency access.Consistency
	now         func() time.Time
	uses        *uses // nil: uses are not recorded
}

// Option changes what New makes.
type Option func(*Checker)

// Eventual reads at half the price, and gives the promise up: an answer may miss the latest changes, usually those of the last second, so
// that somebody whose access has just been revoked may still be allowed.
func Eventual() Option { return func(c *Checker) { c.consistency = access.Eventual } }

// Clock has that clock say what is now, in place of the machine's.
func Clock(now func() time.Time) Option { return func(c *Checker) { c.now = now } }

// RecordUses has the service asked the same question once for each person, customer and day, when Check allows it: the service records that
// the access was used, which customers see, and by which grants that are in use are extended. It delays that one answer by 250 ms at most,
// and changes none.
func RecordUses(service Asker) Option { return func(c *Checker) { c.uses = &uses{service: service} } }

// Client returns a client of DynamoDB for New: one that resolves its endpoint once and gives up early on a dead connection. Unless the
// configuration has somebody look into requests (APIOptions, interceptors, traces, logs), the first attempt of a read passes the SDK's
// stack by, at a third of its CPU time; all others are the SDK's. New takes any other client, too. The error is a sentence for the
// operator.
func Client(cfg aws.Config, change ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	return dynamo.ClientOf(cfg, change...)
}

// New returns a checker on the table of that name. The catalogue has to be the deployment's: access.DefaultCatalogue, or what
// access.ParseCatalogue makes of the file in its setting catalogue. With another one the answers are others.
func New(db *dynamodb.Client, name string, catalogue *access.Catalogue, options ...Option) (*Checker, error) {
	switch {
	case db == nil:
		return nil, errors.New("partner access: there is no client of DynamoDB: make one with Client")
	case name == "":
		return nil, errors.New("partner access: the table has no name: take the stack's output Table")
	case catalogue == nil:
		return nil, errors.New("partner access: there is no catalogue: take the deployment's, or access.DefaultCatalogue")
	}
	c := &Checker{
		reader:    dynamo.NewReader(db, name, dynamo.WithAliases(), dynamo.WithQuickReads()),
		catalogue: catalogue, consistency: access.Strong, now: time.Now,
	}
	_, c.knownType = catalogue.Resource("customer")
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// Check asks one question. Whatever goes wrong is a denial with an error. It is one read, and one more for a user who is named by an
// address.
func (c *Checker) Check(ctx context.Context, q client.Question) (client.Decision, error) {
	answers, err := c.answer(ctx, []client.Question{q})
	if err != nil {
		return client.Decision{}, err
	}
	a := answers[0]
	if a.use.On != "" && c.uses != nil {
		c.uses.record(ctx, q, c.now())
	}
	return a.decision, a.err
}

// Checks asks all questions, 100 at a time with one read. None of them is a use of the access.
func (c *Checker) Checks(ctx context.Context, questions []client.Question) (decisions []client.Decision, errs []error, err error) {
	for part := range slices.Chunk(questions, client.MaxQuestions) {
		answers, err := c.answer(ctx, part)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range answers {
			decisions, errs = append(decisions, a.decision), append(errs, a.err)
		}
	}
	return decisions, errs, nil
}

// answered is a question on its way to its decision.
type answered struct {
	user     string // the id; "" while or because it is unknown
	address  string // of a user who is named by it
	decision client.Decision
	err      error
	use      access.Use // that the decision is, when it is not recorded yet
}

// answer decides the questions. The instant is taken after the reading: what ends meanwhile has ended.
func (c *Checker) answer(ctx context.Context, questions []client.Question) ([]answered, error) {
	answers := make([]answered, len(questions))
	for i, q := range questions {
		if answers[i].user, answers[i].address = access.Subject(q.User); q.Action == "" {
			answers[i].err = &client.Problem{
				Status: http.StatusBadRequest, Code: string(access.Invalid), Title: "Bad Request", Detail: "The question names no action.",
			}
		}
	}
	if err := c.findUsers(ctx, answers); err != nil {
		return nil, fmt.Errorf("partner access: %w", err)
	}
	asked := make([]access.FactsQuery, 0, len(questions))
	for i := range answers {
		if a := &answers[i]; c.reads(a) {
			q := access.FactsQuery{User: a.user}
			if access.ValidID(questions[i].Customer) { // no grant is another's
				q.Customer = questions[i].Customer
			}
			asked = append(asked, q)
		}
	}
	var facts []access.Facts
	if len(asked) > 0 {
		var err error
		if facts, err = c.reader.Facts(ctx, asked, c.consistency); err != nil {
			return nil, fmt.Errorf("partner access: %w", err)
		}
	}
	now := c.now().UTC()
	for i := range answers {
		a := &answers[i]
		var f access.Facts
		if c.reads(a) {
			f, facts = facts[0], facts[1:]
		}
		if a.err == nil {
			d := c.decide(a.user, f, questions[i], now)
			a.decision, a.use = shown(d, now), access.UnrecordedUse(f, d, access.DayOf(now))
		}
	}
	return answers, nil
}

// reads returns whether the question needs facts.
func (c *Checker) reads(a *answered) bool { return a.err == nil && a.user != "" && c.knownType }

func (c *Checker) decide(user string, f access.Facts, q client.Question, now time.Time) access.Decision {
	switch {
	case user == "":
		return access.Decision{Reason: access.UnknownSubject}
	case !c.knownType:
		return access.Decision{Reason: access.ActionNotAllowed}
	}
	return c.catalogue.Decide(f, q.Customer, q.Action, now)
}

// shown is a decision as the service's answer has it.
func shown(d access.Decision, now time.Time) client.Decision {
	out := client.Decision{
		Allowed: d.Allow, Reason: string(d.Reason), Grant: d.Grant, EvaluatedAt: now.Truncate(time.Millisecond),
	}
	if d.Grant != "" {
		out.Level = d.Level.String()
	}
	if !d.Until.IsZero() {
		out.ValidUntil = d.Until.UTC()
	}
	return out
}

// findUsers finds the users who are named by their addresses, each address once.
func (c *Checker) findUsers(ctx context.Context, answers []answered) error {
	var addresses []string
	for i := range answers {
		if a := &answers[i]; a.address != "" && a.err == nil && !slices.Contains(addresses, a.address) {
			addresses = append(addresses, a.address)
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	users := make([]string, len(addresses))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, address := range addresses {
		g.Go(func() error {
			user, err := c.reader.UserByEmail(ctx, address)
			if access.ValidUserID(user) {
				users[i] = user
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range answers {
		if n := slices.Index(addresses, answers[i].address); n >= 0 {
			answers[i].user = users[n]
		}
	}
	return nil
}
