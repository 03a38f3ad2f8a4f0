package stack_test

import (
	"net"
	"net/http"
	"testing"
	"time"
)

func TestTheClockOfFunctionsThatAreProgramsCannotBeMoved(t *testing.T) {
	c := config(t)
	c.RealClock = true
	s := start(t, c)
	for _, body := range []string{`{"advance":"1h"}`, `{"now":"2027-03-01T00:00:00Z"}`} {
		if status, got := call(t, "POST", s.URL()+"/_local/clock", body); status != http.StatusConflict {
			t.Errorf("%s: got %d %s, want 409", body, status, got)
		}
	}
	if status, got := call(t, "GET", s.URL()+"/_local/clock", ""); status != http.StatusOK {
		t.Errorf("the time: got %d %s", status, got)
	}
	if ahead := time.Until(s.Clock.Now()); ahead > time.Second {
		t.Errorf("the clock is %s ahead, want the real time", ahead)
	}
}

func TestContainersReachSESAloneAndOnlyWhereThatIsAskedFor(t *testing.T) {
	c := config(t)
	c.MailListen = "127.0.0.1:0"
	s := start(t, c)
	if _, port, err := net.SplitHostPort(s.MailAddress()); err != nil || port == "0" {
		t.Fatalf("got the address %q, %v, want one with a port", s.MailAddress(), err)
	}
	const container = "host.docker.internal:8025"
	mail := `{"FromEmailAddress":"no-reply@cloud.example","Destination":{"ToAddresses":["ann@acme.example"]},"Content":{"Simple":{"Subject":{"Data":"Hello"},"Body":{"Text":{"Data":"Hello"}}}}}`
	const path = "/_local/ses/v2/email/outbound-emails"
	if status, got := call(t, "POST", s.URL()+path, mail, "Host", container); status != http.StatusForbidden {
		t.Errorf("the stack itself: got %d %s, want 403 for a container", status, got)
	}
	if status, got := call(t, "POST", "http://"+s.MailAddress()+path, mail, "Host", container); status != http.StatusOK {
		t.Errorf("where containers are to reach it: got %d %s, want 200", status, got)
	}
	if got := s.Mail.List(); len(got) != 1 || got[0].To != "ann@acme.example" {
		t.Errorf("got the mails %+v, want the one", got)
	}
	for _, other := range []string{"/_local/mail", "/_local/health", "/_local/token", "/x"} {
		if status, got := call(t, "GET", "http://"+s.MailAddress()+other, ""); status != http.StatusNotFound {
			t.Errorf("%s where containers reach it: got %d %s, want 404", other, status, got)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.MailAddress()); err == nil {
		_ = conn.Close()
		t.Error("after the stop: it still listens")
	}
	c.MailListen, c.Table = "", c.Table+"-none"
	if got := start(t, c).MailAddress(); got != "" {
		t.Errorf("not asked for: got the address %q, want none", got)
	}
}
