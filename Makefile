# Everything below sets itself up in .venv on a fresh machine; it needs Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUICK := runs/quickstart

.PHONY: run test lint
.DELETE_ON_ERROR:

# Trains on narrow frames, then measures the sample crops and shows their truth beside.
run: $(VENV)/run.done
	$(BIN)/python launch.py --config=configs/quickstart.py --workdir=$(QUICK)
	$(BIN)/srd predict samples --weights $(QUICK) --annotations samples/annotations.csv \
	  --px-per-nm 1.298 --out $(QUICK)/samples.csv --overlay $(QUICK)/overlays
	@echo "curves in $(QUICK)/curves.png, attention in $(QUICK)/attention/"

test: $(VENV)/test.done
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

$(VENV)/run.done: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/test.done: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
