"""Reads the results of the official conformance suite.

Usage: conformance.py FOLDER [SCENARIO...]

FOLDER has a folder for each run of the suite, with one folder of results for
each scenario. Prints a line for each run. Ends with 0 if every check of every
scenario, or of those that are named, passed, and with 1 after it named those
that did not. A warning, which the suite itself only counts, is also a failure; a
skipped check is one unless its scenario is in SKIPPED.
"""

import json
import re
import sys
from pathlib import Path

# Scenarios that the suite skips by itself, with the reason.
SKIPPED = {
    "tasks-status-notifications": "the suite has no check yet",
}


def scenario_of(folder: Path) -> str:
    """`server-NAME-TIME`, as the suite names the folders of its results."""
    return re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", folder.name)


def is_named(path: Path, named: set[str]) -> bool:
    return not named or scenario_of(path.parent) in named


def problems_of(scenario: str, checks: list[dict]) -> list[str]:
    if not checks:
        return [f"{scenario}: no check ran"]
    problems = []
    for check in checks:
        status = check["status"]
        if status in ("SUCCESS", "INFO") or (status == "SKIPPED" and scenario in SKIPPED):
            continue
        problems.append(f"{scenario}, {check['id']}: {status}: {check.get('errorMessage', check['description'])}")
    return problems


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    named = set(sys.argv[2:])
    runs = sorted(folder for folder in Path(sys.argv[1]).glob("*") if folder.is_dir())
    if not runs:
        print("the suite left no results", file=sys.stderr)
        return 1
    problems = []
    seen = set()
    for run in runs:
        scenarios = [path for path in sorted(run.glob("*/checks.json")) if is_named(path, named)]
        seen.update(scenario_of(path.parent) for path in scenarios)
        passed = skipped = 0
        for path in scenarios:
            checks = json.loads(path.read_text(encoding="utf-8"))
            passed += sum(check["status"] == "SUCCESS" for check in checks)
            skipped += sum(check["status"] == "SKIPPED" for check in checks)
            problems += [f"{run.name}: {problem}" for problem in problems_of(scenario_of(path.parent), checks)]
        print(f"{run.name}: {len(scenarios)} scenarios, {passed} checks passed, {skipped} skipped")
    problems += [f"{name}: the suite has no such scenario" for name in sorted(named - seen)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} checks did not pass", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
