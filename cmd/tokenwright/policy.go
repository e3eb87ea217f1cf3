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
	MaxLifetime span         `name:"max-lifetime" default:"0s" help:"@policy_max_lifetime"`

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

// flagsOf makes the flags of a dialect, in the form in which the library reads them.
func flagsOf(d *token.Dialect) any {
	var fields []reflect.StructField
	add := func(name string, kind reflect.Type, flag, preset, help string) {
		tag := fmt.Sprintf(`name:"%s-%s" default:"%s" help:"%s"`, d, flag, preset, help)
		fields = append(fields, reflect.StructField{Name: name, Type: kind, Tag: reflect.StructTag(tag)})
	}
	if d.Policy.DefaultLifetime > 0 {
		add(defaultLifetime, reflect.TypeFor[span](), "default-lifetime", inDays(d.Policy.DefaultLifetime),
			fmt.Sprintf("Lifetime of %s tokens that are created without an expiry.", d))
	}
	if d.Policy.MaxTokens > 0 {
		add(maxTokens, reflect.TypeFor[int](), "max-tokens", strconv.Itoa(d.Policy.MaxTokens),
			fmt.Sprintf("Maximum number of %s tokens per user; 0: no limit.", d))
	}
	flags := reflect.New(reflect.StructOf(fields))
	copySettings(flags.Elem(), reflect.ValueOf(d.Policy))
	return flags.Interface()
}

// copySettings sets what both have: a policy, and the flags that [flagsOf] has made.
func copySettings(to, from reflect.Value) {
	for _, name := range []string{defaultLifetime, maxTokens} {
		if target, source := to.FieldByName(name), from.FieldByName(name); target.IsValid() && source.IsValid() {
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

// policies are what the flags say, by dialect.
func (f policyFlags) policies() map[*token.Dialect]token.Policy {
	policies := map[*token.Dialect]token.Policy{}
	for i, d := range f.dialects {
		p := token.Policy{MaxLifetime: time.Duration(f.MaxLifetime)}
		copySettings(reflect.ValueOf(&p).Elem(), reflect.ValueOf(f.Dialects[i]).Elem())
		policies[d] = p
	}
	return policies
}

func (f policyFlags) check() error {
	policies := f.policies()
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
