/* The firmware's map, as raw bytes or as rows that lie close together, with claims over them. Every
 * page has the type that the oracle gives it. The oracle does not sort. */
#include <string.h>

#include "bootloader/pure/memory_map.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/memory_map_oracle.h"

#define ROW_LIMIT   24
#define CLAIM_LIMIT 6
#define SPAN_LIMIT  (ROW_LIMIT + CLAIM_LIMIT)

static struct memory_map_descriptor rows[ROW_LIMIT];
static struct memory_map_claim claims[CLAIM_LIMIT];

/* Small numbers make rows that touch and overlap. Rarely, use a large or odd number. */
static struct memory_map_descriptor take_row(struct byte_stream *stream)
{
    static const uint64_t ATTRIBUTES[] = {0xf,
                                          0xf,
                                          0xf,
                                          0x8,
                                          0x0,
                                          MEMORY_MAP_ATTRIBUTE_SP | 0xf,
                                          MEMORY_MAP_ATTRIBUTE_RUNTIME | 0xf,
                                          UINT64_MAX};
    struct memory_map_descriptor row = {
        .type = (uint32_t)byte_stream_next(stream, 1) % 20,
        .physical_start = byte_stream_next(stream, 1) * PAGE_SIZE_BYTES,
        .page_count = byte_stream_next(stream, 1) % 32,
    };
    uint64_t choice = byte_stream_next(stream, 1);
    row.attribute = ATTRIBUTES[choice % 8];
    if (choice >= 240)
        row.physical_start = byte_stream_next(stream, 8);
    else if (choice >= 224)
        row.page_count = byte_stream_next(stream, 8);
    else if (choice >= 208)
        row.physical_start += byte_stream_next(stream, 2) % PAGE_SIZE_BYTES;
    return row;
}

static struct memory_map_claim take_claim(struct byte_stream *stream)
{
    static const enum handoff_region_type TYPES[] = {
        HANDOFF_REGION_LOADER,          HANDOFF_REGION_TEMP_HEAP,    HANDOFF_REGION_STACK,
        HANDOFF_REGION_PAGE_TABLES,     HANDOFF_REGION_HANDOFF_DATA, HANDOFF_REGION_KERNEL_IMAGE,
        HANDOFF_REGION_PROCESSOR_START, HANDOFF_REGION_FRAMEBUFFER,  HANDOFF_REGION_FIRMWARE_TABLES,
        HANDOFF_REGION_BOOT_RECORD,     HANDOFF_REGION_PARKING,
    };
    uint64_t base = byte_stream_next(stream, 1) * PAGE_SIZE_BYTES;
    uint64_t size_bytes = byte_stream_next(stream, 1) % 16 * PAGE_SIZE_BYTES;
    uint64_t choice = byte_stream_next(stream, 1) % (sizeof(TYPES) / sizeof(TYPES[0]));
    return memory_map_claim_of(base, size_bytes, TYPES[choice]);
}

static void check_pages_around(const struct memory_map_input *input,
                               const struct handoff_region *regions, size_t region_count,
                               uint64_t address)
{
    uint64_t page = page_align_down(address);
    if (page >= UINT64_C(1) << 53)
        return;
    require_no_problem(memory_map_page_problem(input, regions, region_count, page));
    require_no_problem(
        memory_map_page_problem(input, regions, region_count, page + PAGE_SIZE_BYTES));
    if (page > 0)
        require_no_problem(
            memory_map_page_problem(input, regions, region_count, page - PAGE_SIZE_BYTES));
}

/* The type can change only at a border of a row or of a claim. */
static void check_regions(const struct memory_map_input *input,
                          const struct handoff_region *regions, size_t region_count)
{
    require_no_problem(memory_map_normal_problem(regions, region_count));
    check_pages_around(input, regions, region_count, 0);
    for (size_t i = 0; i < input->row_count; i++) {
        uint64_t start = input->rows[i].physical_start;
        check_pages_around(input, regions, region_count, start);
        check_pages_around(input, regions, region_count,
                           start + input->rows[i].page_count * PAGE_SIZE_BYTES);
    }
    for (size_t i = 0; i < input->claim_count; i++) {
        struct phys_range claim = input->claims[i].range;
        check_pages_around(input, regions, region_count, claim.start.value);
        check_pages_around(input, regions, region_count, claim.end.value);
    }
}

static void convert_and_check(const struct memory_map_input *input)
{
    uint64_t work[2 * SPAN_LIMIT];
    struct handoff_region regions[2 * SPAN_LIMIT + 2];
    size_t span_count = input->row_count + input->claim_count;
    const struct memory_map_request request = {
        .map = input->rows,
        .size_bytes = input->row_count * sizeof(rows[0]),
        .stride_bytes = sizeof(rows[0]),
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
        .claims = input->claims,
        .claim_count = input->claim_count,
    };
    const struct memory_map_room room = {work, 2 * span_count, regions, 2 * span_count + 2};
    struct memory_map_result result = {0};
    enum memory_map_status status = memory_map_convert(&request, &room, &result);
    require(status == MEMORY_MAP_OK || status == MEMORY_MAP_EMPTY);
    require((status == MEMORY_MAP_OK) == (result.region_count > 0));
    check_regions(input, regions, result.region_count);
}

/* Convert the bytes unchanged, with any stride. */
static void convert_raw(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes == 0)
        return;
    uint64_t work[2 * SPAN_LIMIT];
    struct handoff_region regions[2 * SPAN_LIMIT + 2];
    const struct memory_map_request request = {
        .map = bytes + 1,
        .size_bytes = size_bytes - 1,
        .stride_bytes = bytes[0],
        .ram_limit_bytes = DIRECT_MAP_LIMIT_BYTES_4_LEVELS,
    };
    const struct memory_map_room room = {work, 2 * SPAN_LIMIT, regions, 2 * SPAN_LIMIT + 2};
    struct memory_map_result result = {0};
    if (memory_map_convert(&request, &room, &result) == MEMORY_MAP_OK)
        require_no_problem(memory_map_normal_problem(regions, result.region_count));
    else
        require(result.region_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {.bytes = bytes, .size_bytes = size_bytes};
    struct memory_map_input input = {.rows = rows, .claims = claims};
    convert_raw(bytes, size_bytes);
    size_t claim_count = byte_stream_next(&stream, 1) % (CLAIM_LIMIT + 1);
    while (input.claim_count < claim_count)
        claims[input.claim_count++] = take_claim(&stream);
    while (input.row_count < ROW_LIMIT && !byte_stream_is_empty(&stream))
        rows[input.row_count++] = take_row(&stream);
    if (input.row_count > 0)
        convert_and_check(&input);
    return 0;
}
