# The words of the project: `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
ifneq ($(wildcard ../shared/data/mnist.npz),)
export SPINDLE_DATA ?= $(abspath ../shared/data)
endif

.PHONY: venv demo test test-long bench lint generate docs clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m spindle.kernels_host.build
	$(BIN)/python -m spindle.vboard.build
	$(BIN)/python -m spindle.firmware_build.build
	touch $(STAMP)

venv: $(STAMP)

demo: venv
	$(BIN)/spindle demo

test: venv
	$(BIN)/python -m pytest -n 2 -m "not long" tests

test-long: venv
	$(BIN)/python -m pytest -n 2 tests

bench: venv
	$(BIN)/python -m bench
	$(BIN)/python -m bench.vboard_arm
	$(BIN)/python -m bench.vboard_board

lint: venv
	$(BIN)/ruff check spindle tests examples bench tools
	$(BIN)/ruff format --check spindle tests examples bench tools
	$(BIN)/mypy

generate: venv
	$(BIN)/python -m spindle.spec.generate

docs: venv
	$(BIN)/python tools/make_ops_page.py

clean:
	rm -rf $(VENV) spindle/kernels_host/_build spindle/vboard/_build spindle/firmware_build/_build build dist *.egg-info
