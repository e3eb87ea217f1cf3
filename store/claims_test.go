package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestClaimsMadeAnewStay: one that has expired and is made again while the old ones are deleted is not deleted with them.
func TestClaimsMadeAnewStay(t *testing.T) {
	d := filled(t, pgtest.URL(t), 1)
	now := time.UnixMilli(1_000_000)
	row := claimRow{ID: make([]byte, 32), Request: make([]byte, 32), Answer: []byte("old"), ExpiresAt: now.UnixMilli() - 1}
	if err := d.writer.WithContext(t.Context()).Create(&row).Error; err != nil {
		t.Fatal(err)
	}
	begun, deleted := make(chan bool), make(chan error)
	err := d.writer.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
		args := []any{row.ID, row.Request, []byte("new"), now.Add(time.Hour).UnixMilli()}
		if err := runIn(tx, []statement{{storeClaim, args, nil}}); err != nil {
			return err
		}
		go func() {
			close(begun)
			_, err := d.ForgetClaims(context.WithoutCancel(t.Context()), now)
			deleted <- err
		}()
		<-begun
		await(t, d) // until it waits for this transaction
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	var left int64
	if err := d.reader.WithContext(t.Context()).Model(&claimRow{}).Where("answer = ?", []byte("new")).Count(&left).Error; err != nil || left != 1 {
		t.Errorf("%d claims are left, %v", left, err)
	}
}

// await returns when a transaction waits for another's row.
func await(t *testing.T, d *DB) {
	t.Helper()
	for waiting := int64(0); waiting == 0; time.Sleep(time.Millisecond) {
		query := "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
		if err := d.reader.WithContext(t.Context()).Raw(query).Scan(&waiting).Error; err != nil {
			t.Error(err)
			return
		}
	}
}

// TestWhoLeavesAQuestion: who leaves while others' questions are asked along with its own shares nothing with them.
func TestWhoLeavesAQuestion(t *testing.T) {
	d := filled(t, pgtest.URL(t), 8)
	ref := token.Ref{Dialect: token.Muninx, ID: *fillerRow(0).PublicID}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(2000))*time.Microsecond)
				found, err := d.Find(ctx, ref)
				cancel()
				if (err == nil) != (found.ID == ref.ID) || err == nil && found.Dialect == nil {
					t.Errorf("%+v, %v", found, err)
				}
			}
		})
	}
	all.Wait()
}
