//go:build !unix

package store

import "io/fs"

// severalLinks is always false: these systems do not report the number of hard links.
func severalLinks(fs.FileInfo) bool { return false }
