package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/tokenwright/tokenwright/internal/jwt"
)

// keysCmd looks after the keys that sign JWTs.
type keysCmd struct {
	Init keysInitCmd `cmd:"" help:"Make a directory with a first key."`
}

type keysInitCmd struct {
	KeyDirectory string `required:"" placeholder:"DIR" help:"The directory."`
}

// Run implements the command.
func (c *keysInitCmd) Run(out *streams) error {
	err := jwt.Create(c.KeyDirectory)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s holds a key already", c.KeyDirectory)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The first key is in %s. All servers of one database need this directory.\n", c.KeyDirectory)
	return nil
}
