"""docs/HEAP-LIBRARY.md states which misuses the heap misses. A short run agrees with it, and a wrong table is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

import folders

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/detection"))
import table  # noqa: E402 (the path is set just above)

PROGRAM = folders.build_folder() / "detection/detection"
TRIALS = 200


@pytest.fixture(name="rows", scope="module")
def short_run():
    return table.measure(PROGRAM, TRIALS)


def test_document_states_what_the_heap_misses(rows):
    assert table.compare(rows, table.stated(table.DOCUMENT)) == []


def test_every_policy_and_layer_is_tried(rows):
    assert {layer for layer, _ in rows} == set(table.LAYERS)
    for row in rows.values():
        assert set(row) == set(table.POLICIES)


def test_trials_are_the_same_in_every_run(rows):
    assert table.measure(PROGRAM, TRIALS) == rows


def test_wrong_table_is_refused(rows):
    said = table.stated(table.DOCUMENT)
    for key, policies in said.items():
        for policy, claim in policies.items():
            other = dict(said)
            other[key] = dict(policies)
            other[key][policy] = (0.0, 0.0) if claim is None else None
            assert len(table.compare(rows, other)) == 1
            if claim is not None:
                other[key][policy] = ((claim[0] + 50) % 100, claim[1])
                assert len(table.compare(rows, other)) == 1
        missing = {other_key: row for other_key, row in said.items() if other_key != key}
        assert len(table.compare(rows, missing)) == 1


def test_table_is_read_as_it_is_written(rows, tmp_path):
    document = tmp_path / "document.md"
    document.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nbehind\n", encoding="utf-8")
    table.write(document, rows)
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nbehind\n") and "old" not in text
    assert table.compare(rows, table.stated(document)) == []
    again = subprocess.run([sys.executable, ROOT / "tests/detection/table.py", PROGRAM, "--trials", "20",
                            "--check", document], capture_output=True, text=True, check=False)  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize(("count", "words"), [(0, "0"), (1, "0.05"), (6, "0.3"), (199, "10"), (2000, "100")])
def test_only_a_count_of_zero_is_said_to_be_zero(count, words):
    assert table.percent(count, 2000) == words
