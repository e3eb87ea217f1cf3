package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// lab starts processes in a directory of its own, and ends them, all by their ids.
type lab struct {
	dir     string // on a disk
	program string // the server's binary
	log     string // where servers log
	ends    []func()
}

func newLab(ctx context.Context, t target) (*lab, error) {
	program, err := t.build(ctx)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err == nil {
		err = useDisk()
	}
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tokenwright-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, program: program, log: cmp.Or(t.Log, os.DevNull)}
	l.atEnd(func() { _ = os.RemoveAll(dir) })
	if err := l.run(ctx, "keys", "init", "--key-directory", l.path("keys")); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) atEnd(end func()) { l.ends = append(l.ends, end) }

// env is the environment of the servers, which nothing outside sets.
func (l *lab) env() []string { return []string{"TMPDIR=" + l.dir} }

// end undoes everything, last things first.
func (l *lab) end() {
	for len(l.ends) > 0 {
		end := l.ends[len(l.ends)-1]
		l.ends = l.ends[:len(l.ends)-1]
		end()
	}
}

// run runs a command of the server's binary to its end.
func (l *lab) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, l.program, args...)
	cmd.Env = l.env()
	_, err := output(cmd)
	return err
}

// output runs a command to its end, and puts what it says into the error.
func output(cmd *exec.Cmd) (string, error) {
	var out child.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, nil, syscall.SIGKILL)
	if err == nil {
		err = p.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out.String())
	}
	return out.String(), nil
}

// postgres starts a cluster.
func (l *lab) postgres() (*pgtest.Cluster, error) {
	cluster, err := pgtest.Open()
	if err == nil {
		l.atEnd(cluster.Close)
	}
	return cluster, err
}

// process is a server, ours or a yardstick.
type process struct {
	*child.Process
	address string
	metrics string        // address of its metrics, "" if it serves none
	began   time.Duration // from its start until it listened
	pid     int
}

// cacheless are the flags of a server that keeps no rows in memory.
var cacheless = []string{"--cache-size", "0"}

// serve starts the server on a database, and waits until it listens.
func (l *lab) serve(ctx context.Context, databaseURL string, metrics bool, flags ...string) (*process, error) {
	listen, err := child.Free()
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"serve", "--listen", listen.String(), "--key-directory", l.path("keys"), "--public-url", "http://127.0.0.1",
		"--database-url", databaseURL, "--bootstrap-credential-file", l.path(first(databaseURL)),
		"--apitoken-max-tokens", "0", // more are made than an account may have
	}, flags...)
	var at string
	if metrics {
		free, err := child.Free()
		if err != nil {
			return nil, err
		}
		at = free.String()
		args = append(args, "--metrics-listen", at)
	}
	p, err := l.start(ctx, exec.Command(l.program, args...))
	if err == nil {
		p.metrics = at
	}
	return p, err
}

// first is the file with the first credential of the database.
func first(databaseURL string) string {
	name, _, _ := strings.Cut(filepath.Base(databaseURL), "?")
	return "first-" + name
}

// credential is that of the first admin of a database that a server has started on.
func (l *lab) credential(databaseURL string) (string, error) {
	text, err := os.ReadFile(l.path(first(databaseURL)))
	return strings.TrimSpace(string(text)), err
}

// start starts a server that says on its standard output where it listens.
func (l *lab) start(ctx context.Context, cmd *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(l.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var out child.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, log, l.env()
	began := time.Now()
	started, err := child.Start(cmd, nil, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	p := &process{Process: started, pid: cmd.Process.Pid}
	l.atEnd(p.stop)
	for {
		if address, _, ok := child.Announced(out.String(), ""); ok {
			p.address, p.began = address, time.Since(began)
			return p, nil
		}
		select {
		case <-p.Exited:
			return nil, fmt.Errorf("%s ended: %w; --log FILE shows why", cmd, p.Wait())
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
		if time.Since(began) > patience {
			return nil, fmt.Errorf("%s does not listen", cmd)
		}
	}
}

// stop ends the server in order, unless it has ended.
func (p *process) stop() {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.Exited:
	case <-time.After(patience):
		_ = p.Signal(syscall.SIGKILL)
		<-p.Exited
	}
}

// cpu is the time that the process has used the processors, 0 where that cannot be said. The kernel counts in 10 ms here.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0
	}
	return cpuOf(string(stat))
}

// cpuOf adds the user and system time of proc_pid_stat(5). The name of the program, in parentheses, may hold anything.
func cpuOf(stat string) time.Duration {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is a line of proc_pid_status(5) in bytes, 0 where there is none.
func (p *process) memory(line string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "\n"+line+":")
	kilobytes, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return kilobytes * 1024
}

// mallocs is how many objects the process has allocated, 0 if it serves no metrics.
func (p *process) mallocs(ctx context.Context) (float64, error) {
	if p.metrics == "" {
		return 0, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.metrics+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return metric(answer.Body, "go_memstats_mallocs_total")
}

// metric finds a value in the text that Prometheus reads.
func metric(text io.Reader, name string) (float64, error) {
	for lines := bufio.NewScanner(text); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.New("there is no metric " + name)
}

// useDisk has temporary files on a disk: what is committed to memory costs nothing.
func useDisk() error {
	const tmpfs = 0x01021994 // of statfs(2)
	for _, dir := range []string{os.TempDir(), "/var/tmp"} {
		var stat unix.Statfs_t
		if err := unix.Statfs(dir, &stat); err == nil && int64(stat.Type) != tmpfs { //nolint:unconvert // not on macOS
			return os.Setenv("TMPDIR", dir)
		}
	}
	return errors.New("the temporary files are in memory: set TMPDIR to a directory on a disk")
}
