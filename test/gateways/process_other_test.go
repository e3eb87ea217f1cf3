//go:build unix && !linux

package gateways

import "syscall"

// attributes: other systems cannot tie the gateway's life to ours; a killed test binary leaves it running.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as}
}
