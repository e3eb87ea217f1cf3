package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenwright/tokenwright/handlers"
)

// metrics counts requests and serves the numbers on a listener of its own. A nil one does nothing. No label holds what
// a caller has sent.
type metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	web       *http.Server
}

// newMetrics has a registry of its own, so that nothing else gets in.
func newMetrics(log *slog.Logger) *metrics {
	labels := []string{"dialect", "operation", "status"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokenwright_requests_total", Help: "Requests that were answered.",
		}, labels),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tokenwright_request_duration_seconds", Help: "How long requests took, in seconds.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, labels),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.durations,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	m.web = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return m
}

// startMetrics serves the metrics if they are enabled.
func (s *server) startMetrics(ctx context.Context) error {
	if s.metricsAddress == nil {
		return nil
	}
	listener, err := listen(ctx, "metrics-listen", *s.metricsAddress)
	if err != nil {
		return err
	}
	s.metrics = newMetrics(s.log)
	go s.metrics.serve(listener, s.log)
	s.log.Info("serving metrics", "address", listener.Addr().String())
	return nil
}

func (m *metrics) serve(listener net.Listener, log *slog.Logger) {
	if err := m.web.Serve(listener); err != http.ErrServerClosed {
		log.Error("metrics are not served any more", "error", err)
	}
}

// observe counts one request.
func (m *metrics) observe(a handlers.Access) {
	if m == nil {
		return
	}
	operation := a.Operation
	if operation == "" {
		operation = "none"
	}
	labels := []string{a.Dialect, operation, strconv.Itoa(a.Status)}
	m.requests.WithLabelValues(labels...).Inc()
	m.durations.WithLabelValues(labels...).Observe(a.Duration.Seconds())
}

// close ends the listener and what still hangs on it.
func (m *metrics) close() {
	if m != nil {
		m.web.Close() //nolint:errcheck // there is nobody to tell
	}
}
