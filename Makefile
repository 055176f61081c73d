# Every target works from any folder with `make -C`; `make help` lists them.
.DEFAULT_GOAL := help
BIN := .venv/bin
DEMO ?= 1
SEED ?= 7
OPERATIONS ?= 10000
MINUTES ?= 60
SECONDS ?= 60
NUMBERS ?= 200000000
WORKERS ?= 3
# Where it is set, each process of a run would compile all the tests anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv up check format test mutate crash ledger-faults ledger-proofs fuzz soak phones drill screens bench clean

help: ## Show this list
	@sed -n 's/^\([a-zA-Z%-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

venv: ## Make .venv from the hash-pinned lock (nothing to do when it is up to date)
	@bin/venv

up: venv ## Start everything; Ctrl-C stops it (DEMO=0: without the example shops)
	@$(BIN)/noren up $(if $(filter 0 no off false,$(DEMO)),--no-demo)

check: venv ## Lint, format, types, contracts of imports, templates, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tests $(wildcard bench)
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src/noren/web/templates
	$(BIN)/python -m pytest -q tests/house

format: venv ## Put the code into its format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

test: venv ## Unit, integration and browser tests, a file to each free worker (WORKERS=3)
	@bin/browser
	@$(BIN)/python -m compileall -q src
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

mutate: venv ## Change the engine in one place after another: its tests must notice (FILE=grid: one file)
	@nice -n 10 $(BIN)/python -m tests.mutation.run $(FILE)

crash: venv ## Kill everything at random points of 10,000 operations (SEED=7 OPERATIONS=10000): one line a verdict
	@$(BIN)/python -m tests.crash --seed $(SEED) --operations $(OPERATIONS)

ledger-faults: venv ## Let every call on the ledger's way to the disk fail, in every way: docs/ledger-failures.md
	LEDGER_FAULTS=all $(BIN)/python -m pytest -q tests/ledger/faults tests/vault/test_faults.py

ledger-proofs: venv ## Turn every bit of every proof of every tree to 300 entries: all must be refused (SIZES=300)
	LEDGER_PROOFS=all SIZES=$(or $(SIZES),300) $(BIN)/python -m pytest -q --timeout=0 --durations=1 tests/ledger/test_proofs.py

fuzz: venv ## Fuzz every reader of a stranger's bytes, guided by coverage (SECONDS=60 each)
	@for target in frames entry note checkpoint proof request; do \
		$(BIN)/python -m tests.fuzz $$target $(SECONDS) || exit 1; done

soak: venv ## An hour of steady load (MINUTES=60 SEED=7): does the memory of each process stay flat?
	@$(BIN)/python -m tests.crash.soak --seed $(SEED) --minutes $(MINUTES)

phones: venv ## Try every 090 and 080 number against blind tokens without their key (NUMBERS=1000000: so many)
	@nice -n 10 $(BIN)/python -m tests.vault.phones --numbers $(NUMBERS)

drill: venv ## Play each leak on a copy, and hold every figure against the truth (DRILLS=origin SEED=7)
	@for drill in $(or $(DRILLS),origin app-root vault-root backup); do \
		$(BIN)/noren drill $$drill --seed $(SEED) || exit 1; done

screens: venv ## Pictures of the customer's way, the console and a leak, into docs/screens (FOLDER=elsewhere, ONLY=console)
	@bin/browser
	ONLY=$(ONLY) $(BIN)/python -m tests.browser.screens $(FOLDER)

bench: venv ## Every figure: name value unit limit ratio
	@for file in $$(grep -l __main__ bench/*.py); do \
		$(BIN)/python -m "bench.$$(basename "$$file" .py)" || exit 1; done

bench-%: venv ## One bench's figures, such as make bench-engine
	@$(BIN)/python -m bench.$*

clean: ## Remove what the tools left (not .venv, not var)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results mutants
