# The entry: each target prepares what it needs. `make` alone lists them.

PYTHON ?= python3
export PYTHON

.PHONY: help labs vm matrix test render compare engines bench soak slides-pdf lint clean unprepare prepare prepare-vm prepare-pages prepare-test prepare-dev
.NOTPARALLEL:

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 12

# Where ARGS names no file and no folder, pytest collects its testpaths.
labs: prepare  ## run the labs; ARGS=labs/test_05_memory.py, ARGS="-k oom"
	@tools/run.sh -m pytest $(if $(PROGRAMS),--lab-programs="$$PROGRAMS") $(ARGS)

test: prepare-test  ## run the suite's own tests; ARGS as with labs
	@.venv-dev/bin/python -m pytest -o testpaths=tests $(ARGS)

vm: prepare-vm  ## run the labs in a virtual machine; docs/vm.md; PROGRAMS=~/docker
	@.venv/bin/python -m fixtures.vm $(if $(SUITE),--suite "$(SUITE)") $(if $(MIRROR),--mirror "$(MIRROR)") \
		$(if $(PROGRAMS),--programs="$$PROGRAMS") $(if $(APPEND),--append="$$APPEND") \
		$(if $(DRIVER),--driver "$(DRIVER)") $(if $(ACCELERATOR),--accelerator "$(ACCELERATOR)") \
		$(if $(ROOT),$(if $(filter no,$(ROOT)),--no-root,$(error make vm knows ROOT=no, and runs the labs as root without it))) -- $(ARGS)

matrix: prepare prepare-vm  ## run the labs on each engine; ENGINES="here forky" PROGRAMS=~/docker
	@tools/run.sh -m tools.matrix --args="$$ARGS" $(if $(PROGRAMS),--programs="$$PROGRAMS") $(ENGINES)

render:  ## make the pages of a run again; RUN=reports/runs/…
	$(if $(RUN),,$(error make render needs RUN, a folder with events.jsonl: make render RUN=reports))
	@$(MAKE) --no-print-directory prepare-pages
	@echo "render: making the pages, which takes up to a minute"
	@.venv/bin/python -m fixtures.report render "$$RUN"

compare:  ## say what differs between two runs; A=reports B=reports/runs/…
	$(if $(and $(A),$(B)),,$(error make compare needs A and B, folders with events.jsonl: make compare A=reports B=reports/runs/…))
	@$(MAKE) --no-print-directory prepare-pages
	@.venv/bin/python -m fixtures.report compare "$$A" "$$B"

engines:  ## put the runs of several engines side by side; RUNS="a b c"
	$(if $(RUNS),,$(error make engines needs RUNS, folders with events.jsonl: make engines RUNS="reports/runs/…  reports/runs/…"))
	@$(MAKE) --no-print-directory prepare-pages
	@.venv/bin/python -m fixtures.report engines $(RUNS)

bench: prepare  ## measure what the suite itself costs; ARGS as with labs
	@tools/run.sh -m tools.bench $(ARGS)

soak:  ## run chosen experiments 20 times; K=oom, and ARGS=--runs=5
	$(if $(K),,$(error make soak needs K, which chooses experiments as pytest -k does: make soak K=oom))
	@$(MAKE) --no-print-directory prepare
	@tools/run.sh -m tools.soak "$$K" $(ARGS)

slides-pdf:  ## print the deck of the latest whole run to reports/slides.pdf
	@$(PYTHON) -m tools.slides_pdf

lint: prepare-dev  ## check style, format and types
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy

clean:  ## remove the environments and caches, never a report
	rm -rf .venv .venv-dev .tox .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name reports -prune -o -name __pycache__ -prune -exec rm -rf {} +

unprepare:  ## take back what the targets have installed on this machine
	@tools/prepare.sh undo

prepare:
	@tools/prepare.sh .venv requirements.txt engine

prepare-vm:
	@tools/prepare.sh .venv requirements.txt vm

prepare-pages:
	@tools/prepare.sh .venv requirements.txt

prepare-test:
	@tools/prepare.sh .venv-dev requirements-dev.txt tests

prepare-dev:
	@tools/prepare.sh .venv-dev requirements-dev.txt
