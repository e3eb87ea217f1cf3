//go:build unix && !linux

package child

import "syscall"

func tied(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
