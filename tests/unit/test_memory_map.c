#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/memory_map.h"
#include "bootloader/pure/memory_type.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/region.h"
#include "tests/unit/support/memory_map_file.h"
#include "tests/unit/support/memory_map_oracle.h"
#include "tests/unit/support/random.h"

#define WB      UINT64_C(0xf)
#define RUNTIME MEMORY_MAP_ATTRIBUTE_RUNTIME
#define SP      MEMORY_MAP_ATTRIBUTE_SP
#define PAGE    PAGE_SIZE_BYTES

enum {
    RESERVED,
    LOADER_CODE,
    LOADER_DATA,
    BS_CODE,
    BS_DATA,
    RT_CODE,
    RT_DATA,
    CONVENTIONAL,
    UNUSABLE,
    ACPI,
    NVS,
    MMIO,
    PORTS,
    PAL,
    PERSISTENT,
    UNACCEPTED
};

/* --- One conversion, in memory of exactly the size that the header requires --- */

struct result {
    enum memory_map_status status;
    struct handoff_region *regions;
    size_t count;
    struct memory_map_report report;
};

static void result_drop(struct result result)
{
    free(result.regions);
}

/* Convert rows with any stride. The bytes between the descriptors are garbage. */
static struct result convert_with_stride(const struct memory_map_descriptor *rows, size_t row_count,
                                         size_t stride_bytes, const struct memory_map_claim *claims,
                                         size_t claim_count)
{
    size_t work_count = 2 * (row_count + claim_count);
    size_t capacity = work_count + 2;
    uint8_t *map = malloc(row_count * stride_bytes + 1);
    uint64_t *work = malloc(work_count * sizeof(*work) + 1);
    struct result result = {.regions = malloc(capacity * sizeof(struct handoff_region) + 1)};
    assert_non_null(map);
    assert_non_null(work);
    assert_non_null(result.regions);
    memset(map, 0xcd, row_count * stride_bytes);
    for (size_t i = 0; i < row_count; i++)
        memcpy(map + i * stride_bytes, &rows[i], sizeof(rows[i]));
    const struct memory_map_request request = {
        .map = map,
        .size_bytes = row_count * stride_bytes,
        .stride_bytes = stride_bytes,
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
        .claims = claims,
        .claim_count = claim_count,
    };
    const struct memory_map_room room = {work, work_count, result.regions, capacity};
    struct memory_map_result converted = {.region_count = 12345};
    result.status = memory_map_convert(&request, &room, &converted);
    result.count = converted.region_count;
    result.report = converted.report;
    free(map);
    free(work);
    return result;
}

static struct result convert(const struct memory_map_descriptor *rows, size_t row_count,
                             const struct memory_map_claim *claims, size_t claim_count)
{
    return convert_with_stride(rows, row_count, 48, claims, claim_count);
}

static void assert_no_problem(const char *problem)
{
    if (problem != NULL)
        fail_msg("%s", problem);
}

static void assert_page(const struct result *result, const struct memory_map_descriptor *rows,
                        size_t row_count, const struct memory_map_claim *claims, size_t claim_count,
                        uint64_t page)
{
    const struct memory_map_input input = {rows, row_count, claims, claim_count};
    assert_no_problem(memory_map_page_problem(&input, result->regions, result->count, page));
}

static void assert_normalised(const struct result *result)
{
    assert_no_problem(memory_map_normal_problem(result->regions, result->count));
}

static void assert_region(const struct result *result, size_t index, uint64_t base,
                          uint64_t page_count, enum handoff_region_type type)
{
    assert_true(index < result->count);
    assert_int_equal(result->regions[index].base, base);
    assert_int_equal(result->regions[index].size_bytes, page_count * PAGE);
    assert_string_equal(region_type_name(result->regions[index].type),
                        region_type_name((uint32_t)type));
}

static bool type_is_ram(enum handoff_region_type type)
{
    return (region_type_facts((uint32_t)type) & HANDOFF_FACT_RAM) != 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct memory_map_descriptor row(uint32_t type, uint64_t base, uint64_t page_count)
{
    return (struct memory_map_descriptor){
        .type = type, .physical_start = base, .page_count = page_count, .attribute = WB};
}

static struct memory_map_descriptor row_with(uint32_t type, uint64_t base, uint64_t page_count,
                                             uint64_t attributes)
{
    struct memory_map_descriptor result = row(type, base, page_count);
    result.attribute = attributes;
    return result;
}

/* --- Status --- */

static void assert_bad_stride(uint64_t map_size_bytes, uint64_t stride_bytes)
{
    static uint8_t map[4096];
    uint64_t work[8];
    struct handoff_region regions[8];
    const struct memory_map_request request = {
        .map = map,
        .size_bytes = map_size_bytes,
        .stride_bytes = stride_bytes,
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    const struct memory_map_room room = {work, 8, regions, 8};
    struct memory_map_result result = {.region_count = 77};
    assert_int_equal(memory_map_convert(&request, &room, &result), MEMORY_MAP_BAD_STRIDE);
    assert_int_equal(result.region_count, 77);
}

static void test_FW8_impossible_descriptor_sizes(void **state)
{
    (void)state;
    assert_bad_stride(96, 0);
    assert_bad_stride(96, 8);
    assert_bad_stride(78, 39);
    assert_bad_stride(88, 44);
    assert_bad_stride(97, 48);
    assert_bad_stride(47, 48);
    assert_bad_stride(96, UINT64_MAX);
}

static void test_FW7_stride_is_honoured(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(CONVENTIONAL, 0x101000, 3), row(RESERVED, 0x104000, 1), row(CONVENTIONAL, 0x105000, 2)};
    for (size_t stride = 40; stride <= 128; stride += 8) {
        struct result result = convert_with_stride(rows, COUNT(rows), stride, NULL, 0);
        assert_int_equal(result.status, MEMORY_MAP_OK);
        assert_int_equal(result.count, 3);
        assert_region(&result, 0, 0x101000, 3, HANDOFF_REGION_USABLE);
        assert_region(&result, 1, 0x104000, 1, HANDOFF_REGION_RESERVED);
        assert_region(&result, 2, 0x105000, 2, HANDOFF_REGION_USABLE);
        result_drop(result);
    }
}

static void test_M1_empty_map(void **state)
{
    (void)state;
    struct result result = convert(NULL, 0, NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_EMPTY);
    assert_int_equal(result.count, 12345);
    result_drop(result);

    const struct memory_map_descriptor rows[] = {row(CONVENTIONAL, 0x101000, 0)};
    result = convert(rows, 1, NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_EMPTY);
    assert_int_equal(result.count, 12345);
    result_drop(result);
}

static void test_M9_never_truncated_silently(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(CONVENTIONAL, 0x101000, 1), row(RESERVED, 0x102000, 1), row(CONVENTIONAL, 0x103000, 1)};
    uint64_t work[6];
    struct handoff_region regions[6];
    const struct memory_map_request request = {
        .map = rows,
        .size_bytes = sizeof(rows),
        .stride_bytes = sizeof(rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    for (size_t capacity = 0; capacity <= 3; capacity++) {
        const struct memory_map_room room = {work, 6, regions, capacity};
        struct memory_map_result result = {.region_count = 77};
        assert_int_equal(memory_map_convert(&request, &room, &result),
                         capacity < 3 ? MEMORY_MAP_TOO_MANY_ROWS : MEMORY_MAP_OK);
        assert_int_equal(result.region_count, capacity < 3 ? 77 : 3);
    }
    const struct memory_map_room little_work = {work, 5, regions, 6};
    struct memory_map_result result = {.region_count = 77};
    assert_int_equal(memory_map_convert(&request, &little_work, &result), MEMORY_MAP_TOO_MANY_ROWS);
    assert_int_equal(result.region_count, 77);
}

/* --- Rows --- */

static void test_M2_unsorted_rows_are_sorted(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(MMIO, 0xfec00000, 1), row(CONVENTIONAL, 0x100000000, 4), row(BS_DATA, 0x101000, 2),
        row(CONVENTIONAL, 0x103000, 2)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 4);
    assert_region(&result, 0, 0x101000, 2, HANDOFF_REGION_BOOT_SERVICES);
    assert_region(&result, 1, 0x103000, 2, HANDOFF_REGION_USABLE);
    assert_region(&result, 2, 0xfec00000, 1, HANDOFF_REGION_MMIO);
    assert_region(&result, 3, 0x100000000, 4, HANDOFF_REGION_USABLE);
    result_drop(result);
}

static void test_M3_empty_rows_are_dropped(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(RESERVED, 0, 0), row(CONVENTIONAL, 0x101000, 4), row(RESERVED, 0x102000, 0)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 1);
    assert_region(&result, 0, 0x101000, 4, HANDOFF_REGION_USABLE);
    assert_int_equal(result.report.dropped_empty, 2);
    assert_int_equal(result.report.overlapping, 0);
    result_drop(result);
}

static void test_M4_unaligned_ram_shrinks_and_the_rest_grows(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(CONVENTIONAL, 0x101800, 3), row(CONVENTIONAL, 0x110001, 1), row(MMIO, 0x120800, 1)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 2);
    assert_region(&result, 0, 0x102000, 2, HANDOFF_REGION_USABLE);
    assert_region(&result, 1, 0x120000, 2, HANDOFF_REGION_MMIO);
    assert_int_equal(result.report.shrunk_unaligned, 3);
    result_drop(result);
}

static void test_M5_M17_wrapping_and_too_high_rows_are_dropped(void **state)
{
    (void)state;
    const uint64_t limit = UINT64_C(1) << 52;
    const struct memory_map_descriptor rows[] = {row(CONVENTIONAL, UINT64_MAX - 0xfff, 1),
                                                 row(CONVENTIONAL, UINT64_MAX - 0xfff, 2),
                                                 row(CONVENTIONAL, 0x101000, UINT64_MAX),
                                                 row(CONVENTIONAL, 0x101000, UINT64_C(1) << 52),
                                                 row(CONVENTIONAL, limit, 1),
                                                 row(CONVENTIONAL, limit - 0x1000, 2),
                                                 row(RESERVED, UINT64_C(1) << 63, 1),
                                                 row(MMIO, limit - 0x1000, 1)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 1);
    assert_region(&result, 0, limit - 0x1000, 1, HANDOFF_REGION_MMIO);
    assert_int_equal(result.report.dropped_wrapping, 7);
    result_drop(result);
}

/*   |---- usable ----|            |--------- usable ---------|
 *            |---- usable ----|   */
static void test_M6_overlap_of_one_type_is_merged(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(CONVENTIONAL, 0x101000, 4),
                                                 row(CONVENTIONAL, 0x103000, 4)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 1);
    assert_region(&result, 0, 0x101000, 6, HANDOFF_REGION_USABLE);
    assert_int_equal(result.report.overlapping, 0);
    result_drop(result);
}

/*   |-------------- usable --------------|
 *        |-- reserved --|    |-- nvs --|  */
static void test_M7_the_most_restrictive_wins(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(RESERVED, 0x103000, 2), row(NVS, 0x107000, 1),
                                                 row(CONVENTIONAL, 0x101000, 9)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 5);
    assert_region(&result, 0, 0x101000, 2, HANDOFF_REGION_USABLE);
    assert_region(&result, 1, 0x103000, 2, HANDOFF_REGION_RESERVED);
    assert_region(&result, 2, 0x105000, 2, HANDOFF_REGION_USABLE);
    assert_region(&result, 3, 0x107000, 1, HANDOFF_REGION_ACPI_NVS);
    assert_region(&result, 4, 0x108000, 2, HANDOFF_REGION_USABLE);
    assert_int_equal(result.report.overlapping, 2);
    assert_int_equal(result.regions[1].efi_type, RESERVED);
    assert_int_equal(result.regions[2].efi_type, CONVENTIONAL);
    result_drop(result);
}

static void test_M8_duplicates_count_once(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {
        row(BS_DATA, 0x101000, 4), row(BS_DATA, 0x101000, 4), row(BS_DATA, 0x101000, 4)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 1);
    assert_region(&result, 0, 0x101000, 4, HANDOFF_REGION_BOOT_SERVICES);
    assert_int_equal(result.report.overlapping, 0);
    result_drop(result);
}

static void convert_many_rows(size_t row_count)
{
    struct memory_map_descriptor *rows = calloc(row_count, sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < row_count; i++) /* downward, with a hole after every second row */
        rows[i] =
            row(i % 2 == 0 ? CONVENTIONAL : NVS, 0x1000 + (row_count - i) * 2 * PAGE, 1 + i % 2);
    struct result result = convert(rows, row_count, NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, row_count);
    assert_normalised(&result);
    result_drop(result);
    free(rows);
}

static void test_M9_many_rows(void **state)
{
    (void)state;
    convert_many_rows(600);
    convert_many_rows(5000);
    convert_many_rows(100000);
}

static void test_M9_many_rows_over_each_other(void **state)
{
    (void)state;
    const size_t row_count = 5000; /* nested: every row is inside of all rows before it */
    struct memory_map_descriptor *rows = calloc(row_count, sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < row_count; i++)
        rows[i] = row((uint32_t)(i % 16), 0x1000 + i * PAGE, 2 * (row_count - i));
    struct result result = convert(rows, row_count, NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_normalised(&result);
    for (uint64_t page = 0; page < 2 * row_count; page += 97)
        assert_page(&result, rows, row_count, NULL, 0, page * PAGE);
    result_drop(result);
    free(rows);
}

static void test_M10_M11_types(void **state)
{
    (void)state;
    for (uint32_t type = 0; type <= UNACCEPTED; type++)
        assert_int_equal(memory_type_of_row(type, WB), memory_map_oracle_type(type, WB));
    static const uint32_t UNKNOWN[] = {16,         0x6fffffff, 0x70000000,
                                       0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < COUNT(UNKNOWN); i++)
        assert_int_equal(memory_type_of_row(UNKNOWN[i], WB), HANDOFF_REGION_RESERVED);
    assert_false(type_is_ram(HANDOFF_REGION_PERSISTENT));
    assert_false(type_is_ram(HANDOFF_REGION_UNACCEPTED));

    const struct memory_map_descriptor rows[] = {
        row(0x80000001, 0x101000, 1), row(PERSISTENT, 0x102000, 1), row(UNACCEPTED, 0x103000, 1)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 3);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, 0x102000, 1, HANDOFF_REGION_PERSISTENT);
    assert_region(&result, 2, 0x103000, 1, HANDOFF_REGION_UNACCEPTED);
    assert_int_equal(result.regions[0].efi_type, 0x80000001);
    assert_int_equal(result.report.unknown_types, 1);
    result_drop(result);
}

static void test_M12_undefined_attribute_bits_are_ignored(void **state)
{
    (void)state;
    const uint64_t known = WB | SP | RUNTIME;
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((known >> bit & 1) != 0)
            continue;
        uint64_t attributes = WB | UINT64_C(1) << bit;
        assert_int_equal(memory_type_of_row(CONVENTIONAL, attributes), HANDOFF_REGION_USABLE);
    }
    const struct memory_map_descriptor rows[] = {
        row_with(CONVENTIONAL, 0x101000, 1, 0x80000000000000f)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_USABLE);
    assert_int_equal(result.regions[0].attributes, UINT64_C(0x80000000000000f));
    result_drop(result);
}

static void test_M13_attributes_that_forbid_use(void **state)
{
    (void)state;
    static const uint64_t BAD[] = {WB | SP, WB | RUNTIME, 0, 0x7, 0x1, RUNTIME};
    static const uint32_t FREE_ABLE[] = {CONVENTIONAL, BS_CODE,     BS_DATA,
                                         LOADER_CODE,  LOADER_DATA, ACPI};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        for (size_t t = 0; t < COUNT(FREE_ABLE); t++)
            assert_int_equal(memory_type_of_row(FREE_ABLE[t], BAD[i]), HANDOFF_REGION_RESERVED);
    }
    assert_int_equal(memory_type_of_row(CONVENTIONAL, 0x8), HANDOFF_REGION_USABLE);

    const struct memory_map_descriptor rows[] = {row_with(CONVENTIONAL, 0x101000, 1, WB | SP),
                                                 row_with(CONVENTIONAL, 0x102000, 1, WB | RUNTIME),
                                                 row_with(CONVENTIONAL, 0x103000, 1, 0x1),
                                                 row_with(RT_DATA, 0x104000, 1, WB | RUNTIME)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    for (size_t i = 0; i < 3; i++)
        assert_region(&result, i, 0x101000 + i * PAGE, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 3, 0x104000, 1, HANDOFF_REGION_RUNTIME_DATA);
    assert_int_equal(result.report.unusable_attributes, 3);
    result_drop(result);
}

/* RAM is mapped write-back. A row without write-back would get a second memory type. */
static void test_M13_firmware_ram_that_is_not_write_back_is_reserved(void **state)
{
    (void)state;
    static const uint32_t FIRMWARE[] = {RT_CODE, RT_DATA, NVS};
    for (size_t i = 0; i < COUNT(FIRMWARE); i++) {
        static const uint64_t UNCACHED[] = {0, 0x1, 0x7, RUNTIME, RUNTIME | 0x1};
        for (size_t a = 0; a < COUNT(UNCACHED); a++)
            assert_int_equal(memory_type_of_row(FIRMWARE[i], UNCACHED[a]), HANDOFF_REGION_RESERVED);
        assert_true(type_is_ram(memory_type_of_row(FIRMWARE[i], RUNTIME | 0x8)));
        assert_true(type_is_ram(memory_type_of_row(FIRMWARE[i], WB | SP)));
    }

    const struct memory_map_descriptor rows[] = {row_with(RT_CODE, 0x101000, 1, RUNTIME | 0x1),
                                                 row_with(NVS, 0x102000, 1, 0)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 2);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, 0x102000, 1, HANDOFF_REGION_RESERVED);
    assert_int_equal(result.regions[0].efi_type, RT_CODE); /* runtime calls need it */
    assert_int_equal(result.regions[0].attributes, RUNTIME | 0x1);
    assert_int_equal(result.report.unusable_attributes, 2);
    result_drop(result);
}

/* One attribute in any row shows that the firmware fills the field. */
static void test_rows_without_any_attribute_are_write_back(void **state)
{
    (void)state;
    struct memory_map_descriptor rows[] = {row_with(CONVENTIONAL, 0x101000, 1, 0),
                                           row_with(RT_DATA, 0x102000, 1, 0),
                                           row_with(MMIO, 0x103000, 1, 0)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_USABLE);
    assert_region(&result, 1, 0x102000, 1, HANDOFF_REGION_RUNTIME_DATA);
    assert_int_equal(result.regions[0].attributes, 0);
    assert_true(result.report.attributes_assumed);
    assert_int_equal(result.report.unusable_attributes, 0);
    result_drop(result);

    rows[2].attribute = 1;
    result = convert(rows, COUNT(rows), NULL, 0);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, 0x102000, 1, HANDOFF_REGION_RESERVED);
    assert_false(result.report.attributes_assumed);
    assert_int_equal(result.report.unusable_attributes, 2);
    result_drop(result);
}

static void test_M14_frame_0_is_reserved(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(CONVENTIONAL, 0, 16)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 2);
    assert_region(&result, 0, 0, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, PAGE, 15, HANDOFF_REGION_LOW_MEMORY);
    result_drop(result);

    const struct memory_map_descriptor other[] = {row(BS_CODE, 0, 2),
                                                  row(CONVENTIONAL, 0x102000, 1)};
    result = convert(other, COUNT(other), NULL, 0);
    assert_int_equal(result.count, 3); /* memory that would become free later is not free */
    assert_region(&result, 0, 0, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, PAGE, 1, HANDOFF_REGION_LOW_MEMORY);
    result_drop(result);

    const struct memory_map_descriptor firmware[] = {row(NVS, 0, 2)};
    result = convert(firmware, COUNT(firmware), NULL, 0);
    assert_int_equal(result.count, 1);
    assert_region(&result, 0, 0, 2, HANDOFF_REGION_ACPI_NVS);
    result_drop(result);
}

static void test_M15_M21_firmware_ram_is_kept(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(ACPI, 0x101000, 1), row(NVS, 0x102000, 1),
                                                 row_with(RT_DATA, 0x103000, 1, WB | RUNTIME),
                                                 row_with(RT_CODE, 0x104000, 1, WB | RUNTIME)};
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.count, 4);
    assert_region(&result, 0, 0x101000, 1, HANDOFF_REGION_ACPI_RECLAIM);
    assert_region(&result, 1, 0x102000, 1, HANDOFF_REGION_ACPI_NVS);
    assert_region(&result, 2, 0x103000, 1, HANDOFF_REGION_RUNTIME_DATA);
    assert_region(&result, 3, 0x104000, 1, HANDOFF_REGION_RUNTIME_CODE);
    for (size_t i = 0; i < result.count; i++)
        assert_true(region_is_ram(&result.regions[i]));
    result_drop(result);
}

/* --- Claims --- */

/*   |------------- LoaderData -------------|          nothing
 *        |- heap -|- stack -|                      |- framebuffer -|  */
static void test_M16_claims_are_laid_over_the_rows(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(LOADER_DATA, 0x101000, 8)};
    const struct memory_map_claim claims[] = {
        memory_map_claim_of(0x105000, 0x1000, HANDOFF_REGION_STACK),
        memory_map_claim_of(0x103000, 0x2000, HANDOFF_REGION_TEMP_HEAP),
        memory_map_claim_of(0xc0000000, 0x300000, HANDOFF_REGION_FRAMEBUFFER),
        memory_map_claim_of(0x108000, 0, HANDOFF_REGION_STACK),
        memory_map_claim_of(0, 0, HANDOFF_REGION_FRAMEBUFFER),
    };
    struct result result = convert(rows, COUNT(rows), claims, COUNT(claims));
    assert_int_equal(result.count, 5);
    assert_region(&result, 0, 0x101000, 2, HANDOFF_REGION_LOADER);
    assert_region(&result, 1, 0x103000, 2, HANDOFF_REGION_TEMP_HEAP);
    assert_region(&result, 2, 0x105000, 1, HANDOFF_REGION_STACK);
    assert_region(&result, 3, 0x106000, 3, HANDOFF_REGION_LOADER);
    assert_region(&result, 4, 0xc0000000, 0x300, HANDOFF_REGION_FRAMEBUFFER);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(result.regions[i].efi_type, LOADER_DATA);
        assert_int_equal(result.regions[i].attributes, WB);
    }
    assert_int_equal(result.regions[4].efi_type, HANDOFF_EFI_TYPE_NONE);
    assert_int_equal(result.regions[4].attributes, 0);
    assert_int_equal(result.report.overlapping, 0);
    result_drop(result);
}

static void test_claims_do_not_soften_a_row(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(RESERVED, 0x101000, 2),
                                                 row(MMIO, 0x103000, 2)};
    const struct memory_map_claim claims[] = {
        memory_map_claim_of(0x101000, 0x1000, HANDOFF_REGION_TEMP_HEAP),
        memory_map_claim_of(0x103000, 0x1000, HANDOFF_REGION_FRAMEBUFFER)};
    struct result result = convert(rows, COUNT(rows), claims, COUNT(claims));
    assert_int_equal(result.count, 3);
    assert_region(&result, 0, 0x101000, 2, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, 0x103000, 1, HANDOFF_REGION_FRAMEBUFFER);
    assert_region(&result, 2, 0x104000, 1, HANDOFF_REGION_MMIO);
    result_drop(result);
}

/*   |- LoaderData, RESERVED in part -|     nothing
 *       |- stack -|                      |- tables -|  */
static void test_claims_that_the_rows_do_not_bear_out_are_named(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(LOADER_DATA, 0x101000, 8),
                                                 row_with(LOADER_DATA, 0x109000, 4, WB | SP)};
    const struct memory_map_claim good[] = {
        memory_map_claim_of(0x101000, 0x8000, HANDOFF_REGION_STACK),
        memory_map_claim_of(0x102000, 0x1000, HANDOFF_REGION_LOADER),
        memory_map_claim_of(0x109000, 0x1000, HANDOFF_REGION_FRAMEBUFFER),
        memory_map_claim_of(0x1a0000, 0x1000, HANDOFF_REGION_FRAMEBUFFER),
    };
    struct result result = convert(rows, COUNT(rows), good, COUNT(good));
    assert_int_equal(phys_range_size_bytes(result.report.unproven_claim.range), 0);
    result_drop(result);

    const struct memory_map_claim outweighed[] = {
        memory_map_claim_of(0x106000, 0x5000, HANDOFF_REGION_STACK)};
    result = convert(rows, COUNT(rows), outweighed, COUNT(outweighed));
    assert_int_equal(result.report.unproven_claim.range.start.value, 0x109000);
    assert_int_equal(phys_range_size_bytes(result.report.unproven_claim.range), 0x2000);
    assert_int_equal(result.report.unproven_claim.type, HANDOFF_REGION_STACK);
    result_drop(result);

    const struct memory_map_claim nowhere[] = {
        memory_map_claim_of(0x110000, 0x1000, HANDOFF_REGION_PAGE_TABLES),
        memory_map_claim_of(0x109000, 0x1000, HANDOFF_REGION_LOADER)};
    result = convert(rows, COUNT(rows), nowhere, COUNT(nowhere));
    assert_int_equal(result.report.unproven_claim.range.start.value,
                     0x109000); /* the first by address */
    result_drop(result);
    result = convert(rows, 1, nowhere, 1);
    assert_int_equal(result.report.unproven_claim.range.start.value, 0x110000);
    assert_int_equal(result.report.unproven_claim.type, HANDOFF_REGION_PAGE_TABLES);
    result_drop(result);
}

/*   0        64 TiB
 *   |- usable --|- … ----|- runtime -|- MMIO -|  */
static void test_ram_beyond_the_direct_map_is_reserved(void **state)
{
    (void)state;
    const uint64_t limit = DIRECT_MAP_LIMIT_BYTES_4_LEVELS;
    const struct memory_map_descriptor rows[] = {
        row(CONVENTIONAL, 0, limit / PAGE + 3),
        row_with(RT_DATA, limit + 4 * PAGE, 1, WB | RUNTIME),
        row(MMIO, limit + 6 * PAGE, 1),
    };
    struct result result = convert(rows, COUNT(rows), NULL, 0);
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 6);
    assert_region(&result, 0, 0, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 1, PAGE, 255, HANDOFF_REGION_LOW_MEMORY);
    assert_region(&result, 2, 256 * PAGE, limit / PAGE - 256, HANDOFF_REGION_USABLE);
    assert_region(&result, 3, limit, 3, HANDOFF_REGION_RESERVED);
    assert_region(&result, 4, limit + 4 * PAGE, 1, HANDOFF_REGION_RESERVED);
    assert_region(&result, 5, limit + 6 * PAGE, 1, HANDOFF_REGION_MMIO);
    assert_int_equal(result.regions[3].efi_type, CONVENTIONAL);
    assert_int_equal(result.regions[4].efi_type, RT_DATA);
    assert_int_equal(result.report.unreachable_bytes, 4 * PAGE);
    assert_page(&result, rows, COUNT(rows), NULL, 0, limit - PAGE);
    assert_page(&result, rows, COUNT(rows), NULL, 0, limit);
    result_drop(result);

    result = convert(rows, 1, NULL, 0); /* one row cannot become more regions */
    assert_int_equal(result.count, 4);
    result_drop(result);
}

/* --- Real machines, random maps, random bytes --- */

#define FILE_ROW_LIMIT 4096

/* Check every page at which a row begins or ends, and the pages next to it. */
static void check_real_map(const char *path, void *context)
{
    static struct memory_map_descriptor rows[FILE_ROW_LIMIT];
    (void)context;
    size_t row_count = memory_map_file_read(path, rows, FILE_ROW_LIMIT);
    assert_true(row_count > 0);
    struct result result = convert(rows, row_count, NULL, 0);
    if (strstr(path, "phoenix-zero-length-rows") != NULL) {
        assert_int_equal(result.status, MEMORY_MAP_EMPTY);
        result_drop(result);
        return;
    }
    if (result.status != MEMORY_MAP_OK)
        fail_msg("%s: %s", path, memory_map_status_text(result.status));
    assert_normalised(&result);
    for (size_t i = 0; i < row_count; i++) {
        uint64_t start = page_align_down(rows[i].physical_start);
        uint64_t end = page_align_down(start + rows[i].page_count * PAGE);
        assert_page(&result, rows, row_count, NULL, 0, start);
        assert_page(&result, rows, row_count, NULL, 0, end);
        assert_page(&result, rows, row_count, NULL, 0, end - PAGE);
        if (start > 0)
            assert_page(&result, rows, row_count, NULL, 0, start - PAGE);
    }
    result_drop(result);
}

static void test_maps_of_real_machines(void **state)
{
    (void)state;
    assert_true(memory_map_file_each(check_real_map, NULL) >= 7);
}

static void test_M18_superdome_keeps_12_tib_apart_from_mmio(void **state)
{
    (void)state;
    static struct memory_map_descriptor rows[FILE_ROW_LIMIT];
    size_t row_count = memory_map_file_read(MEMORY_MAP_DIRECTORY "/hp-superdome2-16s-12TiB.txt",
                                            rows, FILE_ROW_LIMIT);
    struct result result = convert(rows, row_count, NULL, 0);
    uint64_t usable_bytes = 0;
    uint64_t highest_ram = 0;
    for (size_t i = 0; i < result.count; i++) {
        const struct handoff_region *region = &result.regions[i];
        if (region->type == HANDOFF_REGION_USABLE)
            usable_bytes += region->size_bytes;
        if (region_is_ram(region))
            highest_ram = region->base + region->size_bytes;
    }
    assert_true(usable_bytes > 12 * TIB - 4 * GIB);
    assert_int_equal(highest_ram, UINT64_C(0xc2000000000));
    const struct handoff_region *last = &result.regions[result.count - 1];
    assert_int_equal(last->base + last->size_bytes, UINT64_C(0xfe800000000));
    assert_int_equal(last->type, HANDOFF_REGION_MMIO);
    result_drop(result);
}

/* The pages are around the end of low memory, and sometimes at address 0. */
#define RANDOM_PAGES      64
#define RANDOM_FIRST_PAGE (256 - 16)

static uint64_t random_page(struct random *random)
{
    uint64_t page = random_below(random, RANDOM_PAGES);
    return random_below(random, 8) == 0 ? page : RANDOM_FIRST_PAGE + page;
}

static struct memory_map_descriptor random_row(struct random *random)
{
    static const uint64_t ATTRIBUTES[] = {WB, WB, WB, WB, WB | RUNTIME, WB | SP, 0, 8};
    struct memory_map_descriptor result = row((uint32_t)random_below(random, 18),
                                              random_page(random) * PAGE, random_below(random, 12));
    if (random_below(random, 3) == 0)
        result.type = CONVENTIONAL;
    result.attribute = ATTRIBUTES[random_below(random, COUNT(ATTRIBUTES))];
    if (random_below(random, 8) == 0)
        result.physical_start += random_below(random, PAGE);
    if (random_below(random, 16) == 0)
        result.page_count = UINT64_MAX >> random_below(random, 16);
    return result;
}

static struct memory_map_claim random_claim(struct random *random)
{
    static const enum handoff_region_type TYPES[] = {
        HANDOFF_REGION_LOADER,          HANDOFF_REGION_TEMP_HEAP,    HANDOFF_REGION_STACK,
        HANDOFF_REGION_PAGE_TABLES,     HANDOFF_REGION_HANDOFF_DATA, HANDOFF_REGION_KERNEL_IMAGE,
        HANDOFF_REGION_PROCESSOR_START, HANDOFF_REGION_FRAMEBUFFER,  HANDOFF_REGION_FIRMWARE_TABLES,
        HANDOFF_REGION_BOOT_RECORD,     HANDOFF_REGION_PARKING,
    };
    uint64_t base = random_page(random) * PAGE;
    uint64_t size_bytes = random_below(random, 6) * PAGE;
    return memory_map_claim_of(base, size_bytes, TYPES[random_below(random, COUNT(TYPES))]);
}

static void test_random_maps_against_one_byte_a_page(void **state)
{
    (void)state;
    struct random random = {.state = 20240501};
    for (unsigned round = 0; round < 3000; round++) {
        struct memory_map_descriptor rows[24];
        struct memory_map_claim claims[6];
        size_t row_count = 1 + random_below(&random, COUNT(rows));
        size_t claim_count = random_below(&random, COUNT(claims) + 1);
        for (size_t i = 0; i < row_count; i++)
            rows[i] = random_row(&random);
        for (size_t i = 0; i < claim_count; i++)
            claims[i] = random_claim(&random);

        struct result result = convert(rows, row_count, claims, claim_count);
        assert_true(result.status == MEMORY_MAP_OK || result.status == MEMORY_MAP_EMPTY);
        if (result.status == MEMORY_MAP_EMPTY)
            result.count = 0;
        assert_normalised(&result);
        for (uint64_t page = 0; page < RANDOM_FIRST_PAGE + RANDOM_PAGES + 16; page++)
            assert_page(&result, rows, row_count, claims, claim_count, page * PAGE);
        result_drop(result);
    }
}

/* Firmware tables get their special type only in memory that a kernel could not reach. */
static void test_T1_firmware_tables_outside_of_ram(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(RESERVED, 0xf0000, 16), row(ACPI, 0x200000, 4),
                                                 row(MMIO, 0x300000, 4),
                                                 row(LOADER_DATA, 0x400000, 4)};
    const struct memory_map_claim claims[] = {
        memory_map_claim_of(0xf0000, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES),
        memory_map_claim_of(0x201000, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES),
        memory_map_claim_of(0x301000, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES),
        memory_map_claim_of(0x400000, 0x4000, HANDOFF_REGION_FIRMWARE_TABLES),
        memory_map_claim_of(0x401000, 0x1000, HANDOFF_REGION_TEMP_HEAP),
        memory_map_claim_of(0x500000, 0x1000, HANDOFF_REGION_FIRMWARE_TABLES),
    };
    struct result result = convert(rows, COUNT(rows), claims, COUNT(claims));
    assert_int_equal(result.status, MEMORY_MAP_OK);
    assert_int_equal(result.count, 8);
    assert_region(&result, 0, 0xf0000, 1, HANDOFF_REGION_FIRMWARE_TABLES);
    assert_int_equal(result.regions[0].facts, HANDOFF_FACT_MAPPED);
    assert_region(&result, 1, 0xf1000, 15, HANDOFF_REGION_RESERVED);
    assert_region(&result, 2, 0x200000, 4, HANDOFF_REGION_ACPI_RECLAIM);
    assert_region(&result, 3, 0x300000, 4, HANDOFF_REGION_MMIO);
    assert_region(&result, 5, 0x401000, 1, HANDOFF_REGION_TEMP_HEAP);
    assert_region(&result, 7, 0x500000, 1, HANDOFF_REGION_FIRMWARE_TABLES);
    assert_int_equal(result.regions[7].efi_type, HANDOFF_EFI_TYPE_NONE);
    result_drop(result);
}

static void test_T5_memory_below_1_mib_is_no_ordinary_ram(void **state)
{
    (void)state;
    const struct memory_map_descriptor rows[] = {row(CONVENTIONAL, 0x1000, 0x50),
                                                 row(BS_DATA, 0x51000, 1),
                                                 row(LOADER_DATA, 0x52000, 1),
                                                 row(ACPI, 0x53000, 1),
                                                 row(NVS, 0x54000, 1),
                                                 row(LOADER_DATA, 0x9f000, 1),
                                                 row(CONVENTIONAL, 0xff000, 0x101)};
    const struct memory_map_claim claims[] = {
        memory_map_claim_of(0x9f000, 0x1000, HANDOFF_REGION_PROCESSOR_START)};
    struct result result = convert(rows, COUNT(rows), claims, COUNT(claims));
    assert_int_equal(result.count, 8);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(result.regions[i].type, HANDOFF_REGION_LOW_MEMORY);
        assert_int_equal(result.regions[i].reuse, HANDOFF_REUSE_NEVER);
    }
    assert_region(&result, 3, 0x53000, 1, HANDOFF_REGION_ACPI_RECLAIM);
    assert_region(&result, 4, 0x54000, 1, HANDOFF_REGION_ACPI_NVS);
    assert_region(&result, 5, 0x9f000, 1, HANDOFF_REGION_PROCESSOR_START);
    assert_region(&result, 6, 0xff000, 1, HANDOFF_REGION_LOW_MEMORY);
    assert_region(&result, 7, 0x100000, 0x100, HANDOFF_REGION_USABLE);
    result_drop(result);
}

static void test_M20_random_bytes_as_a_map(void **state)
{
    (void)state;
    struct random random = {.state = 4711};
    for (unsigned round = 0; round < 500; round++) {
        struct memory_map_descriptor rows[32];
        uint64_t *words = (uint64_t *)rows;
        for (size_t i = 0; i < sizeof(rows) / 8; i++)
            words[i] = random_next(&random);
        struct result result = convert(rows, COUNT(rows), NULL, 0);
        if (result.status == MEMORY_MAP_OK) {
            assert_normalised(&result);
            for (size_t i = 0; i < result.count; i++)
                assert_page(&result, rows, COUNT(rows), NULL, 0, result.regions[i].base);
        } else {
            assert_int_equal(result.status, MEMORY_MAP_EMPTY);
        }
        result_drop(result);
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int status = MEMORY_MAP_OK; status <= MEMORY_MAP_TOO_MANY_ROWS; status++)
        assert_null(strstr(memory_map_status_text((enum memory_map_status)status), "unknown way"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_FW8_impossible_descriptor_sizes),
        cmocka_unit_test(test_FW7_stride_is_honoured),
        cmocka_unit_test(test_M1_empty_map),
        cmocka_unit_test(test_M9_never_truncated_silently),
        cmocka_unit_test(test_M2_unsorted_rows_are_sorted),
        cmocka_unit_test(test_M3_empty_rows_are_dropped),
        cmocka_unit_test(test_M4_unaligned_ram_shrinks_and_the_rest_grows),
        cmocka_unit_test(test_M5_M17_wrapping_and_too_high_rows_are_dropped),
        cmocka_unit_test(test_M6_overlap_of_one_type_is_merged),
        cmocka_unit_test(test_M7_the_most_restrictive_wins),
        cmocka_unit_test(test_M8_duplicates_count_once),
        cmocka_unit_test(test_M9_many_rows),
        cmocka_unit_test(test_M9_many_rows_over_each_other),
        cmocka_unit_test(test_M10_M11_types),
        cmocka_unit_test(test_M12_undefined_attribute_bits_are_ignored),
        cmocka_unit_test(test_M13_attributes_that_forbid_use),
        cmocka_unit_test(test_rows_without_any_attribute_are_write_back),
        cmocka_unit_test(test_M13_firmware_ram_that_is_not_write_back_is_reserved),
        cmocka_unit_test(test_M14_frame_0_is_reserved),
        cmocka_unit_test(test_M15_M21_firmware_ram_is_kept),
        cmocka_unit_test(test_M16_claims_are_laid_over_the_rows),
        cmocka_unit_test(test_claims_do_not_soften_a_row),
        cmocka_unit_test(test_claims_that_the_rows_do_not_bear_out_are_named),
        cmocka_unit_test(test_ram_beyond_the_direct_map_is_reserved),
        cmocka_unit_test(test_maps_of_real_machines),
        cmocka_unit_test(test_M18_superdome_keeps_12_tib_apart_from_mmio),
        cmocka_unit_test(test_random_maps_against_one_byte_a_page),
        cmocka_unit_test(test_T1_firmware_tables_outside_of_ram),
        cmocka_unit_test(test_T5_memory_below_1_mib_is_no_ordinary_ram),
        cmocka_unit_test(test_M20_random_bytes_as_a_map),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
