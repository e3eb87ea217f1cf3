package verify

import (
	"errors"
	"math"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"
)

var errJSON = errors.New("it is not strict JSON")

// parseObject takes an object in UTF-8 without repeated members at any level (RFC 8725 section 2.6, RFC 7515
// section 4).
func parseObject(text []byte) (map[string]any, error) {
	var all map[string]any
	if !utf8.Valid(text) || json.Unmarshal(text, &all) != nil || all == nil {
		return nil, errJSON
	}
	return all, nil
}

// decodeJSON reads an object into a struct. parseObject first checks all members, also those that the struct lacks.
// go-jose's JSON matches exact names of members; encoding/json would ignore case.
func decodeJSON(text []byte, target any) error {
	if _, err := parseObject(text); err != nil {
		return err
	}
	if json.Unmarshal(text, target) != nil {
		return errJSON // without the cause, which quotes parts of the text
	}
	return nil
}

// date is a NumericDate (RFC 7519 section 2), which may have a fraction. It must be there, and in years of four digits.
func date(seconds *float64) (time.Time, error) {
	if seconds == nil || *seconds < 0 || *seconds > 253402300799 {
		return time.Time{}, errJSON
	}
	whole, fraction := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
}
