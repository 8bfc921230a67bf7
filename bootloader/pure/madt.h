/*
 * madt.h - list the processors from ACPI's MADT (ACPI 6.5, section 5.2.12).
 *
 * The table is untrusted. A table with one malformed entry is refused as a whole: its other entries
 * cannot be trusted, and a machine can run on one processor. Pure: bytes in, struct out. Fuzzed by
 * tests/fuzz/fuzz_madt.c. Catalogue T3, N7.
 */
#ifndef BOOTLOADER_PURE_MADT_H
#define BOOTLOADER_PURE_MADT_H

#include <stddef.h>
#include <stdint.h>

/* The signature of the table. */
#define MADT_SIGNATURE "APIC"

/* More entries for processors than this are refused. */
#define MADT_PROCESSOR_LIMIT 4096

enum madt_status {
    MADT_OK = 0,
    MADT_ABSENT,    /* no table, or a damaged one (pure/firmware_tables.h) */
    MADT_TRUNCATED, /* the table, or an entry, ends too early */
    MADT_TOO_SHORT, /* the length of an entry is below what its type needs; also 0 */
    MADT_TOO_MANY,  /* over MADT_PROCESSOR_LIMIT entries */
    MADT_INCOMPLETE /* a good table without the boot processor */
};

struct processor {
    uint32_t hardware_id; /* as in struct handoff_processor */
    uint32_t acpi_uid;
};

struct processor_list {
    uint32_t count;
    uint32_t boot_index;      /* of the processor that runs the loader */
    uint32_t duplicate_count; /* entries with the ID of an earlier entry: left out */
    uint32_t duplicate_id;    /* of the last of them */
    struct processor list[MADT_PROCESSOR_LIMIT + 1];
};

/* List the processors that the table marks as enabled, in its order. One that is only online capable
 * is left out, since it is not there now. If the boot processor is not among them, it comes first,
 * with HANDOFF_ACPI_UID_NONE. So the list is never empty. If the table is not good, the list has
 * only the boot processor. `table` may be NULL: ABSENT. */
enum madt_status madt_list_processors(const uint8_t *table, uint64_t size_bytes, uint32_t boot_id,
                                      struct processor_list *ret_list);

/* Return the error in a few words. Never NULL. */
const char *madt_status_text(enum madt_status status);

#endif
