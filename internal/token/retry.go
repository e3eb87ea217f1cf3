package token

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// RetryKeySize is the size of [Service.RetryKey] in bytes.
const RetryKeySize = 32

// answerLife is how long the answer of a request is kept.
const answerLife = 24 * time.Hour

// Retry makes a request that answers a secret safe to send again (draft-ietf-httpapi-idempotency-key-header).
type Retry struct {
	Key       string // of the client, the same for the same request
	Operation string // which the key is for
	Body      []byte // of the request, as the server understands it

	Replayed bool // set where the answer is that of an earlier request
}

// Claim is what a store keeps of a request with a [Retry]: in the transaction of the token that the request creates, so
// that of requests with the same ID exactly one does.
type Claim struct {
	ID        Hash
	Request   Hash // of what the request asks for
	MadeAt    time.Time
	ExpiresAt time.Time // nothing is left of the claim then
	// Seal returns the answer to keep, once the token has been decided.
	Seal func(Token) ([]byte, error)
}

// Claimed is the error of a create whose claim an earlier request has.
type Claimed struct {
	Request Hash
	Answer  []byte // as sealed
}

// Error implements error.
func (*Claimed) Error() string { return "an earlier request has the claim" }

// ErrClaiming is the error of a create whose claim another request is about to get.
var ErrClaiming = errors.New("another request with this claim is in progress")

// retry is a request that may be a repeated one.
type retry struct {
	*Retry
	service *Service
	claim   Claim
	caller  Caller
}

// claims are those that this server is working on.
type claims struct{ held sync.Map }

// begin reports false if a request with the claim is in progress.
func (c *claims) begin(id Hash) bool {
	_, held := c.held.LoadOrStore(id, nil)
	return !held
}

func (c *claims) end(id Hash) { c.held.Delete(id) }

// retrying is what the request of the caller can be repeated by.
func (s *Service) retrying(c Caller, r *Retry) (*retry, error) {
	if len(s.RetryKey) != RetryKeySize {
		return nil, Errorf(Unavailable, "this server cannot keep answers for an Idempotency-Key now")
	}
	if c.proof == "" {
		return nil, Wrap(Internal, errors.New("the caller has no credential to seal an answer with"))
	}
	now := s.Now()
	y := &retry{Retry: r, service: s, caller: c}
	y.claim = Claim{
		ID:        s.keyed("claim", c.account(), r.Operation, r.Key),
		Request:   s.keyed("request", string(r.Body)),
		MadeAt:    now,
		ExpiresAt: now.Add(answerLife),
	}
	return y, nil
}

// account is who makes a request, whatever the credential's secret is at the time.
func (c Caller) account() string {
	if c.Token != nil {
		return fmt.Sprint("token ", c.Token.Seq)
	}
	return fmt.Sprint("user ", c.User.ID)
}

// keyed is an HMAC of the parts, without the server's key of no use to anybody.
func (s *Service) keyed(parts ...string) Hash {
	mac := hmac.New(sha256.New, s.RetryKey)
	_, _ = mac.Write(joined(parts...))
	return Hash(mac.Sum(nil))
}

// joined is a text of which each part can be told from the next.
func joined(parts ...string) (text []byte) {
	for _, part := range parts {
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(part))), part...)
	}
	return text
}

// cipher takes all three: the key of the client may be weak, so a copy of the database alone must not be enough to try
// keys, nor must the database with the server's key.
func (y *retry) cipher() (cipher.AEAD, error) {
	secret := joined(y.Key, y.caller.proof)
	key, err := hkdf.Key(sha256.New, secret, y.service.RetryKey, "tokenwright kept answer", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// bound is what the sealed answer belongs to.
func (y *retry) bound() []byte { return append(y.claim.ID[:], y.claim.Request[:]...) }

// kept is an answer. What of the token may change later is as it was.
type kept struct {
	Secret string
	Token  Token
}

func (y *retry) seal(t Token, secret string) ([]byte, error) {
	answer, err := json.Marshal(kept{secret, t}) //nolint:gosec // to be sealed
	if err != nil {
		return nil, err
	}
	aead, err := y.cipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // which never fails
	return aead.Seal(nonce, nonce, answer, y.bound()), nil
}

func (y *retry) open(sealed []byte) (k kept, err error) {
	aead, err := y.cipher()
	if err != nil {
		return k, err
	}
	if len(sealed) < aead.NonceSize() {
		return k, errors.New("the kept answer is cut off")
	}
	answer, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], y.bound())
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(answer, &k)
}

// once makes the request, unless an earlier one has; then it returns the answer of that.
func (s *Service) once(
	ctx context.Context, c Caller, r *Retry, request func(*retry) (Token, string, error),
) (Token, string, error) {
	if r == nil {
		return request(nil)
	}
	y, err := s.retrying(c, r)
	if err != nil {
		return Token{}, "", err
	}
	if !s.claims.begin(y.claim.ID) {
		return Token{}, "", inProgress()
	}
	defer s.claims.end(y.claim.ID)
	t, secret, err := request(y)
	var claimed *Claimed
	switch {
	case errors.Is(err, ErrClaiming):
		return Token{}, "", inProgress()
	case errors.As(err, &claimed):
		r.Replayed = true
		return y.replay(ctx, claimed)
	}
	return t, secret, err
}

// sealing is the claim for a store, which seals the secret that there is then; nil without a retry.
func (y *retry) sealing(secret *string) *Claim {
	if y == nil {
		return nil
	}
	claim := y.claim
	claim.Seal = func(t Token) ([]byte, error) { return y.seal(t, *secret) }
	return &claim
}

// replay is the answer of the earlier request, if its secret still works.
func (y *retry) replay(ctx context.Context, earlier *Claimed) (Token, string, error) {
	if earlier.Request != y.claim.Request {
		return Token{}, "", Errorf(KeyReused, "the Idempotency-Key belongs to a request with another body; use a new one")
	}
	answer, err := y.open(earlier.Answer)
	if err != nil {
		return Token{}, "", Errorf(Conflict, "the answer to this Idempotency-Key is kept for another secret of the caller")
	}
	id, err := y.service.lookUp(ctx, answer.Secret) // which is no use of it
	switch kind := KindOf(err); {
	case err != nil && kind != NotFound && kind != CredentialInvalid:
		return Token{}, "", err
	case err != nil, !id.usable(y.service.Now()):
		return Token{}, "", Errorf(Conflict, "the secret that this Idempotency-Key was answered with no longer works; "+
			"use a new one")
	case !y.caller.sees(*id.Token, Owned): // any more
		return Token{}, "", notFound()
	}
	t := answer.Token
	t.Dialect, t.Seq, t.ID = id.Token.Dialect, id.Token.Seq, id.Token.ID
	return t, answer.Secret, nil
}

func inProgress() error {
	return Errorf(Conflict, "a request with this Idempotency-Key is in progress; try again in a moment")
}

// claimsEvery is how often expired claims are deleted.
const claimsEvery = time.Minute

// RunClaims deletes claims after their time until the context ends, and tells failures to report.
func (s *Service) RunClaims(ctx context.Context, report func(error)) {
	tick := time.NewTicker(claimsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := s.forgetClaims(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

func (s *Service) forgetClaims(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = s.Store.ForgetClaims(ctx, s.Now()); err != nil {
			return err
		}
	}
	return nil
}
