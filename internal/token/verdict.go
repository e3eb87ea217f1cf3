package token

import (
	"context"
	"slices"
)

// Obstacle is why a token does not work although its state is active.
type Obstacle string

// The obstacles, by the name that they have in answers.
const (
	UserDisabled        Obstacle = "user_disabled"
	AccountDisabled     Obstacle = "account_disabled"
	EnvironmentDisabled Obstacle = "environment_disabled"
	KeyRetired          Obstacle = "key_retired" // the key that signed it verifies nothing any more
)

// Obstacles lists every obstacle.
var Obstacles = []Obstacle{UserDisabled, AccountDisabled, EnvironmentDisabled, KeyRetired}

// obstacle is what the token depends on and what is disabled or gone, "" if nothing is. The home account of a user is
// not among that.
func (id Identity) obstacle() Obstacle {
	owned := id.Token.Dialect.OwnedByUser
	switch {
	case owned && (id.User == nil || id.User.Disabled || id.Account == nil):
		return UserDisabled
	case owned:
		return ""
	case id.Account == nil || id.Account.Disabled:
		return AccountDisabled
	case id.Token.EnvironmentID != "" && (id.Environment == nil || id.Environment.Disabled):
		return EnvironmentDisabled
	}
	return ""
}

// Verdict is what a check of a token would say now.
type Verdict struct {
	Usable  bool
	Because Obstacle // why it is not usable although it is active; "" if that is not so
}

// Verdicts returns those of the tokens, in their order.
func (s *Service) Verdicts(ctx context.Context, tokens ...Token) ([]Verdict, error) {
	now := s.Now()
	var active []int64
	for _, t := range tokens {
		if t.StateAt(now) == Active {
			active = append(active, t.Seq)
		}
	}
	verdicts := make([]Verdict, len(tokens))
	if len(active) == 0 {
		return verdicts, nil
	}
	found, err := s.Store.Identities(ctx, active)
	if err != nil {
		return nil, err
	}
	keys := s.Signer.KeyIDs()
	for i, t := range tokens {
		verdicts[i] = s.verdict(found[t.Seq], keys)
	}
	return verdicts, nil
}

// verdict judges anew, since the token may have changed since it was listed.
func (s *Service) verdict(id Identity, keys []string) Verdict {
	switch {
	case id.usable(s.Now()) && id.verifiable(keys):
		return Verdict{Usable: true}
	case id.Token == nil || id.Token.StateAt(s.Now()) != Active:
		return Verdict{}
	case !id.verifiable(keys):
		return Verdict{Because: KeyRetired}
	}
	return Verdict{Because: id.obstacle()}
}

// verifiable reports whether the key that signed the token is among the keys, if one did.
func (id Identity) verifiable(keys []string) bool {
	return id.Token.KeyID == "" || slices.Contains(keys, id.Token.KeyID)
}
