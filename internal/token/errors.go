package token

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the sort of a failure. A Kind is itself an error, so that errors.Is(err, token.NotFound) works on every
// [Error] of that kind. Each dialect has one table from Kind to status and body.
type Kind string

// Error makes a Kind usable with errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds of failure that the rules and the store know. An error without a kind is [Internal].
const (
	Invalid           Kind = "invalid"             // the input does not fit; Faults say where
	CredentialMissing Kind = "credential missing"  // no credential was presented
	CredentialInvalid Kind = "credential invalid"  // unknown, expired, suspended, revoked, malformed, owner disabled
	Forbidden         Kind = "forbidden"           // the caller is known and may not
	LimitReached      Kind = "limit reached"       // the owner holds as many tokens as it may
	NotFound          Kind = "not found"           // unknown, or not visible to the caller
	NameTaken         Kind = "name taken"          // another token or record has this name
	Conflict          Kind = "conflict"            // the present state does not allow it
	KeyReused         Kind = "key reused"          // the Idempotency-Key belongs to another request
	Unavailable       Kind = "service unavailable" // a part that is needed cannot be reached; trying again may help
	Overloaded        Kind = "overloaded"          // too much is asked at once; trying again in a moment helps
	Canceled          Kind = "canceled"            // the caller went away
	Internal          Kind = "internal error"      // a fault of ours
)

// Kinds lists every kind above, for tests that a table is complete.
var Kinds = []Kind{Invalid, CredentialMissing, CredentialInvalid, Forbidden, LimitReached, NotFound, NameTaken,
	Conflict, KeyReused, Unavailable, Overloaded, Canceled, Internal}

// Part is the part of a request in which a [Fault] was found.
type Part string

// The parts in which a fault can be; the zero Part is the body.
const (
	InBody   Part = ""
	InPath   Part = "path"
	InQuery  Part = "query"
	InHeader Part = "header"
)

// Fault is one thing that is wrong with a request, in words that may be shown to its sender. It never repeats the
// value that was sent.
type Fault struct {
	In      Part
	Pointer string // JSON pointer (RFC 6901) into the body, or "/" and the parameter's name; "" is the whole body
	Detail  string // what would be right, as in "must be in the future"
}

// Member is the first segment of the pointer: the member or the parameter that is at fault, "" for the whole body.
func (f Fault) Member() string {
	member, _, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(member)
}

// Error is a failure with two audiences: Message and Faults may be shown to the caller, Err is for the log.
type Error struct {
	Kind    Kind
	Message string
	Faults  []Fault
	Err     error
}

// Error is the text for the log.
func (e *Error) Error() string {
	text := string(e.Kind)
	if e.Message != "" {
		text += ": " + e.Message
	}
	for _, f := range e.Faults {
		text += fmt.Sprintf("; %s%s %s", f.In, f.Pointer, f.Detail)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// Errorf returns an Error of kind k whose Message is the formatted text.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error of kind k whose cause, for the log only, is err.
func Wrap(k Kind, err error) error { return &Error{Kind: k, Err: err} }

// KindOf returns the kind of err, [Internal] if it has none.
func KindOf(err error) Kind {
	var kind Kind
	if errors.As(err, &kind) {
		return kind
	}
	return Internal
}

// Faulty returns an [Invalid] error for the faults, nil if there are none.
func Faulty(faults ...Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "the request does not fit", Faults: faults}
}
