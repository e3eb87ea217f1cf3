package pgtest

import "syscall"

// processAttributes has the kernel stop the server when the test binary dies, however it dies.
func processAttributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT}
}
