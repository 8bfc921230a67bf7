/* The dynamic section and the relocations of a PIE: any bytes are refused or applied, and change only
 * bytes of writable segments. */
#include <string.h>

#include "bootloader/arch.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/pie_image.h"

#define SLIDE UINT64_C(0xffffffff87200000)

/* The first byte chooses the link address, the second one the segments that are writable. The rest fills the
 * tables, then the data with the dynamic section. */
static void fill(struct pie_image *pie, const uint8_t *bytes, size_t size_bytes)
{
    static const uint64_t BASES[] = {0, 0x10000, 0xffffffff80000000, 0xffffffffffff0000};
    size_t half = (size_bytes - 2) / 2;
    size_t tables = half < 0x1000 ? half : 0x1000;
    pie_image_create(pie, BASES[bytes[0] % 4]);
    for (unsigned i = 0; i < 4; i++)
        pie->plan.segments[i].write = (bytes[1] >> i & 1) != 0;
    memcpy(pie->bytes + PIE_TABLES, bytes + 2, tables);
    memcpy(pie->bytes + PIE_DATA, bytes + 2 + half, tables);
}

/* No byte of a segment that is read-only, or of a gap, has changed. This writes the others to *before. */
static void require_untouched(struct pie_image *before, const struct pie_image *after)
{
    for (unsigned n = 0; n < before->plan.segment_count; n++) {
        const struct elf_segment *segment = &before->plan.segments[n];
        uint64_t offset = segment->memory.start.value - before->base;
        if (segment->write)
            memcpy(before->bytes + offset, after->bytes + offset,
                   virt_range_size_bytes(segment->memory));
    }
    require(memcmp(before->bytes, after->bytes, sizeof(before->bytes)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static struct pie_image before;
    static struct pie_image after;
    struct relocation_culprit culprit;
    char text[RELOCATION_TEXT_CAPACITY];
    if (size_bytes < 2)
        return 0;
    fill(&before, bytes, size_bytes);
    after = before;
    enum relocation_status status = pie_image_relocate(&after, SLIDE, &culprit);
    require_untouched(&before, &after);
    relocation_describe(status, &culprit, arch_relocation_kinds(), text);
    require(text[strlen(text) - 1] == '.');
    require(status == RELOCATION_OK ||
            (culprit.table != NULL) == (strncmp(text, "relocation ", 11) == 0));
    return 0;
}
