# What is set up here is set up by scripts/workbench; a step that is done already does nothing.

.DEFAULT_GOAL := help
.PHONY: help demo lab test lint bench engine engine-stop images venv browser shells clean
.NOTPARALLEL:

# The first Python that will do. `make PYTHON=…` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ifeq ($(PYTHON),)
$(error ctrkernel: no Python 3.11 or later; install one, or type: make PYTHON=/path/to/python3)
endif

# -P: the wheel in .venv is what runs, never the checkout.
WORKBENCH = @PYTHONPATH=scripts $(PYTHON) -P -m workbench
BIN = .venv/bin
QUICKSTART = notebooks/quickstart.ipynb
DEMO = ctrkernel-demo
# Most tests wait for a shell or a time limit: more of them at once than there are processors.
TEST_JOBS ?= 3
ROOT_ARGS = $(if $(filter 0,$(shell id -u)),--allow-root)

help: ## Say what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run the quickstart in a container, from nothing, and show it
	$(WORKBENCH) engine
	$(WORKBENCH) demo-container
	$(WORKBENCH) venv demo
	@$(BIN)/python scripts/run_notebook.py $(QUICKSTART)
	@echo
	@echo "That was $(QUICKSTART) in the container $(DEMO). Open it in JupyterLab: make lab"

lab: ## Open the quickstart in JupyterLab (LAB_ARGS=… are its options)
	$(WORKBENCH) engine
	$(WORKBENCH) demo-container
	$(WORKBENCH) venv demo lab
	CTRKERNEL_TARGET=$(DEMO) $(BIN)/jupyter-lab $(ROOT_ARGS) $(LAB_ARGS) $(QUICKSTART)

test: lint engine images browser shells ## Run every check and every test (TEST_ARGS=… are pytest's)
	@$(BIN)/pytest --instafail --numprocesses=$(TEST_JOBS) --dist=loadfile $(TEST_ARGS)

lint: venv ## Run ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: engine ## Measure speed and size against their bounds (BENCH_ARGS=…)
	$(WORKBENCH) demo-container
	$(WORKBENCH) venv bench
	@$(BIN)/python benchmarks/run.py --target $(DEMO) $(BENCH_ARGS)

engine: ## See to it that a container engine answers
	$(WORKBENCH) engine

engine-stop: ## End the engine, if it is one that we started
	$(WORKBENCH) engine-stop

images: ## Make the images that the tests run in
	$(WORKBENCH) images

venv: ## Install this checkout's wheel and what its tests need into .venv
	$(WORKBENCH) venv test browser lint

browser: ## See to it that there is a Chromium for the tests
	$(WORKBENCH) browser

shells: ## See to it that there are the shells that our lines are tried on
	$(WORKBENCH) shells

clean: ## Remove our containers, images, cache and .venv; nobody else's
	$(WORKBENCH) clean
