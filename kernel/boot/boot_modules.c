#include "kernel/boot/boot_modules.h"

#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"

static const char *text_at(const struct kernel *kernel, struct handoff_text text)
{
    return boot_stage_access(kernel, phys_addr(text.address));
}

void boot_modules_print(const struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->handoff.modules.count; i++) {
        const struct handoff_module *module = handoff_view_module(&kernel->view, i);
        log_line("module", "name=\"%s\" base=0x%llx size=%llu command_line=\"%s\"",
                 text_at(kernel, module->name), (unsigned long long)module->base,
                 (unsigned long long)module->size_bytes, text_at(kernel, module->command_line));
    }
}

void boot_modules_give_back(struct kernel *kernel)
{
    if (kernel->handoff.modules.count == 0)
        return;
    uint64_t frame_count =
        frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_MODULES);
    log_line("modules", "count=%u returned=%llu", kernel->handoff.modules.count,
             (unsigned long long)frame_count);
}
