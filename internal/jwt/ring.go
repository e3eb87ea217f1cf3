package jwt

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/durable"
)

// ring is an immutable snapshot of the keys of a directory.
type ring struct {
	manifest manifest
	keys     []*key // the one that signs, then the others
}

func (r *ring) active() *key { return r.keys[0] }

func (r *ring) byID(id string) *key {
	for _, k := range r.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// public is the key set, the active key first.
func (r *ring) public() jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, key := range r.keys {
		set.Keys = append(set.Keys, key.public)
	}
	return set
}

// load reads all keys of a directory. A missing key file is an error only if the manifest still lists it.
func load(dir string) (*ring, error) {
	m, err := readManifest(dir)
	for err == nil {
		r, failure := m.load(dir)
		if failure == nil {
			return r, nil
		}
		before := m
		if m, err = readManifest(dir); err == nil && slices.Equal(m.Keys, before.Keys) {
			return nil, failure
		}
	}
	return nil, err
}

func (m manifest) load(dir string) (*ring, error) {
	r := &ring{manifest: m}
	for _, e := range m.Keys {
		k, err := e.load(filepath.Join(dir, e.File))
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, k)
	}
	return r, nil
}

// load reads the key file, which must hold the key of this id.
func (e *Entry) load(path string) (*key, error) {
	text, err := durable.ReadPrivate(path)
	if errors.Is(err, fs.ErrNotExist) { // must not match, or it would look like a directory without keys
		return nil, fmt.Errorf("key file %s is missing", path)
	}
	if err != nil {
		return nil, err
	}
	k, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s %w", path, err)
	}
	if k.id != e.ID {
		return nil, fmt.Errorf("key file %s does not match its key id: it contains %s instead of %s", path, k.id, e.ID)
	}
	k.path = path
	return k, nil
}
