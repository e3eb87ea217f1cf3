package store

import (
	"context"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// What accounts hold is not counted for each create, since an account may hold very many tokens. Each create of a
// dialect that publishes statuses takes a number that grows. After a count, an account has got at most one token for
// each number given since, whichever server gave it. As long as that cannot exceed the limit, nothing is counted; then
// the account is guarded alone and counted again.

// heldAccounts is for how many accounts it is known what they hold at most.
const heldAccounts = 10_000

// holdings of accounts, as far as they are known.
type holdingsOfAccounts struct {
	known *lru.Cache[holder, heldUntil]
	last  atomic.Int64 // the greatest number that this process was given
}

// holder is an account with its tokens of one dialect.
type holder struct{ account, dialect string }

// heldUntil says that there are at most so many tokens with numbers up to this one.
type heldUntil struct{ tokens, number int64 }

// at is the bound where the next token has the number.
func (h heldUntil) at(number int64) int64 { return h.tokens + number - h.number }

func newHoldings() *holdingsOfAccounts {
	known, _ := lru.New[holder, heldUntil](heldAccounts) // which fails only below 1
	return &holdingsOfAccounts{known: known}
}

// surelyBelow reports whether the holder may have one more without a count. A transaction takes several numbers.
func (hs *holdingsOfAccounts) surelyBelow(h holder, most int) bool {
	known, ok := hs.known.Get(h)
	return ok && known.at(hs.last.Load()+mostTogether) <= int64(most)
}

// allows reports whether the token with the number is within the limit. If it may not be, a count is needed. So it is
// if the number is no later one: SQLite gives numbers again after a transaction that was not committed.
func (hs *holdingsOfAccounts) allows(h holder, number int64, most int) bool {
	hs.given(number)
	known, ok := hs.known.Get(h)
	if ok && number > known.number && known.at(number) <= int64(most) {
		return true
	}
	hs.known.Remove(h)
	return false
}

// counted keeps what was counted before the token with the number.
func (hs *holdingsOfAccounts) counted(h holder, number, tokens int64) {
	hs.given(number)
	hs.known.Add(h, heldUntil{tokens + 1, number})
}

func (hs *holdingsOfAccounts) given(number int64) {
	for last := hs.last.Load(); number > last && !hs.last.CompareAndSwap(last, number); {
		last = hs.last.Load()
	}
}

// heldByAccount counts what an account holds, up to a limit.
const heldByAccount = `SELECT count(*) FROM (SELECT 1 FROM tokens
	WHERE deleted_at IS NULL AND dialect = $1 AND account_id = $2 LIMIT $3) AS held`

// settingRow is a row of settings.
type settingRow struct {
	Name  string `gorm:"primaryKey"`
	Value int64
}

func (settingRow) TableName() string { return "settings" }

// The names of settings.
const (
	maxLifetime = "max_lifetime_ms"
	maxTokens   = "max_tokens_of_account"
)

func insertMaxima(tx *gorm.DB, m token.Maxima) error {
	rows := []settingRow{}
	if m.Lifetime > 0 {
		rows = append(rows, settingRow{maxLifetime, m.Lifetime.Milliseconds()})
	}
	if m.Tokens > 0 {
		rows = append(rows, settingRow{maxTokens, int64(m.Tokens)})
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// Maxima implements [token.Registry].
func (d *DB) Maxima(ctx context.Context) (m token.Maxima, err error) {
	var rows []settingRow
	if err := d.read(ctx, func(tx *gorm.DB) error { return tx.Find(&rows).Error }); err != nil {
		return m, err
	}
	for _, row := range rows {
		switch row.Name {
		case maxLifetime:
			m.Lifetime = time.Duration(row.Value) * time.Millisecond
		case maxTokens:
			m.Tokens = int(row.Value)
		}
	}
	return m, nil
}
