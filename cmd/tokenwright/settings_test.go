package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

func TestWrongSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	cases := map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"no command":               {nil, nil, "expected one of"},
		"unknown command":          {[]string{"serv"}, nil, "unexpected argument serv"},
		"unknown flag":             {[]string{"serve", "--lisen", "x"}, nil, `did you mean "--listen"`},
		"flag without value":       {[]string{"serve", "--listen"}, nil, "--listen"},
		"no port":                  {[]string{"serve", "--listen", "127.0.0.1"}, nil, "must be HOST:PORT"},
		"port too high":            {[]string{"serve", "--listen", "127.0.0.1:65536"}, nil, "port from 0 to 65535"},
		"port by name":             {[]string{"serve", "--listen", "127.0.0.1:http"}, nil, "port from 0 to 65535"},
		"variable":                 {[]string{"serve"}, map[string]string{"TOKENWRIGHT_LISTEN": "x"}, "(TOKENWRIGHT_LISTEN)"},
		"metrics port":             {[]string{"serve", "--metrics-listen", "9090"}, nil, "--metrics-listen"},
		"beyond loopback":          {[]string{"serve", "--listen", "0.0.0.0:8080"}, nil, "--public-url (TOKENWRIGHT_PUBLIC_URL) is required"},
		"all interfaces":           {[]string{"serve", "--listen", ":8080"}, nil, "--public-url"},
		"IPv6 beyond loopback":     {[]string{"serve", "--listen", "[::]:8080"}, nil, "--public-url"},
		"public URL relative":      {[]string{"serve", "--public-url", "/tokens"}, nil, "absolute http or https URL"},
		"public URL of mail":       {[]string{"serve", "--public-url", "mailto:a@b"}, nil, "absolute http or https URL"},
		"public URL with query":    {[]string{"serve", "--public-url", "https://a.test/?"}, nil, "without user, query or fragment"},
		"public URL with fragment": {[]string{"serve", "--public-url", "https://a.test/#"}, nil, "without user, query or fragment"},
		"public URL with user":     {[]string{"serve", "--public-url", "https://u:hunter2@a.test"}, nil, "without user, query or fragment"},
		"database of mysql":        {[]string{"serve", "--database-url", "mysql://u:hunter2@h/d"}, nil, "must begin with sqlite: or postgres://"},
		"database without path":    {[]string{"serve", "--database-url", "sqlite:"}, nil, "path of a file"},
		"database URL broken":      {[]string{"serve", "--database-url", "postgres://u:hunter2%zz@h/d"}, nil, "percent-encoded"},
		"sslmode":                  {[]string{"serve", "--database-url", "postgres://u:hunter2@h/d?sslmode=bogus"}, nil, "--database-url (TOKENWRIGHT_DATABASE_URL)"},
		"database port too high":   {[]string{"migrate", "status", "--database-url", "postgres://u:hunter2@h:99999/d"}, nil, "--database-url (TOKENWRIGHT_DATABASE_URL)"},
		"database by variable":     {[]string{"bootstrap", "--credential-file", "x"}, map[string]string{"TOKENWRIGHT_DATABASE_URL": "postgres://u:hunter2@h:99999/d"}, "(TOKENWRIGHT_DATABASE_URL)"},
		"database as argument":     {[]string{"serve", "postgres://u:hunter2@h/d"}, nil, "unexpected argument"},
		"no connections":           {[]string{"serve", "--database-url", "postgres://h/d", "--postgres-max-connections", "0"}, nil, "at least 1"},
		"direct database port":     {[]string{"serve", "--database-url", "postgres://h/d", "--direct-database-url", "postgres://u:hunter2@h:99999/d"}, nil, "--direct-database-url (TOKENWRIGHT_DIRECT_DATABASE_URL)"},
		"direct to a file":         {[]string{"serve", "--database-url", "postgres://h/d", "--direct-database-url", "sqlite:x"}, nil, "is for PostgreSQL"},
		"direct beside SQLite":     {[]string{"serve", "--direct-database-url", "postgres://h/d"}, nil, "is for PostgreSQL"},
		"direct twice":             {[]string{"serve", "--database-url", "postgres://h/d", "--direct-database-url", "postgres://h/d", "--direct-database-url-file", "x"}, nil, "cannot be used with --direct-database-url"},
		"direct, ephemeral":        {[]string{"serve", "--ephemeral", "--direct-database-url", "postgres://h/d"}, nil, "cannot be used with --ephemeral"},
		"PostgreSQL without keys":  {[]string{"serve", "--database-url", "postgres://h/d"}, nil, "--key-directory"},
		"certificate without key":  {[]string{"serve", "--tls-cert", "x"}, nil, "--tls-key"},
		"key without certificate":  {[]string{"serve", "--tls-key", "x"}, nil, "--tls-cert"},
		"log format":               {[]string{"serve", "--log-format", "xml"}, nil, "--log-format must be one of"},
		"log format by variable":   {[]string{"serve"}, map[string]string{"TOKENWRIGHT_LOG_FORMAT": "xml"}, "(from TOKENWRIGHT_LOG_FORMAT)"},
		"log level":                {[]string{"serve", "--log-level", "loud"}, nil, "--log-level must be one of"},
		"request timeout":          {[]string{"serve", "--request-timeout", "0s"}, nil, "greater than zero"},
		"shutdown timeout":         {[]string{"serve", "--shutdown-timeout", "0s"}, nil, "greater than zero"},
		"ttl of nothing":           {[]string{"serve", "--status-list-ttl=0"}, nil, "--status-list-ttl (TOKENWRIGHT_STATUS_LIST_TTL) must be 1s to 24h, in whole seconds"},
		"ttl of parts":             {[]string{"serve", "--status-list-ttl=1500ms"}, nil, "--status-list-ttl (TOKENWRIGHT_STATUS_LIST_TTL) must be 1s to 24h, in whole seconds"},
		"witness of another sort":  {[]string{"serve", "--audit-witness", "ftp://h/x"}, nil, "--audit-witness (TOKENWRIGHT_AUDIT_WITNESS) must be the path"},
		"audit since a word":       {[]string{"audit", "list", "--since", "monday"}, nil, "--since (TOKENWRIGHT_SINCE) must be a time like"},
		"verify without keys":      {[]string{"audit", "verify", "--database-url", "postgres://h/d"}, nil, "--verifier-key (TOKENWRIGHT_VERIFIER_KEY) is required"},
		"negative cache":           {[]string{"serve", "--cache-size=-1"}, nil, "--cache-size: must be a size with a unit"},
		"cache of so many tokens":  {[]string{"serve"}, map[string]string{"TOKENWRIGHT_CACHE_SIZE": "10000"}, "it is not a number of tokens (from TOKENWRIGHT_CACHE_SIZE)"},
		"cache in another unit":    {[]string{"serve", "--cache-size=16MB"}, nil, "16MiB"},
		"cache without a number":   {[]string{"serve", "--cache-size=MiB"}, nil, "16MiB"},
		"cache beyond all bounds":  {[]string{"serve", "--cache-size=9999999999GiB"}, nil, "16MiB"},
		"duration":                 {[]string{"serve", "--shutdown-timeout", "soon"}, nil, "90s, 12h or 30d"},
		"too many days":            {[]string{"serve", "--max-lifetime", "106752d"}, nil, "number of days"},
		"negative duration":        {[]string{"serve", "--max-lifetime=-1h"}, nil, "--max-lifetime"},
		"a duration like a flag":   {[]string{"serve", "--max-lifetime", "-1h"}, nil, "--max-lifetime needs a value; write --max-lifetime=VALUE if the value begins with -"},
		"a number like a flag":     {[]string{"token", "list", "--all", "--user", "-1"}, nil, "--user needs a value"},
		"rate without unit":        {[]string{"serve", "--limit-creates", "100"}, nil, "--limit-creates: must be a rate like 100/s"},
		"rate by variable":         {[]string{"serve"}, map[string]string{"TOKENWRIGHT_LIMIT_FAILURES": "20/s:x"}, "(from TOKENWRIGHT_LIMIT_FAILURES)"},
		"proxies by name":          {[]string{"serve", "--trusted-proxies", "proxy.test"}, nil, "--trusted-proxies: must be a list of networks or addresses"},
		"proxies with host bits":   {[]string{"serve", "--trusted-proxies", "10.0.0.1/8"}, nil, "with zeros after the prefix"},
		"proxies in two ways":      {[]string{"serve", "--trusted-proxy", "--trusted-proxies", "10.0.0.1"}, nil, "cannot be used with --trusted-proxy"},
		"header without a proxy":   {[]string{"serve", "--proxy-header", "Forwarded"}, nil, "--proxy-header (TOKENWRIGHT_PROXY_HEADER) needs --trusted-proxies"},
		"header of another name":   {[]string{"serve", "--proxy-header", "X-Real-Ip"}, nil, "--proxy-header must be one of"},
		"negative connections":     {[]string{"serve", "--max-connections=-1"}, nil, "must not be negative"},
		"too many connections":     {[]string{"serve", "--max-connections", "1000000000"}, nil, "--max-connections (TOKENWRIGHT_MAX_CONNECTIONS) must be at most"},
		"header timeout":           {[]string{"serve", "--header-timeout", "0s"}, nil, "greater than zero"},
		"idle timeout":             {[]string{"serve", "--idle-timeout", "0s"}, nil, "greater than zero"},
		"apitoken for ever":        {[]string{"serve", "--apitoken-default-lifetime", "0s"}, nil, "always expire"},
		"unleash for ever":         {[]string{"serve", "--unleash-default-lifetime", "0d"}, nil, "always expire"},
		"negative limit":           {[]string{"serve", "--unleash-max-tokens=-1"}, nil, "not be negative"},
		"limit in words":           {[]string{"serve", "--unleash-max-tokens", "ten"}, nil, "--unleash-max-tokens"},
		"OIDC audience alone":      {[]string{"serve", "--oidc-audience", "x"}, nil, "--oidc-issuer"},
		"OIDC issuer alone":        {[]string{"serve", "--oidc-issuer", "https://i.test"}, nil, "--oidc-audience"},
		"OIDC claim alone":         {[]string{"serve", "--oidc-issuer", "https://i.test", "--oidc-audience", "x", "--oidc-role-claim", "groups"}, nil, "--oidc-roles"},
		"OIDC roles malformed":     {[]string{"serve", "--oidc-issuer", "https://i.test", "--oidc-audience", "x", "--oidc-roles", "staff"}, nil, "--oidc-roles"},
		"OIDC role unknown": {[]string{"serve", "--listen", "127.0.0.1:0", "--oidc-issuer", "https://i.test", "--oidc-audience", "x",
			"--oidc-role-claim", "groups", "--oidc-roles", "staff=king"}, nil, "king"},
		"OIDC issuer ourselves": {[]string{"serve", "--listen", "127.0.0.1:0", "--public-url", "https://t.test", "--oidc-issuer", "https://t.test",
			"--oidc-audience", "x"}, nil, "it is this server"},
		"migrate a wrong URL":       {[]string{"migrate", "up", "--database-url", "x"}, nil, "--database-url"},
		"bootstrap without file":    {[]string{"bootstrap"}, nil, "--credential-file"},
		"bootstrap for nobody":      {[]string{"bootstrap", "--credential-file", "x", "--user=-1"}, nil, "--user"},
		"server of another sort":    {[]string{"user", "list", "--server", "ftp://h"}, nil, "--server"},
		"server with password":      {[]string{"user", "list", "--server", "http://u:hunter2@h"}, nil, "--server"},
		"no credential":             {[]string{"user", "list"}, nil, "TOKENWRIGHT_CREDENTIAL"},
		"no waiting":                {[]string{"user", "list", "--timeout", "0s"}, nil, "--timeout"},
		"output":                    {[]string{"user", "list", "-o", "xml"}, nil, "--output must be one of"},
		"negative list":             {[]string{"user", "list", "--limit=-1"}, nil, "--limit"},
		"user id":                   {[]string{"user", "disable", "bob"}, nil, "<id>"},
		"role":                      {[]string{"user", "create", "--subject", "a", "--name", "a", "--account", "a", "--role", "king"}, nil, "--role must be one of"},
		"missing flags":             {[]string{"user", "create"}, nil, "missing flags"},
		"dialect":                   {[]string{"token", "show", "dutch", "1"}, nil, "must be one of"},
		"name for another dialect":  {[]string{"token", "create", "--dialect", "apitoken", "--name", "x"}, nil, "--name"},
		"expiry for muninx":         {[]string{"token", "create", "--dialect", "muninx", "--name", "x", "--expires", "1d"}, nil, "--expires"},
		"no name":                   {[]string{"token", "create", "--dialect", "muninx"}, nil, "--name"},
		"no scope":                  {[]string{"token", "create", "--dialect", "apitoken"}, nil, "--scope"},
		"expiry":                    {[]string{"token", "create", "--dialect", "unleash", "--expires", "tomorrow"}, nil, "--expires"},
		"user token without name":   {[]string{"user", "token", "1"}, nil, "--name"},
		"user token for nobody":     {[]string{"user", "token", "bob", "--name", "x"}, nil, "<id>"},
		"expiry of a user token":    {[]string{"user", "token", "1", "--name", "x", "--expires", "tomorrow"}, nil, "--expires"},
		"list of what":              {[]string{"token", "list"}, nil, "--dialect"},
		"filter without effect":     {[]string{"token", "list", "--dialect", "muninx", "--status", "active"}, nil, "no filters"},
		"user without --all":        {[]string{"token", "list", "--dialect", "muninx", "--user", "1"}, nil, "--user"},
		"negative user":             {[]string{"token", "list", "--all", "--user=-1"}, nil, "--user"},
		"status":                    {[]string{"token", "list", "--all", "--status", "new"}, nil, "--status must be one of"},
		"a secret where none is to": {[]string{"token", "muninx_mQfCiixvBTpqPSbw7QztHxJi19xTDI2RNsyK"}, nil, "muninx_…"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := command(t, c.env, c.args...)
			r.refused(t, exitUsage, c.want)
			if strings.Contains(r.errors, "hunter2") {
				t.Errorf("the password is printed: %s", r.errors)
			}
		})
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) > 0 {
		t.Errorf("wrong settings left %v (%v)", left, err)
	}
}

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "0d": 0, "106751d": 106751 * 24 * time.Hour, "90s": 90 * time.Second, "1h30m": 90 * time.Minute,
	} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err != nil || time.Duration(s) != want {
			t.Errorf("%s is %v (%v), want %v", text, time.Duration(s), err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "1d12h", "30", "-5s", "9999999999999999999d"} {
		if err := new(span).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestDefaultsFollowTheDatabase(t *testing.T) {
	c := serveCmd{Listen: "localhost:8080", databaseFlags: databaseFlags{DatabaseURL: "sqlite:/var/lib/tw/t.db", PostgresMaxConnections: 10},
		RequestTimeout: 1, ShutdownTimeout: 1, StatusListTTL: span(time.Second), policyFlags: newPolicyFlags(token.Published),
		limitFlags: limitFlags{ProxyHeader: anyHeader, HeaderTimeout: 1, IdleTimeout: 1}}
	s, err := c.settings()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.FromSlash("/var/lib/tw/keys"); s.KeyDirectory != want {
		t.Errorf("keys are in %s", s.KeyDirectory)
	}
	if want := filepath.FromSlash("/var/lib/tw/bootstrap-credential"); s.BootstrapCredentialFile != want {
		t.Errorf("the credential is in %s", s.BootstrapCredentialFile)
	}
}

func TestPublicURLIsAPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"https://tokens.test": "https://tokens.test", "https://tokens.test/": "https://tokens.test",
		"http://tokens.test:8080/api/": "http://tokens.test:8080/api",
	} {
		if got, err := checkPublicURL(text); got != want || err != nil {
			t.Errorf("%s became %s (%v)", text, got, err)
		}
	}
}

// A variable that would be refused must not keep the help from being shown.
func TestEveryFlagHasItsVariableInTheHelp(t *testing.T) {
	env := map[string]string{"TOKENWRIGHT_OUTPUT": "xml", "TOKENWRIGHT_LOG_FORMAT": "xml", "TOKENWRIGHT_HELP": "no"}
	parser, err := newParser(&variables{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		help := command(t, env, append(strings.Fields(leaf.Path()), "--help")...).ok(t)
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				if flag.Name != "help" && !strings.Contains(help, "("+variable(flag.Name)+")") {
					t.Errorf("%s --help does not tell the variable of --%s", leaf.Path(), flag.Name)
				}
				if flag.Help == "" {
					t.Errorf("%s --%s has no help", leaf.Path(), flag.Name)
				}
			}
		}
	}
}

func TestEmptyVariableIsNone(t *testing.T) {
	r := command(t, map[string]string{"TOKENWRIGHT_OUTPUT": "", "TOKENWRIGHT_DIALECT": ""}, "token", "list")
	r.refused(t, exitUsage, "--dialect (TOKENWRIGHT_DIALECT) is required")
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://u:p@h/d failed":          "postgres://u:…@h/d failed",
		"postgres://u:p@ss/w:rd@h/d":         "postgres://u:…@h/d",
		"host=h password=hunter2 user=u":     "host=h password=… user=u",
		"dial tcp 127.0.0.1:8080: refused":   "dial tcp 127.0.0.1:8080: refused",
		"http://127.0.0.1:8080/tokens":       "http://127.0.0.1:8080/tokens",
		"unexpected user:0123456789abcdef01": "unexpected user:…",
		"got eyJhbGciOi.eyJpc3Mi.c2ln here":  "got eyJ… here",
	} {
		if got := redact(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "0KiB": 0, "512KiB": 512 << 10, "16MiB": 16 << 20, "2GiB": 2 << 30} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s is %d, want %d; %v", text, got, want, err)
		}
	}
}
