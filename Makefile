# make run: the whole line on this machine.  make test: everything that can be checked.  make help: the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
HAVE_ALL := $(wildcard .venv/.all)

.PHONY: help run setup test check format lock bench bench-score score-kills cluster-test chaos fuzz

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: .venv/$(if $(HAVE_ALL),.all,.serve) ## start everything embedded and print the address of the page
	@exec $(BIN)/casting serve

setup: .venv/.all ## .venv with every extra: serving, training, reports, streaming, tests

test: .venv/.all check ## every check and every test
	@tests/system-packages
	@$(BIN)/python -m pytest -q

check: .venv/.all ## style, types, directions of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: .venv/.all ## write the one style
	@$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile -q $(LOCK) --all-extras pyproject.toml -o requirements/all.txt
	uv pip compile -q $(LOCK) -c requirements/all.txt pyproject.toml -o requirements/serve.txt
	uv pip compile -q $(LOCK) -c requirements/all.txt --extra stream pyproject.toml -o requirements/image.txt
	uv pip compile -q $(LOCK) -c requirements/all.txt --extra reports --extra stream pyproject.toml -o requirements/report.txt
	uv pip compile -q $(LOCK) -c requirements/all.txt --extra stream --extra score --extra train --extra reports pyproject.toml -o requirements/full.txt
	echo cyclonedx-bom | uv pip compile -q $(LOCK) -c requirements/all.txt - -o requirements/sbom.txt
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

# A set, once there, is only ever added to: the serving set never takes the tests' tools away.
.venv/.all: requirements/all.txt pyproject.toml | .venv
	@echo "Installing every extra into .venv (once; about 4 GB)"
	@$(PIP) --require-hashes -r requirements/all.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch .venv/.serve $@

.venv/.serve: requirements/serve.txt pyproject.toml | .venv
	@echo "Installing what serving needs into .venv (once; about 1 GB)"
	@$(PIP) --require-hashes -r requirements/serve.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and was not found."; exit 1; }
	@$(PYTHON) -m venv .venv

bench: .venv/.all ## this service beside FastAPI, LitServe, mosec and BentoML (needs wrk, half an hour, an idle machine)
	@$(BIN)/python -m bench.serving $(BENCH)

bench-score: .venv/.all ## 50,000 pictures: casting score beside a multiprocessing script and the bare limit
	@$(BIN)/python bench/score_speed.py

score-kills: .venv/.all ## a scoring killed at random times over and over, every member counted once afterwards (10 minutes)
	@$(BIN)/python -m tests.scoring.killing

# The cluster that KUBECONFIG names, with the images on its nodes already.
cluster-test: .venv/.all ## the line on a cluster: applied, pods deleted, rolled out, scaled, restored, taken over by KubeRay
	@tests/cluster/run

# Pictures of the page for the documents.
screenshots: .venv/.all ## every view of the page in light, dark and phone size into docs/screenshots
	@tests/system-packages screenshots
	@$(BIN)/python -m pytest -q tests/page/screenshots.py

fuzz: .venv/.all ## 200,000 damaged and made-up inputs for the decoder and the form (some minutes)
	@$(BIN)/python -m tests.app.fuzz $(FUZZ)

# Kills, freezes, full disks and clock steps against the whole line; a short form runs within make test.
chaos: .venv/.all ## at least 200 processes killed under load, counted after each; goes on where it was interrupted
	@tests/system-packages
	@$(BIN)/python -m tests.chaos $(CHAOS)
