# Everything below sets itself up in .venv on a fresh machine; it needs Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DRAWN := runs/micrograph
RESULTS := runs/analysis
QUICK := runs/quickstart

.PHONY: run train test lint
.DELETE_ON_ERROR:

# Draws a micrograph, finds and measures its grana by the released weights, and shows the truth beside.
run: $(VENV)/run.done
	rm -rf $(DRAWN) $(RESULTS)
	$(BIN)/srd make-dataset --micrographs --n 1 --seed 6 --out $(DRAWN)
	$(BIN)/srd analyse $(DRAWN) --annotations $(DRAWN) --out $(RESULTS)

# Trains on narrow frames of stripes, then measures striped sample crops.
train: $(VENV)/run.done
	$(BIN)/python launch.py --config=configs/quickstart.py --workdir=$(QUICK)
	$(BIN)/srd predict samples --weights $(QUICK) --annotations samples/annotations.csv \
	  --px-per-nm 1.298 --out $(QUICK)/samples.csv --overlay $(QUICK)/overlays
	@echo "curves in $(QUICK)/curves.png, attention in $(QUICK)/attention/"

test: $(VENV)/test.done
	$(BIN)/python -m pytest -n auto --dist worksteal

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
