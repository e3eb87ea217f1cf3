package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

var (
	errForm      = errors.New("it is not a JWS in compact serialization")
	errHeader    = errors.New("its header is not one of Tokenwright's")
	errKey       = errors.New("its key is unknown")
	errSignature = errors.New("its signature is invalid")
)

// halfOrder is half the order of P-256. Of the two values of S that verify, only the one up to it is accepted, so that
// nobody can derive a second valid encoding of a token.
var halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1).FillBytes(make([]byte, 32))

// strict rejects padding and nonzero trailing bits, so that a sequence of bytes has only one encoding (RFC 4648 section
// 3.5).
var strict = base64.RawURLEncoding.Strict()

// decodeBase64 also rejects line breaks, which the decoder skips.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errForm
	}
	return strict.DecodeString(text)
}

// parseHeader checks only the shape: three strictly encoded segments, of which two are JSON objects. So it accepts
// tokens that a later Tokenwright may sign with another algorithm.
func parseHeader(text string) (header map[string]any, err error) {
	segments := strings.Split(text, ".")
	if len(segments) != 3 {
		return nil, errForm
	}
	for i, segment := range segments {
		part, err := decodeBase64(segment)
		if err != nil || len(part) == 0 {
			return nil, errForm
		}
		if i == 2 {
			break // of any bytes
		}
		object, err := parseObject(part)
		if err != nil {
			return nil, errForm
		}
		if i == 0 {
			header = object
		}
	}
	return header, nil
}

// parseJWS accepts only ES256 and one `typ` (RFC 8725 sections 3.1, 3.11), and the three members that Tokenwright
// writes: there is no place for `crit`, nor for `jwk`, `jku`, `x5c` or `x5u`, with which a token could bring its own
// key. Nothing is verified yet.
func parseJWS(text, typ string) (jws *jose.JSONWebSignature, kid string, err error) {
	header, err := parseHeader(text) // since go-jose accepts non-canonical base64
	if err != nil {
		return nil, "", err
	}
	jws, err = jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(header) != 3 || header["typ"] != typ {
		return nil, "", errHeader // without the cause, which quotes parts of the token
	}
	if kid = jws.Signatures[0].Protected.KeyID; kid == "" {
		return nil, "", errHeader
	}
	return jws, kid, nil
}

// verifyJWS returns the payload if the key has signed it, in the low-S form.
func verifyJWS(jws *jose.JSONWebSignature, key *ecdsa.PublicKey) ([]byte, error) {
	payload, err := jws.Verify(key)
	if err != nil || bytes.Compare(jws.Signatures[0].Signature[len(halfOrder):], halfOrder) > 0 {
		return nil, errSignature
	}
	return payload, nil
}
