#include "tests/qemu/probe/mappings.h"

#include <stddef.h>

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/image.h"
#include "tests/qemu/probe/page_walk.h"
#include "tests/qemu/probe/processors.h"

/* With four levels of tables, and with five levels. */
#define DIRECT_MAP_LIMIT_4 (UINT64_C(64) << 40)
#define DIRECT_MAP_LIMIT_5 (UINT64_C(4) << 50)

/* The fields of the PAT that hold these memory types (see cpu_state.c). */
#define PAT_WRITE_BACK      0
#define PAT_UNCACHED        3
#define PAT_WRITE_COMBINING 5

#define CPUID_PAT (UINT32_C(1) << 16)

/* --- Rules for every page --------------------------------------------------------------------- */

struct survey {
    const struct handoff *handoff;
    struct promises *promises;
    uint64_t direct_map_bytes;
    uint64_t direct_map_end; /* physical */
};

static bool can_forbid_execution(const struct handoff *handoff)
{
    return (handoff->arch.x86_64.flags & HANDOFF_X86_64_NO_EXECUTE) != 0;
}

static bool table_is_in_block(void *context, uint64_t physical)
{
    const struct survey *survey = context;
    uint64_t offset = physical - survey->handoff->page_tables_base;
    bool inside = physical >= survey->handoff->page_tables_base &&
                  offset < survey->handoff->page_tables_size_bytes;
    promise_require(survey->promises, inside, "a table in the block of page tables", physical);
    return inside;
}

static void leaf_keeps_the_rules(void *context, const struct page_leaf *leaf)
{
    const struct survey *survey = context;
    promise_require(survey->promises, !leaf->user, "a supervisor page", leaf->virtual);
    promise_require(survey->promises, !leaf->global, "a page that is not global", leaf->virtual);
    if (can_forbid_execution(survey->handoff))
        promise_require(survey->promises, !leaf->write || !leaf->execute,
                        "no page that is writable and executable", leaf->virtual);
    if (leaf->size_bytes > (UINT64_C(1) << 21))
        promise_require(survey->promises,
                        (survey->handoff->arch.x86_64.flags & HANDOFF_X86_64_PAGES_1GIB) != 0,
                        "no 1 GiB page without the flag", leaf->virtual);
}

static bool leaf_lies_in(const struct page_leaf *leaf, uint64_t start, uint64_t size_bytes)
{
    return leaf->size_bytes <= size_bytes && leaf->virtual >= start &&
           leaf->virtual - start <= size_bytes - leaf->size_bytes;
}

static void leaf_lies_in_a_window(void *context, const struct page_leaf *leaf)
{
    const struct survey *survey = context;
    const struct handoff *handoff = survey->handoff;
    promise_require(
        survey->promises,
        leaf_lies_in(leaf, handoff->kernel_virtual_base, handoff->kernel_size_bytes) ||
            leaf_lies_in(leaf, handoff->direct_map_base, handoff->direct_map_size_bytes) ||
            leaf_lies_in(leaf, handoff->stack_virtual_base, handoff->stack_size_bytes) ||
            leaf_lies_in(leaf, handoff->loader_virtual_base, handoff->loader_size_bytes) ||
            leaf_lies_in(leaf, handoff->loader_physical_base, handoff->loader_size_bytes) ||
            processors_own(handoff, leaf),
        "no page outside the windows of the document", leaf->virtual);
}

static void check_rules(const struct handoff *handoff, struct promises *promises)
{
    struct survey survey = {.handoff = handoff, .promises = promises};
    const struct page_visitor tables = {.context = &survey, .table = table_is_in_block};
    const struct page_visitor rules = {.context = &survey, .leaf = leaf_keeps_the_rules};
    const struct page_visitor windows = {.context = &survey, .leaf = leaf_lies_in_a_window};

    promise_begin(promises, "page-tables-in-their-block");
    page_walk(handoff, &tables);
    promise_end(promises);
    promise_begin(promises, "pages-follow-the-rules");
    page_walk(handoff, &rules);
    promise_end(promises);
    promise_begin(promises, "nothing-else-mapped");
    page_walk(handoff, &windows);
    promise_end(promises);
}

/* --- The direct map --------------------------------------------------------------------------- */

static uint64_t direct_map_limit(const struct handoff *handoff)
{
    return (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0 ? DIRECT_MAP_LIMIT_5
                                                                          : DIRECT_MAP_LIMIT_4;
}

static bool leaf_is_framebuffer(const struct handoff *handoff, const struct page_leaf *leaf)
{
    for (uint32_t i = 0; i < handoff->framebuffers.count; i++) {
        struct handoff_framebuffer framebuffer = block_framebuffer(handoff, i);
        if (leaf->physical >= framebuffer.base &&
            leaf->physical - framebuffer.base < framebuffer.size_bytes)
            return true;
    }
    return false;
}

static unsigned framebuffer_pat_index(void)
{
    return (cpu_basic_features() & CPUID_PAT) != 0 ? PAT_WRITE_COMBINING : PAT_UNCACHED;
}

static void survey_direct_map(void *context, const struct page_leaf *leaf)
{
    struct survey *survey = context;
    const struct handoff *handoff = survey->handoff;
    uint64_t end = leaf->physical + leaf->size_bytes;
    if (leaf->virtual < handoff->direct_map_base ||
        leaf->virtual - handoff->direct_map_base >= direct_map_limit(handoff))
        return;

    bool is_framebuffer = leaf_is_framebuffer(handoff, leaf);
    uint64_t mapped_bytes =
        block_bytes_with_facts(handoff, leaf->physical, end, HANDOFF_FACT_MAPPED);
    uint64_t writable_bytes =
        block_bytes_with_facts(handoff, leaf->physical, end, HANDOFF_FACT_WRITABLE);
    uint64_t framebuffer_bytes =
        block_bytes_of_type(handoff, leaf->physical, end, HANDOFF_REGION_FRAMEBUFFER);
    promise_require_equal(survey->promises, handoff->direct_map_base + leaf->physical,
                          leaf->virtual);
    promise_require(survey->promises, mapped_bytes == leaf->size_bytes,
                    "a page of regions with the fact MAPPED only", leaf->virtual);
    promise_require(survey->promises, writable_bytes == (leaf->write ? leaf->size_bytes : 0),
                    "a page that is writable exactly if its regions have the fact WRITABLE",
                    leaf->virtual);
    promise_require(survey->promises, framebuffer_bytes == (is_framebuffer ? leaf->size_bytes : 0),
                    "a page that is completely inside or completely outside the framebuffers",
                    leaf->virtual);
    if (can_forbid_execution(handoff))
        promise_require(survey->promises, !leaf->execute, "no executable page", leaf->virtual);
    promise_require(survey->promises,
                    leaf->pat_index == (is_framebuffer ? framebuffer_pat_index() : PAT_WRITE_BACK),
                    "write-back RAM, a write-combining (without PAT: uncached) framebuffer",
                    leaf->virtual);
    survey->direct_map_bytes += leaf->size_bytes;
    if (end > survey->direct_map_end)
        survey->direct_map_end = end;
}

/* If every page is right and the sum is the sum of the regions, then no page is missing. */
static void check_direct_map(const struct handoff *handoff, struct promises *promises)
{
    struct survey survey = {.handoff = handoff, .promises = promises};
    const struct page_visitor visitor = {.context = &survey, .leaf = survey_direct_map};
    uint64_t expected_bytes =
        block_bytes_with_facts(handoff, 0, direct_map_limit(handoff), HANDOFF_FACT_MAPPED);

    promise_begin(promises, "direct-map");
    page_walk(handoff, &visitor);
    promise_require_equal(promises, expected_bytes, survey.direct_map_bytes);
    promise_end(promises);
    promise_equal(promises, "direct-map-size", survey.direct_map_end,
                  handoff->direct_map_size_bytes);
}

/* --- The kernel, the stack, the loader -------------------------------------------------------- */

/* Require a page at `virtual` that leads to `physical` and has these permissions. */
static void require_mapped(const struct handoff *handoff, struct promises *promises,
                           uint64_t virtual, uint64_t physical, bool write, bool execute)
{
    struct page_leaf leaf;
    if (!page_walk_find(handoff, virtual, &leaf)) {
        promise_require(promises, false, "a mapped page", virtual);
        return;
    }
    promise_require_equal(promises, physical, leaf.physical + (virtual - leaf.virtual));
    promise_require(promises, leaf.write == write, "the write permission of its segment", virtual);
    if (can_forbid_execution(handoff))
        promise_require(promises, leaf.execute == execute, "the execute permission of its segment",
                        virtual);
    promise_require(promises, leaf.pat_index == PAT_WRITE_BACK, "write-back memory", virtual);
}

static void require_unmapped(const struct handoff *handoff, struct promises *promises,
                             uint64_t virtual)
{
    struct page_leaf leaf;
    promise_require(promises, !page_walk_find(handoff, virtual, &leaf), "no page at this address",
                    virtual);
}

/* Return the segment that has a byte in this page, or NULL for a gap. */
static const struct image_segment *segment_of_page(const struct image_segment *segments,
                                                   uint64_t page)
{
    for (unsigned i = 0; i < IMAGE_SEGMENT_COUNT; i++) {
        if (page + PAGE > segments[i].start && page < segments[i].end)
            return &segments[i];
    }
    return NULL;
}

static void check_kernel(const struct handoff *handoff, struct promises *promises)
{
    struct image_segment segments[IMAGE_SEGMENT_COUNT];
    image_segments(segments);
    uint64_t gap_count = 0;

    promise_begin(promises, "kernel-place");
    promise_require_equal(promises, image_start(), handoff->kernel_virtual_base);
    promise_require_equal(promises, image_end() - image_start(), handoff->kernel_size_bytes);
    promise_require_equal(promises, image_entry(), handoff->kernel_entry);
    promise_end(promises);

    promise_begin(promises, "kernel-permissions");
    for (uint64_t page = image_start(); page < image_end(); page += PAGE) {
        const struct image_segment *segment = segment_of_page(segments, page);
        if (segment != NULL) {
            require_mapped(handoff, promises, page,
                           handoff->kernel_physical_base + (page - image_start()), segment->write,
                           segment->execute);
        } else {
            require_unmapped(handoff, promises, page);
            gap_count++;
        }
    }
    promise_require(promises, gap_count == 3, "the three pages that probe.ld leaves free",
                    gap_count);
    promise_end(promises);
}

static void check_stack(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "stack-mapping");
    for (uint64_t offset = 0; offset < handoff->stack_size_bytes; offset += PAGE)
        require_mapped(handoff, promises, handoff->stack_virtual_base + offset,
                       handoff->stack_physical_base + offset, true, false);
    promise_end(promises);
    promise_begin(promises, "stack-guard-page");
    require_unmapped(handoff, promises, handoff->stack_virtual_base - PAGE);
    promise_end(promises);
}

static uint32_t read32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

#define PE_SECTION_EXECUTE     UINT32_C(0x20000000)
#define PE_SECTION_WRITE       UINT32_C(0x80000000)
#define PE_SECTION_HEADER_SIZE 40

/* The firmware keeps the loader's PE headers in front of its sections. They give the permissions of
 * each page (PE format, "Section Table"). The image is mapped at two addresses. `base` is one. */
static void check_loader(const struct handoff *handoff, struct promises *promises, const char *name,
                         uint64_t base)
{
    const uint8_t *image = block_pointer(handoff, handoff->loader_physical_base);
    uint64_t displacement = base - handoff->loader_physical_base;
    const uint8_t *headers = image + read32(image + 0x3c);
    unsigned section_count = headers[6] | (unsigned)headers[7] << 8;
    const uint8_t *section = headers + 24 + (headers[20] | (unsigned)headers[21] << 8);
    uint64_t next_page = base;

    promise_begin(promises, name);
    promise_require(promises, image[0] == 'M' && image[1] == 'Z' && section_count > 0, "a PE image",
                    base);
    for (; section_count > 0 && !promises->broken; section_count--) {
        uint64_t start = base + read32(section + 12);
        uint64_t end = (start + read32(section + 8) + PAGE - 1) & ~(PAGE - 1);
        uint32_t characteristics = read32(section + 36);
        for (; next_page < start; next_page += PAGE)
            require_unmapped(handoff, promises, next_page);
        for (; next_page < end; next_page += PAGE)
            require_mapped(handoff, promises, next_page, next_page - displacement,
                           (characteristics & PE_SECTION_WRITE) != 0,
                           (characteristics & PE_SECTION_EXECUTE) != 0);
        section += PE_SECTION_HEADER_SIZE;
    }
    for (; next_page < base + handoff->loader_size_bytes; next_page += PAGE)
        require_unmapped(handoff, promises, next_page);
    promise_end(promises);
}

void mappings_check(const struct handoff *handoff, struct promises *promises)
{
    check_rules(handoff, promises);
    check_direct_map(handoff, promises);
    check_kernel(handoff, promises);
    check_stack(handoff, promises);
    check_loader(handoff, promises, "loader-identity-mapping", handoff->loader_physical_base);
    check_loader(handoff, promises, "loader-upper-half-mapping", handoff->loader_virtual_base);
    promise_begin(promises, "page-zero-unmapped");
    require_unmapped(handoff, promises, 0);
    promise_end(promises);
}
