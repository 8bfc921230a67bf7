/*
 * report.h - all results of the simulator as JSON, for the pictures and for other programs.
 * docs/SIMULATOR.md lists the keys.
 */
#ifndef HOST_SIMULATOR_REPORT_H
#define HOST_SIMULATOR_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "bootloader/pure/memory_map.h"
#include "host/simulator/kernel_model.h"
#include "host/simulator/load.h"
#include "host/simulator/map_text.h"

struct report {
    const char *source;  /* the file's name */
    const char *outcome; /* ready, stop, panic, broken */
    const char *cause;   /* a sentence; "" for ready */
    const struct map_text *map;
    const struct memory_map_descriptor *rows;
    const struct handoff_region *regions; /* normalised; NULL before the map is converted */
    size_t region_count;
    const struct kernel_model *kernel; /* NULL before the kernel was entered */
    const char *load_name;             /* NULL if no load was run */
    const struct load_result *load;
    unsigned proof_count; /* invariants that were checked */
    uint64_t took_ns;
};

/* Return false if it could not be written. */
bool report_write(const struct report *report, FILE *file) __attribute__((warn_unused_result));

#endif
