/*
 * loader_model.h - the loader's part, without firmware. It places the kernel, converts the map,
 * builds the bootstrap tables, and writes the handoff with its checksum.
 *
 * The steps and their order are those of bootloader/main.c. Its pure parts are the production code
 * (memory_map, bootstrap_tables, page_table, checksum). firmware_model.h stands for the firmware.
 * The kernel is not a file but a plan of segments of a real kernel's sizes.
 */
#ifndef HOST_SIMULATOR_LOADER_MODEL_H
#define HOST_SIMULATOR_LOADER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/elf.h"
#include "bootloader/pure/memory_map.h"
#include "shared/handoff.h"
#include "shared/page_table.h"
#include "shared/range.h"
#include "host/simulator/fake_ram.h"
#include "host/simulator/firmware_model.h"

struct loader_model_options {
    uint64_t temp_heap_size_bytes; /* a multiple of the page; 0: none is asked for */
    struct phys_range framebuffer; /* page-aligned; empty: none */
    struct page_table_features features;
    uint64_t started_ns; /* host_nanoseconds() at the loader's start */
};

/* Where it enters the kernel: the physical address of struct handoff. */
struct loader_model_result {
    uint64_t handoff_address;
    struct memory_map_report report;
};

/* The kernel that is loaded: text, rodata, data (with .bss), symbols. */
const struct elf_plan *loader_model_kernel(void);
/* The offset of the fallback region in the image. */
#define LOADER_MODEL_FALLBACK_OFFSET     UINT64_C(0x21000)
#define LOADER_MODEL_FALLBACK_SIZE_BYTES UINT64_C(0x100000)

/* Run it, and check the converted map (regions_proof.h). Return false if the real loader would
 * stop. Then *ret_cause (at least 160 bytes) has the reason in a sentence. */
bool loader_model_run(struct firmware_model *firmware, struct fake_ram *ram,
                      const struct loader_model_options *options,
                      struct loader_model_result *ret_result, char *ret_cause)
    __attribute__((warn_unused_result));
#define LOADER_MODEL_CAUSE_BYTES 160

#endif
