package replicas

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// BenchmarkReplicas shows what a request costs the processes of 1, 2 and 4 servers on one database, all together, and how
// many round trips it makes. Each server has as many clients, since requests that come together share round trips. Times
// depend on the machine, and are not asserted.
func BenchmarkReplicas(b *testing.B) {
	for name, request := range map[string]func(s *child.Server) (*http.Request, error){
		"verify": func(s *child.Server) (*http.Request, error) {
			return http.NewRequest(http.MethodGet, s.URL+"/verify", nil)
		},
		"create": func(s *child.Server) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, s.URL+"/tokens", strings.NewReader(`{"name":"one of many"}`))
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
	} {
		for _, n := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { benchReplicas(b, n, request) })
		}
	}
}

func benchReplicas(b *testing.B, n int, request func(s *child.Server) (*http.Request, error)) {
	b.Helper()
	count, database := counting(b, pgtest.URL(b))
	servers := []*child.Server{child.NewServer(b, database)}
	for len(servers) < n {
		servers = append(servers, servers[0].Replica(b, database))
	}
	var turn atomic.Int64
	send := func() error {
		s := servers[turn.Add(1)%int64(n)]
		r, err := request(s)
		if err != nil {
			return err
		}
		r.URL.Host = s.Address
		r.Header.Set("Authorization", "Bearer "+s.Secret)
		answer, err := s.Client.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode >= 300 {
			return fmt.Errorf("the answer is %d", answer.StatusCode)
		}
		return nil
	}
	for range 50 * n { // until connections are there and heartbeats come back
		if err := send(); err != nil {
			b.Fatal(err)
		}
	}
	trips, used := count.trips.Load(), cpuOf(b, servers)
	b.SetParallelism(8 * n) // each has as many clients
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := send(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((cpuOf(b, servers)-used).Microseconds())/float64(b.N), "server-cpu-µs/op")
	b.ReportMetric(float64(count.trips.Load()-trips)/float64(b.N), "round-trips/op")
}

// cpuOf is the processor time that the servers have used, in the hundredths of a second in which Linux tells it; see
// proc_pid_stat(5).
func cpuOf(b *testing.B, servers []*child.Server) (sum time.Duration) {
	b.Helper()
	for _, s := range servers {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Pid()))
		if err != nil {
			b.Skip("only Linux tells the processor time of a process like this")
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum
}
