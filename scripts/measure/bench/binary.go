package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/lambdahost"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/manifest"
)

// bare is the binary that the functions' are compared with.
const bare = "bare"

// binary compares the functions' binaries, built as they are deployed, with a bare one: their sizes, and the time from the start of the
// process until it asks Lambda for work, which Lambda calls the Init Duration. For check it is the time to the first answer as well, which
// includes a call to storage over a real connection.
func binary(ctx context.Context) (_ []fixture.Figure, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	names, packages := []string{bare}, []string{"./scripts/measure/bench/bare"}
	for _, f := range manifest.Functions() {
		names, packages = append(names, f.Name), append(packages, "./functions/"+f.Name)
	}
	if err := deployed.BuildPackages(ctx, dir, runtime.GOOS, runtime.GOARCH, packages, names); err != nil {
		return nil, err
	}
	storage, stop, err := serveCanned(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	host, err := lambdahost.Start(ctx, lambdahost.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	size := map[string]float64{} // MiB
	for _, name := range names {
		path := filepath.Join(dir, name, "bootstrap")
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		size[name] = float64(info.Size()) / (1 << 20)
		host.Deploy(lambdahost.Function{Name: name, Binary: path, Env: fixture.Settings(storage), Timeout: 10 * time.Second, Memory: 256})
	}
	answered, against, err := alternately(41, func() (time.Duration, error) { return firstAnswer(ctx, host, "check") },
		func() (time.Duration, error) { return firstAnswer(ctx, host, bare) })
	if err != nil {
		return nil, err
	}
	out := []fixture.Figure{
		{
			"check binary: size against a bare one",
			fmt.Sprintf("%.2fx (%.2f MiB against %.2f MiB)", size["check"]/size[bare], size["check"], size[bare]), "1.15x",
		},
		{"check binary: start to first answer, p50 of 40, against a bare one", ratio(answered, against), "1.1x"},
	}
	for _, name := range names[1:] {
		took, against, err := alternately(21, func() (time.Duration, error) { return host.Init(name) },
			func() (time.Duration, error) { return host.Init(bare) })
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
		out = append(out, fixture.Figure{
			name + " binary: size, and start until it asks for work, p50 of 20",
			fmt.Sprintf("%.2fx (%.2f MiB), %s", size[name]/size[bare], size[name], ratio(took, against)), "",
		})
	}
	return out, nil
}

// alternately measures two things n times, each first in turn, and gives the median of each without the first time, which finds a cold page
// cache.
func alternately(n int, a, b func() (time.Duration, error)) (ofA, ofB float64, err error) {
	measures := []func() (time.Duration, error){a, b}
	var took [2][]float64
	for i := range n {
		for j := range measures {
			which := (i + j) % 2
			d, err := measures[which]()
			if err != nil {
				return 0, 0, err
			}
			if i > 0 {
				took[which] = append(took[which], float64(d))
			}
		}
	}
	return fixture.Median(took[0]), fixture.Median(took[1]), nil
}

func ratio(a, b float64) string {
	return fmt.Sprintf("%.2fx (%v against %v)", a/b, time.Duration(a).Round(10*time.Microsecond), time.Duration(b).Round(10*time.Microsecond))
}

// firstAnswer is the time from the start of a process to its answer about the canned grant.
func firstAnswer(ctx context.Context, host *lambdahost.Host, function string) (time.Duration, error) {
	began := time.Now()
	r, err := host.Invoke(ctx, function, fixture.Event(fixture.Single, fixture.Question))
	took := time.Since(began)
	host.Drop(function)
	if err == nil && (r.FunctionError != "" || !strings.Contains(string(r.Payload), `\"decision\":true`)) {
		err = fmt.Errorf("%s: the answer was %s", function, r.Payload)
	}
	return took, err
}

// serveCanned serves the canned answers over real connections, as DynamoDB's endpoint.
func serveCanned(ctx context.Context) (url string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	storage := &fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := storage.RoundTrip(r) //nolint:bodyclose // it is in memory
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for name, v := range resp.Header {
			if name != "Connection" {
				w.Header()[name] = v
			}
		}
		_, _ = io.Copy(w, resp.Body) // the process tells
	})}
	go func() { _ = server.Serve(l) }() // it ends by stop
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}
