// Package openapi holds the published contracts: the only hand-written wire shapes of the project. What speaks them is
// generated from them into gen. It knows nothing else, and handlers reads it.
package openapi

import _ "embed"

//go:generate go tool oapi-codegen -config muninx.cfg.yaml muninx.yaml
//go:generate go tool oapi-codegen -config muninx.client.cfg.yaml muninx.yaml
//go:generate go tool oapi-codegen -config apitoken.cfg.yaml apitoken.yaml
//go:generate go tool oapi-codegen -config apitoken.client.cfg.yaml apitoken.yaml
//go:generate go tool oapi-codegen -config unleash.cfg.yaml unleash.yaml
//go:generate go tool oapi-codegen -config unleash.client.cfg.yaml unleash.yaml
//go:generate go tool oapi-codegen -config service.cfg.yaml service.yaml
//go:generate go tool oapi-codegen -config service.client.cfg.yaml service.yaml

// The specs, in YAML.
var (
	//go:embed muninx.yaml
	Muninx []byte
	//go:embed apitoken.yaml
	APIToken []byte
	//go:embed unleash.yaml
	Unleash []byte
	//go:embed service.yaml
	Service []byte
)
