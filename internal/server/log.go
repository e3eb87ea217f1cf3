package server

import "github.com/tokenwright/tokenwright/internal/token"

// What the tasks beside the requests report, in the log.

func (s *Server) usesNotStored(err error, lost bool) {
	if lost {
		s.log.Error("cannot store last-use times; they are lost", "error", err)
		return
	}
	s.log.Warn("cannot store last-use times yet; will retry", "error", err)
}

func (s *Server) claimsNotDeleted(err error) {
	s.log.Warn("cannot delete kept answers whose time is over; will retry", "error", err)
}

func (s *Server) refusalsNotStored(err error, lost bool) {
	if lost {
		s.log.Error("cannot store events of refused credentials; they are lost", "error", err)
		return
	}
	s.log.Warn("cannot store events of refused credentials yet; will retry", "error", err)
}

// logNotExtended hears whether events come into the log.
func (s *Server) logNotExtended(err error) {
	if err != nil {
		s.log.Error("cannot extend the audit log; events have no checkpoint until that succeeds", "error", err)
		return
	}
	s.log.Info("the audit log is extended again")
}

// witnessNotReached hears whether checkpoints reach the witness.
func (s *Server) witnessNotReached(err error) {
	if err != nil {
		s.log.Warn("cannot send a checkpoint to the audit witness yet; will retry", "error", err)
		return
	}
	s.log.Info("the audit witness has the last checkpoint again")
}

// writesChanged hears whether the database takes writes.
func (s *Server) writesChanged(err error) {
	if err != nil {
		s.log.Error("the database does not accept writes; /readyz fails", "error", err)
		return
	}
	s.log.Info("the database accepts writes again")
}

func (s *Server) feedLost(err error) {
	s.log.Warn("not receiving changes by other servers; the cache is bypassed", "error", err)
}

// keysChanged hears of the key directory. What is in memory was verified by keys that may not be there any more.
func (s *Server) keysChanged(err error) {
	if err != nil {
		s.log.Warn("cannot reload the key directory; the keys loaded before stay in use", "error", err)
		return
	}
	s.Tokens.Changed(token.Change{})
	s.log.Info("reloaded the keys", "signs", s.keys.Active())
}

// certificateChanged hears of the files of the certificate.
func (s *Server) certificateChanged(err error) {
	if err != nil {
		s.log.Warn("cannot load the new TLS certificate; the previous one stays in use", "error", err)
		return
	}
	s.log.Info("reloaded the TLS certificate", "not_after", s.certificate.current.Load().Leaf.NotAfter)
}
