//go:build contract

package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

var long = flag.Bool("long", false, "try much more, with other random values each time")

// tool is a program that tests a server by one of its specs and ends with 0 if it found nothing.
type tool struct {
	name    string
	command func(t *testing.T, s target, spec string) *exec.Cmd
}

var toolbox = []tool{{"property", propertyTest}, {"schemathesis", schemathesis}, {"specmatic", specmatic}}

// effort is how much is tried, and from which random values.
func effort(some, much int) (string, string) {
	if *long {
		return fmt.Sprint(much), fmt.Sprint(rand.Uint32())
	}
	return fmt.Sprint(some), "1"
}

// propertyTest is TestBodies of this binary.
func propertyTest(t *testing.T, _ target, _ string) *exec.Cmd {
	self, err := os.Executable()
	need(t, err)
	checks, seed := effort(100, 5000)
	return exec.Command(self, "-test.run=^TestBodies$", "-rapid.checks="+checks, "-rapid.seed="+seed, "-rapid.nofailfile")
}

func schemathesis(t *testing.T, s target, spec string) *exec.Cmd {
	examples, seed := effort(60, 2000)
	failures := "1000"
	if s.Planted { // the first one says enough
		failures = "1"
	}
	cmd := exec.Command(absolute(t, ".venv/bin/python"), "-m", "schemathesis.cli", "--config-file", absolute(t, "schemathesis.toml"), "run",
		absolute(t, filepath.Join(root, "openapi", spec+".yaml")), "--url", s.URL, "--max-examples", examples, "--seed", seed, "--max-failures", failures,
		"--header", "Authorization: Bearer "+s.Credentials[spec], "--output-sanitize", "false", "--no-color")
	cmd.Dir = t.TempDir() // it and Hypothesis keep what they found in the working directory
	cmd.Env = []string{"PYTHONPATH=" + absolute(t, ".")}
	return cmd
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	need(t, err)
	return path
}

// run starts the tool and waits for its end. Whatever is not on this machine is behind a proxy that does not exist, so
// that no tool tells anybody about its use.
func (c tool) run(t *testing.T, s target, spec string) (string, error) {
	t.Helper()
	about, err := json.Marshal(s)
	need(t, err)
	prepared := c.command(t, s, spec)
	patience := 5 * time.Minute
	if *long {
		patience = time.Hour
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, prepared.Path, prepared.Args[1:]...)
	const nowhere = "http://127.0.0.1:9"
	cmd.Env = append(os.Environ(), targetVariable+"="+string(about), specVariable+"="+spec, "HOME="+t.TempDir(),
		"PYTHONDONTWRITEBYTECODE=1", "DO_NOT_TRACK=1", "HTTP_PROXY="+nowhere, "HTTPS_PROXY="+nowhere, "NO_PROXY=127.0.0.1",
		"http_proxy="+nowhere, "https_proxy="+nowhere, "no_proxy=127.0.0.1")
	cmd.Env = append(cmd.Env, prepared.Env...)
	cmd.Dir = prepared.Dir
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, nil, syscall.SIGKILL)
	if err == nil {
		err = p.Wait()
	}
	return out.String(), err
}

// TestTools runs every tool with every spec against a fresh server on each database. `make contract` runs it.
func TestTools(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, c := range toolbox {
			for _, s := range specs() {
				t.Run(database+"/"+c.name+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					databaseURL := ""
					if database == "postgres" {
						databaseURL = pgtest.URL(t)
					}
					server := start(t, databaseURL, "")
					began := time.Now()
					out, err := c.run(t, server, s.name)
					if err != nil {
						t.Errorf("%v\n%s", err, end(out, 200))
					}
					did := summary(out)
					if t.Logf("%.0f s: %s", time.Since(began).Seconds(), did); did == "" {
						t.Error("it does not say what it did")
					}
					server.alive(t, s.name)
				})
			}
		}
	}
}

// end is the last lines of an output.
func end(out string, lines int) string {
	all := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// figures are the lines in which a tool says how much it did.
var figures = regexp.MustCompile(`[1-9][0-9]* (generated, |requests sent)|Tests run: [1-9]`)

func summary(out string) string {
	var all []string
	for _, line := range strings.Split(out, "\n") {
		if figures.MatchString(line) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return strings.Join(all, "; ")
}
