package token

import (
	"slices"
	"time"
)

// Role is what a user may do.
type Role string

// An admin does everything; an introspector may check the tokens of others; a member uses its own account.
const (
	RoleAdmin        Role = "admin"
	RoleIntrospector Role = "introspector"
	RoleMember       Role = "member"
)

// Roles lists every role, the highest first.
var Roles = []Role{RoleAdmin, RoleIntrospector, RoleMember}

// atMost is r, or limit if that is lower. An empty limit is none.
func (r Role) atMost(limit Role) Role {
	if slices.Index(Roles, limit) > slices.Index(Roles, r) {
		return limit
	}
	return r
}

// User is a person or a service that owns tokens.
type User struct {
	ID        int64  // from 1, never reused
	AdminID   string // 32 characters, as `apitoken` answers name an admin user
	Issuer    string // `iss` of the OIDC issuer that knows the user (RFC 7519), "" for a local user
	Subject   string // `sub` at that issuer; unique together with Issuer
	Name      string
	Role      Role
	AccountID string // home account
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Account is a customer, team or tenant.
type Account struct {
	ID        string
	Name      string
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Environment is a part of one account, such as production; it never changes its account.
type Environment struct {
	ID        string
	AccountID string
	Name      string
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}
