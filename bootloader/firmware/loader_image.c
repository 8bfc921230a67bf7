#include "bootloader/firmware/loader_image.h"

#include "shared/address.h"

/* False if the section is not one that this project's linker writes: page-aligned, not empty,
 * inside the image, not writable and executable at once. */
static bool loader_image_section(uint64_t image_base, uint64_t image_size_bytes,
                                 const IMAGE_SECTION_HEADER *header,
                                 struct bootstrap_section *ret_section)
{
    uint64_t size_bytes = page_align_up(header->Misc.VirtualSize);
    bool write = (header->Characteristics & IMAGE_SCN_MEM_WRITE) != 0;
    bool execute = (header->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;

    if (!page_is_aligned(header->VirtualAddress) || size_bytes == 0 ||
        header->VirtualAddress + size_bytes > image_size_bytes || (write && execute))
        return false;
    *ret_section = (struct bootstrap_section){
        .base = image_base + header->VirtualAddress,
        .size_bytes = size_bytes,
        .write = write,
        .execute = execute,
    };
    return true;
}

enum loader_error loader_image_read(const struct firmware *firmware, struct loader_image *ret_image,
                                    struct loader_failure *failure)
{
    uint64_t base = (uint64_t)firmware->loaded_image->ImageBase;
    uint64_t size_bytes = page_align_up(firmware->loaded_image->ImageSize);
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)base;
    struct loader_image image = {.base = base, .size_bytes = size_bytes};

    if (!page_is_aligned(base) || size_bytes < PAGE_SIZE_BYTES ||
        dos->e_magic != IMAGE_DOS_SIGNATURE || dos->e_lfanew > PAGE_SIZE_BYTES / 2)
        return error_set(failure, LOADER_ERROR_BAD_LOADER_IMAGE, EFI_SUCCESS, "header at %llx",
                         base);

    const IMAGE_NT_HEADERS *headers = (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew);
    const IMAGE_SECTION_HEADER *section =
        (const IMAGE_SECTION_HEADER *)((uint64_t)&headers->OptionalHeader +
                                       headers->FileHeader.SizeOfOptionalHeader);
    if (headers->Signature != IMAGE_NT_SIGNATURE || headers->FileHeader.NumberOfSections == 0 ||
        headers->FileHeader.NumberOfSections > LOADER_IMAGE_SECTION_LIMIT)
        return error_set(failure, LOADER_ERROR_BAD_LOADER_IMAGE, EFI_SUCCESS, "PE header at %llx",
                         base);

    for (; image.section_count < headers->FileHeader.NumberOfSections; image.section_count++) {
        size_t index = image.section_count;
        if (!loader_image_section(base, size_bytes, &section[index], &image.sections[index]))
            return error_set(failure, LOADER_ERROR_BAD_LOADER_IMAGE, EFI_SUCCESS, "section %zu",
                             index);
    }
    *ret_image = image;
    return LOADER_OK;
}
