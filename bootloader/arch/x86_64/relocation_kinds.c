/*
 * relocation_kinds.c - the numbers and names of relocations (System V x86-64 psABI, table 4.9). Pure.
 */
#include "bootloader/arch.h"
#include "shared/text/packed_text.h"

/* From 0 to 38. The linker resolves the kinds without a name here by itself. */
static const char NAMES[] PACKED_SECTION = "NONE\0"
                                           "64\0PC32\0\0\0COPY\0GLOB_DAT\0JUMP_SLOT\0RELATIVE\0\0"
                                           "32\0"
                                           "32S\0\0\0\0\0DTPMOD64\0DTPOFF64\0TPOFF64\0\0\0\0\0\0"
                                           "PC64\0\0\0\0\0\0\0\0SIZE32\0"
                                           "SIZE64\0\0\0TLSDESC\0IRELATIVE\0RELATIVE64\0";

const struct relocation_kinds *arch_relocation_kinds(void)
{
    static const struct relocation_kinds KINDS = {
        .none = 0, .relative = 8, .prefix = "R_X86_64_", .names = NAMES, .name_count = 39};
    return &KINDS;
}
