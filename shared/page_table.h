/*
 * page_table.h - one address space: map, unmap, protect, merge, look up, walk.
 *
 * The loader builds the bootstrap tables with it, and the kernel builds its own tables. The
 * interface of a CPU's entry format is shared/page_entry.h. No function executes a privileged
 * instruction, so the same files run in host tests over fake memory. The caller's callbacks
 * allocate tables, reach them, drop stale translations, and make stores visible to the CPU's
 * walker.
 *
 * Phase: any. Concurrency: the caller serialises calls on one page table.
 *
 * Every call that fails leaves the tables exactly as they were, including the number of table
 * pages in use. (Intel SDM Vol. 3A, chapter 4; Arm ARM, chapter D8.)
 */
#ifndef SHARED_PAGE_TABLE_H
#define SHARED_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"

enum page_table_status {
    PAGE_TABLE_OK = 0,
    PAGE_TABLE_UNALIGNED,         /* an address or the size is not a multiple of the page */
    PAGE_TABLE_EMPTY,             /* size 0 */
    PAGE_TABLE_NON_CANONICAL,     /* the virtual range leaves the canonical addresses or wraps */
    PAGE_TABLE_PHYSICAL_TOO_HIGH, /* beyond features.physical_bits, or the physical range wraps */
    PAGE_TABLE_ALREADY_MAPPED,    /* a page of the range is mapped: nothing is remapped silently */
    PAGE_TABLE_NOT_MAPPED,        /* a page of the range is not mapped */
    PAGE_TABLE_WRITABLE_EXECUTABLE, /* both together are refused: W^X */
    PAGE_TABLE_NO_MEMORY,           /* a table could not be allocated */
    /* Of page_table_validate(): */
    PAGE_TABLE_FOREIGN_TABLE,     /* a table lies outside of the allowed memory */
    PAGE_TABLE_OTHER_PAGE,        /* a page of the range is mapped to another place */
    PAGE_TABLE_OTHER_PERMISSIONS, /* a page of the range allows something else */
    /* Rules of the callers. No function of this file returns these: */
    PAGE_TABLE_NULL_PAGE,   /* virtual page 0 was requested: it stays unmapped */
    PAGE_TABLE_MEMORY_TYPE, /* RAM as a device, or a cached device: two types for one memory */
};

/* A constant English name, for logs: "ok", "already mapped", … Never NULL. */
const char *page_table_status_name(enum page_table_status status);

enum page_memory_type {
    PAGE_MEMORY_WRITE_BACK = 0,  /* RAM */
    PAGE_MEMORY_WRITE_COMBINING, /* a framebuffer: not cached, but writes may be joined */
    PAGE_MEMORY_UNCACHED,        /* device registers: every access reaches the device, in order */
};

/* The permissions of a page. All pages are readable and belong to the kernel. */
struct page_permissions {
    bool write;
    bool execute;
    bool global; /* survives a switch to another root: kernel half only */
    enum page_memory_type memory_type;
};

/* The abilities of the CPU that are switched on. */
struct page_table_features {
    unsigned levels;             /* of tables from a root to the smallest pages: 3 to 5 */
    unsigned physical_bits;      /* how many bits a physical address has: 32 to 52 */
    unsigned largest_leaf_level; /* the highest level whose entries can map a page; at least 1 */
    bool no_execute;             /* execution can be forbidden */
    bool write_combining;        /* there is a memory type that joins writes */
};

/* The callbacks. Each call gets `context` unchanged. */
struct page_table_memory {
    void *context;
    /* Write the physical address of one page to *ret_table. Return false if there is no memory. The
     * page table clears the page itself. */
    bool (*allocate_table)(void *context, struct phys_addr *ret_table);
    /* Free a page from allocate_table. */
    void (*free_table)(void *context, struct phys_addr table);
    /* Return the address at which the entries of a table can be read and written. Never NULL for a
     * table from allocate_table. */
    uint64_t *(*access_table)(void *context, struct phys_addr table);
    /* Drop the translations of [start, start + size_bytes) from every CPU that may have them. On
     * return no CPU uses them, and no CPU walks through the old entries. It is called after a
     * present entry has changed, and before an unused table is freed. It may be NULL while the
     * tables are not live. */
    void (*invalidate)(void *context, struct virt_addr start, uint64_t size_bytes);
    /* Make all stores to tables visible to the CPUs' walkers: a barrier. It is called only if
     * page_entry_needs_publish() returns true: before a new table is linked, and after entries
     * became present. It may be NULL while the tables are not live. */
    void (*publish)(void *context);
};

struct page_table {
    struct phys_addr root;       /* of the lower half, or of all addresses if there is one root */
    struct phys_addr upper_root; /* of the upper half; equal to `root` if there is one root */
    struct page_table_features features;
    /* False after page_table_create(). True only for the root under which EFI runtime services are
     * called: firmware without a memory attributes table mixes code and data. */
    bool allow_writable_executable;
    bool upper_half_is_borrowed; /* by page_table_borrow_upper_half() */
    struct page_table_memory memory;
    uint64_t table_count; /* table pages that belong to it, with the roots */
};

/* Start an empty address space. Allocate and clear the root table, or both root tables. Failure:
 * NO_MEMORY. On failure *ret is not written. */
enum page_table_status page_table_create(const struct page_table_features *features,
                                         const struct page_table_memory *memory,
                                         struct page_table *ret)
    __attribute__((warn_unused_result));

/* Free every table page of the address space, with the roots. The mapped pages stay unchanged.
 * Precondition: the tables are not live. */
void page_table_destroy(struct page_table *table);

/* Give `table` the current upper half of `owner`'s address space. Where one root translates both
 * halves, the top-level entries are copied; else the upper root is shared. The upper
 * half of `table` must be empty, or borrowed before. Repeat it before each use, since the owner may
 * have added or freed top-level entries. page_table_destroy() and page_table_walk_tables() do not
 * touch borrowed tables. Only the owner maps and unmaps in the upper half. Precondition: the same
 * features. */
void page_table_borrow_upper_half(struct page_table *table, const struct page_table *owner);

/* Map [virtual, + size_bytes) to [physical, + size_bytes), using the largest pages that the
 * alignment of both, the size and the CPU allow, if `large_pages`; else the smallest pages only.
 * Without features.no_execute, `execute = false` cannot be enforced and is accepted (documented in
 * docs/CAVEATS.md). Without features.write_combining, WRITE_COMBINING falls back to UNCACHED. On
 * live tables, a request that fails may have mapped a part of the range for a short time. Failures:
 * UNALIGNED, EMPTY, NON_CANONICAL, PHYSICAL_TOO_HIGH, ALREADY_MAPPED, WRITABLE_EXECUTABLE,
 * NO_MEMORY. */
enum page_table_status page_table_map(struct page_table *table, struct virt_addr virtual,
                                      struct phys_addr physical, uint64_t size_bytes,
                                      struct page_permissions permissions, bool large_pages)
    __attribute__((warn_unused_result));

/* The same, but a request that fails leaves a part of the range mapped. For tables that are being
 * built, and that are given up then. */
enum page_table_status page_table_add(struct page_table *table, struct virt_addr virtual,
                                      struct phys_addr physical, uint64_t size_bytes,
                                      struct page_permissions permissions, bool large_pages)
    __attribute__((warn_unused_result));

/* Unmap the whole range; every page of it must be mapped. Tables that become empty are freed. A
 * large page that lies only partly in the range is split first; for live tables see
 * page_table_protect(). Failures: UNALIGNED, EMPTY, NON_CANONICAL, NOT_MAPPED, NO_MEMORY (for a
 * split). */
enum page_table_status page_table_unmap(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes) __attribute__((warn_unused_result));

/* Give every page of the range these permissions; every page of it must be mapped. A large page
 * that lies only partly in the range is split first. On live tables, every address keeps a
 * translation at all times, unless the CPU requires break before make (page_entry_needs_break()).
 * Then a page is absent for a short time if it is split, or if its memory type changes. The caller
 * ensures that no CPU uses it during this time. Failures: UNALIGNED, EMPTY, NON_CANONICAL,
 * NOT_MAPPED, WRITABLE_EXECUTABLE, NO_MEMORY (for a split). */
enum page_table_status page_table_protect(struct page_table *table, struct virt_addr virtual,
                                          uint64_t size_bytes, struct page_permissions permissions)
    __attribute__((warn_unused_result));

/* Undo splits. A table that translates a part of the range is replaced by one large page, if its
 * pages are one aligned piece of memory with the same permissions. No mapping changes its meaning,
 * so the range may have holes, and may cover only a part of a table. On live tables, every address
 * keeps a translation at all times, unless the CPU requires break before make (see
 * page_table_protect()). *ret_table_count is the number of tables that were freed. Failures:
 * UNALIGNED, EMPTY, NON_CANONICAL. */
enum page_table_status page_table_merge(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes, uint64_t *ret_table_count)
    __attribute__((warn_unused_result));

/* One mapping as the tables hold it. */
struct page_mapping {
    struct virt_addr virtual;            /* of the first byte of the page */
    struct phys_addr physical;           /* of the first byte of the page */
    uint64_t page_size_bytes;            /* the bytes that an entry of `level` covers */
    unsigned level;                      /* of the entry that maps it; 1 for the smallest pages */
    struct page_permissions permissions; /* effective: of all levels together */
    bool user; /* accessible to user programs: never made here, but an audit may find it */
};

/* Find the page that maps one address. Failures: NON_CANONICAL, NOT_MAPPED. On failure *ret is not
 * written. */
enum page_table_status page_table_lookup(const struct page_table *table, struct virt_addr virtual,
                                         struct page_mapping *ret)
    __attribute__((warn_unused_result));

/* Check that [virtual, + size_bytes) is mapped to [physical, + size_bytes), and that every page of
 * it allows exactly `permissions`. `execute` is compared only with features.no_execute, and
 * `global` is never compared. A page that user programs may use has other permissions. This is for
 * tables that another program built. A table is read only if access_table gives an address for it
 * (NULL: FOREIGN_TABLE). An entry that the CPU refuses counts as not mapped: it has a reserved bit,
 * or an address beyond the CPU's width. Each entry of the range is read once, so the number of
 * pages bounds the work. Failures: UNALIGNED, EMPTY, NON_CANONICAL, PHYSICAL_TOO_HIGH, NOT_MAPPED,
 * FOREIGN_TABLE, OTHER_PAGE, OTHER_PERMISSIONS: the first failure in order of address. */
enum page_table_status page_table_validate(const struct page_table *table, struct virt_addr virtual,
                                           struct phys_addr physical, uint64_t size_bytes,
                                           struct page_permissions permissions)
    __attribute__((warn_unused_result));

/* Call `visit` for all present pages in order of virtual address. Pages of one table that
 * have one size and one set of permissions, and follow each other in physical memory, are visited
 * together: `first` and the page_count - 1 behind it. This is for checks of millions of pages. Stop
 * when it returns false; then return false, too. */
bool page_table_walk_ranges(const struct page_table *table,
                            bool (*visit)(void *context, const struct page_mapping *first,
                                          uint64_t page_count),
                            void *context);

/* The same, page by page. */
bool page_table_walk(const struct page_table *table,
                     bool (*visit)(void *context, const struct page_mapping *mapping),
                     void *context);

/* Visit the physical address of every table page of the address space, parents first. The roots
 * have level features.levels. Stop when `visit` returns false; then return false, too. */
bool page_table_walk_tables(const struct page_table *table,
                            bool (*visit)(void *context, struct phys_addr page, unsigned level),
                            void *context);

/* Return true if `virtual` is canonical for this number of levels. */
bool page_table_is_canonical(unsigned levels, struct virt_addr virtual);

#endif
