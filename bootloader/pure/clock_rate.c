#include "bootloader/pure/clock_rate.h"

#define MICROSECONDS_PER_SECOND UINT64_C(1000000)

/* Long enough for an accuracy of 1 %, though a read of the counter takes about 1 µs. */
#define MEASUREMENTS_PER_SECOND UINT64_C(8000) /* 125 µs each */

/* System management can stop the CPU between two reads. Then two measurements differ. */
#define MEASUREMENT_LIMIT 6
#define TOLERANCE_DIVISOR 32

/* The slowest counter changes every 280 ns, and a read takes at least a few instructions. */
#define STILL_READ_LIMIT 10000
/* A counter that moves, but never reaches the aim. */
#define READ_LIMIT 200000

bool clock_rate_is_plausible(uint64_t frequency_hz)
{
    return frequency_hz >= CLOCK_RATE_LEAST_HZ && frequency_hz <= CLOCK_RATE_MOST_HZ;
}

uint64_t clock_rate_hz(uint64_t ticks, uint64_t counts, uint64_t counter_frequency_hz)
{
    if (counts == 0 || counter_frequency_hz == 0 || ticks > UINT64_MAX / counter_frequency_hz)
        return 0;
    uint64_t frequency_hz = ticks * counter_frequency_hz / counts;
    return clock_rate_is_plausible(frequency_hz) ? frequency_hz : 0;
}

/* Wait until the counter has made `aim` counts since `start`. Return the counts that it has made;
 * 0 if it stands still. */
static uint64_t wait_for(const struct reference_counter *counter, uint64_t start, uint64_t aim)
{
    uint64_t last = start;
    unsigned still_reads = 0;
    for (unsigned i = 0; i < READ_LIMIT && still_reads < STILL_READ_LIMIT; i++) {
        uint64_t now = counter->read(counter->place);
        uint64_t counts = (now - start) & counter->mask;
        if (counts >= aim)
            return counts;
        still_reads = now == last ? still_reads + 1 : 0;
        last = now;
    }
    return 0;
}

/* From one change of the counter to another, so that its coarse steps cause no error. */
static uint64_t measure_once_hz(uint64_t (*clock)(void), const struct reference_counter *counter)
{
    uint64_t before = counter->read(counter->place);
    uint64_t moved = wait_for(counter, before, 1);
    uint64_t ticks = clock();
    uint64_t start = (before + moved) & counter->mask;
    if (moved == 0)
        return 0;
    uint64_t counts = wait_for(counter, start, counter->frequency_hz / MEASUREMENTS_PER_SECOND);
    return clock_rate_hz(clock() - ticks, counts, counter->frequency_hz);
}

uint64_t clock_rate_measure_hz(uint64_t (*clock)(void), const struct reference_counter *counter)
{
    uint64_t last_hz = measure_once_hz(clock, counter);
    for (unsigned i = 1; i < MEASUREMENT_LIMIT && last_hz != 0; i++) {
        uint64_t next_hz = measure_once_hz(clock, counter);
        uint64_t difference_hz = next_hz > last_hz ? next_hz - last_hz : last_hz - next_hz;
        if (difference_hz <= last_hz / TOLERANCE_DIVISOR)
            return (last_hz + next_hz) / 2;
        last_hz = next_hz;
    }
    return 0;
}

uint64_t clock_rate_from_delays_hz(uint64_t short_ticks, uint64_t long_ticks,
                                   uint64_t difference_microseconds)
{
    if (long_ticks <= short_ticks)
        return 0;
    return clock_rate_hz(long_ticks - short_ticks, difference_microseconds,
                         MICROSECONDS_PER_SECOND);
}
