/*
 * post_mortem.h - the boot record: the progress of a boot, or its panic, for the next boot.
 *
 * The record lies in two pages of RAM at a fixed address. RAM keeps its content through a warm
 * reset. So the next boot can show the last panic, or say how far a boot came that did not end.
 *
 * Each page is a slot, and holds one record or none. A new record goes into the slot that does not
 * hold the newest one. There the writer first destroys the old record, then writes the text and the
 * header, and the magic number last. So a reset or a fault at any moment leaves the old record or
 * the new one, and never a mixture. The stage of a record changes in place, by one aligned store.
 *
 * A reader trusts no byte: the RAM may hold anything after power-on.
 *
 * Pure: no allocation, no firmware. Fuzzed by tests/fuzz/fuzz_post_mortem.c. docs/HANDOFF.md
 * specifies the bytes. Catalogue I6 and I8.
 */
#ifndef SHARED_POST_MORTEM_H
#define SHARED_POST_MORTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "BOOTREC" and a NUL, read as a little-endian 64-bit number. */
#define POST_MORTEM_MAGIC   UINT64_C(0x00434552544f4f42)
#define POST_MORTEM_VERSION 1

#define POST_MORTEM_SLOT_SIZE_BYTES 4096
#define POST_MORTEM_SLOT_COUNT      2
#define POST_MORTEM_AREA_SIZE_BYTES (POST_MORTEM_SLOT_COUNT * POST_MORTEM_SLOT_SIZE_BYTES)

/* How far a boot came. */
enum post_mortem_stage {
    POST_MORTEM_LOADER = 1, /* the loader runs; with a code: it stopped with this error */
    POST_MORTEM_ENTRY = 2,  /* the loader has entered the kernel */
    POST_MORTEM_KERNEL = 3, /* the kernel has accepted the handoff */
    POST_MORTEM_READY = 4,  /* the kernel's boot is complete */
    POST_MORTEM_PANIC = 5,  /* the kernel, or the loader for it, has reported a panic */
    POST_MORTEM_ENDED = 6,  /* power-off or restart, as wished */
};

/* The first bytes of a slot. The text follows: the last lines of the log, then the report. */
struct post_mortem_header {
    uint64_t magic; /* POST_MORTEM_MAGIC */
    uint16_t version;
    uint16_t reserved_0;
    uint32_t size_bytes; /* of header and text */
    uint32_t checksum;   /* CRC-32 of size_bytes bytes, with this field and `stage` taken as 0 */
    uint32_t sequence;   /* one more than in the record before; wraps */
    uint32_t code;       /* of the panic, or the number of the loader's error, else 0 */
    uint32_t log_size_bytes;
    uint32_t stage; /* enum post_mortem_stage; the upper half is the complement of the lower */
    uint32_t reserved_1[7];
};
_Static_assert(sizeof(struct post_mortem_header) == 64, "docs/HANDOFF.md gives the offsets");
_Static_assert(offsetof(struct post_mortem_header, stage) == 32, "docs/HANDOFF.md");

#define POST_MORTEM_TEXT_CAPACITY_BYTES                                                            \
    (POST_MORTEM_SLOT_SIZE_BYTES - sizeof(struct post_mortem_header))
/* A log is cut at its beginning, to whole lines. A report is cut at its end. */
#define POST_MORTEM_LOG_CAPACITY_BYTES 1200
#define POST_MORTEM_REPORT_CAPACITY_BYTES                                                          \
    (POST_MORTEM_TEXT_CAPACITY_BYTES - POST_MORTEM_LOG_CAPACITY_BYTES)

/* A record, read or to be written. The texts have no NUL. A reader's texts lie in the slot. */
struct post_mortem {
    enum post_mortem_stage stage;
    uint32_t code;
    uint32_t sequence;
    const char *log;
    size_t log_size_bytes;
    const char *report;
    size_t report_size_bytes;
};

enum post_mortem_status {
    POST_MORTEM_OK = 0,
    POST_MORTEM_ABSENT,        /* no magic number: not a record */
    POST_MORTEM_OTHER_VERSION, /* written by another version: not understood */
    POST_MORTEM_BAD_SIZE,      /* too small, larger than its slot, or a log longer than the text */
    POST_MORTEM_BAD_CHECKSUM,
    POST_MORTEM_BAD_STAGE,
};

/* Return a constant clause for damage, "its checksum is wrong". Never NULL. */
const char *post_mortem_status_text(enum post_mortem_status status);

/* Return a constant clause for a boot that came so far, "the kernel was ready". Never NULL. */
const char *post_mortem_stage_text(enum post_mortem_stage stage);

/* Read one record from `size_bytes` foreign bytes. On failure *ret_record is not written. */
enum post_mortem_status post_mortem_read(const void *bytes, size_t size_bytes,
                                         struct post_mortem *ret_record)
    __attribute__((warn_unused_result));

/* Where records lie. The bytes are aligned to 8. `flush` moves bytes from the caches to RAM: a
 * reset does not write the caches back. NULL: not needed. */
struct post_mortem_area {
    unsigned char *bytes; /* POST_MORTEM_AREA_SIZE_BYTES */
    void (*flush)(const void *start, size_t size_bytes);
    unsigned slot;     /* of the newest record, once post_mortem_find() has run */
    uint32_t sequence; /* its number */
};

/* Look at both slots. Return the status of the newest record, ABSENT without a record. *ret_damage
 * is the status of a slot with a damaged record, else OK. The area then knows where to write. */
enum post_mortem_status post_mortem_find(struct post_mortem_area *area,
                                         struct post_mortem *ret_record,
                                         enum post_mortem_status *ret_damage)
    __attribute__((warn_unused_result));

/* Write a record as the newest. record->sequence is ignored. Texts that are too long are cut.
 * Precondition: post_mortem_find() has run. */
void post_mortem_write(struct post_mortem_area *area, const struct post_mortem *record);

/* Change the stage of the newest record in place. */
void post_mortem_set_stage(struct post_mortem_area *area, enum post_mortem_stage stage);

#endif
