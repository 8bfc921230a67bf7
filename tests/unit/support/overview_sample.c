#include "tests/unit/support/overview_sample.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

static const struct overview_part parts[] = {
    {640 * KIB, OVERVIEW_LOW_MEMORY}, {7168 * KIB, OVERVIEW_FREE},   {32 * KIB, OVERVIEW_FIRMWARE},
    {12 * KIB, OVERVIEW_FREE},        {4 * KIB, OVERVIEW_BOOT_DATA}, {468 * MIB, OVERVIEW_FREE},
    {36 * KIB, OVERVIEW_EARLY_HEAP},  {988 * KIB, OVERVIEW_FREE},    {1536 * KIB, OVERVIEW_KERNEL},
    {16 * KIB, OVERVIEW_BOOT_DATA},   {20 * MIB, OVERVIEW_FREE},     {652 * KIB, OVERVIEW_IN_USE},
    {2 * MIB, OVERVIEW_FIRMWARE},     {4 * MIB, OVERVIEW_FREE},      {256 * KIB, OVERVIEW_FIRMWARE},
    {64 * KIB, OVERVIEW_KERNEL},      {6 * MIB, OVERVIEW_FREE},      {768 * KIB, OVERVIEW_FIRMWARE},
};

static const struct {
    const char *name;
    uint64_t duration_us;
} phases[] = {
    {"start", 1211},           {"read kernel", 3900},     {"load kernel", 7420},
    {"firmware tables", 612},  {"handoff", 2104},         {"exit boot services", 4820},
    {"switch", 422},           {"kernel: handoff", 2450}, {"kernel: early heap", 310},
    {"kernel: cpu", 1190},     {"kernel: frames", 940},   {"kernel: paging", 5830},
    {"kernel: reclaim", 2210}, {"kernel: heap", 3960},    {"kernel: self-test", 12720},
    {"kernel: retire", 890},   {"kernel: ready", 2015},
};
#define LOADER_PHASE_COUNT 7

static void add_phases(struct overview *overview)
{
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        overview->phases[overview->phase_count++] = (struct overview_phase){
            phases[i].name, overview->total_us, phases[i].duration_us, i < LOADER_PHASE_COUNT};
        overview->total_us += phases[i].duration_us;
        overview->loader_us += i < LOADER_PHASE_COUNT ? phases[i].duration_us : 0;
    }
}

void overview_sample(struct overview *ret_overview)
{
    *ret_overview = (struct overview){
        .ram_end = 512 * MIB,
        .early_heap = {.size_bytes = MIB,
                       .used_bytes = 36136,
                       .peak_bytes = 44328,
                       .is_retired = true},
        .heap = {.policy = "fast",
                 .used_bytes = 90000,
                 .peak_bytes = 376604,
                 .mapped_bytes = 1280 * KIB,
                 .window_bytes = 16 * MIB,
                 .limit_bytes = 112 * MIB},
        .cpu_name = "QEMU Virtual CPU version 2.5+",
        .clock_hz = 2595000000,
        .loader_name = "handoff-loader 0.1.0",
        .version = "0.1.0",
        .build = "0123456789abcdef",
        .has_acpi = true,
        .has_smbios = true,
        .has_keyboard = true,
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        overview_add_part(ret_overview, parts[i].owner, parts[i].size_bytes);
    add_phases(ret_overview);
}
