"""QR codes of the kernel's encoder, read by zbarimg, which is not of this project. Then the project's script reads the
text in them."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import folders  # noqa: E402 (the path is set just above)
import report_text  # noqa: E402

# Characters that the largest code of each version holds at the lower level (ISO/IEC 18004, table 7).
CAPACITIES = [
    25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153, 1249,
    1352, 1460, 1588, 1704, 1853, 1990, 2132, 2223, 2369, 2520, 2677, 2840, 3009, 3183, 3351, 3537, 3729, 3927, 4087, 4296,
]  # fmt: skip


def pictures(folder, texts, kind):
    data = b"".join(text.encode("ascii") + b"\0" for text in texts)
    subprocess.run([folders.build_folder() / "host/qr_pictures", folder, kind], input=data, check=True)
    return sorted(folder.glob("*.pgm"))


def read(files):
    """Return the text of the code in each picture."""
    done = subprocess.run(["zbarimg", "--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable", *files],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["sizes", "short", "long"])
def test_random_texts(tmp_path, kind):
    """The texts around each limit of a version, all short lengths, and lengths up to the longest."""
    lengths = {"sizes": [n + more for n in CAPACITIES for more in (0, 1)][:-1], "short": range(1, 160),
               "long": range(160, 4296, 173)}[kind]  # fmt: skip
    choice = random.Random(18004)
    texts = ["".join(choice.choices(report_text.ALPHABET, k=length)) for length in lengths]
    files = pictures(tmp_path, texts, "texts")
    assert len(files) == len(texts)
    assert read(files) == texts


def test_texts_of_one_character(tmp_path):
    """Regular data, in which the masks matter most."""
    texts = [character * length for character in report_text.ALPHABET.replace(" ", "") for length in (40, 300)]
    assert read(pictures(tmp_path, texts, "texts")) == texts


def test_reports(tmp_path):
    """Report, compression, letters, code, picture, zbarimg, letters, report."""
    choice = random.Random(1951)
    words = ["[panic] ", "0xffffffff8000", "kernel/mm/heap.c:", *"0123456789abcdef", "\n"]
    reports = ["".join(choice.choices(words, k=length)) + "\n" for length in [*range(120), *range(120, 600, 31)]]
    files = pictures(tmp_path, reports, "reports")
    assert [report_text.decode(text) for text in read(files)] == reports
