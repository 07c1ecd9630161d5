# Every target works as the first command on a fresh Debian 12 machine with Python 3.11.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
ARGS ?=
K ?=

.PHONY: help venv run test fuzz lint format lock bench-issue bench-ledger bench-pki bench-estate clean

help: ## show this help
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

venv: ## make .venv from the lock (done by the other targets too)
	@scripts/make-venv

run: venv ## play the demo: make run ARGS="--story break-glass --once"
	@scripts/need-program nginx=nginx-light curl=curl openssl=openssl
	@$(PYTHON) -m locum demo $(ARGS)

# A file's tests share its servers, so they stay together. The third process works while two wait.
test: venv ## run the tests: make test [K=expression] [ARGS="tests/ledger -x"]
	@scripts/need-program chromium=chromium strace=strace faketime=faketime nginx=nginx-light curl=curl jq=jq openssl=openssl
	@$(PYTHON) -m pytest $(if $(K),-k '$(K)',-n 3 --dist loadfile --no-loadscope-reorder) $(ARGS)

fuzz: venv ## 100,000 broken certificates, requests and OCSP questions to each parser
	@LOCUM_FUZZ=$(or $(CASES),100000) $(PYTHON) -m pytest tests/pki/test_fuzz_pki.py -n 2 $(ARGS)

lint: venv ## ruff, mypy --strict, purity and import rules
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff check --config ruff.pure.toml .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

format: venv ## format the code and mend what can be mended
	$(PYTHON) -m ruff check --fix-only --quiet .
	$(PYTHON) -m ruff format .

lock: venv ## resolve the dependencies anew, with hashes
	@scripts/make-lock

bench-issue: venv ## issue and check tokens, beside OpenBao
	@scripts/need-program wrk=wrk
	@$(PYTHON) -m bench.issue $(ARGS)

bench-ledger: venv ## ledger throughput, proofs, verification
	@scripts/need-program wrk=wrk
	@$(PYTHON) -m bench.ledger $(ARGS)

bench-pki: venv ## certificates: issue, refuse what is closed, lists, beside OpenBao's PKI
	@$(PYTHON) -m bench.pki $(ARGS)

bench-estate: venv ## the analysis of estates of 1 and 10 million identities, beside others
	@$(PYTHON) -m bench.estate $(ARGS)

clean: ## remove what the other targets made
	rm -rf .venv .venv.lock .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf src/locum.egg-info
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
