package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/console"
	letters "partneraccess/shared/mail"
	"partneraccess/shared/manifest"
	"partneraccess/shared/settingsfile"
	"partneraccess/shared/webhook"
)

// Where a stack is meant to run.
const (
	onAWS        = "aws"
	onLocalStack = "localstack"
)

// settings are what a deployment is told, with -c name=value or in the JSON file that -c settings=file names; -c wins. Each name here is
// the name there.
type settings struct {
	stage  string // tells the deployments of one account and region apart
	target string // onAWS or onLocalStack

	// An identity provider of the operator's own; "": a user pool is made.
	issuer   string
	audience []string
	pageURL  []string // where the pool's sign-in page sends people back to, beside the console

	federation federation

	console                           bool   // false: the pages of scripts/console are left out
	consoleDomain, consoleCertificate string // of the pages; "": CloudFront's own address
	consoleLogin                      login
	embedOrigins                      []string // of the pages that may show the console's in a frame

	origins             []string // of the pages that may call the API from a browser
	domain, certificate string   // of the API; "": API Gateway's own address
	throttles           manifest.Throttles
	checkConcurrency    int      // executions that are kept for check; 0: none
	checkRoleFor        []string // accounts and roles whose back ends may decide from the table itself; none: there is no role for it

	letters          letters.Settings
	customerWebhooks bool // customers' admins name addresses that get their events

	mailIdentity       string // SES's: the domain, or the address, that mails are sent from
	createMailIdentity bool   // false: it is in the account already

	signInURL  string
	requireSSO bool
	catalogue  string // a file; "": the catalogue that is built in

	alarmEmail       string
	logRetentionDays int
	tracing          bool // X-Ray gets a trace of one request a second and of 5 % of the others
	accessLog        bool // API Gateway logs each request
	logAllows        int  // percent of the answers of check that allow, of which it logs a line
	platformLog      bool // Lambda logs the start, the end and a report of each invocation
	anomalies        bool // alarms learn what is usual of checks and denials
	dashboard        bool // CloudWatch has a page for operators

	// One client of machines gets tokens of both scopes, for a product whose one back end registers customers and asks for decisions. Whoever
	// gets hold of its secret can register people, and not only ask.
	sharedMachine bool

	rollout string // how new versions of the functions with routes take over: of rollouts(), or allAtOnce

	// A table that was restored to a point in time, or that a stack before this one has left, in the place of the stack's own: its ARN and its
	// stream's; "": there is none. A user pool likewise, by its id.
	restoredTable, restoredStream, userPool string

	// What an operator adds, by ARN; "": nothing.
	tableKey            string // the KMS key of the table, instead of AWS's own
	permissionsBoundary string // the policy beyond which no role of the stack may go
	webACL, poolWebACL  string // AWS WAF's rules before the pages and the API behind them (CloudFront's), and before the pool (the region's)
	backupCopyTo        string // a vault, of another region as a rule, that gets a copy of each backup
	backupDays          int    // how long daily backups are kept beside the 35 days of any instant; 0: there are none
	pipeline            string // the GitHub repository, owner/name, whose workflow may deploy
	budget              int    // US dollars a month, of which 80 % spent or 100 % foreseen are told to alarmEmail; 0: none

	protect bool // the stack, its table and its pool cannot be deleted: only after a deployment that has succeeded

	// LocalStack alone: addresses as a function in its container sees them.
	endpoint, sesEndpoint, baseURL string
}

// login is how the console signs people in with an identity provider of the operator's own.
type login struct {
	client, authorize, token string // the client's id there, and the provider's endpoints
	logout                   string // "": people stay signed in there
}

// defaults are the settings that need not be given, and required are those that have to be, for that target.
func defaults(target string) map[string]string {
	d := map[string]string{
		"stage": "dev", "target": onAWS, "issuer": "", "audience": "", "pageUrl": "", "origins": "",
		"console": "", "consoleDomain": "", "consoleCertificate": "", "consoleClient": "", "consoleAuthorize": "", "consoleToken": "",
		"consoleLogout": "", "embedOrigins": "",
		"domain": "", "certificate": "",
		"checkConcurrency": "0", "checkRoleFor": "",
		"tableKey": "", "permissionsBoundary": "", "webAcl": "", "poolWebAcl": "", "pipeline": "", "backupDays": "35",
		"backupCopyTo": "", "budget": "0",
		"mailIdentity": "", "createMailIdentity": "true", "replyTo": "", "unsubscribe": "", "chatWebhook": "", "providerEmail": "",
		"customerWebhooks": "false",
		"defaultLanguage":  "", "defaultZone": "",
		"signInUrl": "", "requireSso": "false", "catalogue": "", "alarmEmail": "", "logRetentionDays": "90", "tracing": "false",
		"accessLog": "true", "logAllows": "1", "platformLog": "false", "anomalies": "true", "dashboard": "true", "sharedMachine": "false",
		"rollout":       rollouts()[0],
		"restoredTable": "", "restoredStream": "", "userPool": "", "protect": "false",
		"federationName": "", "federationDomains": "", "federationIssuer": "", "federationClient": "", "federationSecret": "",
		"federationScopes": "", "federationMetadata": "", "federationEmail": "", "federationVerified": "",
	}
	usual := manifest.DefaultThrottles()
	for _, t := range usual.Settings() {
		d[t.Name] = fmt.Sprint(*t.Value)
	}
	if target == onLocalStack { // what the local stack says, which gets the mails
		maps.Copy(d, map[string]string{
			"product": "Example Cloud", "mailFrom": "Example Cloud <no-reply@cloud.example>", "support": "support@cloud.example",
			"customerUrl": "https://cloud.example/customers/{customer}/partners", "partnerUrl": "https://cloud.example/partners/{partner}",
			"invitationUrl": "http://127.0.0.1:8080/v1/invitations/{token}",
			"endpoint":      "http://localhost.localstack.cloud:4566", "sesEndpoint": "http://host.docker.internal:8025/_local/ses",
			"baseUrl": "http://127.0.0.1:8080",
		})
	}
	return d
}

func required(target string) []string {
	if target == onLocalStack {
		return nil
	}
	return []string{"product", "mailFrom", "support", "customerUrl", "partnerUrl", "invitationUrl"}
}

// read makes settings of what was given, by name. The error is sentences for the operator, each of which says which setting is wrong.
func read(given map[string]string) (settings, error) {
	if file := given["settings"]; file != "" {
		fromFile, err := settingsfile.Read(file)
		if err != nil {
			return settings{}, err
		}
		maps.Copy(fromFile, given)
		given = fromFile
	}
	target := given["target"]
	if target == "" {
		target = onAWS
	}
	all := defaults(target)
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	take(all, given, target, say)
	number := func(name string, least, most float64) float64 {
		n, err := strconv.ParseFloat(all[name], 64)
		if err != nil || n < least || n > most || n != float64(int(n)) {
			say("%s is %q: give a whole number from %.0f to %.0f", name, all[name], least, most)
		}
		return n
	}
	truth := func(name string) bool {
		b, err := strconv.ParseBool(all[name])
		if err != nil {
			say("%s is %q: set it to true or false", name, all[name])
		}
		return b
	}
	if all["console"] == "" { // the pages need a login that is known
		all["console"] = strconv.FormatBool(target == onAWS && (all["issuer"] == "" || all["consoleClient"] != ""))
	}
	s := settings{
		stage: all["stage"], target: target,
		console: truth("console"), consoleDomain: all["consoleDomain"], consoleCertificate: all["consoleCertificate"],
		consoleLogin: login{all["consoleClient"], all["consoleAuthorize"], all["consoleToken"], all["consoleLogout"]},
		embedOrigins: list(all["embedOrigins"]),
		issuer:       all["issuer"], audience: list(all["audience"]), pageURL: list(all["pageUrl"]), origins: list(all["origins"]),
		federation: readFederation(all),
		domain:     all["domain"], certificate: all["certificate"],
		tableKey: all["tableKey"], permissionsBoundary: all["permissionsBoundary"], webACL: all["webAcl"], poolWebACL: all["poolWebAcl"],
		backupDays: int(number("backupDays", 0, 36_500)), backupCopyTo: all["backupCopyTo"], pipeline: all["pipeline"],
		budget:           int(number("budget", 0, 1_000_000)),
		checkConcurrency: int(number("checkConcurrency", 0, 10_000)), checkRoleFor: list(all["checkRoleFor"]),
		letters: letters.Settings{
			Product: all["product"], From: all["mailFrom"], ReplyTo: all["replyTo"], Support: all["support"], CustomerURL: all["customerUrl"],
			PartnerURL: all["partnerUrl"], InvitationURL: all["invitationUrl"], Unsubscribe: all["unsubscribe"],
			Chat: all["chatWebhook"], Provider: cmp.Or(all["providerEmail"], all["alarmEmail"]),
			Language: all["defaultLanguage"], Zone: all["defaultZone"],
		},
		customerWebhooks: truth("customerWebhooks"),
		mailIdentity:     all["mailIdentity"], createMailIdentity: truth("createMailIdentity"),
		signInURL: all["signInUrl"], requireSSO: truth("requireSso"), catalogue: all["catalogue"],
		alarmEmail: all["alarmEmail"], logRetentionDays: int(number("logRetentionDays", 1, 3653)), tracing: truth("tracing"),
		accessLog: truth("accessLog"), logAllows: int(number("logAllows", 0, 100)), platformLog: truth("platformLog"),
		anomalies: truth("anomalies"), dashboard: truth("dashboard"), sharedMachine: truth("sharedMachine"), rollout: all["rollout"],
		restoredTable: all["restoredTable"], restoredStream: all["restoredStream"], userPool: all["userPool"], protect: truth("protect"),
		endpoint: all["endpoint"], sesEndpoint: all["sesEndpoint"], baseURL: all["baseUrl"],
	}
	for _, t := range s.throttles.Settings() {
		*t.Value = number(t.Name, 1, t.Most)
	}
	if !slices.ContainsFunc(wrong, func(err error) bool { return strings.Contains(err.Error(), " is missing:") }) {
		// one complaint of each is enough
		if err := s.letters.Validate(); err != nil {
			say("of product, mailFrom, replyTo, support, customerUrl, partnerUrl, invitationUrl, unsubscribe, defaultLanguage, "+
				"defaultZone and providerEmail: %w", err)
		} else if s.mailIdentity == "" {
			_, s.mailIdentity, _ = strings.Cut(s.fromAddress(), "@")
		}
	}
	if s.letters.Chat != "" {
		if err := webhook.CheckURL(s.letters.Chat); err != nil {
			say("chatWebhook: %w", err)
		}
	}
	wrong = append(wrong, s.problems()...)
	return s, errors.Join(wrong...)
}

// take puts what was given into all settings of the target, and complains of what it does not know and of what is missing.
func take(all, given map[string]string, target string, say func(string, ...any)) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		_, known := all[name]
		switch {
		case known, slices.Contains(required(target), name):
			if given[name] != "" {
				all[name] = given[name]
			}
		case name == "settings":
		default:
			say("%s is no setting for the target %s: there are %s", name, target, strings.Join(names(target), ", "))
		}
	}
	for _, name := range required(target) {
		if all[name] == "" {
			say("%s is missing: give it with -c %s=..., or in the file of -c settings=...", name, name)
		}
	}
}

// complaints collects what is wrong with settings.
type complaints []error

func (c *complaints) say(format string, args ...any) { *c = append(*c, fmt.Errorf(format, args...)) }

// problems returns what is wrong with settings that have the right form.
func (s settings) problems() []error {
	var c complaints
	s.checkStage(&c)
	s.checkIdentity(&c)
	s.checkFederation(&c)
	s.checkOrigins(&c)
	s.checkConsole(&c)
	s.checkDomain(&c)
	s.checkMail(&c)
	s.checkOperations(&c)
	s.checkAdditions(&c)
	s.checkCheckRole(&c)
	return c
}

func (s settings) checkStage(c *complaints) {
	if !regexp.MustCompile(`^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$`).MatchString(s.stage) {
		c.say("stage is %q: give up to 16 small letters, digits and hyphens that begin with a letter, since it becomes part of names", s.stage)
	} else if regexp.MustCompile(`aws|amazon|cognito`).MatchString(s.stage) {
		c.say("stage is %q: Cognito allows no aws, amazon or cognito in the name of a domain, of which the stage becomes part", s.stage)
	}
	if s.target != onAWS && s.target != onLocalStack {
		c.say("target is %q: set it to %s or %s", s.target, onAWS, onLocalStack)
	}
}

// checkIdentity is about who signs tokens, and where people sign in.
func (s settings) checkIdentity(c *complaints) {
	switch {
	case s.target == onLocalStack &&
		(s.issuer != "" || len(s.audience) > 0 || len(s.pageURL) > 0 || s.domain != "" || s.alarmEmail != "" || s.console):
		c.say("issuer, audience, pageUrl, domain, alarmEmail and console are for AWS: LocalStack's free plan has no HTTP API, no Cognito, and " +
			"nobody to alarm")
	case s.target == onLocalStack:
	case s.issuer == "" && len(s.audience) > 0:
		c.say("audience is given and issuer is not: give both for an identity provider of your own, or neither for a user pool")
	case s.issuer != "" && len(s.audience) == 0:
		c.say("issuer is given and audience is not: give both for an identity provider of your own, or neither for a user pool")
	case s.issuer != "" && len(s.pageURL) > 0:
		c.say("pageUrl is where a user pool sends people back to, and issuer brings another identity provider: leave one out")
	case s.issuer == "" && len(s.pageURL) == 0 && !s.console:
		c.say("pageUrl is missing: give the address to which the user pool's sign-in page sends people back, or the console with console=true, " +
			"or an identity provider of your own with issuer and audience")
	}
	if s.issuer != "" && (!isAddress(s.issuer, false) || strings.Contains(s.issuer, "?")) {
		c.say("issuer is %q: give the https:// address that stands in the tokens' iss, letter by letter", s.issuer)
	}
	if strings.HasSuffix(s.issuer, "/.well-known/openid-configuration") {
		c.say("issuer is %q: leave /.well-known/openid-configuration out, which API Gateway appends", s.issuer)
	}
	for _, a := range s.audience {
		if strings.ContainsAny(a, "*{} ") {
			c.say("audience has %q: API Gateway compares it letter by letter with the tokens' aud, and knows no patterns", a)
		}
	}
	for _, u := range s.pageURL {
		if !isAddress(u, true) {
			c.say("pageUrl has %q: give addresses that begin with https:// (http:// on localhost alone), separated by commas", u)
		}
	}
}

func (s settings) checkOrigins(c *complaints) {
	for _, o := range s.origins {
		if u, err := url.Parse(o); err != nil || !isAddress(o, true) || u.Path != "" || u.RawQuery != "" {
			c.say("origins has %q: give what a browser sends as Origin, such as https://app.example.com without a slash at the end, separated by "+
				"commas",
				o)
		}
	}
}

func (s settings) checkDomain(c *complaints) {
	switch {
	case (s.domain == "") != (s.certificate == ""):
		c.say("domain and certificate belong together: give the API's own domain and the ARN of its certificate in the same region, or neither")
	case s.domain != "" && !isDomain(s.domain):
		c.say("domain is %q: give a name such as access.example.com", s.domain)
	case s.certificate != "" && !regexp.MustCompile(`^arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate/.+$`).MatchString(s.certificate):
		c.say("certificate is %q: give the ARN of a certificate of AWS Certificate Manager", s.certificate)
	}
}

func (s settings) checkMail(c *complaints) {
	if from := strings.ToLower(s.fromAddress()); s.mailIdentity != "" && from != "" {
		identity := strings.ToLower(s.mailIdentity)
		_, domain, _ := strings.Cut(from, "@")
		if identity != from && identity != domain && !strings.HasSuffix(domain, "."+identity) {
			c.say("mailIdentity is %q and mailFrom is %s: the identity has to be that address, its domain, or a domain above it", s.mailIdentity,
				from)
		}
	}
	if s.signInURL != "" && !isAddress(strings.NewReplacer("{customer}", "x", "{domain}", "x.example").Replace(s.signInURL), true) {
		c.say("signInUrl is %q: give an address that begins with https:// and may hold {customer} and {domain}", s.signInURL)
	}
}

// checkAdditions is about what an operator adds by its ARN.
func (s settings) checkAdditions(c *complaints) {
	for _, a := range []struct{ name, arn, form, is string }{
		{"tableKey", s.tableKey, `^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/.+$`, "a KMS key in the same region"},
		{"permissionsBoundary", s.permissionsBoundary, `^arn:[a-z-]+:iam::\d{12}:policy/.+$`, "a policy of IAM"},
		{"webAcl", s.webACL, `^arn:[a-z-]+:wafv2:us-east-1:\d{12}:global/webacl/.+$`, "a web ACL of AWS WAF for CloudFront"},
		{"poolWebAcl", s.poolWebACL, `^arn:[a-z-]+:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/.+$`, "a web ACL of AWS WAF in the same region"},
		{"backupCopyTo", s.backupCopyTo, `^arn:[a-z-]+:backup:[a-z0-9-]+:\d{12}:backup-vault:.+$`, "a vault of AWS Backup"},
	} {
		if a.arn != "" && !regexp.MustCompile(a.form).MatchString(a.arn) {
			c.say("%s is %q: give the ARN of %s", a.name, a.arn, a.is)
		}
	}
	switch {
	case s.pipeline != "" && !regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`).MatchString(s.pipeline):
		c.say("pipeline is %q: give the GitHub repository as owner/name", s.pipeline)
	case s.webACL != "" && !s.console:
		c.say("webAcl stands before the pages, and console is not true: API Gateway's HTTP APIs take no web ACL")
	case s.poolWebACL != "" && !s.ownPool():
		c.say("poolWebAcl stands before the user pool, and issuer brings another identity provider: leave one out")
	case s.backupCopyTo != "" && s.backupDays == 0:
		c.say("backupCopyTo gets copies of backups, and backupDays is 0: leave one out")
	case s.budget > 0 && s.alarmEmail == "":
		c.say("budget is told to alarmEmail, which is missing")
	}
}

// checkOperations is about what an operator sets: alarms, logs, a table that was restored, the catalogue.
func (s settings) checkOperations(c *complaints) {
	if s.alarmEmail != "" {
		if a, err := mail.ParseAddress(s.alarmEmail); err != nil || a.Address != s.alarmEmail {
			c.say("alarmEmail is %q: give a bare e-mail address", s.alarmEmail)
		}
	}
	switch {
	case s.restoredTable == "" && s.restoredStream == "":
	case !regexp.MustCompile(`^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]+$`).MatchString(s.restoredTable):
		c.say("restoredTable is %q: give the ARN of the table that was restored, and its stream's ARN with restoredStream", s.restoredTable)
	case !strings.HasPrefix(s.restoredStream, s.restoredTable+"/stream/"):
		c.say("restoredStream is %q: give the ARN of the stream (new and old images) that was switched on for restoredTable", s.restoredStream)
	}
	if s.userPool != "" && (!regexp.MustCompile(`^[a-z0-9-]+_[A-Za-z0-9]+$`).MatchString(s.userPool) || !s.ownPool()) {
		c.say("userPool is %q: give the id of a user pool in this region, such as eu-central-1_AbCdEfGhI, and no issuer", s.userPool)
	}
	if !slices.Contains(retentions(), s.logRetentionDays) {
		c.say("logRetentionDays is %d: CloudWatch knows only %v", s.logRetentionDays, retentions())
	}
	if s.rollout != allAtOnce && !slices.Contains(rollouts(), s.rollout) {
		c.say("rollout is %q: set it to %s (then nothing is rolled back), or one of %s", s.rollout, allAtOnce, strings.Join(rollouts(), ", "))
	}
	if s.catalogue != "" {
		if text, err := os.ReadFile(s.catalogue); err != nil {
			c.say("catalogue cannot be read: %w", err)
		} else if _, err := access.ParseCatalogue(text); err != nil {
			c.say("catalogue %s: %w", s.catalogue, err)
		}
	}
}

func (s settings) checkConsole(c *complaints) {
	l := s.consoleLogin
	switch {
	case !s.console && (s.consoleDomain != "" || s.consoleCertificate != "" || l != login{} || len(s.embedOrigins) > 0):
		c.say("console is not true, and consoleDomain, consoleCertificate, consoleClient, consoleAuthorize, consoleToken, consoleLogout and " +
			"embedOrigins are about it: set console to true, or leave them out")
	case !s.console:
	case s.ownPool() && l != login{}:
		c.say("consoleClient, consoleAuthorize, consoleToken and consoleLogout are of an identity provider of your own: give its issuer and " +
			"audience, or leave them out for the user pool's")
	case s.issuer != "" && (l.client == "" || l.authorize == "" || l.token == ""):
		c.say("console needs consoleClient, consoleAuthorize and consoleToken with an identity provider of your own: the id of a client for " +
			"pages there, and the addresses of its authorization and token endpoints; or leave the pages out with console=false")
	case (s.consoleDomain == "") != (s.consoleCertificate == ""):
		c.say("consoleDomain and consoleCertificate belong together: give the pages' own domain and the ARN of a certificate for it in " +
			"us-east-1, or neither")
	case s.consoleDomain != "" && (!isDomain(s.consoleDomain) || s.consoleDomain == s.domain):
		c.say("consoleDomain is %q: give a name such as partners.example.com, and not the API's", s.consoleDomain)
	case s.consoleCertificate != "" &&
		!regexp.MustCompile(`^arn:[a-z-]+:acm:us-east-1:\d{12}:certificate/.+$`).MatchString(s.consoleCertificate):
		c.say("consoleCertificate is %q: give the ARN of a certificate of AWS Certificate Manager in us-east-1, the only region whose "+
			"certificates CloudFront takes", s.consoleCertificate)
	}
	if err := console.CheckEmbed(s.embedOrigins, false); err != nil {
		c.say("embedOrigins: %w", err)
	}
	for name, address := range map[string]string{
		"consoleAuthorize": l.authorize, "consoleToken": l.token,
		"consoleLogout": strings.ReplaceAll(l.logout, "{origin}", "x"),
	} {
		if address != "" && !isAddress(address, false) {
			c.say("%s is %q: give an address that begins with https://", name, address)
		}
	}
}

func isDomain(s string) bool {
	return regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`).MatchString(s)
}

// fromAddress is the bare address that mails come from; "" when there is none.
func (s settings) fromAddress() string {
	a, err := mail.ParseAddress(s.letters.From)
	if err != nil {
		return ""
	}
	return a.Address
}

// ownPool tells whether the accounts are kept in a user pool of the stack's own.
func (s settings) ownPool() bool { return s.target == onAWS && s.issuer == "" }

// retentions are the days for which CloudWatch can keep a log.
func retentions() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

func names(target string) []string {
	out := append(slices.Collect(maps.Keys(defaults(target))), required(target)...)
	slices.Sort(out)
	return out
}

func list(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func isAddress(s string, localToo bool) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(s, " {}*") {
		return false
	}
	return u.Scheme == "https" || localToo && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
}
