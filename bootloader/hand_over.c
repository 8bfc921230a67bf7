#include "bootloader/hand_over.h"

#include "bootloader/arch.h"
#include "bootloader/boot_record.h"
#include "bootloader/inject.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "bootloader/pure/handoff_build.h"

void hand_over_build(struct loader *loader)
{
    struct handoff_sources sources = {
        .machine = arch_machine(),
        .levels = loader->features.levels,
        .direct_map_size_bytes = loader->direct_map_size_bytes,
        .integrity_flags = integrity_flags(loader),
        .kernel = &loader->kernel,
        .symbols = &loader->symbols,
        .placement = &loader->placement,
        .platform = &loader->platform,
        .timeline = &loader->timeline,
        .log = &console.log,
        .config = &loader->config,
    };
    loader_begin_phase(loader, "enter kernel");
    post_exit_mark(&loader->post_exit, "handoff");
    const struct arch_facts facts = {loader->platform.clock_frequency_hz, loader->serial.port};
    arch_describe(loader->tables.root, &loader->features, &facts, &sources.arch);
    handoff_build(&loader->block, &sources);
    boot_record_set_stage(loader, POST_MORTEM_ENTRY);
    inject_change_handoff(loader);
}

/* The kernel's first tables are live. A hang from now on is the kernel's. */
static void mark_kernel(void *context)
{
    post_exit_mark(context, "kernel");
}

_Noreturn void hand_over_enter(struct loader *loader)
{
    const struct placement *placement = &loader->placement;
    const struct arch_entry entry = {
        .root = loader->tables.root,
        .features = &loader->features,
        .entry = loader->kernel.entry,
        .handoff = virt_addr(loader->post_exit.direct_map_base + loader->block.memory.start.value),
        .stack_top =
            virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE + phys_range_size_bytes(placement->stack)),
        .image_displacement = BOOTSTRAP_LOADER_VIRTUAL_BASE - placement->loader.memory.start.value,
        .trampoline = placement->trampoline.start,
        .trampoline_root = loader->trampoline_root,
        .switched = mark_kernel,
        .context = &loader->post_exit,
    };
    post_exit_mark(&loader->post_exit, "switch");
    arch_enter_kernel(&entry);
}
