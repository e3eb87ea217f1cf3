package gateways

import "syscall"

// attributes has the kernel stop the gateway when the test binary dies, however it dies.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
}
