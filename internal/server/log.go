package server

import "github.com/tokenwright/tokenwright/internal/token"

// What the tasks beside the requests report, in the log.

func (s *Server) usesNotStored(err error, lost bool) {
	if lost {
		s.log.Error("times of use were not stored and are lost", "error", err)
		return
	}
	s.log.Warn("times of use are not stored yet", "error", err)
}

// writesChanged hears whether the database takes writes.
func (s *Server) writesChanged(err error) {
	if err != nil {
		s.log.Error("the database takes no writes, and /readyz says so", "error", err)
		return
	}
	s.log.Info("the database takes writes again")
}

func (s *Server) feedLost(err error) {
	s.log.Warn("changes by other servers are not heard, so nothing is answered from memory", "error", err)
}

// keysChanged hears of the key directory. What is in memory was verified by keys that may not be there any more.
func (s *Server) keysChanged(err error) {
	if err != nil {
		s.log.Warn("the key directory cannot be used as it is; the keys that were read before go on working", "error", err)
		return
	}
	s.Tokens.Changed(token.Change{})
	s.log.Info("keys were read again", "signs", s.keys.Active())
}

// certificateChanged hears of the files of the certificate.
func (s *Server) certificateChanged(err error) {
	if err != nil {
		s.log.Warn("the new TLS certificate cannot be used; the one before goes on working", "error", err)
		return
	}
	s.log.Info("the TLS certificate was read again", "not_after", s.certificate.current.Load().Leaf.NotAfter)
}
