package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/test/loopback"
)

const (
	superuser = "postgres"
	patience  = 60 * time.Second // for a start or a stop on a busy machine
)

// Cluster is a server with its own directory. Its methods are for one goroutine at a time.
type Cluster struct {
	bin       string // directory of the programs
	dir       string // everything that it writes
	lock      *os.File
	port      int
	server    *server // nil while it is stopped
	databases atomic.Int64
}

// server is the running process.
type server struct {
	process *os.Process
	exited  chan struct{}
}

func newCluster() (*Cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	dir, lock, err := makeDir()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, lock: lock}
	if err := c.init(); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// init makes the cluster and starts it. English rules of order, where they can be had, show whatever relies on the
// order of bytes; another port is tried in case someone took the free one first.
func (c *Cluster) init() error {
	err := c.initdb("--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
	if err != nil {
		err = c.initdb("--locale=C")
	}
	if err != nil {
		return err
	}
	for range 3 {
		if err = c.startAnywhere(); err == nil {
			return nil
		}
	}
	return err
}

func (c *Cluster) startAnywhere() error {
	address, err := loopback.Free()
	if err != nil {
		return err
	}
	c.port = address.Port
	return c.start()
}

func (c *Cluster) initdb(locale ...string) error {
	data := filepath.Join(c.dir, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	args := append([]string{"-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync"}, locale...)
	cmd := exec.Command(filepath.Join(c.bin, "initdb"), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = processAttributes(serverUser())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := runLocked(cmd); err != nil {
		return fmt.Errorf("pgtest: initdb: %w\n%s", err, &output)
	}
	return nil
}

func (c *Cluster) start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), "-D", filepath.Join(c.dir, "data"), "-k", c.dir,
		"-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-c", "fsync=off", "-c", "synchronous_commit=off",
		"-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "jit=off")
	cmd.Dir = c.dir
	cmd.SysProcAttr = processAttributes(serverUser())
	cmd.Stdout, cmd.Stderr = log, log
	if c.server, err = launch(cmd); err != nil {
		return err
	}
	return c.awaitReady()
}

// runLocked runs the command from a thread that lives as long as the command: the kernel takes the end of the thread
// that started a process for the end of its parent.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// launch starts the command and waits for its end in the background, on a thread of its own as in runLocked.
func launch(cmd *exec.Cmd) (*server, error) {
	started, s := make(chan error), &server{exited: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(s.exited)
	}()
	return s, <-started
}

func (c *Cluster) awaitReady() error {
	deadline := time.After(patience)
	for {
		err := c.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-c.server.exited:
			c.server = nil
			return fmt.Errorf("pgtest: the server did not start: %s", c.logTail())
		case <-deadline:
			return errors.Join(fmt.Errorf("pgtest: the server is not ready: %w", err), c.stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Cluster) logTail() []byte {
	log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return log[max(0, len(log)-2000):]
}

func (c *Cluster) running() bool { return c.server != nil }

// stop asks for a fast shutdown, which ends sessions, and insists after a while.
func (c *Cluster) stop() error {
	if c.server == nil {
		return nil
	}
	defer func() { c.server = nil }()
	_ = c.server.process.Signal(syscall.SIGINT)
	select {
	case <-c.server.exited:
		return nil
	case <-time.After(patience):
		_ = c.server.process.Kill()
		<-c.server.exited
		return errors.New("pgtest: the server had to be killed")
	}
}

// remove ends the server at once, since nothing of it is kept, and deletes its directory.
func (c *Cluster) remove() {
	if c.server != nil {
		_ = c.server.process.Signal(syscall.SIGQUIT)
		_ = c.stop()
	}
	_ = os.RemoveAll(c.dir)
	_ = c.lock.Close()
}
