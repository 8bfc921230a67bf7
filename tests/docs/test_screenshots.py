"""Each picture that a document shows has a recipe in scripts/screenshots.py, and each recipe is used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import screenshots  # noqa: E402 (the path is set just above)

RECIPES = screenshots.all_recipes()


def shown_pictures():
    """Return the pictures of the tree that the documents show or link to, as paths from its root."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = set()
    for document in listed.splitlines():
        text = (ROOT / document).read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:)([^)\s]+\.(?:png|svg|jpg|gif))\)", text)
        found |= {(ROOT / document).parent.joinpath(link).resolve().relative_to(ROOT).as_posix() for link in links}
    return found


def test_each_picture_has_a_recipe_and_is_shown():
    assert shown_pictures() == set(RECIPES)
    assert len(RECIPES) > 10


def test_each_picture_is_there():
    kept = subprocess.run(["git", "ls-files", "docs/*.png", "docs/*.svg"], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.split()  # fmt: skip
    assert set(kept) <= set(RECIPES), "a picture without a recipe"
    assert all((ROOT / name).is_file() for name in RECIPES)


def test_what_the_recipes_name_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for recipe in RECIPES.values():
        if isinstance(recipe, screenshots.Plot):
            assert re.search(rf"^{recipe.target}:.*##", makefile, re.MULTILINE)
        if isinstance(recipe, screenshots.Command):
            words = recipe.words.split()
            assert "PICTURE" in words and all((ROOT / word).is_file() for word in words if "/" in word)


def run(monkeypatch, capsys, recipes, *words):
    monkeypatch.setattr(screenshots, "all_recipes", lambda: recipes)
    monkeypatch.setattr(sys, "argv", ["screenshots.py", *words])
    return screenshots.main(), capsys.readouterr().out


def test_it_says_what_it_did(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(screenshots, "ROOT", tmp_path)
    (tmp_path / "same.svg").write_text("x\n")
    (tmp_path / "other.svg").write_text("y\n")
    (tmp_path / "text").write_text("x\n")
    copy = screenshots.Command("cp text PICTURE")
    recipes = {"same.svg": copy, "other.svg": copy, "new.svg": copy, "bad.svg": screenshots.Command("ls PICTURE/none"),
               "plot.svg": screenshots.Plot("bench-frames", "text")}  # fmt: skip
    status, said = run(monkeypatch, capsys, recipes)
    assert status == 1 and said.splitlines()[:3] == [
        "same.svg: unchanged", "other.svg: changed", "new.svg: new"]  # fmt: skip
    assert re.search(r"^bad\.svg: FAILED: ls ends with status 2: ", said, re.MULTILINE), said
    assert said.endswith("\n3 pictures drawn, 1 failed, 1 left out\n")
    assert (tmp_path / "new.svg").read_text() == "x\n" and not (tmp_path / "plot.svg").exists()
    assert run(monkeypatch, capsys, recipes, "new.svg") == (
        0, "new.svg: unchanged\n1 picture drawn, 0 failed, 4 left out\n")  # fmt: skip


def test_unknown_picture_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["screenshots.py", "docs/images/none.png"])
    with pytest.raises(SystemExit):
        screenshots.main()
    assert "no picture 'docs/images/none.png': --list prints all" in capsys.readouterr().err
