package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
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
	server    *child.Process // nil while it is stopped
	durable   bool           // keeps what it has committed, whatever happens to it, which takes longer
	databases atomic.Int64
}

func newCluster(durable bool) (*Cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	return makeCluster(bin, durable, (*Cluster).init)
}

// makeCluster makes the directory of a cluster and has it filled.
func makeCluster(bin string, durable bool, fill func(*Cluster) error) (*Cluster, error) {
	dir, lock, err := makeDir()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, lock: lock, durable: durable}
	if err := errors.Join(fill(c), c.startFirst()); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// init fills the directory. English rules of order, where they can be had, show whatever relies on the order of bytes.
func (c *Cluster) init() error {
	err := c.initdb("--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
	if err != nil {
		err = c.initdb("--locale=C")
	}
	return err
}

// startFirst tries another port in case someone took the free one first.
func (c *Cluster) startFirst() (err error) {
	for range 3 {
		if err = c.startAnywhere(); err == nil {
			return nil
		}
	}
	return err
}

func (c *Cluster) startAnywhere() error {
	address, err := child.Free()
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
	return c.program("initdb",
		append([]string{"-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync"}, locale...)...)
}

// program runs one of PostgreSQL's programs to its end.
func (c *Cluster) program(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	p, err := start(cmd)
	if err == nil {
		err = p.Wait()
	}
	if err != nil {
		return fmt.Errorf("pgtest: %s: %w\n%s", name, err, &output)
	}
	return nil
}

func (c *Cluster) start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(c.port),
		"-c", "max_connections=300", "-c", "jit=off"}
	if !c.durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Dir = c.dir
	cmd.Stdout, cmd.Stderr = log, log
	p, err := start(cmd)
	if err != nil {
		return err
	}
	c.server = p
	return c.awaitReady()
}

// start has the server's programs end at once with the test binary.
func start(cmd *exec.Cmd) (*child.Process, error) {
	return child.Start(cmd, serverUser(), syscall.SIGQUIT)
}

func (c *Cluster) awaitReady() error {
	deadline := time.After(patience)
	for {
		err := c.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-c.server.Exited:
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
	_ = c.server.Signal(syscall.SIGINT)
	select {
	case <-c.server.Exited:
		return nil
	case <-time.After(patience):
		_ = c.server.Signal(syscall.SIGKILL)
		<-c.server.Exited
		return errors.New("pgtest: the server had to be killed")
	}
}

// remove ends the server at once, since nothing of it is kept, and deletes its directory.
func (c *Cluster) remove() {
	if c.server != nil {
		_ = c.server.Signal(syscall.SIGQUIT)
		_ = c.stop()
	}
	_ = os.RemoveAll(c.dir)
	_ = c.lock.Close()
}
