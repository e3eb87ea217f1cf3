package jwt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// oldNames are those of a directory that the release before the manifest made: `keys init`, `keys rotate`, a token
// until a year later, and then, step by step, another `keys rotate`. A to C are the ids of keys.
const oldNames = `
	A.active.pem A.created.20260304T050608Z.at A.published.20260304T050608Z.at A.until.20270304T120000Z.at
	B.next.pem B.created.20260304T050708Z.at B.published.20260304T050708Z.at`

// oldRotation are the steps of a rotation then; a name with a leading minus goes.
var oldRotation = []string{
	"A.replaced.20260304T060000Z.at", "-B.next.pem B.active.pem", "B.activated.20260304T060000Z.at", "-A.active.pem A.retired.pem",
	"A.replaced.20260304T060001Z.at", "C.created.20260304T060001Z.at", "C.next.pem", "C.published.20260304T060001Z.at",
}

// oldDirectory has a directory of that release.
type oldDirectory struct {
	*operator
	ids   *strings.Replacer // from the letters to the ids
	texts map[string][]byte // the keys by letter
}

func oldKeys(t *testing.T) oldDirectory {
	t.Helper()
	o := oldDirectory{operator: &operator{t: t, at: testIssued, signed: expiries{}}, texts: map[string][]byte{}}
	o.Directory = Directory{Path: t.TempDir(), Tokens: o.signed, Now: func() time.Time { return o.at }}
	chmod(t, o.Path, 0o700)
	var ids []string
	for _, letter := range []string{"A", "B", "C"} {
		private, k, err := generate()
		o.must(err)
		text, err := encodeKey(private)
		o.must(err)
		o.texts[letter] = text
		ids = append(ids, letter+".", k.id+".")
	}
	o.ids = strings.NewReplacer(ids...)
	o.step(oldNames)
	return o
}

func (o oldDirectory) id(letter string) string {
	return strings.TrimSuffix(o.ids.Replace(letter+"."), ".")
}

// step makes and removes files.
func (o oldDirectory) step(names string) {
	o.t.Helper()
	for name := range strings.FieldsSeq(names) {
		name, gone := strings.CutPrefix(name, "-")
		path := filepath.Join(o.Path, o.ids.Replace(name))
		switch {
		case gone:
			o.must(os.Remove(path))
		case strings.HasSuffix(name, keySuffix):
			put(o.t, path, o.texts[name[:1]], 0o600)
		default:
			put(o.t, path, nil, 0o600)
		}
	}
}

func (o oldDirectory) names() []string {
	o.t.Helper()
	files, err := os.ReadDir(o.Path)
	o.must(err)
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	return names
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestOldDirectory is read without a change, and gets its manifest with the first change, beside what was there.
func TestOldDirectory(t *testing.T) {
	o := oldKeys(t)
	before := o.names()
	running := o.server()
	jwt := o.sign(running)
	if running.Active() != o.id("A") || len(running.Public().Keys) != 2 {
		t.Errorf("%s signs of %d keys", running.Active(), len(running.Public().Keys))
	}
	infos, err := o.List(t.Context())
	o.must(err)
	madeA, madeB := at("2026-03-04T05:06:08Z"), at("2026-03-04T05:07:08Z")
	want := []Info{
		{Entry: Entry{o.id("A"), o.id("A") + ".active.pem", active, madeA, madeA, madeA}, Until: testClaims.ExpiresAt},
		{Entry: Entry{o.id("B"), o.id("B") + ".next.pem", next, madeB, madeB, madeB}, Ready: at("2026-03-04T05:13:08Z")},
	}
	if !slices.Equal(infos, want) {
		t.Errorf("listed %+v, want %+v", infos, want)
	}
	if got := o.names(); !slices.Equal(got, before) {
		t.Errorf("reading left %v, want %v", got, before)
	}
	o.at = at("2026-03-04T05:13:07Z")
	_, err = o.Rotate(false)
	o.early(err)
	if m, err := parseManifest(o.Path); err != nil || m.Keys[0].State != active {
		t.Errorf("the manifest is %+v, %v", m, err)
	}
	o.must(running.refresh())
	o.at = o.at.Add(time.Second)
	done := o.rotated(false)
	if done.Active != o.id("B") || done.Retired != o.id("A") {
		t.Errorf("rotated %+v", done)
	}
	for _, name := range before {
		if !slices.Contains(o.names(), name) {
			t.Errorf("%s is gone, which servers of the older release need", name)
		}
	}
	verified(t, o.server(), jwt)
	o.must(running.refresh())
	verified(t, running, jwt, sign(t, o.server()))
	o.early(o.retire(o.id("A"), false))
	o.must(o.retire(o.id("A"), true))
	if slices.Contains(o.names(), o.id("A")+".active.pem") {
		t.Error("the key was left")
	}
}

// TestOldDirectoryUnfinishedRotation: whatever an older release has left of a rotation, one key signs, and all verify.
func TestOldDirectoryUnfinishedRotation(t *testing.T) {
	for done := range len(oldRotation) + 1 {
		o := oldKeys(t)
		old := o.sign(o.server())
		for _, step := range oldRotation[:done] {
			o.step(step)
		}
		signs := "A"
		if done >= 2 {
			signs = "B"
		}
		keys := o.server()
		if keys.Active() != o.id(signs) {
			t.Errorf("%d steps: %s signs, want %s", done, keys.Active(), o.id(signs))
		}
		verified(t, keys, old)
		o.at = at("2026-03-05T00:00:00Z")
		rotated, err := o.Rotate(false)
		if done == 7 { // it is not known since when the next key is published
			o.early(err)
			continue
		}
		o.must(err)
		verified(t, o.server(), old, sign(t, keys))
		if want := done < 2 || done > 7; (rotated.Retired != "") != want {
			t.Errorf("%d steps: rotated %+v, a change of the key that signs: %v", done, rotated, want)
		}
		if k := o.server().ring().manifest; k.heir() == nil {
			t.Errorf("%d steps: no next key", done)
		}
	}
}

// TestOldDirectoryConvertedTwice: a conversion that was interrupted is done again, and one that is done is not.
func TestOldDirectoryConvertedTwice(t *testing.T) {
	o := oldKeys(t)
	nothing := errors.New("nothing is to be changed")
	convert := func() manifest {
		t.Helper()
		if err := o.change(func(*manifest) error { return nothing }); !errors.Is(err, nothing) {
			t.Fatal(err)
		}
		m, err := parseManifest(o.Path)
		o.must(err)
		return m
	}
	put(t, filepath.Join(o.Path, ".tmp-1"), []byte(`{"version":1,`), 0o600)
	first := convert()
	o.at = o.at.Add(time.Hour)
	o.step("A.replaced.20260304T060000Z.at") // as a server of the older release might
	if again := convert(); !slices.Equal(again.Keys, first.Keys) {
		t.Errorf("%+v, want %+v", again, first)
	}
	o.must(os.Remove(filepath.Join(o.Path, manifestName)))
	o.step("-A.replaced.20260304T060000Z.at")
	if again := convert(); !slices.Equal(again.Keys, first.Keys) {
		t.Errorf("%+v, want %+v", again, first)
	}
}

// TestOldDirectoryByHand: what was not recorded counts from when it is noticed.
func TestOldDirectoryByHand(t *testing.T) {
	o := oldKeys(t)
	o.step("-A.active.pem A.retired.pem -B.next.pem B.active.pem C.next.pem")
	if _, err := o.Rotate(false); !errors.Is(err, ErrEarly) {
		t.Errorf("got %v", err)
	}
	o.early(o.retire(o.id("A"), false))
	noticed := o.at
	o.at = noticed.Add(MaxAge + margin + time.Second)
	if done := o.rotated(false); done.Active != o.id("C") {
		t.Errorf("rotated %+v", done)
	}
	o.at = noticed.Add(maxListLife + margin)
	o.early(o.retire(o.id("A"), false))
	o.at = o.at.Add(time.Second)
	o.must(o.retire(o.id("A"), false))
	o.at = o.at.AddDate(1, 0, 0)
	done := o.rotated(false)
	o.at = o.at.AddDate(1, 0, 0)
	if err := o.retire(done.Retired, false); err == nil || !strings.Contains(err.Error(), "there is no record") {
		t.Errorf("a key from elsewhere: %v", err)
	}
}

// TestOldDirectoryRefused: what does not say which key signs.
func TestOldDirectoryRefused(t *testing.T) {
	for name, c := range map[string]struct{ step, want string }{
		"no active key":   {"-A.active.pem A.retired.pem", "no active key"},
		"two active keys": {"-B.next.pem B.active.pem", "two active keys"},
		"two states":      {"A.next.pem", "is listed twice"},
		"unknown state":   {"-B.next.pem B.current.pem", "unknown state"},
		"no state":        {"-B.next.pem B..pem", "unknown state"},
		"no kid":          {".retired.pem", "does not match"},
		"too many parts":  {"B.next.x.pem", "unknown state"},
	} {
		o := oldKeys(t)
		if c.step == ".retired.pem" {
			put(t, filepath.Join(o.Path, c.step), o.texts["B"], 0o600)
		} else {
			o.step(c.step)
		}
		_, err := Open(o.Path, testIssuer)
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		before := o.names()
		if _, err := o.Rotate(true); err == nil {
			t.Errorf("%s: rotated", name)
		}
		if got := o.names(); !slices.Equal(got, before) {
			t.Errorf("%s: left %v, want %v", name, got, before)
		}
	}
}

// TestOldDirectoryStrangeRecords are left alone.
func TestOldDirectoryStrangeRecords(t *testing.T) {
	o := oldKeys(t)
	o.step("x.at .at A.until.tomorrow.at A.loved.20260101T000000Z.at A.until.at a.b.c.d.at A.created.20200101T000000Z.at")
	infos, err := o.List(t.Context())
	o.must(err)
	if infos[0].ID != o.id("A") || !infos[0].Created.Equal(at("2026-03-04T05:06:08Z")) {
		t.Errorf("listed %+v", infos)
	}
}

// TestOldDirectoryIsWatched as an older release's command changes it.
func TestOldDirectoryIsWatched(t *testing.T) {
	o := oldKeys(t)
	keys := o.server()
	for _, step := range oldRotation {
		o.step(step)
		o.must(keys.refresh())
		verified(t, keys, sign(t, keys))
	}
	if keys.Active() != o.id("B") || len(keys.Public().Keys) != 3 {
		t.Errorf("%s signs of %d keys", keys.Active(), len(keys.Public().Keys))
	}
}
