# Everything a person or a machine does with a clone. Needs make and Python 3.11+.
#
# Each target prepares what it needs in .venv, from the pinned and hashed lock files,
# and only when these have changed.

VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
JOBS ?= 2
PURE ?=
# Tests, benchmarks and the service run the hot path compiled; with PURE=1, as Python.
HOT := $(if $(PURE),pure,compiled)

# The first of these that is new enough and can make environments, else is new enough;
# name another with `make PYTHON=...`. The system's own comes first: it is built with
# optimisations, which one built by hand often is not.
PYTHONS := /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11
first_with = $(shell for each in $(PYTHONS); do \
	$$each -c 'import sys$(1); sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$each && break; done)
PYTHON ?= $(or $(call first_with,; import ensurepip),$(call first_with))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP_INSTALL := $(PY) -m pip install --quiet --no-input
UV := uv==0.13.8
COMPILE := -m uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test check bench run wheel fmt docs dev lock upgrade clean
.PHONY: compiled pure
.PHONY: style types layers reference

help: ## List what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
	| awk -F '\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'

demo: $(VENV)/.run ## Run Skald on a small living world; prints what to try
	@$(PY) compile_hot.py --remove-stale # what was compiled is used; nothing is compiled
	@$(PY) -m app.cli demo $(ARGS)

test: $(HOT) ## Run the tests: make test ARGS="-k cart", JOBS=0 for one process
	@test "$$CI" != true || .ci/prometheus $(VENV)/prometheus || true # tests say so
	@$(PY) -m pytest -n $(JOBS) $(ARGS)

check: style types layers reference ## Check style, types, layers, and that generated docs are current

style: $(VENV)/.dev
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check

types: $(VENV)/.dev
	@$(PY) -m mypy

layers: $(VENV)/.dev
	@$(PY) $(VENV)/bin/lint-imports --no-logo

reference: $(VENV)/.dev
	@$(PY) compile_hot.py --remove-stale
	@$(PY) -m docs.build --check
	@$(PY) -m app.cli dashboards build --check

bench: $(HOT) ## Measure, all or by part: make bench ARGS=ingest; make bench SIZE=5000000
	@$(PY) -m bench $(ARGS) $(addprefix --size ,$(SIZE))

run: $(HOT) ## Run Skald as ./skald.yml and SKALD_... say
	@$(PY) -m app.cli run $(ARGS)

wheel: $(VENV)/.dev ## Build the wheel into dist/, compiled when there is a C compiler
	@SKALD_COMPILE=auto $(PY) -m build --wheel --no-isolation --outdir dist

compiled: $(VENV)/.dev # the hot path, when there is a C compiler; at once when it was done
	@$(PY) compile_hot.py

pure: $(VENV)/.dev ## Remove what was compiled: the hot path runs as Python
	@$(PY) compile_hot.py --remove

fmt: $(VENV)/.dev ## Format, and mend what ruff can mend
	@$(PY) -m ruff format
	@$(PY) -m ruff check --fix

docs: $(VENV)/.dev ## Write the generated pages of docs/reference/, and grafana/
	@$(PY) compile_hot.py --remove-stale
	@$(PY) -m docs.build
	@$(PY) -m app.cli dashboards build

dev: $(VENV)/.dev ## Prepare .venv for development
	@:

lock: $(VENV)/.made ## Write the lock files anew for what pyproject.toml asks, moving little
	@$(PIP_INSTALL) $(UV)
	@$(PY) $(COMPILE) --group build -o requirements.txt $(UPGRADE)
	@$(PY) $(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt $(UPGRADE)

upgrade: UPGRADE := --upgrade
upgrade: lock ## Move every pin in the lock files to its newest version

clean: ## Remove .venv, caches and what was built
	@rm -f app/.compiled app/*/*.so *__mypyc*.so
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache

# Stamps: .made → .run (what Skald runs on) → .dev (what it is developed with).

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Skald needs Python 3.11 or newer; found\
	 $$(command -v python3 >/dev/null && python3 --version || echo none). Install one, or name it:\
	 make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Skald needs Python 3.11 or newer; $(PYTHON) is\
	 $$("$(PYTHON)" --version 2>&1)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot\
	 make virtual environments. On Debian and Ubuntu: apt-get install\
	 python3-venv" >&2; exit 1; }
	@echo "Preparing $(VENV) (once) ..."
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt pyproject.toml $(VENV)/.made
	@echo "Installing what Skald runs on ..."
	@$(PIP_INSTALL) -r requirements.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what Skald is developed with ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
