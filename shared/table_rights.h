/*
 * table_rights.h - the combined rights of the entries from the root down to a page.
 *
 * A page has a right only if every level grants it (Intel SDM Vol. 3A, 4.6; Arm ARM, D8.4).
 *
 * Private to shared/page_table*.c.
 */
#ifndef SHARED_TABLE_RIGHTS_H
#define SHARED_TABLE_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_entry.h"
#include "shared/page_table.h"

struct table_rights {
    bool write;
    bool execute;
    bool user;
};

/* Above the root. */
static const struct table_rights TABLE_RIGHTS_ALL = {.write = true, .execute = true, .user = true};

static inline struct table_rights table_rights_below(struct table_rights above, uint64_t entry,
                                                     unsigned level)
{
    return (struct table_rights){
        .write = above.write && page_entry_allows_write(entry, level),
        .execute = above.execute && page_entry_allows_execute(entry, level),
        .user = above.user && page_entry_allows_user(entry, level),
    };
}

/* `virtual` is the address of the page's first byte. `rights` includes those of the leaf. */
static inline struct page_mapping table_rights_mapping(uint64_t leaf, unsigned level,
                                                       struct virt_addr virtual,
                                                       struct table_rights rights)
{
    struct page_mapping mapping = {
        .virtual = virtual,
        .physical = page_entry_address(leaf, level),
        .page_size_bytes = page_entry_span_bytes(level),
        .level = level,
        .permissions = page_entry_permissions(leaf, level),
        .user = rights.user,
    };
    mapping.permissions.write = rights.write;
    mapping.permissions.execute = rights.execute;
    return mapping;
}

#endif
