#include "bootloader/firmware/kernel_image.h"

#include "bootloader/arch.h"

enum loader_error kernel_image_load(const struct file *file, const char *path, struct pages *pages,
                                    struct elf_plan *ret_plan, struct phys_range *ret_memory)
{
    enum elf_status status = elf_plan(file->bytes, file->size_bytes, arch_machine(), ret_plan);
    if (status != ELF_OK)
        return error_set(pages->firmware->failure, LOADER_ERROR_KERNEL_INVALID, EFI_SUCCESS,
                         "%s: %s", path, elf_status_text(status));
    enum loader_error error = pages_allocate(pages, virt_range_size_bytes(ret_plan->image),
                                             HANDOFF_REGION_KERNEL_IMAGE, ret_memory);
    if (error == LOADER_OK)
        elf_load(ret_plan, file->bytes, (void *)ret_memory->start.value);
    return error;
}
