package jwt

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/tokenwright/tokenwright/internal/token"
)

// listType is the `typ` of a status list (draft-ietf-oauth-status-list section 5.1). [Keys.Verify] does not accept one
// as a token.
const listType = "statuslist+jwt"

// listPath is where the status lists are served, after the issuer.
const listPath = "/statuslists/"

// status is the claim that says where the status of a token is published (draft-ietf-oauth-status-list section 6.2).
type status struct {
	List reference `json:"status_list"`
}

type reference struct {
	Index int64  `json:"idx"`
	URI   string `json:"uri"`
}

// listClaims is the payload of a status list (draft-ietf-oauth-status-list section 5.1).
type listClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	TTL       int64  `json:"ttl"`
	List      struct {
		Bits int    `json:"bits"`
		List string `json:"lst"`
	} `json:"status_list"`
}

func (k *Keys) statusList(number int64) string {
	return k.issuer + listPath + strconv.FormatInt(number, 10)
}

// SignStatusList implements [token.Signer].
func (k *Keys) SignStatusList(c token.StatusClaims) (string, error) {
	if c.ExpiresAt.Sub(c.IssuedAt) > maxListLife {
		return "", errors.New("a status list would outlive the key that signs it")
	}
	out := listClaims{
		Issuer: k.issuer, Subject: k.statusList(c.List), IssuedAt: seconds(c.IssuedAt), ExpiresAt: seconds(c.ExpiresAt),
		TTL: int64(c.TTL.Seconds()),
	}
	out.List.Bits, out.List.List = c.Bits, base64.RawURLEncoding.EncodeToString(c.Packed)
	signed, _, err := k.sign(listType, out)
	return signed, err
}
