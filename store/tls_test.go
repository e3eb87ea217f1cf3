package store

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestOtherHostsNeedTLS unless the URL or the environment says otherwise. The server has none, and db.example leads to it.
func TestOtherHostsNeedTLS(t *testing.T) {
	here, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, query, environment, refusal string }{
		{"127.0.0.1", "", "", ""},
		{"localhost", "", "", ""},
		{"db.example", "", "", "server refused TLS connection"},
		{"tokenwright", "", "", "server refused TLS connection"},
		{"db.example", "sslmode=require", "", "server refused TLS connection"},
		{"db.example", "sslmode=prefer", "", ""},
		{"db.example", "sslmode=allow", "", ""},
		{"db.example", "sslmode=disable", "", ""},
		{"db.example", "", "disable", ""},
		{"db.example", "sslmode=require", "disable", "server refused TLS connection"},
	} {
		t.Run(c.host+" "+c.query+" "+c.environment, func(t *testing.T) {
			t.Setenv("PGSSLMODE", c.environment)
			u := *here
			u.Host, u.RawQuery = c.host+":"+here.Port(), c.query
			config, err := parsePostgres(u.String())
			if err != nil {
				t.Fatal(err)
			}
			config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
			conn, err := pgx.ConnectConfig(t.Context(), config)
			if err == nil {
				conn.Close(t.Context())
			}
			if (err != nil) != (c.refusal != "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("the error is %v, want %q", err, c.refusal)
			}
		})
	}
}
