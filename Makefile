# The entry: each target prepares what it needs. `make` alone lists them.

PYTHON ?= python3
export PYTHON

.PHONY: help labs test bench soak lint clean prepare prepare-dev
.NOTPARALLEL:

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /\1\t/p' Makefile | expand -t 10

labs: prepare  ## run the labs; ARGS="-k oom" hands on arguments of pytest
	@tools/run.sh -m pytest labs/ $(ARGS)

test: prepare  ## run the suite's own tests; ARGS as with labs
	@.venv/bin/python -m pytest tests/ $(ARGS)

bench: prepare  ## measure what the suite itself costs
	@tools/run.sh -m tools.bench $(ARGS)

soak:  ## run chosen experiments many times: make soak K="oom and not swap"
	$(if $(K),,$(error make soak needs K, which chooses experiments as pytest -k does: make soak K=oom))
	@$(MAKE) --no-print-directory prepare
	@tools/run.sh -m tools.soak "$$K" $(ARGS)

lint: prepare-dev  ## check style, format and types
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy

clean:  ## remove the environments and caches, never a report
	rm -rf .venv .venv-dev .tox .mypy_cache .ruff_cache .pytest_cache
	find . -name reports -prune -o -name __pycache__ -prune -exec rm -rf {} +

prepare:
	@tools/prepare.sh .venv requirements.txt engine

prepare-dev:
	@tools/prepare.sh .venv-dev requirements-dev.txt
