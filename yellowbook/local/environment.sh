# Makes .venv, or brings it up to date, from a lock file with hashes; `make` calls it from the checkout:
#     sh yellowbook/local/environment.sh requirements.lock
# Uses uv if it is there, else venv and pip. What is in .venv beyond the lock file stays.
set -eu

lock=$1
python=.venv/bin/python

say() {
    printf '%s\n' "$*" >&2
}

# A name on the PATH is not enough: pyenv's shims are there for versions that can't be run.
runs() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Debian leaves the parts out that make an environment.
makes_environments() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

found=
without_venv=
for name in python3 python3.13 python3.12 python3.11; do
    if runs "$name"; then
        if command -v uv >/dev/null 2>&1 || makes_environments "$name"; then
            found=$("$name" -c 'import sys; print(sys.executable)')
            break
        fi
        without_venv=$name
    fi
done

if command -v uv >/dev/null 2>&1; then
    # uv brings a Python of its own if the machine has none that will do.
    runs "$python" || uv venv --quiet --clear --python "${found:->=3.11}" .venv
    say "Installing $lock with uv."
    # As pip does by itself: five processes start at once from here on, and each would compile everything again.
    uv pip install --quiet --compile-bytecode --python "$python" --require-hashes -r "$lock"
    exit
fi

if ! runs "$python"; then
    if [ -z "$found" ] && [ -n "$without_venv" ]; then
        say "$without_venv can't make an environment: its venv module is missing (on Debian: apt install python3-venv)."
        exit 1
    elif [ -z "$found" ]; then
        say "No Python of version 3.11 or later was found on the PATH. Install one, or uv (https://docs.astral.sh/uv/)."
        exit 1
    fi
    "$found" -m venv --clear .venv
fi
# uv leaves pip out of the environments it makes, and a kill may have.
"$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
say "Installing $lock with pip."
"$python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock"
