# Everything below sets itself up in .venv on a fresh machine; it needs Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GRANA := runs/grana
QUICK := runs/quickstart

.PHONY: run train test lint
.DELETE_ON_ERROR:

# Draws six grana, measures them by the released weights and shows their truth beside.
run: $(VENV)/run.done
	rm -rf $(GRANA)
	$(BIN)/srd make-dataset --out $(GRANA)/crops --n 6 --seed 0
	$(BIN)/srd predict $(GRANA)/crops --annotations $(GRANA)/crops/annotations.csv \
	  --out $(GRANA)/results.csv --overlay $(GRANA)/overlays

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
