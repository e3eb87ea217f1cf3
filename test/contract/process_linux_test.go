package contract

import "syscall"

// tied has the kernel stop a child when the test binary dies, however it dies.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
