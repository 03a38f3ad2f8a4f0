package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"partneraccess/scripts/local/launch"
	"partneraccess/scripts/local/processes"
)

// start starts the stack on the data, with its clock so far ahead, and returns when it answers.
func (w *world) start(ctx context.Context) (*launch.Stack, error) {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_ENDPOINT_URL") || strings.HasPrefix(v, "BACKEND=")
	})
	return launch.Start(ctx, launch.Options{
		Binary: w.Binary, Port: w.port, Args: []string{"--data", w.Data, "--ahead", w.ahead.String()},
		Env: append(env, "AWS_ENDPOINT_URL_SESV2="+w.inbox.url),
	})
}

// kill ends the stack's processes with SIGKILL, in a random order and up to some milliseconds apart, and says in which.
func kill(stack *launch.Stack, r *rand.Rand) (string, error) {
	victims, err := processes.Family(stack.ID)
	if err != nil {
		return "", err
	}
	if len(victims) < 2 {
		return "", errors.New("the stack's engine is not found under /proc: this needs Linux")
	}
	slices.SortFunc(victims, func(a, b processes.Process) int { return cmp.Compare(a.ID, b.ID) }) // so that a seed repeats
	r.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
	var names []string
	for i, v := range victims {
		if i > 0 && r.IntN(2) == 0 {
			time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
		}
		if err := syscall.Kill(-v.ID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			// each is a group of its own; one may have died with its parent
			return "", fmt.Errorf("kill %s: %w", v.Name, err)
		}
		names = append(names, v.Name)
	}
	select {
	case <-stack.Ended():
	case <-time.After(10 * time.Second):
		return "", errors.New("the stack survives SIGKILL")
	}
	for _, v := range victims { // the engine's file is free when its process is gone
		for end := time.Now().Add(10 * time.Second); syscall.Kill(v.ID, 0) == nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
	return strings.Join(names, ", "), nil
}
