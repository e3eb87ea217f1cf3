package main

import (
	"context"
	"errors"
)

// scaleCmd compares databases.
type scaleCmd struct {
	target `embed:""`
}

// Run implements the command.
func (c *scaleCmd) Run(context.Context) error { return errors.New("not yet") }
