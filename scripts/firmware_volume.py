"""Find the kind of UEFI firmware in a flash image (UEFI Platform Initialization 1.7, volume 3).

The image is a sequence of firmware volumes. A CPU begins in the file of type SEC (security core). Its section is a PE
or TE image with the number of the CPU in its header. A volume of variables has no files. On a PC the SEC image may
have 32-bit code, though the rest of the firmware has 64-bit code. Then the DXE core decides. It is in another volume,
compressed.
"""

import lzma

# EFI_SYSTEM_NV_DATA_FV_GUID: a combined image begins with the variable store.
NV_DATA_VOLUME_GUID = bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50")

VOLUME_SIGNATURE = b"_FVH"
SIGNATURE_OFFSET_BYTES = 40
SMALLEST_VOLUME_HEADER_BYTES = 56
FILE_HEADER_BYTES = 24
FILE_TYPE_SECURITY_CORE = 0x03
FILE_TYPE_DXE_CORE = 0x05
FILE_TYPE_SMM_CORE = 0x0D
# A section that contains other sections. Its GUID names the format: here LZMA, as edk2's LzmaCompress writes it.
SECTION_GUID_DEFINED = 0x02
LZMA_GUID = bytes.fromhex("98584eee143959429d6edc7bd79403cf")
SECTION_PE32 = 0x10
SECTION_TE = 0x12
# The numbers of CPUs in PE images (Microsoft's PE format, "Machine types").
MACHINES = {
    0x8664: "x86-64", 0x014C: "32-bit x86", 0xAA64: "AArch64", 0x01C2: "32-bit ARM",
    0x5064: "RISC-V", 0x6264: "LoongArch",
}  # fmt: skip


def number(image, offset, size_bytes):
    return int.from_bytes(image[offset : offset + size_bytes], "little")


def begins_with_variables(image):
    """Return whether the first volume is a store of variables."""
    return image[16:32] == NV_DATA_VOLUME_GUID


def volumes(image):
    """Yield (start, offset of the first file, end) of each firmware volume."""
    found = image.find(VOLUME_SIGNATURE)
    while found >= 0:
        start = found - SIGNATURE_OFFSET_BYTES
        end = start + number(image, start + 32, 8)
        header_bytes = number(image, start + 48, 2)
        extended = number(image, start + 52, 2)
        if start >= 0 and SMALLEST_VOLUME_HEADER_BYTES <= header_bytes and end <= len(image):
            files = start + header_bytes
            if extended:
                files = start + extended + number(image, start + extended + 16, 4)
            yield start, files, end
        found = image.find(VOLUME_SIGNATURE, found + 1)


def files(image, start, first, end):
    """Yield (type, offset of the first section, end) of each file in a volume."""
    offset = first
    while True:
        offset = start + -(-(offset - start) // 8) * 8
        size_bytes = number(image, offset + 20, 3)
        if offset + FILE_HEADER_BYTES > end or not FILE_HEADER_BYTES <= size_bytes <= end - offset:
            return
        yield image[offset + 18], offset + FILE_HEADER_BYTES, offset + size_bytes
        offset += size_bytes


def sections(image, first, end):
    """Yield (type, offset of the content, end) of each section in a file."""
    offset = first
    while offset + 4 <= end:
        size_bytes = number(image, offset, 3)
        if not 4 <= size_bytes <= end - offset:
            return
        yield image[offset + 3], offset + 4, offset + size_bytes
        offset = first + -(-(offset + size_bytes - first) // 4) * 4


def executable_machine(image, kind, body):
    """Return the number of the CPU of a section with an executable image. None for other sections."""
    if kind == SECTION_TE and image[body : body + 2] == b"VZ":
        return number(image, body + 2, 2)
    if kind == SECTION_PE32 and image[body : body + 2] == b"MZ":
        return number(image, body + number(image, body + 60, 4) + 4, 2)
    return None


def all_sections(image):
    """Yield (type of the file, type, offset of the content, end) of each section of the image."""
    for start, first, end in volumes(image):
        for file_kind, content, file_end in files(image, start, first, end):
            for section in sections(image, content, file_end):
                yield file_kind, *section


def core_machine(image, core):
    """Return the number of the CPU of the first file with the type `core`, or None without such a file."""
    for file_kind, kind, body, _ in all_sections(image):
        machine = executable_machine(image, kind, body) if file_kind == core else None
        if machine is not None:
            return machine
    return None


def expanded(image):
    """Yield the decompressed content of each compressed section."""
    for _, kind, body, end in all_sections(image):
        if kind != SECTION_GUID_DEFINED or image[body : body + 16] != LZMA_GUID:
            continue
        data = image[body - 4 + number(image, body + 16, 2) : end]
        try:
            yield lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)
        except lzma.LZMAError:
            continue


def code_machine(image):
    """Return the name of the CPU that can run the image, or None if the image has no code."""
    machine = core_machine(image, FILE_TYPE_SECURITY_CORE)
    if machine is None:
        return None
    if MACHINES.get(machine) == "32-bit x86":
        cores = (core_machine(content, FILE_TYPE_DXE_CORE) for content in expanded(image))
        machine = next((core for core in cores if core is not None), machine)
    return MACHINES.get(machine, f"a CPU with the PE number {machine:#x}")


def has_system_management(image):
    """Return whether the firmware has code for System Management Mode. Such a build does not start without it."""
    return any(
        file_kind == FILE_TYPE_SMM_CORE
        for content in expanded(image)
        for file_kind, *_ in all_sections(content)
    )
