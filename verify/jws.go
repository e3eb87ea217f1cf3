package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

const scalarSize = 32 // bytes of R and of S (RFC 7518 section 3.4)

var (
	errForm      = errors.New("it is not a JWS in the compact serialisation")
	errHeader    = errors.New("its header is not one that Tokenwright writes")
	errKey       = errors.New("it names no key of Tokenwright")
	errSignature = errors.New("its signature is wrong")
)

// halfOrder is half the order of P-256. Of the two values of S that verify only the one up to it is accepted, so that
// nobody can derive a second spelling of a token.
var halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1).FillBytes(make([]byte, scalarSize))

// strict refuses padding and unused bits, so that a sequence of bytes has one spelling (RFC 4648 section 3.5).
var strict = base64.RawURLEncoding.Strict()

// jws is a parsed compact serialisation (RFC 7515 section 7.1); nothing of it is verified yet.
type jws struct {
	kid       string
	payload   []byte
	input     string // what is signed
	signature []byte
}

// parseJWS takes ES256 and one `typ` only (RFC 8725 sections 3.1, 3.11).
func parseJWS(text, typ string) (jws, error) {
	segments := strings.Split(text, ".")
	if len(segments) != 3 {
		return jws{}, errForm
	}
	var parts [3][]byte
	for i, segment := range segments {
		b, err := decodeBase64(segment)
		if err != nil || len(b) == 0 {
			return jws{}, errForm
		}
		parts[i] = b
	}
	kid, err := parseHeader(parts[0], typ)
	return jws{kid, parts[1], segments[0] + "." + segments[1], parts[2]}, err
}

// decodeBase64 also refuses line breaks, which the decoder skips.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errForm
	}
	return strict.DecodeString(text)
}

// parseHeader takes the three members that Tokenwright writes and no other: there is no place for `crit`, nor for
// `jwk`, `jku`, `x5c` or `x5u`, which let a token bring its own key.
func parseHeader(raw []byte, typ string) (kid string, err error) {
	h, err := parseObject(raw)
	if err != nil || len(h) != 3 {
		return "", errHeader
	}
	for name, want := range map[string]string{"alg": "ES256", "typ": typ} {
		if got, err := h.text(name); err != nil || got != want {
			return "", errHeader
		}
	}
	if kid, err = h.text("kid"); err != nil || kid == "" {
		return "", errHeader
	}
	return kid, nil
}

// verify checks the signature, which must be in its low-S form.
func (j jws) verify(key *ecdsa.PublicKey) error {
	if len(j.signature) != 2*scalarSize {
		return errSignature
	}
	r, s := j.signature[:scalarSize], j.signature[scalarSize:]
	if bytes.Compare(s, halfOrder) > 0 {
		return errSignature
	}
	digest := sha256.Sum256([]byte(j.input))
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)) {
		return errSignature
	}
	return nil
}
