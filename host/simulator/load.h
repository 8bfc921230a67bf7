/*
 * load.h - loads: requests to the memory stack after the start.
 *
 *   boot           only the kernel's own self-test
 *   random         frames, runs and heap blocks of every size are allocated and freed in random
 *                  order
 *   exhaustion     every frame is allocated, the heap is filled, both refuse requests, and all is
 *                  freed
 *   fragmentation  every second frame and block is freed, and large pieces are requested
 *
 * Every frame is compared with the map: it must lie in memory that the allocator may use. Some
 * frames get a mark, which a second owner of the frame would overwrite. At the end all memory is
 * free again, and the sums are the same as at the start.
 */
#ifndef HOST_SIMULATOR_LOAD_H
#define HOST_SIMULATOR_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/simulator/kernel_model.h"

struct load_figure {
    const char *key;
    uint64_t value;
};
#define LOAD_FIGURE_LIMIT 16

struct load_result {
    struct load_figure figures[LOAD_FIGURE_LIMIT];
    size_t figure_count;
    const char *problem; /* an invariant that did not hold; NULL if all of them held */
};

struct load {
    const char *name;
    bool frees_in_any_order;
    void (*run)(struct kernel_model *kernel, uint64_t seed, struct load_result *result);
};

/* Return NULL if there is no load of that name. */
const struct load *load_find(const char *name);

/* Run a load on a kernel that is ready. Precondition: verify_everything() succeeds. */
void load_run(const struct load *load, struct kernel_model *kernel, uint64_t seed,
              struct load_result *ret_result);

#endif
