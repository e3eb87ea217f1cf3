package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// TestKeyOperations: a key counts only if it is said to be for verifying, or nothing is said (RFC 7517 section 4.3).
func TestKeyOperations(t *testing.T) {
	for what, c := range map[string]struct {
		members set
		counts  bool
	}{
		"nothing":              {set{}, true},
		"verify":               {set{"key_ops": []string{"verify"}}, true},
		"sign, verify":         {set{"key_ops": []string{"sign", "verify"}}, true},
		"use, verify":          {set{"use": "sig", "key_ops": []string{"verify"}}, true},
		"encrypt":              {set{"key_ops": []string{"encrypt"}}, false},
		"sign":                 {set{"key_ops": []string{"sign"}}, false},
		"use, encrypt":         {set{"use": "sig", "key_ops": []string{"encrypt", "wrapKey"}}, false},
		"none":                 {set{"key_ops": []string{}}, false},
		"another case":         {set{"key_ops": []string{"VERIFY"}}, false},
		"a text":               {set{"key_ops": "verify"}, false},
		"null":                 {set{"key_ops": nil}, true},
		"encryption, verify":   {set{"use": "enc", "key_ops": []string{"verify"}}, false},
		"a member of another":  {set{"KEY_OPS": []string{"encrypt"}}, true},
		"derived, not to sign": {set{"key_ops": []any{"deriveKey", 1}}, false},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, nil)
			jwk := p256Pair().jwk()
			jwk.Use = ""
			members := set{}
			if err := json.Unmarshal(must(jwk.MarshalJSON()), &members); err != nil {
				t.Fatal(err)
			}
			maps.Copy(members, c.members)
			w.behave(w.keysAre(text(fmt.Sprintf(`{"keys":[%s]}`, must(json.Marshal(members))))))
			if c.counts {
				w.accepts(t, w.good(p256Pair()))
			} else {
				w.refuses(t, w.good(p256Pair()), token.CredentialInvalid)
			}
		})
	}
}

// TestSaltLength: the salt of PS… is as long as the hash (RFC 7518 section 3.5).
func TestSaltLength(t *testing.T) {
	for alg, hash := range map[jose.SignatureAlgorithm]crypto.Hash{
		jose.PS256: crypto.SHA256, jose.PS384: crypto.SHA384, jose.PS512: crypto.SHA512,
	} {
		p := pair{"rsa", alg, rsaPair().private}
		w := newWorld(t, nil, p)
		w.accepts(t, w.good(p))
		for _, salt := range []int{hash.Size(), 1, hash.Size() - 1, hash.Size() + 1, 2 * hash.Size()} {
			if salt > 256-hash.Size()-2 {
				continue // than which the key of 2048 bits has no more room
			}
			input := segment(fmt.Sprintf(`{"alg":%q,"kid":"rsa"}`, alg)) + "." + segment(w.claims(nil))
			digest := hash.New()
			digest.Write([]byte(input))
			signature, err := rsa.SignPSS(rand.Reader, p.private.(*rsa.PrivateKey), hash, digest.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
			if err != nil {
				t.Fatal(err)
			}
			jwt := input + "." + segment(string(signature))
			if salt == hash.Size() {
				w.accepts(t, jwt)
			} else if _, err := w.Identify(t.Context(), jwt); token.KindOf(err) != token.CredentialInvalid {
				t.Errorf("%s with a salt of %d bytes: %v", alg, salt, err)
			}
		}
	}
}
