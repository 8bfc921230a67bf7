#include "kernel/arch.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/guard.h"
#include "kernel/core/panic.h"
#include "kernel/mm/layout.h"

static void describe_image(struct kernel *kernel)
{
    kernel->layout = (struct kernel_layout){
        .virtual_base = virt_addr(kernel->handoff.kernel_virtual_base),
        .physical_base = phys_addr(kernel->handoff.kernel_physical_base),
        .segments = kernel->segments,
        .segment_count = KERNEL_SEGMENT_COUNT,
    };
}

static struct frame_reserve *reserve_of_this_cpu(void *context)
{
    (void)context;
    return &cpu_current()->frame_reserve;
}

/* boot_stage_access() without the call: each walk of the tables comes here once a level. */
static void *access_through_direct_map(void *context, struct phys_addr page)
{
    const struct kernel *kernel = context;
    return (void *)virt_addr_add(kernel->direct_map_base, page.value).value;
}

/* This kernel starts no other CPU, so it has no CPU to interrupt and to wait for. With the count,
 * the self-test checks that every change of a translation leads to a call. */
static void shoot_down_other_cpus(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct kernel *kernel = context;
    (void)start;
    (void)size_bytes;
    kernel->shoot_down_count++;
}

static struct address_space_plan plan_address_space(const struct kernel *kernel)
{
    const struct handoff_framebuffer *framebuffer = &kernel->view.framebuffer;
    struct address_space_plan plan = {
        .layout = kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
    };
    if (kernel->has_screen)
        plan.framebuffer =
            phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes);
    arch_page_features(&plan.features);
    return plan;
}

static void build_address_space(struct kernel *kernel)
{
    const struct address_space_plan plan = plan_address_space(kernel);
    const struct address_space_environment environment = {
        .context = kernel,
        .reserve = reserve_of_this_cpu,
        .access = access_through_direct_map,
        .invalidate = arch_invalidate_pages,
        .shoot_down = shoot_down_other_cpus,
    };
    boot_stage_require_mapped(address_space_build(&kernel->address_space, &plan, &environment),
                              "the kernel's page tables");
}

static struct virt_addr map_stack(struct kernel *kernel, const char *name)
{
    struct virt_addr top;
    boot_stage_require_mapped(
        address_space_map_stack(&kernel->address_space, name, LAYOUT_STACK_SIZE_BYTES, &top), name);
    return top;
}

/* They are used only after the switch, since the loader's tables do not map them. */
static void map_interrupt_stacks(struct kernel *kernel, struct cpu *cpu)
{
    const char *name;
    for (unsigned i = 0; (name = arch_interrupt_stack_name(i)) != NULL; i++) {
        kernel_assert(i < CPU_INTERRUPT_STACK_LIMIT);
        cpu->interrupt_stack_tops[i] = map_stack(kernel, name);
    }
}

_Noreturn void boot_paging(struct kernel *kernel, void (*next)(void *kernel))
{
    boot_stage_begin(kernel, "kernel: paging");
    early_heap_begin_phase(&kernel->early_heap, "paging");
    describe_image(kernel);
    build_address_space(kernel);
    struct virt_addr stack_top = map_stack(kernel, "main stack");
    map_interrupt_stacks(kernel, cpu_current());
    guard_use(&kernel->address_space);
    arch_switch_address_space(kernel->address_space.table.upper_root, stack_top, next, kernel);
}
