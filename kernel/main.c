/*
 * main.c - the steps of the kernel's start, in their order.
 */
#include "kernel/boot/boot.h"
#include "kernel/main.h"

static struct kernel kernel;

/* The second half, on the kernel's own tables and stack. */
static void kernel_continue(void *context)
{
    struct kernel *self = context;

    /* Audit the live tables (W^X and more), then reclaim the loader's memory. */
    boot_reclaim(self);
    /* The permanent heap, higher half, lazily mapped. */
    boot_heap(self);
    /* Use all of it, then check all of it. */
    boot_self_test(self);
    /* The temporary heap is not needed any more. */
    boot_retire(self);
    /* Print all mappings, if the command line asks for it. */
    boot_print_map(self);
    /* Print the time of each phase. Then stay, or switch off. */
    boot_ready(self);
}

_Noreturn void kernel_main(const void *handoff)
{
    /* Refuse a handoff that cannot be trusted. After this, there is a log. */
    boot_handoff(&kernel, handoff);
    /* A heap, before anything else: the temporary heap, or the fallback region. */
    boot_early_heap(&kernel);
    /* After this, the kernel reports faults itself. */
    boot_cpu(&kernel);
    /* Physical memory, from the regions of the handoff. */
    boot_frames(&kernel);
    /* The kernel's page tables and stack. The boot continues in kernel_continue(). */
    boot_paging(&kernel, kernel_continue);
}
