#include "kernel/screen/overview_text.h"

#include "shared/text/format.h"

/* Print value / divisor, with a digit after the point below `tenths_below`. */
static struct overview_text print(uint64_t value, uint64_t divisor, uint64_t tenths_below,
                                  const char *unit)
{
    struct overview_text result = {""};
    uint64_t tenth = value % divisor * 10 / divisor;
    if (divisor > 1 && value / divisor < tenths_below && (tenth != 0 || tenths_below > 10))
        format_text(result.text, sizeof result.text, "%llu.%llu %s",
                    (unsigned long long)(value / divisor), (unsigned long long)tenth, unit);
    else
        format_text(result.text, sizeof result.text, "%llu %s",
                    (unsigned long long)(value / divisor), unit);
    return result;
}

struct overview_text overview_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned unit = 0;
    while (unit + 1 < sizeof units / sizeof units[0] && bytes >> (10 * unit) >= 1024)
        unit++;
    return print(bytes, UINT64_C(1) << (10 * unit), 10, units[unit]);
}

struct overview_text overview_time(uint64_t microseconds)
{
    if (microseconds < 1000)
        return print(microseconds, 1, 0, "us");
    if (microseconds < 1000000)
        return print(microseconds, 1000, 100, "ms");
    return print(microseconds, 1000000, 100, "s");
}
