package main

import (
	"fmt"

	"github.com/tokenwright/tokenwright/internal/token"
)

type secretCmd struct{}

// Run prints a secret that is worth nothing until a server is started with it.
func (secretCmd) Run(out *streams) error {
	_, err := fmt.Fprintln(out.stdout, token.CredentialDialect.Secrets.New())
	return err
}
