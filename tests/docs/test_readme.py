"""The papers for newcomers: the first five minutes of the README, whose commands must still find their lines;
CONTRIBUTING.md; the form for a bug."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
MINUTES = re.search(r"^## The first five minutes$(.*?)^## ", TEXT, re.M | re.S).group(1)
CHANGES = re.findall(r"^(sed -i .*?) (kernel/\S+)  #", MINUTES, re.M)


def test_first_screen_has_the_two_commands():
    first = TEXT.splitlines()[:12]
    assert any(line.startswith("./scripts/run.sh ") for line in first)
    assert any(line.startswith("./scripts/test.sh ") for line in first)


@pytest.fixture(name="copy")
def make_copy(tmp_path):
    """Copies of the files that the commands change."""
    for _, name in CHANGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_each_command_changes_one_line(copy):
    assert len(CHANGES) == 2
    for command, name in CHANGES:
        before = (copy / name).read_text(encoding="utf-8").splitlines()
        subprocess.run(f"{command} {name}", shell=True, cwd=copy, check=True)
        after = (copy / name).read_text(encoding="utf-8").splitlines()
        if len(after) == len(before):
            assert sum(one != other for one, other in zip(before, after)) == 1, command
        else:
            added = [line for number, line in enumerate(after, 1) if f"`{name}:{number}`" in MINUTES]
            assert len(after) == len(before) + 1 and [line.strip() for line in added] == ["kfree(strings);"], command


def test_numbers_of_the_text_follow_from_the_source():
    source = (ROOT / CHANGES[0][1]).read_text(encoding="utf-8")
    old = int(re.search(r"#define STRING_COUNT +(\d+)", source).group(1))
    new = int(re.search(r"STRING_COUNT +(\d+)/'", CHANGES[0][0]).group(1))
    shown_new, shown_old = map(int, re.search(r"blocks=(\d+), and had (\d+)", MINUTES).groups())
    assert shown_new - shown_old == new - old
    assert f"blocks={shown_old} " in TEXT, "the log above has the same number"
    assert f"{new * 8} bytes: an array of {new} pointers" in MINUTES


def test_form_for_a_bug_asks_for_the_facts():
    form = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
    fields = re.findall(r"^    id: (\w+)$", form, re.M)
    assert {"steps", "dump", "log", "machine", "version"} <= set(fields) and len(set(fields)) == len(fields)
    dump = form[form.index("id: dump") : form.index("id: log")]
    assert "Type dump at the kernel's prompt" in " ".join(dump.split())
    assert '{"dump",' in "".join(path.read_text("utf-8") for path in (ROOT / "kernel/diagnostics/monitor").glob("*.c"))


def test_contributing_names_commands_and_folders_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    scripts = re.findall(r"(?:\./|\. |\()(scripts/[\w.-]+)", text)
    targets = re.findall(r"(?:^|`)make ([a-z][\w-]*(?:\.json)?)", text, re.M)
    folders = [name for cell in re.findall(r"^\| (`.*?) \|", text, re.M) for name in re.findall(r"`([\w/]+)/`", cell)]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(scripts) >= 4 and len(targets) >= 5 and len(folders) >= 8
    assert [name for name in [*scripts, *folders] if not (ROOT / name).exists()] == []
    assert [name for name in targets if not re.search(rf"^{re.escape(name)}:", makefile, re.M)] == []
