#include "bootloader/relocate.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/seed.h"
#include "bootloader/integrity.h"
#include "bootloader/pure/kernel_base.h"
#include "shared/address.h"

static bool has_fixed_base(const struct loader *loader)
{
    const struct config *config = &loader->config;
    return !config_switch_setting(config, "kaslr", !config->has_fixed_base);
}

bool relocate_check_settings(struct loader *loader)
{
    if (!has_fixed_base(loader) || !integrity_is_secure(loader))
        return true;
    error_set(LOADER_ERROR_SETTING_REFUSED, EFI_SUCCESS, "kaslr=off");
    return false;
}

/* The kernel gets another seed: so an address of the kernel tells nothing of it. */
static uint64_t choose_slide(struct loader *loader)
{
    uint8_t seed[SEED_SIZE_BYTES];
    if (has_fixed_base(loader))
        return kernel_base_fixed_slide(&loader->kernel);
    if (seed_gather(seed) != HANDOFF_SEED_NONE)
        return kernel_base_random_slide(&loader->kernel, seed);
    console_warn("the kernel gets no random address: there is no seed");
    return kernel_base_fixed_slide(&loader->kernel);
}

static bool apply(struct loader *loader, uint64_t slide, void *marks, uint64_t *ret_count)
{
    char text[RELOCATION_TEXT_CAPACITY];
    struct relocation_culprit culprit;
    const struct relocation_request request = {
        .plan = &loader->kernel,
        .image = (void *)loader->placement.kernel.start.value,
        .slide = slide,
        .kinds = arch_relocation_kinds(),
        .marks = marks,
    };
    enum relocation_status status = relocation_apply(&request, ret_count, &culprit);
    if (status == RELOCATION_OK)
        return true;
    relocation_describe(status, &culprit, request.kinds, text);
    error_set(LOADER_ERROR_KERNEL_RELOCATION, EFI_SUCCESS, "%s: %s", loader->config.kernel_path,
              text);
    return false;
}

bool relocate_kernel(struct loader *loader)
{
    struct elf_plan *kernel = &loader->kernel;
    struct phys_range marks;
    uint64_t count;
    if (!kernel->is_relocatable)
        return true;
    loader_begin_phase(loader, "relocate kernel");
    uint64_t slide = choose_slide(loader);
    if (pages_allocate(&loader->pages, relocation_marks_size_bytes(kernel), HANDOFF_REGION_LOADER,
                       &marks) != LOADER_OK)
        return false;
    bool is_applied = apply(loader, slide, (void *)marks.start.value, &count);
    pages_free(&loader->pages, marks.start);
    if (!is_applied)
        return false;
    kernel_base_move(kernel, slide);
    console_log("kernel at %llx: slide %llx, %llu relocations", kernel->image.start.value, slide,
                count);
    return true;
}
