package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Witness is a place outside the database that is sent checkpoints, so that nobody who has the database can cut off the
// end of the log, or make another log, without being found out.
type Witness struct {
	target string
	client *http.Client // nil: the target is a file
}

// witnessPatience is how long a witness has to answer.
const witnessPatience = 5 * time.Second

// NewWitness returns the one at a path, to which checkpoints are appended, or at an http or https URL, to which they
// are posted.
func NewWitness(target string) *Witness {
	w := &Witness{target: target}
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		w.client = &http.Client{Timeout: witnessPatience, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return w
}

// Run sends the last checkpoint whenever there is a new one, until the context ends. Nothing waits for it. What could
// not be sent is sent again, or a later one instead. It reports a failure once, and nil when it is over.
func (w *Witness) Run(ctx context.Context, s token.LogStore, report func(error)) {
	ticker := time.NewTicker(GatherEvery)
	defer ticker.Stop()
	sent, failure := int64(0), ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		size, err := w.next(ctx, s, sent)
		if ctx.Err() != nil {
			return
		}
		if text := textOf(err); text != failure {
			failure = text
			report(err)
		}
		sent = size
	}
}

// next sends the last checkpoint if it is later than the one that was sent, and returns the size of the latest.
func (w *Witness) next(ctx context.Context, s token.LogStore, sent int64) (int64, error) {
	step, err := s.LastStep(ctx)
	if err != nil || step.Size <= sent {
		return sent, err
	}
	if err := w.send(ctx, step.Checkpoint); err != nil {
		return sent, err
	}
	return step.Size, nil
}

// SendLast sends the last checkpoint, if there is one.
func (w *Witness) SendLast(ctx context.Context, s token.LogStore) error {
	_, err := w.next(ctx, s, 0)
	return err
}

func (w *Witness) send(ctx context.Context, checkpoint string) error {
	if w.client == nil {
		return w.append(checkpoint)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.target, strings.NewReader(checkpoint))
	if err != nil {
		return errors.New("the URL of the witness is not valid")
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := w.client.Do(request)
	if failed := (*url.Error)(nil); errors.As(err, &failed) { // without the URL, which may hold a secret
		return failed.Err
	}
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	_ = response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the witness has answered with status %d", response.StatusCode)
	}
	return nil
}

// append writes the checkpoint and an empty line at the end of the file.
func (w *Witness) append(checkpoint string) error {
	file, err := os.OpenFile(w.target, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(checkpoint + "\n")
	return errors.Join(err, file.Sync(), file.Close())
}

// LastOf is the last checkpoint in the text of a file to which checkpoints were appended, or that has one.
func LastOf(text string) string {
	parts := strings.Split(strings.Trim(text, "\n"), "\n\n") // each has an empty line within
	return strings.Join(parts[max(0, len(parts)-2):], "\n\n") + "\n"
}
