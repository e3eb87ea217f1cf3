package token

import (
	"context"
	"time"
)

// Store keeps tokens. With every change it stores an [Event], or else does not make the change. Its errors carry a
// [Kind]: [NotFound], [NameTaken] for a broken uniqueness, [Unavailable] where the database cannot be asked,
// [Overloaded] where too many ask it, [Canceled] where the context was cancelled. Every method honours its context. The
// package storetest is its contract.
type Store interface {
	// Create judges in.Permit, reads the [Facts] of in.Token, locked against change until the end of the transaction,
	// calls in.Decide with them and inserts the token as Decide left it. An error of Decide ends the transaction and is
	// returned as it is. Seq is the store's to give, and the ID too where its dialect's ids are [Numbers].
	Create(ctx context.Context, in Insert) (Token, error)
	// Find returns the token, a tombstone too.
	Find(ctx context.Context, ref Ref) (Token, error)
	// FindSecret returns the token that has or had a secret with this hash, a tombstone too, with what it depends on, in
	// one reading. Whether that secret still works is the token's to say.
	// It may answer the context's [BesideOf] in the same reading.
	FindSecret(ctx context.Context, hash Hash) (Identity, error)
	// Identities returns the tokens with these Seqs, tombstones too, with what they depend on, by Seq.
	Identities(ctx context.Context, seqs []int64) (map[int64]Identity, error)
	// List returns a page of tokens that are not deleted.
	List(ctx context.Context, q Query) ([]Token, error)
	// Update judges the permit, reads the token, a tombstone too, locked until the end of the transaction, calls change
	// and stores what it left, except what is the same for the life of a token and LastUsedAt. A Hash that change took out
	// of the token is kept as that of a former secret, for which [Store.FindSecret] still finds the token, and whose Entry
	// is published as revoked. An error of change ends the transaction and is returned as it is.
	Update(ctx context.Context, p Permit, ref Ref, change func(*Token) error) (Token, error)
	// Rotate is Update, and gives change an entry that no other secret has, where [Dialect.PublishesStatus]. The claim,
	// which may be nil, is that of an [Insert].
	Rotate(
		ctx context.Context, p Permit, ref Ref, claim *Claim, change func(*Token, StatusEntry) error,
	) (Token, error)
	// Touch stores times of use, each only if it is later than the one stored, in one statement a batch.
	Touch(ctx context.Context, uses map[int64]time.Time) error
	// ForgetClaims deletes claims that have expired at the time, some at a time, and reports whether there may be more.
	ForgetClaims(ctx context.Context, now time.Time) (more bool, err error)
	// TouchPrevious does the same for the LastUsedAt of previous secrets, by their hashes. One that is no token's previous
	// secret any more is left out.
	TouchPrevious(ctx context.Context, uses map[Hash]time.Time) error
}

// StatusStore is what status lists ask of a store, with the same errors as [Store].
type StatusStore interface {
	// FindStatusList fails with [NotFound] if no token has an entry in the list. Entries are never given up.
	FindStatusList(ctx context.Context, list int64) error
	// StatusList calls each with every token that has an entry in the list and is not active, has been deleted, or whose
	// account or environment is disabled, and with every previous and former secret that has one, perhaps more than once.
	StatusList(ctx context.Context, list int64, each func(Standing)) error
	// Standings returns those of the tokens that have an entry, tombstones too, in any order: one for each secret that a
	// token has or had.
	Standings(ctx context.Context, seqs []int64) ([]Standing, error)
}

// Permit is a caller's right to make a change. It is judged inside the transaction that makes the change, before
// anything else, since the caller's credential may have lost its right after the request was authenticated. The zero
// Permit is for changes that no caller asks for: nothing is judged.
type Permit struct {
	// What the right depends on, locked against change until the end of the transaction; the zero value is none.
	Token         int64  // Seq of the caller's token
	UserID        int64  // the caller's user
	AccountID     string // of the caller's token
	EnvironmentID string // of the caller's token

	// Urgent changes take rights away. Nothing that may wait is done before them.
	Urgent bool

	// What the [Event] says that is stored with the change.
	By     By
	Action string // what is done, such as suspend; "": the store says whether it is a create or an update
	Clock  Clock

	// Judge gets what Token names as it is now, or else what UserID names. Its error ends the transaction and is returned
	// as it is. It may be called again, if the store has to repeat the transaction. Nil permits everything.
	Judge func(Identity) error
}

// Insert is a token to be created and the decision whether it may be.
type Insert struct {
	Token  Token
	Permit Permit
	// Exclusive makes creates of one owner wait for each other, so that Held and NameTaken stay true until the commit.
	Exclusive bool
	// Most is how many tokens of the dialect the account may hold, so that Decide must refuse one more; 0: any number.
	Most int
	// Alone keeps others from being created in the same transaction: Decide takes long, or hands the secret out.
	Alone bool
	// Claim, if it is set, is stored with the token. If another create has it, and it has not expired, the error is that
	// one's [Claimed]; [ErrClaiming] says that another is about to get it. Neither is decided.
	Claim *Claim
	// Decide completes the token or refuses it. The store may call it again, on a fresh copy, if it has to repeat the
	// transaction.
	Decide func(*Token, Facts) error
}

// Facts is what a create depends on. A member is nil where the token names none, or one that does not exist.
type Facts struct {
	User        *User        // the token's UserID
	Environment *Environment // the token's EnvironmentID
	Account     *Account     // the token's AccountID; if that is "", the account of Environment
	// Held are the tokens of UserID in this dialect that are not deleted, counted only if Exclusive; or those of the
	// account, counted only up to Most, and 0 where they are surely fewer.
	Held      int
	Entry     StatusEntry // one that no other token has; where [Dialect.PublishesStatus]
	NameTaken bool        // one of these has the same Name, to the letter; looked up only if Exclusive, not for ""
}

// Identity is a credential's row with what it depends on.
type Identity struct {
	Secret      Hash         // that was presented; zero where a token is judged without one
	Token       *Token       // nil where a [Federation] vouched for the user
	User        *User        // of a user's token
	Account     *Account     // of the token, or the home account of User
	Environment *Environment // of the token
}

// Query selects tokens. Zero members select everything.
type Query struct {
	Dialect       *Dialect
	UserID        int64
	AccountID     string
	EnvironmentID string
	Scope         Scope
	State         State // as [Token.StateAt] at Now
	CreatedBy     int64 // a user who created the token, or a token that created it, and so on
	NotOwnedBy    int64 // a user whose own tokens are left out
	Owner         *Owner
	KeyID         string
	Usable        *bool     // whether it works at Now, as [Verdict.Usable]
	Keys          []string  // ids of the keys that verify; needed where Usable is set
	Now           time.Time // needed where Status or Usable is set
	After         int64     // Seq of the last token of the page before, 0 for the first page
	Ascending     bool      // by Seq; else newest first
	Limit         int       // at least 1
}

// Registry keeps users, accounts and environments, with the same errors and events as [Store]. Every change judges its
// permit first. Lists are by ascending id and begin after the given id ("" or 0: at the start).
type Registry interface {
	UserStore
	AccountStore
	EnvironmentStore

	// Initialize stores the seed if the registry has no user, calling deliver as the last step before the commit; an
	// error of deliver undoes everything. Of callers that come together exactly one stores; the others get false.
	// The seed's user and token get their numbers from the store.
	Initialize(ctx context.Context, seed Seed, deliver func() error) (bool, error)
	// Maxima are those of the seed, none for a registry that was filled before there were any.
	Maxima(ctx context.Context) (Maxima, error)
}

// Owner selects tokens of all dialects: those of a user, and those of an account or one of its environments. A user or
// an account that is missing has none.
type Owner struct {
	UserID        int64
	AccountID     string
	EnvironmentID string // "": all of the account
}

// UserStore keeps the users of a [Registry].
type UserStore interface {
	// CreateUser gives the ID. It fails with [NameTaken] for a second user of one issuer and subject.
	CreateUser(ctx context.Context, p Permit, u User) (User, error)
	FindUser(ctx context.Context, id int64) (User, error)
	// FindSubject returns the user whom the OIDC issuer knows as subject, with the home account.
	FindSubject(ctx context.Context, issuer, subject string) (Identity, error)
	// FirstAdmin returns the enabled admin with the lowest id.
	FirstAdmin(ctx context.Context) (User, error)
	ListUsers(ctx context.Context, after int64, limit int) ([]User, error)
	// UpdateUser stores the Role, AccountID, Disabled and UpdatedAt that change left. It tells change how many enabled
	// admins there are besides this user; that number is locked until the end of the transaction.
	UpdateUser(ctx context.Context, p Permit, id int64, change func(u *User, otherAdmins int) error) (User, error)
}

// AccountStore keeps the accounts of a [Registry].
type AccountStore interface {
	CreateAccount(ctx context.Context, p Permit, a Account) error
	FindAccount(ctx context.Context, id string) (Account, error)
	ListAccounts(ctx context.Context, after string, limit int) ([]Account, error)
	// UpdateAccount stores the Disabled and UpdatedAt that change left.
	UpdateAccount(ctx context.Context, p Permit, id string, change func(*Account) error) (Account, error)
}

// EnvironmentStore keeps the environments of a [Registry].
type EnvironmentStore interface {
	CreateEnvironment(ctx context.Context, p Permit, e Environment) error
	FindEnvironment(ctx context.Context, id string) (Environment, error)
	ListEnvironments(ctx context.Context, after string, limit int) ([]Environment, error)
	// UpdateEnvironment stores the Disabled and UpdatedAt that change left.
	UpdateEnvironment(ctx context.Context, p Permit, id string, change func(*Environment) error) (Environment, error)
}

// Seed is what an empty database starts with.
type Seed struct {
	Account      Account
	Environments []Environment
	User         User
	Token        Token // owned by User
	Maxima       Maxima
}

// Maxima are limits of tokens that apply unless the operator says otherwise. The zero value is no limit.
type Maxima struct {
	Lifetime time.Duration
	Tokens   int // of an account
}

// NewMaxima are those of a new installation. One that is older has none, since its tokens may exceed them.
var NewMaxima = Maxima{Lifetime: 5 * 365 * day, Tokens: 100_000}

// Change names the one thing that was changed. The zero Change is anything.
type Change struct {
	Token       int64  // Seq of a token, and
	List        int64  // the status list that it has a place in, 0 if it has none
	User        int64  // id of a user
	Account     string // id of an account
	Environment string // id of an environment
}

// Memory is what a server keeps of what it has read lately: rows of credentials and status lists. It never keeps
// verdicts, which are reached at every use: state, expiry and owner are judged then.
type Memory interface {
	// Row returns the row of a credential, false if it has to be read.
	Row(h Hash) (Identity, bool)
	// ReadRow returns what read returns, in this call or in another one that began to read after this one came.
	ReadRow(ctx context.Context, h Hash, read func() (Identity, error)) (Identity, error)
	// StatusList returns the signed list, see [Service.StatusList].
	StatusList(ctx context.Context, number int64) (string, error)
	// Changed tells of a change after its commit and before its answer. Nothing that was read before is used after it.
	Changed(c Change)
}

// Claims is what the JWT of a token says (RFC 7519).
type Claims struct {
	ID            string // jti
	Subject       string // sub: the environment's id, else the account's
	Scope         Scope  // token_scope
	AccountID     string // account_id
	EnvironmentID string // environment_id, null if ""
	IssuedAt      time.Time
	ExpiresAt     time.Time   // whole seconds
	Entry         StatusEntry // status
}

// Signer makes and checks the secrets that are JWTs. An error in signing is [Unavailable] where trying again may help.
type Signer interface {
	// Sign returns the JWT for the claims, signed with the active key, and that key's id.
	Sign(c Claims) (secret, keyID string, err error)
	// KeyIDs are those of all keys that verify.
	KeyIDs() []string
	// Verify returns nil if this server signed the JWT and it has not been altered. It does not judge times: the store's
	// row does. An error means that the secret is no token of ours.
	Verify(secret string) error
	// Ours reports whether the JWT names this server as its issuer, before any verification: it only chooses who is to
	// verify.
	Ours(secret string) bool
}

// Federation vouches for the users of a configured OIDC issuer.
type Federation interface {
	// Identify verifies the issuer's JWT, times and audience included. Its errors are [CredentialInvalid], or
	// [Unavailable] where the issuer's keys cannot be had.
	Identify(ctx context.Context, jwt string) (Vouched, error)
}

// Vouched is a user as an OIDC issuer names it.
type Vouched struct {
	Issuer    string
	Subject   string
	Role      Role // "" leaves the role to the registry
	ExpiresAt time.Time
}
