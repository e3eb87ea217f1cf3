package jwt

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Releases before the manifest kept everything in the names of files: `<kid>.<state>.pem` holds a key, and
// `<kid>.<fact>.<time>.at`, which is empty, records a fact; the latest record of a fact counts. Servers read such a
// directory as it is, so that servers of both releases can share it; the first change gives it a manifest, see
// [Directory.change]. The files keep their names then, so that servers of the older release can go on as well.
const (
	recordSuffix = ".at"
	recordTime   = "20060102T150405Z"
)

// legacy derives a manifest from the file names.
func legacy(dir string) (manifest, error) {
	var m manifest
	files, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	facts := map[string]time.Time{} // by `<kid>.<fact>`
	orphans := 0
	for _, file := range files {
		if about, at := parseRecord(file.Name()); at.After(facts[about]) {
			facts[about] = at
		}
		stem, ok := strings.CutSuffix(file.Name(), keySuffix)
		id, st, old := strings.Cut(stem, ".")
		switch {
		case ok && old:
			m.Keys = append(m.Keys, Entry{ID: id, State: state(st), File: file.Name()})
		case ok:
			orphans++
		}
	}
	switch {
	case orphans > 1, orphans > 0 && len(m.Keys) > 0: // a single one is a first key whose manifest is not written yet
		return m, fmt.Errorf("%s is missing, and only it says which key signs: restore it", manifestName)
	case len(m.Keys) == 0:
		return m, fmt.Errorf("it contains no key: %w", fs.ErrNotExist)
	}
	m.tell(facts)
	return m, nil
}

// parseRecord returns the zero time for any other file name.
func parseRecord(name string) (about string, at time.Time) {
	stem, ok := strings.CutSuffix(name, recordSuffix)
	dot := strings.LastIndexByte(stem, '.')
	if !ok || dot < 0 {
		return "", at
	}
	if at, err := time.Parse(recordTime, stem[dot+1:]); err == nil {
		return stem[:dot], at
	}
	return "", at
}

// tell adds the facts. Of two active keys, the one recorded as replaced was left by an unfinished rotation.
func (m *manifest) tell(facts map[string]time.Time) {
	signs := 0
	for _, e := range m.Keys {
		if e.State == active {
			signs++
		}
	}
	for i := range m.Keys {
		e := &m.Keys[i]
		replaced := facts[e.ID+".replaced"]
		if signs > 1 && e.State == active && !replaced.IsZero() {
			e.State = retired
		}
		e.Created, e.Published = facts[e.ID+".created"], facts[e.ID+".published"]
		e.Changed = cmp.Or(facts[e.ID+".activated"], e.Published)
		if e.State == retired {
			e.Changed = replaced
		}
	}
}

// complete sets unknown times to now.
func (m *manifest) complete(now time.Time) {
	for i := range m.Keys {
		e := &m.Keys[i]
		e.Published = cmp.Or(e.Published, now)
		if e.State != active {
			e.Changed = cmp.Or(e.Changed, now)
		}
	}
}
