package child

import "syscall"

func tied(last syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: last} }
