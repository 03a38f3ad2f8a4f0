//go:build !unix

package child

import (
	"os/exec"
	"syscall"
)

func childAttr() *syscall.SysProcAttr { return nil }

func terminate(cmd *exec.Cmd) { kill(cmd) } // no gentler signal here

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// Lock does nothing here.
func Lock(string) (unlock func(), err error) { return func() {}, nil }
