"""Check the workflows of GitHub Actions: valid YAML, known keys, and commands that exist."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / ".github/workflows/ci.yml"
EXAMPLE = ROOT / "docs/examples/github-actions/kernel.yml"
STEP_KEYS = {"name", "uses", "with", "run", "if", "env"}


def read(path):
    """YAML 1.1 reads the key `on` as true."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)
    return workflow


@pytest.mark.parametrize("path, keeps", [(OURS, "failure()"), (EXAMPLE, "always()")], ids=["ours", "example"])
def test_workflow_is_well_formed(path, keeps):
    workflow = read(path)
    assert set(workflow) <= {"name", "on", "env", "jobs"} and set(workflow["on"]) == {"push", "pull_request"}
    (job,) = workflow["jobs"].values()
    assert job["runs-on"] == "ubuntu-latest" and job["container"] == "debian:12" and job["timeout-minutes"] <= 60
    for step in job["steps"]:
        assert set(step) <= STEP_KEYS and ("run" in step) != ("uses" in step), step
        assert "uses" not in step or re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
    last = job["steps"][-1]
    assert last["if"] == keeps and last["uses"].startswith("actions/upload-artifact@")


def test_our_workflow_runs_the_two_commands_of_the_readme():
    commands = " ".join(step.get("run", "") for step in read(OURS)["jobs"]["test"]["steps"])
    assert "./scripts/run.sh --once" in commands and "./scripts/test.sh" in commands


def test_example_runs_the_kit():
    workflow = read(EXAMPLE)
    steps = workflow["jobs"]["conformance"]["steps"]
    assert set(workflow["env"]) == {"PACKAGES", "BUILD_COMMAND", "KERNEL", "HANDOFF_REPOSITORY", "HANDOFF_VERSION"}
    command = next(step["run"] for step in steps if "conformance.sh" in step.get("run", ""))
    script = re.search(r"handoff-checkout/(scripts/\S+)", command).group(1)
    assert (ROOT / script).is_file()
    options = set(re.findall(r"--[\w-]+", command.split(script)[1]))
    known = (ROOT / "scripts/conformance.py").read_text(encoding="utf-8")
    assert options == {"--junit", "--logs"} and all(option[2:] in known for option in options)


def test_example_fits_the_kernels_of_new_kernel():
    """Checkout deletes the content of its folder, and the kernel in Rust has a folder `handoff`."""
    workflow = read(EXAMPLE)
    (place,) = (step["with"]["path"] for step in workflow["jobs"]["conformance"]["steps"] if "path" in step.get("with", {})
                and "repository" in step["with"])  # fmt: skip
    for language in ("c", "rust"):
        folder = ROOT / f"docs/examples/kernel-{language}"
        assert not (folder / place).exists()
        makefile = (folder / "Makefile").read_text(encoding="utf-8")
        assert f"\n{workflow['env']['KERNEL']}:" in makefile and workflow["env"]["BUILD_COMMAND"] == "make kernel.elf"
