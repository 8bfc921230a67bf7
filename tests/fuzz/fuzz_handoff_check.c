/* Handoff check: the fuzzer takes a good handoff on a machine with real page tables and changes
 * numbers. It changes the handoff, the kernel's own data and the tables. If the check accepts the
 * result, then every promise must hold: this file derives the promises again. A read outside of the
 * machine's memory faults. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/handoff/handoff_check.h"
#include "kernel/handoff/handoff_temp_heap.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/handoff_sample.h"

#define MEMORY_BYTES (SAMPLE_TABLES_SIZE + SAMPLE_DATA_SIZE)
#define PAGE_BYTES   UINT64_C(4096)

/* Bits of a page table entry (Intel SDM Vol. 3A, 4.5). */
#define PRESENT    UINT64_C(1)
#define WRITE      UINT64_C(2)
#define USER       UINT64_C(4)
#define LARGE      UINT64_C(0x80)
#define LARGE_PAT  UINT64_C(0x1000)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define ADDRESS    UINT64_C(0x000ffffffffff000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

/* The machine's RAM. Physical address 0 is its first byte. */
static uint8_t *ram;

static void require(int condition, const char *sentence)
{
    if (!condition) {
        (void)fprintf(stderr, "%s\n", sentence);
        abort();
    }
}

/* --- The changes of the fuzzer ---------------------------------------------------------------- */

static void change_state(struct entry_state *state, uint64_t which, uint64_t number)
{
    uint64_t *const numbers[] = {
        &state->stack_pointer.value,       &state->entry.value,
        &state->image.start.value,         &state->image.end.value,
        &state->cpu_tables[0].start.value, &state->cpu_tables[0].end.value,
        &state->cpu_tables[1].start.value, &state->cpu_tables[1].end.value,
    };
    switch (which % 12) {
    case 8: /* the CPU is using the root, so the root must exist */
        state->page_table_root.value = SAMPLE_TABLES_BASE + number % 16 * PAGE_BYTES;
        return;
    case 9:
        state->features.no_execute = number % 2;
        return;
    case 10:
        state->features.largest_leaf_level = 2 + number % 2;
        return;
    case 11:
        state->features.physical_bits = 32 + number % 21;
        return;
    default:
        *numbers[which % 12] = number;
        return;
    }
}

/* Return whether the tables were changed. */
static int change_numbers(struct entry_state *state, struct byte_stream *stream)
{
    int tables_changed = 0;
    while (!byte_stream_is_empty(stream)) {
        uint64_t area = byte_stream_next(stream, 1);
        uint64_t place = byte_stream_next(stream, 2);
        unsigned width = 1U << area / 8 % 4;
        uint64_t number = byte_stream_next(stream, width);
        if (area % 8 == 0) {
            change_state(state, place, number);
        } else if (area % 8 == 1) {
            memcpy(ram + SAMPLE_TABLES_BASE + place % (SAMPLE_TABLES_SIZE - 8), &number, width);
            tables_changed = 1;
        } else {
            memcpy(ram + SAMPLE_DATA_BASE + place % (SAMPLE_DATA_SIZE - 8), &number, width);
        }
    }
    return tables_changed;
}

/* The linker's data is always consistent: the image is not empty and contains its segments. */
static int linker_is_consistent(const struct entry_state *state)
{
    uint64_t start = state->image.start.value;
    uint64_t end = state->image.end.value;
    if ((start | end) % PAGE_BYTES != 0 || start >= end)
        return 0;
    for (size_t i = 0; i < state->segment_count; i++) {
        if (state->segments[i].virtual.start.value < start ||
            state->segments[i].virtual.end.value > end)
            return 0;
    }
    return 1;
}

/* Tables that the fuzzer wrote can map addresses to memory that does not exist. No check can see
 * this: a CPU would translate the address and read a value. */
static int claims_real_memory(const struct handoff *handoff)
{
    return handoff->data_base < SAMPLE_RAM_END && handoff->page_tables_base < SAMPLE_RAM_END &&
           handoff->data_size_bytes <= SAMPLE_RAM_END - handoff->data_base &&
           handoff->page_tables_size_bytes <= SAMPLE_RAM_END - handoff->page_tables_base;
}

/* --- The promises ----------------------------------------------------------------------------- */

/* An entry with a reserved bit set faults (Intel SDM Vol. 3A, tables 4-14 to 4-20). */
static int has_reserved_bit(const struct page_table_features *features, uint64_t entry,
                            unsigned level, uint64_t span)
{
    int is_large = level > 1 && (entry & LARGE) != 0;
    return (entry & ADDRESS) >> features->physical_bits != 0 ||
           (!features->no_execute && (entry & NO_EXECUTE) != 0) ||
           (is_large && (level > 3 || (level == 3 && features->largest_leaf_level < 3) ||
                         (entry & ADDRESS & (span - 1) & ~LARGE_PAT) != 0));
}

/* Return the physical address of a virtual address, and its bits, as a CPU does. 0: not mapped. */
static uint64_t translate(const struct entry_state *state, uint64_t virtual, uint64_t *ret_bits)
{
    uint64_t table = state->page_table_root.value;
    uint64_t allowed = WRITE | USER;
    uint64_t forbidden = 0;
    for (unsigned level = state->features.levels;; level--) {
        uint64_t span = PAGE_BYTES << (9 * (level - 1));
        if (table > SAMPLE_RAM_END - PAGE_BYTES)
            return 0;
        uint64_t entry;
        memcpy(&entry, ram + table + virtual / span % 512 * 8, sizeof entry);
        if ((entry & PRESENT) == 0 || has_reserved_bit(&state->features, entry, level, span))
            return 0;
        allowed &= entry;
        forbidden |= entry & NO_EXECUTE;
        *ret_bits = allowed | forbidden;
        if (level == 1 || (entry & LARGE) != 0)
            return (entry & ADDRESS & ~(span - 1)) + virtual % span;
        table = entry & ADDRESS;
    }
}

static void require_mapped(const struct entry_state *state, uint64_t virtual, uint64_t physical,
                           uint64_t size_bytes, int write, int execute)
{
    for (uint64_t offset = 0; offset < size_bytes; offset += PAGE_BYTES) {
        uint64_t bits = 0;
        require(translate(state, virtual + offset, &bits) == physical + offset,
                "a page is mapped to another place");
        require((bits & USER) == 0, "a page is accessible from ring 3");
        require(((bits & WRITE) != 0) == write, "a page has the wrong write permission");
        require(!state->features.no_execute || ((bits & NO_EXECUTE) == 0) == execute,
                "a page has the wrong execute permission");
    }
}

static void require_regions(const struct handoff_view *view)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < view->regions.count; i++) {
        const struct handoff_region *region = region_list_at(&view->regions, i);
        require(region->base >= end && region->size_bytes != 0, "a region is out of order");
        require((region->base | region->size_bytes) % 4096 == 0, "a region is not aligned");
        require(region->base + region->size_bytes > region->base, "a region wraps");
        end = region->base + region->size_bytes;
        require((region->facts & 7) != 7 || end <= view->handoff->direct_map_size_bytes,
                "mapped RAM lies outside of the direct map");
        require(region->reuse == HANDOFF_REUSE_NEVER || (region->facts & 7) == 7,
                "a region that may be reused is not mapped, writable RAM");
    }
}

/* Regions of the type must cover the block. If `exactly`, no other page may have this type. */
static void require_owned(const struct handoff_view *view, uint64_t base, uint64_t size_bytes,
                          uint32_t type, int exactly)
{
    uint64_t inside_bytes = 0;
    uint64_t all_bytes = 0;
    require(size_bytes != 0 && base + size_bytes > base, "a block is empty or wraps");
    for (uint32_t i = 0; i < view->regions.count; i++) {
        const struct handoff_region *region = region_list_at(&view->regions, i);
        uint64_t region_end = region->base + region->size_bytes;
        uint64_t start = base > region->base ? base : region->base;
        uint64_t end = base + size_bytes < region_end ? base + size_bytes : region_end;
        if (region->type != type)
            continue;
        all_bytes += region->size_bytes;
        if (start < end)
            inside_bytes += end - start;
    }
    require(inside_bytes == size_bytes, "a block lies beside regions of its type");
    require(!exactly || all_bytes == size_bytes, "regions of a type lie beside its block");
}

/* Data of the view must be completely in the handoff's data block. */
static void require_inside(const struct handoff *handoff, const void *start, uint64_t size_bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)start - ram) - handoff->data_base;
    require(offset <= handoff->data_size_bytes && size_bytes <= handoff->data_size_bytes - offset,
            "a part of the view is outside of the data block");
}

static void require_readable(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    require_inside(handoff, handoff, handoff->size_bytes);
    require_inside(handoff, view->command_line, handoff->command_line.size_bytes + 1);
    require_inside(handoff, view->log, handoff->log.size_bytes + 1);
    require_inside(handoff, view->efi_map, handoff->efi_map_size_bytes);
    require_inside(handoff, view->regions.first,
                   (uint64_t)view->regions.count * view->regions.stride_bytes);
    require(strlen(view->command_line) <= handoff->command_line.size_bytes, "the command line");
    require(strlen(view->log) <= handoff->log.size_bytes, "the log");
    require(strlen(handoff->loader_name) < sizeof(handoff->loader_name), "the loader's name");
    for (uint32_t i = 0; i < handoff->timeline.count; i++) {
        const struct handoff_moment *moment = handoff_view_moment(view, i);
        require_inside(handoff, moment, sizeof *moment);
        require(strlen(moment->name) < sizeof(moment->name), "a name in the timeline");
    }
}

static void require_framebuffer(const struct handoff_view *view, const struct entry_state *state)
{
    const struct handoff_framebuffer *framebuffer = &view->framebuffer;
    if (view->framebuffer_status != HANDOFF_FRAMEBUFFER_OK)
        return;
    uint64_t last_line = (uint64_t)framebuffer->pitch_bytes * (framebuffer->height_pixels - 1);
    uint64_t line_bytes = (uint64_t)framebuffer->width_pixels * framebuffer->bits_per_pixel / 8;
    require(last_line + line_bytes <= framebuffer->size_bytes, "the framebuffer's last pixel");
    require_owned(view, framebuffer->base, framebuffer->size_bytes, HANDOFF_REGION_FRAMEBUFFER, 0);
    require_mapped(state, state->direct_map_base.value + framebuffer->base, framebuffer->base,
                   framebuffer->size_bytes, 1, 0);
}

/* The handoff describes the image, the page tables and the stack that the CPU is using. */
static void require_machine(const struct handoff_view *view, const struct entry_state *state)
{
    const struct handoff *handoff = view->handoff;
    uint64_t bits;
    require(handoff->kernel_virtual_base == state->image.start.value &&
                handoff->kernel_virtual_base + handoff->kernel_size_bytes ==
                    state->image.end.value &&
                handoff->kernel_entry == state->entry.value,
            "the kernel's image");
    require(handoff->arch.x86_64.page_table_root == state->page_table_root.value, "the root");
    require(state->stack_pointer.value - handoff->stack_virtual_base < handoff->stack_size_bytes,
            "the stack pointer");
    for (size_t i = 0; i < state->segment_count; i++) {
        const struct kernel_segment *segment = &state->segments[i];
        require_mapped(state, segment->virtual.start.value,
                       handoff->kernel_physical_base +
                           (segment->virtual.start.value - state->image.start.value),
                       virt_range_size_bytes(segment->virtual), segment->write, segment->execute);
    }
    require_mapped(state, handoff->stack_virtual_base, handoff->stack_physical_base,
                   handoff->stack_size_bytes, 1, 0);
    require(translate(state, handoff->stack_virtual_base - PAGE_BYTES, &bits) == 0, "the guard");
    require_mapped(state, state->direct_map_base.value + handoff->data_base, handoff->data_base,
                   handoff->data_size_bytes, 1, 0);
}

static void require_ownership(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    require_owned(view, handoff->kernel_physical_base, handoff->kernel_size_bytes,
                  HANDOFF_REGION_KERNEL_IMAGE, 1);
    require_owned(view, handoff->stack_physical_base, handoff->stack_size_bytes,
                  HANDOFF_REGION_STACK, 1);
    require_owned(view, handoff->page_tables_base, handoff->page_tables_size_bytes,
                  HANDOFF_REGION_PAGE_TABLES, 1);
    require_owned(view, handoff->data_base, handoff->data_size_bytes, HANDOFF_REGION_HANDOFF_DATA,
                  1);
    require_owned(view, handoff->loader_physical_base, handoff->loader_size_bytes,
                  HANDOFF_REGION_LOADER, 0);
    if (handoff->processor_start_base != 0)
        require_owned(view, handoff->processor_start_base, handoff->processor_start_size_bytes,
                      HANDOFF_REGION_PROCESSOR_START, 1);
    if (handoff->previous_boot.base != 0)
        require_owned(view, handoff->previous_boot.base, handoff->previous_boot.size_bytes,
                      HANDOFF_REGION_BOOT_RECORD, 1);
    if (handoff->parking.base != 0)
        require_owned(view, handoff->parking.base, handoff->parking.size_bytes,
                      HANDOFF_REGION_PARKING, 1);
    if (handoff_temp_heap_check(view) == HANDOFF_TEMP_HEAP_OK)
        require_owned(view, handoff->temp_heap_base, handoff->temp_heap_size,
                      HANDOFF_REGION_TEMP_HEAP, 0);
}

/* No two of the blocks overlap, and each lies in regions of the type. Bases and sizes are the first
 * two fields of an element. */
static void require_blocks(const struct handoff_view *view, const struct handoff_array *array,
                           enum handoff_region_type type, uint32_t first)
{
    for (uint32_t i = first; i < array->count; i++) {
        const uint64_t *one = (const void *)(ram + array->first + i * array->stride_bytes);
        uint64_t size_bytes = (one[1] + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        require_owned(view, one[0], size_bytes, type, 0);
        for (uint32_t j = first; j < i; j++) {
            const uint64_t *other = (const void *)(ram + array->first + j * array->stride_bytes);
            require(one[0] + one[1] <= other[0] || other[0] + other[1] <= one[0], "two blocks");
        }
    }
}

static void require_modules(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    require_blocks(view, &handoff->temp_heaps, HANDOFF_REGION_TEMP_HEAP, 1);
    require_blocks(view, &handoff->modules, HANDOFF_REGION_MODULE, 0);
    for (uint32_t i = 0; i < handoff->modules.count; i++) {
        const struct handoff_module *module = handoff_view_module(view, i);
        require(module->size_bytes != 0, "an empty module");
        require(ram[module->name.address + module->name.size_bytes] == '\0', "a name's end");
        require(ram[module->command_line.address + module->command_line.size_bytes] == '\0',
                "a command line's end");
    }
}

/* --- One handoff ------------------------------------------------------------------------------ */

/* Write a right checksum. Without it, no input would pass this check. */
static void seal_if_possible(struct handoff_sample *sample)
{
    uint32_t size_bytes = sample->handoff->size_bytes;
    if (size_bytes >= HANDOFF_SIZE_V2_BYTES && size_bytes <= SAMPLE_DATA_SIZE)
        handoff_sample_seal(sample);
}

static void check(struct handoff_sample *sample, int tables_changed)
{
    const struct entry_state *state = &sample->state;
    struct handoff_view view;
    if (!linker_is_consistent(state) || (tables_changed && !claims_real_memory(sample->handoff)))
        return;
    struct handoff_framebuffer screen;
    (void)!handoff_check_screen(sample->address, state, &screen);
    if (handoff_check(sample->address, state, &view) != HANDOFF_CHECK_OK)
        return;
    require_regions(&view);
    require_readable(&view);
    require_framebuffer(&view, state);
    require_machine(&view, state);
    require_ownership(&view);
    require_modules(&view);
}

/* Two machines that are made once: with four and with five levels of page tables. */
static struct handoff_sample machines[2];

static void create_machines(void)
{
    void *place = mmap(NULL, SAMPLE_RAM_END, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(place != MAP_FAILED, "no memory for the machine");
    ram = place;
    handoff_sample_create_with_levels(&machines[0], 4);
    handoff_sample_create_with_levels(&machines[1], 5);
}

/* Behind the timeline's names. */
#define MODULES_OFFSET 0x3800
#define MODULE_TEXT    (SAMPLE_DATA_BASE + MODULES_OFFSET + 0x400)
#define USABLE_ROW     7

/* Turn the row of usable RAM into three pages of two modules, and add a second heap. */
static void hand_over_modules(struct handoff_sample *sample)
{
    const struct handoff_text text = {MODULE_TEXT, 0};
    const uint64_t base = SAMPLE_USABLE_BASE;
    struct handoff_module *modules = (void *)(sample->data + MODULES_OFFSET);
    sample->data[MODULES_OFFSET + 0x400] = '\0';
    modules[0] = (struct handoff_module){base, 1, text, text, {0}, 0, 0};
    modules[1] = (struct handoff_module){base + PAGE_BYTES, PAGE_BYTES + 1, text, text, {0}, 0, 0};
    handoff_sample_region(sample, USABLE_ROW)->size_bytes = 3 * PAGE_BYTES;
    handoff_sample_retype(sample, USABLE_ROW, HANDOFF_REGION_MODULE);
    sample->handoff->modules =
        (struct handoff_array){SAMPLE_DATA_BASE + MODULES_OFFSET, 2, sizeof(modules[0])};

    struct handoff_temp_heap *heaps = handoff_sample_temp_heap(sample);
    heaps[0].size_bytes -= PAGE_BYTES;
    heaps[1] = (struct handoff_temp_heap){heaps[0].base + heaps[0].size_bytes, PAGE_BYTES};
    sample->handoff->temp_heap_size = heaps[0].size_bytes;
    sample->handoff->temp_heaps.count = 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {bytes, size_bytes, 0};
    if (ram == NULL)
        create_machines();
    uint64_t kind = byte_stream_next(&stream, 1);
    struct handoff_sample sample = machines[kind % 2];
    memcpy(ram + SAMPLE_TABLES_BASE, sample.memory, MEMORY_BYTES);
    sample.memory = ram + SAMPLE_TABLES_BASE;
    sample.data = ram + SAMPLE_DATA_BASE;
    sample.handoff = (void *)sample.data;
    sample.state.memory_base = (uintptr_t)ram;
    if (kind / 2 % 2 == 1)
        hand_over_modules(&sample);
    int tables_changed = change_numbers(&sample.state, &stream);
    seal_if_possible(&sample);
    check(&sample, tables_changed);
    return 0;
}
