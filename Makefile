# Everything here needs Go and make; nothing is installed, and nothing is built into the
# source tree outside dist/.

STACK ?= dev
PORT ?= 8080
ISSUER_PORT ?= 8081
CONSOLE_PORT ?= 8082
ISSUER ?= local
SCOPES ?=
API ?=
OUTPUTS ?=
DEBUG ?=
AWS ?=
FUZZTIME ?= 30s

# Go prints the module if it is there, and new enough for go.mod, or may download one that is.
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
ifeq ($(shell go list -m 2>/dev/null || true),)
$(error this needs Go $(shell sed -n 's/^go //p' go.mod) or later, from https://go.dev/dl/, or GOTOOLCHAIN=auto; here "go list -m" says: $(shell go list -m 2>&1 || true))
endif
endif

# What answers several requests at a time.
CONCURRENT := ./handlers/authorizer ./handlers/profile ./internal/decision ./internal/endpoint ./internal/jwks \
	./local/build ./local/console ./local/gateway ./local/issuer ./local/lambda ./local/reload ./local/trace

# A hash of what programs may read that a test starts, which the test cache cannot see: the files
# that git would commit, and local values. It is empty without git: then the tests open every
# directory instead, or run again.
HASH = $(shell exec 2>&-; names=$$(git -c core.quotePath=false ls-files --cached --others --exclude-per-directory=.gitignore && find . -maxdepth 1 -name 'local.*.yaml') && \
	echo "$$names" | grep -qx go.mod && hashes=$$(echo "$$names" | git hash-object --no-filters --stdin-paths) && echo "$$names $$hashes" | git hash-object --stdin)

# Chromium, under the names that chromedp looks for.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable)

# Prints nothing where Pulumi is installed.
NEEDS_PULUMI := @command -v pulumi >/dev/null || { echo "pulumi is not installed: https://www.pulumi.com/docs/install/ says how" >&2; exit 1; }

# Every program that a recipe starts runs on this machine, whatever the shell is set to
# build for.
unexport GOOS GOARCH

# Everything is compiled in one way, as any other compiles it once more: without cgo, as the
# functions are, and with -trimpath, so that a copy of the project compiles nothing anew.
export CGO_ENABLED = 0
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -trimpath

.DEFAULT_GOAL := help

##@ Run it

run: ## Run the whole API on this machine (STACK=dev ISSUER=local|stack SCOPES="…" API=… OUTPUTS=dev.json V=1 DEBUG=function AWS=profile|http://127.0.0.1:…, ports: PORT=8080 ISSUER_PORT=8081 CONSOLE_PORT=8082)
	@test -x dist/run || echo "Compiling what serves the API, about a minute the first time on a machine." >&2
	@mkdir -p dist && go build -o dist/run ./local
	@exec dist/run -stack "$(STACK)" -port "$(PORT)" -issuer-port "$(ISSUER_PORT)" -console-port "$(CONSOLE_PORT)" -issuer "$(ISSUER)" -scopes "$(SCOPES)" -api "$(API)" -outputs "$(OUTPUTS)" $(if $(AWS),-aws "$(AWS)") $(if $(DEBUG),-debug "$(DEBUG)") $(if $(V),-v)

help: ## Show this list
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Ask a running API

conform: export CONFORM_TOKEN := $(or $(TOKEN),$(CONFORM_TOKEN))
conform: export CONFORM_TOKEN_WITHOUT_SCOPE := $(or $(TOKEN_WITHOUT_SCOPE),$(CONFORM_TOKEN_WITHOUT_SCOPE))
conform: ## Ask a deployed or local API whether it answers as declared (URL=… [STACK=…] [TOKEN=…] [TOKEN_WITHOUT_SCOPE=…] [FORMAT=json|junit] [V=1])
	@mkdir -p dist && go build -o dist/conform ./local/conform
	@exec dist/conform $(if $(filter json junit,$(FORMAT)),-format "$(FORMAT)") -url "$(URL)" $(if $(filter-out file,$(origin STACK)),-stack "$(STACK)") $(if $(V),-v)

explain: ## Say why a token is refused: make explain STACK=prod [ISSUER=http://…, as make run prints it] [FORMAT=json] < token (without one: check the settings)
	@mkdir -p dist && go build -o dist/explain ./local/explain
	@exec dist/explain -stack "$(STACK)" $(if $(filter http:% https:%,$(ISSUER)),-config "issuer=$(ISSUER)" -config jwksUri=) $(if $(FORMAT),-format "$(FORMAT)")

##@ Policies

access-diff: ## Say who gains or loses access by the policies here (BASE=main [LOG=decisions.jsonl] [FORMAT=markdown|json] [ALLOW_GAINED="why"] [COMPLETE=1])
	@mkdir -p dist && go build -o dist/access-diff ./internal/access/access-diff
	@internal/access/against "$(BASE)" $(if $(LOG),-log "$(LOG)") $(if $(FORMAT),-format "$(FORMAT)") $(if $(COMPLETE),-require-complete) -allow-gained "$(ALLOW_GAINED)"

access-table: ## Write docs/access.md: who may do what
	@go run ./internal/access/access-table

mutants: ## Make small mistakes in each policy and show those that no Rego test notices
	@go run ./internal/mutant/mutants

replay: ## Decide recorded decisions again with the policies of this checkout (LOG=decisions.jsonl)
	@go run ./internal/decision/replay $(LOG)

##@ Test

test test-browser: export FILES = $(HASH)

# Everything is compiled before tests build programs of the same packages: by go list, as go build
# would link 20 commands that nothing runs. What takes longest starts first. Two tests run for each
# processor, as many wait for the processes that they start.
test: ## Test everything that needs Go alone: Go, Rego, and what every stack declares
	@echo "Compiling, which takes minutes the first time on a machine." >&2
	go list -export ./... >/dev/null
	go test -vet=off -p $$((2 * $$(getconf _NPROCESSORS_ONLN))) ./local ./internal/bundle $$(go list ./... | grep -v /local/programs$$)

test-programs: ## Test the local run with other programs than this project (after a change of local/, internal/ or go.mod)
	go test -vet=off -count=1 -timeout 20m ./local/programs

test-browser: ## Test the API and the console in a real browser (needs Chromium)
	FILES="$(addsuffix $(shell "$(CHROMIUM)" --version 2>/dev/null),$(FILES))" go test -C browser $(if $(FILES),,-count=1) ./...

# The race detector needs cgo (https://go.dev/doc/articles/race_detector), and compiles everything
# once more.
test-race: export CGO_ENABLED = 1
test-race: ## Test everything that answers several requests at a time with the race detector (needs a C compiler)
	go test -vet=off -race $(CONCURRENT)

test-axe: ## Test the console against the rules of axe-core (needs Chromium and npm; downloads 0.6 MB)
	go test -C browser -tags axe -count=1 -run Accessibility ./...

screenshot: ## Make docs/console.png anew (needs Chromium)
	go test -C browser -tags screenshot -count=1 -run Screenshot ./...

test-token: ## Leave out each check in the verification of tokens and see that a test notices
	go test -tags mutants -run TestEveryCheckIsNecessary ./internal/token

test-vectors: ## Test token verification against Project Wycheproof (downloads 100 MB once)
	go test -C vectors .

test-provider: ## Sign in at a real OpenID provider and present its tokens (needs Node.js and npm)
	go test -C vectors -count=1 ./oidc

test-adoption: ## Make an adopter's first edits in a copy, and run every command there (some minutes; needs Node.js and npm)
	go test -C adoption -count=1 -timeout 60m ./...

test-long: ## Test under load with handlers being killed
	LONG=1 go test -count=1 -v -run Load ./local/programs

fuzz: ## Look for inputs that break a parser (FUZZTIME=30s each)
	@set -e; mkdir -p dist; cache=$$(go env GOCACHE)/fuzz; \
	for directory in $$(grep -rl --include='*_test.go' '^func Fuzz' handlers internal local | xargs -n 1 dirname | sort -u); do \
		go test -vet=off -c -fuzz . -o dist/fuzz "./$$directory"; \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$directory/*_test.go); do \
			echo "fuzz $$directory $$target"; \
			(cd "$$directory" && "$(CURDIR)/dist/fuzz" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzcachedir "$$cache/$$directory"); \
		done; \
	done

bench: ## Measure speed and size side by side with peers (twenty minutes; ONLY=P5,P16 for some figures; P13 needs Node.js and npm)
	go run -C bench . $(if $(ONLY),-only "$(ONLY)")

test-bench: ## Test that what make bench measures in one process has figures
	go test -C bench ./...

vet: ## Look for suspicious code with go vet
	go vet -tags mutants ./...
	go vet -C adoption ./...
	go vet -C bench ./...
	go vet -C browser -tags axe,screenshot ./...
	go vet -C vectors ./...

lint: vet ## Check style, suspicious code and the workflow (linters are pinned in lint/go.mod)
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run gofmt -w on the files above"; exit 1; }
	go tool -modfile=lint/go.mod staticcheck ./...
	go tool -modfile=lint/go.mod actionlint

vulnerabilities: ## Look for known vulnerabilities that the code can reach (asks vuln.go.dev)
	go tool -modfile=lint/go.mod govulncheck ./...

##@ Change and deploy a stack

review: ## Say what a change does: who gains access, what each stack's preview shows, guard rails (BASE=main STACKS="dev prod")
	@go run ./infra/review changes -base "$(BASE)" $(STACKS)

guard: ## Check what pulumi up would deploy against policies/infra (STACK=dev)
	@go run ./infra/review guard "$(STACK)"

preview: ## Show what pulumi up would change (STACK=dev)
	$(NEEDS_PULUMI)
	pulumi preview --stack "$(STACK)" --diff

up: ## Deploy a stack (STACK=dev)
	$(NEEDS_PULUMI)
	pulumi up --stack "$(STACK)"

drift: ## Compare code and settings that run with those that were deployed (STACK=dev)
	@go run ./infra/review drift "$(STACK)"

deployer-policy: ## Print the IAM policy of the role that deploys a stack (STACK=dev [STATE=s3://BUCKET] [ACCOUNT=…])
	@go run ./infra/permissions -stack "$(STACK)" -state "$(STATE)" $(if $(ACCOUNT),-account "$(ACCOUNT)")

preview-policy: ## Print the IAM policy of the role that previews a stack (STACK=dev [STATE=s3://BUCKET] [ACCOUNT=…])
	@go run ./infra/permissions -preview -stack "$(STACK)" -state "$(STATE)" $(if $(ACCOUNT),-account "$(ACCOUNT)")

##@ Write files

build: ## Build a zip below dist/ for each handler, as pulumi up deploys it
	@go run ./internal/bundle/build $(wildcard handlers/*)

docs: ## Write everything generated anew: pages of docs/, and what a policy may use
	@go run ./infra/docs
	@go test -count=1 -run TestLocalResources ./local/record -update
	@go run ./internal/decision/generate
	@go run ./internal/decision/edits
	@go run ./internal/access/access-table
	@go run ./local/fidelity/page

clean: ## Remove what was built
	rm -rf dist

.PHONY: $(shell awk -F: '/^[a-z-]+:/ { print $$1 }' $(firstword $(MAKEFILE_LIST)))
