package verify

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
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

// statusList is the status of many tokens (draft-ietf-oauth-status-list section 4).
type statusList struct {
	bits int
	data []byte
}

// at returns a status; the lowest bits of a byte come first.
func (l statusList) at(idx int) (byte, bool) {
	perByte := 8 / l.bits
	if idx/perByte >= len(l.data) {
		return 0, false
	}
	shift := idx % perByte * l.bits
	return l.data[idx/perByte] >> shift & byte(1<<l.bits-1), true
}

// judgeStatus looks the token up in its list. Failure to fetch the list is not a verdict.
func (r *reader) judgeStatus(ctx context.Context, claim []byte) error {
	if claim == nil {
		if r.allowNoStatus {
			return nil
		}
		return invalid(errors.New("it has no status claim, so a revoke would go unnoticed"))
	}
	idx, uri, err := r.reference(claim)
	if err != nil {
		return invalid(err)
	}
	list, err := r.list(uri).get(ctx, func(statusList) bool { return true })
	if err != nil {
		return err
	}
	status, ok := list.at(idx)
	if !ok {
		return invalid(errors.New("its status index is beyond the end of the list"))
	}
	if status != 0 {
		return invalid(fmt.Errorf("its status is %d", status))
	}
	return nil
}

// reference reads where the status is (draft-ietf-oauth-status-list section 6.2). The list must come from the issuer's
// host: a token must not make a service call other addresses.
func (r *reader) reference(claim []byte) (idx int, uri string, err error) {
	var status struct {
		List struct {
			Index *int   `json:"idx"`
			URI   string `json:"uri"`
		} `json:"status_list"`
	}
	if decodeJSON(claim, &status) != nil || status.List.Index == nil || *status.List.Index < 0 {
		return 0, "", errors.New("its status claim is malformed")
	}
	uri = status.List.URI
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != r.base.Scheme || u.Host != r.base.Host || u.User != nil || u.Fragment != "" {
		return 0, "", errors.New("its status list does not belong to the issuer")
	}
	return *status.List.Index, uri, nil
}

// list returns the list at an address. The least recently used list is evicted, and fetched again when needed.
func (r *reader) list(uri string) *document[statusList] {
	if known, ok := r.lists.Get(uri); ok {
		return known
	}
	d := &document[statusList]{now: r.now, load: func(ctx context.Context) (statusList, time.Duration, error) {
		return r.loadList(ctx, uri)
	}}
	if known, ok, _ := r.lists.PeekOrAdd(uri, d); ok {
		return known // another caller came first
	}
	return d
}

// loadList fetches a list and verifies it (draft-ietf-oauth-status-list section 8.3). A bad list is not the token's
// fault, so no error is ErrInvalid.
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

// listClaims are the claims of a list (draft-ietf-oauth-status-list section 5.1).
type listClaims struct {
	Subject   string   `json:"sub"`
	IssuedAt  *float64 `json:"iat"`
	ExpiresAt *float64 `json:"exp"`
	TTL       *float64 `json:"ttl"`
	List      struct {
		Bits int    `json:"bits"`
		Data string `json:"lst"`
	} `json:"status_list"`
}

// readList reads a list and how long to cache it.
func readList(payload []byte, uri string, now time.Time) (statusList, time.Duration, error) {
	var c listClaims
	if err := decodeJSON(payload, &c); err != nil {
		return statusList{}, 0, errors.New("the status list has malformed claims")
	}
	if c.Subject != uri {
		return statusList{}, 0, errors.New("the status list has the wrong subject")
	}
	if _, err := date(c.IssuedAt); err != nil {
		return statusList{}, 0, errors.New("the status list has no valid iat")
	}
	keep, err := c.age(now)
	if err != nil {
		return statusList{}, 0, err
	}
	list, err := c.unpack()
	return list, keep, err
}

// age is how long to cache the list: for its `ttl`, but not past its `exp`.
func (c listClaims) age(now time.Time) (time.Duration, error) {
	keep := defaultListAge
	if c.TTL != nil {
		if *c.TTL <= 0 {
			return 0, errors.New("the status list has a malformed ttl")
		}
		keep = time.Duration(min(*c.TTL, maxDocument.Seconds()) * float64(time.Second))
	}
	if c.ExpiresAt == nil {
		return keep, nil
	}
	end, err := date(c.ExpiresAt)
	if err != nil || !now.Before(end) {
		return 0, errors.New("the status list has expired")
	}
	return min(keep, end.Sub(now)), nil
}

// unpack decompresses the list (RFC 1950), but no more than a list can contain.
func (c listClaims) unpack() (statusList, error) {
	malformed := errors.New("the status list is malformed")
	bits := c.List.Bits
	if bits != 1 && bits != 2 && bits != 4 && bits != 8 {
		return statusList{}, malformed
	}
	packed, err := decodeBase64(c.List.Data)
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
