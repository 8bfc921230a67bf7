/*
 * main.c - the kernel, as a table of contents.
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
    /* The temporary heap has done its work. */
    boot_retire(self);
    /* What exactly is mapped, and how? For those who ask. */
    boot_print_map(self);
    /* Show where the time went; stay, or off. */
    boot_ready(self);
}

_Noreturn void kernel_main(const void *handoff)
{
    /* Refuse what cannot be trusted; from here on there is a log. */
    boot_handoff(&kernel, handoff);
    /* A heap, before anything else: the temporary heap, or the fallback region. */
    boot_early_heap(&kernel);
    /* Faults from now on are the kernel's own to report. */
    boot_cpu(&kernel);
    /* Physical memory, out of the regions that were handed over. */
    boot_frames(&kernel);
    /* Own page tables, own stack: goes on in kernel_continue(). */
    boot_paging(&kernel, kernel_continue);
}
