package token

import (
	"context"
	"errors"
	"sync"
)

// shared has callers who want to read the same thing at the same time share one reading. Every caller gets a reading that
// was begun after it came: while one is under way, all who come wait for the next one together. So whatever was committed
// before a caller came is in what it gets.
type shared[K comparable, V any] struct {
	mu      sync.Mutex
	running map[K]*reading[V]
	next    map[K]*reading[V] // not begun yet, because of the one that is running
}

// reading is one. Its results may be read when it is done.
type reading[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// errLeft is the result of a reading whose caller left before it was begun, or in the middle of it.
var errLeft = errors.New("the caller who was to read has left")

// get returns what read returns, in this call or in another one.
func (s *shared[K, V]) get(ctx context.Context, key K, read func() (V, error)) (V, error) {
	for {
		own, before, others := s.join(key)
		if others != nil {
			if err := others.wait(ctx); err != nil {
				return others.none(), err
			}
			if errors.Is(others.err, errLeft) {
				continue
			}
			return others.value, others.err
		}
		if before != nil {
			if err := before.wait(ctx); err != nil {
				s.end(key, own)
				return own.none(), err
			}
		}
		s.begin(key, own)
		return s.run(ctx, key, own, read)
	}
}

// join returns the reading that another caller will do, or else one of the caller's own, with the one that it comes after.
func (s *shared[K, V]) join(key K) (own, before, others *reading[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting := s.next[key]; waiting != nil {
		return nil, nil, waiting
	}
	if s.next == nil {
		s.running, s.next = map[K]*reading[V]{}, map[K]*reading[V]{}
	}
	own = &reading[V]{done: make(chan struct{}), err: errLeft}
	s.next[key] = own
	return own, s.running[key], nil
}

func (s *shared[K, V]) begin(key K, own *reading[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.next, key)
	s.running[key] = own
}

// run leaves errLeft for the others if the caller leaves, panics, or is sent away for its own share of the places.
func (s *shared[K, V]) run(ctx context.Context, key K, own *reading[V], read func() (V, error)) (V, error) {
	defer s.end(key, own)
	value, err := read()
	if (err == nil || ctx.Err() == nil) && KindOf(err) != Overloaded {
		own.value, own.err = value, err
	}
	return value, err
}

func (s *shared[K, V]) end(key K, own *reading[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, readings := range []map[K]*reading[V]{s.running, s.next} {
		if readings[key] == own {
			delete(readings, key)
		}
	}
	close(own.done)
}

func (r *reading[V]) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// none is the zero value.
func (r *reading[V]) none() (none V) { return none }
