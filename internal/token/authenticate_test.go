package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCredentialsThatDoNotWork: every reason is refused in the same words, and told apart in the log only.
func TestCredentialsThatDoNotWork(t *testing.T) {
	w := newWorld(t)
	put := func(in Token) string {
		made, secret := w.put(t, in)
		if in.Name == "deleted" {
			w.set(t, made.Ref(), func(t *Token) { t.DeletedAt = noon })
		}
		return secret
	}
	jwt := func(in Token) string {
		in.Dialect = APIToken
		return put(in)
	}
	working := put(Token{UserID: member})
	for name, c := range map[string]struct{ credential, because string }{
		"a word":                    {"letmein", "it is not a well-formed secret"},
		"half a secret":             {working[:20], "it is not a well-formed secret"},
		"a wrong checksum":          {working[:42] + string(rune(working[42]^1)), "it is not a well-formed secret"},
		"two dots, but too long":    {".." + strings.Repeat("x", MaxJWT), "it is not a well-formed secret"},
		"of a dialect not spoken":   {"corvid_" + strings.Repeat("0", 30), "it is not a well-formed secret"},
		"unknown":                   {Muninx.Secrets.New(), "no token has this secret"},
		"an unknown JWT":            {"a.b.c", "no token has this secret"},
		"suspended":                 {put(Token{UserID: member, State: Suspended}), ": suspended"},
		"revoked":                   {put(Token{UserID: member, State: Revoked}), ": revoked"},
		"expired":                   {put(Token{UserID: member, ExpiresAt: noon}), ": expired"},
		"deleted":                   {put(Token{UserID: member, Name: "deleted"}), ": deleted"},
		"of a disabled user":        {put(Token{UserID: disabled}), ": user_disabled"},
		"of nobody":                 {put(Token{}), ": user_disabled"},
		"of a disabled account":     {jwt(Token{AccountID: shut.ID}), ": account_disabled"},
		"of a disabled environment": {jwt(Token{AccountID: home.ID, EnvironmentID: offEnv.ID}), ": environment_disabled"},
	} {
		caller, err := w.Authenticate(t.Context(), c.credential)
		if KindOf(err) != CredentialInvalid || !strings.HasSuffix(err.Error(), c.because) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name+": who it is", caller, Caller{})
		same(t, name+": what is shown", shown(err), "the credential is not valid")
		_, err = w.Check(t.Context(), c.credential)
		same(t, name+": the check of a gateway", KindOf(err), CredentialInvalid)
	}
	_, err := w.Authenticate(t.Context(), "")
	refused(t, "none", err, "credential missing: a credential is needed")
}

// shown is the text for a caller.
func shown(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

// TestWhoComesWithACredential: the owner, within the limits of the credential.
func TestWhoComesWithACredential(t *testing.T) {
	w := newWorld(t)
	end := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		credential Token
		want       string // user, account, role
		expires    time.Time
	}{
		"a user's":            {Token{UserID: member}, "3 h member", time.Time{}},
		"one that ends":       {Token{UserID: member, ExpiresAt: end}, "3 h member", end},
		"an admin's":          {Token{UserID: admin}, "1 h admin", time.Time{}},
		"an admin's, limited": {Token{UserID: admin, RoleLimit: RoleMember}, "1 h member", time.Time{}},
		"at home in disabled": {Token{UserID: evicted}, "6 s member", time.Time{}},
		"an account's":        {Token{Dialect: APIToken, AccountID: other.ID}, "0 r ", time.Time{}},
		"of another dialect":  {Token{Dialect: personal, UserID: stranger}, "4 r member", time.Time{}},
		"a numbered one":      {Token{Dialect: Unleash, UserID: introspector}, "2 h introspector", time.Time{}},
	} {
		got := w.caller(t, c.credential)
		same(t, name, fmt.Sprint(got.userID(), " ", got.AccountID()[:1], " ", got.Role), c.want)
		same(t, name+": the end", got.ExpiresAt, c.expires)
		same(t, name+": whether it is a guest", got.federated, false)
		same(t, name+": the use", w.uses.last(got.Token.Seq), noon)
	}
}

// TestRefusedCredentialsAreNotUsed: a time of use is that of a use.
func TestRefusedCredentialsAreNotUsed(t *testing.T) {
	w := newWorld(t)
	made, secret := w.put(t, Token{UserID: member, State: Suspended})
	_, err := w.Authenticate(t.Context(), secret)
	same(t, "the kind", KindOf(err), CredentialInvalid)
	same(t, "the use", w.uses.last(made.Seq), time.Time{})
}

// TestSignaturesAreChecked: a JWT that this server did not sign is refused before the store is asked.
func TestSignaturesAreChecked(t *testing.T) {
	w := newWorld(t)
	_, secret := w.put(t, Token{Dialect: APIToken, AccountID: home.ID})
	_, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	w.signer.refused = errors.New("the signature does not fit")
	w.fake.Fault = func(string) error { return errors.New("the store was asked") }
	_, err = w.Authenticate(t.Context(), secret)
	refused(t, "a bad signature", err, "credential invalid: the credential is not valid: the signature does not fit")
	w.fake.Fault = nil
	_, err = w.Authenticate(t.Context(), Muninx.Secrets.New())
	refused(t, "what is not signed", err, "credential invalid: the credential is not valid: no token has this secret")
}

// TestAnOutageIsNotACredentialsFault: whatever fails but the credential is told as it is.
func TestAnOutageIsNotACredentialsFault(t *testing.T) {
	faults := map[Kind]error{
		Unavailable: Errorf(Unavailable, "the database is away"), Overloaded: Overloaded, Canceled: Canceled,
		Internal: errors.New("broken"),
	}
	for kind, fault := range faults {
		w := newWorld(t)
		root := w.user(t, admin)
		w.guest(t, "", noon) // so that JWTs of an issuer are known
		w.fake.Fault = func(string) error { return fault }
		_, err := w.Authenticate(t.Context(), Muninx.Secrets.New())
		same(t, "a secret, "+string(kind), KindOf(err), kind)
		_, err = w.Authenticate(t.Context(), "eyJ.guest.signature")
		same(t, "a JWT of the issuer, "+string(kind), KindOf(err), kind)
		_, err = w.Check(t.Context(), Muninx.Secrets.New())
		same(t, "a check, "+string(kind), KindOf(err), kind)
		_, err = w.Introspect(t.Context(), root, Muninx.Secrets.New())
		same(t, "an introspection, "+string(kind), KindOf(err), kind)

		w.fake.Fault, w.oidc.err = nil, fault
		_, err = w.Authenticate(t.Context(), "eyJ.guest.signature")
		same(t, "an issuer that is away, "+string(kind), KindOf(err), kind)
	}
}

// TestGuests: the issuer says who it is, the registry whether that is a user of ours, and its role unless the issuer
// says that, too.
func TestGuests(t *testing.T) {
	const (
		idp           = "https://idp.example"
		invalid       = "credential invalid: the credential is not valid: "
		nameless, out = invalid + "the JWT has no subject", invalid + "the user 8 is disabled"
	)
	unknown := func(issuer, subject string) string {
		return fmt.Sprintf("%sno user is registered with the issuer %q and the subject %q", invalid, issuer, subject)
	}
	for name, c := range map[string]struct {
		issuer, subject string
		claimed         Role
		role            Role
		want            string
	}{
		"a user":              {idp, "guest", "", RoleMember, ""},
		"a user with a role":  {idp, "guest", RoleAdmin, RoleAdmin, ""},
		"a local user's name": {"", "member", "", "", nameless},
		"no subject":          {idp, "", "", "", nameless},
		"an unknown subject":  {idp, "x", "", "", unknown(idp, "x")},
		"of another issuer":   {"https://other.example", "guest", "", "", unknown("https://other.example", "guest")},
		"of a local user":     {idp, "member", "", "", unknown(idp, "member")},
		"a disabled user":     {idp, "out", "", "", out},
		"one with a role":     {idp, "out", RoleAdmin, "", out},
	} {
		w := newWorld(t)
		disabled := User{AdminID: "8", Issuer: idp, Subject: "out", Role: RoleAdmin, Disabled: true, AccountID: home.ID}
		_, err := w.fake.CreateUser(t.Context(), Permit{}, disabled)
		ok(t, err)
		w.OIDC, w.signer.foreign = w.oidc, true
		w.oidc.vouched = Vouched{c.issuer, c.subject, c.claimed, noon.Add(time.Hour + 1234567)}
		got, err := w.Authenticate(t.Context(), "eyJ.guest.signature")
		refused(t, name, err, c.want)
		same(t, name+": the role", got.Role, c.role)
		if err != nil {
			same(t, name+": who it is", got, Caller{})
			continue
		}
		same(t, name+": the user", got.User.ID, guest)
		same(t, name+": the account", got.AccountID(), home.ID)
		same(t, name+": the end", got.ExpiresAt, noon.Add(time.Hour+time.Millisecond))
		same(t, name+": whether it is a guest", got.federated, true)
		same(t, name+": the claim", got.claimed, c.claimed)
		same(t, name+": the token", got.Token, nil)
	}
}

// TestWhoseJWTs: only a JWT that does not name this server goes to the issuer, and only if there is one.
func TestWhoseJWTs(t *testing.T) {
	for name, c := range map[string]struct {
		credential string
		oidc       bool
		foreign    bool
		asked      bool
	}{
		"ours":                       {"eyJ.a.b", true, false, false},
		"another's":                  {"eyJ.a.b", true, true, true},
		"another's, without an OIDC": {"eyJ.a.b", false, true, false},
		"no JWT":                     {Muninx.Secrets.New(), true, true, false},
		"nothing of ours":            {"letmein", true, true, false},
	} {
		w := newWorld(t)
		w.signer.foreign = c.foreign
		asked := &asking{}
		if c.oidc {
			w.OIDC = asked
		}
		_, err := w.Authenticate(t.Context(), c.credential)
		same(t, name+": the kind", KindOf(err), CredentialInvalid)
		same(t, name+": whether the issuer was asked", asked.times == 1, c.asked)
	}
	w := newWorld(t)
	asked := &asking{}
	w.OIDC, w.signer.foreign = asked, true
	_, err := w.Check(t.Context(), "eyJ.a.b")
	same(t, "the kind", KindOf(err), CredentialInvalid)
	same(t, "whether a check asks the issuer", asked.times, 0)
}

// asking counts.
type asking struct{ times int }

func (a *asking) Identify(context.Context, string) (Vouched, error) {
	a.times++
	return Vouched{}, CredentialInvalid
}

// fakeMemory keeps what was read until it hears of any change, and tells what it heard.
type fakeMemory struct {
	Memory
	rows    map[Hash]Identity
	changes []Change
}

func (m *fakeMemory) Row(h Hash) (Identity, bool) {
	id, ok := m.rows[h]
	return id, ok
}

func (m *fakeMemory) ReadRow(_ context.Context, h Hash, read func() (Identity, error)) (Identity, error) {
	id, err := read()
	if err == nil {
		m.rows[h] = id
	}
	return id, err
}

func (m *fakeMemory) StatusList(context.Context, int64) (string, error) { return "signed", nil }

func (m *fakeMemory) Changed(c Change) {
	clear(m.rows)
	m.changes = append(m.changes, c)
}

// TestMemoryIsJudged: what is in memory is a row, and no verdict; a JWT in it needs no second look at its signature.
func TestMemoryIsJudged(t *testing.T) {
	w := newWorld(t)
	w.Memory = &fakeMemory{rows: map[Hash]Identity{}}
	_, secret := w.put(t, Token{Dialect: APIToken, AccountID: home.ID, ExpiresAt: noon.Add(time.Hour)})
	_, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	w.fake.Fault = func(method string) error { return errors.New(method + " was asked") }
	w.signer.refused = errors.New("Verify was asked")
	_, err = w.Authenticate(t.Context(), secret)
	refused(t, "from memory", err, "")
	w.now = noon.Add(time.Hour)
	_, err = w.Authenticate(t.Context(), secret)
	same(t, "the kind when it has expired", KindOf(err), CredentialInvalid)
	_, err = w.Authenticate(t.Context(), Muninx.Secrets.New())
	refused(t, "what is not in memory", err, "FindSecret was asked")
}
