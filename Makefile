# Everything goes through .venv, made from a lock with hashes and wheels only.
# The development lock is a superset of the run lock with the same pins, so both
# share one environment: installing the first also satisfies the second.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN_INSTALLED := .venv/.installed-run
DEV_INSTALLED := .venv/.installed-dev

# The example exports end here; judged years later every send would be long final.
DEMO_ENDS := 2026-10-31T20:00:00Z

# A file's tests share what they built, so files and not tests run side by side, in the
# order that shows the quick ones first. Runs of the pipeline wait for the disk at times:
# one more at once than there are processors, and at most four.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
SIDE_BY_SIDE = --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test dev lint build bench new-source always

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

run: $(RUN_INSTALLED) ## land, build, check and publish; example exports when ./inbox is empty
	@if [ -z "$$(ls inbox 2>/dev/null)" ]; then \
		$(BIN)/optout demo inbox && $(BIN)/optout run --now $(DEMO_ENDS); \
	else $(BIN)/optout run $(ARGS); fi

test: $(DEV_INSTALLED) ## run the test suite (ARGS="-k bounce" passes options on)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

dev: $(RUN_INSTALLED) ## open the Dagster UI on this machine only
	$(BIN)/optout dev

lint: $(DEV_INSTALLED) ## check style, types and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy dagster_project
	$(BIN)/sqlfluff lint --processes 0 dbt/models

build: $(RUN_INSTALLED) ## make the wheel in ./dist
	$(PIP) wheel -qq --no-deps --no-build-isolation --wheel-dir dist .

bench: $(DEV_INSTALLED) ## measure time and memory; ARGS=simulation: how often judgements are right
	$(BIN)/python -m benchmarks $(ARGS)

new-source: $(RUN_INSTALLED) ## begin a source: NAME=acme, FROM=export.csv to draft from a file
	@$(if $(NAME),,$(error say which source: make new-source NAME=acme))
	$(BIN)/optout new-source $(NAME) $(if $(FROM),--from $(FROM))

# $(1) is the lock to install. A second call with everything in place takes seconds.
define install
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv --clear .venv
	@echo "Installing $(1) into .venv (a minute or two the first time)"
	@$(PIP) install -qq --require-hashes --only-binary :all: --requirement $(1)
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
endef

$(RUN_INSTALLED): requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

$(DEV_INSTALLED): requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $(RUN_INSTALLED) $@

# An environment whose interpreter has been removed is made again.
ifeq ($(realpath $(BIN)/python),)
$(RUN_INSTALLED) $(DEV_INSTALLED): always
endif
