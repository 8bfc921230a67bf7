#include "tests/unit/support/arch_stub.h"

#include <sched.h>
#include <stdio.h>

#include "kernel/arch.h"

PER_CPU struct arch_stub arch_stub;

void arch_interrupts_enable(void)
{
    arch_stub.interrupts_are_on = true;
}

void arch_interrupts_disable(void)
{
    arch_stub.interrupts_are_on = false;
}

void arch_interrupt_acknowledge(void)
{
    arch_stub.acknowledge_count++;
}

/* A process loses its memory and its caches together. */
void arch_flush_cache(const void *start, size_t size_bytes)
{
    (void)start;
    (void)size_bytes;
}

uint64_t arch_timestamp(void)
{
    return arch_stub.timestamp += arch_stub.timestamp_step;
}

void arch_page_features(struct page_table_features *ret_features)
{
    *ret_features = arch_stub.page_features;
}

/* Nothing lies between the processor and this memory. */
void arch_flush_pixels(void)
{
}

void arch_cpu_name(char *text, size_t capacity_bytes)
{
    (void)snprintf(text, capacity_bytes, "Test CPU");
}

/* The holder may be a thread that waits for this processor. On a busy host it takes milliseconds to let others run,
 * and a loop under test pauses hundreds of thousands of times, so most pauses do nothing. */
void arch_pause(void)
{
    static _Thread_local uint32_t pause_count;
    if (++pause_count % 1024 == 0)
        (void)sched_yield();
}
