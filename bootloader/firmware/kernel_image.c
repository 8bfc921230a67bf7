#include "bootloader/firmware/kernel_image.h"

#include "bootloader/arch.h"
#include "bootloader/pure/elf_text.h"
#include "bootloader/pure/kernel_checksum.h"
#include "shared/address.h"
#include "shared/memory.h"

static enum loader_error refuse(const struct file *file, enum elf_status status,
                                const struct elf_culprits *culprits, const void *table)
{
    char text[ELF_REFUSAL_CAPACITY];
    elf_describe_refusal(status, culprits, table, text);
    error_set(LOADER_ERROR_KERNEL_INVALID, EFI_SUCCESS, "%s: %s", file->path, text);
    last_failure.remedy = elf_status_remedy(status);
    return LOADER_ERROR_KERNEL_INVALID;
}

/* Linkers put the table right behind the header, but it may be anywhere, and large. */
static enum loader_error read_plan(const struct file *file, struct pages *pages, const void *header,
                                   const struct elf_table *table, struct elf_plan *ret_plan)
{
    struct phys_range block;
    enum loader_error error =
        file_read_block(file, pages, table->offset, table->size_bytes, &block);
    if (error != LOADER_OK)
        return error;
    struct elf_culprits culprits;
    void *bytes = (void *)block.start.value;
    enum elf_status status = elf_plan(header, bytes, file->size_bytes, ret_plan, &culprits);
    if (status != ELF_OK)
        error = refuse(file, status, &culprits, bytes);
    pages_free(pages, block.start);
    return error;
}

static enum loader_error judge_notes(const struct file *file, enum elf_note_status status)
{
    if (status == ELF_NOTE_OK)
        return LOADER_OK;
    return error_set(LOADER_ERROR_KERNEL_NOTE, EFI_SUCCESS, "%s: %s", file->path,
                     elf_note_status_text(status));
}

static enum loader_error read_notes_of(const struct file *file, struct pages *pages,
                                       const struct elf_note_segment *segment,
                                       struct kernel_demands *demands)
{
    struct phys_range block;
    if (segment->size_bytes == 0)
        return LOADER_OK;
    enum loader_error error =
        file_read_block(file, pages, segment->file_offset, segment->size_bytes, &block);
    if (error != LOADER_OK)
        return error;
    error = judge_notes(file, elf_note_read((void *)block.start.value, segment, demands));
    pages_free(pages, block.start);
    return error;
}

static enum loader_error read_notes(const struct file *file, struct pages *pages,
                                    const struct elf_plan *plan, struct kernel_demands *ret_demands)
{
    kernel_demands_set_defaults(ret_demands);
    enum loader_error error = judge_notes(file, elf_note_check_segments(plan, file->size_bytes));
    for (unsigned i = 0; error == LOADER_OK && i < plan->note_count; i++)
        error = read_notes_of(file, pages, &plan->notes[i], ret_demands);
    return error;
}

static enum loader_error check_headers(const struct file *file, struct pages *pages,
                                       struct elf_plan *ret_plan)
{
    uint8_t header[ELF_HEADER_BYTES];
    struct elf_table table;
    uint64_t header_bytes =
        file->size_bytes < ELF_HEADER_BYTES ? file->size_bytes : ELF_HEADER_BYTES;
    enum loader_error error = file_read(file, 0, header, header_bytes);
    if (error != LOADER_OK)
        return error;
    enum elf_status status = elf_find_table(header, file->size_bytes, arch_machine(), &table);
    if (status != ELF_OK)
        return refuse(file, status, &(struct elf_culprits){0}, NULL);
    return read_plan(file, pages, header, &table, ret_plan);
}

static enum loader_error read_segments(const struct file *file, const struct elf_plan *plan,
                                       uint8_t *image)
{
    for (unsigned next = 0; next < plan->segment_count;) {
        struct elf_read read;
        next = elf_next_read(plan, next, &read);
        enum loader_error error =
            file_read(file, read.file_offset, image + read.place, read.size_bytes);
        if (error != LOADER_OK)
            return error;
    }
    elf_zero_rest(plan, image);
    return LOADER_OK;
}

enum loader_error kernel_image_read_headers(const struct file *file, struct pages *pages,
                                            struct elf_plan *ret_plan,
                                            struct kernel_demands *ret_demands)
{
    enum loader_error error = check_headers(file, pages, ret_plan);
    return error == LOADER_OK ? read_notes(file, pages, ret_plan, ret_demands) : error;
}

/* Not every medium or driver reports a wrong read. */
static enum loader_error check_bytes(const struct file *file, const struct elf_plan *plan,
                                     const struct kernel_demands *demands, void *image)
{
    if (demands->checksum == 0)
        return LOADER_OK;
    uint64_t found = kernel_checksum(plan, image, demands->checksum_offset);
    if (found == demands->checksum)
        return LOADER_OK;
    return error_set(LOADER_ERROR_KERNEL_DAMAGED, EFI_SUCCESS,
                     "%s: checksum %llx, and its note has %llx", file->path, found,
                     demands->checksum);
}

enum loader_error kernel_image_load(const struct file *file, struct pages *pages,
                                    const struct elf_plan *plan,
                                    const struct kernel_demands *demands,
                                    struct phys_range *ret_memory)
{
    struct phys_range memory;
    enum loader_error error =
        pages_allocate_for_reading(pages, virt_range_size_bytes(plan->image), plan->alignment_bytes,
                                   plan->image.start.value & (plan->alignment_bytes - 1),
                                   HANDOFF_REGION_KERNEL_IMAGE, &memory);
    if (error == LOADER_OK)
        error = read_segments(file, plan, (uint8_t *)memory.start.value);
    if (error == LOADER_OK)
        error = check_bytes(file, plan, demands, (void *)memory.start.value);
    if (error == LOADER_OK)
        *ret_memory = memory;
    return error;
}
