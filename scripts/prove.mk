# The long proofs. make test runs each of them shortened.

# The sentences of the reference products' documents stand in scripts/prove/spec/testdata/sentences.txt, each with the test that shows it.
.PHONY: features
features: setup ## run what shows each sentence of the reference products' documents, and print a line for each
	@go run ./scripts/tools/features

# What integrators make of the contract: Go clients and a server of two generators, and a TypeScript client, which have to compile, and the
# flow of scripts/prove/contract through each client, watched by libopenapi-validator. What these import is fetched; no vet,
# which would read all of it. hey-api's newer versions need Node 22.
OAPI_CODEGEN := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
OGEN         := github.com/ogen-go/ogen/cmd/ogen@v1.24.0
HEY_API      := @hey-api/openapi-ts@0.90.0
SPECTRAL     := @stoplight/spectral-cli@6.16.3

.PHONY: test-contract
test-contract: setup ## lint openapi.yaml, generate clients with oapi-codegen, ogen and hey-api, run a flow through each (needs the network)
	rm -rf .build/contract && mkdir -p .build/contract/oapi .build/contract/ogen .build/contract/flow .build/contract/js/src
	go build -o .build/local ./scripts/local
	go run $(OAPI_CODEGEN) -generate types,client,skip-prune -package oapi -o .build/contract/oapi/oapi.go shared/httpapi/openapi.yaml
	go run $(OGEN) --target .build/contract/ogen --package ogen shared/httpapi/openapi.yaml 2>.build/contract/ogen.log || \
		{ grep -v '^INFO\|^WARN' .build/contract/ogen.log >&2; exit 1; }
	cp scripts/prove/contract/testdata/*_test.go .build/contract/flow
	npm install --prefix $(TOOLS)/contract --no-audit --no-fund --ignore-scripts --loglevel=error $(HEY_API) $(SPECTRAL) typescript@5.9.3
	$(TOOLS)/contract/node_modules/.bin/spectral lint --fail-severity hint -r scripts/prove/contract/testdata/spectral.yaml shared/httpapi/openapi.yaml
	$(TOOLS)/contract/node_modules/.bin/openapi-ts --silent -i shared/httpapi/openapi.yaml -o .build/contract/js/src/hey
	cp scripts/prove/contract/testdata/flow.ts .build/contract/js/src && cp scripts/prove/contract/testdata/tsconfig.json .build/contract/js
	scripts/node_modules/.bin/tsc --project .build/contract/js
	cd .build/contract && go mod init contract && \
		go get github.com/oapi-codegen/runtime@v1.9.0 github.com/ogen-go/ogen@v1.24.0 github.com/pb33f/libopenapi-validator@v0.16.2 && \
		go mod tidy && go build ./oapi ./ogen && ROOT='$(CURDIR)' go test -vet=off -count=1 ./flow

# What is about the table and the promises; the race detector has seen all of it on the other engine.
.PHONY: test-engines
test-engines: export DYNAMODB := dynamodb-local
test-engines: export AWS_ENDPOINT_URL_DYNAMODB :=
test-engines: setup java ## run the tests of the table and of the whole service on Amazon's DynamoDB Local, too (needs Java 17; SHORT=1 for a part)
	go test $(filter-out -race,$(TEST_FLAGS)) -timeout 20m ./scripts/local/engine ./shared/dynamo ./shared/setup/... ./scripts/prove/histories
	go test $(filter-out -race,$(TEST_FLAGS)) -timeout 30m $(if $(SHORT),-run 'Race|AtOnce|Meanwhile|While|Webhook|Feed|History') ./scripts/prove/spec

.PHONY: java
java:
	@version=$$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1); \
	if [ "$${version:-0}" -lt 17 ]; then \
		echo "DynamoDB Local needs Java 17 or newer; found: $${version:-none}. Debian: apt-get install default-jre-headless" >&2; \
		exit 1; \
	fi

# Proofs for as long as one likes. Those of make test are the same, shortened.
OPS      ?= 100000
SEED     ?=
FUZZTIME ?= 200000x
ROUNDS   ?= 20

.PHONY: prove-histories
prove-histories: setup ## let 16 clients collide, judged by porcupine (OPS=100000 SEED=n; DYNAMODB=dynamodb-local for the other engine)
	go run ./scripts/prove histories -ops $(OPS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-trust
prove-trust: setup ## let a partner's people do all that they can against the customers, judged by what these have consented to (OPS=100000 SEED=n)
	go run ./scripts/prove trust -steps $(OPS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-alike
prove-alike: setup ## ask 100,000 random questions of the service, of the function and of the table itself, and compare the answers (OPS, SEED)
	go run ./scripts/prove alike -questions $(OPS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-input
prove-input: setup ## send 100,000 bad requests, made from openapi.yaml (OPS, SEED)
	go run ./scripts/prove input -requests $(OPS) $(if $(SEED),-seed $(SEED))

# A line for each fuzz target: its folder and its name. FUZZTIME is a number of inputs, since before Go 1.27 fuzzing for a time fails now and then when
# it is over (https://go.dev/issue/75804).
FUZZ_TARGETS = grep -rHo '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' events functions scripts/local shared | sed 's,/[^/]*:func , ,' | sort

.PHONY: fuzz
fuzz: setup ## look for inputs that break a decoder (FUZZTIME=200000x each; what breaks one stays under testdata/fuzz)
	@set -eo pipefail; $(FUZZ_TARGETS) | while read -r folder target; do \
		echo "$$folder $$target"; go test ./$$folder -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) < /dev/null; done

# Go's cache grows with what reached new code; as files under testdata/fuzz these inputs are where every test and every fuzzing begins.
.PHONY: fuzz-keep
fuzz-keep: setup ## keep the inputs that reached new code in fuzzing here
	@set -eo pipefail; $(FUZZ_TARGETS) | while read -r folder target; do \
		found=$$(go env GOCACHE)/fuzz/partneraccess/$$folder/$$target; \
		if [ -d "$$found" ]; then mkdir -p $$folder/testdata/fuzz/$$target && cp "$$found"/* $$folder/testdata/fuzz/$$target/; fi; done

.PHONY: prove-crash
prove-crash: setup local ## kill the whole stack in the middle of traffic, 20 times, and look at what is left (ROUNDS, SEED; DYNAMODB=dynamodb-local)
	go run ./scripts/prove crash -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))
	go run ./scripts/prove crash -bulk -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-isolation
prove-isolation: setup ## let every kind of caller ask for what is another's, in every spelling (minutes)
	go test ./scripts/prove/spec -count=1 -v -timeout 60m -run 'NoSpelling|OfAnotherOrganisation|ForgedCursor|TellsStrangers|ForeignAndMissing|OnlyTheAddress' -all

.PHONY: prove-faults
prove-faults: setup ## fail every call of AWS of every use case in every way (minutes; WAYS=telling: in the ways that tell most)
	go test ./scripts/prove/faults -v -parallel 8 -timeout 60m -ways $(or $(WAYS),all)

# The flows share one browser and one stack, and make test goes on without them.
.PHONY: test-pages
test-pages: setup ## go through the pages in Chromium, as their users would (minutes; CONSOLE_FLOW=word for those with it in their name, SHORT=1)
	CONSOLE_SHORT=$(SHORT) go test ./scripts/console -v -count=1 -timeout 30m

# The specification goes through every handler. With the detector it takes more than twice as long.
.PHONY: test-race
test-race: setup race-note ## run the specification with the race detector (minutes; TEST=AtOnce for a part)
	go test $(TEST_FLAGS) -count=1 -timeout 20m ./scripts/prove/spec

.PHONY: test-lambda
test-lambda: setup ## run the scenario with the functions' binaries as Lambda runs them, with the environment of the CDK's template
	BACKEND=lambda AWS_ENDPOINT_URL_LAMBDA= AWS_ENDPOINT_URL_DYNAMODB= SERVICE_URL= IDENTITY= go test -count=1 -timeout 30m ./scripts/prove/e2e
