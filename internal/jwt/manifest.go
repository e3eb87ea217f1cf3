package jwt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tokenwright/tokenwright/internal/durable"
)

const (
	dirMode         = 0o700
	fileMode        = 0o600
	keySuffix       = ".pem"
	manifestName    = "manifest.json"
	manifestVersion = 1
)

// state is the state of a key.
type state string

// A next key is published before it signs; the active one signs; a retired one only verifies.
const (
	next    state = "next"
	active  state = "active"
	retired state = "retired"
)

// manifest lists the keys of a directory. It is one file and replaced as a whole, so that every reader finds one key
// that signs, and all keys that verify. A key file that is not listed is ignored.
type manifest struct {
	Version int     `json:"version"` // 0: the directory has no manifest yet, see [legacy]
	Keys    []Entry `json:"keys"`
}

// Entry describes a key in the manifest. Unknown times are zero.
type Entry struct {
	ID        string    `json:"kid"`
	File      string    `json:"file"`
	State     state     `json:"state"`
	Created   time.Time `json:"created_at,omitzero"`
	Published time.Time `json:"published_at,omitzero"`
	Changed   time.Time `json:"changed_at,omitzero"` // when it got its state
}

// ready is when every cached key set without the key has expired, zero if unknown.
func (e *Entry) ready() time.Time {
	if e.Published.IsZero() {
		return time.Time{}
	}
	return e.Published.Add(MaxAge + margin)
}

func (e *Entry) become(st state, at time.Time) { e.State, e.Changed = st, at }

// active is the key that signs.
func (m *manifest) active() *Entry {
	return &m.Keys[slices.IndexFunc(m.Keys, func(e Entry) bool { return e.State == active })]
}

// heir is the next key with the earliest publication, nil if there is none.
func (m *manifest) heir() *Entry {
	var heir *Entry
	for i := range m.Keys {
		e := &m.Keys[i]
		if e.State == next && (heir == nil || e.Published.Before(heir.Published)) {
			heir = e
		}
	}
	return heir
}

// readManifest reads the manifest, the active key first, or derives one from the files of a directory that has none.
func readManifest(dir string) (manifest, error) {
	if err := checkDir(dir); err != nil {
		return manifest{}, err
	}
	m, err := parseManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = legacy(dir)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return m, fmt.Errorf("key directory %s: %w", dir, err)
	}
	slices.SortStableFunc(m.Keys, func(a, b Entry) int { return cmp.Compare(a.State, b.State) })
	return m, nil
}

func parseManifest(dir string) (manifest, error) {
	var m manifest
	text, err := durable.ReadPrivate(filepath.Join(dir, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m, json.RejectUnknownMembers(true)); err != nil {
		return m, fmt.Errorf("%s is damaged: %w", manifestName, err)
	}
	if m.Version != manifestVersion {
		return m, fmt.Errorf("%s has version %d, which this program does not support", manifestName, m.Version)
	}
	for i := range m.Keys { // so that equal times are the same, see [Keys.refresh]
		e := &m.Keys[i]
		e.Created, e.Published, e.Changed = e.Created.UTC(), e.Published.UTC(), e.Changed.UTC()
	}
	return m, nil
}

// check rejects an inconsistent manifest, such as one without a single active key.
func (m *manifest) check() error {
	seen := map[string]bool{}
	var signs []string
	for _, e := range m.Keys {
		switch e.State {
		case active:
			signs = append(signs, e.ID)
		case next, retired:
		default:
			return fmt.Errorf("the key %s has an unknown state, %q", e.ID, e.State)
		}
		if seen[e.ID] {
			return fmt.Errorf("the key %s is listed twice", e.ID)
		}
		if filepath.Base(e.File) != e.File {
			return fmt.Errorf("the file of the key %s is not in the directory: %q", e.ID, e.File)
		}
		seen[e.ID] = true
	}
	switch len(signs) {
	case 0:
		return errors.New("there is no active key")
	case 1:
		return nil
	default:
		return fmt.Errorf("there are two active keys, %s and %s: retire one of them", signs[0], signs[1])
	}
}

// write replaces the manifest of the directory.
func (m *manifest) write(dir string) error {
	m.Version = manifestVersion
	text, err := json.Marshal(m, jsontext.WithIndent("  "))
	if err == nil {
		err = durable.Replace(filepath.Join(dir, manifestName), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", manifestName, err)
	}
	return nil
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("key directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("key directory %s is not a directory", dir)
	}
	return durable.CheckPrivate(dir, info, dirMode)
}
