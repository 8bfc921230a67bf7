#include "tests/unit/support/elf_plan_check.h"

#include <stdlib.h>
#include <string.h>

#define DIRTY_BYTE  0xee
#define FENCE_BYTES 16

/* Return a copy at an odd address; free(copy - 1) frees it. */
static uint8_t *odd_copy(const void *bytes, size_t size_bytes)
{
    uint8_t *block = malloc(size_bytes + 1);
    if (block == NULL)
        abort();
    memcpy(block + 1, bytes, size_bytes);
    return block + 1;
}

enum elf_status elf_refusal_of_file(const void *file, uint64_t file_size_bytes, uint32_t machine,
                                    struct elf_plan *ret_plan, char text[ELF_REFUSAL_CAPACITY])
{
    struct elf_table found = {0};
    struct elf_culprits culprits = {0};
    uint64_t header_bytes = file_size_bytes < ELF_HEADER_BYTES ? file_size_bytes : ELF_HEADER_BYTES;
    uint8_t *header = odd_copy(file, header_bytes);
    enum elf_status status = elf_find_table(header, file_size_bytes, machine, &found);
    uint8_t *table = odd_copy((const uint8_t *)file + found.offset, found.size_bytes);
    if (status == ELF_OK)
        status = elf_plan(header, table, file_size_bytes, ret_plan, &culprits);
    elf_describe_refusal(status, &culprits, table, text);
    free(table - 1);
    free(header - 1);
    return status;
}

enum elf_status elf_plan_of_file(const void *file, uint64_t file_size_bytes, uint32_t machine,
                                 struct elf_plan *ret_plan)
{
    char text[ELF_REFUSAL_CAPACITY];
    return elf_refusal_of_file(file, file_size_bytes, machine, ret_plan, text);
}

/* Load as the loader does, with reads from the file in memory. The sanitizer checks their bounds. */
static void load(const struct elf_plan *plan, const uint8_t *file, uint8_t *image)
{
    for (unsigned next = 0; next < plan->segment_count;) {
        struct elf_read read;
        next = elf_next_read(plan, next, &read);
        memcpy(image + read.place, file + read.file_offset, read.size_bytes);
    }
    elf_zero_rest(plan, image);
}

static bool holds(uint64_t outer_size, uint64_t base, uint64_t size)
{
    return base <= outer_size && size <= outer_size - base;
}

static const char *segment_problem(const struct elf_plan *plan, const struct elf_segment *segment,
                                   uint64_t file_size_bytes)
{
    if (segment->memory.start.value >= segment->memory.end.value)
        return "an empty segment";
    if (segment->file_size_bytes > virt_range_size_bytes(segment->memory))
        return "a segment larger in the file than in memory";
    if (!holds(file_size_bytes, segment->file_offset, segment->file_size_bytes))
        return "a segment outside of the file";
    if (!virt_range_contains(plan->image, segment->memory))
        return "a segment outside of the image";
    if (segment->write && segment->execute)
        return "a segment writable and executable";
    return NULL;
}

static const char *neighbours_problem(const struct elf_segment *before,
                                      const struct elf_segment *segment)
{
    uint64_t last = before->memory.end.value - 1;
    if (last >= segment->memory.start.value)
        return "segments that overlap or are not sorted";
    if (last / 4096 == segment->memory.start.value / 4096 &&
        (before->write != segment->write || before->execute != segment->execute))
        return "a page with two permissions";
    return NULL;
}

static const char *image_problem(struct virt_range image)
{
    if (image.start.value % 4096 != 0 || image.end.value % 4096 != 0)
        return "an unaligned image";
    if (image.start.value < ELF_LOWEST_ADDRESS || image.end.value < image.start.value)
        return "the image's address";
    if (virt_range_is_empty(image) || virt_range_size_bytes(image) > ELF_IMAGE_LIMIT_BYTES)
        return "the image's size";
    return NULL;
}

const char *elf_plan_problem(const struct elf_plan *plan, uint64_t file_size_bytes)
{
    bool entry_found = false;
    if (plan->segment_count < 1 || plan->segment_count > ELF_SEGMENT_LIMIT)
        return "the number of segments";
    if (image_problem(plan->image) != NULL)
        return image_problem(plan->image);
    if (plan->alignment_bytes < 4096 || plan->alignment_bytes > UINT64_C(1) << 30 ||
        (plan->alignment_bytes & (plan->alignment_bytes - 1)) != 0)
        return "the image's alignment";
    for (unsigned i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        const char *problem = segment_problem(plan, segment, file_size_bytes);
        if (problem == NULL && i > 0)
            problem = neighbours_problem(&plan->segments[i - 1], segment);
        if (problem != NULL)
            return problem;
        if (segment->execute && plan->entry.value >= segment->memory.start.value &&
            plan->entry.value - segment->memory.start.value < segment->file_size_bytes)
            entry_found = true;
    }
    return entry_found ? NULL : "an entry outside of the executable bytes";
}

const char *elf_load_problem(const struct elf_plan *plan, const void *file)
{
    size_t size_bytes = virt_range_size_bytes(plan->image);
    uint8_t *image = malloc(size_bytes + FENCE_BYTES);
    uint8_t *expected = calloc(1, size_bytes + FENCE_BYTES);
    if (image == NULL || expected == NULL)
        abort();
    memset(image, DIRTY_BYTE, size_bytes + FENCE_BYTES);
    memset(expected + size_bytes, DIRTY_BYTE, FENCE_BYTES);
    load(plan, file, image);
    for (unsigned i = 0; i < plan->segment_count; i++)
        memcpy(expected + (plan->segments[i].memory.start.value - plan->image.start.value),
               (const uint8_t *)file + plan->segments[i].file_offset,
               plan->segments[i].file_size_bytes);
    bool same = memcmp(image, expected, size_bytes + FENCE_BYTES) == 0;
    free(image);
    free(expected);
    return same ? NULL : "the loaded image differs from the plan";
}
