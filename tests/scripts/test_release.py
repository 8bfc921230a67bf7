"""Test the files of a release. They are made of the binaries that are built already; a second build of the whole is in
tests/qemu/test_release.py, with --all."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path

import folders
import pytest
import release
import sbom

ROOT = folders.ROOT
BUILD = folders.build_folder()
VERSION = (ROOT / "VERSION").read_text(encoding="ascii").strip()
EPOCH = 1790000000
# Assembles a release in another process, with other settings of the user.
ASSEMBLE = "import os, release, sys; from pathlib import Path; os.umask(0o077); " \
           "release.assemble(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))"


def built_tree(tree: Path):
    """Make a tree with the files of the checkout and the binaries of the build."""
    release.export(ROOT, tree, dirty=True)
    for name in release.BUILT:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folders.volume_folder() / Path(name).relative_to("esp"), tree / name)
    return tree


@pytest.fixture(scope="module", name="tree")
def make_tree(tmp_path_factory):
    return built_tree(tmp_path_factory.mktemp("sources") / "tree")


@pytest.fixture(scope="module", name="products")
def make_products(tree, tmp_path_factory):
    return release.assemble(tree, tmp_path_factory.mktemp("out"), EPOCH)


@pytest.fixture(scope="module", name="folder")
def unpack(products, tmp_path_factory):
    """The archive, unpacked."""
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(products[0]) as archive:
        archive.extractall(place)
    return place / f"handoff-{VERSION}"


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_archive_has_what_a_kernel_needs(folder):
    expected = {"LICENSE", "README.md", "VERSION", "CHANGELOG.md", "SBOM.spdx.json", "SHA256SUMS",
                "esp/EFI/BOOT/BOOTX64.EFI", "esp/kernel.elf", "esp/handoff.conf", "shared/handoff.h",
                "shared/handoff_note.h", "docs/HANDOFF.md", "docs/RELEASE.md", f"docs/versions/v{VERSION}.md"}  # fmt: skip
    assert expected <= files_of(folder)
    listed = subprocess.run(["git", "ls-files", "docs/examples"], cwd=ROOT, capture_output=True, text=True, check=True)
    examples = {name for name in files_of(folder) if name.startswith("docs/examples/")}
    assert examples == set(listed.stdout.split()) and len(examples) > 10, "the sources, and nothing that was built"


def test_version_of_the_binaries_is_the_release_s(folder):
    for name in release.BUILT:
        assert f"{VERSION}\0".encode() in (folder / name).read_bytes(), name
    assert f"## {VERSION} – " in (folder / "CHANGELOG.md").read_text(encoding="utf-8")


def test_checksums_hold(folder, products):
    for place, name in ((folder, "SHA256SUMS"), (products[0].parent, products[2].name)):
        done = subprocess.run(["sha256sum", "--strict", "-c", name], cwd=place, capture_output=True, text=True, check=True)
        assert "FAILED" not in done.stdout
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    assert listed == files_of(folder) - {"SHA256SUMS"}


def test_links_of_the_documents_lead_into_the_archive(folder):
    for path in folder.rglob("*.md"):
        for _, target in release.LINK.findall(path.read_text(encoding="utf-8")):
            name = target.partition("#")[0]
            assert not name or "://" in name or (path.parent / name).exists(), f"{path}: {target}"


def test_links_that_lead_out_become_text():
    text = "See [one](ONE.md#a), [two](TWO.md), [web](https://x/y) and [here](#here)."
    assert release.without_missing_links(text, "docs/A.md", {"docs/ONE.md"}) == (
        "See [one](ONE.md#a), two, [web](https://x/y) and [here](#here).")


def test_header_of_the_archive_compiles_by_itself(folder, tmp_path):
    source = tmp_path / "kernel.c"
    source.write_text('#include "shared/handoff.h"\n#include "shared/handoff_note.h"\nint version = HANDOFF_VERSION_MAJOR;\n',
                      encoding="ascii")  # fmt: skip
    subprocess.run(["clang", "-std=c11", "-ffreestanding", "-Wall", "-Werror", "-fsyntax-only", "-I", str(folder), str(source)],
                   check=True)  # fmt: skip


@pytest.mark.parametrize("script", ["kernel-checksum.py", "usb.py"])
def test_scripts_of_the_archive_run_by_themselves(folder, script, tmp_path):
    done = subprocess.run([sys.executable, folder / "scripts" / script, "--help"], cwd=tmp_path, capture_output=True,
                          text=True, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""})  # fmt: skip
    assert done.stdout.startswith(f"usage: {script} ")


def test_archive_names_no_user_and_no_folder_of_this_machine(products, folder):
    with tarfile.open(products[0]) as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == sorted((entry.name for entry in entries), key=lambda name: name.split("/"))
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) for entry in entries} == {(0, 0, "", "", EPOCH)}
    assert {entry.mode for entry in entries} <= {0o644, 0o755}
    assert products[0].read_bytes()[:10] == b"\x1f\x8b\x08\x00\0\0\0\0\x02\xff", "no name and no time"
    for path in folder.rglob("*"):
        for word in (ROOT, BUILD, Path.home() / "x", products[0].parent):
            assert path.is_dir() or str(word).encode() not in path.read_bytes(), f"{path}: {word}"


# --- The SBOM -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", name="document")
def read_sbom(folder):
    return json.loads((folder / "SBOM.spdx.json").read_text(encoding="utf-8"))


def test_sbom_has_every_field_that_spdx_demands(document):
    assert (document["spdxVersion"], document["dataLicense"], document["SPDXID"]) == (
        "SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert document["creationInfo"]["created"] == "2026-09-21T14:13:20Z" and document["creationInfo"]["creators"]
    uuid.UUID(document["documentNamespace"].removeprefix("urn:uuid:"))
    for entry in [*document["packages"], *document["files"]]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", entry["SPDXID"])
        assert entry["licenseConcluded"] and entry["copyrightText"]
    for package in document["packages"]:
        assert package["name"] and package["versionInfo"] and package["downloadLocation"]
    names = [entry["SPDXID"] for entry in [document, *document["packages"], *document["files"]]]
    assert len(set(names)) == len(names), "each identifier is used once"
    for relation in document["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(names)
    described = [r["relatedSpdxElement"] for r in document["relationships"] if r["relationshipType"] == "DESCRIBES"]
    assert described == ["SPDXRef-Package-handoff"]


def test_sbom_has_each_file_with_both_checksums(document, folder):
    listed = {entry["fileName"]: {row["algorithm"]: row["checksumValue"] for row in entry["checksums"]}
              for entry in document["files"]}  # fmt: skip
    assert {name[2:] for name in listed} == files_of(folder) - {"SBOM.spdx.json", "SHA256SUMS"}
    for name, sums in listed.items():
        data = (folder / name).read_bytes()
        assert sums == {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}
    code = hashlib.sha1("".join(sorted(sums["SHA1"] for sums in listed.values())).encode()).hexdigest()
    assert document["packages"][0]["packageVerificationCode"] == {
        "packageVerificationCodeValue": code,
        "packageVerificationCodeExcludedFiles": ["./SBOM.spdx.json", "./SHA256SUMS"]}  # fmt: skip


def test_sbom_names_the_packages_in_the_binaries_and_the_tools(document):
    packages = {package["name"]: package for package in document["packages"]}
    assert packages["handoff"]["versionInfo"] == VERSION
    assert packages["clang"]["versionInfo"].startswith(subprocess.run(
        ["clang", "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip())
    if shutil.which("dpkg-query") is None:
        pytest.skip("only Debian's names of the packages are known")
    for name, licence in (("gnu-efi", "BSD-2-Clause"), ("psf-unifont", "GPL-2.0-or-later")):
        version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, check=True)
        assert packages[name]["versionInfo"] == version.stdout and packages[name]["licenseDeclared"] == licence


def test_licences_of_the_binaries_include_the_material(document):
    files = {entry["fileName"]: entry["licenseConcluded"] for entry in document["files"]}
    assert files["./shared/handoff.h"] == "MIT"
    assert files["./esp/EFI/BOOT/BOOTX64.EFI"].startswith("MIT AND BSD-2-Clause AND (")
    assert files["./esp/kernel.elf"].startswith("MIT AND (")


def test_file_that_no_package_has_is_not_given_a_version(tmp_path):
    (tmp_path / "efi.h").touch()
    assert sbom.package_of(tmp_path / "efi.h", "gnu-efi") == sbom.Package("gnu-efi", "NOASSERTION")


# --- Equal bytes --------------------------------------------------------------------------------------


def test_another_user_at_another_time_gets_the_same_bytes(tree, products, tmp_path):
    """The files of the other tree have other times and modes, and were created in another order."""
    other = tmp_path / "another folder"
    for path in sorted((path for path in tree.rglob("*") if path.is_file()), reverse=True):
        target = other / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o600)
        os.utime(target, (1, 1000000000))
    environment = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "USER": "other", "PYTHONHASHSEED": "7",
                   "SOURCE_DATE_EPOCH": "5", "PYTHONPATH": str(ROOT / "scripts")}  # fmt: skip
    subprocess.run([sys.executable, "-c", ASSEMBLE, other, tmp_path / "out", str(EPOCH)], env=environment, check=True,
                   cwd=tmp_path)  # fmt: skip
    for path in products:
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes(), path.name


def test_objects_with_debug_information_are_equal_in_another_folder(tmp_path):
    """The whole build in another folder takes half a minute: --all makes it (tests/qemu/test_release.py)."""
    chosen = [next(iter(sorted(path.relative_to(BUILD) for path in (BUILD / folder).rglob(pattern))))
              for folder, pattern in (("loader/bootloader", "*.o"), ("kernel/kernel/mm", "*.o"), ("kernel/kernel/arch", "*[!t].S.o"))]  # fmt: skip
    tree = tmp_path / "tree"
    for folder in ("bootloader", "kernel", "shared", "scripts"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "VERSION"):
        shutil.copyfile(ROOT / name, tree / name)
    shutil.copytree(ROOT / "esp", tree / "esp")
    out = tmp_path / "elsewhere"
    environment = {name: value for name, value in os.environ.items() if name not in release.LEFT_OUT}
    subprocess.run(["make", "-s", "-C", tree, f"BUILD={out}", *(str(out / name) for name in chosen)],
                   env={**environment, "TZ": "Asia/Tokyo", "LC_ALL": "C"}, check=True)  # fmt: skip
    for name in chosen:
        assert (out / name).read_bytes() == (BUILD / name).read_bytes(), name


# --- The work tree ------------------------------------------------------------------------------------


@pytest.fixture(name="checkout")
def make_checkout(tmp_path):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path / "checkout", check=True,
                       env={**os.environ, "GIT_COMMITTER_DATE": "@1700000000 +0900"}, capture_output=True)  # fmt: skip

    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout/file").write_text("committed\n", encoding="ascii")
    git("init", "-q")
    git("add", "file")
    git("commit", "-q", "-m", "x")
    return tmp_path / "checkout"


def test_work_tree_with_changes_is_refused(checkout):
    release.check_clean(checkout)
    (checkout / "new").touch()
    with pytest.raises(release.ReleaseError, match="1 files are not committed, the first is new: commit them"):
        release.check_clean(checkout)


def test_commit_gives_the_files_and_the_time(checkout, tmp_path, monkeypatch):
    (checkout / "file").write_text("changed\n", encoding="ascii")
    (checkout / "new").touch()
    release.export(checkout, tmp_path / "clean", dirty=False)
    release.export(checkout, tmp_path / "dirty", dirty=True)
    assert (tmp_path / "clean/file").read_text(encoding="ascii") == "committed\n"
    assert not (tmp_path / "clean/new").exists() and (tmp_path / "dirty/new").exists()
    assert (tmp_path / "dirty/file").read_text(encoding="ascii") == "changed\n"
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert release.commit_time(checkout) == 1700000000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(release.ReleaseError, match="not a number of seconds"):
        release.commit_time(checkout)


def test_folder_without_a_repository_is_one_sentence(tmp_path):
    with pytest.raises(release.ReleaseError, match="^git status: "):
        release.check_clean(tmp_path)
