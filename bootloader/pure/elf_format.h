/*
 * elf_format.h - the headers of an ELF file (System V gABI 4.1; AMD64 supplement).
 *
 * The bytes of a file need not be aligned in memory, so these structs can be read at any address.
 */
#ifndef BOOTLOADER_PURE_ELF_FORMAT_H
#define BOOTLOADER_PURE_ELF_FORMAT_H

#include <stdint.h>

#define AT_ANY_ADDRESS __attribute__((packed, may_alias))

struct elf_header {
    uint8_t identification[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_headers_offset;
    uint64_t section_headers_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_header_size;
    uint16_t program_header_count;
    uint16_t section_header_size;
    uint16_t section_header_count;
    uint16_t section_names_index;
} AT_ANY_ADDRESS;
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t file_offset;
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
} AT_ANY_ADDRESS;
_Static_assert(sizeof(struct program_header) == 56, "Elf64_Phdr");

struct section_header {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t virtual_address;
    uint64_t file_offset;
    uint64_t size;
    uint32_t link; /* of a symbol table: the number of the section with its names */
    uint32_t info;
    uint64_t alignment;
    uint64_t entry_size;
} AT_ANY_ADDRESS;
_Static_assert(sizeof(struct section_header) == 64, "Elf64_Shdr");

/* program_header.flags */
#define FLAG_EXECUTE 1u
#define FLAG_WRITE   2u
#define FLAG_READ    4u

#endif
