"""The first five minutes of the README, from the change of a line to the panic."""

import re
import shutil
import subprocess

import pytest

import release
from lab import BUILD, ROOT, expect_panic, expect_ready

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGES = re.findall(r"^(sed -i .*? kernel/\S+)  #", TEXT, re.M)


def build_kernel(tree, command):
    subprocess.run(command, shell=True, cwd=tree, check=True)
    subprocess.run(["make", "-s", "build/kernel.elf"], cwd=tree, check=True)
    return tree / "build/kernel.elf"


@pytest.mark.full
def test_change_is_seen_and_the_mistake_is_named(lab, tmp_path):
    """Only the changed file is compiled again."""
    tree = tmp_path / "tree"
    release.export(ROOT, tree, dirty=True)
    shutil.copytree(BUILD / "kernel", tree / "build/kernel", copy_function=shutil.copy2)
    for name in ("kernel.flags", "font.bin"):
        shutil.copy2(BUILD / name, tree / "build")
    verdict = expect_ready(lab.case(kernel=build_kernel(tree, CHANGES[0])))
    seen = verdict.has_line(r"\[self-test\] .*\bblocks=(\d+) ").group(1)
    assert f"[self-test] has blocks={seen}, and had " in TEXT
    verdict = expect_panic(lab.case(kernel=build_kernel(tree, CHANGES[1])), "HEAP_DOUBLE_FREE")
    assert verdict.has_line(r"\[panic\] cause: double free: .* of 16000 bytes$"), verdict.serial
    place = verdict.has_line(r"\[panic\] found by .* (kernel/\S+:\d+)$").group(1)
    assert f"ends with `{place}`" in TEXT
