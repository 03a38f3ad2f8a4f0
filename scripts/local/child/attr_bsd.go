//go:build unix && !linux

package child

import "syscall"

// childAttr gives the child a process group of its own. There is no parent-death signal here: a parent that is killed
// with SIGKILL leaves its children behind.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
