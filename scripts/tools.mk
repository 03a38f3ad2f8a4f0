# An operator's and our own tools.

.PHONY: invoke
invoke: setup ## pass a sample to a function of the running stack (FUNCTION=notify EVENT=grant.created; none: lists them)
	@go run ./scripts/tools/invoke $(if $(URL),-url '$(URL)') $(FUNCTION) $(EVENT)

# Nothing depends on the day it runs: the tests, and the programs that they build, with another date. The engines and Cognito's are programs of their own, and keep theirs.
AT ?= 2028-02-29T12:00:00Z

.PHONY: test-date
test-date: setup ## run tests as if it were another day (AT=2028-02-29T12:00:00Z PKG=./shared/...)
	overlay=$$(go run ./scripts/tools/clock -goroot "$$(go env GOROOT)" -at $(AT)) && \
	NODE_OPTIONS="--require $${overlay%/*}/date.cjs" GOFLAGS="-overlay=$$overlay" go test -shuffle=on -timeout 30m $(PKG)

.PHONY: npm
npm: setup ## build and pack the npm package partner-access into .build/npm
	npm --prefix scripts run --silent npm
	cd .build/npm && npm pack --silent --pack-destination . ./package
