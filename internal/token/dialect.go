package token

import (
	"strings"
	"time"
)

// Dialect is a published contract under which tokens are issued: all in which its tokens differ from those of another
// one. A dialect is known by its address, and nothing changes one that is in use.
type Dialect struct {
	Name                string        // in paths, logs, answers and rows; lower-case letters
	OwnedByUser         bool          // its tokens belong to a user; else to an account or its environment
	IDs                 IDForm        // of the public ids
	Secrets             SecretForm    // of what the tokens are used with
	Precision           time.Duration // to which expiries are cut
	Names               NameRule      // of tokens that belong to a user; others have no names
	UniqueNames         bool          // an owner's names are unique among the tokens that are not deleted
	PublishesStatus     bool          // a token has a [StatusEntry], since it can be checked without asking this server
	DeletesFromAnyState bool          // a delete also revokes, so that it needs no earlier revoke
	Policy              Policy        // that applies unless the operator says otherwise
}

// NameRule is what the name of a token must be.
type NameRule struct {
	Word     string // what the contract calls it
	Optional bool   // it may be missing
	Shown    bool   // it must be fit to be shown: not only white space, and not [deceptive]
}

// String is the name, "" for none.
func (d *Dialect) String() string {
	if d == nil {
		return ""
	}
	return d.Name
}

// Dialects are those that a server speaks.
type Dialects []*Dialect

// OrPublished is [Published] where no dialects were chosen.
func (ds Dialects) OrPublished() Dialects {
	if ds == nil {
		return Published
	}
	return ds
}

// Named returns the dialect with this name, nil if there is none.
func (ds Dialects) Named(name string) *Dialect {
	for _, d := range ds {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Names are those of the dialects for which keep is true, in their order.
func (ds Dialects) Names(keep func(*Dialect) bool) (names []string) {
	for _, d := range ds {
		if keep(d) {
			names = append(names, d.Name)
		}
	}
	return names
}

// Ref names a token by what somebody wrote; false if no token can have that name.
func (ds Dialects) Ref(dialect, id string) (Ref, bool) {
	ref := Ref{ds.Named(dialect), id}
	return ref, ref.valid()
}

// OfSecret returns the dialect whose form the secret has, nil if it has none. Of a JWT only the shape is looked at; its
// signature is a [Signer]'s to check.
func (ds Dialects) OfSecret(secret string) *Dialect {
	d := ds.beginning(secret)
	if d == nil || !d.Secrets.Fits(secret) {
		return nil
	}
	return d
}

// beginning returns the dialect whose secrets begin like this one. A JWT begins like no other secret.
func (ds Dialects) beginning(secret string) (found *Dialect) {
	for _, d := range ds {
		switch {
		case d.Secrets.Signed:
			found = d
		case strings.HasPrefix(secret, d.Secrets.Prefix):
			return d
		}
	}
	return found
}

// SecretPattern is a regular expression that finds secrets, and what is at least a quarter of one, in a text that also
// has ids, of which "user:2" is one.
func (ds Dialects) SecretPattern() string {
	return ds.join(func(f SecretForm) string { return f.pattern() })
}

// PrefixPattern is a regular expression that finds whatever a secret may begin with.
func (ds Dialects) PrefixPattern() string {
	return ds.join(func(f SecretForm) string { return f.beginning() })
}

func (ds Dialects) join(pattern func(SecretForm) string) string {
	patterns := make([]string, len(ds))
	for i, d := range ds {
		patterns[i] = pattern(d.Secrets)
	}
	return strings.Join(patterns, "|")
}
