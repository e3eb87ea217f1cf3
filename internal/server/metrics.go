package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenwright/tokenwright/handlers"
)

// metrics counts requests. No label holds what a caller has sent.
type metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// newMetrics has a registry of its own, so that nothing else gets in.
func newMetrics() (*metrics, http.Handler) {
	labels := []string{"dialect", "operation", "status"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokenwright_requests_total", Help: "Requests that were answered.",
		}, labels),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tokenwright_request_duration_seconds", Help: "How long the answers took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, labels),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.durations,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return m, mux
}

// startMetrics serves the metrics, on a listener of their own, if that was asked for.
func (s *Server) startMetrics(ctx context.Context) error {
	if s.config.MetricsListen == "" {
		return nil
	}
	listener, err := listen(ctx, "metrics-listen", s.config.MetricsListen)
	if err != nil {
		return err
	}
	m, handler := newMetrics()
	s.observe = m.observe
	web := s.httpServer(handler, 30*time.Second)
	s.atEnd(web.Close)
	go func() {
		if err := web.Serve(listener); err != http.ErrServerClosed {
			s.log.Error("metrics are not served any more", "error", err)
		}
	}()
	s.log.Info("serving metrics", "address", listener.Addr().String())
	return nil
}

// observe counts one request.
func (m *metrics) observe(a handlers.Access) {
	operation := a.Operation
	if operation == "" {
		operation = "none"
	}
	labels := []string{a.Dialect, operation, strconv.Itoa(a.Status)}
	m.requests.WithLabelValues(labels...).Inc()
	m.durations.WithLabelValues(labels...).Observe(a.Duration.Seconds())
}
