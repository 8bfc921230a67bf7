#include "bootloader/firmware/kernel_image.h"

enum loader_error kernel_image_load(const struct file *file, const char *path, struct pages *pages,
                                    struct kernel_image *ret_image, struct loader_failure *failure)
{
    struct elf_plan plan;
    uint64_t physical_base;

    enum elf_status status = elf_plan(file->bytes, file->size_bytes, &plan);
    if (status != ELF_OK)
        return error_set(failure, LOADER_ERROR_KERNEL_INVALID, EFI_SUCCESS, "%s: %s", path,
                         elf_status_text(status));
    enum loader_error error = pages_allocate(pages, plan.size_bytes, HANDOFF_REGION_KERNEL_IMAGE,
                                             &physical_base, failure);
    if (error != LOADER_OK)
        return error;

    elf_load(&plan, file->bytes, (void *)physical_base);
    *ret_image = (struct kernel_image){plan, physical_base};
    return LOADER_OK;
}
