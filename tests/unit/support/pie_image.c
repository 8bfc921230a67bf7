#include "tests/unit/support/pie_image.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/arch.h"

#define RELR_OFFSET (PIE_TABLES + 0x800)

static struct elf_segment segment(uint64_t start, uint64_t size_bytes, uint64_t file_size_bytes,
                                  bool write, bool execute)
{
    return (struct elf_segment){.memory = virt_range(start, start + size_bytes),
                                .file_size_bytes = file_size_bytes,
                                .write = write,
                                .execute = execute};
}

void pie_image_create(struct pie_image *pie, uint64_t base)
{
    memset(pie, 0, sizeof(*pie));
    pie->base = base;
    pie->plan = (struct elf_plan){
        .is_relocatable = true,
        .dynamic = virt_range(base + PIE_DATA, base + PIE_DATA + PIE_DYNAMIC_BYTES),
        .entry = virt_addr(base),
        .image = virt_range(base, base + PIE_IMAGE_SIZE_BYTES),
        .alignment_bytes = 0x1000,
        .segment_count = 4,
        .segments = {segment(base, 0x1000, 0x1000, false, true),
                     segment(base + PIE_TABLES, 0x1000, 0x1000, false, false),
                     segment(base + PIE_DATA, 0x2000, 0x1000, true, false),
                     segment(base + PIE_SMALL, 0x10, 0x10, true, false)},
    };
}

void pie_image_set64(struct pie_image *pie, uint64_t offset, uint64_t value)
{
    memcpy(pie->bytes + offset, &value, sizeof(value));
}

uint64_t pie_image_get64(const struct pie_image *pie, uint64_t offset)
{
    uint64_t value;
    memcpy(&value, pie->bytes + offset, sizeof(value));
    return value;
}

void pie_image_add(struct pie_image *pie, uint64_t tag, uint64_t value)
{
    uint64_t place = PIE_DATA + 16 * (uint64_t)pie->entry_count++;
    pie_image_set64(pie, place, tag);
    pie_image_set64(pie, place + 8, value);
}

void pie_image_set_rela(struct pie_image *pie, unsigned index, uint64_t place, uint64_t kind,
                        uint64_t addend)
{
    uint64_t entry = PIE_TABLES + 24 * (uint64_t)index;
    pie_image_set64(pie, entry, pie->base + place);
    pie_image_set64(pie, entry + 8, kind);
    pie_image_set64(pie, entry + 16, addend);
}

void pie_image_add_rela(struct pie_image *pie, unsigned count)
{
    pie_image_add(pie, 7, pie->base + PIE_TABLES);
    pie_image_add(pie, 8, 24 * (uint64_t)count);
    pie_image_add(pie, 9, 24);
}

void pie_image_add_relr(struct pie_image *pie, const uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        pie_image_set64(pie, RELR_OFFSET + 8 * (uint64_t)i, words[i]);
    pie_image_add(pie, 36, pie->base + RELR_OFFSET);
    pie_image_add(pie, 35, 8 * (uint64_t)count);
    pie_image_add(pie, 37, 8);
}

enum relocation_status pie_image_relocate(struct pie_image *pie, uint64_t slide,
                                          struct relocation_culprit *ret_culprit)
{
    void *marks = malloc(relocation_marks_size_bytes(&pie->plan));
    uint64_t count;
    if (marks == NULL)
        abort();
    const struct relocation_request request = {&pie->plan, pie->bytes, slide,
                                               arch_relocation_kinds(), marks};
    enum relocation_status status = relocation_apply(&request, &count, ret_culprit);
    free(marks);
    return status;
}
