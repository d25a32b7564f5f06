#!/bin/sh
# Runs all tests: the flows, which mostly wait for processes, beside the others. Arguments go to both.
# The flows' report is shown when both have ended, so that the output ends with pytest's closing line.
python=.venv/bin/python
report=$(mktemp)
"$python" -m pytest -m flow "$@" >"$report" 2>&1 &
flows=$!
trap 'kill "$flows" 2>/dev/null; rm -f "$report"' EXIT
trap 'exit 130' INT TERM
"$python" -m pytest -m "not flow" "$@"
others=$?
wait "$flows"
code=$?
cat "$report"
[ "$others" -eq 0 ] && exit "$code"
echo "The tests that are no flows failed: their report stands above that of the flows." >&2
exit "$others"
