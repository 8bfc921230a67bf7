"""The live image of a release as a user boots it, and with --all the whole release made twice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import boot
import release
from lab import ROOT, TIMEOUT_SECONDS, volume

VERSION = (ROOT / "VERSION").read_text(encoding="ascii").strip()
FULL = pytest.mark.full


@pytest.fixture(scope="module", name="live_image")
def make_live_image(tmp_path_factory):
    """The live image with the binaries of the build."""
    scratch = tmp_path_factory.mktemp("live")
    (scratch / "tree").mkdir()
    shutil.copytree(volume.ESP, scratch / "tree/esp")
    shutil.copyfile(ROOT / "LICENSE", scratch / "tree/LICENSE")
    release.make_live_image(scratch / "tree", scratch, scratch / "live.img", 1790000000)
    return scratch / "live.img"


@pytest.mark.parametrize("medium", ["usb", *(pytest.param(name, marks=FULL) for name in ("virtio", "ahci", "scsi", "nvme"))])
def test_live_image_boots_to_the_prompt(lab, live_image, medium):
    """It has the configuration of the checkout, so the kernel stays until it is told to switch off."""
    with boot.Boot(lab.machine(live_image, medium=medium)) as running:
        assert running.wait_for("^handoff> $", TIMEOUT_SECONDS), running.serial
        running.send(b"poweroff\r")
        verdict = running.watch(TIMEOUT_SECONDS)
    assert verdict.success, f"{verdict.sentence}\n{verdict.serial}"
    assert verdict.has_line(f"Handoff loader {VERSION}$")
    assert verdict.has_line(rf'\[handoff\] .*loader="handoff-loader {VERSION}"'), verdict.serial


@FULL
def test_release_is_equal_in_another_folder_for_another_user(tmp_path):
    """Two clones of one commit, and two builds from nothing."""
    first = tmp_path / "one"
    release.export(ROOT, first, dirty=True)
    commit = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "commit", "-q", "-m", "tree"]
    for words in (["init", "-q"], ["add", "-A"], commit):
        subprocess.run(["git", "-C", first, *words], check=True)
    second = tmp_path / "a folder" / "with a longer name" / "two"
    second.parent.mkdir(parents=True)
    os.symlink(second.parent, tmp_path / "link")
    subprocess.run(["git", "clone", "-q", first, tmp_path / "link/two"], check=True)
    made = make_release(first, {"TZ": "UTC", "USER": "one"}, 0o022)
    again = make_release(second, {"TZ": "Asia/Tokyo", "USER": "two", "LC_ALL": "C", "HOME": str(tmp_path), "WERROR": "1"}, 0o077)
    assert [path.name for path in made] == [path.name for path in again]
    assert len(made) == 3 and made[0].name == f"handoff-{VERSION}-live.img"
    for one, two in zip(made, again):
        assert one.read_bytes() == two.read_bytes(), one.name


def make_release(checkout: Path, environment, umask):
    """Run make release, as a user does. Return its files."""
    inherited = {name: value for name, value in os.environ.items() if name not in release.LEFT_OUT}
    before = os.umask(umask)
    try:
        subprocess.run(["make", "-s", "release", f"PYTHON={sys.executable}"], cwd=checkout, env={**inherited, **environment}, check=True)
    finally:
        os.umask(before)
    return sorted((checkout / "build/release").iterdir())
