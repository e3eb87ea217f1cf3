# `make` lists the targets. Needs Go, git and a POSIX shell; every other tool is pinned in tools.mod or go.mod and
# built from source. Written for GNU make 3.81, which macOS still ships.

SHELL := /bin/sh
GO ?= go
TOOL := GO='$(GO)' sh scripts/tool.sh
# The packages of all modules of the workspace, for tools that do not know the pattern `work`.
WORK = $(shell $(GO) list -m -f '{{.Dir}}/...')

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME ?= 10s
BENCHTIME ?= 5s

# The race detector needs a C compiler, the product does not.
RACE ?= $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)

.DEFAULT_GOAL := help
.PHONY: check release-check release-snapshot oasdiff help run build test gen gen-check lint fmt tidy vuln fuzz bench bench-quick bench-scale benchmarks postgres pgbouncer gateways node browser clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Without inlining a first build takes a third less time. The binary of `make build` runs faster.
run: GCFLAGS = -gcflags=all=-l
run: build ## Build the server and run it on SQLite
	bin/tokenwright serve

build: ## Build the static binary bin/tokenwright
	@echo 'Building bin/tokenwright; the first build takes some minutes.'
	CGO_ENABLED=0 $(GO) build -trimpath $(GCFLAGS) -ldflags '-s -w -X main.version=$(VERSION)' \
		-o bin/tokenwright ./cmd/tokenwright

test: postgres pgbouncer gateways node browser oasdiff ## Run all tests, on SQLite and on PostgreSQL
	@$(TOOL) gotestsum --format pkgname-and-test-fails --raw-command -- sh scripts/test.sh -shuffle=on $(RACE)

check: ## Run the fast tests on SQLite; needs only Go
	$(GO) test -short ./internal/... ./store ./handlers/... ./verify/...

gen: ## Generate the code from the specs
	$(GO) generate ./...

gen-check: ## Fail if the generated code does not match the specs or is not committed
	@GO='$(GO)' sh scripts/gencheck.sh

lint: ## Check style, import arrows and workflows
	$(TOOL) golangci-lint run $(WORK)
	$(GO) vet work
	@GO='$(GO)' sh scripts/tidy.sh -diff
	$(GO) test -count=1 ./test/arrows
	cd test/clients && GO='$(GO)' sh ../../scripts/tool.sh golangci-lint run
	cd test/clients && $(GO) vet ./...
	cd test/clients && $(GO) mod tidy -diff
	$(TOOL) actionlint
	sed -n '/^```yaml$$/,/^```$$/p' docs/ci.md | sed '1d;$$d' | $(TOOL) actionlint -

fmt: ## Format the code
	$(TOOL) golangci-lint fmt

tidy: ## Update go.mod and go.sum of each module to match its imports
	@GO='$(GO)' sh scripts/tidy.sh

vuln: ## Check the code that is called for known vulnerabilities
	@GO='$(GO)' sh scripts/vuln.sh

fuzz: ## Run each fuzz target for FUZZTIME
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' sh scripts/fuzz.sh

bench: postgres ## Measure the server beside its yardsticks for seven minutes, into bench/results
	$(GO) run ./bench run

bench-quick: postgres ## Print the ratios of the server to its yardsticks, within about a minute
	@$(GO) run ./bench run --quick

bench-scale: postgres ## Compare databases of millions of tokens with small ones, which takes long and needs 20 GB of disk
	$(GO) run ./bench scale --out bench/results/scale.md

benchmarks: ## Run the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

postgres: ## Install PostgreSQL for the tests if it is missing
	@sh scripts/get-postgres.sh

oasdiff: ## Build the tool that finds breaking changes in the contracts
	@GOWORK=off $(GO) build -modfile=tools.mod -o bin/oasdiff github.com/oasdiff/oasdiff

pgbouncer: ## Install PgBouncer for the tests if it is missing
	@sh scripts/get-pgbouncer.sh

gateways: ## Install nginx and Caddy for the tests if they are missing
	@sh scripts/get-gateways.sh

node: ## Install Node.js and its packages for the tests if they are missing
	@sh scripts/get-node.sh

browser: ## Install Chromium for the tests if it is missing
	@sh scripts/get-browser.sh

# Downloads what the tests of generated clients need; the tests themselves download nothing.
.PHONY: clients-setup clients-gen clients-java
test: clients-setup
clients-setup: node ## Install the client generators for the tests, and generate the clients that are not committed
	@sh scripts/get-python.sh
	@GO='$(GO)' sh scripts/get-ogen.sh
	@$(GO) tool -n oapi-codegen >/dev/null

clients-gen: node ## Generate the types of the TypeScript client from the specs
	cd clients/typescript && node scripts/generate.mjs

clients-java: ## Test the Java clients, which takes longer
	@sh scripts/get-java.sh
	cd test/clients && $(GO) test -count=1 -tags java -run Java .

.PHONY: contract contract-long contract-mutants contract-tools
CONTRACT = $(GO) test -count=1 -v -tags contract ./test/contract -parallel 2

contract: postgres contract-tools ## Run the contract tests with all tools on both databases
	$(CONTRACT) -run TestTools -timeout 15m

contract-long: postgres contract-tools ## Run the contract tests for much longer, with new random values
	$(CONTRACT) -run TestTools -long -timeout 4h

contract-mutants: contract-tools ## Show which injected faults the contract tests catch
	$(CONTRACT) -run TestMutants -timeout 1h

contract-tools: ## Install the tools for the contract tests if they are missing
	@sh scripts/get-contract-tools.sh

.PHONY: flood
flood: postgres ## Show how fast a revoke is while thousands of connections create tokens
	$(GO) test -count=1 -v -tags attacks -run Flood -timeout 10m ./test/attacks

.PHONY: attacks
attacks: postgres ## Kill, freeze and load the shipped program as attackers and outages do, for some minutes
	$(GO) test -count=1 -v -tags attacks -skip Flood -timeout 30m ./test/attacks
	$(GO) test -count=17 -run TestRevokeAgainstCacheFill -timeout 30m ./handlers
	$(GO) test -count=1 -run TestMintingChains -timeout 30m ./handlers -rapid.checks=625

# Without the race detector, which changes the figures.
.PHONY: allocations
test: allocations
allocations: ## Compare how often requests allocate memory with the committed bounds
	$(GO) test -count=1 -tags allocations -run '^TestAllocations' ./handlers/... ./internal/... ./store

release-check: ## Fail if this commit cannot be released as VERSION
	@VERSION='$(VERSION)' sh scripts/release-check.sh

release-snapshot: node ## Build the files of a release into dist
	@GO='$(GO)' VERSION='$(or $(VERSION),snapshot)' sh scripts/release.sh

clean: ## Remove build output
	rm -rf bin dist
	$(GO) clean -testcache
