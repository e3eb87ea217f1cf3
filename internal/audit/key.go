package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tokenwright/tokenwright/internal/durable"
)

// keyFile is the name of the key in the key directory.
const keyFile = "audit.key"

// Key signs checkpoints, with Ed25519. It is kept in the form of golang.org/x/mod/sumdb/note.
type Key struct {
	signer note.Signer
	public string
}

// Ephemeral returns a new key that is kept nowhere.
func Ephemeral(origin string) (*Key, error) {
	private, _, err := note.GenerateKey(rand.Reader, nameOf(origin))
	if err != nil {
		return nil, err
	}
	return parseKey(private)
}

// OpenKey reads the key from the key directory, where only its owner may access it. Its error matches
// [fs.ErrNotExist] if there is none.
func OpenKey(dir string) (*Key, error) {
	path := filepath.Join(dir, keyFile)
	text, err := durable.ReadPrivate(path)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(strings.TrimSpace(string(text)))
	if err != nil { // whose text may repeat the key
		return nil, fmt.Errorf("%s is no key of an audit log", path)
	}
	return key, nil
}

// OpenOrCreateKey makes the key if there is none, for a log of this origin, such as the public URL. Of several
// processes that do so together one makes it.
func OpenOrCreateKey(dir, origin string) (*Key, error) {
	key, err := OpenKey(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	private, _, err := note.GenerateKey(rand.Reader, nameOf(origin))
	if err != nil {
		return nil, err
	}
	err = durable.Create(filepath.Join(dir, keyFile), []byte(private+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create the key of the audit log: %w", err)
	}
	return OpenKey(dir)
}

// nameOf is the name of the log, a URL without its scheme, as C2SP's tlog-checkpoint has it.
func nameOf(origin string) string {
	_, name, found := strings.Cut(origin, "://")
	if !found {
		name = origin
	}
	return strings.NewReplacer(" ", "-", "+", "-").Replace(strings.TrimSuffix(name, "/")) + "/audit"
}

// parseKey reads PRIVATE+KEY+<name>+<hash>+<algorithm and seed>.
func parseKey(private string) (*Key, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(private, "+", 5)
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 5 || len(seed) != 1+ed25519.SeedSize {
		return nil, errors.New("malformed key")
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey) //nolint:forcetypeassert // as documented
	text, err := note.NewEd25519VerifierKey(signer.Name(), public)
	return &Key{signer, text}, err
}

// Public is the verifier key, which everybody may know.
func (k *Key) Public() string { return k.public }

func (k *Key) sign(c Checkpoint) (string, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", k.signer.Name(), c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	return string(signed), err
}

// Checkpoint is the size of a log and the root of its tree.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
}

// emptyRoot is that of a log without events (RFC 6962 section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// ReadCheckpoint verifies the signature of a checkpoint (C2SP tlog-checkpoint), with one of the verifier keys.
func ReadCheckpoint(signed string, keys ...string) (Checkpoint, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return Checkpoint{}, errors.New("the verifier key is malformed")
		}
		verifiers[i] = v
	}
	n, err := note.Open([]byte(signed), note.VerifierList(verifiers...))
	if unverified := (*note.UnverifiedNoteError)(nil); errors.As(err, &unverified) {
		return Checkpoint{}, errors.New("the checkpoint is signed by another key")
	}
	if err != nil {
		return Checkpoint{}, errors.New("the checkpoint is not well-formed, or its signature is not valid")
	}
	lines := strings.Split(n.Text, "\n")
	signature, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	again := base64.StdEncoding.EncodeToString(signature) // the last character has bits that mean nothing
	if err != nil || again != n.Sigs[0].Base64 || len(lines) < 4 || lines[0] != n.Sigs[0].Name {
		return Checkpoint{}, errors.New("the checkpoint is not well-formed")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, badRoot := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || badRoot != nil || size < 0 || len(root) != tlog.HashSize {
		return Checkpoint{}, errors.New("the checkpoint is not well-formed")
	}
	return Checkpoint{size, tlog.Hash(root)}, nil
}
