# Resurface. `make` alone lists the targets; `make run` and `make test` set everything up themselves.
#
#   PYTHON=python3.12     the interpreter that .venv is made with
#   VENV=/some/folder     where the virtual environment lives
#   PYTEST_ARGS="-k name" run chosen tests, without the coverage gate
#   TORTURE_ARGS="--piece NAME --size quick --seed N"

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON ?=
PYTEST_ARGS ?=
TORTURE_ARGS ?=

BIN := $(VENV)/bin
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PIP := $(BIN)/python -m pip install -qq --no-input --disable-pip-version-check
BENCHES = $(patsubst bench/%.py,bench.%,$(shell grep -ls '^if __name__' bench/*.py))

# One more than there are cores, for tests wait for other programs half of the time. A file's tests
# stay together, for some of them add up what the others have seen.
CORES := $(shell getconf _NPROCESSORS_ONLN)
SIDE_BY_SIDE = -n $(shell expr $(CORES) + 1) --maxprocesses 4 --dist loadfile

# Quick parts first, so that a broken rule shows before a browser starts.
QUICK := tests/flows tests/storage tests/clinic tests/bot
SLOW := tests/journeys tests/browser
OTHER = $(filter-out $(QUICK) $(SLOW) tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))
TESTS = $(wildcard $(QUICK)) $(OTHER) $(wildcard tests/test_*.py) $(wildcard $(SLOW))

# Scripts in .venv name this folder and their interpreter: a copied or moved clone, or another
# PYTHON, gets a new one.
ifneq ($(wildcard $(MADE)),)
    ifneq ($(shell cat $(MADE)),$(CURDIR))
        $(shell rm -f $(MADE) $(RUNTIME) $(DEV))
    endif
    VERSION := -c 'import sys; print(sys.version)' 2>&1
    ifneq ($(PYTHON),)
        ifneq ($(shell $(PYTHON) $(VERSION)),$(shell $(BIN)/python $(VERSION)))
            $(shell rm -f $(MADE) $(RUNTIME) $(DEV))
        endif
    endif
endif

# $(call quietly,name,command): one line when it passes, the whole output when it fails.
define quietly
@if out=$$($(2) 2>&1); then printf '  %-9s ok\n' '$(1)'; \
else printf '  %-9s FAILED\n%s\n' '$(1)' "$$out"; exit 1; fi
endef

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

.PHONY: run
run: $(RUNTIME) ## Start the playground, or the clinic's bot when TELEGRAM_BOT_TOKEN is set
	@exec $(BIN)/resurface run

.PHONY: setup
setup: $(RUNTIME) ## Install what `resurface` needs into .venv

.PHONY: test
test: $(DEV) ## Run all tests; flows/ must be covered wholly, everything by 90 %
ifeq ($(strip $(PYTEST_ARGS)),)
	@rm -f .coverage .coverage.*
	@$(BIN)/pytest -q -rs $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(TESTS)
	@$(BIN)/coverage report --include='flows/*' --fail-under=100 >$(VENV)/coverage.txt || { \
		cat $(VENV)/coverage.txt; echo "flows/ must be covered wholly" >&2; exit 1; }
	@$(BIN)/coverage report --fail-under=90 >$(VENV)/coverage.txt || { \
		cat $(VENV)/coverage.txt; echo "at least 90 % must be covered" >&2; exit 1; }
else
	@$(BIN)/pytest -rs $(PYTEST_ARGS)
endif

.PHONY: check
check: check-format check-lint check-types check-imports check-texts check-diagram check-docs ## Check format, lint, types, imports, protocol, diagram, docs

.PHONY: check-format check-lint check-types check-imports check-texts check-diagram check-docs
check-format: $(DEV)
	$(call quietly,format,$(BIN)/ruff format --check .)
check-lint: $(DEV)
	$(call quietly,lint,$(BIN)/ruff check .)
check-types: $(DEV)
	$(call quietly,types,$(BIN)/mypy)
check-imports: $(DEV)
	$(call quietly,imports,$(BIN)/lint-imports --no-logo)
check-texts: $(DEV)
	$(call quietly,protocol,$(BIN)/resurface protocol check)
check-diagram: $(DEV)
	$(call quietly,diagram,$(BIN)/python -m tests.architecture.diagram --check)
check-docs: $(DEV)
	$(call quietly,documents,$(BIN)/pytest -q tests/test_docs.py tests/test_architecture.py)

.PHONY: bench
bench: $(DEV) ## Measure the project; each bench prints its own figures
	@for bench in $(BENCHES); do echo "== $$bench"; $(BIN)/python -m $$bench || exit 1; done

.PHONY: torture
torture: $(DEV) ## Try every promise about faults at full size (hours); TORTURE_ARGS
	@$(BIN)/python -m tests.faults.torture $(TORTURE_ARGS)

.PHONY: compose-test
compose-test: $(DEV) ## Bring docker-compose.yml up, let patients book while bots are killed; needs Docker
	@$(BIN)/python -m tests.compose

.PHONY: screenshots
screenshots: $(DEV) ## Take the pictures of docs/images in a real browser
	@$(BIN)/python -m tests.browser.screenshots

.PHONY: diagram
diagram: $(DEV) ## Write the state diagram of docs/dialogue.md from the code
	@$(BIN)/python -m tests.architecture.diagram

.PHONY: clean
clean: ## Remove .venv and every cache; data in var/ stays
	@rm -rf $(VENV) .coverage .coverage.* htmlcov dist \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(wildcard bot clinic flows storage tests bench) -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up. A stamp a lock file: a second run costs nothing, a changed lock is installed again. The
# locks name every package, so pip need not look for others: asked for `coverage[toml]>=7` beside a
# pinned `coverage`, older ones take a newer release, which has no hash, and stop.
$(MADE):
	@found=; bare=; old=; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		$$python -c 'import sys' 2>/dev/null || continue; \
		if ! $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
			old="$$old $$python"; \
		elif ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
			bare="$$bare $$python"; \
		else found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
		echo "found$$bare, but without the venv module: install it (Debian, Ubuntu:" \
			"apt-get install python3-venv) and run make again" >&2; exit 2; \
	elif [ -z "$$found" ]; then \
		echo "Python 3.11 or newer is needed$${old:+, found only older:$$old}; install one, or" \
			"name it: make PYTHON=/path/to/python3.12" >&2; exit 2; \
	fi; \
	echo "Setting up $(VENV) with $$($$found --version); this is done once"; \
	$$found -m venv --clear $(VENV)
	@echo '$(CURDIR)' >$@

$(RUNTIME): requirements.lock pyproject.toml | $(MADE)
	@echo "Installing the packages of requirements.lock"
	@$(PIP) --require-hashes --no-deps -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The second lock holds the first one, so `make run` has nothing to add after `make test`.
$(DEV): requirements-dev.lock requirements.lock pyproject.toml | $(MADE)
	@echo "Installing the packages of requirements-dev.lock"
	@$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@
