# Everything a user or a developer runs. Each target creates the environment it needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KIOSK := tools/kiosk
KIOSK_ZH := tools/kiosk_zh
DEMO := .demo

export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test lint types bench soak clean

demo: $(DEMO)/kiosk.bundle/manifest.json $(DEMO)/kiosk_zh.bundle/manifest.json
	$(BIN)/python examples/kiosk.py $(DEMO)/kiosk.bundle $(KIOSK) $(KIOSK)/demo.jsonl
	$(BIN)/python examples/kiosk.py $(DEMO)/kiosk_zh.bundle $(KIOSK_ZH) $(KIOSK_ZH)/demo.jsonl

test: lint types
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

bench: $(DEMO)/kiosk.bundle/manifest.json $(DEMO)/kiosk_zh.bundle/manifest.json
	$(BIN)/edgefn eval $(DEMO)/kiosk.bundle $(KIOSK)/test.jsonl --tools $(KIOSK)
	$(BIN)/edgefn eval $(DEMO)/kiosk_zh.bundle $(KIOSK_ZH)/test.jsonl --tools $(KIOSK_ZH)
	$(BIN)/edgefn bench $(DEMO)/kiosk.bundle
	$(BIN)/python benchmarks/latency.py $(DEMO)/kiosk.bundle --checkpoint $(DEMO)/checkpoint
	$(BIN)/python benchmarks/safe_hands.py $(DEMO)/kiosk.bundle

# A million dispatches take about half an hour: make soak DISPATCHES=20000 is shorter.
DISPATCHES ?= 1000000
soak: $(DEMO)/kiosk.bundle/manifest.json
	$(BIN)/python benchmarks/soak.py $(DEMO)/kiosk.bundle --dispatches $(DISPATCHES)
	$(BIN)/python benchmarks/soak.py $(DEMO)/kiosk.bundle --dispatches $(DISPATCHES) --caches

# Of a few hundred calibration rows one is a third or half of a point: the budgets are a handful of decisions.
$(DEMO)/kiosk.bundle/manifest.json: $(READY) $(wildcard $(KIOSK)/*.py $(KIOSK)/*.yaml $(KIOSK)/train.jsonl $(KIOSK)/valid.jsonl)
	$(BIN)/edgefn train $(KIOSK) --data $(KIOSK)/train.jsonl --valid $(KIOSK)/valid.jsonl -o $(DEMO)/checkpoint
	$(BIN)/edgefn export $(DEMO)/checkpoint -o $(DEMO)/kiosk.bundle --budget 2 --force

# The base knows few Chinese characters: more passes, and rows with other values and typing errors.
$(DEMO)/kiosk_zh.bundle/manifest.json: $(READY) $(wildcard $(KIOSK)/*.py $(KIOSK_ZH)/*.py $(KIOSK_ZH)/*.yaml $(KIOSK_ZH)/train.jsonl $(KIOSK_ZH)/valid.jsonl)
	$(BIN)/edgefn train $(KIOSK_ZH) --data $(KIOSK_ZH)/train.jsonl --valid $(KIOSK_ZH)/valid.jsonl -o $(DEMO)/checkpoint_zh --epochs 12 --swapped 0.5 --mistyped 0.2
	$(BIN)/edgefn export $(DEMO)/checkpoint_zh -o $(DEMO)/kiosk_zh.bundle --budget 4 --force

# torch first and alone: a later step must find it there and not choose a build of its own.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[cpu,export,demo,dev]"
	touch $@

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
