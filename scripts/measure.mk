# Measuring. The figures are in scripts/measure/FIGURES.md.

.PHONY: bench
bench: setup ## measure, and print ratios (ARGS=batch for a part)
	go run ./scripts/measure/bench $(ARGS)

.PHONY: load
load: setup local ## put the local stack under load for ten minutes (ARGS="-for 1m"; BACKEND=lambda for the built binaries)
	go run ./scripts/measure/load $(ARGS)

.PHONY: cost
cost: setup ## compute what the service costs from what it uses here
	go run ./scripts/measure/cost

.PHONY: budget
budget: setup ## hold the sizes of the functions' binaries against those that are written down (ARGS=-write writes them)
	go run ./scripts/measure/budget $(ARGS)
