package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const (
	headerType    = "JWT"
	pemType       = "PRIVATE KEY" // PKCS #8 (RFC 7468 section 10)
	scalarSize    = 32            // bytes of R and of S (RFC 7518 section 3.4)
	signatureSize = 2 * scalarSize
)

// order is that of P-256. Of the two values S and order−S, both of which verify, only the one up to halfOrder is made
// and accepted, so that nobody can derive a second valid encoding of a JWT.
var (
	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
)

// key is one key pair.
type key struct {
	id     string // RFC 7638 thumbprint
	path   string // of its file; "": it is in memory only
	public jose.JSONWebKey
	signs  map[string]jose.Signer // by the `typ` of what it signs
}

// newKey wraps a private key, whose id is computed, never chosen.
func newKey(private *ecdsa.PrivateKey) (*key, error) {
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("thumbprint: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	k := &key{id: public.KeyID, public: public, signs: map[string]jose.Signer{}}
	for _, typ := range []string{headerType, listType} {
		k.signs[typ], err = jose.NewSigner(
			jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}},
			(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
		if err != nil {
			return nil, fmt.Errorf("signer: %w", err)
		}
	}
	return k, nil
}

// generate makes a key whose id does not begin with a hyphen: on a command line it would be taken for a flag.
func generate() (*ecdsa.PrivateKey, *key, error) {
	for {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("generate key: %w", err)
		}
		k, err := newKey(private)
		if err != nil || k.id[0] != '-' {
			return private, k, err
		}
	}
}

// parseKey reads one PKCS #8 private key in PEM. Its errors never repeat the content of the file.
func parseKey(text []byte) (*key, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("is not one PEM block " + pemType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("is not a PKCS #8 private key")
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("is not a P-256 key, which ES256 requires")
	}
	return newKey(private)
}

// encodeKey is the reverse of [parseKey].
func encodeKey(private *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// sign returns the compact serialisation with a signature in low-S form.
func (k *key) sign(typ string, payload []byte) (string, error) {
	jws, err := k.signs[typ].Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	lowS(jws.Signatures[0].Signature)
	text, err := jws.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("serialise: %w", err)
	}
	return text, nil
}

// lowS replaces a large S by order−S in place.
func lowS(signature []byte) {
	if highS(signature) {
		s := new(big.Int).SetBytes(signature[scalarSize:])
		s.Sub(order, s).FillBytes(signature[scalarSize:])
	}
}
