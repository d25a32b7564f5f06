# One command to run, one to test. Needs git, make and Python >= 3.11; uses uv where it is there.
# Everything is called as `.venv/bin/python -m ...`: a console script fails when the path of the checkout is long or has
# a space in it.

.POSIX:

PY = .venv/bin/python
TYPED = jobs embeddings yellowbook tests

help:
	@echo 'make run    everything on this machine until Ctrl-C: servers, workers, web; sample data the first time'
	@echo 'make test   the tests'
	@echo 'make lint   style, types, the order of imports'
	@echo 'make lock   the lock files anew from pyproject.toml (needs uv)'
	@echo 'make clean  remove the environment and caches; the data stay'
	@echo 'make wipe   remove the data, credentials and logs of the embedded servers'

run: .venv/run.stamp
	@exec $(PY) -m yellowbook.local run --tied

# The flows have the machine to themselves: what they show depends on when things happen.
test: .venv/test.stamp
	@$(PY) -m pytest tests/flows
	@$(PY) -m pytest tests --ignore tests/flows --numprocesses 2 --dist worksteal

lint: .venv/test.stamp
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(TYPED)
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

# With the extras kept: pip refuses a pin without them for a package that another one wants with them.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras

lock:
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --all-extras --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

wipe: .venv/run.stamp
	@$(PY) -m yellowbook.local wipe

.venv/run.stamp: requirements.lock
	@sh yellowbook/local/environment.sh requirements.lock
	@touch $@

.venv/test.stamp: requirements-dev.lock
	@sh yellowbook/local/environment.sh requirements-dev.lock
	@touch $@ .venv/run.stamp

.PHONY: help run test lint lock clean wipe
