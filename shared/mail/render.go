package mail

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"time"

	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/messages"
)

// Message is a mail that is ready to be sent. It may hold a secret: never log or store it.
type Message struct {
	To      string
	From    string
	ReplyTo string // "" = none
	Subject string // on one line, not encoded
	Text    string
	HTML    string
	Card    []byte // for a chat, and instead of all else; nil = it is a mail
	Headers map[string]string
	Tags    map[string]string // for the mail service: template, type, event, organisation and source, all of [A-Za-z0-9_-]
}

// Renderer renders letters as messages.
type Renderer struct {
	settings   Settings
	catalogues map[string]*messages.Catalogue // by language
	letters    *template.Template
	text       *template.Template
	html       *htmltemplate.Template
}

//go:embed templates
var templates embed.FS

// NewRenderer fails when the settings are invalid, with the errors of Settings.Validate.
func NewRenderer(s Settings) (*Renderer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r := &Renderer{settings: s}
	var err error
	r.catalogues = map[string]*messages.Catalogue{}
	for _, language := range messages.Languages() {
		if r.catalogues[language], err = messages.Load(language, "mails."); err != nil {
			return nil, fmt.Errorf("read the letters' words: %w", err)
		}
	}
	if r.letters, err = template.New("").Option("missingkey=error").ParseFS(templates, "templates/*.tmpl"); err != nil {
		return nil, fmt.Errorf("read the letters' templates: %w", err)
	}
	if r.text, err = template.ParseFS(templates, "templates/layout.txt"); err != nil {
		return nil, fmt.Errorf("read the layout of plain text: %w", err)
	}
	if r.html, err = htmltemplate.ParseFS(templates, "templates/layout.html"); err != nil {
		return nil, fmt.Errorf("read the layout of HTML: %w", err)
	}
	return r, nil
}

// page is all that a message says; the layouts write it as plain text and as HTML, so that the two cannot differ.
type page struct {
	Language    string
	Direction   string // "ltr" or "rtl"
	Labels      labels
	Product     string
	Subject     string
	Preview     string // what a list of mails shows after the subject
	Greeting    string
	Paragraphs  []string
	Password    string
	Action      string // the link's label
	URL         string
	ShowURL     bool // in HTML, too
	Changes     []line
	Facts       []line
	People      []list
	Quotes      []quote
	Why         string
	Support     string
	SupportURL  string
	Unsubscribe string
}

// labels are the words of the layouts.
type labels struct{ Changes, Present, Password, Questions, NoReminders string }

// view is a letter as its templates see it, in its recipient's language and zone.
func (r *Renderer) view(l Letter, secret string) view {
	w := &wording{zone: time.UTC}
	for _, language := range []string{messages.Fallback, r.settings.Language, l.Reader.Language} {
		if c, ok := r.catalogues[language]; ok { // one that was chosen may have no words any more
			w.language, w.catalogue = language, c
		}
	}
	if zone, err := time.LoadLocation(cmp.Or(l.Reader.Zone, r.settings.Zone)); err == nil {
		w.zone = zone
	}
	return view{l: l, s: r.settings, w: w, Secret: secret}
}

// Render renders a letter. The secret is of the letter's kind: a token is required, a temporary password may be "" where people sign in
// elsewhere. Any other secret is refused, since it could only leak by mistake.
func (r *Renderer) Render(l Letter, secret string) (Message, error) {
	switch {
	case l.Secret == Token && secret == "":
		return Message{}, fmt.Errorf("letter %s to the %s: it needs a token", l.Template, l.Side)
	case l.Secret == NoSecret && secret != "":
		return Message{}, fmt.Errorf("letter %s to the %s: it carries no secret", l.Template, l.Side)
	}
	p, err := r.page(r.view(l, secret))
	if err != nil {
		return Message{}, err
	}
	m := Message{
		To: l.To, From: r.settings.From, ReplyTo: r.settings.ReplyTo, Subject: p.Subject,
		// RFC 3834: no answers from people's absence assistants.
		Headers: map[string]string{"Auto-Submitted": "auto-generated"},
		Tags: map[string]string{
			"template": l.Template, "type": strings.ReplaceAll(string(l.Event.Type), ".", "-"), "event": l.Event.ID,
			"organisation": receipt.KeyOf(l.Event, l.To).Organisation(), "source": receipt.SourceOf(l.Event),
		},
	}
	if p.Unsubscribe != "" {
		m.Headers["List-Unsubscribe"] = "<" + p.Unsubscribe + ">"
		if strings.HasPrefix(p.Unsubscribe, "https:") { // RFC 8058
			m.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
		}
	}
	var text, html strings.Builder
	if err := r.text.Execute(&text, p); err != nil {
		return Message{}, fmt.Errorf("letter %s to the %s: %w", l.Template, l.Side, err)
	}
	if err := r.html.Execute(&html, p); err != nil {
		return Message{}, fmt.Errorf("letter %s to the %s: %w", l.Template, l.Side, err)
	}
	m.Text, m.HTML = text.String(), html.String()
	if chat := r.settings.Chat; l.To == chatAddress(chat) {
		m.Card, err = card(p, chat)
	}
	return m, err
}

// page renders the letter's text and adds the parts that follow from the event.
//
// A letter is a template "<template>.<side>", for all languages: lines "Subject: " and "Preview: ", an empty line, and paragraphs between
// empty lines. It says which sentences there are and when; their words are the catalogue's. Nothing that people entered can begin a line or
// hold an empty one, since all of it is on one line.
func (r *Renderer) page(v view) (page, error) {
	name := v.l.Template + "." + string(v.l.Side)
	var b strings.Builder
	if err := r.letters.ExecuteTemplate(&b, name, v); err != nil {
		return page{}, fmt.Errorf("letter %s: %w", name, err)
	}
	head, body, ok := strings.Cut(strings.TrimSpace(b.String()), "\n\n")
	subject, preview, two := strings.Cut(head, "\n")
	subject, hasSubject := strings.CutPrefix(subject, "Subject: ")
	preview, hasPreview := strings.CutPrefix(preview, "Preview: ")
	if !ok || !two || !hasSubject || !hasPreview {
		return page{}, errors.New("letter " + name + ": its template does not begin with a subject and a preview")
	}
	p := page{
		Language: v.w.language, Direction: v.T("direction"),
		Labels: labels{
			Changes: v.T("label.changes"), Present: v.T("label.present"), Password: v.T("label.password"), Questions: v.T("label.questions"),
			NoReminders: v.T("label.no_reminders"),
		},
		Product: r.settings.Product, Subject: spaced(subject), Preview: spaced(preview), Greeting: v.greeting(),
		Changes: v.changes(), Facts: v.facts(), People: v.people(), Why: v.why(), Support: r.settings.Support,
	}
	for _, paragraph := range strings.Split(body, "\n\n") {
		if paragraph = spaced(paragraph); paragraph != "" {
			p.Paragraphs = append(p.Paragraphs, paragraph)
		}
	}
	if v.l.Secret == Credential {
		p.Password = v.Secret
	}
	p.Action, p.URL = v.action()
	p.ShowURL = v.l.Secret == Token
	p.Quotes = v.quotes()
	p.SupportURL = p.Support
	if !strings.Contains(p.Support, "://") {
		p.SupportURL = "mailto:" + p.Support
	}
	if v.reminder() && r.settings.Unsubscribe != "" {
		p.Unsubscribe = fill(r.settings.Unsubscribe, map[string]string{"address": v.l.To})
	}
	if v.w.err != nil {
		return page{}, fmt.Errorf("letter %s: %w", name, v.w.err)
	}
	return p, nil
}

// spaced collapses white space: the templates break their lines anywhere.
func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }
