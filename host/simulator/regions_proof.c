#include "host/simulator/regions_proof.h"

#include "kernel/core/panic.h"
#include "shared/address.h"
#include "shared/direct_map.h"

/* The oracle reads every row for every page, so the work grows with the square. */
#define ROWS_LOOKED_AT 512

struct proof {
    const struct memory_map_input *input;
    const struct handoff_region *regions;
    size_t region_count;
};

static void prove_page(const struct proof *proof, uint64_t address)
{
    uint64_t page = page_align_down(address);
    if (page >= 2 * MEMORY_MAP_PHYSICAL_LIMIT_BYTES)
        return;
    const char *problem =
        memory_map_page_problem(proof->input, proof->regions, proof->region_count, page);
    if (problem != NULL)
        panic(PANIC_ASSERTION, "the memory map at 0x%llx: %s", (unsigned long long)page, problem);
}

static void prove_border(const struct proof *proof, uint64_t address)
{
    prove_page(proof, address);
    if (address >= PAGE_SIZE_BYTES)
        prove_page(proof, address - PAGE_SIZE_BYTES);
}

void regions_proof(const struct memory_map_input *input, const struct handoff_region *regions,
                   size_t region_count)
{
    struct proof proof = {input, regions, region_count};
    const char *problem = memory_map_normal_problem(regions, region_count);
    if (problem != NULL)
        panic(PANIC_ASSERTION, "the memory map has %s", problem);
    prove_border(&proof, PAGE_SIZE_BYTES);
    prove_border(&proof, MIB);
    prove_border(&proof, DIRECT_MAP_LIMIT_BYTES_4_LEVELS);
    size_t step = input->row_count / ROWS_LOOKED_AT + 1;
    for (size_t i = 0; i < input->row_count; i += step) {
        const struct memory_map_descriptor *row = &input->rows[i];
        prove_border(&proof, row->physical_start);
        prove_border(&proof, row->physical_start + row->page_count * PAGE_SIZE_BYTES);
    }
    for (size_t i = 0; i < input->claim_count; i++) {
        prove_border(&proof, input->claims[i].range.start.value);
        prove_border(&proof, input->claims[i].range.end.value);
    }
}
