package token

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Draft is what a caller asks of a new token. Which members a dialect knows is its own matter.
type Draft struct {
	Dialect       *Dialect
	Name          string     // "" is none, where the dialect allows that
	Scope         Scope      // of an account's token
	AccountID     *string    // nil: the environment's account, or the caller's own
	EnvironmentID *string    // nil: none
	ExpiresAt     *time.Time // nil: the default lifetime
	UserID        int64      // who is to own a user's token, if it is not the caller; only admins may say that
	SelfRotation  bool       // see [Token.SelfRotation]
	// Deliver, if it is set, gets the secret inside the transaction, as the last step before the commit: if it fails,
	// the token was never issued.
	Deliver func(secret string) error
	// Retry, if it is set, makes it safe to ask again.
	Retry *Retry
}

// The members of a draft, as faults point to them. A dialect whose members have other names translates.
const (
	MemberName        = "/name"
	MemberScope       = "/token_scope"
	MemberAccount     = "/account_id"
	MemberEnvironment = "/environment_id"
	MemberExpiry      = "/expires_at"
)

// maxName is the length of a name in characters (Unicode code points).
const maxName = 255

// lastMoment is the end of the last year that RFC 3339 can write.
var lastMoment = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// Create issues a token and returns it with its secret, which is not kept. Limits, uniqueness and everything else
// that the token depends on are judged inside the transaction that inserts it.
func (s *Service) Create(ctx context.Context, c Caller, d Draft) (Token, string, error) {
	if err := d.allowed(c); err != nil {
		return Token{}, "", err
	}
	return s.once(ctx, c, d.Retry, func(y *retry) (Token, string, error) { return s.create(ctx, c, d, y) })
}

func (s *Service) create(ctx context.Context, c Caller, d Draft, y *retry) (Token, string, error) {
	creation := creation{service: s, caller: c, draft: d, policy: s.policy(d.Dialect)}
	in := Insert{
		Token: creation.start(), Permit: s.permit(ctx, &creation.caller, d.allowed), Alone: d.Deliver != nil,
		Exclusive: d.Dialect.UniqueNames, Claim: y.sealing(&creation.secret), Decide: creation.decide,
	}
	if d.Dialect.OwnedByUser {
		in.Exclusive = in.Exclusive || creation.policy.MaxTokens > 0
	} else {
		in.Most = creation.policy.MaxTokens
	}
	created, err := s.Store.Create(ctx, in)
	if err != nil {
		return Token{}, "", err
	}
	return created, creation.secret, nil
}

// allowed decides whether the caller may ask for such a token at all.
func (d Draft) allowed(c Caller) error {
	if err := c.enter(d.Dialect, Own); err != nil {
		return err
	}
	if d.SelfRotation && c.User == nil {
		return Errorf(Forbidden, "a credential that belongs to no user cannot let a token rotate itself")
	}
	if d.UserID == 0 {
		return nil
	}
	return c.requireAdmin()
}

// creation is one create on its way.
type creation struct {
	service *Service
	caller  Caller
	draft   Draft
	policy  Policy
	secret  string
}

// start is the token as far as it is known before the store was read.
func (n *creation) start() Token {
	t := Token{
		Dialect: n.draft.Dialect, Name: n.draft.Name, Scope: ScopeUser, SelfRotation: n.draft.SelfRotation,
		State: Active, CreatedBy: n.caller.userID(), MintedBy: n.caller.tokenSeq(),
	}
	if t.Dialect.OwnedByUser {
		t.UserID = cmp.Or(n.draft.UserID, n.caller.userID())
		return t
	}
	t.Scope = n.draft.Scope
	if n.draft.EnvironmentID != nil {
		t.EnvironmentID = *n.draft.EnvironmentID
	}
	switch {
	case n.draft.AccountID != nil:
		t.AccountID = *n.draft.AccountID
	case n.draft.EnvironmentID == nil:
		t.AccountID = n.caller.AccountID()
	}
	return t
}

// decide completes the token or refuses it. It may run more than once.
func (n *creation) decide(t *Token, f Facts) error {
	now := n.service.Now()
	t.CreatedAt, t.UpdatedAt = now, now
	n.minted(t)
	if err := n.owner(t, f); err != nil {
		return err
	}
	if err := n.judge(t, f, now); err != nil {
		return err
	}
	t.ID, t.Entry = t.Dialect.IDs.new(now), f.Entry
	secret, err := n.service.newSecret(t)
	if err != nil {
		return err
	}
	n.secret, t.Hash = secret, HashSecret(secret)
	if n.draft.Deliver != nil {
		return n.draft.Deliver(secret)
	}
	return nil
}

// minted notes what the token has of its maker, as the maker is inside the transaction.
func (n *creation) minted(t *Token) {
	t.CreatedByAdminID, t.RoleLimit = "", ""
	if n.caller.Admin() {
		t.CreatedByAdminID = n.caller.User.AdminID
	}
	if t.Dialect.OwnedByUser && n.caller.User.Role.atMost(n.caller.Role) != n.caller.User.Role {
		t.RoleLimit = n.caller.Role // the token reaches no further than the credential that made it
	}
}

// owner refuses one that is not there, and an account that was the caller's own when the request came and is no more.
func (n *creation) owner(t *Token, f Facts) error {
	ownAccount := n.draft.AccountID == nil && n.draft.EnvironmentID == nil
	switch {
	case !n.draft.Dialect.OwnedByUser && ownAccount && t.AccountID != n.caller.AccountID():
		return Errorf(Unavailable, "the caller's home account has changed; try again")
	case !n.draft.Dialect.OwnedByUser:
		return nil
	case f.User == nil:
		return Errorf(NotFound, "there is no such user")
	case f.User.Disabled:
		return Errorf(Conflict, "the user is disabled")
	}
	return nil
}

// judge lists all faults of the draft at once; the limit and the uniqueness come after them.
func (n *creation) judge(t *Token, f Facts, now time.Time) error {
	var faults []Fault
	if t.Dialect.OwnedByUser {
		faults = t.Dialect.judgeName(t.Name)
	} else {
		faults = n.judgeTenant(t, f)
	}
	faults = append(faults, n.judgeExpiry(t, now)...)
	if err := Faulty(faults...); err != nil {
		return err
	}
	if t.Scope == ScopeAccount && n.caller.environmentID() != "" {
		return Errorf(Forbidden, "the credential is bound to one environment and cannot create a token for an account")
	}
	if limit := n.policy.MaxTokens; limit > 0 && f.Held >= limit {
		if !t.Dialect.OwnedByUser {
			return Errorf(LimitReached, "the account has reached its limit of %d tokens; delete one first", limit)
		}
		return Errorf(LimitReached, "the limit of %d tokens is reached; delete one first", limit)
	}
	if t.Dialect.UniqueNames && f.NameTaken {
		return &Error{Kind: NameTaken, Message: nameTaken(t.Dialect)}
	}
	return nil
}

func (d *Dialect) judgeName(name string) []Fault {
	rule := d.Names
	switch length := utf8.RuneCountInString(name); {
	case name == "" && rule.Optional:
		return nil
	case length < 1 || length > maxName:
		return []Fault{{Pointer: MemberName, Detail: "must have 1 to 255 characters"}}
	case rule.Shown && blank(name):
		return []Fault{{Pointer: MemberName, Detail: "must have a character that is not white space"}}
	case rule.Shown && deceptive(name):
		return []Fault{{Pointer: MemberName, Detail: honestRule}}
	}
	return nil
}

// honestRule is the rule for texts that are not to be [deceptive].
const honestRule = "must not have control characters, nor any that override or isolate the direction of text " +
	"(U+202A to U+202E, U+2066 to U+2069)"

// deceptive is whether a text can steer a terminal, break a line of a log or show itself, or what is beside it, in
// another order. The marks U+200E, U+200F and U+061C act on their neighbours only and belong to what people in such
// scripts write.
func deceptive(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}

// blank is whether a text is nothing but white space, which is what ECMA-262 calls so: the patterns of the contracts
// are read by its rules. Unicode's differ in two characters.
func blank(text string) bool {
	for _, r := range text {
		if r == '\u0085' || r != '\ufeff' && !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// judgeTenant judges account, environment and scope, and sets the account that follows from the environment.
func (n *creation) judgeTenant(t *Token, f Facts) []Fault {
	var faults []Fault
	environment, account := n.visible(f)
	if t.Scope != ScopeAccount && t.Scope != ScopeEnvironment {
		faults = append(faults, Fault{Pointer: MemberScope, Detail: "must be account or environment"})
	} else if detail := n.judgeEnvironment(t.Scope, environment, account); detail != "" {
		faults = append(faults, Fault{Pointer: MemberEnvironment, Detail: detail})
	}
	switch asked := n.draft.AccountID != nil || n.draft.EnvironmentID == nil; {
	case account != nil && account.Disabled:
		faults = append(faults, Fault{Pointer: MemberAccount, Detail: "must be the id of an account that is not disabled"})
	case account == nil && asked:
		faults = append(faults, Fault{Pointer: MemberAccount, Detail: "must be the id of an account that you can use"})
	case account != nil:
		t.AccountID = account.ID
	}
	return faults
}

// judgeEnvironment says what the environment must be, "" if it is that.
func (n *creation) judgeEnvironment(scope Scope, environment *Environment, account *Account) string {
	named := n.draft.EnvironmentID != nil
	switch {
	case scope == ScopeEnvironment && !named:
		return "is required when token_scope is environment"
	case scope == ScopeAccount && named:
		return "must be left out when token_scope is account"
	case !named:
		return ""
	case environment == nil:
		return "must be the id of an environment that you can use"
	case environment.Disabled:
		return "must be the id of an environment that is not disabled"
	case account != nil && environment.AccountID != account.ID:
		return "must be the id of an environment of the account"
	}
	return ""
}

// visible hides what the caller does not see, so that it reads like what does not exist.
func (n *creation) visible(f Facts) (*Environment, *Account) {
	environment, account := f.Environment, f.Account
	if account != nil && !n.caller.seesAccount(account.ID) {
		account = nil
	}
	if environment != nil &&
		(!n.caller.seesAccount(environment.AccountID) || !n.caller.seesEnvironment(environment.ID)) {
		environment = nil
	}
	return environment, account
}

// judgeExpiry judges the expiry that was asked for, or sets the default, clipped to what is allowed.
func (n *creation) judgeExpiry(t *Token, now time.Time) []Fault {
	latest := n.latest(now)
	detail := ""
	if asked := n.draft.ExpiresAt; asked == nil {
		t.ExpiresAt = n.defaultExpiry(latest, now)
		if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now) {
			detail = "cannot be set: the credential itself expires too soon"
		}
	} else {
		t.ExpiresAt = n.cut(*asked)
		detail = judgeAsked(*asked, t.ExpiresAt, latest, now, n.because(latest, now))
	}
	if detail == "" {
		return nil
	}
	return []Fault{{Pointer: MemberExpiry, Detail: detail}}
}

// judgeAsked says what the expiry that was asked for must be, "" if it is that. Expiry is what was asked, cut to the
// precision of the dialect; because says why it must not be later than the latest.
func judgeAsked(asked, expiry, latest, now time.Time, because string) string {
	switch {
	case !expiry.After(now):
		return "must be in the future"
	case !asked.UTC().Before(lastMoment):
		return "must be before the year 10000 in UTC"
	case !latest.IsZero() && expiry.After(latest):
		return "must not be later than " + latest.Format(time.RFC3339) + ", " + because
	}
	return ""
}

// inDays writes a lifetime, if it can, as a number of days.
func inDays(d time.Duration) string {
	switch {
	case d == day:
		return "1 day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// because is why the expiry may not be later than the latest.
func (n *creation) because(latest, now time.Time) string {
	if longest := n.policy.MaxLifetime; longest > 0 && latest.Equal(now.Add(longest)) {
		return "since tokens live at most " + inDays(longest) + " on this server"
	}
	return "the latest that this credential can give"
}

// latest is the last possible expiry: a token lives no longer than the one that minted it. Zero: no limit.
func (n *creation) latest(now time.Time) time.Time {
	var latest time.Time
	if n.policy.MaxLifetime > 0 {
		latest = now.Add(n.policy.MaxLifetime)
	}
	if longest := n.service.FederatedMaxLifetime; n.caller.federated && longest > 0 {
		latest = earlier(latest, now.Add(longest))
	}
	if minter := n.caller.Token; minter != nil {
		latest = earlier(latest, minter.ExpiresAt)
	}
	return latest
}

// earlier is the earlier of two ends; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (n *creation) defaultExpiry(latest, now time.Time) time.Time {
	if n.policy.DefaultLifetime == 0 {
		return n.cut(latest)
	}
	expiry := now.Add(n.policy.DefaultLifetime)
	if !latest.IsZero() && latest.Before(expiry) {
		expiry = latest
	}
	return n.cut(expiry)
}

// cut brings a time to the precision of the dialect: the `exp` of a JWT is in whole seconds.
func (n *creation) cut(t time.Time) time.Time {
	return t.UTC().Truncate(n.draft.Dialect.Precision)
}

// newSecret makes the secret of a token whose other members are complete, and notes the key that signed it.
func (s *Service) newSecret(t *Token) (string, error) {
	if !t.Dialect.Secrets.Signed {
		return t.Dialect.Secrets.New(), nil
	}
	subject := t.AccountID
	if t.EnvironmentID != "" {
		subject = t.EnvironmentID
	}
	secret, keyID, err := s.Signer.Sign(Claims{
		ID: t.secretID(), Subject: subject, Scope: t.Scope, AccountID: t.AccountID, EnvironmentID: t.EnvironmentID,
		IssuedAt: t.issuedAt(), ExpiresAt: t.ExpiresAt, Entry: t.Entry,
	})
	if err != nil {
		return "", Wrap(KindOf(err), err)
	}
	t.KeyID = keyID
	return secret, nil
}
