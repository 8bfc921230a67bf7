"""Measure which misuses the heap misses, and write the table into docs/HEAP-LIBRARY.md.

    table.py PROGRAM [--trials N] [--check DOCUMENT]

Without --check, the table is written. With it, the document's table is compared with a new run, which may have
fewer trials. A cell that says 0 allows no missed trial.
"""

import argparse
import math
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import report  # noqa: E402 (the path is set just above)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/HEAP-LIBRARY.md"
BEGIN = "<!-- detection: `make detection` writes this table -->"
END = "<!-- detection: end -->"
POLICIES = ["fast", "first-fit", "best-fit", "bump"]
LAYERS = {"off": "without the debug layer", "debug": "with the debug layer"}
TRIALS = 2000
# A share may differ from the document's by this many standard deviations, and by one trial.
DEVIATIONS = 5


def measure(program, trials):
    """Return {(layer, misuse): {policy: (trials, missed, crashed)}} in the order of the program."""
    rows = {}
    for line in report.lines_of("detection: rows", [program, str(trials)]):
        policy, layer, *counts, misuse = line.split(" ", 5)
        rows.setdefault((layer, misuse), {})[policy] = tuple(map(int, counts))
    return rows


def percent(count, trials):
    """Return the share in per cent. Only a count of 0 is "0"."""
    share = 100 * count / trials
    if count == 0:
        return "0"
    return f"{share:.0f}" if share >= 9.95 else f"{max(share, 0.01):.1g}" if share < 0.095 else f"{share:.1f}"


def cell(trials, missed, crashed):
    if trials == 0:
        return "–"
    return percent(missed, trials) + (f" (crash {percent(crashed, trials)})" if crashed else "")


def table(rows):
    """Return the text of both tables."""
    text = []
    for layer, title in LAYERS.items():
        text += [f"| missed, {title} | " + " | ".join(POLICIES) + " |", "|---|" + "---|" * len(POLICIES)]
        text += [f"| {misuse} | " + " | ".join(cell(*row[policy]) for policy in POLICIES) + " |"
                 for (of, misuse), row in rows.items() if of == layer]  # fmt: skip
        text.append("")
    return "\n".join(text)


def write(document, rows):
    text = document.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    document.write_text(f"{head}{BEGIN}\n\n{table(rows)}\n{END}{tail}", encoding="utf-8")


def stated(document):
    """Return {(layer, misuse): {policy: (missed, crashed)}} in per cent, None for a misuse that is impossible."""
    text = document.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    rows, layer = {}, None
    for line in text.splitlines():
        words = [word.strip() for word in line.strip("|").split("|")]
        head = re.fullmatch(r"missed, (.*)", words[0])
        if head:
            layer = {title: name for name, title in LAYERS.items()}[head.group(1)]
        elif line.startswith("| "):
            rows[layer, words[0]] = dict(zip(POLICIES, map(shares, words[1:])))
    return rows


def shares(words):
    if words == "–":
        return None
    found = re.fullmatch(r"([\d.]+)(?: \(crash ([\d.]+)\))?", words)
    return tuple(float(share or 0) for share in found.groups())


def is_near(share, count, trials):
    """True if so many trials fit a share in per cent. A share of 0 fits only 0 of them."""
    if share == 0:
        return count == 0
    p = share / 100
    return abs(count - p * trials) <= DEVIATIONS * math.sqrt(trials * p * (1 - min(p, 0.999))) + 1


def compare(rows, said):
    """Return the differences between a run and the document, as sentences."""
    wrong = [f"{layer}, {misuse}: the document has no such row" for layer, misuse in rows.keys() - said.keys()]
    wrong += [f"{layer}, {misuse}: no such misuse is tried" for layer, misuse in said.keys() - rows.keys()]
    for key in rows.keys() & said.keys():
        for policy in POLICIES:
            trials, *counts = rows[key][policy]
            claim = said[key][policy]
            if claim is None or trials == 0:
                if (claim is None) != (trials == 0):
                    wrong.append(f"{', '.join(key)}, {policy}: tried {trials} times, the document says {claim}")
            elif not all(is_near(share, count, trials) for share, count in zip(claim, counts)):
                wrong.append(f"{', '.join(key)}, {policy}: missed and crashed {counts} of {trials}, "
                             f"the document says {claim} per cent")  # fmt: skip
    return sorted(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--check", type=Path, metavar="DOCUMENT")
    arguments = parser.parse_args()
    rows = measure(arguments.program, arguments.trials)
    if arguments.check is None:
        write(DOCUMENT, rows)
        print(table(rows), end="")
        return 0
    wrong = compare(rows, stated(arguments.check))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
