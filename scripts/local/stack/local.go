package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/seed"
)

// local serves the endpoints under /_local/, which exist in no deployed function.
func (s *Stack) local() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_local/health", s.health)
	mux.HandleFunc("GET /_local/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.issuer.Keys())
	})
	mux.HandleFunc("GET /_local/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": s.issuer.URL(), "jwks_uri": s.issuer.URL() + "/jwks.json", "token_endpoint": s.issuer.URL() + "/token",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /_local/people", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, append([]seed.Person{}, s.people...)) // [] rather than null
	})
	mux.HandleFunc("POST /_local/token", s.token)
	mux.HandleFunc("POST /_local/login", s.login)
	mux.HandleFunc("POST /_local/forgot", s.forgot)
	mux.HandleFunc("POST /_local/forgot/confirm", s.confirmForgot)
	mux.HandleFunc("GET /_local/clock", func(w http.ResponseWriter, _ *http.Request) { s.showClock(w) })
	mux.HandleFunc("POST /_local/clock", s.moveClock)
	mux.HandleFunc("GET /_local/mail", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Mail.List())
	})
	mux.HandleFunc("DELETE /_local/mail", func(w http.ResponseWriter, _ *http.Request) {
		s.Mail.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_local/mailbox", s.mailboxList)
	mux.HandleFunc("GET /_local/mailbox/{id}", s.mailboxMail)
	mux.HandleFunc("POST /_local/mailbox/empty", s.mailboxEmpty)
	s.SES.serve(mux)
	s.Bus.serve(mux)
	mux.HandleFunc("GET /_local/dead-letters", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Dead.List())
	})
	mux.HandleFunc("DELETE /_local/dead-letters/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.Dead.Remove(r.PathValue("id")) {
			refuse(w, http.StatusNotFound, "no dead letter has this requestId")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_local/metrics", s.showMetrics)
	mux.HandleFunc("POST /_local/lambda/2015-03-31/functions/{function}/invocations", s.lambdaAPI)

	c := cors{s.origins}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mark(w.Header(), r)
		if reason := s.foreign(r); reason != "" {
			refuse(w, http.StatusForbidden, reason)
			return
		}
		if c.preflight(w, r) {
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// foreign says why a request may not use /_local/, or nothing. A page in the browser of whoever runs the stack must not
// get at it: neither by its own origin, nor by a name that it lets point here (DNS rebinding).
func (s *Stack) foreign(r *http.Request) string {
	loopback := []string{"127.0.0.1", "localhost", "::1"}
	if host, _ := hostAndPort(r.Host); !slices.Contains(loopback, host) {
		return "/_local/ is for localhost alone"
	}
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.origins, origin) {
		return ""
	}
	if u, err := url.Parse(origin); err == nil && u.Host == r.Host {
		return ""
	}
	return "/_local/ is not for pages of this origin: add it to CORS_ORIGINS"
}

func (s *Stack) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if !s.prepared.Load() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "starting", "engine": s.engine.Kind(), "table": s.table})
		return
	}
	out, err := s.engine.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(s.table)},
		func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil || out.Table.TableStatus != types.TableStatusActive {
		s.log.Error("health: the table does not answer", "table", s.table, "error", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "engine": s.engine.Kind(), "table": s.table})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "engine": s.engine.Kind(), "table": s.table, "now": s.Clock.Now()})
}

func (s *Stack) token(w http.ResponseWriter, r *http.Request) {
	var request TokenRequest
	if !decode(w, r, &request) {
		return
	}
	if request.Email == "" && request.Scope == "" {
		refuse(w, http.StatusBadRequest, `give {"email": "ann@acme.example"} for a person or {"scope": "partner-access/check"} for a back end`)
		return
	}
	token, err := s.issuer.Token(request)
	if err != nil {
		s.log.Error("token cannot be signed", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Stack) showClock(w http.ResponseWriter) {
	writeJSON(w, http.StatusOK, map[string]any{"now": s.Clock.Now()})
}

func (s *Stack) moveClock(w http.ResponseWriter, r *http.Request) {
	if s.fixed {
		refuse(w, http.StatusConflict, "the functions are programs of their own (BACKEND=lambda) and have the real clock: it cannot be moved")
		return
	}
	var request struct {
		Advance string    `json:"advance"`
		Now     time.Time `json:"now"`
	}
	if !decode(w, r, &request) {
		return
	}
	if (request.Advance == "") == request.Now.IsZero() {
		refuse(w, http.StatusBadRequest, `give either {"advance": "720h"} or {"now": "2027-03-01T00:00:00Z"}`)
		return
	}
	if request.Advance != "" {
		d, err := time.ParseDuration(request.Advance)
		if err != nil {
			refuse(w, http.StatusBadRequest, `advance is a duration such as "720h", "90m" or "1h30m"; the longest unit is the hour`)
			return
		}
		s.Clock.Advance(d)
	} else {
		s.Clock.Set(request.Now)
	}
	ctx := context.WithoutCancel(r.Context())
	err := s.schedule.all(ctx)
	if s.onClock != nil {
		err = errors.Join(err, s.onClock(ctx))
	}
	if err != nil {
		s.log.Error("the sweep after moving the clock failed", "error", err)
		refuse(w, http.StatusInternalServerError, "the clock was moved, but the sweep failed: see the stack's log")
		return
	}
	s.showClock(w)
}

// decode reads a small JSON body strictly and reports whether it could; if not, it has answered.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the body is too large")
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("the body is not what is expected here: %v", err))
		return false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "there is more than one JSON value in the body")
		return false
	}
	return true
}
