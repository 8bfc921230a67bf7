#include "bootloader/pure/claims.h"

#include "shared/memory.h"

void claims_begin(struct claims *claims, const struct memory_map_claim *blocks, size_t block_count)
{
    claims->count = block_count;
    memcpy(claims->list, blocks, block_count * sizeof(blocks[0]));
}

void claims_add(struct claims *claims, const struct phys_range *range,
                enum handoff_region_type type)
{
    claims->list[claims->count++] = (struct memory_map_claim){*range, type};
}

void claims_add_framebuffers(struct claims *claims, const struct framebuffer_list *framebuffers)
{
    for (size_t i = 0; i < framebuffers->count; i++) {
        const struct handoff_framebuffer *framebuffer = &framebuffers->list[i];
        const struct phys_range pixels =
            phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes);
        claims_add(claims, &pixels, HANDOFF_REGION_FRAMEBUFFER);
    }
}

void claims_add_tables(struct claims *claims, const struct firmware_tables *tables,
                       uint64_t limit_bytes)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct phys_range pages;
        if (firmware_tables_pages(&tables->list[i], &pages) && pages.end.value <= limit_bytes)
            claims_add(claims, &pages, HANDOFF_REGION_FIRMWARE_TABLES);
    }
}
