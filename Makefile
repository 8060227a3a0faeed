# make test    the tests that need nothing but kobai
# make demo    a network learns to read handwritten digits
# make bench   kobai beside PyTorch, JAX and TensorFlow, as far as they are installed; writes docs/benchmarks.md
# make lint    style and types
# make playground   the site where programs run in the page, into build/playground
# make clean   remove the environment and the caches
#
# The environment in .venv is made on first use and again whenever pyproject.toml changes.

PYTHON ?= python3
VENV   := .venv
# Windows has no bin folder in its environments.
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

# Products are small here; on a busy machine threads of NumPy's BLAS would only wait for each other, 20 times longer.
demo test: export OPENBLAS_NUM_THREADS ?= 1

.PHONY: bench demo test lint playground clean

demo: $(VENV)/.demo
	$(BIN)/kobai run examples/digits.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal tests --ignore=tests/against_torch

# OPTIONS="--python JAX=other/bin/python --workloads w6,w12" and the like
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py --write docs $(OPTIONS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

playground: $(VENV)/.demo
	$(BIN)/python -m kobai.playground build build/playground

EXTRAS_demo := demo
EXTRAS_dev  := demo,dev

# One stamp file for each set of extras that is installed.
$(VENV)/.demo $(VENV)/.dev: $(VENV)/.%: pyproject.toml | $(VENV)/.made
	@echo "== Installing kobai into $(VENV), with what 'make $(or $(firstword $(MAKECMDGOALS)),demo)' needs"
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[$(EXTRAS_$*)]'
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("kobai needs Python 3.11 or newer; $(PYTHON) is %d.%d. Say which to use: make PYTHON=python3.12 ..." % v[:2])'
	@echo "== Making the environment $(VENV)"
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .ci/out
	find src tests -name __pycache__ -type d -exec rm -rf {} +
