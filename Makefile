# Every target makes .venv and installs what it needs; nothing is installed again until pyproject.toml or
# constraints.txt changes. Another interpreter: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANIFESTS := pyproject.toml constraints.txt
RUN := env -u PYTHONPATH $(BIN)
ARGS ?=

.PHONY: run serve test test-fast conformance bench lint clean
.DELETE_ON_ERROR:

run: $(VENV)/.installed-run ## the main job: train on the handwritten digits
	$(RUN)/latebind run digits --config config/default.yaml $(ARGS)

serve: $(VENV)/.installed-serve models/digits.npz ## the digits model over HTTP; trains it first if it is not there
	$(RUN)/latebind serve --config config/serve.yaml $(ARGS)

models/digits.npz: | $(VENV)/.installed-serve
	$(RUN)/latebind run digits --config config/default.yaml -- --save $@

test: $(VENV)/.installed-dev ## all tests
	$(RUN)/python -m pytest -n 2 $(ARGS)

test-fast: $(VENV)/.installed-dev ## unit and property tests, few examples each
	$(RUN)/python -m pytest -n 2 -m "not slow" --hypothesis-profile=quick tests/unit tests/property $(ARGS)

conformance: $(VENV)/.installed-suite ## the array API standard's own test suite on numpy, xla and torch
	$(RUN)/python -m tests.conformance.array_api $(if $(ARRAY_API_TESTS),--suite '$(ARRAY_API_TESTS)') $(ARGS)

bench: $(VENV)/.installed-bench ## ratios against the peers, measured in one run
	$(RUN)/python -m tests.benchmarks $(ARGS)

lint: $(VENV)/.installed-dev ## style, types, layers
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy --strict app/latebind
	$(RUN)/lint-imports

clean: ## everything that the other targets made
	rm -rf $(VENV) models build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench-results
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf app/latebind.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "latebind needs Python 3.11 or later, but '$(PYTHON)' is not: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: EXTRAS := digits,xla
$(VENV)/.installed-serve: EXTRAS := digits,xla,serve
$(VENV)/.installed-dev: EXTRAS := digits,xla,torch,serve,dev
$(VENV)/.installed-suite: EXTRAS := digits,xla,torch,serve,dev,suite
$(VENV)/.installed-bench: EXTRAS := digits,xla,torch,serve,dev,bench
$(VENV)/.installed-run $(VENV)/.installed-serve $(VENV)/.installed-dev $(VENV)/.installed-suite $(VENV)/.installed-bench: $(MANIFESTS) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@
