package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// standingRow is what a status list has to know of a secret of a token.
type standingRow struct {
	StatusList  int64
	StatusIndex int64
	State       string
	Deleted     bool
	Disabled    bool
	EndsAt      *int64
}

func (r standingRow) standing() token.Standing {
	return token.Standing{
		Entry: token.StatusEntry{List: r.StatusList, Index: r.StatusIndex},
		State: token.State(r.State), Deleted: r.Deleted, Disabled: r.Disabled, EndsAt: fromMillisOrNull(r.EndsAt),
	}
}

// standings starts from the tokens: SQLite does not reorder a cross join.
const (
	standings = `SELECT t.status_list, t.status_index, t.state, t.deleted_at IS NOT NULL AS deleted,
		a.disabled OR coalesce(e.disabled, false) AS disabled, NULL AS ends_at` + standingsFrom +
		`t.status_list IS NOT NULL AND `
	// previousStandings are those of previous secrets.
	previousStandings = `SELECT t.previous_list AS status_list, t.previous_index AS status_index, t.state,
		t.deleted_at IS NOT NULL AS deleted, a.disabled OR coalesce(e.disabled, false) AS disabled,
		t.previous_ends_at AS ends_at` + standingsFrom + `t.previous_list IS NOT NULL AND `

	standingsFrom = `
	FROM tokens t CROSS JOIN accounts a LEFT JOIN environments e ON e.id = t.environment_id
	WHERE a.id = t.account_id AND `

	// formerStandings are those of former secrets, whatever their tokens are.
	formerStandings = `SELECT f.status_list, f.status_index, 'revoked' AS state, false AS deleted, false AS disabled,
		NULL AS ends_at FROM former_secrets f WHERE f.status_list IS NOT NULL AND `
)

// standingsQueries find, each by an index of its own, what is not valid in a list: a list is large, and most of it is
// valid.
var standingsQueries = []string{
	standings + "t.status_list = @list AND (t.state <> 'active' OR t.deleted_at IS NOT NULL)",
	standings + `t.dialect IN @dialects AND t.account_id IN (SELECT id FROM accounts WHERE disabled)
		AND t.status_list = @list AND t.deleted_at IS NULL`,
	standings + `t.dialect IN @dialects AND t.environment_id IN (SELECT id FROM environments WHERE disabled)
		AND t.status_list = @list AND t.deleted_at IS NULL`,
	previousStandings + "t.previous_list = @list",
	formerStandings + "f.status_list = @list",
}

// standingsOf find what was ever published of tokens.
var standingsOf = []string{standings + "t.seq IN ?", previousStandings + "t.seq IN ?", formerStandings + "f.token IN ?"}

// FindStatusList implements [token.StatusStore].
func (d *DB) FindStatusList(ctx context.Context, list int64) error {
	return d.read(ctx, func(tx *gorm.DB) error {
		return tx.Select("seq").Where("status_list = ?", list).Take(&tokenRow{}).Error
	})
}

// StatusList implements [token.StatusStore].
func (d *DB) StatusList(ctx context.Context, list int64, each func(token.Standing)) error {
	return d.read(ctx, func(tx *gorm.DB) error {
		publishing := d.dialects.Names(func(d *token.Dialect) bool { return d.PublishesStatus })
		args := map[string]any{"list": list, "dialects": publishing}
		for _, query := range standingsQueries {
			if err := eachStanding(tx, query, args, each); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachStanding reads row by row, since there may be a million rows.
func eachStanding(tx *gorm.DB, query string, args map[string]any, each func(token.Standing)) error {
	rows, err := tx.Raw(query, args).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r standingRow
		if err := rows.Scan(&r.StatusList, &r.StatusIndex, &r.State, &r.Deleted, &r.Disabled, &r.EndsAt); err != nil {
			return err
		}
		each(r.standing())
	}
	return rows.Err()
}

// standingsBatch is how many tokens one statement reads.
const standingsBatch = 500

// Standings implements [token.StatusStore].
func (d *DB) Standings(ctx context.Context, seqs []int64) ([]token.Standing, error) {
	var found []token.Standing
	for len(seqs) > 0 {
		batch := seqs[:min(len(seqs), standingsBatch)]
		seqs = seqs[len(batch):]
		err := d.read(ctx, func(tx *gorm.DB) error {
			for _, query := range standingsOf {
				var rows []standingRow
				if err := tx.Raw(query, batch).Scan(&rows).Error; err != nil {
					return err
				}
				for _, row := range rows {
					found = append(found, row.standing())
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
