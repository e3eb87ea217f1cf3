package memory

import (
	"math"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/tokenwright/tokenwright/internal/token"
)

// rows caches the rows of the most recently used credentials, in a bounded number of bytes. Absence is never cached, so
// that a new token works everywhere at once. A row is removed when it changes or something that it depends on, and a
// row that was read before such a change is not added after it.
type rows struct {
	limit int64

	mu      sync.Mutex
	used    int64 // bytes, by the account that sizes.go gives
	kept    *simplelru.LRU[token.Hash, *row]
	bySeq   map[int64]*row // the first of those of a token: one for each of its secrets
	owners  map[owner]*dependents
	changes changes
}

// owner is one thing on which rows depend besides their tokens: a user, an account or an environment.
type owner struct {
	kind kind
	user int64
	id   string // of an account or an environment
}

// kind is that of an owner.
type kind uint8

const (
	user kind = iota
	account
	environment
	kinds
)

// ownersOf are what a row names; the zero owner is none. Of an account it has one at most: the token's, or the home
// account of its user.
func ownersOf(id token.Identity) (all [kinds]owner) {
	accountID := id.Token.AccountID
	if accountID == "" && id.User != nil {
		accountID = id.User.AccountID
	}
	if id.Token.UserID != 0 {
		all[user] = owner{kind: user, user: id.Token.UserID}
	}
	if accountID != "" {
		all[account] = owner{kind: account, id: accountID}
	}
	if id.Token.EnvironmentID != "" {
		all[environment] = owner{kind: environment, id: id.Token.EnvironmentID}
	}
	return all
}

// ownerOf is the owner that a change names, or the zero one.
func ownerOf(c token.Change) owner {
	switch {
	case c.User != 0:
		return owner{kind: user, user: c.User}
	case c.Account != "":
		return owner{kind: account, id: c.Account}
	case c.Environment != "":
		return owner{kind: environment, id: c.Environment}
	}
	return owner{}
}

func (o owner) zero() bool { return o == owner{} }

// row is a cached row. It is in a list with the others of each of its owners.
type row struct {
	token      token.Token
	id         token.Identity     // with this token and the owners' copies of themselves, under the hash of its secret
	sibling    *row               // the next one of the token
	owners     [kinds]*dependents // nil: it has none
	prev, next [kinds]*row
	bytes      int64
}

// dependents are the rows of one owner, of which they have one copy.
type dependents struct {
	owner owner
	first *row
	bytes int64 // without the rows
}

func newRows(limit int64) *rows {
	r := &rows{limit: limit, bySeq: map[int64]*row{}, owners: map[owner]*dependents{}}
	gone := func(_ token.Hash, row *row) { r.unlink(row) }
	r.kept, _ = simplelru.NewLRU(math.MaxInt, gone) // which fails only below 1
	return r
}

func (r *rows) get(h token.Hash) (token.Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.kept.Get(h)
	if !ok {
		return token.Identity{}, false
	}
	return row.id, true
}

// fill returns the result of read, and caches it unless it may have changed since it began.
func (r *rows) fill(h token.Hash, read reader) (token.Identity, error) {
	begun := r.begin()
	id, err := read()
	if err == nil && id.Token != nil {
		r.put(h, id, begun)
	}
	return id, err
}

// begin is how many changes there were before a read.
func (r *rows) begin() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes.count
}

func (r *rows) put(h token.Hash, id token.Identity, begun uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == 0 || r.changes.concern(id, begun) {
		return
	}
	r.kept.Remove(h)
	row := &row{token: *id.Token, id: id}
	row.id.Token, row.id.Secret = &row.token, h
	r.share(row)
	row.bytes = rowBytes + packToken(&row.token)
	r.used += row.bytes
	row.sibling, r.bySeq[id.Token.Seq] = r.bySeq[id.Token.Seq], row
	r.kept.Add(h, row)
	for r.used > r.limit && r.kept.Len() > 0 {
		r.kept.RemoveOldest()
	}
}

// share puts the row into the list of each of its owners, and has it use their copies of these. If a copy differs, one
// of the two was read before a change that is not reported yet; then the rows with the older copy are removed.
func (r *rows) share(row *row) {
	for k, owner := range ownersOf(row.id) {
		if owner.zero() {
			continue
		}
		if d := r.owners[owner]; d != nil && !d.first.agrees(row, kind(k)) {
			r.forget(d)
		}
		d := r.owners[owner]
		if d == nil {
			owner.id = strings.Clone(owner.id)
			d = &dependents{owner: owner, bytes: dependentsBytes + int64(len(owner.id)) + row.copyOwner(kind(k))}
			r.owners[owner] = d
			r.used += d.bytes
		}
		d.link(row)
	}
}

// agrees reports whether both rows have the same copy of an owner.
func (r *row) agrees(other *row, k kind) bool {
	switch k {
	case user:
		return equal(r.id.User, other.id.User)
	case account:
		return equal(r.id.Account, other.id.Account)
	default:
		return equal(r.id.Environment, other.id.Environment)
	}
}

func equal[T comparable](p, q *T) bool { return p == q || p != nil && q != nil && *p == *q }

// adopt has the row use the other's copy of an owner.
func (r *row) adopt(other *row, k kind) {
	switch k {
	case user:
		r.id.User = other.id.User
	case account:
		r.id.Account = other.id.Account
	default:
		r.id.Environment = other.id.Environment
	}
}

// link makes the row the first of the owner's.
func (d *dependents) link(row *row) {
	k := d.owner.kind
	if d.first != nil {
		row.adopt(d.first, k)
		d.first.prev[k] = row
	}
	switch k {
	case account:
		if row.token.AccountID != "" {
			row.token.AccountID = d.owner.id
		}
	case environment:
		row.token.EnvironmentID = d.owner.id
	}
	row.owners[k], row.next[k], d.first = d, d.first, row
}

// unlink takes the row out of everything but the cache, which calls it when it removes the row.
func (r *rows) unlink(row *row) {
	r.unlinkSibling(row)
	r.used -= row.bytes
	for k, d := range row.owners {
		prev, next := row.prev[k], row.next[k]
		if next != nil {
			next.prev[k] = prev
		}
		switch {
		case prev != nil:
			prev.next[k] = next
		case next != nil:
			d.first = next
		case d != nil:
			delete(r.owners, d.owner)
			r.used -= d.bytes
		}
	}
	clear(row.prev[:])
	clear(row.next[:]) // a caller may keep this token, but not all others with it
}

func (r *rows) unlinkSibling(row *row) {
	seq := row.token.Seq
	first := r.bySeq[seq]
	switch {
	case first != row:
		for first.sibling != row {
			first = first.sibling
		}
		first.sibling = row.sibling
	case row.sibling != nil:
		r.bySeq[seq] = row.sibling
	default:
		delete(r.bySeq, seq)
	}
	row.sibling = nil
}

// forget removes all rows of an owner.
func (r *rows) forget(d *dependents) {
	for row := d.first; row != nil; {
		next := row.next[d.owner.kind]
		r.kept.Remove(row.id.Secret)
		row = next
	}
}

// changed removes what the change concerns.
func (r *rows) changed(c token.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes.add(c)
	if c.Token != 0 {
		for row := r.bySeq[c.Token]; row != nil; row = r.bySeq[c.Token] {
			r.kept.Remove(row.id.Secret)
		}
		return
	}
	o := ownerOf(c)
	if o.zero() {
		r.kept.Purge()
	} else if d := r.owners[o]; d != nil {
		r.forget(d)
	}
}
