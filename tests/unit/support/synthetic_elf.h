/*
 * synthetic_elf.h - a small kernel's ELF file in memory. A test can make its fields invalid.
 *
 *   virtual address      file
 *   ffffffff80000000     0x1000  text    0x40 bytes                    r-x
 *   ffffffff80001000     0x1400  rodata  0x31 bytes                    r--
 *   ffffffff80002010     0x1810  data    0x30 bytes, 0x3000 in memory  rw-
 *   (PT_GNU_STACK)                                                     rw-
 */
#ifndef TESTS_UNIT_SUPPORT_SYNTHETIC_ELF_H
#define TESTS_UNIT_SUPPORT_SYNTHETIC_ELF_H

#include <stddef.h>
#include <stdint.h>

#define SYNTHETIC_ELF_BASE         UINT64_C(0xffffffff80000000)
#define SYNTHETIC_ELF_SIZE_BYTES   0x1840
#define SYNTHETIC_ELF_HEADER_COUNT 4
#define SYNTHETIC_ELF_HEADERS_END  (64 + 56 * SYNTHETIC_ELF_HEADER_COUNT)

enum { SYNTHETIC_TEXT, SYNTHETIC_RODATA, SYNTHETIC_DATA, SYNTHETIC_STACK };

struct synthetic_elf {
    uint8_t bytes[SYNTHETIC_ELF_SIZE_BYTES];
};

/* Offsets in the ELF header (Elf64_Ehdr). */
enum {
    E_CLASS = 4,
    E_DATA = 5,
    E_IDENT_VERSION = 6,
    E_TYPE = 16,
    E_MACHINE = 18,
    E_VERSION = 20,
    E_ENTRY = 24,
    E_PHOFF = 32,
    E_EHSIZE = 52,
    E_PHENTSIZE = 54,
    E_PHNUM = 56,
};

/* Offsets in a program header (Elf64_Phdr). */
enum {
    P_TYPE = 0,
    P_FLAGS = 4,
    P_OFFSET = 8,
    P_VADDR = 16,
    P_PADDR = 24,
    P_FILESZ = 32,
    P_MEMSZ = 40,
    P_ALIGN = 48,
};

void synthetic_elf_create(struct synthetic_elf *elf);

/* Write a field of the ELF header, or of one program header. */
void synthetic_elf_set16(struct synthetic_elf *elf, size_t field, uint16_t value);
void synthetic_elf_set32(struct synthetic_elf *elf, size_t field, uint32_t value);
void synthetic_elf_set64(struct synthetic_elf *elf, size_t field, uint64_t value);

/* The offset of a field of the n-th program header. */
size_t synthetic_elf_segment(unsigned n, size_t field);

#endif
