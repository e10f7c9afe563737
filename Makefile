# make setup   .venv with everything the pipeline needs          make demo    the whole pipeline on a small library, in minutes
# make test    .venv with everything the tests need, all tests   make check   style, types
# make docs    the site in build/docs
# On Windows, see the README for the same commands.

PYTHON ?= python3
VENV ?= .venv
SOURCE ?=
JOBS ?= auto

BIN := $(VENV)/bin
# dvc starts the stages with the "python" it finds first
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: setup demo test test-avx2 check docs release-library clean

setup: $(VENV)/setup.stamp

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/setup.stamp: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/setup.stamp
	$(BIN)/python -m pip install -q -c constraints.txt -e . -r requirements-dev.txt
	@touch $@

demo: setup
	@# after Ctrl-C the demo says what to do; make and the shell shall add nothing
	@trap : INT; $(BIN)/python -m scripts.demo $(if $(SOURCE),--source "$(SOURCE)") || [ $$? = 130 ]

test: $(VENV)/dev.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-avx2: $(VENV)/dev.stamp
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/audio tests/diffusion tests/generate tests/models

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev.stamp
	$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

release-library: setup
	$(if $(SOURCE),,$(error SOURCE=DIR: the folder of real samples, with its table DIR.csv beside it))
	$(BIN)/python -m scripts.release.library "$(SOURCE)" data/source

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
