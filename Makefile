# On a machine with Python 3.11 or newer, `make demo` shows lambdakit and `make test` checks it: each first
# sets up what it needs, in .venv. `make test PYTHON=python3.12` chooses the Python.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: bench check clean demo docs help test

# pyenv's shims on the PATH work only for the versions selected, so its Pythons are looked for where they live.
PYENV := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[1-9]*/bin)
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 $(PYENV:=/python3))
NAMES := import sys; sys.exit(sys.version_info < (3, 11) or print("python%d.%d" % sys.version_info[:2], sys.executable))
# The first new enough: its name and its path.
FOUND := $(shell for python in $(CANDIDATES); do "$$python" -c '$(NAMES)' 2>/dev/null && break; done)
NAME := $(or $(firstword $(FOUND)),no-python)

# Files named after the Python, so that another PYTHON makes .venv anew.
VENV := .venv/bin/$(NAME)
DEMO := .venv/demo-on-$(NAME)
DEV := .venv/dev-on-$(NAME)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

demo: $(DEMO) ## Show what lambdakit does
	$(BIN)/lambdakit invoke examples.quickstart.handler --sample s3
	cd examples && ../$(BIN)/lambdakit list shop.app.handler
	cd examples && ../$(BIN)/lambdakit explain shop.app.handler --sample s3
	cd examples && ../$(BIN)/python -m shop
	cd examples && ../$(BIN)/python burst.py ../burst.html
	cd examples && ../$(BIN)/python -m shop.day ../day.html

test: check docs ## Check everything, and test on every Python from 3.11 to 3.13 there is
	@PATH="$$PATH$(subst $() ,,$(PYENV:%=:%))" $(BIN)/nox
	$(BIN)/pytest

check: $(DEV) ## Check format, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(DEV) ## Measure what lambdakit costs
	$(BIN)/python -m benchmarks

docs: $(DEV) ## Build the documentation, into site/
	$(BIN)/zensical build --config-file mkdocs.yml --strict --clean

clean: ## Remove what the other commands made
	rm -rf burst.html day.html .cache .hypothesis .mypy_cache .nox .pytest_cache .ruff_cache .venv build dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(DEMO): pyproject.toml $(VENV)
	$(INSTALL) '.[local]'
	touch $@

$(DEV): pyproject.toml $(VENV)
	$(INSTALL) '.[dev]'
	touch $(DEMO) $@

$(VENV):
	@test -n "$(FOUND)" || { echo "lambdakit needs Python 3.11 or newer. None of these is: $(CANDIDATES)." \
		"Install one, or name the one to use: make PYTHON=..." >&2; exit 1; }
	"$(wordlist 2,$(words $(FOUND)),$(FOUND))" -m venv --clear .venv
