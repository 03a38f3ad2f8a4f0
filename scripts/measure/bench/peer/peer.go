// Package peer measures a check of ours beside one of OpenFGA, on the same grants and questions.
package peer

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"time"

	"partneraccess/scripts/measure/bench/fixture"

	"github.com/aws/aws-lambda-go/lambda"
)

// Measure measures our check beside OpenFGA's: the same grants, the same questions, in turns. Every answer of both is held against what it
// has to be.
func Measure(ctx context.Context) (_ []fixture.Figure, err error) {
	binary := os.Getenv("OPENFGA")
	if binary == "" {
		return nil, errors.New("say where OpenFGA is: OPENFGA=/path/to/openfga (go install github.com/openfga/openfga/cmd/openfga@v1.22.1)")
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	var s setting
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx, binary, now); err != nil {
		return nil, err
	}

	handler := contender{
		name: "check handler, storage in memory", prepare: ourEvent,
		check: invoked(fixture.CheckHandlerAt(inMemory(now), fixture.Table, time.Now)),
		cpu:   fixture.ProcessCPU,
		twice: true,
	}
	function := contender{
		name: "check function as Lambda runs it", prepare: ourEvent, check: invoked(s.function), cpu: cpuOf(os.Getpid(), "bootstrap"),
		waited: s.ourWaits.take,
	}
	stack := contender{
		name: "local stack", prepare: ourQuestion, check: s.stack, cpu: sum(cpuOf(s.stackID, ""), cpuOf(os.Getpid(), "dynoxide")),
	}
	server := contender{
		name: "OpenFGA beside PostgreSQL", prepare: s.withPostgres.question, check: s.withPostgres.check, cpu: cpuOf(s.withPostgres.id, ""),
		waited: s.theirWaits.take,
	}
	withPostgres := contender{
		name: "OpenFGA and PostgreSQL", prepare: server.prepare, check: server.check, cpu: sum(server.cpu, cpuOf(s.postgres.id, "")),
	}
	withSQLite := contender{
		name: "OpenFGA with SQLite", prepare: s.withSQLite.question, check: s.withSQLite.check, cpu: cpuOf(s.withSQLite.id, ""),
	}
	const ahead = "1.0x at most"
	out := []fixture.Figure{{fmt.Sprintf("100,000 grants at 10,000 customers; %s; every answer of both sides was held against the right one",
		versionOf(binary))}}
	for _, r := range []race{
		{handler, server, 1, goals{cpu: "0.125x at most", p50: "0.33x at most"}},
		{function, server, 1, goals{}},
		{stack, withSQLite, 1, goals{cpu: ahead, p50: ahead}},
		{stack, withPostgres, 1, goals{cpu: ahead, p50: ahead}},
		{stack, withSQLite, 8, goals{cpu: ahead, p50: ahead, rate: "1.0x at least"}},
		{stack, withPostgres, 8, goals{cpu: ahead, p50: ahead, rate: "1.0x at least"}},
	} {
		figures, err := r.run(ctx, now)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	for _, caveat := range []string{
		"OpenFGA is not told whose user asks, and has to look for it.",
		"OpenFGA beside PostgreSQL: without PostgreSQL's CPU, and without the time until it answered; serving HTTP and speaking SQL are in it.",
		"check handler: from Lambda's event to the answer, with DynamoDB's signature and JSON, without a wire to Lambda or storage.",
		"check function: its process, with both wires; without storage's CPU, and without the time until it answered.",
		"local stack, OpenFGA with SQLite, OpenFGA and PostgreSQL: all processes. The stack verifies a token; OpenFGA was not asked to.",
		"No side keeps answers: OpenFGA's caches are off, as it comes.",
	} {
		out = append(out, fixture.Figure{caveat})
	}
	return out, nil
}

// versionOf is the module of a Go program, and its version.
func versionOf(binary string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "a peer of unknown version"
	}
	return info.Main.Path + " " + info.Main.Version
}

func ourQuestion(q question) []byte {
	return fmt.Appendf(nil, `{"subject":{"type":"user","id":"%s"},"action":{"name":"%s"},"resource":{"type":"customer","id":"%s"}}`,
		userID(q.partner, q.user), q.action(), fixture.CustomerID(q.customer))
}

func ourEvent(q question) []byte { return fixture.Event(fixture.Single, string(ourQuestion(q))) }

// invoked asks a function.
func invoked(h lambda.Handler) func(context.Context, []byte) (bool, error) {
	return func(ctx context.Context, payload []byte) (bool, error) {
		out, err := h.Invoke(ctx, payload)
		switch {
		case err != nil:
			return false, err
		case bytes.Contains(out, []byte(`\"decision\":true`)):
			return true, nil
		case bytes.Contains(out, []byte(`\"decision\":false`)):
			return false, nil
		}
		return false, fmt.Errorf("no decision: %s", out)
	}
}
