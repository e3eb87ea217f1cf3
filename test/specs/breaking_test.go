package specs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	yaml "go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"
)

const (
	root      = "../.."
	contracts = root + "/openapi/"
	released  = contracts + "released/"
)

var names = []string{"muninx", "apitoken", "unleash", "service"}

// oasdiff compares two contracts and returns the changes that it finds; severity.txt has what we take for worse than it
// does: a client that was generated changes its methods by operationId, and its types by oneOf and discriminator.
func oasdiff(t *testing.T, base, revision string) []change {
	t.Helper()
	program := filepath.Join(root, "bin", "oasdiff")
	if _, err := os.Stat(program); err != nil {
		t.Fatal("oasdiff is not here: run `make oasdiff`")
	}
	cmd := exec.Command(program, "changelog", base, revision, "--severity-levels", "severity.txt", "--format", "json")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("oasdiff: %v\n%s", err, &problems)
	}
	var changes []change
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &changes); err != nil {
			t.Fatalf("%v in %.500s", err, &out)
		}
	}
	return changes
}

// change is one that oasdiff found. Level 3 breaks clients.
type change struct {
	ID, Text, Operation, Path string
	Level                     int
}

const breaks = 3

func broken(changes []change) (found []change) {
	for _, c := range changes {
		if c.Level >= breaks {
			found = append(found, c)
		}
	}
	return found
}

func version(t *testing.T, path string) string {
	t.Helper()
	var doc struct{ Info struct{ Version string } }
	if err := yaml.Unmarshal(read(t, path), &doc); err != nil || !semver.IsValid("v"+doc.Info.Version) {
		t.Fatalf("%s: the version %q: %v", path, doc.Info.Version, err)
	}
	return "v" + doc.Info.Version
}

// TestChangesAreVersioned: what breaks clients needs a new major version, anything else that a client can see a new minor
// one, and both an entry in the changelog.
func TestChangesAreVersioned(t *testing.T) {
	changelog := string(read(t, root+"/CHANGELOG.md"))
	for _, base := range append(tagged(t, root), released) {
		for _, name := range names {
			before, after := filepath.Join(base, name+".yaml"), contracts+name+".yaml"
			if _, err := os.Stat(before); err != nil && base != released {
				continue // a contract that was not there
			}
			if fault := judge(changes(t, before, after), version(t, before), version(t, after), name, changelog); fault != "" {
				t.Errorf("%s %s", name, fault)
			}
		}
	}
}

// tagged is a folder with the contracts of the last release before the present commit, as its tag has them, so that none
// can be changed together with its copy; nil where no tag is known.
func tagged(t *testing.T, repository string) []string {
	t.Helper()
	tag, err := git(repository, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
	if err != nil {
		if shallow, _ := git(repository, "rev-parse", "--is-shallow-repository"); strings.TrimSpace(shallow) == "true" && os.Getenv("GITHUB_ACTIONS") != "" {
			t.Error("the clone is shallow, so the last release cannot be seen: fetch-depth has to be 0")
		}
		return nil
	}
	t.Logf("the last release is %s", tag)
	folder := t.TempDir()
	for _, name := range names {
		text, err := git(repository, "show", strings.TrimSpace(tag)+":openapi/"+name+".yaml")
		if err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{folder}
}

// git runs in the repository even where a variable names another, as it does in a hook.
func git(repository string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = repository
	for _, variable := range os.Environ() {
		if !slices.ContainsFunc([]string{"GIT_DIR=", "GIT_WORK_TREE=", "GIT_INDEX_FILE="}, func(name string) bool { return strings.HasPrefix(variable, name) }) {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	out, err := cmd.Output()
	return string(out), err
}

// TestTaggedContracts: what counts is the tag, not a later commit.
func TestTaggedContracts(t *testing.T) {
	repository := t.TempDir()
	t.Setenv("GIT_DIR", "/nowhere")
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull) // which may want signatures
	run := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)
		if out, err := git(repository, args...); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	commit := func(content string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(repository, "openapi", name+".yaml")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run("add", ".")
		run("commit", "--quiet", "--message", content)
	}
	run("init", "--quiet")
	commit("zero")
	if found := tagged(t, repository); found != nil {
		t.Errorf("%v without a tag", found)
	}
	commit("one")
	run("tag", "v1.0.0")
	commit("two")
	run("tag", "v2.0.0") // which judges itself by the one before
	found := tagged(t, repository)
	if len(found) != 1 || string(read(t, filepath.Join(found[0], "muninx.yaml"))) != "one" {
		t.Errorf("%v", found)
	}
}

// changes are those that oasdiff finds and those that it does not: of how callers authenticate, of what it has no rule for,
// and of words.
func changes(t *testing.T, base, revision string) []change {
	t.Helper()
	found := oasdiff(t, base, revision)
	if before, after := security(t, base), security(t, revision); !reflect.DeepEqual(before, after) {
		found = append(found, change{ID: "security", Text: fmt.Sprintf("%v is %v now", before, after), Level: breaks})
	}
	for id, schema := range closed(t, revision) {
		if _, before := closed(t, base)[id]; !before {
			found = append(found, change{ID: "request-closed", Operation: id, Text: "members that " + schema + " does not name are refused now", Level: breaks})
		}
	}
	switch {
	case len(found) > 0 || bytes.Equal(read(t, base), read(t, revision)):
		return found
	case reflect.DeepEqual(meaning(t, base), meaning(t, revision)):
		return []change{{ID: "words", Text: "the text is another"}}
	}
	return []change{{ID: "meaning", Text: "something is different that is neither a description nor an example", Level: 1}}
}

// meaning is the contract without its version and without what only people read.
func meaning(t *testing.T, path string) any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(read(t, path), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "info")
	return wordless(doc)
}

func wordless(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if _, text := member.(string); text && (name == "description" || name == "summary") || name == "example" || name == "examples" {
				delete(value, name)
			} else {
				wordless(member)
			}
		}
	case []any:
		for _, item := range value {
			wordless(item)
		}
	}
	return value
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// security is how callers authenticate, by operation.
func security(t *testing.T, path string) map[string]any {
	t.Helper()
	var doc struct {
		Security   any
		Components struct {
			Schemes any `yaml:"securitySchemes"`
		}
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(read(t, path), &doc); err != nil {
		t.Fatal(err)
	}
	found := map[string]any{"all": doc.Security, "schemes": doc.Components.Schemes}
	for _, item := range doc.Paths {
		for _, op := range item {
			if op, ok := op.(map[string]any); ok && op["security"] != nil {
				found[fmt.Sprint(op["operationId"])] = op["security"]
			}
		}
	}
	return wordless(found).(map[string]any)
}

// closed are the schemas of bodies that admit no members but those that they name, by operation. oasdiff has no rule for it.
func closed(t *testing.T, path string) map[string]string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for _, media := range op.RequestBody.Value.Content {
				if has := media.Schema.Value.AdditionalProperties.Has; has != nil && !*has {
					found[op.OperationID] = media.Schema.Ref
				}
			}
		}
	}
	return found
}

// judge says what is wrong, "" if nothing is.
func judge(changes []change, before, after, name, changelog string) string {
	bad := broken(changes)
	entry := "`" + name + "` " + strings.TrimPrefix(after, "v")
	switch {
	case len(bad) > 0 && semver.Compare(semver.Major(after), semver.Major(before)) <= 0:
		return "breaks clients and needs a new major version: " + describe(bad)
	case len(changes) == 1 && changes[0].ID == "words" && semver.Compare(after, before) <= 0:
		return "has other words and needs a new version"
	case len(changes) > 0 && changes[0].ID != "words" && semver.Compare(semver.MajorMinor(after), semver.MajorMinor(before)) <= 0:
		return "has changed and needs a new minor version: " + describe(changes)
	case semver.Compare(after, before) < 0:
		return "goes back from " + before + " to " + after
	case after != before && !strings.Contains(changelog, entry):
		return "has a new version and no entry in CHANGELOG.md with " + entry
	}
	return ""
}

func describe(changes []change) string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, "\n"+c.Operation+" "+c.Path+": "+c.Text+" ["+c.ID+"]")
	}
	return strings.Join(lines, "")
}

// union takes the place of a schema that the contracts have, since none of them has a oneOf.
const (
	single = "schema: { $ref: '#/components/schemas/ApiToken_Error' }"
	union  = "schema: { oneOf: [{ $ref: '#/components/schemas/ApiToken_Error' }, { $ref: '#/components/schemas/ApiToken_List' }], discriminator: " +
		"{ propertyName: status, mapping: { error: '#/components/schemas/ApiToken_Error', success: '#/components/schemas/ApiToken_List' } } }"
)

// unions are changes of it.
var unions = map[string]fault{
	"a oneOf added":     {"apitoken", single, union},
	"a oneOf removed":   {"apitoken", union, single},
	"a oneOf reduced":   {"apitoken", union, strings.Replace(union, ", { $ref: '#/components/schemas/ApiToken_List' }]", "]", 1)},
	"a mapping removed": {"apitoken", union, strings.Replace(union, ", success: '#/components/schemas/ApiToken_List'", "", 1)},
}

// TestChangesOfUnionsAreFound changes every error of the contract.
func TestChangesOfUnionsAreFound(t *testing.T) {
	for what, b := range unions {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			text := string(read(t, contracts+b.spec+".yaml"))
			base, revision := filepath.Join(t.TempDir(), "base.yaml"), filepath.Join(t.TempDir(), "revision.yaml")
			for path, schema := range map[string]string{base: b.right, revision: b.wrong} {
				if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, single, schema)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if found := changes(t, base, revision); len(broken(found)) == 0 {
				t.Errorf("is not found: %s", describe(found))
			}
		})
	}
}

var breakages = map[string]fault{
	"an operation renamed":        {"muninx", "operationId: listTokens", "operationId: listAllTokens"},
	"an operation removed":        {"service", "  /service/me:\n", "  /service/myself:\n"},
	"a member renamed":            {"muninx", "        next_cursor: {", "        cursor: {"},
	"a member's format changed":   {"unleash", "format: date-time", "format: date"},
	"a number shortened":          {"unleash", "format: int64", "format: int32"},
	"a date in answers":           {"muninx", "created_at: { type: string, format: date-time", "created_at: { type: string, format: date"},
	"another scheme":              {"muninx", "scheme: bearer", "scheme: basic"},
	"another header":              {"unleash", "name: Authorization", "name: X-Auth"},
	"a schema renamed":            {"muninx", "TokenList", "TokenPage"},
	"a credential newly demanded": {"service", "      security: []\n", ""},
	"a status removed":            {"unleash", "        '201':\n", "        '200':\n"},
	"a media type changed":        {"service", "            application/statuslist+jwt:\n", "            application/jwt:\n"},
	"a media type specialised":    {"unleash", "            application/json:\n", "            application/vnd.unleash+json:\n"},
	"unknown members refused":     {"unleash", "    patSchema:\n", "    patSchema:\n      additionalProperties: false\n"},
	"a query parameter required":  {"muninx", "      in: query\n", "      in: query\n      required: true\n"},
	"a number instead of a text":  {"muninx", "name: { type: string", "name: { type: integer"},
	"a value of an enum removed":  {"service", "enum: [user, account, environment]", "enum: [user, account]"},
}

// TestBreakagesAreFound plants each in a copy of the present contract.
func TestBreakagesAreFound(t *testing.T) {
	for what, b := range breakages {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			changes := b.plant(t)
			present := version(t, contracts+b.spec+".yaml")
			if len(broken(changes)) == 0 || judge(changes, present, present, b.spec, "") == "" {
				t.Errorf("is not found: %s", describe(changes))
			}
		})
	}
}

// plant makes the change in a copy of the present contract and returns what is found.
func (b fault) plant(t *testing.T) []change {
	t.Helper()
	text := string(read(t, contracts+b.spec+".yaml"))
	if !strings.Contains(text, b.right) {
		t.Fatalf("%s has no %q", b.spec, b.right)
	}
	path := filepath.Join(t.TempDir(), b.spec+".yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, b.right, b.wrong)), 0o600); err != nil {
		t.Fatal(err)
	}
	return changes(t, contracts+b.spec+".yaml", path)
}

// TestHarmlessChangesAreFound: what breaks nobody is still a change, of words or of more.
func TestHarmlessChangesAreFound(t *testing.T) {
	for what, c := range map[string]struct {
		fault
		id string
	}{
		"a description":             {fault{"muninx", "description: A", "description: In other words a"}, "words"},
		"an example":                {fault{"muninx", "example: { name: CI token }", "example: { name: other }"}, "words"},
		"links":                     {fault{"muninx", "          links:\n", "          x-links:\n"}, "meaning"},
		"other members are refused": {fault{"muninx", "additionalProperties: true", "additionalProperties: false"}, "meaning"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if found := c.plant(t); len(found) != 1 || found[0].ID != c.id {
				t.Errorf("found %s", describe(found))
			}
		})
	}
}

// TestJudge: versions and changelog.
func TestJudge(t *testing.T) {
	small, large := []change{{ID: "small", Level: 1}}, []change{{ID: "large", Level: breaks}}
	const entry = "- `muninx` 1.1.0, `muninx` 2.0.0: …"
	for name, c := range map[string]struct {
		changes           []change
		before, after, md string
		ok                bool
	}{
		"nothing":                   {nil, "v1.0.0", "v1.0.0", "", true},
		"addition":                  {small, "v1.0.0", "v1.1.0", entry, true},
		"addition, no entry":        {small, "v1.0.0", "v1.1.0", "", false},
		"addition, same version":    {small, "v1.0.0", "v1.0.0", entry, false},
		"addition, patch":           {small, "v1.0.0", "v1.0.1", entry, false},
		"breakage, minor":           {large, "v1.0.0", "v1.1.0", entry, false},
		"breakage, major":           {large, "v1.0.0", "v2.0.0", entry, true},
		"breakage, major, no entry": {large, "v1.0.0", "v2.0.0", "", false},
		"words, patch":              {[]change{{ID: "words"}}, "v1.0.0", "v1.0.1", "- `muninx` 1.0.1", true},
		"words, same version":       {[]change{{ID: "words"}}, "v1.0.0", "v1.0.0", entry, false},
		"backwards":                 {nil, "v1.1.0", "v1.0.0", entry, false},
	} {
		if fault := judge(c.changes, c.before, c.after, "muninx", c.md); (fault == "") != c.ok {
			t.Errorf("%s: %q", name, fault)
		}
	}
}
