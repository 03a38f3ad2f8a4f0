//go:build !unix

package child

import (
	"os/exec"
	"syscall"
)

func childAttr() *syscall.SysProcAttr { return nil }

func terminate(cmd *exec.Cmd) { kill(cmd) } // no gentler signal here

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func groupAttr() *syscall.SysProcAttr { return nil }

// Lock does nothing here.
func Lock(string) (unlock func(), err error) { return func() {}, nil }
