package wire

import (
	"strconv"
	"strings"
)

// AcceptsGzip reports whether an Accept-Encoding names gzip, or anything, with a weight above 0 (RFC 9110 section
// 12.5.3).
func AcceptsGzip(accept string) bool {
	weights := map[string]float64{}
	for entry := range strings.SplitSeq(accept, ",") {
		coding, parameters, _ := strings.Cut(entry, ";")
		weights[strings.ToLower(strings.TrimSpace(coding))] = weight(parameters)
	}
	if w, named := weights["gzip"]; named {
		return w > 0
	}
	return weights["*"] > 0
}

// weight reads q=…; a malformed one accepts nothing.
func weight(parameters string) float64 {
	parameters = strings.ToLower(strings.TrimSpace(parameters))
	if parameters == "" {
		return 1
	}
	q, found := strings.CutPrefix(parameters, "q=")
	w, err := strconv.ParseFloat(q, 64)
	if !found || err != nil {
		return 0
	}
	return w
}

// MatchesTag reports whether an If-None-Match names the entity tag, by the weak comparison (RFC 9110 section 13.1.2).
// Our tags hold no comma.
func MatchesTag(known, etag string) bool {
	for entry := range strings.SplitSeq(known, ",") {
		entry = strings.TrimPrefix(strings.TrimSpace(entry), "W/")
		if entry == etag || entry == "*" {
			return true
		}
	}
	return false
}
