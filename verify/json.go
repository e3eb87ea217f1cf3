package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

const maxDepth = 16 // levels of JSON, far more than is ever sent

var errJSON = errors.New("it is not strict JSON")

// object is a JSON object whose members are found by their exact names; encoding/json would also take other cases.
type object map[string]json.RawMessage

// parseObject is stricter than encoding/json: it refuses repeated members at every level, invalid UTF-8, and anything
// after the object (RFC 8725 section 2.6, RFC 7515 section 4).
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) {
		return nil, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := unique(d, 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, errJSON
	}
	return o, nil
}

// unique reads one value and refuses repeated members in it.
func unique(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return errJSON
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			key, ok := name.(string)
			if err != nil || !ok || seen[key] {
				return errJSON
			}
			seen[key] = true
		}
		if err := unique(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return errJSON
	}
	return nil
}

func (o object) has(name string) bool { _, ok := o[name]; return ok }

// read decodes a member. One that is missing or null leaves the target as it is.
func (o object) read(name string, target any) error {
	if raw, ok := o[name]; ok && json.Unmarshal(raw, target) != nil {
		return errJSON
	}
	return nil
}

// text is a member that must be a string.
func (o object) text(name string) (string, error) {
	var s *string
	if err := o.read(name, &s); err != nil || s == nil {
		return "", errJSON
	}
	return *s, nil
}

// optionalText is a member that may be missing or null.
func (o object) optionalText(name string) (string, error) {
	var s string
	err := o.read(name, &s)
	return s, err
}

// number is a member that must be a number of seconds that fit into years of four digits.
func (o object) number(name string) (float64, error) {
	var f *float64
	if err := o.read(name, &f); err != nil || f == nil || *f < 0 || *f > 253402300799 {
		return 0, errJSON
	}
	return *f, nil
}

// object is a member that must be an object; that its members are unique is known already.
func (o object) object(name string) (object, error) {
	var inner object
	if err := o.read(name, &inner); err != nil || inner == nil {
		return nil, errJSON
	}
	return inner, nil
}

// date is a NumericDate (RFC 7519 section 2), which may have a fraction.
func (o object) date(name string) (time.Time, error) {
	f, err := o.number(name)
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), err
}
