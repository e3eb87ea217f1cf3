package jwt

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch runs in a bubble, where the time passes as soon as nothing else is to be done.
func TestWatch(t *testing.T) {
	o := operate(t)
	keys := o.server()
	jwt := sign(t, keys)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		heard := make(chan error, 10)
		go func() {
			defer close(ended)
			keys.Watch(ctx, func(err error) { heard <- err })
		}()
		// expect lets the watcher look three times and then tells what it has reported since.
		expect := func(what string, want ...string) {
			t.Helper()
			time.Sleep(3 * pollEvery)
			synctest.Wait()
			var got []string
			for len(heard) > 0 {
				if err := <-heard; err != nil {
					got = append(got, err.Error())
				} else {
					got = append(got, "changed")
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%s: reported %q, want %q", what, got, want)
			}
			for i := range got {
				if !strings.Contains(got[i], want[i]) {
					t.Errorf("%s: reported %q, want %q", what, got[i], want[i])
				}
			}
			if err := keys.Verify(jwt); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		expect("nothing")
		o.rotated(false)
		expect("a next key", "changed")

		path := filepath.Join(o.Path, manifestName)
		good, err := os.ReadFile(path)
		o.must(err)
		put(t, path, []byte("no manifest"), 0o600)
		expect("garbage", manifestName)
		if got := len(keys.Public().Keys); got != 2 {
			t.Errorf("%d keys are published, want 2", got)
		}
		put(t, path, good, 0o600)
		expect("no garbage")

		restate(t, o.Path, keys.Active(), retired)
		expect("no active key", "no active key")
		put(t, path, good, 0o600)
		expect("an active key again")

		rename(t, o.Path, o.Path+"-away")
		expect("no directory", "no such file")
		rename(t, o.Path+"-away", o.Path)
		before := keys.Active()
		o.rotated(true)
		expect("a rotation", "changed")
		if keys.Active() == before {
			t.Error("the old key still signs")
		}
		cancel()
		<-ended
	})
}
