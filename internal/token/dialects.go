package token

import "time"

const day = 24 * time.Hour

// The published contracts. This is where a dialect is registered.
var (
	// Muninx has tokens of a user that end when somebody ends them.
	Muninx = &Dialect{
		Name: "muninx", OwnedByUser: true, IDs: UUIDs, Precision: time.Millisecond, DeletesFromAnyState: true,
		Secrets: SecretForm{Prefix: "muninx_", Alphabet: base62, Length: 30, Checksum: 6},
		Names:   NameRule{Word: "name", Shown: true},
	}
	// APIToken has JWTs of an account or an environment, whose `exp` is in whole seconds.
	APIToken = &Dialect{
		Name: "apitoken", IDs: Keys, Precision: time.Second, PublishesStatus: true,
		Secrets: SecretForm{Signed: true},
		Policy:  Policy{DefaultLifetime: 365 * day},
	}
	// Unleash has a user's few personal access tokens, which the store numbers.
	Unleash = &Dialect{
		Name: "unleash", OwnedByUser: true, IDs: Numbers, Precision: time.Millisecond, DeletesFromAnyState: true,
		Secrets: SecretForm{Prefix: "user:", Alphabet: hexDigits, Length: 56},
		Names:   NameRule{Word: "description", Optional: true}, UniqueNames: true,
		Policy: Policy{DefaultLifetime: 30 * day, MaxTokens: 10},
	}

	// Published are the dialects that a server speaks unless it is told otherwise.
	Published = Dialects{Muninx, APIToken, Unleash}
)

// CredentialDialect is the one of the credentials that are not asked for through a dialect: that of the first start,
// and those that an admin makes for others.
var CredentialDialect = Muninx
