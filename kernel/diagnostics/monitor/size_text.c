#include "kernel/diagnostics/monitor/size_text.h"

#include "shared/text/format.h"

struct size_text size_text(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t value = bytes;
    while (unit + 1 < sizeof units / sizeof units[0] && value >= 10240) {
        value /= 1024;
        unit++;
    }
    struct size_text size = {.text = ""};
    format_text(size.text, sizeof size.text, "%llu%s %s", (unsigned long long)value,
                value << (10 * unit) == bytes ? "" : "+", bytes == 1 ? "byte" : units[unit]);
    return size;
}
