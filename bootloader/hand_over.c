#include "bootloader/hand_over.h"

#include "bootloader/arch.h"
#include "bootloader/boot_record.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/handoff_build.h"

void hand_over_build(struct loader *loader)
{
    struct handoff_sources sources = {
        .machine = arch_machine(),
        .levels = loader->features.levels,
        .direct_map_size_bytes = loader->direct_map_size_bytes,
        .kernel = &loader->kernel,
        .placement = &loader->placement,
        .platform = &loader->platform,
        .timeline = &loader->timeline,
        .log = &loader->console.log,
        .config = &loader->config,
    };
    loader_begin_phase(loader, "enter kernel");
    arch_describe(loader->tables.root, &loader->features, loader->platform.clock_frequency_hz,
                  &sources.arch);
    handoff_build(&loader->block, &sources);
    boot_record_set_stage(loader, POST_MORTEM_ENTRY);
}

_Noreturn void hand_over_enter(const struct loader *loader)
{
    const struct placement *placement = &loader->placement;
    const struct arch_entry entry = {
        .root = loader->tables.root,
        .features = &loader->features,
        .entry = loader->kernel.entry,
        .handoff = virt_addr(loader->post_exit.direct_map_base + loader->block.memory.start.value),
        .stack_top = virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE + BOOTSTRAP_STACK_SIZE_BYTES),
        .image_displacement = BOOTSTRAP_LOADER_VIRTUAL_BASE - placement->loader.memory.start.value,
        .trampoline = placement->trampoline.start,
        .trampoline_root = loader->trampoline_root,
    };
    arch_enter_kernel(&entry);
}
