package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// binary compares the check function's binary, built as it is deployed, with a bare one: its size, and the time from the start of the
// process to its first answer, which includes a call to storage over a real connection.
func binary(ctx context.Context) ([]figure, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	var size [2]float64
	var path [2]string
	for i, pkg := range []string{"./functions/check", "./scripts/bench/bare"} {
		path[i] = filepath.Join(dir, filepath.Base(pkg))
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags=-s -w -buildid=", "-o", path[i], pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w: %s", pkg, err, out)
		}
		info, err := os.Stat(path[i])
		if err != nil {
			return nil, err
		}
		size[i] = float64(info.Size()) / (1 << 20)
	}

	stub, err := newRuntimeAPI(ctx)
	if err != nil {
		return nil, err
	}
	defer stub.close()
	const starts = 41
	var took [2][]float64
	for n := range starts {
		for j := range path {
			i := (n + j) % 2 // each first in turn
			d, err := stub.start(ctx, path[i])
			if err != nil {
				return nil, fmt.Errorf("start %s: %w", filepath.Base(path[i]), err)
			}
			if n > 0 { // the first finds a cold page cache
				took[i] = append(took[i], float64(d))
			}
		}
	}
	a, b := median(took[0]), median(took[1])
	return []figure{
		{"check binary: size against a bare one", fmt.Sprintf("%.2fx (%.2f MiB against %.2f MiB)", size[0]/size[1], size[0], size[1]), "1.15x"},
		{
			"check binary: start to first answer, p50 of 40, against a bare one",
			fmt.Sprintf("%.2fx (%v against %v)", a/b, time.Duration(a).Round(10*time.Microsecond), time.Duration(b).Round(10*time.Microsecond)), "1.1x",
		},
	}, nil
}

// runtimeAPI stands for Lambda: it hands one event to each process and tells when the answer comes. It is DynamoDB, too.
type runtimeAPI struct {
	server   *http.Server
	address  string
	answered chan string
}

func newRuntimeAPI(ctx context.Context) (*runtimeAPI, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &runtimeAPI{address: l.Addr().String(), answered: make(chan string, 1)}
	storage := &canned{answers: cannedAnswers(table)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "7a1f4b86-0000-4000-8000-000000000000")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(10*time.Second).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:check")
		w.Write(event(single, question)) //nolint:errcheck // the process tells
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		s.answered <- string(body)
		<-r.Context().Done() // until the process is ended
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // there is an error to tell already
		s.answered <- "error: " + string(body)
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
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
		io.Copy(w, resp.Body) //nolint:errcheck // the process tells
	})
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go s.server.Serve(l) //nolint:errcheck // it ends by close
	return s, nil
}

func (s *runtimeAPI) close() { s.server.Close() } //nolint:errcheck // the program ends

// start starts the function and ends it after its first answer.
func (s *runtimeAPI) start(ctx context.Context, path string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path)
	c.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + s.address, "AWS_ENDPOINT_URL_DYNAMODB=http://" + s.address, "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "TABLE_NAME=" + table, "BASE_URL=https://access.example.com",
	}
	c.Stderr = os.Stderr
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	var err error
	select {
	case answer := <-s.answered:
		took = time.Since(began)
		if !strings.Contains(answer, `\"decision\":true`) {
			err = errors.New("the answer was " + answer)
		}
	case <-ctx.Done():
		err = errors.New("it did not answer within 10 s")
	}
	c.Process.Kill() //nolint:errcheck // it may have ended
	c.Wait()         //nolint:errcheck // it was killed
	return took, err
}
