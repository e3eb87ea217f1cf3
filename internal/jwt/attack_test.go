package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// forge makes JWTs by hand, from any header and payload and with any signature. Each attack below starts from what
// Verify accepts (see the case "none at all") and changes one thing, so that a missing check shows.
type forge struct {
	keys    *Keys
	private *ecdsa.PrivateKey
	header  string
	payload string
}

func newForge(t *testing.T) forge {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	keys, err := OpenOrCreate(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, keys.Active()+keySuffix))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return forge{
		keys:    keys,
		private: parsed.(*ecdsa.PrivateKey),
		header:  `{"alg":"ES256","kid":"` + keys.ring().active().id + `","typ":"JWT"}`,
		payload: `{"iss":"` + testIssuer + `","sub":"e1","jti":"t1","exp":2000000000,"environment_id":null}`,
	}
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// with replaces the first occurrence of old, which must be there.
func with(text, old, replacement string) string {
	if !strings.Contains(text, old) {
		panic(old + " is not in " + text)
	}
	return strings.Replace(text, old, replacement, 1)
}

// es256 signs like this server.
func (f forge) es256(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.private, digest[:])
	if err != nil {
		panic(err)
	}
	sig := make([]byte, signatureSize)
	r.FillBytes(sig[:scalarSize])
	s.FillBytes(sig[scalarSize:])
	lowS(sig)
	return sig
}

// jwt joins the segments; a nil sign is es256.
func (f forge) jwt(header, payload string, sign func(string) []byte) string {
	if sign == nil {
		sign = f.es256
	}
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(sign(input)))
}

func hs256(secret []byte) func(string) []byte {
	return func(input string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func rs256(input string) []byte {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	digest := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return sig
}

func (f forge) publicPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(f.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func (f forge) publicPoint(t *testing.T) []byte {
	t.Helper()
	point, err := f.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return point
}

// resign signs with another key than the one in the directory.
func resign(t *testing.T) (forge, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := newKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return forge{private: private}, k.id
}

func TestForgeryIsAcceptedUnaltered(t *testing.T) {
	f := newForge(t)
	if err := f.keys.Verify(f.jwt(f.header, f.payload, nil)); err != nil {
		t.Fatalf("the base of all attacks is refused, so they prove nothing: %v", err)
	}
}

func TestVerifyRefusesHeaders(t *testing.T) {
	f := newForge(t)
	mallory, malloryKID := resign(t)
	kid := f.keys.ring().active().id
	none := func(string) []byte { return nil }
	public, err := json.Marshal(f.keys.ring().active().public)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header string
		sign   func(string) []byte
	}{
		"alg none":                  {with(f.header, "ES256", "none"), none},
		"alg None":                  {with(f.header, "ES256", "None"), none},
		"alg none, signed":          {with(f.header, "ES256", "none"), nil},
		"alg lower case":            {with(f.header, "ES256", "es256"), nil},
		"alg absent":                {with(f.header, `"alg":"ES256",`, ""), nil},
		"alg null":                  {with(f.header, `"ES256"`, "null"), nil},
		"alg ES384, signed ES256":   {with(f.header, "ES256", "ES384"), nil},
		"HS256 by the public PEM":   {with(f.header, "ES256", "HS256"), hs256(f.publicPEM(t))},
		"HS256 by the public point": {with(f.header, "ES256", "HS256"), hs256(f.publicPoint(t))},
		"HS256 by the JWK":          {with(f.header, "ES256", "HS256"), hs256(public)},
		"ES256 with a HS256 MAC":    {f.header, hs256(f.publicPEM(t))},
		"RS256":                     {with(f.header, "ES256", "RS256"), rs256},
		"ES256 with RSA signature":  {f.header, rs256},
		"key of another":            {f.header, mallory.es256},
		"kid of another":            {with(f.header, kid, malloryKID), nil},
		"kid and key of another":    {with(f.header, kid, malloryKID), mallory.es256},
		"kid absent":                {with(f.header, `"kid":"`+kid+`",`, ""), nil},
		"kid empty":                 {with(f.header, kid, ""), nil},
		"kid is a path":             {with(f.header, kid, "../../../../dev/null"), hs256(nil)},
		"kid is a path to it":       {with(f.header, kid, "./"+kid), nil},
		"kid with the state":        {with(f.header, kid, kid+".active"), nil},
		"kid with NUL":              {with(f.header, kid, kid+`\u0000`), nil},
		"kid a number":              {with(f.header, `"`+kid+`"`, "0"), nil},
		"kid in a list":             {with(f.header, `"`+kid+`"`, `["`+kid+`"]`), nil},
		"typ at+jwt":                {with(f.header, `"JWT"`, `"at+jwt"`), nil},
		"typ lower case":            {with(f.header, `"JWT"`, `"jwt"`), nil},
		"typ absent":                {with(f.header, `,"typ":"JWT"`, ""), nil},
		"member in other case":      {with(f.header, `"typ"`, `"Typ"`), nil},
		"crit":                      {with(f.header, `"typ"`, `"crit":["exp"],"exp":1,"typ"`), nil},
		"crit empty":                {with(f.header, `"typ"`, `"crit":[],"typ"`), nil},
		"crit b64":                  {with(f.header, `"typ"`, `"crit":["b64"],"b64":true,"typ"`), nil},
		"jwk of another":            {with(f.header, `"typ"`, `"jwk":`+mustJWK(mallory)+`,"typ"`), mallory.es256},
		"jwk of ours":               {with(f.header, `"typ"`, `"jwk":`+string(public)+`,"typ"`), nil},
		"jku":                       {with(f.header, `"typ"`, `"jku":"https://evil.example/","typ"`), nil},
		"x5u":                       {with(f.header, `"typ"`, `"x5u":"https://evil.example/","typ"`), nil},
		"x5c":                       {with(f.header, `"typ"`, `"x5c":[],"typ"`), nil},
		"unknown member":            {with(f.header, `"typ"`, `"x":1,"typ"`), nil},
		"alg twice":                 {with(f.header, `"typ"`, `"alg":"ES256","typ"`), nil},
		"alg none, then ES256":      {with(f.header, `"alg"`, `"alg":"none","alg"`), nil},
		"alg in two cases":          {with(f.header, `"alg"`, `"ALG":"none","alg"`), nil},
		"kid twice":                 {with(f.header, `"typ"`, `"kid":"`+kid+`","typ"`), nil},
		"kid twice by escape":       {with(f.header, `"typ"`, `"k\u0069d":"`+kid+`","typ"`), nil},
		"trailing object":           {f.header + f.header, nil},
		"trailing garbage":          {f.header + "x", nil},
		"byte order mark":           {"\ufeff" + f.header, nil},
		"null":                      {"null", nil},
		"list":                      {"[" + f.header + "]", nil},
		"empty":                     {"", nil},
	} {
		t.Run(name, func(t *testing.T) { refused(t, f.keys, f.jwt(c.header, f.payload, c.sign)) })
	}
}

func mustJWK(f forge) string {
	k, err := newKey(f.private)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(k.public)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestVerifyRefusesPayloads(t *testing.T) {
	f := newForge(t)
	iss := `"iss":"` + testIssuer + `"`
	for name, payload := range map[string]string{
		"iss of another":         with(f.payload, testIssuer, "https://other.example"),
		"iss in other case":      with(f.payload, testIssuer, strings.ToUpper(testIssuer)),
		"iss with a slash":       with(f.payload, testIssuer, testIssuer+"/"),
		"iss absent":             with(f.payload, iss+",", ""),
		"iss null":               with(f.payload, iss, `"iss":null`),
		"iss a list":             with(f.payload, iss, `"iss":["`+testIssuer+`"]`),
		"iss named ISS":          with(f.payload, `"iss"`, `"ISS"`),
		"iss twice":              with(f.payload, iss, iss+`,`+iss),
		"iss another, then ours": with(f.payload, iss, `"iss":"https://other.example",`+iss),
		"other claim twice":      with(f.payload, `"sub"`, `"sub":"admin","sub"`),
		"nested member twice":    with(f.payload, `"sub"`, `"x":{"a":1,"a":1},"sub"`),
		"trailing object":        f.payload + "{}",
		"invalid UTF-8":          with(f.payload, "e1", "e\xff"),
		"null":                   "null",
		"list":                   "[" + f.payload + "]",
		"string":                 `"` + testIssuer + `"`,
		"empty":                  "",
	} {
		t.Run(name, func(t *testing.T) { refused(t, f.keys, f.jwt(f.header, payload, nil)) })
	}
}

// TestVerifyRefusesSpellings alters a JWT that Sign made, mostly so that a lenient decoder reads the same bytes.
func TestVerifyRefusesSpellings(t *testing.T) {
	f := newForge(t)
	good := sign(t, f.keys)
	seg := strings.Split(good, ".")
	for name, bad := range map[string]string{
		"empty":                   "",
		"dots":                    "..",
		"no signature":            seg[0] + "." + seg[1] + ".",
		"signature cut off":       seg[0] + "." + seg[1],
		"signature cut short":     good[:len(good)-4],
		"signature of zeros":      seg[0] + "." + seg[1] + "." + b64(strings.Repeat("\x00", signatureSize)),
		"signature with a zero":   good + "AAAA",
		"signature in DER":        seg[0] + "." + seg[1] + "." + b64(der(t, f, seg[0]+"."+seg[1])),
		"high S":                  flipS(t, good),
		"S above the order":       addOrder(t, good),
		"fourth segment":          good + "." + seg[2],
		"detached":                seg[0] + ".." + seg[2],
		"claims of another":       seg[0] + "." + b64(f.payload) + "." + seg[2],
		"one letter of claims":    seg[0] + "." + flip(seg[1]) + "." + seg[2],
		"padding":                 good + "==",
		"padding of claims":       seg[0] + "." + seg[1] + "=." + seg[2],
		"unused bits":             good[:len(good)-1] + unusedBits(good[len(good)-1]),
		"standard alphabet":       stdAlphabet(t, f),
		"leading space":           " " + good,
		"trailing space":          good + " ",
		"trailing line feed":      good + "\n",
		"line feed inside":        good[:20] + "\n" + good[20:],
		"carriage return inside":  seg[0] + ".\r" + seg[1] + "." + seg[2],
		"Bearer":                  "Bearer " + good,
		"NUL at the end":          good + "\x00",
		"JSON, flattened":         `{"protected":"` + seg[0] + `","payload":"` + seg[1] + `","signature":"` + seg[2] + `"}`,
		"JSON, general":           `{"payload":"` + seg[1] + `","signatures":[{"protected":"` + seg[0] + `","signature":"` + seg[2] + `"}]}`,
		"over-long":               f.jwt(f.header, with(f.payload, "e1", strings.Repeat("a", token.MaxJWT)), nil),
		"a muninx secret":         "muninx_000000000000000000000000000000000000",
		"twice with a comma":      good + "," + good,
		"signature with ES256 -s": negate(t, good),
	} {
		t.Run(name, func(t *testing.T) {
			if bad == good {
				t.Fatal("the attack changed nothing")
			}
			refused(t, f.keys, bad)
		})
	}
}

func TestVerifyRefusesOtherServers(t *testing.T) {
	a, b := newForge(t), newForge(t)
	refused(t, b.keys, sign(t, a.keys))
	moved := a.keys.as("https://moved.example")
	refused(t, moved, sign(t, a.keys))
}

func refused(t *testing.T, keys *Keys, jwt string) {
	t.Helper()
	err := keys.Verify(jwt)
	if err == nil {
		t.Fatal("accepted")
	}
	if got := token.KindOf(err); got != token.CredentialInvalid {
		t.Fatalf("kind %q, want credential invalid", got)
	}
	if seg := strings.SplitN(jwt, ".", 2)[0]; len(seg) > 8 && strings.Contains(err.Error(), seg) {
		t.Fatal("the error repeats the JWT")
	}
}

// scalars lets change alter the signature's numbers.
func scalars(t *testing.T, jwt string, change func(r, s *big.Int)) string {
	t.Helper()
	i := strings.LastIndexByte(jwt, '.') + 1
	sig, err := base64.RawURLEncoding.DecodeString(jwt[i:])
	if err != nil {
		t.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(sig[:scalarSize]), new(big.Int).SetBytes(sig[scalarSize:])
	change(r, s)
	return jwt[:i] + b64(string(append(r.FillBytes(make([]byte, scalarSize)), s.FillBytes(make([]byte, scalarSize))...)))
}

func flipS(t *testing.T, jwt string) string {
	return scalars(t, jwt, func(_, s *big.Int) { s.Sub(order, s) })
}

func negate(t *testing.T, jwt string) string {
	return scalars(t, jwt, func(r, _ *big.Int) { r.Sub(order, r) })
}

func addOrder(t *testing.T, jwt string) string {
	return scalars(t, jwt, func(r, s *big.Int) {
		if s.Add(s, order).BitLen() > 8*scalarSize {
			s.SetBytes(bytes.Repeat([]byte{0xff}, scalarSize))
		}
	})
}

func der(t *testing.T, f forge, input string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	sig, err := ecdsa.SignASN1(rand.Reader, f.private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(sig)
}

// flip replaces the tenth character by another.
func flip(segment string) string {
	c := byte('A')
	if segment[10] == c {
		c = 'B'
	}
	return segment[:10] + string(c) + segment[11:]
}

// unusedBits is another character for the last one of 64 bytes, whose low four bits do not count.
func unusedBits(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)|1])
}

// stdAlphabet spells a signature that has a '-' or '_' with '+' and '/'.
func stdAlphabet(t *testing.T, f forge) string {
	t.Helper()
	for range 100 {
		jwt := sign(t, f.keys)
		i := strings.LastIndexByte(jwt, '.')
		if spelled := strings.NewReplacer("-", "+", "_", "/").Replace(jwt[i:]); spelled != jwt[i:] {
			return jwt[:i] + spelled
		}
	}
	t.Fatal("no signature with - or _ in 100")
	return ""
}

// TestLenientReadersWouldBeFooled shows that the sharpest attacks above have a valid signature, so that only Verify's
// own check refuses them.
func TestLenientReadersWouldBeFooled(t *testing.T) {
	f := newForge(t)
	good := sign(t, f.keys)
	for name, jwt := range map[string]string{
		"high S":      flipS(t, good),
		"unused bits": good[:len(good)-1] + unusedBits(good[len(good)-1]),
		"crit":        f.jwt(with(f.header, `"typ"`, `"crit":["exp"],"exp":1,"typ"`), f.payload, nil),
		"iss twice":   f.jwt(f.header, with(f.payload, `"iss"`, `"iss":"x","iss"`), nil),
	} {
		i := strings.LastIndexByte(jwt, '.')
		sig, err := base64.RawURLEncoding.DecodeString(jwt[i+1:])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		digest := sha256.Sum256([]byte(jwt[:i]))
		r, s := new(big.Int).SetBytes(sig[:scalarSize]), new(big.Int).SetBytes(sig[scalarSize:])
		if !ecdsa.Verify(&f.private.PublicKey, digest[:], r, s) {
			t.Errorf("%s: the signature is not valid", name)
		}
	}
}
