# Blindcount. `make` lists what there is; `make demo` shows it; `make test` proves it.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MOBILE := $(VENV)-mobile
SYSTEM := $(PYTHON) -m server.cli.system_packages
PYTEST := $(BIN)/python -m pytest
# A file's tests stay together: what they share (a PostgreSQL, a drawn shelf) is made once.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset demo-check test check lint types contracts test-python test-mobile browser \
	format bench bench-decode bench-peers soak clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## the virtual environment with everything in it

$(VENV)/.ready: pyproject.toml server/cli/system_packages.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Blindcount needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Say: make PYTHON=python3.12 ..."; exit 1; }
	@$(SYSTEM) opencv scanner
	@echo "Making $(VENV) and installing the packages (a minute or two the first time) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. Type: sudo apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[server,desktop,dev]' 2>$(VENV)/pip.log \
		| sed -u -n -e 's/^Collecting \([A-Za-z0-9_.-]*\).*/  getting \1/p' -e 's/^Installing.*/  installing .../p' ; \
		[ $${PIPESTATUS[0]} -eq 0 ] || { cat $(VENV)/pip.log; echo "The packages could not be installed (see above). Is there a network?"; exit 1; }
	@touch $@

demo: setup ## server, story, a counter's and a supervisor's screen in the browser; Ctrl-C ends all
	@$(BIN)/blindcount demo

demo-reset: setup ## the same, starting the story afresh
	@$(BIN)/blindcount demo --reset

demo-check: setup browser ## plays the whole loop by itself and says which step failed
	@$(BIN)/python -m tests.loop

test: setup browser check test-python test-mobile ## everything: lint, types, contracts, all tests, real browser

check: lint types contracts

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

# Three processes: Playwright's running loop must not meet tests that start loops of their own.
test-python: setup
	@$(PYTEST) -q -m "not browser" $(SIDE_BY_SIDE)
	@$(PYTEST) -q -m browser --ignore=tests/loop
	@$(PYTEST) -q tests/loop

browser: setup
	@$(BIN)/python -m server.cli.system_packages browser

test-mobile: $(MOBILE)/.ready ## the client's tests with the package versions a phone gets
	@BLINDCOUNT_LANE=mobile $(MOBILE)/bin/python -m pytest -q -p no:cacheprovider tests/app tests/contract -m "not browser" $(SIDE_BY_SIDE)

# zxing-cpp is there to draw labels for the tests; what reads them is what a phone has.
$(MOBILE)/.ready: pyproject.toml constraints/mobile.txt
	@echo "Making $(MOBILE): only what a phone gets ..."
	@$(PYTHON) -m venv $(MOBILE)
	@$(MOBILE)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints/mobile.txt \
		$$($(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"])' | \
		sed 's/ /\n/g') pytest pytest-xdist hypothesis 'zxing-cpp>=3.1,<4'
	@touch $@

bench: setup ## measure: each figure beside its floor, in one run (BENCH="ledger sync" for some)
	@$(BIN)/python -m tests.bench $(BENCH)

PHOTOS ?= photos
bench-decode: setup ## read a set of labelled photos with ours and with each engine alone (PHOTOS=folder with manifest.jsonl)
	@$(BIN)/python -m tests.bench.decode_bench --photos $(PHOTOS)

bench-peers: setup ## measure beside Tryton and PouchDB doing the same work (PEER=pouchdb for one)
	@$(BIN)/python -m tests.bench.peers $(PEER)

soak: setup ## seeded bugs, N=100000 random histories (each twice), KILLS=200 SIGKILLs; SEED=0 is the first
	@$(BIN)/python -m tests.simulation.seeded_bugs
	@$(BIN)/python -m tests.simulation --count $(or $(N),100000) --first $(or $(SEED),0)
	@$(BIN)/python -m tests.kills --kills $(or $(KILLS),200) --first $(or $(SEED),0)

format: setup ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove what was made here, the demo's data included
	@rm -rf $(VENV) $(MOBILE) .demo .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis
