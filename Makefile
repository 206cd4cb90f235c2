# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench lock setup setup-dev browser clean help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

run: setup ## set everything up and serve the demo at http://127.0.0.1:8000
	@$(BIN)/nongma run --demo

test: setup-dev browser ## set everything up and run every test
	@$(BIN)/pytest -n auto

check: setup-dev ## style, types, layers, templates, settings, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djhtml --check nongma
	git ls-files -z '*.html' | xargs -0 $(BIN)/djade --check --target-version 5.2
	NONGMA_PUBLIC_URL=https://nongma.example NONGMA_ALLOWED_HOSTS=nongma.example NONGMA_TRUSTED_PROXIES=127.0.0.1 \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/nongma manage makemigrations --check --dry-run

bench: setup-dev ## measure every budget beside its limit
	@$(BIN)/python -m bench

setup:
	@PYTHON=$(PYTHON) sh scripts/setup.sh requirements.lock

setup-dev:
	@PYTHON=$(PYTHON) sh scripts/setup.sh requirements-dev.lock

browser:
	@sh scripts/browser.sh

lock: setup-dev ## compile the lock files anew from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what set-up made, data folder included
	rm -rf .venv var
