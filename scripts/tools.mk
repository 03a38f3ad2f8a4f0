# An operator's tools.

.PHONY: invoke
invoke: setup ## pass a sample to a function of the running stack (FUNCTION=notify EVENT=grant.created; none: lists them)
	@go run ./scripts/tools/invoke $(if $(URL),-url '$(URL)') $(FUNCTION) $(EVENT)
