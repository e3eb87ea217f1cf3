package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/oidc"
	"github.com/tokenwright/tokenwright/store"
)

func (s *Server) openDatabase(ctx context.Context) (*store.DB, error) {
	if s.config.Ephemeral {
		return store.OpenMemory(ctx, s.config.Dialects)
	}
	options := s.config.Database
	options.Dialects = s.config.Dialects
	return store.Open(ctx, s.config.DatabaseURL, options)
}

// claim keeps a second server off the embedded database, of whose changes the memory of this one would not hear.
func (s *Server) claim() error {
	path, embedded := store.SQLitePath(s.config.DatabaseURL)
	if !embedded || s.config.Ephemeral {
		return nil
	}
	claim, err := store.ClaimFile(path)
	if err == nil {
		s.atEnd(claim.Close)
	}
	return err
}

func (s *Server) federate() error {
	if s.config.OIDC == nil {
		return nil
	}
	c := *s.config.OIDC
	c.OurIssuer = s.PublicURL
	c.Now = s.Tokens.Now
	issuer, err := oidc.New(c)
	if err != nil {
		return ConfigError{err}
	}
	s.Tokens.OIDC = issuer
	return nil
}

// openAuditKey makes the key of the audit log where there is none.
func (s *Server) openAuditKey() (*audit.Key, error) {
	if s.config.Ephemeral {
		return audit.Ephemeral(s.PublicURL)
	}
	return audit.OpenOrCreateKey(s.config.KeyDirectory, s.PublicURL)
}

// openKeys makes keys only beside the embedded database: servers that share one must share the keys, too.
func (s *Server) openKeys(ctx context.Context) (*jwt.Keys, error) {
	if s.config.Ephemeral {
		return jwt.Ephemeral(s.PublicURL)
	}
	directory := s.config.KeyDirectory
	keys, err := jwt.Open(directory, s.PublicURL)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if _, embedded := store.SQLitePath(s.config.DatabaseURL); !embedded {
		return nil, fmt.Errorf("%w: create the keys with: tokenwright keys init --key-directory %s", err, directory)
	}
	if lost := s.keysLost(ctx, err); lost != nil {
		return nil, lost
	}
	return jwt.OpenOrCreate(directory, s.PublicURL)
}

// retryKey is beside the keys. Where it is missing and cannot be created, since the directory cannot be written, the
// server works, but refuses an Idempotency-Key.
func (s *Server) retryKey() ([]byte, error) {
	if s.config.Ephemeral {
		return jwt.NewRetryKey(), nil
	}
	key, err := jwt.RetryKey(s.config.KeyDirectory)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		s.log.Warn("requests with an Idempotency-Key are refused", "error", err)
		return nil, nil
	}
	return key, err
}

// keysLost is an error if the database has tokens that keys have signed, which new keys would end without a word. It
// only looks.
func (s *Server) keysLost(ctx context.Context, missing error) error {
	options := s.config.Database
	options.Schema = store.AnySchema
	options.ReadOnly = true
	db, err := store.Open(ctx, s.config.DatabaseURL, options)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	signed, err := db.HasSigned(ctx, s.Tokens.Now())
	if err != nil {
		return fmt.Errorf("cannot check whether the database has JWTs that need the missing keys: %w", err)
	}
	if signed {
		return fmt.Errorf("%w, and the database has JWTs that were signed with it: "+
			"restore the directory, or create a new key with "+
			"tokenwright keys init --key-directory %s and create these tokens again", missing, s.config.KeyDirectory)
	}
	return nil
}
