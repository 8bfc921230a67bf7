/*
 * clock_rate.h - measure the frequency of the CPU's clock with another counter, or with a delay.
 *
 * The counter is a device, and the delay is a function of the firmware: either may be broken. So no
 * loop here is endless, arithmetic does not wrap, and a frequency that no CPU has counts as unknown.
 * Pure: clock and counter are callbacks.
 */
#ifndef BOOTLOADER_PURE_CLOCK_RATE_H
#define BOOTLOADER_PURE_CLOCK_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Frequencies outside of these limits are wrong. */
#define CLOCK_RATE_LEAST_HZ UINT64_C(50000000)
#define CLOCK_RATE_MOST_HZ  UINT64_C(20000000000)

/* A counter that counts up at a known frequency. */
struct reference_counter {
    uint64_t frequency_hz;
    uint64_t mask; /* the largest count; the next count is 0 */
    uint64_t (*read)(uint64_t place);
    uint64_t place; /* the argument of `read` */
};

bool clock_rate_is_plausible(uint64_t frequency_hz);

/* Return the frequency of a clock that made `ticks` ticks while a counter made `counts` counts.
 * Return 0 if the result is not plausible. */
uint64_t clock_rate_hz(uint64_t ticks, uint64_t counts, uint64_t counter_frequency_hz);

/* Measure `clock` with *counter: twice 125 µs, and longer if the results differ. Return 0 if the
 * counter stands still or jumps. Precondition: the mask is larger than 250 µs of counts. */
uint64_t clock_rate_measure_hz(uint64_t (*clock)(void), const struct reference_counter *counter);

/* Return the frequency of a clock that ticked so often during a short delay and during a longer
 * one. The cost of a call is in both, so the difference is free of it. Return 0 if the result is
 * not plausible. */
uint64_t clock_rate_from_delays_hz(uint64_t short_ticks, uint64_t long_ticks,
                                   uint64_t difference_microseconds);

#endif
