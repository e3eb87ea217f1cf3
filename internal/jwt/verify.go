package jwt

import (
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/tokenwright/tokenwright/internal/token"
)

var (
	errForm      = invalid("the JWT is not three segments of strict base64url")
	errHeader    = invalid("the JWT's header is not one of this server's")
	errKey       = invalid("the JWT's key is unknown")
	errIssuer    = invalid("the JWT has a different issuer")
	errClaims    = invalid("the JWT's claims are malformed")
	errSignature = invalid("the JWT's signature is invalid")
)

func invalid(cause string) error { return token.Wrap(token.CredentialInvalid, errors.New(cause)) }

// strict rejects padding and nonzero trailing bits, so that a sequence of bytes has only one encoding (RFC 4648 section
// 3.5). [split] rejects line breaks, which the decoder skips.
var strict = base64.RawURLEncoding.Strict()

// header holds the only members that a header may have. There is no place for `crit`, nor for `jwk`, `jku`, `x5c` or
// `x5u`, which let a JWT bring its own key.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// Verify returns nil if this server signed the JWT (RFC 7515 section 5.2, compact serialisation) and it has not been
// altered. It is stricter than the standard, because the only writer is [Keys.Sign] (RFC 8725 section 3). It does not
// check times. Its errors are of kind [token.CredentialInvalid].
func (k *Keys) Verify(secret string) error {
	parts, err := split(secret)
	if err != nil {
		return err
	}
	key, err := k.keyOf(parts[0])
	if err != nil {
		return err
	}
	iss, err := issuerOf(parts[1])
	if err != nil {
		return err
	}
	if iss != k.issuer {
		return errIssuer
	}
	return key.verify(secret, parts[2])
}

// Ours reports whether the JWT names this server as its issuer. Nothing is verified.
func (k *Keys) Ours(secret string) bool {
	parts, err := split(secret)
	if err != nil {
		return false
	}
	iss, err := issuerOf(parts[1])
	return err == nil && iss == k.issuer
}

// split decodes the three segments of the compact serialisation.
func split(secret string) ([3][]byte, error) {
	var parts [3][]byte
	segments := strings.Split(secret, ".")
	if len(secret) > token.MaxJWT || len(segments) != len(parts) || strings.ContainsAny(secret, "\r\n") {
		return parts, errForm
	}
	for i, segment := range segments {
		b, err := strict.DecodeString(segment)
		if err != nil || len(b) == 0 {
			return parts, errForm
		}
		parts[i] = b
	}
	return parts, nil
}

// keyOf chooses the key by the header. The kid is only ever compared with those in memory.
func (k *Keys) keyOf(raw []byte) (*key, error) {
	var h header
	if err := json.Unmarshal(raw, &h, json.RejectUnknownMembers(true)); err != nil {
		return nil, errHeader
	}
	if h.Algorithm != string(jose.ES256) || h.Type != headerType {
		return nil, errHeader
	}
	if key := k.byID(h.KeyID); key != nil {
		return key, nil
	}
	return nil, errKey
}

// issuerOf reads `iss`. The decoder refuses repeated members at every level, members that differ in case only count as
// others, and nothing may follow the object.
func issuerOf(payload []byte) (string, error) {
	var c struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return "", errClaims
	}
	return c.Issuer, nil
}

// verify checks the signature, which must be in its low-S form.
func (k *key) verify(secret string, signature []byte) error {
	if len(signature) != signatureSize || highS(signature) {
		return errSignature
	}
	jws, err := jose.ParseSignedCompact(secret, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return errForm
	}
	if _, err := jws.Verify(k.public.Key); err != nil {
		return errSignature
	}
	return nil
}

// highS reports whether the second half of the signature is the larger of its two equally valid values.
func highS(signature []byte) bool {
	return new(big.Int).SetBytes(signature[scalarSize:]).Cmp(halfOrder) > 0
}
