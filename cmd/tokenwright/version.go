package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker in releases.
var version string

type versionCmd struct{}

func (versionCmd) Run(out *streams) error {
	fmt.Fprintf(out.stdout, "tokenwright %s %s %s/%s\n", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// programVersion is the release, or what the build knows of where it came from.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case version != "":
		return version
	case !ok || info.Main.Version == "":
		return "unknown"
	default:
		return info.Main.Version
	}
}
