//go:build unix && !linux

package engine

import "syscall"

// childAttr gives the child a process group of its own. There is no parent-death signal here: a parent that is killed
// with SIGKILL leaves its engine behind.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
