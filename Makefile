# Every target works as the first command on a fresh Debian 12 machine with Python 3.11 and root.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
ARGS ?=
K ?=

.PHONY: help run test lint format lock bench-issue bench-ledger clean venv

help: ## show this help
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(STAMP) ## make the virtual environment from the lock file

$(STAMP): requirements.lock pyproject.toml
	@echo "making $(VENV) from requirements.lock"
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  (apt-get update -qq && apt-get install -y -qq python3.11-venv)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: $(STAMP) ## play the demo: make run ARGS="--story break-glass --once"
	@$(BIN)/locum demo $(ARGS)

test: $(STAMP) .build/test-packages ## run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(K),-k '$(K)') $(ARGS)

.build/test-packages:
	@mkdir -p .build
	@command -v strace >/dev/null || (apt-get update -qq && apt-get install -y -qq strace)
	@touch $@

.build/bench-packages:
	@mkdir -p .build
	@command -v wrk >/dev/null || (apt-get update -qq && apt-get install -y -qq wrk)
	@touch $@

lint: $(STAMP) ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

lock: $(STAMP) ## resolve the dependencies anew, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --no-sources --python-version 3.11 --extra dev --upgrade \
	  --output-file requirements.lock pyproject.toml

bench-issue: $(STAMP) .build/bench-packages ## issue and check tokens, beside OpenBao
	@$(BIN)/python -m bench.issue $(ARGS)

bench-ledger: $(STAMP) ## ledger throughput, proofs, verification
	@$(BIN)/python -m bench.ledger $(ARGS)

clean: ## remove what the other targets made
	rm -rf $(VENV) .build .mypy_cache .ruff_cache .hypothesis src/*.egg-info
