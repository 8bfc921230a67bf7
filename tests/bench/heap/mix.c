#include "tests/bench/heap/mix.h"

#include <stdlib.h>
#include <string.h>

/* --- Building a script ------------------------------------------------------------------------ */

void mix_begin(struct mix_script *script, uint64_t seed)
{
    script->random = heap_workload_start(seed);
    script->operation_count = 0;
    script->live_count = 0;
    script->free_count = MIX_PLACES_MAX;
    for (uint32_t i = 0; i < MIX_PLACES_MAX; i++)
        script->free_places[i] = MIX_PLACES_MAX - 1 - i;
}

bool mix_has_room(const struct mix_script *script)
{
    return script->operation_count < MIX_OPERATIONS_MAX;
}

static void add(struct mix_script *script, uint32_t place, size_t size_bytes)
{
    if (mix_has_room(script))
        script->operations[script->operation_count++] =
            (struct mix_operation){place, (uint32_t)size_bytes};
}

uint32_t mix_allocate(struct mix_script *script, size_t size_bytes)
{
    if (script->free_count == 0)
        abort();
    uint32_t place = script->free_places[--script->free_count];
    script->live_places[script->live_count++] = place;
    add(script, place, size_bytes);
    return place;
}

void mix_free(struct mix_script *script, size_t live_index)
{
    if (live_index >= script->live_count)
        abort();
    uint32_t place = script->live_places[live_index];
    script->live_places[live_index] = script->live_places[--script->live_count];
    script->free_places[script->free_count++] = place;
    add(script, place, 0);
}

void mix_free_place(struct mix_script *script, uint32_t place)
{
    size_t i = script->live_count;
    while (i != 0 && script->live_places[i - 1] != place)
        i--;
    mix_free(script, i - 1);
}

/* --- Kernels and buffers ---------------------------------------------------------------------- */

static size_t size_uniform(struct heap_workload *random)
{
    return heap_workload_between(random, 16, 1024);
}

/* Keep a number of blocks alive, and replace random ones. */
static void replace_random(struct mix_script *script, size_t live_count,
                           size_t (*size)(struct heap_workload *))
{
    while (mix_has_room(script)) {
        if (script->live_count >= live_count)
            mix_free(script, heap_workload_next(&script->random) % script->live_count);
        (void)mix_allocate(script, size(&script->random));
    }
}

/* Two of bench_heap.c, beside the others. */
static void build_churn(struct mix_script *script)
{
    mix_begin(script, 9);
    replace_random(script, 1000, size_uniform);
}

static void build_kernel(struct mix_script *script)
{
    mix_begin(script, 10);
    replace_random(script, 1000, heap_workload_kernel_size);
}

static void build_server(struct mix_script *script)
{
    mix_begin(script, 11);
    replace_random(script, 3000, mix_size_server);
}

static void build_host(struct mix_script *script)
{
    mix_begin(script, 12);
    replace_random(script, 1500, mix_size_host);
}

#define QUEUE_COUNT 1024

/* Packets wait in a queue. A packet has a descriptor of 232 bytes and its memory. The queue's
 * length changes all the time, and one packet in eight overtakes others. */
static void build_network(struct mix_script *script)
{
    uint32_t queue[QUEUE_COUNT][2];
    size_t first = 0, count = 0;
    mix_begin(script, 13);
    while (mix_has_room(script)) {
        size_t wanted = heap_workload_next(&script->random) % QUEUE_COUNT;
        for (; count < wanted && mix_has_room(script); count++) {
            uint32_t *packet = queue[(first + count) % QUEUE_COUNT];
            packet[0] = mix_allocate(script, 232);
            packet[1] = mix_allocate(script, mix_size_packet(&script->random));
        }
        for (; count > wanted; count--) {
            size_t ahead = heap_workload_next(&script->random) % 8 == 0
                               ? heap_workload_next(&script->random) % count
                               : 0;
            uint32_t *packet = queue[(first + ahead) % QUEUE_COUNT];
            mix_free_place(script, packet[1]);
            mix_free_place(script, packet[0]);
            memcpy(packet, queue[first % QUEUE_COUNT], sizeof queue[0]);
            first++;
        }
    }
}

/* An open file: an entry of 192 bytes, an inode of 592 (the sizes of dentry and inode_cache in
 * Linux 3.10), a name of up to 64 bytes, and the contents, in two of three cases. */
static size_t size_of_file_part(struct heap_workload *random)
{
    switch (heap_workload_next(random) % 5) {
    case 0:
        return 192;
    case 1:
        return 592;
    case 2:
        return heap_workload_between(random, 8, 64);
    default:
        return mix_size_file(random);
    }
}

static void build_files(struct mix_script *script)
{
    mix_begin(script, 14);
    replace_random(script, 900, size_of_file_part);
}

/* --- Shapes of textbooks ---------------------------------------------------------------------- */

/* Most blocks die young (Ungar, "Generation scavenging", 1984): nine of ten are among the newest
 * hundred when they are freed. The others stay until 1,500 of them are alive. */
static void build_generations(struct mix_script *script)
{
    uint32_t young[100], old[1500];
    size_t count = 0;
    mix_begin(script, 15);
    for (size_t i = 0; i < 100; i++)
        young[i] = mix_allocate(script, mix_size_third(&script->random));
    while (mix_has_room(script)) {
        size_t i = heap_workload_next(&script->random) % 100;
        if (heap_workload_next(&script->random) % 10 != 0) {
            mix_free_place(script, young[i]);
        } else if (count < 1500) {
            old[count++] = young[i];
        } else {
            size_t victim = heap_workload_next(&script->random) % 1500;
            mix_free_place(script, old[victim]);
            old[victim] = young[i];
        }
        young[i] = mix_allocate(script, mix_size_third(&script->random));
    }
}

/* One side allocates messages in bursts, and the other one frees them in the same order. */
static void build_pipeline(struct mix_script *script)
{
    static uint32_t queue[2048];
    size_t first = 0, end = 0;
    mix_begin(script, 16);
    while (mix_has_room(script)) {
        size_t burst = heap_workload_between(&script->random, 1, 400);
        while (burst-- != 0 && end - first < 2048)
            queue[end++ % 2048] = mix_allocate(script, mix_size_third(&script->random));
        burst = heap_workload_between(&script->random, 1, 400);
        while (burst-- != 0 && first != end)
            mix_free_place(script, queue[first++ % 2048]);
    }
}

/* Allocate more and more, then free everything, newest first. The next tooth has other sizes. */
static void build_sawtooth(struct mix_script *script)
{
    mix_begin(script, 17);
    for (size_t tooth = 0; mix_has_room(script); tooth++) {
        size_t most = (size_t)128 << tooth % 7;
        for (size_t i = 0; i < (most > 1024 ? 800 : 2000) && mix_has_room(script); i++)
            (void)mix_allocate(script, heap_workload_between(&script->random, 16, most));
        while (script->live_count != 0)
            mix_free(script, script->live_count - 1);
    }
}

/* Phases of one size each: 16 bytes to 6 KiB. Of each phase one block in sixteen survives, for the
 * next 20 phases. */
static void build_survivors(struct mix_script *script)
{
    static uint32_t old[20][32];
    mix_begin(script, 18);
    for (size_t phase = 0; mix_has_room(script); phase++) {
        uint32_t places[512];
        size_t size_bytes = (size_t)16 << phase % 9;
        size_bytes += size_bytes / 2 * (phase / 9 % 2);
        for (size_t i = 0; i < 512; i++)
            places[i] = mix_allocate(script, size_bytes);
        for (size_t i = 0; i < 512; i++) {
            if (i % 16 != 0)
                mix_free_place(script, places[i]);
            else if (phase >= 20)
                mix_free_place(script, old[phase % 20][i / 16]);
            if (i % 16 == 0)
                old[phase % 20][i / 16] = places[i];
        }
    }
}

const struct mix mixes[MIX_COUNT_MAX] = {
    {"churn", build_churn, size_uniform},
    {"kernel-mix", build_kernel, heap_workload_kernel_size},
    {"kernel-server", build_server, mix_size_server},
    {"kernel-host", build_host, mix_size_host},
    {"network", build_network, mix_size_packet},
    {"files", build_files, size_of_file_part},
    {"young-and-old", build_generations, mix_size_third},
    {"producer-consumer", build_pipeline, NULL},
    {"sawtooth", build_sawtooth, NULL},
    {"survivors", build_survivors, NULL},
};
