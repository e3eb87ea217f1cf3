package gateways

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
)

// patience is for a start or a stop on a busy machine.
const patience = 30 * time.Second

// process is a running gateway.
type process struct {
	*child.Process
	log string // path
}

// find returns the path of a program. Debian keeps some where only root's PATH leads.
func find(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not here: run `make gateways`", program)
	return ""
}

// unprivileged is the user to run gateways as, nil for the present one.
func unprivileged() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534} // by custom nobody's
}

// home makes a directory that the gateway's user may write to. It is removed with all that is in it.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if who := unprivileged(); who != nil {
		must(t, os.Chmod(filepath.Dir(dir), 0o711))
		must(t, os.Chown(dir, int(who.Uid), int(who.Gid)))
	}
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := child.Free()
	must(t, err)
	return address.String()
}

// launch starts the program and stops it when the test ends. The environment is nearly empty, lest a proxy or a
// configuration of this machine is found in it.
func launch(t *testing.T, dir, program string, args ...string) *process {
	t.Helper()
	p := &process{log: filepath.Join(dir, "log")}
	log, err := os.Create(p.log)
	must(t, err)
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = log, log
	p.Process, err = child.Start(cmd, unprivileged(), syscall.SIGKILL)
	must(t, err)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) stop(t *testing.T) {
	if t.Failed() {
		log, _ := os.ReadFile(p.log)
		t.Logf("the gateway's log: %s", log[max(0, len(log)-4000):])
	}
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.Exited:
	case <-time.After(patience):
		_ = p.Signal(syscall.SIGKILL)
		<-p.Exited
		t.Error("the gateway had to be killed")
	}
}

// await waits until the gateway listens.
func (p *process) await(address string) error {
	deadline := time.After(patience)
	for {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-p.Exited:
			log, _ := os.ReadFile(p.log)
			return errors.New("the gateway did not start: " + string(log))
		case <-deadline:
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
