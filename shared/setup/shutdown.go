package setup

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// registers is how long registering may take. Lambda answers on the same machine.
const registers = time.Second

// onShutdown has a function called when Lambda ends the process between two invocations. Lambda says so, by SIGTERM and half a second
// before it kills the process, only to those that have registered as an extension in their start; this one registers for no event
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html). The API is where AWS_LAMBDA_RUNTIME_API says.
//
// lambda.WithEnableSIGTERM does the same after the handler is built, and with an HTTP client of its own: this takes a sixth of the time
// until the process asks for work.
func onShutdown(api string, do func()) error {
	said := make(chan os.Signal, 1)
	signal.Notify(said, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), registers)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", api)
	if err != nil {
		return fmt.Errorf("reach the Extensions API: %w", err)
	}
	go func() {
		<-said
		do()
		_ = conn.Close() // which is open until now
	}()
	if err := conn.SetDeadline(time.Now().Add(registers)); err != nil {
		return err
	}
	send := func(method, path, body string, header, value string) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, method, "http://"+api+"/2020-01-01/extension/"+path, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set(header, value)
		return r, r.Write(conn)
	}
	r, err := send(http.MethodPost, "register", `{"events":null}`, "Lambda-Extension-Name", "last-figures")
	if err != nil {
		return fmt.Errorf("register as an extension: %w", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return fmt.Errorf("register as an extension: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // nothing is read of it
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("register as an extension: %s", answer.Status)
	}
	// Asking for the next event says that the start is done. None ever comes, and nobody waits for it.
	_, err = send(http.MethodGet, "event/next", "", "Lambda-Extension-Identifier", answer.Header.Get("Lambda-Extension-Identifier"))
	return err
}
