package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// smallDisk is a file system with little room, for which nobody has to be root.
type smallDisk struct {
	vfs.VFS
	dir string

	mu       sync.Mutex
	capacity int64
}

func newSmallDisk(t *testing.T, capacity int64) *smallDisk {
	t.Helper()
	d := &smallDisk{VFS: vfs.Find("os"), dir: t.TempDir(), capacity: capacity}
	vfs.Register(d.name(), d)
	t.Cleanup(func() { vfs.Unregister(d.name()) })
	return d
}

func (d *smallDisk) name() string { return "small" + strings.ReplaceAll(d.dir, "/", "_") }

// used is what the files take; the memory that SQLite's processes share is not counted.
func (d *smallDisk) used() (sum int64) {
	files, _ := filepath.Glob(filepath.Join(d.dir, "*"))
	for _, path := range files {
		if info, err := os.Stat(path); err == nil && !strings.HasSuffix(path, "-shm") {
			sum += info.Size()
		}
	}
	return sum
}

// resize leaves this much room on the disk.
func (d *smallDisk) resize(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = d.used() + room
}

// grow is asked before a file grows.
func (d *smallDisk) grow(by int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return by <= 0 || d.used()+by <= d.capacity
}

func (d *smallDisk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpen(d.VFS, name, flags)
	return d.wrap(file, err), flags, err
}

func (d *smallDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	return d.wrap(file, err), flags, err
}

func (d *smallDisk) wrap(file vfs.File, err error) vfs.File {
	if err != nil {
		return file
	}
	return &smallFile{file, d}
}

type smallFile struct {
	vfs.File
	disk *smallDisk
}

func (f *smallFile) WriteAt(b []byte, at int64) (int, error) {
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	if !f.disk.grow(at + int64(len(b)) - size) {
		return 0, sqlite3.FULL
	}
	return f.File.WriteAt(b, at)
}

func (f *smallFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// write is for the reserve, which SQLite does not know of.
func (d *smallDisk) write(file *os.File, from, to int64) error {
	if !d.grow(to - from) {
		return &fs.PathError{Op: "write", Path: file.Name(), Err: errors.New("no space left")}
	}
	return file.Truncate(to)
}

func (d *smallDisk) open(t *testing.T) *store.DB {
	t.Helper()
	db := openWith(t, "sqlite:"+filepath.Join(d.dir, "test.db"), store.OnDisk(store.Options{}, d.name()))
	store.KeepRoom(db, d.write)
	return db
}

var noon = time.UnixMilli(1_700_000_000_000).UTC()

func makeToken(t *testing.T, db *store.DB) (token.Ref, error) {
	t.Helper()
	ref := token.Ref{Dialect: token.Muninx, ID: token.NewKey(noon)}
	_, err := db.Create(t.Context(), token.Insert{
		Token: token.Token{Dialect: token.Muninx, State: token.Active, Name: strings.Repeat("n", 200), CreatedAt: noon, UpdatedAt: noon},
		Decide: func(made *token.Token, _ token.Facts) error {
			made.ID, made.Hash = ref.ID, token.HashSecret(ref.ID)
			return nil
		},
	})
	return ref, err
}

func revokeToken(t *testing.T, db *store.DB, ref token.Ref) error {
	t.Helper()
	_, err := db.Update(t.Context(), token.Permit{Urgent: true}, ref, func(tk *token.Token) error {
		tk.State = token.Revoked
		return nil
	})
	return err
}

// wantNoRoom proves that creates have no room.
func wantNoRoom(t *testing.T, db *store.DB) {
	t.Helper()
	if err := store.Prove(t, db); err == nil {
		t.Error("a full disk is proved to take writes")
	}
}

// TestRevokesFitOnAFullDisk: creates fill the disk and are refused, while every token can be revoked. Room that somebody makes
// ends that.
func TestRevokesFitOnAFullDisk(t *testing.T) {
	disk := newSmallDisk(t, 1<<40)
	db := disk.open(t)
	if err := errors.Join(store.Prove(t, db), db.Ping(t.Context())); err != nil {
		t.Fatal(err)
	}
	wantMode(t, filepath.Join(disk.dir, "test.db.reserve"), 0o600)
	var made []token.Ref
	disk.resize(3 << 20)
	for {
		ref, err := makeToken(t, db)
		if err != nil {
			wantKind(t, err, token.Unavailable)
			break
		}
		made = append(made, ref)
	}
	wantNoRoom(t, db)
	wantKind(t, db.Ping(t.Context()), token.Unavailable)
	for round := range 20 {
		for _, ref := range made {
			if err := revokeToken(t, db, ref); err != nil {
				t.Fatalf("round %d: a revoke of %d tokens: %v", round, len(made), err)
			}
		}
		_, err := makeToken(t, db)
		wantKind(t, err, token.Unavailable)
		wantKind(t, db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}), token.Unavailable)
		wantNoRoom(t, db)
		wantKind(t, db.Ping(t.Context()), token.Unavailable)
	}
	if got, err := db.Find(t.Context(), made[0]); err != nil || got.State != token.Revoked {
		t.Errorf("%+v, %v", got, err)
	}
	disk.resize(64 << 20)
	if err := errors.Join(store.Prove(t, db), db.Ping(t.Context())); err != nil {
		t.Errorf("with room the database is not ready: %v", err)
	}
	if _, err := makeToken(t, db); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(disk.dir, "test.db.reserve")); err != nil || info.Size() != 8<<20 {
		t.Errorf("the reserve: %v, %v", info, err)
	}
}

// TestFirstStartOnAnAlmostFullDisk has no reserve to give back.
func TestFirstStartOnAnAlmostFullDisk(t *testing.T) {
	disk := newSmallDisk(t, 2<<20)
	db := disk.open(t)
	ref, err := makeToken(t, db)
	if err != nil {
		t.Fatal(err)
	}
	wantNoRoom(t, db)
	wantKind(t, db.Ping(t.Context()), token.Unavailable)
	_, err = makeToken(t, db)
	wantKind(t, err, token.Unavailable)
	if err := revokeToken(t, db, ref); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(disk.dir, "test.db.reserve")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part of a reserve is left: %v", err)
	}
}
