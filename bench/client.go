package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// job is what the clients ask, and how a right answer looks.
type job struct {
	address string
	clients int
	next    func(client, n int) []byte // the n-th request of a client, ready to send
	status  int
	marker  string // is in the body of every right answer
}

// request is written once and sent as it is, so that the client, which runs on the same processors, costs little.
func request(method, path, credential, contentType, body string) []byte {
	r := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n", method, path, credential)
	if body != "" {
		r += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	return []byte(r + "\r\n" + body)
}

// same asks for the same always.
func same(request []byte) func(int, int) []byte { return func(int, int) []byte { return request } }

// connection is one client.
type connection struct {
	net.Conn
	answers        *bufio.Reader
	status, marker []byte
	first, body    []byte // of the last answer: its first line, its body
}

// connect opens the connections of all clients. They end with the context, or when end is called.
func (j job) connect(ctx context.Context) (all []*connection, end func(), err error) {
	closeAll := func() {
		for _, c := range all {
			c.Close()
		}
	}
	for range j.clients {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", j.address)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		all = append(all, &connection{
			Conn: conn, answers: bufio.NewReaderSize(conn, 16<<10),
			status: fmt.Appendf(nil, "HTTP/1.1 %d ", j.status), marker: []byte(j.marker),
		})
	}
	stop := context.AfterFunc(ctx, closeAll)
	return all, func() { stop(); closeAll() }, nil
}

// ask sends a request and checks the answer.
func (c *connection) ask(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	if err := c.receive(); err != nil {
		return fmt.Errorf("%w, in the answer to %.40q", err, request)
	}
	if !bytes.HasPrefix(c.first, c.status) || !bytes.Contains(c.body, c.marker) {
		return fmt.Errorf("%.40q is answered %.40q %.300q", request, c.first, c.body)
	}
	return nil
}

// receive reads an answer, and nothing into it but its first line and its body.
func (c *connection) receive() error {
	length, chunked := 0, false
	c.first = c.first[:0]
	for {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(c.first) == 0 {
			c.first = append(c.first, line...)
			continue
		}
		if len(line) == len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	c.body = c.body[:0]
	if chunked {
		return c.chunks()
	}
	return c.read(length)
}

func (c *connection) chunks() error {
	for {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		length, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if err := c.read(int(length)); err != nil {
			return err
		}
		if _, err := c.answers.Discard(len("\r\n")); err != nil || length == 0 {
			return err
		}
	}
}

// read appends to the body.
func (c *connection) read(length int) error {
	before := len(c.body)
	c.body = append(c.body, make([]byte, length)...)
	_, err := io.ReadFull(c.answers, c.body[before:])
	return err
}

// patience is how long an answer may take.
const patience = 30 * time.Second

// closed has each client send its next request when the last is answered. It returns how long each took, and all together.
func (j job) closed(all []*connection, d time.Duration) ([]time.Duration, time.Duration, error) {
	start := time.Now()
	end := start.Add(d)
	took, err := j.each(all, func(client int, c *connection) (took []time.Duration, err error) {
		if err := c.SetDeadline(end.Add(patience)); err != nil {
			return nil, err
		}
		for n, before := 0, time.Now(); before.Before(end); n++ {
			if err := c.ask(j.next(client, n)); err != nil {
				return took, err
			}
			now := time.Now()
			took = append(took, now.Sub(before))
			before = now
		}
		return took, nil
	})
	return took, time.Since(start), err
}

// open sends requests at a constant rate, whether or not earlier ones are answered. A request that has to wait for a free
// connection began when it was due, so that a server that stalls does not stop the clock.
func (j job) open(all []*connection, rate float64, d time.Duration) ([]time.Duration, time.Duration, error) {
	due := pace(time.Now(), int(rate*d.Seconds()), rate)
	start := time.Now()
	took, err := j.each(all, func(client int, c *connection) (took []time.Duration, err error) {
		if err := c.SetDeadline(start.Add(d + patience)); err != nil {
			return nil, err
		}
		n := 0
		for at := range due {
			if err := c.ask(j.next(client, n)); err != nil {
				return took, err
			}
			took = append(took, time.Since(at))
			n++
		}
		return took, nil
	})
	return took, time.Since(start), err
}

// pace sends the times at which requests are due, each at that time.
func pace(start time.Time, requests int, rate float64) <-chan time.Time {
	due := make(chan time.Time, requests) // room for all: nobody has to wait for a reader
	go func() {
		defer close(due)
		for i := range requests {
			at := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
			pause(time.Until(at))
			due <- at
		}
	}()
	return due
}

// pause is finer than [time.Sleep], which a program without other work rounds up to a millisecond.
func pause(d time.Duration) {
	if d > 0 {
		timeout := unix.NsecToTimeval(d.Nanoseconds())
		_, _ = unix.Select(0, nil, nil, nil, &timeout)
	}
}

// each runs the clients at the same time and joins what they return.
func (j job) each(
	all []*connection, do func(client int, c *connection) ([]time.Duration, error),
) ([]time.Duration, error) {
	took, errs := make([][]time.Duration, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { took[i], errs[i] = do(i, c) })
	}
	wg.Wait()
	var joined []time.Duration
	for _, part := range took {
		joined = append(joined, part...)
	}
	return joined, errors.Join(errs...)
}
