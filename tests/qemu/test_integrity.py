"""What is checked and measured is what is used: Secure Boot, hashes of the configuration, a TPM."""

import hashlib
import shutil
import subprocess
import time
import zlib
from pathlib import Path

import pytest

import event_log
import firmware
import sign
from lab import BUILD, LOADER, TIMEOUT_SECONDS, WORDS, change, enrolled, expect_ready, expect_stop, make_tree
from test_menu import DOWN, END, HOME, Terminal

FULL = pytest.mark.full
KEYS = Path("/usr/share/ovmf")
SIGNED_FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.snakeoil.fd")
SECURE = ["secure-boot 1"]
KERNEL, CONFIG = "kernel.elf", "handoff.conf"


def files_of(lab, changes=None):
    """Return {path: bytes} of a test's volume without the loader."""
    tree = make_tree(lab.directory() / "tree")
    change(tree, changes)
    return sign.find_files(tree, Path(LOADER), [])


def digest(content):
    return hashlib.sha256(content).hexdigest()


def with_a_changed_bit(content):
    return content[:-1] + bytes([content[-1] ^ 0x40])


def config(*lines):
    return {CONFIG: "\n".join((f"cmdline = {' '.join(WORDS)}", *lines, "")).encode()}


def expect_hashes(verdict, number, found, wanted):
    expect_stop(verdict, number)
    assert f"it has: {found}" in verdict.serial and f"wanted: {wanted}" in verdict.serial, verdict.serial


def test_enrolled_files_are_used_as_they_were_read(lab):
    """The first two reads are of the configuration and of the kernel. There is no third one that could differ."""
    files = files_of(lab)
    verdict = expect_ready(lab.case(enrolled(files), plan=[*SECURE, "read-changes-at 3"]))
    assert "changes a bit" not in verdict.serial
    assert verdict.has_line(r"\[integrity\] secure-boot=on kernel=checked tpm=unused")


def test_without_checks_a_kernel_is_read_in_pieces(lab):
    """So the plan of the test above would have an effect."""
    verdict = lab.case(plan=["read-changes-at 3"])
    assert "read 3 of" in verdict.serial and "[integrity]" not in verdict.serial


@pytest.mark.parametrize("name", [KERNEL, CONFIG])
def test_I1_changed_bit_is_refused(lab, name):
    files = files_of(lab)
    changed = with_a_changed_bit(files[name])
    verdict = lab.case({**enrolled(files), name: changed}, plan=SECURE)
    expect_hashes(verdict, 38, digest(changed), digest(files[name]))
    assert f"\\{name}" in verdict.serial


def test_I2_configuration_that_is_not_enrolled_is_refused(lab):
    """And this loader has no list at all."""
    files = files_of(lab)
    verdict = lab.case({LOADER: (BUILD / "BOOTX64.EFI").read_bytes()}, plan=SECURE)
    expect_hashes(verdict, 38, digest(files[CONFIG]), "(no file of this name)")


def test_I2_absent_configuration_is_accepted(lab):
    disk = lab.case_disk(None, {**enrolled({KERNEL: files_of(lab)[KERNEL]}), CONFIG: None}, SECURE)
    with lab.restore(disk) as running:
        assert running.wait_for(r"^\[ready\]", 60), running.serial
        assert "secure-boot=on kernel=checked" in running.serial


def test_I1_changed_entry_file_and_application_are_refused(lab):
    """Both are named with their hashes, and the next good entry starts."""
    changes = {
        CONFIG: f"cmdline = {' '.join(WORDS)}\nentry = tool\nefi = \\tool.efi\nentry = good\n".encode(),
        "tool.efi": (BUILD / "BOOTX64.EFI").read_bytes(),
        "handoff/entries/extra.conf": b"title = extra",
    }
    files = files_of(lab, changes)
    changed = {name: with_a_changed_bit(files[name]) for name in ("tool.efi", "handoff/entries/extra.conf")}
    verdict = expect_ready(lab.case({**enrolled(files), **changes, **changed}, plan=SECURE))
    for entry, name in zip(("entry tool", "the file of entry extra is refused"), changed):
        assert f"warning: {entry}: HL-38: " in verdict.serial, verdict.serial
        assert f"it has: {digest(changed[name])}" in verdict.serial, verdict.serial
        assert f"wanted: {digest(files[name])}" in verdict.serial, verdict.serial
    assert "secure-boot=on kernel=checked" in verdict.serial


def test_I1_refused_entry_file_starts_nothing(lab):
    """Not the global lines either. The error names the file."""
    name = "handoff/entries/extra.conf"
    changes = {**config(), name: b"title = extra"}
    files = files_of(lab, changes)
    verdict = lab.case({**enrolled(files), **changes, name: b"title = other"}, plan=SECURE)
    assert r"\handoff\entries\extra.conf: The file cannot be read, or it is refused." in expect_stop(verdict, 20).serial


def test_ES11_hash_of_the_configuration(lab):
    kernel = files_of(lab)[KERNEL]
    verdict = expect_ready(lab.case(config(f"kernel_sha256 = {digest(kernel)}")))
    assert verdict.has_line(r"\[integrity\] secure-boot=off kernel=checked tpm=unused")
    verdict = lab.case({**config(f"kernel_sha256 = {digest(kernel)}"), KERNEL: with_a_changed_bit(kernel)})
    expect_hashes(verdict, 39, digest(with_a_changed_bit(kernel)), digest(kernel))


# --- A TPM that only tells what it gets ---------------------------------------------------------------


def crc(content):
    return f"{zlib.crc32(content):08x}"


def expect_measured(verdict, pcr, content, text):
    line = f"measured pcr={pcr} type=13 flags=0 header=14,1 size={len(content)} crc={crc(content)}: {text}"
    assert line in verdict.serial, verdict.serial


def test_measurements_before_the_use(lab):
    files = files_of(lab)
    verdict = expect_ready(lab.case(plan=["fake-tpm", "read-changes-at 3"]))
    words = " ".join(WORDS)
    expect_measured(verdict, 12, files[CONFIG], "configuration \\handoff.conf")
    expect_measured(verdict, 12, words.encode() + b"\0", f"command line {words}")
    expect_measured(verdict, 9, files[KERNEL], "kernel \\kernel.elf")
    assert verdict.serial.count("conductor: measured") == 3
    assert verdict.has_line(r"\[integrity\] secure-boot=off kernel=unchecked tpm=measured")


@pytest.mark.parametrize("fault, status", [("measure-fails-at", "device error"), ("log-full-at", "volume full")])
@pytest.mark.parametrize("nth, what", [(1, "configuration"), (3, "kernel")])
def test_I5_measurement_that_fails(lab, fault, status, nth, what):
    """A warning, unless all measurements are demanded. The first is made before the configuration is read."""
    plan = ["fake-tpm", f"{fault} {nth}"]
    verdict = expect_ready(lab.case(plan=plan))
    assert f"warning: not in the TPM: {what}" in verdict.serial and f"({status})" in verdict.serial
    assert "[integrity]" not in verdict.serial
    verdict = expect_stop(lab.case(config("tpm = demand"), plan=plan), 40)
    assert f"(firmware: {status}" in verdict.serial


def test_I4_absent_tpm(lab):
    verdict = expect_ready(lab.case(config("tpm = on"), plan=["fake-tpm-gone"]))
    assert "warning: not in the TPM: there is no TPM 2.0" in verdict.serial
    assert "TPM" not in expect_ready(lab.case(plan=["fake-tpm-gone"])).serial


def test_tpm_off_measures_only_the_configuration(lab):
    verdict = expect_ready(lab.case(config("tpm = off"), plan=["fake-tpm"]))
    assert verdict.serial.count("conductor: measured") == 1 and "[integrity]" not in verdict.serial


def test_tpm_off_measures_each_entry_file(lab):
    """Another entry may demand all measurements. `off` of one entry counts for its kernel only."""
    entries = {"a.conf": b"tpm = off", "b.conf": b"tpm = demand"}
    changes = {**config("tpm = off", "default = b"), **{f"handoff/entries/{k}": v for k, v in entries.items()}}
    verdict = expect_ready(lab.case(changes, plan=["fake-tpm"]))
    for name, content in entries.items():
        expect_measured(verdict, 12, content, f"entry file \\handoff\\entries\\{name}")
    assert verdict.serial.count("conductor: measured") == 5
    assert "tpm=measured" in verdict.serial


# --- Real Secure Boot, and a real TPM ------------------------------------------------------------------


def sign_volume(tree, tmp_path):
    """Enrol the files of a tree, and sign its loader with the key that Debian's firmware has. `make sign` runs the same
    script. Return {path: bytes} of the files."""
    needed = (KEYS / "PkKek-1-snakeoil.key", KEYS / "PkKek-1-snakeoil.pem", SIGNED_FIRMWARE)
    if shutil.which("sbsign") is None or shutil.which("openssl") is None or not all(map(Path.is_file, needed)):
        pytest.skip("no sbsign, no openssl, or no keys and firmware of Debian's package ovmf")
    key = tmp_path / "plain.key"
    subprocess.run(["openssl", "rsa", "-in", needed[0], "-passin", "pass:snakeoil", "-out", key],
                   check=True, capture_output=True)  # fmt: skip
    files = sign.find_files(tree, Path(LOADER), [])
    image = sign.enrol((BUILD / "BOOTX64.EFI").read_bytes(), files)
    sign.sign(image, key, needed[1], tree / LOADER)
    return files


def expect_both_hashes(terminal, keys, name, found, wanted):
    """Check a refusal on the screen of the menu."""
    text = terminal.type(keys, r"^HL-38: Secure Boot is on, ", f"^  it has: {digest(found)}$",
                         f"^  wanted: {digest(wanted)}\\.", absent="It starts")  # fmt: skip
    assert name in " ".join(text.split()), text


def test_I1_I3_real_secure_boot(lab, tmp_path):
    """Each file that a menu's entry uses is refused with one changed bit, and so are the settings that nobody signed.
    The screen shows both hashes. An entry without changed files starts."""
    changes = {
        CONFIG: ("\n".join(("timeout = menu", f"cmdline = {' '.join(WORDS[:2])}", "entry = good", "entry = kernel",
                            "kernel = /other.elf", "entry = module", "module = /other.txt", "entry = tool",
                            "efi = /other.efi", "entry = inject", "inject = stale-key:1", "entry = fixed",
                            "kaslr = off"))).encode(),
        "other.elf": (BUILD / "kernel.elf").read_bytes(), "other.txt": b"other", "handoff/entries/x.conf": b"title = x",
        "other.efi": (BUILD / "qemu/VISITOR.EFI").read_bytes(),
    }  # fmt: skip
    tree = make_tree(tmp_path / "volume")
    change(tree, changes)
    files = sign_volume(tree, tmp_path)
    changed = {name: with_a_changed_bit(files[name]) for name in changes if name != CONFIG}
    disk = lab.disk({**changes, **changed, LOADER: (tree / LOADER).read_bytes()}, words=[])
    with lab.boot_cold(disk, firmware=firmware.find(SIGNED_FIRMWARE)) as running:
        terminal = Terminal(running)
        terminal.expect(r"^> good$", r"^  x \(error\)$")
        name = "handoff/entries/x.conf"
        expect_both_hashes(terminal, b"", "entry file \\handoff\\entries\\x.conf", changed[name], files[name])
        terminal.type(b"e", r"^Secure Boot is on: the command line cannot be changed\.$")
        for keys, kind, name in ((DOWN, "kernel", "other.elf"), (2 * DOWN, "module", "other.txt"),
                                 (3 * DOWN, "EFI application", "other.efi")):  # fmt: skip
            expect_both_hashes(terminal, HOME + keys + b"\r", f"{kind} \\{name}", changed[name], files[name])
        terminal.type(b"p", r"^The path of an EFI application$")
        expect_both_hashes(terminal, b"other.efi\r", "EFI application \\other.efi", changed[name], files[name])
        terminal.type(HOME + 4 * DOWN + b"\r", r"^HL-29: .* the key inject")
        terminal.type(HOME + 5 * DOWN + b"\r", r"^HL-29: .* kaslr=off")
        running.send(HOME + b"\r")
        verdict = expect_ready(running.watch(TIMEOUT_SECONDS))
    assert "secure-boot=on kernel=checked" in verdict.serial


def test_I1_real_secure_boot_refuses_a_changed_configuration(lab, tmp_path):
    tree = make_tree(tmp_path / "volume")
    files = sign_volume(tree, tmp_path)
    changed = with_a_changed_bit(files[CONFIG])
    disk = lab.disk({LOADER: (tree / LOADER).read_bytes(), CONFIG: changed})
    with lab.boot_cold(disk, firmware=firmware.find(SIGNED_FIRMWARE)) as running:
        assert running.wait_for("remedy: ", TIMEOUT_SECONDS), running.serial
        assert "HL-38: Secure Boot is on" in running.serial, running.serial
        assert digest(changed) in running.serial and digest(files[CONFIG]) in running.serial


class SoftwareTpm:
    """A TPM 2.0 as a program, in a folder of its own."""

    def __init__(self, folder):
        self.socket = folder / "tpm.socket"
        self.process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}",
                                         "--ctrl", f"type=unixio,path={self.socket}"])  # fmt: skip
        deadline = time.monotonic() + 20
        while not self.socket.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "swtpm has not started"
            time.sleep(0.05)

    def arguments(self, device):
        return ["-chardev", f"socket,id=tpm-socket,path={self.socket}", "-tpmdev", "emulator,id=tpm,chardev=tpm-socket",
                "-device", f"{device},tpmdev=tpm"]  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(20)


@pytest.mark.parametrize("device, lines", [
    pytest.param("tpm-crb", ["tpm = demand"], marks=FULL),
    pytest.param("tpm-tis", [], marks=FULL),
    pytest.param("tpm-crb", None, marks=FULL),
])  # fmt: skip
def test_event_log_replays_to_the_registers(lab, tmp_path, device, lines):
    """Without `lines` there is no configuration."""
    if shutil.which("swtpm") is None:
        pytest.skip("there is no swtpm: install Debian's package swtpm")
    changes = {CONFIG: None} if lines is None else config(*lines)
    files = files_of(lab, changes)
    with SoftwareTpm(tmp_path) as tpm:
        disk = lab.disk(changes, ["show-measurements"])
        with lab.boot_cold(disk, extra=tpm.arguments(device)) as running:
            assert running.wait_for(r"^\[ready\]", 120), running.serial
            serial = running.serial
    words = b"" if lines is None else " ".join(WORDS).encode()
    expected = [] if lines is None else [(12, files[CONFIG], b"configuration \\handoff.conf")]
    expected += [(12, words + b"\0", b"command line " + words), (9, files[KERNEL], b"kernel \\kernel.elf")]
    expect_replay(serial, expected)
    assert "tpm=measured" in serial


def expect_replay(serial, expected):
    """Check that the event log leads to each register, and has these events of the loader: (PCR, bytes, text). Return
    the programs that the firmware has measured."""
    events, registers = event_log.read_conductor(serial)
    replayed = event_log.replay(events)
    assert len(registers) == 16
    for number, value in registers.items():
        assert value == replayed.get(number, bytes(32)), f"PCR {number}: {events}"
    assert [(event.pcr, event.digest, event.data) for event in events if event.kind == event_log.EV_IPL] == [
        (pcr, hashlib.sha256(content).digest(), text) for pcr, content, text in expected]  # fmt: skip
    return [event.data for event in events if (event.pcr, event.kind) == (4, event_log.EV_EFI_APPLICATION)]


def test_event_log_of_a_boot_with_all_kinds_of_entries(lab, tmp_path):
    """An application ends, a kernel is refused, and a static PIE with modules starts with an edited command line."""
    if shutil.which("swtpm") is None:
        pytest.skip("there is no swtpm: install Debian's package swtpm")
    changes = {
        CONFIG: b"timeout = menu\ncmdline = all\ntpm = demand\nentry = visit\nefi = /visitor.efi\ncmdline = hello\n"
                b"entry = bad\nkernel = /bad.elf\n",
        "handoff/entries/pie.conf": b"kernel = /pie.elf\nmodule = /one.txt\nmodule_cmdline = words\nmodule = /two.bin",
        "visitor.efi": (BUILD / "qemu/VISITOR.EFI").read_bytes(), "bad.elf": b"no kernel",
        "pie.elf": (BUILD / "small_kernels/pie.elf").read_bytes(), "one.txt": b"!" * 5000, "two.bin": b"?",
    }  # fmt: skip
    with SoftwareTpm(tmp_path) as tpm:
        disk = lab.disk(changes, ["show-measurements", "no-terminal", "no-keyboard"], words=[])
        with lab.boot_cold(disk, extra=tpm.arguments("tpm-crb")) as running:
            terminal = Terminal(running)
            terminal.expect(r"^> visit$")
            terminal.type(b"\r", r"^visit has ended\.$")
            terminal.type(DOWN + b"\r", r"^HL-\d+: ", r"^  bad \(error\)$")
            terminal.type(END + b"e", r"^all$")
            running.send(b" edited\r")
            serial = running.watch(TIMEOUT_SECONDS).serial
    assert "pie: all is right" in serial, serial

    def words(line):
        return (12, line + b"\0", b"command line " + line)

    programs = expect_replay(serial, [
        (12, changes[CONFIG], b"configuration \\handoff.conf"),
        (12, changes["handoff/entries/pie.conf"], b"entry file \\handoff\\entries\\pie.conf"),
        words(b"hello"), words(b"all"), (9, changes["bad.elf"], b"kernel \\bad.elf"),
        words(b"all edited"), (9, changes["pie.elf"], b"kernel \\pie.elf"),
        (9, changes["one.txt"], b"module \\one.txt"), (9, changes["two.bin"], b"module \\two.bin"),
    ])  # fmt: skip
    assert "\\visitor.efi".encode("utf-16-le") in programs[-1], programs
