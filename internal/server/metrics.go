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
	limited   *prometheus.CounterVec
	crowded   *prometheus.CounterVec
}

// newMetrics has a registry of its own, so that nothing else gets in.
func newMetrics(connections *connections) (*metrics, http.Handler) {
	labels := []string{"dialect", "operation", "status"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokenwright_requests_total", Help: "Requests that were answered.",
		}, labels),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tokenwright_request_duration_seconds", Help: "How long requests took, in seconds.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, labels),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokenwright_limited_requests_total", Help: "Requests that were refused because they exceeded a limit.",
		}, []string{"limit"}),
		crowded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tokenwright_connections_over_limit_total",
			Help: "Connections for which an idle one was closed, or had to wait, or which were refused.",
		}, []string{"limit"}),
	}
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tokenwright_connections", Help: "Connections that are open.",
	}, func() float64 { return float64(connections.count()) })
	connections.observe = func(limit string) { m.crowded.WithLabelValues(limit).Inc() }
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.durations, m.limited, m.crowded, open,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return m, mux
}

// metricsConnections are for as many readers of the metrics.
const metricsConnections = 16

// startMetrics serves the metrics, on a listener of their own, if that was asked for.
func (s *Server) startMetrics(ctx context.Context) error {
	if s.config.MetricsListen == "" {
		return nil
	}
	listener, err := listen(ctx, "metrics-listen", s.config.MetricsListen)
	if err != nil {
		return err
	}
	m, handler := newMetrics(s.connections)
	s.observe = m.observe
	few := newConnections(Connections{Max: metricsConnections}, handlers.Proxies{}, s.log)
	web := s.httpServer(handler, 30*time.Second, few)
	s.atEnd(web.Close)
	go func() {
		if err := web.Serve(few.limit(listener)); err != http.ErrServerClosed {
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
	if a.Limit != "" {
		m.limited.WithLabelValues(a.Limit).Inc()
	}
}
