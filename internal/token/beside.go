package token

import "context"

// BesideKey is the key under which a context holds the [Beside] of a request.
type BesideKey struct{}

// Beside is a secret that a request asks about. If neither its credential nor this secret is in memory, both are looked
// up with one question to the store.
type Beside struct {
	// Asker knows the secret; it is "" where that would have to be waited for. Nil: the request asks about none.
	Asker interface{ Secret() string }
	// Hash is that of the secret, once it is to be looked up.
	Hash Hash
	// Found is for the store, which is asked about another secret, and then looks this one up, too.
	Found *Identity // whose Token is nil if there is none

	asked bool
}

// BesideOf is what a store is to look up beside the secret with this hash, nil if that is all.
func BesideOf(ctx context.Context, hash Hash) *Beside {
	b, _ := ctx.Value(BesideKey{}).(*Beside)
	if b == nil || !b.asked || b.Hash == (Hash{}) || b.Hash == hash {
		return nil
	}
	return b
}

// ask decides once whether the secret is to be looked up: it must have the form of one, be signed where that says so,
// and not be in memory.
func (s *Service) ask(b *Beside) {
	if b == nil || b.Asker == nil || b.asked {
		return
	}
	b.asked = true
	secret := b.Asker.Secret()
	dialect := s.Dialects.OrPublished().OfSecret(secret)
	if dialect == nil || dialect.Secrets.Signed && s.Signer.Verify(secret) != nil {
		return
	}
	hash := HashSecret(secret)
	if s.Memory != nil {
		if _, ok := s.Memory.Row(hash); ok {
			return
		}
	}
	b.Hash = hash
}

// answer is what was looked up beside another secret, false if this one was not.
func (b *Beside) answer(hash Hash) (id Identity, err error, ok bool) { //nolint:revive // not an error of this function
	if b == nil || b.Found == nil || b.Hash != hash {
		return id, nil, false
	}
	if b.Found.Token == nil {
		return id, notFound(), true
	}
	return *b.Found, nil, true
}
