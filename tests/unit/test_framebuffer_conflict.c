/* Framebuffers over memory that has another owner. */
#include "tests/unit/support/cmocka.h"

#include "bootloader/pure/framebuffer_conflict.h"
#include "bootloader/pure/memory_type.h"
#include "shared/address.h"
#include "shared/region.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* UEFI 2.10, 7.2.1 */
enum {
    RESERVED,
    LOADER_CODE,
    LOADER_DATA,
    BOOT_CODE,
    BOOT_DATA,
    RUNTIME_CODE,
    RUNTIME_DATA,
    CONVENTIONAL,
    UNUSABLE,
    ACPI_RECLAIM,
    ACPI_NVS,
    MMIO,
    MMIO_PORTS,
    PAL_CODE,
    PERSISTENT,
    UNACCEPTED,
    TYPE_COUNT
};

#define BASE       UINT64_C(0x100000)
#define SIZE_BYTES UINT64_C(0x10000)

static const struct handoff_framebuffer screen = {.base = BASE, .size_bytes = SIZE_BYTES};

/* --- Blocks of the loader --- */

static bool conflicts_with_claim(uint64_t base, uint64_t size_bytes, enum handoff_region_type type,
                                 struct memory_map_claim *ret_owned)
{
    static struct claims claims;
    const struct phys_range range = phys_range(base, base + size_bytes);
    const struct phys_range pixels = phys_range(BASE, BASE + SIZE_BYTES);
    claims_begin(&claims, NULL, 0);
    claims_add(&claims, &pixels, HANDOFF_REGION_FRAMEBUFFER);
    claims_add(&claims, &range, type);
    const struct memory_owners owners = {&claims, NULL, 0};
    return framebuffer_conflict_find(&owners, &screen, ret_owned);
}

static void test_M13_a_block_of_the_loader_below_the_pixels_is_named(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, size_bytes; /* of the block */
        uint64_t start, end;       /* of the part in conflict; equal: none */
    } CASES[] = {
        {BASE - 0x1000, 0x1000, 0, 0},
        {BASE + SIZE_BYTES, 0x1000, 0, 0},
        {BASE + 0x2000, 0, 0, 0},
        {BASE, 0x1000, BASE, BASE + 0x1000},
        {BASE - 0x1000, 0x2000, BASE, BASE + 0x1000},
        {BASE + SIZE_BYTES - 0x1000, 0x8000, BASE + SIZE_BYTES - 0x1000, BASE + SIZE_BYTES},
        {BASE + 0x3000, 0x1000, BASE + 0x3000, BASE + 0x4000},
        {BASE - 0x4000, SIZE_BYTES * 4, BASE, BASE + SIZE_BYTES},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct memory_map_claim owned = {phys_range(0, 0), HANDOFF_REGION_BAD};
        bool is_found = conflicts_with_claim(CASES[i].base, CASES[i].size_bytes,
                                             HANDOFF_REGION_KERNEL_IMAGE, &owned);
        assert_int_equal(is_found, CASES[i].start != CASES[i].end);
        assert_int_equal(owned.range.start.value, CASES[i].start);
        assert_int_equal(owned.range.end.value, CASES[i].end);
        assert_int_equal(owned.type, is_found ? HANDOFF_REGION_KERNEL_IMAGE : HANDOFF_REGION_BAD);
    }
}

static void test_M13_each_block_of_the_loader_counts(void **state)
{
    (void)state;
    static const enum handoff_region_type BLOCKS[] = {
        HANDOFF_REGION_LOADER,      HANDOFF_REGION_TEMP_HEAP,       HANDOFF_REGION_STACK,
        HANDOFF_REGION_PAGE_TABLES, HANDOFF_REGION_HANDOFF_DATA,    HANDOFF_REGION_KERNEL_IMAGE,
        HANDOFF_REGION_BOOT_RECORD, HANDOFF_REGION_PROCESSOR_START, HANDOFF_REGION_PARKING,
    };
    struct memory_map_claim owned;
    for (size_t i = 0; i < COUNT(BLOCKS); i++) {
        assert_true(conflicts_with_claim(BASE, 0x1000, BLOCKS[i], &owned));
        assert_int_equal(owned.type, BLOCKS[i]);
    }
    /* Two outputs may share their pixels. The address of a table may be wrong, too. */
    assert_false(conflicts_with_claim(BASE, 0x1000, HANDOFF_REGION_FRAMEBUFFER, &owned));
    assert_false(conflicts_with_claim(BASE, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES, &owned));
}

/* --- Memory of the firmware --- */

/* Convert a map with one row below a part of the pixels, as the loader does. */
static bool conflicts_with_row(uint32_t efi_type, uint64_t attribute,
                               struct memory_map_claim *ret_owned)
{
    static struct claims claims;
    uint64_t work[16];
    struct handoff_region regions[16];
    const struct phys_range pixels = phys_range(BASE, BASE + SIZE_BYTES);
    const struct memory_map_descriptor rows[] = {
        {.type = CONVENTIONAL, .physical_start = 0, .page_count = 0x80, .attribute = 0xf},
        {.type = efi_type,
         .physical_start = BASE + 0x8000,
         .page_count = 0x10,
         .attribute = attribute},
    };
    claims_begin(&claims, NULL, 0);
    claims_add(&claims, &pixels, HANDOFF_REGION_FRAMEBUFFER);
    const struct memory_map_request request = {rows,     sizeof(rows), sizeof(rows[0]),
                                               64 * TIB, claims.list,  claims.count};
    const struct memory_map_room room = {work, COUNT(work), regions, COUNT(regions)};
    struct memory_map_result result;
    assert_int_equal(memory_map_convert(&request, &room, &result), MEMORY_MAP_OK);
    const struct memory_owners owners = {&claims, regions, result.region_count};
    return framebuffer_conflict_find(&owners, &screen, ret_owned);
}

static void test_M13_memory_that_lives_on_is_named(void **state)
{
    (void)state;
    static const enum handoff_region_type LIVES_ON[TYPE_COUNT] = {
        [RUNTIME_CODE] = HANDOFF_REGION_RUNTIME_CODE, [RUNTIME_DATA] = HANDOFF_REGION_RUNTIME_DATA,
        [ACPI_RECLAIM] = HANDOFF_REGION_ACPI_RECLAIM, [ACPI_NVS] = HANDOFF_REGION_ACPI_NVS,
        [PERSISTENT] = HANDOFF_REGION_PERSISTENT,
    };
    static const uint64_t ATTRIBUTES[] = {0xf, 0x1, 0, UINT64_C(0x800000000000000f)};
    for (uint32_t type = 0; type <= TYPE_COUNT; type++) {
        enum handoff_region_type wanted =
            type < TYPE_COUNT ? LIVES_ON[type] : (enum handoff_region_type)0;
        for (size_t i = 0; i < COUNT(ATTRIBUTES); i++) {
            struct memory_map_claim owned = {phys_range(0, 0), (enum handoff_region_type)0};
            assert_int_equal(conflicts_with_row(type, ATTRIBUTES[i], &owned), wanted != 0);
            assert_int_equal(owned.type, wanted);
            assert_int_equal(owned.range.start.value, wanted != 0 ? BASE + 0x8000 : 0);
            assert_int_equal(owned.range.end.value, wanted != 0 ? BASE + SIZE_BYTES : 0);
        }
    }
}

static void test_regions_beside_the_pixels_do_not_count(void **state)
{
    (void)state;
    static struct claims claims;
    const struct handoff_region regions[] = {
        region_make(BASE, SIZE_BYTES, HANDOFF_REGION_FRAMEBUFFER, RESERVED, 0),
        region_make(BASE + SIZE_BYTES, 0x1000, HANDOFF_REGION_FRAMEBUFFER, RUNTIME_CODE, 0xf),
        region_make(BASE + SIZE_BYTES + 0x1000, 0x1000, HANDOFF_REGION_RUNTIME_CODE, RUNTIME_CODE,
                    0xf),
    };
    const struct memory_owners owners = {&claims, regions, COUNT(regions)};
    struct memory_map_claim owned;
    struct handoff_framebuffer longer = screen;
    claims_begin(&claims, NULL, 0);
    assert_false(framebuffer_conflict_find(&owners, &screen, &owned));
    longer.size_bytes += 0x1000;
    assert_true(framebuffer_conflict_find(&owners, &longer, &owned));
    assert_int_equal(owned.range.start.value, BASE + SIZE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M13_a_block_of_the_loader_below_the_pixels_is_named),
        cmocka_unit_test(test_M13_each_block_of_the_loader_counts),
        cmocka_unit_test(test_M13_memory_that_lives_on_is_named),
        cmocka_unit_test(test_regions_beside_the_pixels_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
