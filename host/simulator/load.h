/*
 * load.h - loads: requests to the memory stack after the bring-up.
 *
 *   boot           nothing more than the kernel's own self-test
 *   random         frames, runs and heap blocks of every size come and go in random order
 *   exhaustion     every frame is taken, the heap is filled, both refuse, and all is freed
 *   fragmentation  every second frame and block is freed, and large pieces are asked for
 *
 * Every frame is compared with the map: it must lie in memory that the allocator may give. Samples
 * carry a mark, which a second owner of the frame would overwrite. At the end all memory is free
 * again, and the sums are those of the start.
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
    const char *problem; /* an invariant that did not hold; NULL if all did */
};

struct load {
    const char *name;
    bool frees_in_any_order;
    void (*run)(struct kernel_model *kernel, uint64_t seed, struct load_result *result);
};

/* NULL if there is no load of that name. */
const struct load *load_find(const char *name);

/* Run a load on a kernel that is ready. Precondition: verify_everything() passes. */
void load_run(const struct load *load, struct kernel_model *kernel, uint64_t seed,
              struct load_result *ret_result);

#endif
