#!/usr/bin/env python3
"""Makes figures of what llvm-cov exports: how much of a folder's code was run, tests not counted.

    covered.py FOLDER REGIONS.json LINES.lcov MISSED    prints the figures and writes a list of what was not run

Exit status: 0 enough was run, 1 less than LINES or REGIONS below.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

LINES, REGIONS = 97.0, 95.0  # percent
TESTS = re.compile(r"/(tests|models)[/.]|/(page|seeded_bugs)\.rs$")
CODE = 0  # the kind of a region; others are expansions of macros, gaps between


def test_lines(path: str) -> set[int]:
    """The lines of items that only tests have: from the attribute to the first line that ends an item."""
    lines, inside, found = Path(path).read_text().splitlines(), False, set()
    for number, line in enumerate(lines, 1):
        inside = inside or line == "#[cfg(test)]"
        if inside:
            found.add(number)
            inside = line != "}" and (line.startswith(" ") or not line.endswith(";"))
    return found


def main(folder: str, regions_file: str, lines_file: str, missed_file: str) -> int:
    tests: dict[str, set[int]] = {}

    def counts(path: str, line: int) -> bool:
        if not path.startswith(folder) or TESTS.search(path[len(folder) - 1 :]):
            return False
        if path not in tests:
            tests[path] = test_lines(path)
        return line not in tests[path]

    # A function is there once for each program and each type it is made for: what one of them runs is run.
    regions: dict[tuple, int] = defaultdict(int)
    for function in json.loads(Path(regions_file).read_text())["data"][0]["functions"]:
        for *place, count, file, _, kind in function["regions"]:
            path = function["filenames"][file]
            if kind == CODE and counts(path, place[0]):
                regions[path, *place] += count

    lines: dict[tuple, int] = {}
    path = ""
    for line in Path(lines_file).read_text().splitlines():
        word, _, rest = line.partition(":")
        if word == "SF":
            path = rest
        elif word == "DA":
            number, count = map(int, rest.split(",")[:2])
            if counts(path, number):
                lines[path, number] = count

    with open(missed_file, "w") as out:
        for path, *place in sorted(region for region, count in regions.items() if not count):
            print(f"{path[len(folder):]}:{place[0]}:{place[1]}-{place[2]}:{place[3]}", file=out)

    enough = True
    figures = []
    for what, all_of_them, bound in ("lines", lines, LINES), ("regions", regions, REGIONS):
        run = sum(1 for count in all_of_them.values() if count)
        percent = 100 * run / len(all_of_them)
        enough &= percent >= bound
        figures.append(f"{run} of {len(all_of_them)} {what} ({percent:.1f} %, of {bound:.0f} % asked)")
    print(f"coverage: {', '.join(figures)} are run")
    return not enough


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
