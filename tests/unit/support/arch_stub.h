/*
 * arch_stub.h - a CPU without interrupts, for code that takes locks. It records the calls.
 */
#ifndef TESTS_UNIT_SUPPORT_ARCH_STUB_H
#define TESTS_UNIT_SUPPORT_ARCH_STUB_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/cpu.h"
#include "shared/page_table.h"

struct arch_stub {
    bool interrupts_are_on;
    unsigned acknowledge_count;
    uint64_t timestamp;
    uint64_t timestamp_step; /* each read of the clock adds this */
    struct page_table_features page_features;
};

extern PER_CPU struct arch_stub arch_stub;

#endif
