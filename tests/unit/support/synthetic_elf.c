#include "tests/unit/support/synthetic_elf.h"

#include <string.h>

void synthetic_elf_set16(struct synthetic_elf *elf, size_t field, uint16_t value)
{
    memcpy(elf->bytes + field, &value, sizeof(value));
}

void synthetic_elf_set32(struct synthetic_elf *elf, size_t field, uint32_t value)
{
    memcpy(elf->bytes + field, &value, sizeof(value));
}

void synthetic_elf_set64(struct synthetic_elf *elf, size_t field, uint64_t value)
{
    memcpy(elf->bytes + field, &value, sizeof(value));
}

size_t synthetic_elf_segment(unsigned n, size_t field)
{
    return 64 + 56 * (size_t)n + field;
}

static void set_segment(struct synthetic_elf *elf, unsigned n, uint32_t flags, uint64_t offset,
                        uint64_t address, uint64_t file_size, uint64_t memory_size)
{
    synthetic_elf_set32(elf, synthetic_elf_segment(n, P_TYPE), 1);
    synthetic_elf_set32(elf, synthetic_elf_segment(n, P_FLAGS), flags);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_OFFSET), offset);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_VADDR), address);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_PADDR), 0x100000);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_FILESZ), file_size);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_MEMSZ), memory_size);
    synthetic_elf_set64(elf, synthetic_elf_segment(n, P_ALIGN), 0x400);
}

void synthetic_elf_create(struct synthetic_elf *elf)
{
    static const uint8_t IDENTIFICATION[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    memset(elf, 0, sizeof(*elf));
    for (size_t i = SYNTHETIC_ELF_HEADERS_END; i < sizeof(elf->bytes); i++)
        elf->bytes[i] = (uint8_t)(i * 7 + 1);
    memcpy(elf->bytes, IDENTIFICATION, sizeof(IDENTIFICATION));
    synthetic_elf_set16(elf, E_TYPE, 2);
    synthetic_elf_set16(elf, E_MACHINE, 62);
    synthetic_elf_set32(elf, E_VERSION, 1);
    synthetic_elf_set64(elf, E_ENTRY, SYNTHETIC_ELF_BASE + 0x10);
    synthetic_elf_set64(elf, E_PHOFF, 64);
    synthetic_elf_set16(elf, E_EHSIZE, 64);
    synthetic_elf_set16(elf, E_PHENTSIZE, 56);
    synthetic_elf_set16(elf, E_PHNUM, SYNTHETIC_ELF_HEADER_COUNT);
    set_segment(elf, SYNTHETIC_TEXT, 5, 0x1000, SYNTHETIC_ELF_BASE, 0x40, 0x40);
    set_segment(elf, SYNTHETIC_RODATA, 4, 0x1400, SYNTHETIC_ELF_BASE + 0x1000, 0x31, 0x31);
    set_segment(elf, SYNTHETIC_DATA, 6, 0x1810, SYNTHETIC_ELF_BASE + 0x2010, 0x30, 0x3000);
    set_segment(elf, SYNTHETIC_STACK, 6, 0, 0, 0, 0);
    synthetic_elf_set32(elf, synthetic_elf_segment(SYNTHETIC_STACK, P_TYPE), 0x6474e551);
}
