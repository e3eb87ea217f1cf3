package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for i := range 1000 {
		sorted = append(sorted, time.Duration(i+1)*time.Millisecond)
	}
	for p, want := range map[float64]float64{50: 500, 90: 900, 99: 990, 99.9: 999, 100: 1000} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("p%g of 1 to 1000 ms is %g, want %g", p, got, want)
		}
	}
	if got := percentile(sorted[:1], 50); got != 1 {
		t.Errorf("p50 of one is %g, want 1", got)
	}
}

func TestSpread(t *testing.T) {
	if got, want := spreadOf(3, 0, 1, 2, 8), (spread{2.5, 1, 8}); got != want {
		t.Errorf("the spread is %v, want %v", got, want)
	}
	if got := spreadOf(0).String(); got != "–" {
		t.Errorf("what was not measured is %q", got)
	}
}

func TestReadPgbench(t *testing.T) {
	const said = `transaction type: insert.sql
number of transactions actually processed: 2941
number of failed transactions: 0 (0.000%)
latency average = 10.882 ms
initial connection time = 30.1 ms
tps = 2940.642180 (without initial connection time)
`
	s, err := readPgbench(said)
	if err != nil || s.Rate != 2940.64218 || s.Mean != 10.882 {
		t.Errorf("pgbench is read as %+v, %v", s, err)
	}
	for _, wrong := range []string{"", strings.Replace(said, "failed transactions: 0", "failed transactions: 7", 1)} {
		if _, err := readPgbench(wrong); err == nil {
			t.Errorf("%q is no error", wrong)
		}
	}
}

func TestCPUOf(t *testing.T) {
	const stat = "7 (token) wright) S 1 7 7 0 -1 4194560 9 0 0 0 120 34 0 0 20 0 8 0 100 0 0\n"
	if got := cpuOf(stat); got != 1540*time.Millisecond {
		t.Errorf("the processor time is %v, want 1.54s", got)
	}
}

func TestMetric(t *testing.T) {
	text := "# TYPE go_memstats_mallocs_total counter\ngo_memstats_mallocs_total 5.02489e+05\n"
	if got, err := metric(strings.NewReader(text), "go_memstats_mallocs_total"); got != 502489 || err != nil {
		t.Errorf("the metric is %v, %v", got, err)
	}
	if _, err := metric(strings.NewReader(text), "other"); err == nil {
		t.Error("a metric that is not there is no error")
	}
}

// TestSecret: the server knows the form of what the tool loads, and no two are the same.
func TestSecret(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		if s := secret(i); !token.Muninx.Secrets.Fits(s) || seen[s] {
			t.Errorf("secret %d is %q", i, s)
		} else {
			seen[s] = true
		}
		if id := publicID(i, time.Now().UnixMilli()); !token.UUIDs.Valid(id) || id[14] != '7' {
			t.Errorf("id %d is %q", i, id)
		}
		if id := adminID(i); !token.ValidKey(id) {
			t.Errorf("user %d has the id %q", i, id)
		}
	}
}

// serve starts a handler and returns a job for it.
func serve(t *testing.T, clients int, handle http.HandlerFunc) job {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return job{
		address: s.Listener.Addr().String(), clients: clients, status: 200, marker: "right",
		next: same(request("POST", "/", "secret", asForm, "a=b")),
	}
}

func TestClosedLoop(t *testing.T) {
	for name, answer := range map[string]string{"short": "right", "chunked": strings.Repeat("much ", 2000) + "right"} {
		t.Run(name, func(t *testing.T) {
			j := serve(t, 3, func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("a") != "b" || r.Header.Get("Authorization") != "Bearer secret" {
					w.WriteHeader(http.StatusBadRequest)
				}
				_, _ = io.WriteString(w, answer)
			})
			all, end, err := j.connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			took, _, err := j.closed(all, 50*time.Millisecond)
			if err != nil || len(took) < 3 {
				t.Errorf("%d answers, %v", len(took), err)
			}
		})
	}
}

// TestWrongAnswer: one wrong answer among many is an error.
func TestWrongAnswer(t *testing.T) {
	for name, wrong := range map[string]func(w http.ResponseWriter){
		"status": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("right"))
		},
		"body": func(w http.ResponseWriter) { _, _ = w.Write([]byte("left")) },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			j := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) {
				if n++; n == 5 {
					wrong(w)
					return
				}
				_, _ = w.Write([]byte("right"))
			})
			all, end, err := j.connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			if took, _, err := j.closed(all, patience); err == nil || len(took) != 4 {
				t.Errorf("%d answers before the wrong one, then %v", len(took), err)
			}
		})
	}
}

// TestOpenLoopCountsTheWait: requests that are due while the only connection waits for a slow answer are late from the
// time at which they were due.
func TestOpenLoopCountsTheWait(t *testing.T) {
	slow, n := make(chan struct{}), 0
	j := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			<-slow
		}
		_, _ = io.WriteString(w, "right")
	})
	all, end, err := j.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	const stall = 200 * time.Millisecond
	time.AfterFunc(stall, func() { close(slow) })
	took, _, err := j.open(all, 1000, 100*time.Millisecond)
	if err != nil || len(took) != 100 {
		t.Fatalf("%d answers, %v", len(took), err)
	}
	if least := slices.Min(took); least < stall/2 {
		t.Errorf("a request that had to wait for half a stall or more took %v", least)
	}
}

func TestReceiveFails(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"} {
		c := &connection{Conn: &net.TCPConn{}, answers: bufio.NewReader(strings.NewReader(answer))}
		if err := c.receive(); err == nil {
			t.Errorf("%q is an answer", answer)
		}
	}
}

// TestChosen: a row comes with its yardstick, in the order of a round.
func TestChosen(t *testing.T) {
	if got, want := chosen(regexp.MustCompile("verify|apitoken/sqlite")),
		[]string{"create/apitoken/sqlite", "verify/warm", "bare/get/few"}; !slices.Equal(got, want) {
		t.Errorf("chosen are %v, want %v", got, want)
	}
	if got := chosen(regexp.MustCompile("")); !slices.Equal(got, order) {
		t.Errorf("of everything, %v are chosen", got)
	}
}

func TestRows(t *testing.T) {
	for _, r := range rows {
		if !slices.Contains(order, r.ours) || !slices.Contains(order, r.yardstick) {
			t.Errorf("%s compares what is not measured", r.name)
		}
	}
	ours, yardstick := sample{Rate: 30, CPU: 50}, sample{Rate: 10, CPU: 25}
	for k, want := range map[kind]float64{rates: 3, lookUps: 6, cpuShare: 0.5, cpuMultiple: 2} {
		if got := (row{kind: k}).ratio(ours, yardstick); got != want {
			t.Errorf("the ratio of kind %d is %g, want %g", k, got, want)
		}
	}
	if got := (row{kind: cpuShare}).ratio(ours, sample{}); got != 0 {
		t.Errorf("without a measured yardstick the ratio is %g", got)
	}
}

// TestReport: what is written can be read, and has what was not measured, too.
func TestReport(t *testing.T) {
	r := &results{
		samples: map[string][]sample{
			"verify/warm":  {{Rate: 10, CPU: 20, P50: 0.1, P99: 0.5, P999: 30}, {Rate: 12, CPU: 22, P50: 0.2, P99: 1, P999: 2}},
			"bare/get/few": {{Rate: 40, CPU: 10}, {Rate: 44, CPU: 22}},
		},
		paced: map[string][]*point{"verify/warm": {
			{Wanted: 5, samples: []sample{{Rate: 5, P50: 1, P99: 2}}}, {Wanted: 9, samples: []sample{{Rate: 9, P50: 2, P99: 70}}},
		}},
	}
	text := r.finish().markdown()
	if row := "| warm /verify, CPU | 21.0 (20.0–22.0) µs | bare/get/few | 16.0 (10.0–22.0) µs | **0.750 (0.500–1.00)** | ≥ 0.850 | no |"; !strings.Contains(text, row) {
		t.Errorf("the table is %s", text)
	}
	for _, curves := range [][]*curve{r.Latency, nil, {{Name: "nothing"}}} {
		reader := xml.NewDecoder(strings.NewReader(picture(curves)))
		var err error
		for err == nil {
			_, err = reader.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("the picture of %d curves is no XML: %v", len(curves), err)
		}
	}
	if strings.Contains(picture(r.Latency), "NaN") || strings.Contains(picture(nil), "Inf") {
		t.Error("the picture has numbers that are none")
	}
}

// TestIntoReadme: the table replaces the one before, in the README that is here.
func TestIntoReadme(t *testing.T) {
	before, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, commit := range []string{"first", "second"} {
		if err := (&results{Commit: commit}).intoReadme(path); err != nil {
			t.Fatal(err)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- results -->\n", "<!-- end of results -->\n"
	head, rest, _ := strings.Cut(string(before), begin)
	_, tail, _ := strings.Cut(rest, end)
	if text := string(after); !strings.Contains(text, "Commit second on") || strings.Contains(text, "first on") ||
		!strings.HasPrefix(text, head+begin) || !strings.HasSuffix(text, end+tail) {
		t.Errorf("the README became %s", text)
	}
}

// TestHistory: the columns of the history are those of the table.
func TestHistory(t *testing.T) {
	before, err := os.ReadFile("history.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "history.md"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&results{}).record(dir); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "history.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(after)), "\n")
	header := lines[slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "| date ") })]
	if got, want := strings.Count(lines[len(lines)-1], "|"), strings.Count(header, "|"); got != want {
		t.Errorf("a line of the history has %d bars, its head %d", got, want)
	}
}
