#include "bootloader/pure/loader_image.h"

#include "bootloader/pure/number_at.h"
#include "shared/address.h"
#include "shared/memory.h"

/* --- The file format (Microsoft PE and COFF specification, revision 11) --- */

#define DOS_MAGIC            0x5a4d
#define DOS_SIZE_BYTES       64
#define DOS_HEADERS_OFFSET   0x3c
#define PE_SIGNATURE         UINT32_C(0x00004550)
#define PE_FIXED_SIZE_BYTES  24 /* signature and file header */
#define PE_SECTION_COUNT     6
#define PE_OPTIONAL_SIZE     20
#define SECTION_SIZE_BYTES   40
#define SECTION_NAME_BYTES   8
#define SECTION_MEMORY_SIZE  8
#define SECTION_ADDRESS      12
#define SECTION_FLAGS        36
#define SECTION_FLAG_EXECUTE UINT32_C(0x20000000)
#define SECTION_FLAG_WRITE   UINT32_C(0x80000000)

static uint32_t number16_at(const uint8_t *bytes)
{
    return (uint32_t)number_at(bytes, 2);
}

static uint32_t number32_at(const uint8_t *bytes)
{
    return (uint32_t)number_at(bytes, 4);
}

/* Return false unless the section is as this project's linker writes it: page-aligned, not empty,
 * inside the image, not writable and executable at once. */
static bool read_section(const uint8_t *header, struct phys_range image,
                         struct loader_section *ret_section)
{
    uint64_t offset = number32_at(header + SECTION_ADDRESS);
    uint64_t size_bytes = page_align_up(number32_at(header + SECTION_MEMORY_SIZE));
    bool write = (number32_at(header + SECTION_FLAGS) & SECTION_FLAG_WRITE) != 0;
    bool execute = (number32_at(header + SECTION_FLAGS) & SECTION_FLAG_EXECUTE) != 0;

    if (!page_is_aligned(offset) || size_bytes == 0 ||
        offset + size_bytes > phys_range_size_bytes(image) || (write && execute))
        return false;
    struct phys_addr start = phys_addr_add(image.start, offset);
    *ret_section =
        (struct loader_section){{start, phys_addr_add(start, size_bytes)}, write, execute};
    return true;
}

/* `make sign` puts this section into the image. Precondition: read_section() accepted it. */
static void note_enrolled(const uint8_t *header, const uint8_t *bytes, struct piece *enrolled)
{
    static const char name[SECTION_NAME_BYTES] = ".hashes";
    if (memcmp(header, name, sizeof(name)) == 0)
        *enrolled = (struct piece){(const char *)bytes + number32_at(header + SECTION_ADDRESS),
                                   number32_at(header + SECTION_MEMORY_SIZE)};
}

/* Return the first section header, and write their number. Return NULL if there is no PE header. */
static const uint8_t *find_sections(const uint8_t *bytes, uint64_t size_bytes, size_t *ret_count)
{
    uint64_t headers = number32_at(bytes + DOS_HEADERS_OFFSET);
    if (number16_at(bytes) != DOS_MAGIC || headers > size_bytes - PE_FIXED_SIZE_BYTES ||
        number32_at(bytes + headers) != PE_SIGNATURE)
        return NULL;
    size_t count = number16_at(bytes + headers + PE_SECTION_COUNT);
    uint64_t sections =
        headers + PE_FIXED_SIZE_BYTES + number16_at(bytes + headers + PE_OPTIONAL_SIZE);
    if (count == 0 || count > LOADER_IMAGE_SECTION_LIMIT ||
        sections + count * SECTION_SIZE_BYTES > size_bytes)
        return NULL;
    *ret_count = count;
    return bytes + sections;
}

const char *loader_image_read(struct phys_range memory, const void *bytes,
                              struct loader_image *ret_image)
{
    struct loader_image image = {.memory = memory};
    size_t count;

    if (!page_is_aligned(memory.start.value) || !page_is_aligned(memory.end.value) ||
        phys_range_is_empty(memory))
        return "its place";
    const uint8_t *section = find_sections(bytes, phys_range_size_bytes(memory), &count);
    if (section == NULL)
        return "its PE header";
    for (; image.section_count < count; section += SECTION_SIZE_BYTES) {
        if (!read_section(section, memory, &image.sections[image.section_count++]))
            return "a section";
        note_enrolled(section, bytes, &image.enrolled);
    }
    *ret_image = image;
    return NULL;
}
