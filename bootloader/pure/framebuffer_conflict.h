/*
 * framebuffer_conflict.h - find memory in use that the pixels of a framebuffer would overwrite.
 *
 * Some firmware states a wrong address. Pixels may lie in reserved memory, in memory without a row,
 * and in memory that becomes free: some firmware keeps them in memory of boot services. Everything
 * else in RAM has another owner. Pure. Catalogue M13, G6.
 */
#ifndef BOOTLOADER_PURE_FRAMEBUFFER_CONFLICT_H
#define BOOTLOADER_PURE_FRAMEBUFFER_CONFLICT_H

#include <stdbool.h>

#include "bootloader/pure/claims.h"
#include "shared/handoff.h"

/* The owners of memory. The regions are made from the same claims. */
struct memory_owners {
    const struct claims *claims;
    const struct handoff_region *regions;
    size_t region_count;
};

/* Return true, and write the first memory that the pixels share with another owner: a block of the
 * loader, or memory of the firmware that lives on. Return false, and write nothing, if there is
 * none. Precondition: the framebuffer is one of the claims. */
bool framebuffer_conflict_find(const struct memory_owners *owners,
                               const struct handoff_framebuffer *framebuffer,
                               struct memory_map_claim *ret_owned)
    __attribute__((warn_unused_result));

#endif
