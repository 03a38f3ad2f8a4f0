package processes

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestAFamilyIsTheProcessAndItsDescendants(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 60 & while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	var own, sleeps Process
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) &&
		(sleeps.ID == 0 || own.CPU == 0); time.Sleep(20 * time.Millisecond) {
		all, err := Family(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			switch {
			case p.ID == cmd.Process.Pid:
				own = p
			case p.Name == "sleep":
				sleeps = p
			}
		}
	}
	defer func() {
		if p, err := os.FindProcess(sleeps.ID); err == nil && sleeps.ID > 0 {
			_ = p.Kill()
		}
	}()
	if own.CPU <= 0 || own.Resident <= 0 || own.Parent != os.Getpid() {
		t.Errorf("got %+v, want a child of this one that uses time and memory", own)
	}
	if sleeps.Parent != own.ID {
		t.Errorf("got %+v, want its child", sleeps)
	}
}

func TestANameMayHoldAnything(t *testing.T) {
	const text = "12 (a) b (c) R 3 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 7 18446744073709551615 1 1 0 0\n"
	got, err := parse([]byte(text))
	want := Process{ID: 12, Parent: 3, Name: "a) b (c", CPU: 3 * time.Second, Resident: 7 * int64(os.Getpagesize())}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "12 (a", "12 (a) R 3", "x (a) R 3 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 7 8"} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}
