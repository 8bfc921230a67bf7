/*
 * load.h - what is done to the memory stack once it is up.
 *
 *   boot           nothing more than the kernel's own self-test
 *   random         frames, runs and heap blocks of every size come and go in random order
 *   exhaustion     every frame is taken, then the heap is filled, and both refuse; then all comes
 * back fragmentation  every second frame and block is freed, and large pieces are asked for
 *
 * Every frame that is given is held against the map (it must lie in memory that may be handed out)
 * and, in samples, against its content: two owners of one frame would read each other's mark. At
 * the end everything has been given back and the sums are those of the start.
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

/* NULL for a name that is none. */
const struct load *load_find(const char *name);

/* Run a load on a kernel that is ready. Precondition: verify_everything() passes. */
void load_run(const struct load *load, struct kernel_model *kernel, uint64_t seed,
              struct load_result *ret_result);

#endif
