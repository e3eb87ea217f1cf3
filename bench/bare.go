package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenwright/tokenwright/test/child"
)

// bareCmd serves fixed answers in a process of its own, so that its costs are measured as the server's are.
type bareCmd struct {
	Listen string
}

const fixed = `{"active":true,"sub":"member","scope":"user","token_type":"Bearer"}`

// Run serves until a signal comes.
func (c *bareCmd) Run(ctx context.Context) error {
	debug.SetGCPercent(400) // as the server does
	fixedAnswer := func(c echo.Context) error { return c.JSONBlob(http.StatusOK, []byte(fixed)) }
	e := echo.New()
	e.GET("/", fixedAnswer)
	e.POST("/", func(c echo.Context) error {
		if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
			return err
		}
		return fixedAnswer(c)
	})
	e.POST("/form", func(c echo.Context) error {
		if c.FormValue("token") == "" {
			return errors.New("there is no token")
		}
		return fixedAnswer(c)
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
	e.HideBanner, e.HidePort = true, true
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	e.Listener = listener
	// What child.Announced looks for.
	fmt.Printf("Tokenwright is listening on %s (public URL http://%[1]s)\ntokenwright bootstrap\n", c.Listen)
	context.AfterFunc(ctx, func() { e.Close() })
	if err := e.Start(c.Listen); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bare starts this program as a server of fixed answers.
func (l *lab) bare(ctx context.Context) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listen, err := child.Free()
	if err != nil {
		return nil, err
	}
	p, err := l.start(ctx, exec.Command(program, "bare", "--listen", listen.String()))
	if err == nil {
		p.metrics = p.address
	}
	return p, err
}
