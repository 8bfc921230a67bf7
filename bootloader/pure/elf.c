#include "bootloader/pure/elf.h"

#include "bootloader/pure/elf_format.h"
#include "shared/address.h"
#include "shared/memory.h"
#include "shared/range.h"

/* --- Numbers of the file format --- */

#define IDENTIFICATION_CLASS       4
#define IDENTIFICATION_DATA        5
#define IDENTIFICATION_VERSION     6
#define CLASS_64_BIT               2
#define DATA_LITTLE_ENDIAN         1
#define VERSION_CURRENT            1
#define TYPE_EXECUTABLE            2
#define TYPE_SHARED                3
#define EXTENDED_NUMBERING         0xffff
#define PROGRAM_HEADER_LOAD        1
#define PROGRAM_HEADER_DYNAMIC     2
#define PROGRAM_HEADER_INTERPRETER 3
#define PROGRAM_HEADER_NOTE        4

/* The largest page: an alignment above it is an error. Only powers of two divide it. */
#define ALIGNMENT_LIMIT GIB

/* --- Checking --- */

/* True if [offset, offset + size_bytes) lies in the file. */
static bool file_holds(uint64_t file_size_bytes, uint64_t offset, uint64_t size_bytes)
{
    return offset <= file_size_bytes && size_bytes <= file_size_bytes - offset;
}

/* The part that every ELF file has. */
static enum elf_status check_identification(const struct elf_header *header, uint32_t machine)
{
    static const uint8_t MAGIC[4] = {0x7f, 'E', 'L', 'F'};
    if (memcmp(header->identification, MAGIC, sizeof(MAGIC)) != 0)
        return ELF_BAD_MAGIC;
    if (header->identification[IDENTIFICATION_CLASS] != CLASS_64_BIT)
        return ELF_NOT_64_BIT;
    if (header->identification[IDENTIFICATION_DATA] != DATA_LITTLE_ENDIAN)
        return ELF_NOT_LITTLE_ENDIAN;
    if (header->identification[IDENTIFICATION_VERSION] != VERSION_CURRENT ||
        header->version != VERSION_CURRENT)
        return ELF_BAD_VERSION;
    if (header->machine != machine)
        return ELF_OTHER_MACHINE;
    return header->type == TYPE_EXECUTABLE || header->type == TYPE_SHARED ? ELF_OK
                                                                          : ELF_NOT_EXECUTABLE;
}

static uint64_t table_size_bytes(const struct elf_header *header)
{
    return (uint64_t)header->program_header_count * sizeof(struct program_header);
}

static enum elf_status check_program_headers(uint64_t file_size_bytes,
                                             const struct elf_header *header)
{
    if (header->header_size != sizeof(struct elf_header))
        return ELF_BAD_HEADER_SIZE;
    if (header->program_header_count == 0)
        return ELF_NO_PROGRAM_HEADERS;
    if (header->program_header_size != sizeof(struct program_header))
        return ELF_BAD_HEADER_SIZE;
    if (header->program_header_count == EXTENDED_NUMBERING)
        return ELF_TOO_MANY_HEADERS;

    if (!file_holds(file_size_bytes, header->program_headers_offset, table_size_bytes(header)))
        return ELF_HEADERS_OUT_OF_FILE;
    return ELF_OK;
}

/* 0 and 1 mean no alignment (gABI, "Program Header"). The offset of a segment without bytes in the
 * file has no meaning, so it may disagree with the address. */
static enum elf_status check_alignment(const struct program_header *segment)
{
    uint64_t alignment = segment->alignment;
    if (alignment <= 1)
        return ELF_OK;
    if (ALIGNMENT_LIMIT % alignment != 0)
        return ELF_BAD_ALIGNMENT;
    if (segment->file_size > 0 &&
        (segment->virtual_address & (alignment - 1)) != (segment->file_offset & (alignment - 1)))
        return ELF_INCONGRUENT;
    return ELF_OK;
}

/* False if it wraps. */
static bool segment_memory(const struct program_header *segment, struct virt_range *ret_memory)
{
    return virt_range_from_base_size(virt_addr(segment->virtual_address), segment->memory_size,
                                     ret_memory);
}

/* Check one PT_LOAD by itself. Fields without a meaning are not read, since linkers write any value
 * there. These are the physical address, since the loader chooses the place of the image, and the
 * offset of a segment without bytes in the file. In a segment without bytes in memory, no other
 * field has a meaning. */
static enum elf_status check_segment(const struct elf_plan *plan, uint64_t file_size_bytes,
                                     const struct program_header *segment)
{
    if (segment->file_size > 0 &&
        !file_holds(file_size_bytes, segment->file_offset, segment->file_size))
        return ELF_SEGMENT_OUT_OF_FILE;
    if (segment->file_size > segment->memory_size)
        return ELF_FILE_SIZE_ABOVE_MEMORY_SIZE;
    if (segment->memory_size == 0)
        return ELF_OK;
    /* The end is at or below the last page of the address space, so rounding up to pages cannot
     * wrap. */
    struct virt_range memory;
    if (!segment_memory(segment, &memory) || memory.end.value > page_align_down(UINT64_MAX))
        return ELF_ADDRESS_WRAPS;
    if (!plan->is_relocatable && memory.start.value < ELF_LOWEST_ADDRESS)
        return ELF_LOWER_HALF;
    if (segment->memory_size > ELF_IMAGE_LIMIT_BYTES)
        return ELF_IMAGE_TOO_LARGE;
    if ((segment->flags & FLAG_WRITE) != 0 && (segment->flags & FLAG_EXECUTE) != 0)
        return ELF_WRITABLE_EXECUTABLE;
    return check_alignment(segment);
}

static void set_culprits(struct elf_culprits *culprits, unsigned count, uint16_t first,
                         uint16_t second)
{
    culprits->count = count;
    culprits->numbers[0] = first;
    culprits->numbers[1] = second;
}

/* Insert in order of address. Precondition: check_segment() gave ELF_OK. */
static enum elf_status add_segment(struct elf_plan *plan, const struct program_header *header,
                                   unsigned number)
{
    struct virt_range memory = {0};
    if (plan->segment_count == ELF_SEGMENT_LIMIT)
        return ELF_TOO_MANY_SEGMENTS;
    (void)segment_memory(header, &memory);
    if (header->alignment > plan->alignment_bytes)
        plan->alignment_bytes = header->alignment;
    unsigned place = plan->segment_count++;
    for (; place > 0; place--) {
        if (plan->segments[place - 1].memory.start.value <= memory.start.value)
            break;
        plan->segments[place] = plan->segments[place - 1];
    }
    plan->segments[place] = (struct elf_segment){
        .memory = memory,
        .file_offset = header->file_size > 0 ? header->file_offset : 0,
        .file_size_bytes = header->file_size,
        .write = (header->flags & FLAG_WRITE) != 0,
        .execute = (header->flags & FLAG_EXECUTE) != 0,
        .number = (uint16_t)number,
    };
    return ELF_OK;
}

static void add_note(struct elf_plan *plan, const struct program_header *header)
{
    if (plan->note_count < ELF_NOTE_SEGMENT_LIMIT)
        plan->notes[plan->note_count] =
            (struct elf_note_segment){header->file_offset, header->file_size, header->alignment};
    plan->note_count++;
}

/* A range that wraps counts as absent. */
static enum elf_status add_dynamic(struct elf_plan *plan, const struct program_header *header)
{
    if (!plan->is_relocatable || !virt_range_is_empty(plan->dynamic))
        return ELF_NEEDS_RELOCATION;
    (void)virt_range_from_base_size(virt_addr(header->virtual_address), header->file_size,
                                    &plan->dynamic);
    return ELF_OK;
}

static enum elf_status add_program_header(uint64_t file_size_bytes,
                                          const struct program_header *header, unsigned number,
                                          struct elf_plan *plan)
{
    enum elf_status status;
    switch (header->type) {
    case PROGRAM_HEADER_INTERPRETER:
        return ELF_NEEDS_INTERPRETER;
    case PROGRAM_HEADER_DYNAMIC:
        return add_dynamic(plan, header);
    case PROGRAM_HEADER_LOAD:
        status = check_segment(plan, file_size_bytes, header);
        if (status != ELF_OK || header->memory_size == 0)
            return status;
        return add_segment(plan, header, number);
    case PROGRAM_HEADER_NOTE:
        add_note(plan, header);
        return ELF_OK;
    default:
        return ELF_OK;
    }
}

static enum elf_status check_neighbours(const struct elf_segment *before,
                                        const struct elf_segment *segment)
{
    uint64_t end = before->memory.end.value;
    if (segment->memory.start.value < end)
        return ELF_SEGMENTS_OVERLAP;
    bool share_page = page_align_down(segment->memory.start.value) < page_align_up(end);
    bool same_permissions = segment->write == before->write && segment->execute == before->execute;
    return share_page && !same_permissions ? ELF_PAGE_WITH_TWO_PERMISSIONS : ELF_OK;
}

/* Check the sorted segments together and derive the image's extent. */
static enum elf_status check_image(struct elf_plan *plan, struct elf_culprits *culprits)
{
    if (plan->segment_count == 0)
        return ELF_NOTHING_TO_LOAD;
    const struct elf_segment *first = plan->segments;
    const struct elf_segment *last = first;
    for (unsigned i = 1; i < plan->segment_count; i++) {
        const struct elf_segment *before = last++;
        enum elf_status status = check_neighbours(before, last);
        if (status != ELF_OK) {
            set_culprits(culprits, 2, before->number, last->number);
            return status;
        }
    }
    plan->image = virt_range(page_align_down(first->memory.start.value),
                             page_align_up(last->memory.end.value));
    if (virt_range_size_bytes(plan->image) <= ELF_IMAGE_LIMIT_BYTES)
        return ELF_OK;
    set_culprits(culprits, 2, first->number, last->number);
    return ELF_IMAGE_TOO_LARGE;
}

/* The first instruction must come from the file: .bss holds only zeros. */
static enum elf_status check_entry(const struct elf_plan *plan)
{
    for (unsigned i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        if (segment->execute && plan->entry.value >= segment->memory.start.value &&
            plan->entry.value - segment->memory.start.value < segment->file_size_bytes)
            return ELF_OK;
    }
    return ELF_BAD_ENTRY;
}

static enum elf_status add_program_headers(const struct program_header *table,
                                           uint64_t file_size_bytes,
                                           const struct elf_header *header, struct elf_plan *plan,
                                           struct elf_culprits *culprits)
{
    for (unsigned i = 0; i < header->program_header_count; i++) {
        enum elf_status status = add_program_header(file_size_bytes, &table[i], i, plan);
        if (status != ELF_OK) {
            set_culprits(culprits, 1, (uint16_t)i, 0);
            return status;
        }
    }
    return ELF_OK;
}

enum elf_status elf_find_table(const void *header_bytes, uint64_t file_size_bytes, uint32_t machine,
                               struct elf_table *ret_table)
{
    const struct elf_header *header = header_bytes;
    if (file_size_bytes < sizeof(*header))
        return ELF_TOO_SHORT;
    enum elf_status status = check_identification(header, machine);
    if (status == ELF_OK)
        status = check_program_headers(file_size_bytes, header);
    if (status == ELF_OK)
        *ret_table = (struct elf_table){header->program_headers_offset, table_size_bytes(header)};
    return status;
}

static enum elf_status make_plan(const struct elf_header *header,
                                 const struct program_header *table, uint64_t file_size_bytes,
                                 struct elf_plan *plan, struct elf_culprits *culprits)
{
    plan->is_relocatable = header->type == TYPE_SHARED;
    plan->entry = virt_addr(header->entry);
    plan->alignment_bytes = PAGE_SIZE_BYTES;
    plan->sections_offset = header->section_headers_offset;
    if (header->section_header_size == sizeof(struct section_header))
        plan->section_count = header->section_header_count;
    culprits->count = 0;
    culprits->entry = header->entry;
    enum elf_status status = add_program_headers(table, file_size_bytes, header, plan, culprits);
    if (status == ELF_OK)
        status = check_image(plan, culprits);
    if (status == ELF_OK)
        status = check_entry(plan);
    if (status == ELF_OK && plan->is_relocatable && virt_range_is_empty(plan->dynamic))
        status = ELF_NO_DYNAMIC;
    return status;
}

enum elf_status elf_plan(const void *header, const void *table, uint64_t file_size_bytes,
                         struct elf_plan *ret_plan, struct elf_culprits *ret_culprits)
{
    struct elf_plan plan = {.segment_count = 0};
    enum elf_status status = make_plan(header, table, file_size_bytes, &plan, ret_culprits);
    if (status == ELF_OK)
        *ret_plan = plan;
    return status;
}

/* --- Loading --- */

/* In bytes from the image's start. */
static uint64_t place_of(const struct elf_plan *plan, const struct elf_segment *segment)
{
    return segment->memory.start.value - plan->image.start.value;
}

/* Linkers keep the distance between file and memory, and pad to whole pages. */
static bool continues(const struct elf_read *read, uint64_t file_offset, uint64_t place)
{
    return file_offset - read->file_offset == place - read->place &&
           file_offset - (read->file_offset + read->size_bytes) < PAGE_SIZE_BYTES;
}

unsigned elf_next_read(const struct elf_plan *plan, unsigned first, struct elf_read *ret_read)
{
    const struct elf_segment *segment = &plan->segments[first];
    struct elf_read read = {segment->file_offset, place_of(plan, segment),
                            segment->file_size_bytes};
    unsigned next = first + 1;
    for (; next < plan->segment_count && read.size_bytes != 0; next++) {
        segment = &plan->segments[next];
        if (segment->file_size_bytes == 0 ||
            !continues(&read, segment->file_offset, place_of(plan, segment)))
            break;
        read.size_bytes = segment->file_offset + segment->file_size_bytes - read.file_offset;
    }
    *ret_read = read;
    return next;
}

void elf_zero_rest(const struct elf_plan *plan, void *image)
{
    uint8_t *destination = image;
    uint64_t done = 0; /* bytes of the image that are zero, or come from the file */
    for (unsigned i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t start = place_of(plan, segment);
        memset(destination + done, 0, start - done); /* the gap, and .bss before it */
        done = start + segment->file_size_bytes;
    }
    memset(destination + done, 0, virt_range_size_bytes(plan->image) - done);
}
