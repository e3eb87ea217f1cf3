package store

import (
	"strings"
	"testing"

	"gorm.io/gorm"
)

// TestStatusListsAreReadByIndexes: in a list in which nearly everything is valid, nothing that is valid is read.
func TestStatusListsAreReadByIndexes(t *testing.T) {
	onBoth(t, 20_000, func(t *testing.T, d *DB) {
		Exec(t, d, "UPDATE tokens SET status_list = 1, status_index = seq WHERE dialect = 'apitoken'")
		Exec(t, d, "UPDATE tokens SET state = 'revoked' WHERE status_index % 1000 = 2")
		if d.Shared() { // as its own maintenance does before long; SQLite has none
			Exec(t, d, "ANALYZE")
		}
		for i, query := range standingsQueries {
			dry := d.reader.Session(&gorm.Session{DryRun: true, Context: t.Context()}).
				Raw(query, map[string]any{"list": 1, "dialects": []string{"apitoken"}}).Statement
			got := explain(t, d, dry.SQL.String(), dry.Vars)
			if strings.Contains(got, "Seq Scan on tokens") || strings.Contains(got, "SCAN t") || strings.Contains(got, "SCAN a\n") || strings.Contains(got, "SCAN e ") ||
				i == 0 && !strings.Contains(got, "tokens_not_valid") {
				t.Errorf("%s\nis answered by\n%s", query, got)
			}
		}
	})
}
