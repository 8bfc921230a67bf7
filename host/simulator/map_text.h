/*
 * map_text.h - read a memory map in the forms that common programs print.
 *
 *   Linux       efi: mem00: type=7, attr=0xf, range=[0x0-0x9f000) (0MB)               old kernels
 *               efi: mem00: [Conventional|   |  |WB|WT|WC|UC] range=[0x0-0x9efff] (0MB)       new
 *               efi:   0x000040000000-0x00007fffffff [Conventional Memory|…]          ARM, RISC-V
 *   our kernel  [region] base=0x1000 size=651264 type=low-memory facts=0x7 reuse=0 efi_type=7
 *               attributes=0xf                       without facts and reuse before handoff 2.0
 *   UEFI shell  Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F
 *               MemoryMap,"Available","1000","9FFFF","9F","F"                        memmap -sfo
 *   GRUB        conv-mem  0000000000001000-000000000009ffff 0000009f    636KiB UC WC WT WB
 *               base_addr = 0x0, length = 0x9fc00, available RAM                          lsmmap
 *   E820        BIOS-e820: [mem 0x0-0x9efff] usable                           also System RAM, …
 *               BIOS-e820: 0000000000000000 - 000000000009f000 (usable)            before Linux 3.5
 *               BIOS-e801:, BIOS-88:, Xen: (a dom0), user:, modified:, reserve setup_data:
 *   Xen         (XEN)  [0000000000000000, 000000000009efff] (usable)
 *               (XEN)  0000000000000-000000009efff type=7 attr=000000000000000f
 *   sysfs       /sys/firmware/memmap/0/start:0x0                         also as a list of values
 *   iomem       00001000-0009ffff : System RAM
 *   rows        type base pages attributes           tests/data/memory-maps: EFI type, hex base,
 *                                                    decimal pages, hex attributes
 *               usable base last                     the same files, E820 view: kind, first and
 *                                                    last byte
 *
 * The text comes from map_decode(). It is divided into lines, and a row that a mailer wrapped is
 * joined. Text before and behind a row (time, host, quotes, markup) and other lines are ignored.
 * Rows of one form make a map. Another map begins at a heading, a prompt or sums, and when a time,
 * a row's number or an address goes back. A line that repeats the one before counts once. Of
 * several maps one is read: the first of the form with the most facts.
 *
 * A line of the form that cannot be read is an error, and is never dropped. Facts that the text has
 * twice (last address and number of pages, the shell's sums) must agree: some texts are copied by
 * hand from a photograph.
 *
 * Numbers are checked for overflow. bootloader/pure/memory_map.h checks the rows: whether they
 * wrap, overlap or lie unsorted.
 *
 * Pure: bytes in, rows out. Fuzzed by tests/fuzz/fuzz_map_text.c.
 */
#ifndef HOST_SIMULATOR_MAP_TEXT_H
#define HOST_SIMULATOR_MAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/memory_map.h"
#include "shared/range.h"

/* In the order of preference. The firmware's own map has more facts than E820. E820 has more facts
 * than the lists that a kernel or a hypervisor has made from it. */
enum map_text_form {
    MAP_TEXT_NONE = 0,
    MAP_TEXT_LINUX,
    MAP_TEXT_KERNEL_LOG,
    MAP_TEXT_TABLE,
    MAP_TEXT_XEN_EFI,
    MAP_TEXT_E820,
    MAP_TEXT_LSMMAP,
    MAP_TEXT_SYSFS,
    MAP_TEXT_BARE_E820,
    MAP_TEXT_XEN_DOMAIN,
    MAP_TEXT_USER,
    MAP_TEXT_EXTENDED,
    MAP_TEXT_MODIFIED,
    MAP_TEXT_IOMEM,
    MAP_TEXT_ROWS,
    MAP_TEXT_FORM_COUNT,
};

/* Return a constant English name of the form. Never NULL. */
const char *map_text_form_name(enum map_text_form form);

/* Return a sentence that names all forms, and the commands for the best forms. */
const char *map_text_known_forms(void);

/* A message for the user, with the number of its line (from 1; 0: no line). */
struct map_text_note {
    unsigned line;
    char text[240];
    bool form_is_unknown; /* an error: no line has a known form */
};
#define MAP_TEXT_NOTE_LIMIT 8

/* One of the maps of a text. */
struct map_text_map {
    enum map_text_form form;
    unsigned line; /* of its first row, from 1 */
    size_t row_count;
};
#define MAP_TEXT_MAP_LIMIT 64

struct map_text {
    enum map_text_form form;
    size_t row_count;
    struct phys_range framebuffer;                   /* of a kernel's log, or empty */
    struct map_text_note notes[MAP_TEXT_NOTE_LIMIT]; /* warnings: the map was still read */
    size_t note_count;
    size_t map_number;                            /* the map that was read, from 1 */
    size_t map_count;                             /* of the text; at most MAP_TEXT_MAP_LIMIT */
    struct map_text_map maps[MAP_TEXT_MAP_LIMIT]; /* in the order of the text */
};

/* Return the largest number of rows in a text of this many bytes: the capacity that
 * map_text_parse() needs. */
size_t map_text_row_limit(const char *text, size_t size_bytes);

/* Return the number of lines of the file from which map_decode() made this text. */
size_t map_text_line_limit(const char *text, size_t size_bytes);

/* Read map `map_number` of `text`, counted from 1; 0: the first of the form with the most facts.
 * Rows are in the order of the text, with EFI's types and attributes. An E820 kind becomes the EFI
 * type from which Linux makes that kind, with the attributes of RAM. Return false if there is no
 * row or no such map, or if a line of the map cannot be read. Then *ret_error names the line and
 * the cause. *ret_map is not written, but the rows may be. */
bool map_text_parse(const char *text, size_t size_bytes, size_t map_number,
                    struct memory_map_descriptor *rows, size_t row_capacity,
                    struct map_text *ret_map, struct map_text_note *ret_error)
    __attribute__((warn_unused_result));

#endif
