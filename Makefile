# `make` alone lists the targets. Each target makes .venv and installs into it where that is missing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install docs reproduce test test-slow test-pythons test-bare test-cluster examples torture fuzz golden crosscheck bench lint clean

# Where torch comes from, such as the address that its own page gives for CPUs; pip's setting else.
TORCH_INDEX ?=
PYTHONS := 3.11 3.12 3.13

# Numbers of the original pycog; any folder of the same format serves.
GOLDEN ?= $(firstword $(wildcard ../shared/golden) tests/golden)
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "dgr needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing into $(VENV), which takes some minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint,export,digits,mnist]'
	@touch $@

$(VENV)/.%: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@touch $@

install: $(STAMP)  ## make .venv and install everything into it

reproduce: $(STAMP)  ## the thesis' figures and what works better, side by side, from embedded data
	$(BIN)/dgr reproduce --protocol text --seeds 1 --no-audit
	$(BIN)/dgr reproduce --protocol improved --seeds 1 --replays generative,joint --beside runs/mnist5k-text

test: $(STAMP)  ## the test suite
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2

test-slow: $(STAMP)  ## the checks that take minutes
	$(ONE_THREAD) $(BIN)/python -m pytest -q -m slow

test-pythons:  ## lint and tests under every Python that is promised and found, each in its own environment
	@for version in $(PYTHONS); do \
	  if python$$version -c "" 2>/dev/null; then \
	    $(MAKE) PYTHON=python$$version VENV=.venv-$$version lint test || exit 1; \
	  else echo "python$$version: not found, skipped"; fi; \
	done

test-bare:  ## as root: the suite of another user who may not write here, ASCII, no HOME (BARE_FOLDER=KEPT)
	tests/bare.sh

test-cluster: $(VENV)/.sweep  ## a sweep through a Slurm of one node (needs slurm-wlm and munge)
	$(ONE_THREAD) $(BIN)/python -m pytest -q -m cluster -rs

examples: $(VENV)/.neurogym  ## every example script, end to end, at a reduced size
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 -m "not slow" tests/test_examples.py tests/test_*_scripts.py

torture: $(STAMP)  ## kill, stop and starve training at random moments; nothing may be lost
	$(ONE_THREAD) $(BIN)/python tests/torture.py

fuzz: $(STAMP)  ## give every reader thousands of mutated files; each ends in one short error
	$(ONE_THREAD) $(BIN)/python tests/fuzz.py

golden: $(STAMP)  ## compare every number with the original's (GOLDEN=FOLDER)
	$(ONE_THREAD) $(BIN)/python tests/golden_check.py $(GOLDEN)

crosscheck: $(STAMP)  ## numpy, PyTensor and torch side by side
	$(BIN)/dgr crosscheck

docs: $(VENV)/.docs  ## the site in docs/_build/html; every warning is an error
	PATH="$(CURDIR)/$(BIN):$$PATH" $(ONE_THREAD) $(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.bench  ## timings, side by side, and the goals they meet or miss (BEFORE=CHECKOUT)
	$(ONE_THREAD) $(BIN)/python -m benchmarks $(if $(BEFORE),--before $(BEFORE))

lint: $(STAMP)  ## style, formatting, types, and what may import what
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:  ## remove .venv and caches, never runs/
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
