#include "tests/qemu/probe/structure.h"

#include "tests/qemu/probe/block.h"

/* IEEE 802.3, bit by bit, with the reflected polynomial. zlib has the same result, from tables. */
static uint32_t crc32_step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (unsigned bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
    return crc;
}

static uint32_t structure_crc32(const struct handoff *handoff)
{
    const uint8_t *bytes = (const uint8_t *)handoff;
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < handoff->size_bytes; i++) {
        bool is_checksum = i >= 16 && i < 20;
        crc = crc32_step(crc, is_checksum ? 0 : bytes[i]);
    }
    return ~crc;
}

static void check_identity(const struct handoff *handoff, struct promises *promises)
{
    const char magic[8] = "HANDOFF";
    promise_begin(promises, "structure-magic");
    for (unsigned i = 0; i < sizeof(magic); i++)
        promise_require_equal(promises, (uint64_t)magic[i], ((const uint8_t *)handoff)[i]);
    promise_end(promises);
    promise_equal(promises, "structure-version-major", 2, handoff->version_major);
    promise_equal(promises, "structure-version-minor", 1, handoff->version_minor);
    promise_equal(promises, "structure-size", 768, handoff->size_bytes);
    if (handoff->size_bytes == 768)
        promise_equal(promises, "structure-checksum", structure_crc32(handoff), handoff->checksum);
    promise_equal(promises, "structure-machine", 62, handoff->machine);
    promise_begin(promises, "structure-reserved-is-0");
    promise_require_equal(promises, 0, handoff->reserved_0);
    promise_require_equal(promises, 0, handoff->reserved_1);
    promise_require_equal(promises, 0, handoff->reserved_2);
    promise_require_equal(promises, 0, handoff->integrity_flags & ~UINT32_C(7));
    for (unsigned i = 0; i < sizeof(handoff->reserved) / sizeof(handoff->reserved[0]); i++)
        promise_require_equal(promises, 0, handoff->reserved[i]);
    for (unsigned i = 28; i < sizeof(handoff->arch); i++)
        promise_require_equal(promises, 0, handoff->arch.bytes[i]);
    promise_end(promises);
}

static void check_loader_name(const struct handoff *handoff, struct promises *promises)
{
    const char prefix[] = "handoff-loader ";
    unsigned length = 0;
    while (length < sizeof(handoff->loader_name) && handoff->loader_name[length] != '\0')
        length++;

    promise_begin(promises, "structure-loader-name");
    promise_require(promises, length < sizeof(handoff->loader_name), "a NUL after the name",
                    length);
    for (unsigned i = 0; i < sizeof(prefix) - 1; i++)
        promise_require_equal(promises, (uint64_t)prefix[i], (uint8_t)handoff->loader_name[i]);
    promise_require(promises, length > sizeof(prefix) - 1, "a version after the name", length);
    for (unsigned i = 0; i < length; i++)
        promise_require(promises, handoff->loader_name[i] >= ' ' && handoff->loader_name[i] <= '~',
                        "printable ASCII", (uint8_t)handoff->loader_name[i]);
    promise_end(promises);
}

static void check_constants(const struct handoff *handoff, struct promises *promises)
{
    bool fifth_level = (handoff->arch.x86_64.flags & HANDOFF_X86_64_FIFTH_LEVEL) != 0;
    promise_equal(promises, "direct-map-base",
                  fifth_level ? UINT64_C(0xff00000000000000) : UINT64_C(0xffff800000000000),
                  handoff->direct_map_base);
    uint32_t serial_port = handoff->arch.x86_64.serial_port;
    promise_that(promises, "serial-port",
                 serial_port == 0 || (serial_port >= 0x100 && serial_port <= 0xfff8),
                 "0, or 0x100 to 0xfff8", serial_port);
    promise_equal(promises, "efi-descriptor-version", 1, handoff->efi_descriptor_version);
    promise_that(promises, "efi-descriptor-size", handoff->efi_descriptor_size_bytes >= 40,
                 "at least 40", handoff->efi_descriptor_size_bytes);
    promise_equal(promises, "loader-virtual-base", UINT64_C(0xffffff0040000000),
                  handoff->loader_virtual_base);
    promise_equal(promises, "kernel-slide", 0, handoff->kernel_slide);
}

struct listed_array {
    const struct handoff_array *array;
    uint32_t element_size_bytes;
};
#define ARRAY_COUNT 7

static void array_list(const struct handoff *handoff, struct listed_array arrays[ARRAY_COUNT])
{
    const struct listed_array all[ARRAY_COUNT] = {
        {&handoff->regions, 48},         {&handoff->timeline, 32},     {&handoff->temp_heaps, 16},
        {&handoff->modules, 88},         {&handoff->framebuffers, 64}, {&handoff->processors, 64},
        {&handoff->firmware_tables, 40},
    };
    for (unsigned i = 0; i < ARRAY_COUNT; i++)
        arrays[i] = all[i];
}

static void check_arrays(const struct handoff *handoff, struct promises *promises)
{
    struct listed_array arrays[ARRAY_COUNT];
    array_list(handoff, arrays);
    promise_begin(promises, "array-strides");
    for (unsigned i = 0; i < ARRAY_COUNT; i++) {
        const struct handoff_array *array = arrays[i].array;
        promise_require(promises, array->first % 8 == 0, "8-byte alignment", array->first);
        promise_require(promises,
                        array->count == 0 ? array->first == 0 && array->stride_bytes == 0
                                          : array->stride_bytes >= arrays[i].element_size_bytes,
                        "zeros in an empty array, else a stride that holds an element", i);
    }
    promise_end(promises);

    promise_begin(promises, "temp-heaps-begin-with-the-first");
    promise_require_equal(promises, handoff->temp_heap_size != 0, handoff->temp_heaps.count != 0);
    promise_require(promises, handoff->temp_heaps.count <= BLOCK_HEAP_LIMIT, "at most 8 heaps",
                    handoff->temp_heaps.count);
    if (handoff->temp_heaps.count != 0) {
        const struct handoff_temp_heap *heap =
            (const struct handoff_temp_heap *)(handoff->direct_map_base +
                                               handoff->temp_heaps.first);
        promise_require_equal(promises, handoff->temp_heap_base, heap->base);
        promise_require_equal(promises, handoff->temp_heap_size, heap->size_bytes);
    }
    promise_end(promises);
}

/* The source of the kernel, and the fields that this version of the loader leaves empty. */
static void check_origin(const struct handoff *handoff, struct promises *promises)
{
    bool has_partition = false;
    for (unsigned i = 0; i < sizeof(handoff->boot_partition); i++)
        has_partition = has_partition || handoff->boot_partition[i] != 0;
    promise_begin(promises, "boot-source");
    promise_require(promises, handoff->boot_source <= HANDOFF_BOOT_SOURCE_VOLUME, "a known source",
                    handoff->boot_source);
    promise_require_equal(promises, handoff->boot_source == HANDOFF_BOOT_SOURCE_PARTITION,
                          has_partition);
    promise_require(promises, handoff->kernel_path.size_bytes != 0, "a path", 0);
    promise_end(promises);

    promise_begin(promises, "empty-in-this-version");
    promise_end(promises);
}

static void check_processor_start(const struct handoff *handoff, struct promises *promises)
{
    uint64_t base = handoff->processor_start_base;
    promise_begin(promises, "processor-start-is-a-page-below-1M");
    promise_require_equal(promises, base != 0 ? PAGE : 0, handoff->processor_start_size_bytes);
    promise_require(promises, base % PAGE == 0 && base < (UINT64_C(1) << 20),
                    "a page below 1 MiB, or 0", base);
    promise_end(promises);
}

static void check_boot_record(const struct handoff *handoff, struct promises *promises)
{
    uint64_t base = handoff->previous_boot.base;
    promise_begin(promises, "boot-record-is-two-pages");
    promise_require_equal(promises, base != 0 ? 2 * PAGE : 0, handoff->previous_boot.size_bytes);
    promise_require(promises, base % PAGE == 0, "a page, or 0", base);
    promise_end(promises);
}

static void check_blocks(const struct handoff *handoff, struct promises *promises)
{
    struct block blocks[BLOCK_COUNT];
    block_list(handoff, blocks);
    promise_begin(promises, "blocks-aligned");
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        promise_require(promises, blocks[i].start % PAGE == 0 && blocks[i].end % PAGE == 0,
                        "whole pages", blocks[i].start);
        promise_require(promises, blocks[i].end >= blocks[i].start, "no wrap", blocks[i].end);
    }
    promise_end(promises);

    promise_begin(promises, "blocks-present");
    for (unsigned i = 0; i < 4; i++) /* a kernel cannot run without these */
        promise_require(promises, blocks[i].start != 0 && blocks[i].end != blocks[i].start,
                        "a block that is neither at 0 nor empty", i);
    promise_require(promises, handoff->loader_physical_base != 0 && handoff->loader_size_bytes != 0,
                    "the loader's image", handoff->loader_physical_base);
    promise_require(promises, (handoff->temp_heap_base == 0) == (handoff->temp_heap_size == 0),
                    "both fields of the temporary heap, or both 0", handoff->temp_heap_base);
    promise_end(promises);

    promise_begin(promises, "blocks-disjoint");
    for (unsigned i = 0; i < BLOCK_COUNT; i++) {
        for (unsigned j = 0; j < i; j++)
            promise_require(promises, !block_overlap(&blocks[i], &blocks[j]),
                            "blocks that do not overlap", blocks[i].start);
    }
    promise_end(promises);
}

/* All data that the structure points to must be in the data block, without overlap. */
static void check_contents(const struct handoff *handoff, struct promises *promises)
{
    struct listed_array arrays[ARRAY_COUNT];
    uint64_t parts[5 + ARRAY_COUNT][2] = {
        {handoff->data_base, handoff->size_bytes},
        {handoff->efi_map, handoff->efi_map_size_bytes},
        {handoff->command_line.address, handoff->command_line.size_bytes + 1},
        {handoff->log.address, handoff->log.size_bytes + 1},
        {handoff->kernel_path.address, handoff->kernel_path.size_bytes + 1},
    };
    unsigned count = 5;
    array_list(handoff, arrays);
    for (unsigned i = 0; i < ARRAY_COUNT; i++) {
        if (arrays[i].array->count == 0)
            continue;
        parts[count][0] = arrays[i].array->first;
        parts[count++][1] = (uint64_t)arrays[i].array->count * arrays[i].array->stride_bytes;
    }

    promise_equal(promises, "data-block-begins-with-structure",
                  (uint64_t)handoff - handoff->direct_map_base, handoff->data_base);
    promise_begin(promises, "data-block-holds-everything");
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = parts[i][0] - handoff->data_base;
        promise_require(promises,
                        parts[i][0] >= handoff->data_base &&
                            parts[i][1] <= handoff->data_size_bytes &&
                            offset <= handoff->data_size_bytes - parts[i][1],
                        "an address in the data block", parts[i][0]);
        for (unsigned j = 0; j < i; j++)
            promise_require(promises,
                            parts[i][0] + parts[i][1] <= parts[j][0] ||
                                parts[j][0] + parts[j][1] <= parts[i][0],
                            "parts that do not overlap", parts[i][0]);
    }
    promise_end(promises);

    promise_equal(promises, "efi-map-aligned", 0, handoff->efi_map % 8);
}

bool structure_check(const struct handoff *handoff, struct promises *promises)
{
    check_identity(handoff, promises);
    check_loader_name(handoff, promises);
    check_constants(handoff, promises);
    check_arrays(handoff, promises);
    check_origin(handoff, promises);
    check_processor_start(handoff, promises);
    check_boot_record(handoff, promises);
    check_blocks(handoff, promises);
    check_contents(handoff, promises);
    return promises->broken_count == 0;
}
