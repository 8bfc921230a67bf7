/*
 * parking.h - the block in which started processors wait for the kernel.
 *
 *   +------+--------+----------------------+--------------------+-------------+
 *   | code | header | seat 0, 1, …         | stack 0, 1, …      | page tables |
 *   +------+--------+----------------------+--------------------+-------------+
 *   ^ page-aligned   each with a mailbox    16 KiB each
 *
 * A processor that waits uses nothing outside of the block. So a kernel may reuse all other memory
 * of the loader, and leave the processors where they are. The kernel's first tables and the block's own
 * tables map code, header and seats at PARKING_VIRTUAL_BASE, and the stacks behind them. Below each
 * stack lies a page that is not mapped. Pure. (docs/HANDOFF.md, "Started processors")
 */
#ifndef BOOTLOADER_PURE_PARKING_H
#define BOOTLOADER_PURE_PARKING_H

#include "shared/handoff.h"
#include "shared/page_table.h"
#include "shared/range.h"

/* In the top-level entry of the stack and of the loader's image. */
#define PARKING_VIRTUAL_BASE UINT64_C(0xffffff0080000000)

#define PARKING_CODE_SIZE_BYTES   PAGE_SIZE_BYTES
#define PARKING_HEADER_SIZE_BYTES UINT64_C(1024)
#define PARKING_STACK_SIZE_BYTES  (UINT64_C(16) * 1024)

/* A processor loads the root of the block's tables while it reaches only 4 GiB. */
#define PARKING_LIMIT_ADDRESS (UINT64_C(1) << 32)

/* The seat of one processor. */
struct parking_seat {
    struct handoff_mailbox mailbox;
    uint64_t hardware_id;
    uint64_t stack_top; /* virtual */
    uint8_t arch[432];  /* for the CPU */
};
_Static_assert(sizeof(struct parking_seat) == 512, "the code finds its seat by this alignment");

struct parking {
    struct phys_range memory; /* empty without a seat */
    uint32_t seat_count;      /* 0: no processor is started */
};

/* Return the size of a block, in whole pages. */
uint64_t parking_size_bytes(uint32_t seat_count, unsigned levels);

/* Return an upper bound of the table pages that parking_map() adds to tables. */
uint64_t parking_table_bound(uint32_t seat_count, unsigned levels);

/* Return the parts of the block. */
struct phys_addr parking_header(const struct parking *parking);
struct phys_addr parking_seat(const struct parking *parking, uint32_t index);
struct phys_range parking_tables(const struct parking *parking);

/* Return the first byte of a stack, virtual. */
struct virt_addr parking_stack(uint32_t index);

/* Write the seat at the mailbox of an element, which has its hardware ID and its stack. `root` is that
 * of the kernel's first page tables. */
void parking_fill_seat(const struct handoff_processor *element, struct phys_addr root);

/* Map the block into tables, except its own page tables. Without a seat, map nothing. */
enum page_table_status parking_map(const struct parking *parking, struct page_table *table)
    __attribute__((warn_unused_result));

#endif
