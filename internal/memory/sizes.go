package memory

import (
	"reflect"
	"strings"

	"github.com/tokenwright/tokenwright/internal/token"
)

// What a row costs in memory, so that the cache can be bounded in bytes.
var (
	rowBytes        = allocated[row]() + lruEntryBytes + slot[token.Hash]() + slot[int64]()
	dependentsBytes = allocated[dependents]() + slot[owner]()
	userBytes       = allocated[token.User]()
	accountBytes    = allocated[token.Account]()
	envBytes        = allocated[token.Environment]()
)

// lruEntryBytes is the size of simplelru's own entry, which is not exported: four pointers, a hash, a time and a byte.
const lruEntryBytes = 96

// allocated is what the allocator takes for a value with pointers, of which it keeps a header where they are large.
func allocated[T any]() int64 {
	const header = 8
	var b strings.Builder
	b.Grow(int(reflect.TypeFor[T]().Size()) + header)
	return int64(b.Cap())
}

// slot is the part of a map that one key with a pointer takes, and a byte of control. Right after a map has grown, its
// slots are more than twice as many as its keys; the allocator rounds up, too.
func slot[K any]() int64 { return int64(reflect.TypeFor[K]().Size()+8+1) * 5 / 2 } //nolint:gosec // a small size

// pack moves the texts into one allocation, which costs less and keeps nothing else in memory. It returns the size.
func pack(texts ...*string) int64 {
	length := 0
	for _, text := range texts {
		length += len(*text)
	}
	var b strings.Builder
	b.Grow(length)
	for _, text := range texts {
		b.WriteString(*text)
	}
	all := b.String()
	for _, text := range texts {
		*text, all = all[:len(*text)], all[len(*text):]
	}
	return int64(b.Cap())
}

// packToken leaves out the ids of its owners, which have them already.
func packToken(t *token.Token) int64 {
	return pack(&t.ID, &t.Name, (*string)(&t.Scope), (*string)(&t.State), (*string)(&t.RoleLimit), &t.CreatedByAdminID,
		&t.KeyID, &t.Previous.KeyID)
}

// copyOwner has the row use a compact copy of its owner, and returns the size of that.
func (r *row) copyOwner(k kind) int64 {
	switch id := &r.id; {
	case k == user && id.User != nil:
		u := *id.User
		id.User = &u
		return userBytes + pack(&u.AdminID, &u.Issuer, &u.Subject, &u.Name, (*string)(&u.Role), &u.AccountID)
	case k == account && id.Account != nil:
		a := *id.Account
		id.Account = &a
		return accountBytes + pack(&a.ID, &a.Name)
	case k == environment && id.Environment != nil:
		e := *id.Environment
		id.Environment = &e
		return envBytes + pack(&e.ID, &e.AccountID, &e.Name)
	}
	return 0
}
