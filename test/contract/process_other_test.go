//go:build !linux

package contract

import "syscall"

// tied: other systems cannot tie a child's life to ours; a killed test binary leaves it running.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
