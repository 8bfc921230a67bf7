#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"

/* This kernel runs on one processor. Started ones stay where they wait: nothing reuses their
 * memory. */
static void print_processors(const struct kernel *kernel)
{
    const struct handoff_array *array = &kernel->handoff.processors;
    uint64_t first = (uint64_t)boot_stage_access(kernel, phys_addr(array->first));
    uint32_t waiting_count = 0;
    for (uint32_t i = 0; i < array->count; i++) {
        const struct handoff_processor *processor =
            (const void *)(first + (uint64_t)i * array->stride_bytes);
        waiting_count += (processor->flags & HANDOFF_PROCESSOR_STARTED) != 0;
    }
    log_line("cpu", "processors=%u running=1 waiting=%u", array->count, waiting_count);
}

void boot_cpu(struct kernel *kernel)
{
    char features[128];
    struct cpu *cpu = cpu_current();
    boot_stage_begin(kernel, "kernel: cpu");
    cpu->arch = arch_boot_cpu();
    arch_cpu_initialise(cpu->arch);
    arch_describe_features(features, sizeof features);
    log_line("cpu", "%s", features);
    print_processors(kernel);
}
