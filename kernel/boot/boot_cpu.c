#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"

void boot_cpu(struct kernel *kernel)
{
    char features[128];
    struct cpu *cpu = cpu_current();
    boot_stage_begin(kernel, "kernel: cpu");
    cpu->arch = arch_boot_cpu();
    arch_cpu_initialise(cpu->arch);
    arch_describe_features(features, sizeof features);
    log_line("cpu", "%s", features);
    log_line("cpu", "processors=%u running=1 waiting=%u", kernel->handoff.processors.count,
             handoff_view_waiting_count(&kernel->view, kernel->direct_map_base));
}
