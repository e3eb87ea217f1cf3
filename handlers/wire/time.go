package wire

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// dateTime is the grammar of RFC 3339 section 5.6. [time.Parse] takes more than that (go.dev/issue/54580) and is left
// with what a grammar cannot say: how many days a month has.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?` +
	`(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// secondAt is where the seconds are.
const secondAt = len("2006-01-02T15:04:")

var errNoTime = errors.New("not a date and time of RFC 3339")

// parseTime reads a date and time of RFC 3339 in any case. A leap second can be wherever one may be inserted, at the
// end of any month in UTC, and is read as the second after it, since [time.Time] has none.
func parseTime(text string) (time.Time, error) {
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

// checkTime is the judgement of the format date-time.
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

// respell rewrites the times of a body that was validated, so that what is bound is what was judged.
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
