"""Test the report on the coverage of the unit tests. Small programs replace the tools of LLVM."""

import json
import re
import subprocess
import sys

import pytest
import unit_coverage
from unit_coverage import ROOT, explain, read_reasons


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def summary(name, count, covered):
    lines = {"count": count, "covered": covered}
    return {"filename": str(ROOT / name), "summary": {"lines": lines}}


@pytest.mark.parametrize("status", [0, 1, 77])
def test_failed_test_program_is_a_failure(tmp_path, status):
    export = {"data": [{"files": [summary("a.c", 10, 10), summary("b.c", 10, 7)]}]}
    cov = script(tmp_path / "cov", f"echo \"$@\" >>'{tmp_path}/words'; "
                 f"[ $1 = export ] && echo '{json.dumps(export)}'; exit 0")  # fmt: skip
    program = script(tmp_path / "test_x", f': >"$LLVM_PROFILE_FILE"; exit {status}')
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/unit_coverage.py", "true", cov, tmp_path, program],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if status else 0), done.stderr
    assert ("test_x FAILED" in done.stderr) == bool(status)
    assert "b.c (3 lines): no reason is known" in done.stdout
    assert "a.c" not in done.stdout
    # A checkout may itself lie in a folder with this name.
    words = (tmp_path / "words").read_text(encoding="utf-8")
    assert words.count(f"-ignore-filename-regex=^{re.escape(str(ROOT))}/tests/") == 3


def test_reasons_are_printed_beside_the_count():
    reasons = read_reasons("# comment: x\n\na.c: why: because\n")
    assert explain({"b.c": 1, "a.c": 2}, reasons)[0] == "  a.c (2 lines): why: because"
    assert "b.c (1 line): no reason" in explain({"b.c": 1, "a.c": 2}, reasons)[1]


def test_every_reason_is_for_a_file_that_exists():
    reasons = read_reasons(unit_coverage.REASONS.read_text(encoding="utf-8"))
    assert reasons and all(reasons.values())
    assert not [name for name in reasons if not (ROOT / name).is_file()]
