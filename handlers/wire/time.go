package wire

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// dateTime is the grammar of RFC 3339 section 5.6. [time.Parse] accepts more than that (go.dev/issue/54580) and only
// checks what a grammar cannot: how many days a month has.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?` +
	`(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// secondAt is the offset of the seconds.
const secondAt = len("2006-01-02T15:04:")

var errNoTime = errors.New("not a date and time of RFC 3339")

// parseTime reads an RFC 3339 date and time in upper or lower case. A leap second is valid at the end of any month in
// UTC, and is read as the second after it, since [time.Time] has none.
func parseTime(text string) (time.Time, error) {
	if t, ok := parseSpelled(text); ok {
		return t, nil
	}
	text = strings.ToUpper(text)
	if !dateTime.MatchString(text) {
		return time.Time{}, errNoTime
	}
	leap := text[secondAt:secondAt+2] == "60"
	if leap {
		text = text[:secondAt] + "59" + text[secondAt+2:]
	}
	t, err := time.ParseInLocation(time.RFC3339, text, time.UTC)
	if err != nil {
		return time.Time{}, errNoTime
	}
	if !leap {
		return t, nil
	}
	t = t.Add(time.Second)
	if next := t.UTC(); next.Day() != 1 || next.Hour() != 0 || next.Minute() != 0 {
		return time.Time{}, errNoTime
	}
	return t, nil
}

// parseSpelled reads a time in UTC as [spell] writes it, without the grammar, which costs several times as much.
func parseSpelled(text string) (time.Time, bool) {
	if !strings.HasSuffix(text, "Z") {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(time.RFC3339, text, time.UTC)
	var room [len(time.RFC3339Nano)]byte
	return t, err == nil && string(t.AppendFormat(room[:0], time.RFC3339Nano)) == text
}

// checkTime validates the format date-time.
func checkTime(text string) error {
	_, err := parseTime(text)
	return err
}

// spell writes a time so that decoding a [time.Time] reads the same. The offset stays, since the year in UTC may have
// five digits.
func spell(t time.Time) string {
	if t.Year() > 9999 { // the second after the leap second of the last year
		t = t.In(time.FixedZone("", -int(time.Hour/time.Second)))
	}
	return t.Format(time.RFC3339Nano)
}

// respell rewrites the times of a validated body, so that the binder reads them as the validator did.
func respell(value any, schema *openapi3.Schema) any {
	switch v := value.(type) {
	case string:
		if t, err := parseTime(v); err == nil && schema.Format == "date-time" {
			return spell(t)
		}
	case []any:
		for i := range v {
			if schema.Items != nil {
				v[i] = respell(v[i], schema.Items.Value)
			}
		}
	case map[string]any:
		for name, member := range schema.Properties {
			if given, ok := v[name]; ok {
				v[name] = respell(given, member.Value)
			}
		}
	}
	return value
}
