package main

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tokenwright/tokenwright/internal/token"
)

// policyFlags are the limits of tokens: of each dialect those that its own policy has, and one of all.
type policyFlags struct {
	Dialects    kong.Plugins `embed:""` // in the order of dialects
	MaxLifetime *span        `name:"max-lifetime" placeholder:"LIFETIME" help:"@policy_max_lifetime"`

	dialects token.Dialects
}

func newPolicyFlags(dialects token.Dialects) policyFlags {
	f := policyFlags{dialects: dialects}
	for _, d := range dialects {
		f.Dialects = append(f.Dialects, flagsOf(d))
	}
	return f
}

// The members of what [flagsOf] makes, as [token.Policy] has them.
const (
	defaultLifetime = "DefaultLifetime"
	maxTokens       = "MaxTokens"
)

// flagsOf makes the flags of a dialect, in the form in which the library reads them. The maximum of an account's tokens
// is a pointer, nil if it was not given: then the database may say one.
func flagsOf(d *token.Dialect) any {
	var fields []reflect.StructField
	add := func(name string, kind reflect.Type, flag, more, help string) {
		tag := fmt.Sprintf(`name:"%s-%s" %s help:"%s"`, d, flag, more, help)
		fields = append(fields, reflect.StructField{Name: name, Type: kind, Tag: reflect.StructTag(tag)})
	}
	if d.Policy.DefaultLifetime > 0 {
		add(defaultLifetime, reflect.TypeFor[span](), "default-lifetime",
			fmt.Sprintf(`default:"%s"`, inDays(d.Policy.DefaultLifetime)),
			fmt.Sprintf("Lifetime of %s tokens that are created without an expiry.", d))
	}
	switch {
	case !d.OwnedByUser:
		add(maxTokens, reflect.TypeFor[*int](), "max-tokens", `placeholder:"N"`,
			fmt.Sprintf("Maximum number of %s tokens per account; 0: no limit. Default: %d in an installation that began "+
				"with this or a later release, else 0.", d, token.NewMaxima.Tokens))
	case d.Policy.MaxTokens > 0:
		add(maxTokens, reflect.TypeFor[int](), "max-tokens", fmt.Sprintf(`default:"%d"`, d.Policy.MaxTokens),
			fmt.Sprintf("Maximum number of %s tokens per user; 0: no limit.", d))
	}
	flags := reflect.New(reflect.StructOf(fields))
	copySettings(flags.Elem(), reflect.ValueOf(d.Policy))
	return flags.Interface()
}

// copySettings sets what both have: a policy, and the flags that [flagsOf] has made.
func copySettings(to, from reflect.Value) {
	for _, name := range []string{defaultLifetime, maxTokens} {
		target, source := to.FieldByName(name), reflect.Indirect(from.FieldByName(name))
		if target.IsValid() && source.IsValid() && target.Kind() != reflect.Pointer {
			target.SetInt(source.Int())
		}
	}
}

// inDays writes a lifetime as a flag reads it.
func inDays(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return d.String()
}

// policies are what the flags say, by dialect, and what the database says where they say nothing.
func (f policyFlags) policies(recorded token.Maxima) map[*token.Dialect]token.Policy {
	if f.MaxLifetime != nil {
		recorded.Lifetime = time.Duration(*f.MaxLifetime)
	}
	policies := map[*token.Dialect]token.Policy{}
	for i, d := range f.dialects {
		p := token.Policy{MaxLifetime: recorded.Lifetime}
		if !d.OwnedByUser {
			p.MaxTokens = recorded.Tokens
		}
		copySettings(reflect.ValueOf(&p).Elem(), reflect.ValueOf(f.Dialects[i]).Elem())
		policies[d] = p
	}
	return policies
}

func (f policyFlags) check() error {
	policies := f.policies(token.Maxima{})
	for _, d := range f.dialects {
		switch p := policies[d]; {
		case d.Policy.DefaultLifetime > 0 && p.DefaultLifetime <= 0:
			return wrong(d.Name+"-default-lifetime", "must be greater than zero: these tokens always expire")
		case p.MaxTokens < 0:
			return wrong(d.Name+"-max-tokens", "must not be negative")
		}
	}
	return nil
}
