// Package specs judges the contracts: how they are written, with linters that others wrote, and how they changed since the
// last release, which openapi/released keeps. Planted faults show that both find what they are there to find.
package specs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"
)

// node runs one of the linters. It returns what that printed, and nil if it found nothing.
func node(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join("node_modules", ".bin", program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not here: run `make node`", program)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1")
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	return out.String(), err
}

func specs(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(contracts + "[a-z]*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return strings.Contains(path, ".cfg.") })
	if len(paths) != 4 {
		t.Fatalf("the contracts are %v", paths)
	}
	return paths
}

func TestContractsAreClean(t *testing.T) {
	if out, err := node(t, "redocly", append([]string{"lint", "--config", "redocly.yaml", "--format", "json"}, specs(t)...)...); err != nil {
		t.Errorf("redocly: %v\n%s", err, out)
	}
	args := append([]string{"lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint"}, specs(t)...)
	if out, err := node(t, "spectral", args...); err != nil {
		t.Errorf("spectral: %v\n%s", err, out)
	}
}

// fault is one place of a contract written wrongly.
type fault struct{ spec, right, wrong string }

// faults are found by the rule of Spectral that they are filed under.
var faults = map[string]fault{
	"openapi-3-0-3":                          {"muninx", "openapi: 3.0.3", "openapi: 3.0.2"},
	"nullable-has-a-plain-type":              {"apitoken", "$ref: '#/components/schemas/", "nullable: true, $ref: '#/components/schemas/"},
	"nullable-enum-lists-null":               {"service", "  schemas:\n", "  schemas:\n    Plain: { type: string, description: x, nullable: true, enum: [a, b] }\n"},
	"union-is-discriminated":                 {"apitoken", "  schemas:\n", "  schemas:\n    Either: { description: x, oneOf: [{ $ref: '#/components/schemas/ApiToken_Error' }] }\n"},
	"refusal-is-challenged":                  {"muninx", "            WWW-Authenticate:", "            WWW-Challenge:"},
	"limits-are-known":                       {"service", "x-limits: check\n", "x-limits: checks\n"},
	"too-many-has-its-limit":                 {"muninx", "            RateLimit-Policy:", "            RateLimit-Rule:"},
	"request-is-closed":                      {"service", "      additionalProperties: false\n", ""},
	"own-judgement-needs-a-credential":       {"service", "      x-judges-credential: true\n", "      x-judges-credential: true\n      security: []\n"},
	"no-all-of":                              {"service", "  schemas:\n", "  schemas:\n    Both: { description: x, allOf: [{ $ref: '#/components/schemas/Problem' }] }\n"},
	"no-read-only":                           {"service", "  schemas:\n", "  schemas:\n    Read: { type: object, description: x, required: [id], properties: { id: { type: string, readOnly: true } } }\n"},
	"object-says-what-is-required":           {"service", "  schemas:\n", "  schemas:\n    Loose: { type: object, description: x, properties: { id: { type: string } } }\n"},
	"member-has-a-type":                      {"service", "  schemas:\n", "  schemas:\n    Any2: { type: object, description: x, required: [id], properties: { id: { description: anything } } }\n"},
	"body-is-a-named-schema":                 {"service", "schema: { $ref: '#/components/schemas/Health' }", "schema: { type: object }"},
	"schema-name-is-free":                    {"service", "  schemas:\n", "  schemas:\n    Error: { type: string, description: x }\n"},
	"statuses-are-explicit":                  {"service", "        '429':\n", "        '4XX':\n"},
	"common-statuses-are-listed":             {"muninx", "        '503':\n", "        '504':\n"},
	"guarded-operation-lists-401":            {"muninx", "        '401':\n", "        '402':\n"},
	"operation-with-a-body-lists-its-faults": {"muninx", "        '415':\n", "        '416':\n"},
	"answer-names-its-request":               {"muninx", "            X-Request-Id:", "            X-Request-Number:"},
	"answer-is-written-out":                  {"muninx", "        '429':\n", "        '429': { $ref: '#/components/responses/Shared' }\n        '430':\n"},
	"answer-has-headers":                     {"muninx", "          headers:\n", "          x-headers:\n"},
	"location-is-required":                   {"unleash", "    RequestId:\n      description: Identifies the request in the server's log; the client's own value if it was well-formed.\n      required: true\n", "    RequestId:\n      description: x\n"},
	"one-media-type":                         {"muninx", "            application/problem+json:\n", "            text/plain: { schema: { type: string }, example: x }\n            application/problem+json:\n"},
	"media-type-without-parameters":          {"muninx", "            application/problem+json:\n", "            application/problem+json; charset=utf-8:\n"},
	"answer-has-an-example":                  {"service", "              example:\n                status: ok\n", ""},
	"body-is-required":                       {"muninx", "        required: true\n        content:", "        required: false\n        content:"},
	"operation-id-is-camel-case":             {"muninx", "operationId: ", "operationId: X_"},
	"problem-is-open":                        {"muninx", "additionalProperties: true", "additionalProperties: false"},
	"operation-description":                  {"muninx", "      description: ", "      x-description: "},
	"oas3-valid-media-example":               {"service", "                status: ok\n", "                status: fine\n"},
}

// plant writes the contract with the fault and returns its path.
func plant(t *testing.T, dir, name string, f fault) string {
	t.Helper()
	text, err := os.ReadFile(contracts + f.spec + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), f.right) {
		t.Fatalf("%s: %s has no %q", name, f.spec, f.right)
	}
	path := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), f.right, f.wrong, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSpectralFindsFaults plants one fault a contract. The exceptions in the rules go by file and not by what is in it, so a
// fault has to be found beyond what is said of a mere copy.
func TestSpectralFindsFaults(t *testing.T) {
	dir := t.TempDir()
	args := []string{"lint", "--ruleset", "spectral.yaml", "--format", "json", "--quiet"}
	for rule, f := range faults {
		args = append(args, plant(t, dir, rule, f))
		if same := plant(t, dir, "copy-"+f.spec, fault{spec: f.spec}); !slices.Contains(args, same) {
			args = append(args, same)
		}
	}
	out, err := node(t, "spectral", args...)
	if err == nil {
		t.Error("nothing is wrong with contracts that are wrong")
	}
	var findings []struct{ Code, Source string }
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		t.Fatalf("%v in %.500s", err, out)
	}
	found := map[string]int{}
	for _, finding := range findings {
		found[strings.TrimSuffix(filepath.Base(finding.Source), ".yaml")+" "+finding.Code]++
	}
	for rule, f := range faults {
		if found[rule+" "+rule] <= found["copy-"+f.spec+" "+rule] {
			t.Errorf("the rule %s does not find its fault", rule)
		}
	}
}

// TestEveryRuleHasItsFault keeps the list above complete.
func TestEveryRuleHasItsFault(t *testing.T) {
	text, err := os.ReadFile("spectral.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Rules map[string]any }
	if err := yaml.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	for rule, what := range set.Rules {
		if _, planted := faults[rule]; !planted && what != "off" {
			t.Errorf("no fault shows that the rule %s works", rule)
		}
	}
}

// TestRedoclyFindsFaults plants faults that are not matters of our own style.
func TestRedoclyFindsFaults(t *testing.T) {
	dir := t.TempDir()
	args := []string{"lint", "--config", "redocly.yaml", "--format", "json", "--max-problems", "1000"}
	planted := map[string]fault{
		"no-unresolved-refs":             {"muninx", "#/components/schemas/Problem", "#/components/schemas/Trouble"},
		"no-invalid-media-type-examples": {"service", "                status: ok\n", "                status: fine\n"},
		"struct":                         {"muninx", "paths:\n", "pathes:\n"},
		"security-defined":               {"muninx", "security:\n", "x-security:\n"},
		"operation-4xx-response":         {"service", "        '429':\n", "        '529':\n"},
	}
	for rule, f := range planted {
		args = append(args, plant(t, dir, rule, f))
	}
	out, err := node(t, "redocly", args...)
	if err == nil {
		t.Error("nothing is wrong with contracts that are wrong")
	}
	found := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); { // one document a contract
		var report struct {
			Problems []struct {
				RuleID   string
				Location []struct{ Source struct{ Ref string } }
			}
		}
		if err := decoder.Decode(&report); err != nil {
			t.Fatalf("%v in %.500s", err, out)
		}
		for _, problem := range report.Problems {
			for _, l := range problem.Location {
				found[strings.TrimSuffix(filepath.Base(l.Source.Ref), ".yaml")+" "+problem.RuleID] = true
			}
		}
	}
	for rule := range planted {
		if !found[rule+" "+rule] {
			t.Errorf("the rule %s does not find its fault", rule)
		}
	}
}
