package token

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// noon is the time in these tests, unless they set the clock.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// key is an id of the form of [NewKey] that a reader knows again.
func key(beginning string) string { return (beginning + strings.Repeat("0", 32))[:32] }

// The registry of these tests: two accounts, and one that is disabled; their environments; and users by number.
var (
	home  = Account{ID: key("h"), Name: "home"}
	other = Account{ID: key("r"), Name: "other"}
	shut  = Account{ID: key("s"), Name: "shut", Disabled: true}

	homeEnv  = Environment{ID: key("h1"), AccountID: home.ID}
	nextEnv  = Environment{ID: key("h2"), AccountID: home.ID}
	offEnv   = Environment{ID: key("h3"), AccountID: home.ID, Disabled: true}
	otherEnv = Environment{ID: key("r1"), AccountID: other.ID}
	shutEnv  = Environment{ID: key("s1"), AccountID: shut.ID}

	people = []User{
		{ID: admin, AdminID: "root", Subject: "admin", Role: RoleAdmin, AccountID: home.ID},
		{ID: introspector, AdminID: "2", Subject: "introspector", Role: RoleIntrospector, AccountID: home.ID},
		{ID: member, AdminID: "3", Subject: "member", Role: RoleMember, AccountID: home.ID},
		{ID: stranger, AdminID: "4", Subject: "stranger", Role: RoleMember, AccountID: other.ID},
		{ID: disabled, AdminID: "5", Subject: "disabled", Role: RoleMember, AccountID: home.ID, Disabled: true},
		{ID: evicted, AdminID: "6", Subject: "evicted", Role: RoleMember, AccountID: shut.ID},
		{ID: guest, AdminID: "7", Issuer: "https://idp.example", Subject: "guest", Role: RoleMember, AccountID: home.ID},
	}
)

// The users' numbers.
const (
	admin int64 = iota + 1
	introspector
	member
	stranger
	disabled
	evicted // whose home account is disabled
	guest   // whom an OIDC issuer knows
)

// Dialects that are made up, one of each kind of owner, with nothing that is not needed.
var (
	personal = &Dialect{Name: "personal", OwnedByUser: true, IDs: Keys, Precision: time.Millisecond,
		Secrets: SecretForm{Prefix: "personal_", Alphabet: base62, Length: 30},
		Names:   NameRule{Word: "label", Optional: true}}
	corporate = &Dialect{Name: "corporate", IDs: Keys, Precision: time.Millisecond,
		Secrets: SecretForm{Prefix: "corporate_", Alphabet: base62, Length: 30}}
)

// world is a service in memory.
type world struct {
	*Service
	fake    *Fake
	signer  *fakeSigner
	oidc    *fakeIssuer
	now     time.Time
	secrets int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fake: NewFake(), signer: &fakeSigner{keys: []string{"key-1"}}, oidc: &fakeIssuer{}, now: noon}
	w.Service = &Service{
		Store: w.fake, Registry: w.fake, Signer: w.signer, Clock: func() time.Time { return w.now },
		Dialects: append(Dialects{personal, corporate}, Published...),
	}
	for _, a := range []Account{home, other, shut} {
		ok(t, w.fake.CreateAccount(t.Context(), Permit{}, a))
	}
	for _, e := range []Environment{homeEnv, nextEnv, offEnv, otherEnv, shutEnv} {
		ok(t, w.fake.CreateEnvironment(t.Context(), Permit{}, e))
	}
	for _, u := range people {
		_, err := w.fake.CreateUser(t.Context(), Permit{}, u)
		ok(t, err)
	}
	return w
}

// put stores a token as it is, but for what every token has, and returns it with its secret.
func (w *world) put(t *testing.T, in Token) (Token, string) {
	t.Helper()
	if in.Dialect == nil {
		in.Dialect = Muninx
	}
	w.secrets++
	secret := fmt.Sprintf("eyJ.%d.signature", w.secrets)
	if !in.Dialect.Secrets.Signed {
		secret = in.Dialect.Secrets.New()
	}
	if in.State == "" {
		in.State = Active
	}
	in.ID, in.Hash, in.CreatedAt, in.UpdatedAt = in.Dialect.IDs.new(noon), HashSecret(secret), noon, noon
	made, err := w.fake.Create(t.Context(), Insert{Token: in, Decide: func(*Token, Facts) error { return nil }})
	ok(t, err)
	return made, secret
}

// caller is who comes with such a token.
func (w *world) caller(t *testing.T, credential Token) Caller {
	t.Helper()
	_, secret := w.put(t, credential)
	c, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	return c
}

// user is who comes with a token of the user's.
func (w *world) user(t *testing.T, id int64) Caller {
	t.Helper()
	return w.caller(t, Token{UserID: id})
}

// account is who comes with an account's token, bound to the environment unless that is "".
func (w *world) account(t *testing.T, accountID, environmentID string) Caller {
	t.Helper()
	return w.caller(t, Token{Dialect: APIToken, AccountID: accountID, EnvironmentID: environmentID})
}

// guest is who comes with a JWT of the OIDC issuer that says this role.
func (w *world) guest(t *testing.T, claimed Role, expires time.Time) Caller {
	t.Helper()
	w.OIDC, w.signer.foreign = w.oidc, true
	w.oidc.vouched = Vouched{Issuer: "https://idp.example", Subject: "guest", Role: claimed, ExpiresAt: expires}
	c, err := w.Authenticate(t.Context(), "eyJ.guest.signature")
	ok(t, err)
	return c
}

// setUser changes a user behind everybody's back.
func (w *world) setUser(t *testing.T, id int64, set func(*User)) {
	t.Helper()
	_, err := w.fake.UpdateUser(t.Context(), Permit{}, id, func(u *User, _ int) error { set(u); return nil })
	ok(t, err)
}

// set changes a token behind everybody's back.
func (w *world) set(t *testing.T, ref Ref, set func(*Token)) {
	t.Helper()
	_, err := w.fake.Update(t.Context(), Permit{}, ref, func(t *Token) error { set(t); return nil })
	ok(t, err)
}

// failing is a [Fake.Fault] of one method.
func failing(method string, err error) func(string) error {
	return func(called string) error {
		if called == method {
			return err
		}
		return nil
	}
}

// fakeSigner signs nothing, and tells what it was asked to sign.
type fakeSigner struct {
	Signer
	claims  Claims
	keys    []string
	broken  error // of Sign
	refused error // of Verify
	foreign bool
}

func (s *fakeSigner) Sign(c Claims) (secret, keyID string, err error) {
	s.claims = c
	return "eyJ." + strings.ReplaceAll(c.ID, ".", "-") + ".signature", s.keys[0], s.broken
}

func (s *fakeSigner) KeyIDs() []string    { return s.keys }
func (s *fakeSigner) Verify(string) error { return s.refused }
func (s *fakeSigner) Ours(string) bool    { return !s.foreign }

// fakeIssuer vouches for whom it is told to.
type fakeIssuer struct {
	vouched Vouched
	err     error
}

func (i *fakeIssuer) Identify(context.Context, string) (Vouched, error) { return i.vouched, i.err }

// ok ends the test if there is an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same fails the test unless the two are equal.
func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// refused fails the test unless the error has this text, which begins with the kind; "" is no error.
func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	same(t, what, told(err), want)
}

// told is the text of an error for the log, "" for none.
func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
