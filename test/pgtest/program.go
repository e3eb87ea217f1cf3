package pgtest

import "path/filepath"

// Open starts a server for a program that is no test. It has the settings of a server at work: it keeps what it has
// committed. Close ends it.
func Open() (*Cluster, error) { return newCluster(true) }

// Close ends the server and deletes its directory.
func (c *Cluster) Close() { c.remove() }

// CreateDatabase makes an empty database, which goes with the server, and returns its URL.
func (c *Cluster) CreateDatabase(name string) (string, error) {
	return c.url(name), c.exec("CREATE DATABASE " + name)
}

// Program is the path of one of PostgreSQL's programs.
func (c *Cluster) Program(name string) string { return filepath.Join(c.bin, name) }
