//go:build java

package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// TestJava compiles what uses the generated clients and runs it. It needs `make clients-java`, which gets the jars.
func TestJava(t *testing.T) {
	folder, classes := absolute(t, "java"), t.TempDir()
	if _, err := os.Stat(filepath.Join(folder, "generated", "installed")); err != nil {
		t.Fatal("there are no clients: run `make clients-java`")
	}
	libraries := filepath.Join(folder, "lib", "*") + string(os.PathListSeparator) + filepath.Join(folder, "generated", "classes")
	sources, err := filepath.Glob(filepath.Join(folder, "src", "*.java"))
	if err != nil {
		t.Fatal(err)
	}
	compile(t, libraries, classes, append([]string{"-Xlint:all"}, sources...)...)
	w := harness.StartWorld(t)
	for _, program := range []string{"Life", "Errors"} {
		t.Log(run(t, folder, variables(w), "java", "-cp", libraries+string(os.PathListSeparator)+classes, program))
	}
}

// compile is strict, as far as the sources allow.
func compile(t *testing.T, libraries, to string, args ...string) {
	t.Helper()
	run(t, ".", nil, "javac", append([]string{"-proc:none", "-Werror", "-cp", libraries, "-d", to}, args...)...)
}

// TestGuideForJava runs the lines for Java with what their own command makes.
func TestGuideForJava(t *testing.T) {
	w, folder := harness.StartWorld(t), t.TempDir()
	libraries := absolute(t, "java/lib")
	if err := os.Symlink(filepath.Join(libraries, "openapi-generator-cli.jar"), filepath.Join(folder, "openapi-generator-cli.jar")); err != nil {
		t.Fatal(err)
	}
	run(t, folder, nil, "sh", "-ec", lines(t, w, guide, "Java", "sh"))
	imports, body, _ := strings.Cut(lines(t, w, guide, "Java", "java"), "\n\n")
	write(t, filepath.Join(folder, "Guide.java"),
		imports+"\n\nclass Guide {\n  public static void main(String[] arguments) throws Exception {\n"+body+"  }\n}\n")
	class := filepath.Join(libraries, "*")
	made := filepath.Join(folder, "muninx", "src", "main", "java")
	compile(t, class, folder, "-Xlint:all,-deprecation", "-sourcepath", made, filepath.Join(folder, "Guide.java"))
	path := class + string(os.PathListSeparator) + folder
	expect(t, run(t, folder, variables(w), "java", "-cp", path, "Guide"))
	refused(t, folder, variables(w), "java", "-cp", path, "Guide")
}
