# Every target sets up what it needs; `make setup` alone is idempotent.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check accuracy bench dev lock clean
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev
PEERS := .venv/.bench

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(DEV)  ## make .venv with everything, development tools included

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(RUNTIME): $(BIN)/uv requirements.lock pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(PEERS): $(DEV) requirements-bench.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target .venv/bench --require-hashes -r requirements-bench.lock
	@touch $@

demo: $(RUNTIME)  ## run the whole pipeline against the bundled sandbox tenant
	$(BIN)/defender-etl demo

# A worker has one core: pools of several threads would only take turns.
test: $(PEERS)  ## run the tests
	POLARS_MAX_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(DEV)  ## format, lint, types, SQL, layers, definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 1 --disable-progress-bar etl/models
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate

accuracy: $(DEV)  ## judge the correlation by worlds whose truth is known; print the table by case
	PYTHONPATH=tests $(BIN)/python -m accuracy

ROWS ?= 20000000
ROUNDS ?= 3
bench: $(PEERS)  ## time the correlation beside its alternatives; ROWS=20000000 ROUNDS=3
	PYTHONPATH=tests:. $(BIN)/python -m bench --rows $(ROWS) --rounds $(ROUNDS)

dev: $(RUNTIME)  ## open the Dagster UI on http://localhost:3000
	$(BIN)/dagster dev

lock: $(BIN)/uv  ## compile the lock files anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make lock" --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make lock" --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make lock" --group bench -c requirements-dev.lock -o requirements-bench.lock

clean:  ## remove what was built, not the lake
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
