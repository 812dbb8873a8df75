# Two commands do everything: `make run` and `make test`. Both set up what is missing first; a second call does nothing slow.
PYTHON ?= python3
STATE_DIR ?= .ringfence
PORT ?= 8787
BIN := .venv/bin
STAMPS := .make

.PHONY: setup run test bench eval lock

setup: $(STAMPS)/python $(STAMPS)/node

# make run EXIT=1 ends after the transcript; without it the stack keeps serving until Ctrl-C.
run: setup
	@exec $(BIN)/ringfence tour --state-dir $(STATE_DIR) --port $(PORT) $(if $(EXIT),--exit)

# make test ARGS="tests/stack -k push" narrows it down.
test: setup $(STAMPS)/browser $(STAMPS)/opinion
	@$(BIN)/python -m pytest -n 2 $(ARGS)

# make bench SIZE=small is a quick run over a tenth of the data, PART=guard, PART=stack, PART=jobs, PART=data or PART=audit one part; STRICT=1 fails it for a missed target; BENCH_JSON=FILE keeps the results.
bench: setup
	@$(BIN)/python -m tests.bench

# Questions over real texts: by the offline responder, by the model on this machine if there is one, by a configured endpoint.
eval: setup
	@$(BIN)/python -m tests.eval $(ARGS)

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + " (set PYTHON=...)")'
	$(PYTHON) -m venv --clear .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: $(STAMPS)/venv requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/node: supabase/package-lock.json supabase/package.json
	@command -v npm >/dev/null || { echo "Node 20 or newer, with npm, is needed" >&2; exit 1; }
	cd supabase && npm ci --no-progress --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

# A real browser for the pages that tests look at, from npm: nothing of it is part of the product.
$(STAMPS)/browser: tests/browser/package-lock.json
	cd tests/browser && npm ci --no-progress --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

# Tools of other people that look at the database after us, in an environment of their own.
$(STAMPS)/opinion: $(STAMPS)/venv tests/opinion/requirements.lock
	$(PYTHON) -m venv --clear $(STAMPS)/opinion-venv
	$(STAMPS)/opinion-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/opinion/requirements.lock
	@touch $@

# Needs uv. The locks name no index and no local folder, so they work wherever the packages can be had.
UV_COMPILE = env -u PIP_FIND_LINKS -u UV_FIND_LINKS uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"
lock:
	$(UV_COMPILE) pyproject.toml -o requirements.lock
	$(UV_COMPILE) --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["local-model"], sep="\n")' \
		| $(UV_COMPILE) - -o requirements-model.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["names"], sep="\n")' \
		| $(UV_COMPILE) --constraint requirements-dev.lock - -o requirements-names.lock
	$(UV_COMPILE) tests/opinion/requirements.in -o tests/opinion/requirements.lock
