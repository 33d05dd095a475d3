# make demo    set up, then the main job on a bundled network and real images
# make test    set up, then every test
# make lint    ruff and mypy
# make bench   native engine against plain PyTorch, as ratios: benchmarks/results.json
# make clean   remove the environment and build output

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
NATIVE := CMakeLists.txt $(wildcard fat_fpga/engines/native/*)
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Running needs no torch.
$(VENV)/run.stamp: pyproject.toml constraints.txt $(NATIVE) | $(BIN)/python
	@echo "installing fat_fpga (compiles its C++ kernels)"
	$(PIP) --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "installing what training, notebooks, tests and linters need"
	$(PIP) --editable '.[train,notebooks,dev]'
	@touch $@

demo: $(VENV)/run.stamp
	$(BIN)/fat-fpga demo --output demo-report

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build demo-report
