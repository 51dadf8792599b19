# The verbs of the project; `make` alone lists them. They need Python 3.11 or newer, with venv and pip, and nothing else.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
SEEDS ?= 1-10
ORDERS ?= $(or $(SYNCD_SHARED),../shared)/data/online_retail_2010-12_2011-05.csv.gz

BIN := .venv/bin
CORE := .venv/.core-installed
DEV := .venv/.dev-installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

define CREATE
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "syncd needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	echo "Name another one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }; \
echo "creating .venv with $$($(PYTHON) --version) ..."; \
$(PYTHON) -m venv --clear .venv || { \
	echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help demo replay test sim soak check fmt bench lock clean

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST))

demo: $(CORE) ## run the demo; options by ARGS="--for 20s --seed 7"
	$(BIN)/syncd demo $(ARGS)

replay: $(CORE) ## play real orders, all of them; another file or a slice by ORDERS=my.csv ARGS="--limit 5000"
	$(BIN)/syncd demo --orders $(ORDERS) --speed max $(ARGS)

test: $(DEV) ## run the tests; options by ARGS="-k money", processes by WORKERS=4
	$(BIN)/pytest -n $(WORKERS) -m "not soak and not sim" $(ARGS)

sim: $(DEV) ## simulate: the mutation gate and ten days in virtual time; another range by SEEDS=1-100
	SYNCD_SIM_SEEDS=$(SEEDS) $(BIN)/pytest -n $(WORKERS) -m sim $(ARGS)

soak: $(DEV) ## run the long tests that `make test` leaves out; options as there
	$(BIN)/pytest -n $(WORKERS) -m soak $(ARGS)

check: $(DEV) ## lint, format, types and the dependency rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(DEV) ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One short round proves every run sound (nothing oversold, the ledger adds up, no order lost); its figures are noise.
bench: $(DEV) ## measure, as ratios to others in the same run, into benchmarks/out; one short round by ARGS="--quick"
	$(BIN)/python -m benchmarks.book $(ARGS)
ifeq ($(filter --quick,$(ARGS)),)
	$(BIN)/python -m benchmarks.plot
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/status_page.py
endif

lock: ## resolve locks/*.in anew with uv; newest versions by ARGS=--upgrade
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH: pip install uv" >&2; exit 1; }
	cd locks && $(COMPILE) $(ARGS) core.in -o core.txt
	cd locks && $(COMPILE) $(ARGS) dev.in -c core.txt -o dev.txt

clean: ## remove the environment, caches and what the demo left
	rm -rf .venv .demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The dev lock holds everything of the core lock in the same versions: an environment made for the demo grows into one
# for the tests, in this order also under make -j.
$(CORE): locks/core.txt pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { $(CREATE); }
	@echo "installing the $$(grep -c '^[a-z]' $<) packages of $<, which may take some minutes ..."
	@$(INSTALL) --require-hashes -r $<
	@echo "installing syncd itself ..."
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

$(DEV): locks/dev.txt $(CORE)
	@echo "installing what the tests need of the $$(grep -c '^[a-z]' $<) packages of $< ..."
	@$(INSTALL) --require-hashes -r $<
	@touch $@
