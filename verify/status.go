package verify

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"
)

const (
	statusType     = "statuslist+jwt"             // draft-ietf-oauth-status-list section 5.1
	statusMedia    = "application/statuslist+jwt" // section 14.6
	maxStatusToken = 4 << 20                      // bytes of a list as it is sent
	maxStatusList  = 2 << 20                      // bytes of a list when it is unpacked
	maxLists       = 32                           // kept at a time
	defaultListAge = time.Minute                  // if the list does not say
)

var errStatus = errors.New("its status claim is malformed")

// statusList is the state of many tokens (draft-ietf-oauth-status-list section 4).
type statusList struct {
	bits int
	data []byte
}

// at returns a state; the lowest bits of a byte come first.
func (l statusList) at(idx int) (byte, bool) {
	perByte := 8 / l.bits
	if idx/perByte >= len(l.data) {
		return 0, false
	}
	shift := idx % perByte * l.bits
	return l.data[idx/perByte] >> shift & byte(1<<l.bits-1), true
}

// judgeStatus looks the token up in its list. That a list cannot be had is no verdict.
func (r *reader) judgeStatus(ctx context.Context, claims object) error {
	if !claims.has("status") {
		if r.allowNoStatus {
			return nil
		}
		return invalid(errors.New("it has no status claim, so a revoke would not be seen"))
	}
	idx, uri, err := r.reference(claims)
	if err != nil {
		return invalid(err)
	}
	list, err := r.lists.of(uri, r).get(ctx, func(statusList) bool { return true })
	if err != nil {
		return err
	}
	status, ok := list.at(idx)
	if !ok {
		return invalid(errors.New("its status is beyond the end of the list"))
	}
	if status != 0 {
		return invalid(fmt.Errorf("its status is %d", status))
	}
	return nil
}

// reference reads where the status is (draft-ietf-oauth-status-list section 6.2). The list has to come from where the
// issuer is: a service must not be made to call other addresses by what a token says.
func (r *reader) reference(claims object) (idx int, uri string, err error) {
	status, err := claims.object("status")
	if err != nil {
		return 0, "", errStatus
	}
	list, err := status.object("status_list")
	if err != nil {
		return 0, "", errStatus
	}
	var index *int
	if err := list.read("idx", &index); err != nil || index == nil || *index < 0 {
		return 0, "", errStatus
	}
	if uri, err = list.text("uri"); err != nil {
		return 0, "", errStatus
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != r.base.Scheme || u.Host != r.base.Host || u.User != nil || u.Fragment != "" {
		return 0, "", errors.New("its status list is not the issuer's")
	}
	return *index, uri, nil
}

// lists is the status lists by address.
type lists struct {
	mu   sync.Mutex
	byID map[string]*document[statusList]
}

// of returns the list at an address. If there are too many, any other makes room; it will be fetched again.
func (l *lists) of(uri string, r *reader) *document[statusList] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.byID[uri]; d != nil {
		return d
	}
	if l.byID == nil {
		l.byID = map[string]*document[statusList]{}
	}
	for other := range l.byID {
		if len(l.byID) < maxLists {
			break
		}
		delete(l.byID, other)
	}
	d := &document[statusList]{now: r.now, load: func(ctx context.Context) (statusList, time.Duration, error) {
		return r.loadList(ctx, uri)
	}}
	l.byID[uri] = d
	return d
}

// loadList fetches a list and verifies it (draft-ietf-oauth-status-list section 8.3). Whatever is wrong with it is not
// the token's fault, so no error of it is ErrInvalid.
func (r *reader) loadList(ctx context.Context, uri string) (statusList, time.Duration, error) {
	began := r.now()
	body, _, err := r.get(ctx, uri, statusMedia, maxStatusToken, statusMedia)
	if err != nil {
		return statusList{}, 0, err
	}
	payload, err := r.open(ctx, string(body), statusType)
	if err != nil {
		return statusList{}, 0, unavailable(fmt.Errorf("the status list: %s", err)) //nolint:errorlint // see above
	}
	list, keep, err := readList(payload, uri, began)
	if err != nil {
		return statusList{}, 0, unavailable(err)
	}
	return list, keep, nil
}

// readList reads the claims of a list (draft-ietf-oauth-status-list section 5.1) and how long it may be kept.
func readList(payload []byte, uri string, now time.Time) (statusList, time.Duration, error) {
	c, err := parseObject(payload)
	if err != nil {
		return statusList{}, 0, errors.New("the status list has malformed claims")
	}
	if sub, err := c.text("sub"); err != nil || sub != uri {
		return statusList{}, 0, errors.New("the status list is another")
	}
	if _, err := c.date("iat"); err != nil {
		return statusList{}, 0, errors.New("the status list has no date")
	}
	keep, err := listAge(c, now)
	if err != nil {
		return statusList{}, 0, err
	}
	list, err := unpack(c)
	return list, keep, err
}

// listAge is how long the list may be kept: for its `ttl`, and not past its `exp`.
func listAge(c object, now time.Time) (time.Duration, error) {
	keep := defaultListAge
	if c.has("ttl") {
		ttl, err := c.number("ttl")
		if err != nil || ttl <= 0 {
			return 0, errors.New("the status list has a malformed ttl")
		}
		keep = time.Duration(min(ttl, maxDocument.Seconds()) * float64(time.Second))
	}
	if !c.has("exp") {
		return keep, nil
	}
	end, err := c.date("exp")
	if err != nil || !now.Before(end) {
		return 0, errors.New("the status list has expired")
	}
	return min(keep, end.Sub(now)), nil
}

// unpack inflates the list (RFC 1950), but never more than a list can have.
func unpack(c object) (statusList, error) {
	malformed := errors.New("the status list is malformed")
	inner, err := c.object("status_list")
	if err != nil {
		return statusList{}, malformed
	}
	var bits int
	if err := inner.read("bits", &bits); err != nil || (bits != 1 && bits != 2 && bits != 4 && bits != 8) {
		return statusList{}, malformed
	}
	text, err := inner.text("lst")
	if err != nil {
		return statusList{}, malformed
	}
	packed, err := decodeBase64(text)
	if err != nil {
		return statusList{}, malformed
	}
	inflater, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return statusList{}, malformed
	}
	data, err := io.ReadAll(io.LimitReader(inflater, maxStatusList+1))
	if err != nil || len(data) > maxStatusList {
		return statusList{}, malformed
	}
	return statusList{bits, data}, nil
}
