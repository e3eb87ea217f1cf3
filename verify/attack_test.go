package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/verify"
)

func hs256(secret string) func(string) []byte {
	return func(input string) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func rs256(key *rsa.PrivateKey) func(string) []byte {
	return func(input string) []byte {
		digest := sha256.Sum256([]byte(input))
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		return sig
	}
}

func publicPEM(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// certificate is one for the key, in base64 as in `x5c`.
func certificate(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// attackable is an issuer that also publishes an RSA key, so that RS256 could work, and a Verifier of it.
func attackable(t *testing.T) (*issuer, *verify.Verifier, *rsa.PrivateKey) {
	t.Helper()
	i := newIssuer(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.publish(i.kid, i.key, fmt.Sprintf(`{"kty":"RSA","alg":"RS256","use":"sig","kid":"rsa","e":"AQAB","n":%q}`, b64(string(private.N.Bytes()))))
	i.publishList(i.listClaims())
	v := i.offline(t)
	// Each attack below changes one thing of this token, so a missing check shows.
	expect(t, "the base of all attacks", v, i.jwt(0), nil)
	return i, v, private
}

func TestOfflineRefusesHeaders(t *testing.T) {
	i, v, private := attackable(t)
	h, mallory := i.header(), newKey(t)
	none := func(string) []byte { return nil }
	some := func(string) []byte { return []byte("x") }
	for what, c := range map[string]struct {
		header string
		sign   func(string) []byte
	}{
		"alg none":                  {with(h, "ES256", "none"), none},
		"alg none, a signature":     {with(h, "ES256", "none"), some},
		"alg nOnE":                  {with(h, "ES256", "nOnE"), none},
		"alg none, well signed":     {with(h, "ES256", "none"), nil},
		"alg lower case":            {with(h, "ES256", "es256"), nil},
		"alg ES384":                 {with(h, "ES256", "ES384"), nil},
		"alg absent":                {with(h, `"alg":"ES256",`, ""), nil},
		"HS256 by the public PEM":   {with(h, "ES256", "HS256"), hs256(publicPEM(t, i.key))},
		"HS256 by the JWK":          {with(h, "ES256", "HS256"), hs256(jwk(i.kid, i.key))},
		"HS256 with ES256 in alg":   {h, hs256(publicPEM(t, i.key))},
		"RS256":                     {with(h, "ES256", "RS256"), rs256(private)},
		"RS256 by a published key":  {with(with(h, "ES256", "RS256"), i.kid, "rsa"), rs256(private)},
		"ES256 with the RSA key":    {with(h, i.kid, "rsa"), rs256(private)},
		"another key":               {h, es256(mallory)},
		"kid unknown":               {with(h, i.kid, "key-2"), nil},
		"kid a path":                {with(h, i.kid, "../../dev/null"), hs256("")},
		"kid an address":            {with(h, i.kid, "https://evil.example/key"), es256(mallory)},
		"kid SQL":                   {with(h, i.kid, "x' UNION SELECT 'key"), hs256("key")},
		"kid with NUL":              {with(h, i.kid, i.kid+`\u0000`), nil},
		"kid empty":                 {with(h, i.kid, ""), nil},
		"kid absent":                {with(h, `"kid":"`+i.kid+`",`, ""), nil},
		"kid null":                  {with(h, `"`+i.kid+`"`, "null"), nil},
		"kid a list":                {with(h, `"`+i.kid+`"`, `["`+i.kid+`"]`), nil},
		"typ at+jwt":                {with(h, "JWT", "at+jwt"), nil},
		"typ statuslist+jwt":        {i.listHeader(), nil},
		"typ lower case":            {with(h, "JWT", "jwt"), nil},
		"typ absent":                {with(h, `,"typ":"JWT"`, ""), nil},
		"Typ":                       {with(h, "typ", "Typ"), nil},
		"crit":                      {with(h, `"typ"`, `"crit":["exp"],"typ"`), nil},
		"crit unknown and there":    {with(h, `"typ"`, `"crit":["x"],"x":1,"typ"`), nil},
		"crit empty":                {with(h, `"typ"`, `"crit":[],"typ"`), nil},
		"crit instead of typ":       {with(h, `"typ":"JWT"`, `"crit":["exp"]`), nil},
		"jwk":                       {with(h, `"typ"`, `"jwk":`+jwk(i.kid, mallory)+`,"typ"`), es256(mallory)},
		"jku":                       {with(h, `"typ"`, `"jku":"https://evil.example/","typ"`), es256(mallory)},
		"x5u":                       {with(h, `"typ"`, `"x5u":"https://evil.example/","typ"`), es256(mallory)},
		"x5c":                       {with(h, `"typ"`, `"x5c":["`+certificate(t, i.key)+`"],"typ"`), nil},
		"alg twice":                 {with(h, `"alg"`, `"alg":"none","alg"`), nil},
		"kid twice":                 {with(h, `"kid"`, `"kid":"x","kid"`), nil},
		"kid twice, once by escape": {with(h, `"kid"`, `"k\u0069d":"x","kid"`), nil},
		"a list":                    {"[" + h + "]", nil},
		"null":                      {"null", nil},
		"two objects":               {h + h, nil},
		"byte order mark":           {"\ufeff" + h, nil},
		"bad UTF-8":                 {with(h, i.kid, "\xff"), nil},
		"deep":                      {with(h, `"JWT"`, strings.Repeat("[", 2000)+strings.Repeat("]", 2000)), nil},
	} {
		t.Run(what, func(t *testing.T) {
			expect(t, what, v, i.sign(c.header, i.payload(0), c.sign), verify.ErrInvalid)
			expect(t, "the base afterwards", v, i.jwt(0), nil)
		})
	}
}

func TestOfflineRefusesClaims(t *testing.T) {
	i, v, _ := attackable(t)
	p := i.payload(0)
	iss := `"iss":"` + i.URL + `"`
	at := func(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }
	exp, nbf := `"exp":`+at(time.Hour), `"nbf":`+at(0)
	for what, payload := range map[string]string{
		"iss of another":        with(p, iss, `"iss":"https://other.example"`),
		"iss with a slash":      with(p, iss, `"iss":"`+i.URL+`/"`),
		"iss upper case":        with(p, iss, `"iss":"`+strings.ToUpper(i.URL)+`"`),
		"iss absent":            with(p, iss+",", ""),
		"iss null":              with(p, iss, `"iss":null`),
		"iss a list":            with(p, iss, `"iss":["`+i.URL+`"]`),
		"ISS":                   with(p, `"iss"`, `"ISS"`),
		"iss twice":             with(p, iss, `"iss":"x",`+iss),
		"sub twice":             with(p, `"sub"`, `"sub":"admin","sub"`),
		"deep member twice":     with(p, `"sub"`, `"x":{"a":1,"a":1},"sub"`),
		"idx twice":             with(p, `"idx"`, `"idx":1,"idx"`),
		"expired now":           with(p, exp, `"exp":`+at(0)),
		"expired":               with(p, exp, `"exp":`+at(-time.Second)),
		"exp absent":            with(p, exp+",", ""),
		"exp null":              with(p, exp, `"exp":null`),
		"exp text":              with(p, exp, `"exp":"`+at(time.Hour)+`"`),
		"exp endless":           with(p, exp, `"exp":1e300`),
		"exp negative":          with(p, exp, `"exp":-1`),
		"not yet":               with(p, nbf, `"nbf":`+at(time.Second)),
		"nbf text":              with(p, nbf, `"nbf":"0"`),
		"sub a number":          with(p, `"env-1"`, "1"),
		"status null":           with(i.bare(), `"iss"`, `"status":null,"iss"`),
		"status empty":          with(i.bare(), `"iss"`, `"status":{},"iss"`),
		"status absent":         i.bare(),
		"status list null":      with(i.bare(), `"iss"`, `"status":{"status_list":null},"iss"`),
		"idx negative":          i.payload(-1),
		"idx beyond":            i.payload(4),
		"idx endless":           with(p, `"idx":0`, `"idx":1e18`),
		"idx huge":              with(p, `"idx":0`, `"idx":9223372036854775807`),
		"idx absent":            with(p, `"idx":0,`, ""),
		"idx a fraction":        with(p, `"idx":0`, `"idx":0.5`),
		"uri elsewhere":         with(p, `"uri":"`+i.URL, `"uri":"https://evil.example`),
		"uri on another port":   with(p, `"uri":"`+i.URL, `"uri":"`+i.URL+`0`),
		"uri with a user":       with(p, `"uri":"http://`, `"uri":"http://x@`),
		"uri of another scheme": with(p, `"uri":"http:`, `"uri":"https:`),
		"uri with ours as user": with(p, `"uri":"`+i.URL, `"uri":"`+i.URL+`@evil.example`),
		"uri a path":            with(p, `"uri":"`+i.URL, `"uri":"`),
		"two objects":           p + p,
		"bad UTF-8":             with(p, "id-1", "\xff"),
		"null":                  "null",
		"empty":                 "",
	} {
		t.Run(what, func(t *testing.T) { expect(t, what, v, i.sign(i.header(), payload, nil), verify.ErrInvalid) })
	}
}

func TestOfflineRefusesSpellings(t *testing.T) {
	i, v, _ := attackable(t)
	good := i.jwt(0)
	seg := strings.Split(good, ".")
	digest := sha256.Sum256([]byte(seg[0] + "." + seg[1]))
	der, err := ecdsa.SignASN1(rand.Reader, i.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]string{
		"empty":                  "",
		"dots":                   "..",
		"stripped":               seg[0] + "." + seg[1] + ".",
		"stripped with its dot":  seg[0] + "." + seg[1],
		"cut short":              good[:len(good)-4],
		"zeros":                  seg[0] + "." + seg[1] + "." + b64(strings.Repeat("\x00", 64)),
		"a zero more":            good + "AAAA",
		"DER":                    seg[0] + "." + seg[1] + "." + b64(string(der)),
		"high S":                 highS(t, i, good),
		"fourth segment":         good + "." + seg[2],
		"detached":               seg[0] + ".." + seg[2],
		"altered claims":         seg[0] + "." + b64(with(i.payload(0), `"env-1"`, `"env-2"`)) + "." + seg[2],
		"another's claims":       seg[0] + "." + strings.Split(i.jwt(1), ".")[1] + "." + seg[2],
		"padding":                good + "==",
		"unused bits":            unusedBits(t, good),
		"leading space":          " " + good,
		"line feed inside":       good[:20] + "\n" + good[20:],
		"line feed at the end":   good + "\n",
		"JSON, flattened":        `{"protected":"` + seg[0] + `","payload":"` + seg[1] + `","signature":"` + seg[2] + `"}`,
		"JSON, general":          `{"payload":"` + seg[1] + `","signatures":[{"protected":"` + seg[0] + `","signature":"` + seg[2] + `"}]}`,
		"over-long":              i.sign(i.header(), with(i.payload(0), "id-1", strings.Repeat("a", 16<<10)), nil),
		"another dialect":        "muninx_000000000000000000000000000000000000",
		"a status list":          i.sign(i.listHeader(), i.listClaims(), nil),
		"a status list as a JWT": i.sign(i.header(), i.listClaims(), nil),
	} {
		t.Run(what, func(t *testing.T) {
			if bad == good {
				t.Fatal("the attack changed nothing")
			}
			expect(t, what, v, bad, verify.ErrInvalid)
		})
	}
}

// lenient checks that the signature is valid in the eyes of a lenient reader.
func lenient(t *testing.T, i *issuer, jwt string) {
	t.Helper()
	n := strings.LastIndexByte(jwt, '.')
	sig, err := base64.RawURLEncoding.DecodeString(jwt[n+1:])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(jwt[:n]))
	if !ecdsa.Verify(&i.key.PublicKey, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Fatal("the attack is not valid for anybody, so it proves nothing")
	}
}

func highS(t *testing.T, i *issuer, jwt string) string {
	t.Helper()
	n := strings.LastIndexByte(jwt, '.') + 1
	sig, err := base64.RawURLEncoding.DecodeString(jwt[n:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(sig[32:]))
	flipped := jwt[:n] + b64(string(append(sig[:32:32], s.FillBytes(make([]byte, 32))...)))
	lenient(t, i, flipped)
	return flipped
}

// unusedBits sets a bit of the last character that no byte is made of.
func unusedBits(t *testing.T, jwt string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, jwt[len(jwt)-1])
	return jwt[:len(jwt)-1] + alphabet[last|1:(last|1)+1]
}
