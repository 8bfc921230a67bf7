#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/log.h"

void boot_cpu(struct kernel *kernel)
{
    char features[128];
    boot_stage_begin(kernel, "kernel: cpu");
    arch_cpu_initialise();
    arch_describe_features(features, sizeof features);
    log_line("cpu", "%s", features);
}
