//go:build unix

package store

import (
	"io/fs"
	"syscall"
)

// severalLinks reports whether a file has more than one hard link.
func severalLinks(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}
