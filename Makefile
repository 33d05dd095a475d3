# make demo    set up, then the main job on a bundled network and real images
# make test    set up, then every test
# make test-deep   property tests on new random examples, thirty times as many (minutes)
# make test-rtl    hardware: lint, bounded proofs, benches in simulation, coverage
# make synthesis   hardware: LUTs and FFs of our blocks, into the package's tables
# make test-finn    set up FINN in an environment of its own (.venv-finn), then the tests that need it
# make test-wheel   build the wheel, install it elsewhere, run the main job and FINN's generation of code from there
# make sanitise    compile the kernels with sanitisers, then run random networks and faults through them
# make test-arm    cross-compile the kernels for ARM, then run networks and faults through them in an emulator (minutes)
# make docker-build MODEL=cnv.onnx BOARD=ZCU104 [PLAN=plan.json]    a bitstream, in a container with Vivado mounted
# make test-boards  build two simulated boards with FINN and small ones of our own RTL, then the tests and notebooks that run on them
# make test-boards-all   the same with the boards of hardened networks and of other weights, too (minutes)
# make boards-cnv   build the simulated boards of CNV in our own RTL, then the tests that run on them (minutes)
# make notebooks    run the notebooks and store them with what they print and draw
# make coverage   lines of Python and C++ that the tests execute: build/coverage (minutes)
# make lint    ruff, clang-format and mypy
# make fuzz SEED=0 N=3000   spoil files of every kind and look how the command line takes them (minutes)
# make troubles CAMPAIGNS=20 [BOARD_FOLDER=build/boards/small]   campaigns on a board whose link and blocks fail: a table (minutes)
# make docs    the pages as a site in build/site, without warnings
# make bench   native engine against plain PyTorch, as ratios: benchmarks/results.json
# make bench-against REVISION=HEAD~1   native engine against that of an earlier commit, which is built first (minutes): CPU time, ratios
# make clean   remove the environment and build output

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
NATIVE := CMakeLists.txt $(wildcard fat_fpga/engines/native/* fat_fpga/faults/native/*)
INSTALL = $(1)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PIP    := $(call INSTALL,$(VENV))

FINN_VENV := .venv-finn

# Processes that tests and boards are spread over.
JOBS   ?= 2
PYTEST := python -m pytest -n $(JOBS) --dist worksteal

# Each of these processes has one thread: small products of matrices on threads of several processes take three times as long.
test test-deep test-finn test-boards test-boards-all test-wheel test-arm: export OMP_NUM_THREADS ?= 1
test test-deep test-finn test-boards test-boards-all test-wheel test-arm: export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-deep test-rtl synthesis test-finn test-wheel environments boards short-boards test-boards test-boards-all boards-cnv notebooks docs sanitise test-arm coverage coverage-table docker-build lint fuzz troubles bench bench-against clean
.DEFAULT_GOAL := demo

# What pyproject.toml builds the package with, and what that wants to be there, in an environment that stays: a second build
# finds the objects of the first.
TOOLS := build/tools
$(TOOLS)/stamp: pyproject.toml constraints.txt
	rm -rf $(TOOLS)
	$(PYTHON) -m venv $(TOOLS)
	$(call INSTALL,$(TOOLS)) $$(sed -n 's/^requires = \[\(.*\)\]$$/\1/p' pyproject.toml | tr -d '",')
	more=$$($(TOOLS)/bin/python -c 'from scikit_build_core import build; print(*build.get_requires_for_build_wheel())'); \
		[ -z "$$more" ] || $(call INSTALL,$(TOOLS)) $$more
	@touch $@

# The package as it lies here, with the kernels, for both environments.
EDITABLE := build/editable
$(EDITABLE)/stamp: $(TOOLS)/stamp $(NATIVE)
	@echo "compiling the C++ kernels"
	rm -rf $(EDITABLE)
	$(TOOLS)/bin/python -c 'from scikit_build_core import build; build.build_editable("$(EDITABLE)")' > $(EDITABLE).log || { cat $(EDITABLE).log; exit 1; }
	@touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Running needs no torch. By name: what is installed is kept, and what it requires or its extras are added.
$(VENV)/run.stamp: $(EDITABLE)/stamp | $(BIN)/python
	@echo "installing fat_fpga"
	$(PIP) --no-deps --force-reinstall $(EDITABLE)/*.whl
	$(PIP) fat_fpga
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "installing what training, notebooks, tests and linters need"
	$(PIP) 'fat_fpga[train,notebooks,dev]'
	@touch $@

$(VENV)/rtl.stamp: $(VENV)/dev.stamp
	@echo "installing the simulator and the synthesis tool"
	$(PIP) 'fat_fpga[rtl]'
	@touch $@

demo: $(VENV)/run.stamp
	$(BIN)/fat-fpga demo --output demo-report

test: $(VENV)/dev.stamp
	$(BIN)/$(PYTEST)

# Property tests on other examples at every run, many more than in make test.
test-deep: $(VENV)/dev.stamp
	$(BIN)/$(PYTEST) -m hypothesis --hypothesis-profile deep
	FAT_FPGA_ALL_PAGES=1 $(BIN)/python -m pytest tests/docs/test_running.py

test-rtl: $(VENV)/rtl.stamp
	$(BIN)/python hw/tb/lint.py
	$(BIN)/python hw/formal/prove.py
	rm -rf build/rtl
	$(BIN)/$(PYTEST) -c hw/tb/pytest.ini hw/tb
	$(BIN)/python hw/tb/coverage_report.py

synthesis: $(VENV)/rtl.stamp
	$(BIN)/python hw/syn/synthesise.py
	$(BIN)/python hw/syn/page.py

# FINN's pins cannot be met together with each other in one pip run; docker/install-finn.sh says why and how it is done.
$(FINN_VENV)/stamp: docker/install-finn.sh docker/finn-requirements.txt $(EDITABLE)/stamp
	@echo "installing FINN into $(FINN_VENV)"
	PYTHON=$(PYTHON) docker/install-finn.sh $(FINN_VENV) $(EDITABLE)/*.whl
	@touch $@

# The simulated boards: FINN generates their RTL, Verilator compiles it. Tests and notebooks run them without FINN.
# One is built from a plan, which changes with the planner and with what it takes LUTs from.
SHORT_BOARDS := $(patsubst %,build/boards/%.stamp,tfc_w2a2 small)
BOARDS  := $(SHORT_BOARDS) $(patsubst %,build/boards/%.stamp,tfc_w2a2_planned tfc_w2a2_hardened tfc_w2a2_fat2)
PLANNER := $(wildcard fat_fpga/hardening/*.py fat_fpga/hardening/costs/*.* fat_fpga/luts/*.*)
DRIVER  := $(wildcard fat_fpga/finn/board_*.py) fat_fpga/finn/simulated.py fat_fpga/finn/writable.py fat_fpga/board/description.py
$(BOARDS): build/boards/%.stamp: $(FINN_VENV)/stamp $(wildcard hw/rtl/*.sv hw/sim/*.*) $(DRIVER)
	@echo "building the simulated board $*"
	$(FINN_VENV)/bin/python hw/sim/build_boards.py $*
	@touch $@

build/boards/tfc_w2a2_planned.stamp: $(PLANNER)

# Verilator's own files are compiled once for all boards, and the same hardware with other weights, too.
build/boards/tfc_w2a2_fat2.stamp: | build/boards/tfc_w2a2.stamp
export FAT_FPGA_VERILATED := $(CURDIR)/build/verilated

boards: $(FINN_VENV)/stamp
	$(MAKE) --jobs=$(JOBS) $(BOARDS)

short-boards: $(FINN_VENV)/stamp
	$(MAKE) --jobs=$(JOBS) $(SHORT_BOARDS)

# Each test target makes the environment that it needs; this makes all of them, with --jobs at the same time.
environments: $(VENV)/rtl.stamp $(FINN_VENV)/stamp

ON_BOARDS := $(BIN)/$(PYTEST) -m boards tests/notebooks tests/board tests/rtl

test-boards: short-boards $(VENV)/rtl.stamp
	FAT_FPGA_TEST_BOARDS=short $(ON_BOARDS)

test-boards-all: boards $(VENV)/rtl.stamp
	FAT_FPGA_TEST_BOARDS=all $(ON_BOARDS)

# Our own RTL alone, without FINN.
CNV_BOARDS := $(patsubst %,build/boards/%.stamp,cnv_w1a1 cnv_w1a2 cnv_w2a2)
$(CNV_BOARDS): build/boards/%.stamp: $(VENV)/rtl.stamp $(wildcard hw/rtl/*.sv hw/sim/*.* fat_fpga/rtl/*.py) hw/modules.json
	$(BIN)/fat-fpga board build $* --folding stock --quiet -o build/boards/$*
	@touch $@

# CNV W1A1 with copies, as a user makes it: a campaign, a plan, a board in the plan's folding.
PLANNED := build/boards/cnv_w1a1_planned
$(PLANNED).stamp: build/boards/cnv_w1a1.stamp $(PLANNER)
	mkdir -p $(PLANNED)
	rm -f $(PLANNED)/campaign.run
	$(BIN)/fat-fpga campaign cnv_w1a1 --data demo:cifar10 --images 100 --quiet -o $(PLANNED)/campaign.run
	$(BIN)/fat-fpga plan $(PLANNED)/campaign.run --worst-error 25 --cost finn --quiet --force -o $(PLANNED)/plan.json \
		--folding 16x3,32x32,16x32,16x32,4x32,1x32,1x4,1x8,5x1
	$(BIN)/fat-fpga board build cnv_w1a1 --folding plan --plan $(PLANNED)/plan.json --quiet -o $(PLANNED)
	@touch $@

boards-cnv: $(CNV_BOARDS) $(PLANNED).stamp
	FAT_FPGA_CNV_BOARDS=build/boards $(BIN)/$(PYTEST) tests/rtl/test_cnv_boards.py tests/rtl/test_cnv_planned.py \
		tests/notebooks -k 'cnv'

notebooks: boards $(CNV_BOARDS) $(PLANNED).stamp
	$(BIN)/python -m notebooks.execute

$(VENV)/docs.stamp: $(VENV)/run.stamp
	@echo "installing what makes a site of the pages"
	$(PIP) 'fat_fpga[docs]'
	@touch $@

docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

test-finn: $(FINN_VENV)/stamp
	$(FINN_VENV)/bin/$(PYTEST) tests/finn

# What users install. The tests install it into an empty environment, with LOWEST=1 also with the oldest version of each
# requirement, and over the repository's in a copy of FINN's environment.
WHEEL := build/wheel
$(WHEEL)/stamp: README.md LICENSE $(EDITABLE)/stamp hw/modules.json \
		$(shell find fat_fpga hw/rtl hw/sim -type f -not -path "*/__pycache__/*")
	@echo "building the wheel"
	rm -rf $(WHEEL)
	$(TOOLS)/bin/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir $(WHEEL) .
	@touch $@

test-wheel: $(WHEEL)/stamp $(VENV)/dev.stamp $(FINN_VENV)/stamp
	FAT_FPGA_WHEEL=$(WHEEL) FAT_FPGA_FINN=$(FINN_VENV) FAT_FPGA_LOWEST=$(LOWEST) $(BIN)/python -m pytest tests/wheel

docker-build:
	@MODEL='$(MODEL)' PLAN='$(PLAN)' BOARD='$(BOARD)' FOLDING='$(FOLDING)' INJECT='$(INJECT)' OUTPUT='$(OUTPUT)' \
		UNTIL='$(UNTIL)' XILINX='$(XILINX)' docker/build.sh

# The sanitisers' libraries have to be loaded before Python's own; nothing but the compiled modules is taken from this build.
SANITISED := build/sanitised
PAIRS     ?= 20000
library    = $$($(CXX) -print-file-name=$(1))

$(SANITISED)/stamp: $(NATIVE) | $(BIN)/python
	@echo "compiling the kernels with sanitisers"
	rm -rf $(SANITISED)
	$(PIP) --no-deps --target $(SANITISED) --config-settings=cmake.define.FAT_FPGA_SANITISE=ON \
		--config-settings=build-dir=build/sanitised-objects .
	@touch $@

sanitise: $(SANITISED)/stamp $(VENV)/dev.stamp
	LD_PRELOAD="$(call library,libasan.so) $(call library,libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
		$(BIN)/python -m tests.engines.sanitised $(SANITISED) --pairs $(PAIRS) --jobs $(JOBS)

# Random networks and faults, beside those of a few networks that are always there.
ARM_PAIRS ?= 2000
test-arm: $(VENV)/dev.stamp
	PAIRS=$(ARM_PAIRS) JOBS=$(JOBS) tests/engines/arm.sh $(BIN)/python

# A copy of the environment, in which the kernels count the lines that are executed. Tests may be chosen: TESTS=tests/faults
COVERAGE := build/coverage
TESTS    ?= tests
$(COVERAGE)/stamp: $(VENV)/dev.stamp $(NATIVE)
	@echo "compiling the kernels with counters"
	rm -rf $(COVERAGE)
	mkdir -p $(COVERAGE)/data
	cp --archive --link $(VENV) $(COVERAGE)/venv
	$(COVERAGE)/venv/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --force-reinstall \
		--config-settings=cmake.define.FAT_FPGA_COVERAGE=ON --config-settings=build-dir=$(COVERAGE)/objects --editable .
	@touch $@

# coverage.py itself is imported, and writes, in processes of which these tests say that they import or write nothing.
UNMEASURED := not test_no_room_for and not test_starting_up_imports_nothing_heavy

coverage: $(COVERAGE)/stamp
	rm -f $(COVERAGE)/data/*
	find $(COVERAGE)/objects -name '*.gcda' -delete
	$(COVERAGE)/venv/bin/python -m coverage run -m pytest -n $(JOBS) --dist worksteal -k '$(UNMEASURED)' $(TESTS)
	$(MAKE) --no-print-directory coverage-table

# Templates and inlined functions are compiled more than once, and once for each instruction set: a line is executed where one is.
coverage-table:
	$(COVERAGE)/venv/bin/python -m coverage combine --quiet
	$(COVERAGE)/venv/bin/python -m coverage json --quiet -o $(COVERAGE)/python.json
	$(COVERAGE)/venv/bin/python -m coverage html --quiet -d $(COVERAGE)/html
	$(COVERAGE)/venv/bin/python -m gcovr --root . --filter fat_fpga/engines/native/ --filter fat_fpga/faults/native/ \
		--merge-mode-functions separate \
		--merge-lines --gcov-ignore-errors no_working_dir_found --json-summary $(COVERAGE)/native.json \
		--txt $(COVERAGE)/native.txt $(COVERAGE)/objects
	$(COVERAGE)/venv/bin/python -m tests.coverage_table $(COVERAGE)/python.json $(COVERAGE)/native.json | tee $(COVERAGE)/table.md

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror fat_fpga/engines/native/*.cpp fat_fpga/engines/native/*.hpp fat_fpga/faults/native/*.cpp hw/sim/*.cpp benchmarks/*.cpp
	$(BIN)/mypy

# What leads to a finding is kept in build/fuzz/findings.
SEED ?= 0
N    ?= 3000
fuzz: $(VENV)/dev.stamp
	$(BIN)/python -m tests.fuzz --seed $(SEED) -n $(N) --jobs $(JOBS)

# Each trouble at each rate, on the fake board or on a simulated one. What is in RESULTS is not run again.
CAMPAIGNS ?= 20
BOARD_FOLDER ?=
RESULTS ?=
troubles: $(VENV)/dev.stamp
	$(BIN)/python -m tests.board.trouble_campaigns -n $(CAMPAIGNS) $(if $(BOARD_FOLDER),--board $(BOARD_FOLDER) --faults 4) $(if $(RESULTS),--results $(RESULTS))

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

REVISION ?= HEAD~1
bench-against: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.versions $(REVISION)

clean:
	rm -rf $(VENV) $(FINN_VENV) build demo-report
