#include "tests/bench/heap/mix.h"

struct size_weight {
    uint32_t size_bytes;
    uint32_t weight;
};

static size_t pick(struct heap_workload *random, const struct size_weight *table, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += table[i].weight;
    uint64_t chosen = heap_workload_next(random) % sum;
    size_t i = 0;
    while (chosen >= table[i].weight)
        chosen -= table[i++].weight;
    return table[i].size_bytes;
}

#define PICK(random, table) pick(random, table, sizeof(table) / sizeof(table)[0])

/* Page allocations of a kernel, by order: page tables and buffers of one page, stacks of four. */
static const struct size_weight pages[] = {
    {4096, 70}, {8192, 12}, {16384, 14}, {32768, 3}, {65536, 1}};

/* A server with Linux 3.10: the object size and the number of active objects of each slab cache
 * with at least 100 of them, in hundreds. From the /proc/slabinfo that the tests of
 * RedHatInsights/insights-core contain (test_slabinfo.py). A page allocation for every four objects
 * is our assumption. */
size_t mix_size_server(struct heap_workload *random)
{
    static const struct size_weight objects[] = {
        {8, 876},   {16, 658},  {24, 1367}, {32, 1347}, {40, 220}, {48, 26}, {56, 3},
        {64, 403},  {72, 24},   {80, 20},   {96, 15},   {104, 40}, {112, 2}, {120, 150},
        {128, 19},  {168, 23},  {192, 274}, {216, 39},  {256, 29}, {384, 9}, {512, 6},
        {584, 29},  {592, 142}, {640, 3},   {656, 12},  {680, 8},  {832, 2}, {960, 49},
        {1024, 11}, {1152, 1},  {2048, 3},  {2112, 3},  {4096, 3}, {4208, 1}};
    return heap_workload_next(random) % 5 == 0 ? PICK(random, pages) : PICK(random, objects);
}

/* A host of virtual machines with Linux 2.6: the same, from the /proc/slabinfo in the message
 * "Over-eager swapping" to the list linux-mm on 4 August 2010 (20100804022148.GA5922@localhost).
 * Two caches have 99 % of all objects there. They are left out. A page allocation for every two
 * objects is our assumption: guests are made of pages. */
size_t mix_size_host(struct heap_workload *random)
{
    static const struct size_weight objects[] = {
        {8, 90},    {16, 94},  {24, 206}, {32, 211}, {40, 194}, {48, 3},   {56, 145},  {72, 17},
        {80, 216},  {96, 19},  {112, 3},  {128, 86}, {144, 2},  {160, 2},  {176, 185}, {184, 2},
        {192, 136}, {208, 3},  {256, 17}, {272, 2},  {336, 6},  {384, 2},  {512, 14},  {544, 4},
        {560, 659}, {568, 29}, {616, 12}, {640, 3},  {704, 2},  {768, 25}, {776, 16},  {832, 9},
        {1024, 40}, {1472, 2}, {1616, 7}, {2048, 8}, {2112, 4}, {2128, 2}, {4096, 23}};
    return heap_workload_next(random) % 3 == 0 ? PICK(random, pages) : PICK(random, objects);
}

/* The memory of a packet: its bytes, 64 of headroom and 320 of fragment descriptors, as Linux
 * allocates it on x86-64 (include/linux/skbuff.h). Lengths are the simple Internet mix, 7 : 4 : 1
 * (RFC 6985 describes such mixes), and rarely jumbo frames and merged segments. */
size_t mix_size_packet(struct heap_workload *random)
{
    static const struct size_weight lengths[] = {
        {64, 56}, {576, 32}, {1500, 28}, {9000, 6}, {32000, 2}};
    return PICK(random, lengths) + 64 + 320;
}

/* Contents of a file. Half of the files have at most 4 KiB (Agrawal et al., "A Five-Year Study of
 * File-System Metadata", FAST 2007), and each step to the next power of two halves the rest or so.
 * Longer files have buffers of 64 KiB. */
size_t mix_size_file(struct heap_workload *random)
{
    size_t least = 4096;
    unsigned steps = (unsigned)__builtin_ctzll(heap_workload_next(random) | 1 << 6);
    bool is_longer = heap_workload_next(random) % 2 == 0;
    if (is_longer)
        return steps >= 4 ? 65536
                          : heap_workload_between(random, least << steps, least << (steps + 1));
    return heap_workload_between(random, least >> (steps + 1), least >> steps);
}

size_t mix_size_third(struct heap_workload *random)
{
    bool is_above = heap_workload_next(random) % 3 == 0;
    size_t least = is_above ? (size_t)1024 << heap_workload_next(random) % 4
                            : (size_t)16 << heap_workload_next(random) % 6;
    return heap_workload_between(random, least + 1, 2 * least);
}
