# Every target works from a fresh clone: it makes the virtual environment that it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test fuzz check bench docs clean
help:
	@echo "make demo    install Similia into $(VENV) and see it find what is alike in the Python packages you have"
	@echo "make test    the whole test suite, with coverage"
	@echo "make fuzz    the suite once more, with new random examples for every property"
	@echo "make check   ruff, mypy --strict, import floors"
	@echo "make bench   the benchmarks (an hour or two; results in benchmarks/results/)"
	@echo "make docs    the documentation site, in site/"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	@touch $@

demo: $(VENV)/.base
	$(BIN)/similia demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest --cov --cov-report=term

fuzz: $(VENV)/.dev
	SIMILIA_FUZZ=300 $(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
