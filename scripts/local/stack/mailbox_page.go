package stack

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"regexp"
	"slices"
)

// The mailbox in a browser. A mail is shown as a mail program would show it: in a sandbox that runs nothing, and loads nothing from
// elsewhere. Its links open in a new tab, as ordinary pages.
const mailboxPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'self'"

//nolint:gochecknoglobals // parsed once
var mailboxPage = template.Must(template.New("").Funcs(template.FuncMap{"lines": linked}).Parse(mailboxHTML))

const mailboxHTML = `{{define "head"}}<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; justify-content: space-between; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid #8886; }
li a { display: block; padding: .6rem .25rem; color: inherit; text-decoration: none; }
li a:hover, li a:focus-visible { background: #8882; }
.about { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .875rem; opacity: .8; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1rem; }
dt { opacity: .7; }
dd { margin: 0; }
iframe { width: 100%; height: 65vh; border: 1px solid #8886; background: #fff; color-scheme: light; }
pre { white-space: pre-wrap; border: 1px solid #8886; padding: .75rem; font: .875rem/1.5 ui-monospace, monospace; }
button { font: inherit; padding: .3rem .8rem; }
</style>
</head>
<body>{{end}}

{{define "list"}}{{template "head" "Mailbox"}}
<header>
<h1>Mailbox: {{len .}} {{if eq (len .) 1}}mail{{else}}mails{{end}}</h1>
{{if .}}<form method="post" action="/_local/mailbox/empty"><button>Empty the mailbox</button></form>{{end}}
</header>
{{if .}}<ul>
{{range .}}<li><a href="/_local/mailbox/{{.ID}}">
<strong>{{.Subject}}</strong>
<span class="about"><span>to {{.To}}</span><span>{{.Event}}</span>
<time datetime="{{.At.Format "2006-01-02T15:04:05Z07:00"}}">{{.At.Format "2 January 2006 15:04:05 MST"}}</time></span>
</a></li>
{{end}}</ul>{{else}}<p>What the service sends by e-mail arrives here. Change something, and load this page again.</p>{{end}}
</body>
</html>{{end}}

{{define "mail"}}{{template "head" .Subject}}
<p><a href="/_local/mailbox">← Mailbox</a></p>
<h1>{{.Subject}}</h1>
<dl>
<dt>From</dt><dd>{{.From}}</dd>
<dt>To</dt><dd>{{.To}}</dd>
<dt>At</dt><dd>{{.At.Format "2 January 2006 15:04:05 MST"}}</dd>
<dt>Event</dt><dd>{{.Event}}</dd>
{{range $name, $value := .Headers}}<dt>{{$name}}</dt><dd>{{$value}}</dd>
{{end}}</dl>
{{if .HTML}}<h2>HTML</h2>
<iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"
 srcdoc="<base target=_blank>{{.HTML}}"></iframe>{{end}}
{{if .Text}}<h2>Text</h2>
<pre>{{range lines .Text}}{{if .Link}}<a href="{{.Link}}" target="_blank" rel="noreferrer">{{.Link}}</a>
{{- else}}{{.Text}}{{end}}{{end}}</pre>{{end}}
</body>
</html>{{end}}`

// piece is a part of a text: plain, or a link.
type piece struct{ Text, Link string }

var link = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?)\]]`)

// linked takes the links out of a text.
func linked(text string) []piece {
	var out []piece
	for text != "" {
		at := link.FindStringIndex(text)
		if at == nil {
			return append(out, piece{Text: text})
		}
		out = append(out, piece{Text: text[:at[0]]}, piece{Link: text[at[0]:at[1]]})
		text = text[at[1]:]
	}
	return out
}

func (s *Stack) mailboxList(w http.ResponseWriter, _ *http.Request) {
	mails := s.Mail.List()
	slices.Reverse(mails) // so that those of one instant stand newest first, too
	slices.SortStableFunc(mails, func(a, b Mail) int { return cmp.Compare(b.At.UnixNano(), a.At.UnixNano()) })
	s.page(w, http.StatusOK, "list", mails)
}

func (s *Stack) mailboxMail(w http.ResponseWriter, r *http.Request) {
	m, found := s.Mail.Find(r.PathValue("id"))
	if !found {
		s.page(w, http.StatusNotFound, "list", s.Mail.List())
		return
	}
	s.page(w, http.StatusOK, "mail", m)
}

func (s *Stack) mailboxEmpty(w http.ResponseWriter, r *http.Request) {
	s.Mail.Clear()
	http.Redirect(w, r, "/_local/mailbox", http.StatusSeeOther)
}

func (s *Stack) page(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := mailboxPage.ExecuteTemplate(&b, name, data); err != nil {
		s.log.Error("a page cannot be written", "page", name, "error", err.Error())
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", mailboxPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer, with which the button would come from a page without origin
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the caller has gone away
}
