//go:build unix

// Package child starts programs for tests, at addresses that nobody else gets, and ties them to the test: any program, and
// the server as it is shipped.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a process that was started.
type Process struct {
	Exited <-chan struct{} // closed when it has ended
	cmd    *exec.Cmd
	err    error
}

// Start starts the command as the user, nil for the present one. When the test binary dies, however it dies, the kernel
// sends the process the signal; only Linux does that.
func Start(cmd *exec.Cmd, as *syscall.Credential, last syscall.Signal) (*Process, error) {
	cmd.SysProcAttr = tied(last)
	cmd.SysProcAttr.Credential = as
	started, exited := make(chan error), make(chan struct{})
	p := &Process{Exited: exited, cmd: cmd}
	go func() {
		// A thread that lives as long as the process: the kernel takes the end of the one that started it for the end of
		// its parent.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(exited)
	}()
	return p, <-started
}

// Signal sends the process a signal.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Wait waits for the end and returns how it was, as [exec.Cmd.Wait] does.
func (p *Process) Wait() error {
	<-p.Exited
	return p.err
}

// ExitCode waits for the end and returns the exit code, -1 if it was a signal.
func (p *Process) ExitCode() int {
	<-p.Exited
	return p.cmd.ProcessState.ExitCode()
}
