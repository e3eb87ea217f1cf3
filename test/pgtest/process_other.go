//go:build unix && !linux

package pgtest

import "syscall"

// processAttributes: other systems cannot tie the server's life to ours; a killed test binary leaves it running.
func processAttributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as}
}
