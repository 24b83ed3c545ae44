# `make demo` shows the main job, `make test` passes the tests; both do all set-up themselves.
# Needs: Python 3.11+, a C++ compiler, make. No root, nothing installed by hand.

PYTHON ?= python3
PY := .venv/bin/python
UV_COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help setup demo test check unit test-editors test-reference test-offline bench bench-students bench-cut fuzz lock clean
.DEFAULT_GOAL := help

help:            ## this list
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 18

setup:           ## environment, llama.cpp for this CPU, default model; done once
	@$(PYTHON) scripts/setup.py

demo: setup      ## the main job: a real LSP session completes, repairs and documents a real file
	@.venv/bin/r1-lsp demo

test: setup check unit  ## style, types and all tests but those in real editors

check: setup
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary

unit: setup
	@$(PY) -m pytest -q -n 2 --dist loadgroup -m "not editor and not reference"

test-editors: setup  ## one end-to-end test in each real editor (may install system packages)
	@$(PYTHON) tests/e2e_editors/setup.py
	@$(PY) -m pytest -q -m editor tests/e2e_editors

test-reference: setup  ## the converter against llama.cpp's own and against transformers (fetches torch)
	@$(PY) -m tests.reference.setup
	@$(PY) -m pytest -q -m reference tests/reference

test-offline: setup  ## the whole suite with networking limited to loopback
	@unshare $$([ "$$(id -u)" = 0 ] || echo --map-root-user) --net sh -c 'ip link set lo up 2>/dev/null || ifconfig lo up; exec $(PY) -m pytest -q -m "not editor and not reference"'

bench: setup     ## all figures of the README, each against its bound
	@$(PY) -m bench

bench-%: setup   ## one benchmark: bench-host, bench-repair, ...; ARGS="..." are its options
	@$(PY) -m bench.$(subst -,_,$*) $(ARGS)

bench-students: setup  ## repairs of errors that people made; DATA=FOLDER holds the data
	@$(PY) -m bench.students --data "$(DATA)" $(ARGS)

bench-cut: setup  ## what cutting suggestions is worth; DATA=FOLDER holds model outputs
	@$(PY) -m bench.cut "$(DATA)" $(ARGS)

fuzz: setup      ## the robustness tests at full size (R1_FUZZ_SCALE=1 is CI's size)
	@R1_FUZZ_SCALE=$${R1_FUZZ_SCALE:-20} $(PY) -m pytest -q -n 2 -s --timeout 3600 tests/robustness/test_tree_fuzz.py
	@R1_FUZZ_SCALE=$${R1_FUZZ_SCALE:-20} $(PY) -m pytest -q -s --timeout 3600 tests/robustness tests/ast_tools/test_any_text.py \
		--ignore tests/robustness/test_tree_fuzz.py
	@R1_FUZZ_SCALE=$${R1_FUZZ_SCALE:-20} $(PY) -m pytest -q -s --timeout 3600 -m fuzz tests/gguf_convert

lock:            ## renew the lock files
	@$(PYTHON) -m venv .venv && .venv/bin/pip install -q uv==0.13.9
	@cd requirements && for kind in build dev llama model reference; do touch $$kind.txt; done
	@$(UV_COMPILE) --no-emit-package llama-cpp-python --output-file requirements/run.txt pyproject.toml
	@cd requirements && for kind in build dev; do ../$(UV_COMPILE) -c run.txt -o $$kind.txt $$kind.in; done
	@cd requirements && ../$(UV_COMPILE) -c run.txt --override without-torch.in -o reference.txt reference.in
	@cd requirements && ../$(UV_COMPILE) --no-deps --no-binary llama-cpp-python -o llama.txt llama.in
	@cd requirements && ../$(UV_COMPILE) --no-deps -o model.txt model.in

clean:           ## removes the environment and what was built; caches stay
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache
