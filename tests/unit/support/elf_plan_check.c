#include "tests/unit/support/elf_plan_check.h"

#include <stdlib.h>
#include <string.h>

#define DIRTY_BYTE  0xee
#define FENCE_BYTES 16

static bool holds(uint64_t outer_base, uint64_t outer_size, uint64_t base, uint64_t size)
{
    return base >= outer_base && base - outer_base <= outer_size &&
           size <= outer_size - (base - outer_base);
}

static const char *segment_problem(const struct elf_plan *plan, const struct elf_segment *segment,
                                   uint64_t file_size_bytes)
{
    if (segment->memory_size_bytes == 0)
        return "an empty segment";
    if (segment->file_size_bytes > segment->memory_size_bytes)
        return "a segment larger in the file than in memory";
    if (!holds(0, file_size_bytes, segment->file_offset, segment->file_size_bytes))
        return "a segment outside of the file";
    if (!holds(plan->virtual_base, plan->size_bytes, segment->virtual_address,
               segment->memory_size_bytes))
        return "a segment outside of the image";
    if (segment->write && segment->execute)
        return "a segment writable and executable";
    return NULL;
}

static const char *neighbours_problem(const struct elf_segment *before,
                                      const struct elf_segment *segment)
{
    uint64_t last = before->virtual_address + before->memory_size_bytes - 1;
    if (last >= segment->virtual_address)
        return "segments that overlap or are not sorted";
    if (last / 4096 == segment->virtual_address / 4096 &&
        (before->write != segment->write || before->execute != segment->execute))
        return "a page with two permissions";
    return NULL;
}

const char *elf_plan_problem(const struct elf_plan *plan, uint64_t file_size_bytes)
{
    bool entry_found = false;
    if (plan->segment_count < 1 || plan->segment_count > ELF_SEGMENT_LIMIT)
        return "the number of segments";
    if (plan->virtual_base % 4096 != 0 || plan->size_bytes % 4096 != 0)
        return "an unaligned image";
    if (plan->size_bytes == 0 || plan->size_bytes > ELF_IMAGE_LIMIT_BYTES)
        return "the image's size";
    if (plan->virtual_base < ELF_LOWEST_ADDRESS ||
        plan->size_bytes > UINT64_MAX - plan->virtual_base)
        return "the image's address";
    for (unsigned i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        const char *problem = segment_problem(plan, segment, file_size_bytes);
        if (problem == NULL && i > 0)
            problem = neighbours_problem(&plan->segments[i - 1], segment);
        if (problem != NULL)
            return problem;
        if (segment->execute && plan->entry >= segment->virtual_address &&
            plan->entry - segment->virtual_address < segment->file_size_bytes)
            entry_found = true;
    }
    return entry_found ? NULL : "an entry outside of the executable bytes";
}

const char *elf_load_problem(const struct elf_plan *plan, const void *file)
{
    uint8_t *image = malloc(plan->size_bytes + FENCE_BYTES);
    uint8_t *expected = calloc(1, plan->size_bytes + FENCE_BYTES);
    if (image == NULL || expected == NULL)
        abort();
    memset(image, DIRTY_BYTE, plan->size_bytes + FENCE_BYTES);
    memset(expected + plan->size_bytes, DIRTY_BYTE, FENCE_BYTES);
    elf_load(plan, file, image);
    for (unsigned i = 0; i < plan->segment_count; i++)
        memcpy(expected + (plan->segments[i].virtual_address - plan->virtual_base),
               (const uint8_t *)file + plan->segments[i].file_offset,
               plan->segments[i].file_size_bytes);
    bool same = memcmp(image, expected, plan->size_bytes + FENCE_BYTES) == 0;
    free(image);
    free(expected);
    return same ? NULL : "the loaded image differs from the plan";
}
