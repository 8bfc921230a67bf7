/*
 * overview.h - what the overview shows: figures of the running kernel, without a place on a screen.
 *
 * kernel/diagnostics/overview_figures.c reads them from the kernel, and overview_page.c draws them.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_H
#define KERNEL_SCREEN_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the legend. */
enum overview_owner {
    OVERVIEW_FREE,
    OVERVIEW_IN_USE, /* by the frame allocator's users: permanent heap, page tables, stacks */
    OVERVIEW_KERNEL, /* the image, and the records of the frame allocator */
    OVERVIEW_EARLY_HEAP,
    OVERVIEW_BOOT_DATA, /* the loader's data that the kernel keeps */
    OVERVIEW_FIRMWARE,
    OVERVIEW_LOW_MEMORY,
    OVERVIEW_UNUSABLE,
    OVERVIEW_OWNER_COUNT,
};

/* A piece of RAM with one owner. */
struct overview_part {
    uint64_t size_bytes;
    enum overview_owner owner;
};

/* A map of more parts is shown without its last borders. */
#define OVERVIEW_PART_LIMIT 256

/* As many as the timeline has (kernel/core/timeline.h). */
#define OVERVIEW_PHASE_LIMIT 48

struct overview_phase {
    const char *name;
    uint64_t begin_us; /* from the start of the first phase */
    uint64_t duration_us;
    bool is_loader;
};

struct overview_early_heap {
    uint64_t size_bytes;
    uint64_t used_bytes;
    uint64_t peak_bytes;
    bool is_retired; /* the unused rest is free memory again */
    bool is_fallback;
};

/* used <= mapped <= window <= limit, except in a heap with errors. */
struct overview_heap {
    const char *policy;
    uint64_t used_bytes;
    uint64_t peak_bytes;
    uint64_t mapped_bytes;
    uint64_t window_bytes; /* may be mapped before the next step */
    uint64_t limit_bytes;
};

#define OVERVIEW_CPU_NAME_CAPACITY_BYTES 49
#define OVERVIEW_BUILD_CAPACITY_BYTES    17

struct overview {
    struct overview_part parts[OVERVIEW_PART_LIMIT]; /* all RAM, in order of address */
    size_t part_count;
    uint64_t ram_bytes;
    uint64_t owner_bytes[OVERVIEW_OWNER_COUNT]; /* their sum is ram_bytes */
    uint64_t ram_end;                           /* the address behind the last byte of RAM */

    struct overview_early_heap early_heap;
    struct overview_heap heap;

    struct overview_phase phases[OVERVIEW_PHASE_LIMIT];
    size_t phase_count;
    uint64_t total_us; /* 0 if the frequency of the clock is unknown */
    uint64_t loader_us;

    char cpu_name[OVERVIEW_CPU_NAME_CAPACITY_BYTES];
    uint64_t clock_hz; /* 0 if unknown */
    const char *loader_name;
    const char *version;
    char build[OVERVIEW_BUILD_CAPACITY_BYTES];
    bool has_acpi;
    bool has_smbios;
    bool has_keyboard; /* PS/2 */
};

/* Add a piece of RAM after the others. It joins the last part if both have one owner. */
void overview_add_part(struct overview *overview, enum overview_owner owner, uint64_t size_bytes);

#endif
