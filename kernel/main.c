/*
 * main.c - the kernel, as a table of contents.
 */
#include "kernel/boot/bring_up.h"
#include "kernel/main.h"

static struct kernel kernel;

/* The second half, on the kernel's own tables and stack. */
static void kernel_continue(void *context)
{
    struct kernel *self = context;

    /* Walk the live tables, prove W^X, take back the loader's memory. */
    bring_up_paging_audit(self);
    /* The permanent heap, higher half, lazily mapped. */
    bring_up_heap(self);
    /* Use all of it, then check all of it. */
    bring_up_self_test(self);
    /* The temporary heap has done its work. */
    bring_up_retire_early_heap(self);
    /* What exactly is mapped, and how? For those who ask. */
    bring_up_print_map(self);
    /* Show where the time went; stay, or off. */
    bring_up_ready(self);
}

_Noreturn void kernel_main(const void *handoff)
{
    /* Refuse what cannot be trusted; from here on there is a log. */
    bring_up_handoff(&kernel, handoff);
    /* A heap, before anything else: handed over, or the fixed region. */
    bring_up_early_heap(&kernel);
    /* Faults from now on are the kernel's own to report. */
    bring_up_cpu(&kernel);
    /* Physical memory, out of the regions that were handed over. */
    bring_up_frames(&kernel);
    /* Own page tables, own stack: goes on in kernel_continue(). */
    bring_up_paging(&kernel, kernel_continue);
}
