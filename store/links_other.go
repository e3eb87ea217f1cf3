//go:build !unix

package store

import "io/fs"

// severalLinks does not know: here a file does not say how many names it has.
func severalLinks(fs.FileInfo) bool { return false }
