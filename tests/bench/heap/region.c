#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/bench/heap/allocator.h"

static int extra_flags = MAP_POPULATE;

void bench_region_untouched(void)
{
    extra_flags = MAP_NORESERVE;
}

void *bench_region(size_t size_bytes)
{
    static void *region;
    static size_t region_bytes;
    if (size_bytes > region_bytes) {
        region = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0);
        if (region == MAP_FAILED) {
            perror("mmap");
            exit(1);
        }
        region_bytes = size_bytes;
    }
    return region;
}
