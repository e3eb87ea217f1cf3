package token

import "context"

// Change names what was changed. The zero Change is anything: an account or an environment, on which many tokens
// depend.
type Change struct {
	Token int64 // Seq of a token, and
	List  int64 // the status list that it has a place in, 0 if it has none
	User  int64 // id of a user
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
