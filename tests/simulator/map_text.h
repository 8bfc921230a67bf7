/*
 * map_text.h - read a memory map in the forms in which people have theirs.
 *
 *   rows        type base pages attributes           tests/data/memory-maps: EFI type, hex base,
 *                                                    decimal pages, hex attributes
 *               usable base last                     the same files, E820 view: kind, first and
 *                                                    last byte
 *   Linux       efi: mem00: type=7, attr=0xf, range=[0x0-0x9f000) (0MB)               old kernels
 *               efi: mem00: [Conventional|   |  |WB|WT|WC|UC] range=[0x0-0x9efff] (0MB)       new
 *   E820        BIOS-e820: [mem 0x0-0x9efff] usable                           also System RAM, …
 *               BIOS-e820: 0000000000000000 - 000000000009f000 (usable)            before Linux 3.5
 *   UEFI shell  Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F
 *               MemoryMap,"Available","1000","9FFFF","9F","F"                        memmap -sfo
 *   our kernel  [region] base=0x1000 size=651264 type=usable efi_type=7 attributes=0xf
 *
 * What stands before the row in a log (time, host, quotes of a mail) is passed over, and so are the
 * log's other lines. A text in several forms is read in the one that tells most: the firmware's own
 * map before its E820 summary. A line that is of the form and cannot be read is an error, never
 * dropped; what the text says twice (last address and number of pages, the shell's sums) must
 * agree, since a photograph is copied by hand.
 *
 * Numbers are checked for overflow. What the numbers mean (rows that wrap, overlap, lie unsorted)
 * is not judged here: bootloader/memory_map.h does that.
 *
 * Pure: bytes in, rows out. Fuzzed by tests/fuzz/fuzz_map_text.c.
 */
#ifndef TESTS_SIMULATOR_MAP_TEXT_H
#define TESTS_SIMULATOR_MAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/memory_map.h"
#include "shared/range.h"

enum map_text_form {
    MAP_TEXT_NONE = 0,
    MAP_TEXT_ROWS,
    MAP_TEXT_E820,
    MAP_TEXT_SHELL,
    MAP_TEXT_KERNEL_LOG,
    MAP_TEXT_LINUX,
};

/* A constant English name of the form. Never NULL. */
const char *map_text_form_name(enum map_text_form form);

/* Something to tell the user, with the line it is about (from 1; 0: none in particular). */
struct map_text_note {
    unsigned line;
    char text[160];
};
#define MAP_TEXT_NOTE_LIMIT 8

struct map_text {
    enum map_text_form form;
    size_t row_count;
    struct range framebuffer;                        /* of a kernel's log; empty if there is none */
    struct map_text_note notes[MAP_TEXT_NOTE_LIMIT]; /* doubts: the map was read all the same */
    size_t note_count;
};

/* Bring a file's bytes into the form that map_text_parse() reads, in place: UTF-16 with a
 * byte-order mark (the UEFI shell writes it) becomes ASCII, a UTF-8 mark goes. Returns the new
 * size. */
size_t map_text_decode(char *text, size_t size_bytes);

/* As many rows as a text of this many bytes can have: the capacity that map_text_parse() needs. */
size_t map_text_row_limit(const char *text, size_t size_bytes);

/* Read `text`. Rows are in the order of the text; types and attributes are EFI's (an E820 kind
 * becomes the EFI type that Linux would have made it from, with the attributes of RAM).
 * False if there is no row, or a line cannot be read: *ret_error names the line and why; *ret_map
 * is then not written (the rows may have been). */
bool map_text_parse(const char *text, size_t size_bytes, struct memory_map_descriptor *rows,
                    size_t row_capacity, struct map_text *ret_map, struct map_text_note *ret_error)
    __attribute__((warn_unused_result));

#endif
