# Everything that a developer or CI calls. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Of each target of `make fuzz`, and where what it finds and learns is kept.
SECONDS ?= 60
FUZZED := build/fuzz

# How the smaller locks are written: what runs in a container, and what checks and documents it.
LOCKED := --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url --no-annotate --quiet

CHART := deploy/helm/rooftree
MANIFESTS := deploy/kubernetes
KUBERNETES := 1.33

# `--strict`: what the registry does not tell of counts as a fault too.
AUDIT ?= --strict

# Test files at work at once, each with servers of its own.
WORKERS ?= 2
SHARED := --dist loadfile --no-loadscope-reorder
SERVERS := tests/integration tests/faults tests/acceptance tests/benchmarks

.DEFAULT_GOAL := help
.PHONY: help install up test test-kafka faults load lint format bench bench-guard fuzz schemas deploy-check chart lock clean docs sbom audit

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED) ## Make .venv with everything in it, from the lock

$(INSTALLED): requirements/all.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/all.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

up: install ## Run everything on this machine, with demo data; Ctrl-C stops it
	$(BIN)/rooftree up

test: install ## Run the tests
	$(BIN)/pytest -n $(WORKERS) $(SHARED)

test-kafka: install ## Run the tests that the broker matters to on Apache Kafka; needs Java 17 and Maven
	ROOFTREE_TEST_BROKER=kafka $(BIN)/pytest -n $(WORKERS) $(SHARED) -m 'not any_broker' $(SERVERS)

faults: install ## Disturb the service on Apache Kafka, two hundred rounds of random faults
	ROOFTREE_TEST_BROKER=kafka ROOFTREE_TEST_FAULT_ROUNDS=$${ROOFTREE_TEST_FAULT_ROUNDS:-200} \
		$(BIN)/pytest -s tests/faults

load: install ## Measure ten minutes of sustained load on Apache Kafka, beside its floors
	ROOFTREE_TEST_BROKER=kafka $(BIN)/python -m tests.benchmarks.load

lint: install ## Formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## Run the benchmarks, each beside its floor
	$(BIN)/rooftree bench --report build/bench

bench-guard: install ## Hold ratios to their floors against those that were accepted
	$(BIN)/rooftree bench --size small --scenario latency --scenario throughput --scenario fan-out \
		--accepted tests/benchmarks/accepted.json

fuzz: install ## Fuzz all that reads bytes, SECONDS=60 for each target; needs Linux on x86
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/fuzz.txt
	@mkdir -p $(FUZZED)
	for target in json aws change policy snapshot time view; do \
		$(BIN)/python -m tests.fuzz $$target $(FUZZED)/$$target -max_total_time=$(SECONDS) -timeout=20 \
			-rss_limit_mb=2500 -max_len=65536 -artifact_prefix=$(FUZZED)/$$target- || exit 1; \
	done

schemas: install ## Write schemas/ and docs/reference/ anew from the code
	$(BIN)/python -m rooftree.reference

lock: install ## Write the lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --universal --python-version 3.11 \
		--no-header --no-emit-index-url --quiet --output-file requirements/all.txt
	$(BIN)/uv pip compile pyproject.toml --extra aws --constraint requirements/all.txt $(LOCKED) --output-file requirements/service.txt
	echo hatchling | $(BIN)/uv pip compile - --constraint requirements/all.txt $(LOCKED) --output-file requirements/build.txt
	for part in deploy docs release; do \
		$(BIN)/uv pip compile requirements/$$part.in --constraint requirements/all.txt $(LOCKED) --output-file requirements/$$part.txt; \
	done

deploy-check: install ## Check what is in deploy/ and the topics by the tools made for it; needs promtool and npm
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/deploy.txt
	$(BIN)/hadolint deploy/container/Dockerfile
	$(BIN)/python deploy/checks/compose.py deploy/compose/compose.yaml
	$(BIN)/kubernetes-validate --strict --quiet --no-warn -k $(KUBERNETES) $(MANIFESTS)/*.yaml
	promtool check rules $(CHART)/files/rules.yaml
	promtool test rules $(CHART)/files/rules.test.yaml
	@mkdir -p build/npm
	cp deploy/checks/package.json deploy/checks/package-lock.json build/npm
	npm ci --silent --ignore-scripts --prefix build/npm
	node deploy/checks/asyncapi.mjs schemas/asyncapi.json build/npm

docs: install ## Build the manual into build/site
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

sbom: install ## List what the image installs, as CycloneDX, in build/sbom.json
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/release.txt
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
		--output-file build/sbom.json requirements/service.txt

audit: install ## Ask for known vulnerabilities of what the image installs; needs PyPI's service
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/release.txt
	$(BIN)/pip-audit $(AUDIT) --require-hashes --disable-pip --requirement requirements/service.txt

chart: ## Lint the chart and write the manifests that it renders anew; needs helm
	helm lint --strict $(CHART) --values $(CHART)/ci/everything.yaml
	helm template rooftree $(CHART) --namespace rooftree --kube-version $(KUBERNETES) > $(MANIFESTS)/default.yaml
	helm template rooftree $(CHART) --namespace rooftree --kube-version $(KUBERNETES) \
		--values $(CHART)/ci/everything.yaml > $(MANIFESTS)/everything.yaml

clean: ## Remove what was built
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
