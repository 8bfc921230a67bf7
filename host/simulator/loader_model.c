#include "host/simulator/loader_model.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/boot_record_place.h"
#include "bootloader/pure/bootstrap_tables.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "shared/text/format.h"
#include "shared/handoff_checksum.h"
#include "shared/post_mortem.h"
#include "shared/region.h"
#include "host/simulator/efi_names.h"
#include "host/simulator/host.h"
#include "host/simulator/regions_proof.h"

#define KERNEL_BASE        UINT64_C(0xffffffff80000000)
#define LOADER_IMAGE_BYTES (128 * KIB)
#define CLAIM_LIMIT        10
#define MOMENT_LIMIT       8
#define LOG_CAPACITY       1024
#define COMMAND_LINE       "simulated"
#define KERNEL_PATH        "\\simulated.elf"
/* Most firmware uses this number. The specification requires at least 40 (UEFI 2.10, 7.2.3). */
#define DESCRIPTOR_STRIDE_BYTES 48
#define TABLE_SLACK_PAGES       16
/* Processors can start only below this address. */
#define LOW_MEMORY_LIMIT_BYTES MIB

struct loader_model {
    struct firmware_model *firmware;
    struct fake_ram *ram;
    const struct loader_model_options *options;
    struct memory_map_claim claims[CLAIM_LIMIT];
    size_t claim_count;
    struct placement placement;
    struct phys_range data;              /* the handed-over block */
    struct post_mortem_area boot_record; /* its bytes are NULL without a record */
    uint64_t tables_used_bytes;
    uint64_t direct_map_size_bytes;
    struct handoff_region *regions; /* owned */
    size_t region_count;
    struct memory_map_report report;
    struct handoff_moment moments[MOMENT_LIMIT];
    uint32_t moment_count;
    char log[LOG_CAPACITY];
    size_t log_size_bytes;
    char *cause;
};

const struct elf_plan *loader_model_kernel(void)
{
    static const struct elf_plan PLAN = {
        .entry = {KERNEL_BASE + 0x40},
        .image = {{KERNEL_BASE}, {KERNEL_BASE + 0x150000}},
        .segment_count = 4,
        .segments = {{.memory = {{KERNEL_BASE}, {KERNEL_BASE + 0x18000}},
                      .file_size_bytes = 0x18000,
                      .execute = true},
                     {.memory = {{KERNEL_BASE + 0x18000}, {KERNEL_BASE + 0x20000}},
                      .file_size_bytes = 0x8000},
                     {.memory = {{KERNEL_BASE + 0x20000}, {KERNEL_BASE + 0x148000}},
                      .file_size_bytes = 0x1000,
                      .write = true},
                     {.memory = {{KERNEL_BASE + 0x148000}, {KERNEL_BASE + 0x150000}},
                      .file_size_bytes = 0x8000}},
    };
    return &PLAN;
}

static void begin_phase(struct loader_model *loader, const char *name)
{
    struct handoff_moment *moment = &loader->moments[loader->moment_count++];
    moment->ticks = host_nanoseconds() - loader->options->started_ns;
    (void)format_text(moment->name, sizeof(moment->name), "%s", name);
}

static void log_text(struct loader_model *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void log_text(struct loader_model *loader, const char *format, ...)
{
    size_t room = LOG_CAPACITY - loader->log_size_bytes;
    va_list arguments;
    va_start(arguments, format);
    size_t length =
        (size_t)format_text_v(loader->log + loader->log_size_bytes, room, format, arguments);
    va_end(arguments);
    loader->log_size_bytes += length < room ? length : room - 1;
}

static bool stop(struct loader_model *loader, const char *text, const char *detail)
{
    (void)format_text(loader->cause, LOADER_MODEL_CAUSE_BYTES, "%s%s", text, detail);
    return false;
}

/* --- Memory from the firmware ----------------------------------------------------------------- */

static bool take_below(struct loader_model *loader, uint64_t limit_bytes, uint64_t size_bytes,
                       enum handoff_region_type type, struct phys_range *ret_block)
{
    uint64_t base;
    uint32_t efi_type = type == HANDOFF_REGION_LOADER ? EFI_TYPE_LOADER_CODE : EFI_TYPE_LOADER_DATA;
    if (!firmware_model_allocate(loader->firmware, size_bytes, efi_type, limit_bytes, &base))
        return false;
    *ret_block = phys_range(base, base + size_bytes);
    loader->claims[loader->claim_count++] = (struct memory_map_claim){*ret_block, type};
    return true;
}

static bool take(struct loader_model *loader, const char *what, uint64_t size_bytes,
                 enum handoff_region_type type, struct phys_range *ret_block)
{
    return take_below(loader, DIRECT_MAP_LIMIT_BYTES_4_LEVELS, size_bytes, type, ret_block) ||
           stop(loader, "The firmware has no free memory for ", what);
}

/* --- The boot record -------------------------------------------------------------------------- */

static bool reserve_boot_record(struct loader_model *loader)
{
    static const uint64_t PLACES[] = {BOOT_RECORD_FIRST_PLACE, BOOT_RECORD_SECOND_PLACE};
    struct phys_range *pages = &loader->placement.boot_record;
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
        if (!firmware_model_allocate_at(loader->firmware, PLACES[i], POST_MORTEM_AREA_SIZE_BYTES,
                                        EFI_TYPE_LOADER_DATA))
            continue;
        *pages = phys_range(PLACES[i], PLACES[i] + POST_MORTEM_AREA_SIZE_BYTES);
        loader->claims[loader->claim_count++] =
            (struct memory_map_claim){*pages, HANDOFF_REGION_BOOT_RECORD};
        return true;
    }
    log_text(loader, "warning: no boot record: the firmware uses the pages at %llx and %llx\n",
             (unsigned long long)PLACES[0], (unsigned long long)PLACES[1]);
    return false;
}

/* The RAM of a new machine holds no record of an earlier boot. */
static bool begin_boot_record(struct loader_model *loader)
{
    enum post_mortem_status damage;
    struct post_mortem last;
    const struct post_mortem begun = {.stage = POST_MORTEM_LOADER};
    if (!reserve_boot_record(loader))
        return true;
    loader->boot_record.bytes = fake_ram_at(loader->ram, loader->placement.boot_record.start);
    if (post_mortem_find(&loader->boot_record, &last, &damage) != POST_MORTEM_ABSENT ||
        damage != POST_MORTEM_OK)
        return stop(loader, "New RAM holds a boot record.", "");
    post_mortem_write(&loader->boot_record, &begun);
    return true;
}

/* --- Memory for the kernel -------------------------------------------------------------------- */

/* Without a temporary heap the boot continues: the kernel has a fallback region. */
static void reserve_temp_heap(struct loader_model *loader)
{
    uint64_t size_bytes = loader->options->temp_heap_size_bytes;
    if (size_bytes == 0 || !take(loader, "the temporary heap", size_bytes, HANDOFF_REGION_TEMP_HEAP,
                                 &loader->placement.temp_heaps[0]))
        log_text(loader, "warning: no temporary heap: both fields are 0\n");
}

/* Without such a page the boot continues: the kernel runs on one processor. */
static void reserve_processor_start(struct loader_model *loader)
{
    if (!take_below(loader, LOW_MEMORY_LIMIT_BYTES, PAGE_SIZE_BYTES, HANDOFF_REGION_PROCESSOR_START,
                    &loader->placement.processor_start))
        log_text(loader, "warning: no page below 1 MiB is free: no other processor can be "
                         "started\n");
}

static bool reserve_memory(struct loader_model *loader)
{
    const struct elf_plan *kernel = loader_model_kernel();
    begin_phase(loader, "reserve memory");
    if (!take(loader, "the loader itself", LOADER_IMAGE_BYTES, HANDOFF_REGION_LOADER,
              &loader->placement.loader.memory) ||
        !begin_boot_record(loader) ||
        !take(loader, "the kernel's image", virt_range_size_bytes(kernel->image),
              HANDOFF_REGION_KERNEL_IMAGE, &loader->placement.kernel))
        return false;
    reserve_temp_heap(loader);
    if (!take(loader, "the kernel's first stack", BOOTSTRAP_STACK_SIZE_BYTES, HANDOFF_REGION_STACK,
              &loader->placement.stack))
        return false;
    reserve_processor_start(loader);
    return true;
}

/* --- The handoff block ------------------------------------------------------------------------ */

/* Offsets of its parts. */
struct data_layout {
    uint64_t timeline, temp_heap, framebuffer, command_line, kernel_path, log, efi_map, regions;
    uint64_t size_bytes;
};

static uint64_t part(uint64_t *offset, uint64_t size_bytes)
{
    uint64_t start = *offset;
    *offset += (size_bytes + 15) & ~UINT64_C(15);
    return start;
}

static struct data_layout lay_out(const struct loader_model *loader)
{
    /* Each block that is still to be allocated splits a row in three, and adds a claim. */
    uint64_t row_limit = loader->firmware->row_count + 3 * CLAIM_LIMIT;
    struct data_layout layout;
    uint64_t offset = 0;
    (void)part(&offset, sizeof(struct handoff));
    layout.timeline = part(&offset, sizeof(loader->moments));
    layout.temp_heap = part(&offset, sizeof(struct handoff_temp_heap));
    layout.framebuffer = part(&offset, sizeof(struct handoff_framebuffer));
    layout.command_line = part(&offset, sizeof(COMMAND_LINE));
    layout.kernel_path = part(&offset, sizeof(KERNEL_PATH));
    layout.log = part(&offset, LOG_CAPACITY);
    layout.efi_map = part(&offset, row_limit * DESCRIPTOR_STRIDE_BYTES);
    layout.regions =
        part(&offset, (2 * (row_limit + CLAIM_LIMIT) + 2) * sizeof(struct handoff_region));
    layout.size_bytes = page_align_up(offset);
    return layout;
}

static bool reserve_handoff(struct loader_model *loader, struct data_layout *ret_layout)
{
    begin_phase(loader, "reserve handoff");
    *ret_layout = lay_out(loader);
    return take(loader, "the handoff", ret_layout->size_bytes, HANDOFF_REGION_HANDOFF_DATA,
                &loader->data);
}

/* --- Regions ---------------------------------------------------------------------------------- */

static void prove_regions(const struct loader_model *loader, size_t claim_count)
{
    const struct memory_map_input input = {
        .rows = loader->firmware->rows,
        .row_count = loader->firmware->row_count,
        .claims = loader->claims,
        .claim_count = claim_count,
    };
    regions_proof(&input, loader->regions, loader->region_count);
}

static bool convert(struct loader_model *loader, size_t claim_count)
{
    free(loader->regions);
    loader->regions = NULL;
    struct memory_map_result result;
    enum memory_map_status status = firmware_model_regions(loader->firmware, loader->claims,
                                                           claim_count, &loader->regions, &result);
    if (status != MEMORY_MAP_OK)
        return stop(loader, memory_map_status_text(status), "");
    loader->region_count = result.region_count;
    loader->report = result.report;
    prove_regions(loader, claim_count);
    return true;
}

/* It runs twice, as in the loader: for the size of the tables, and at the end. */
static bool build_regions(struct loader_model *loader)
{
    size_t claim_count = loader->claim_count;
    loader->claims[claim_count++] =
        (struct memory_map_claim){loader->options->framebuffer, HANDOFF_REGION_FRAMEBUFFER};
    if (!convert(loader, claim_count))
        return false;
    const struct memory_map_claim *unproven = &loader->report.unproven_claim;
    return phys_range_is_empty(unproven->range) ||
           stop(loader,
                "The firmware allocated memory that its own memory map does not show as usable, "
                "for the ",
                region_type_name((uint32_t)unproven->type));
}

static void warn_of_rows(struct loader_model *loader)
{
    const struct memory_map_report *report = &loader->report;
    log_text(loader, "memory map: %llu rows, %llu regions\n",
             (unsigned long long)loader->firmware->row_count,
             (unsigned long long)loader->region_count);
    if (report->unreachable_bytes != 0)
        log_text(loader,
                 "warning: %llu MiB of RAM at or above %llu GiB stay reserved: out of reach\n",
                 (unsigned long long)(report->unreachable_bytes / MIB),
                 (unsigned long long)(DIRECT_MAP_LIMIT_BYTES_4_LEVELS / GIB));
    if (report->attributes_assumed)
        log_text(loader, "warning: no memory map row has attributes: RAM is taken as write-back\n");
    if (report->dropped_empty + report->dropped_wrapping + report->shrunk_unaligned +
            report->overlapping + report->unknown_types + report->unusable_attributes ==
        0)
        return;
    log_text(loader,
             "warning: memory map rows: %u empty and %u wrapping dropped, %u unaligned shrunk, "
             "%u overlapping, %u of unknown type, %u not plain RAM\n",
             report->dropped_empty, report->dropped_wrapping, report->shrunk_unaligned,
             report->overlapping, report->unknown_types, report->unusable_attributes);
}

/* --- The first page tables -------------------------------------------------------------------- */

static bool allocate_table(void *context, struct phys_addr *ret_table)
{
    struct loader_model *loader = context;
    struct phys_range tables = loader->placement.page_tables;
    if (loader->tables_used_bytes == phys_range_size_bytes(tables))
        return false;
    *ret_table = phys_addr_add(tables.start, loader->tables_used_bytes);
    loader->tables_used_bytes += PAGE_SIZE_BYTES;
    return true;
}

/* The pool is freed as a whole. */
static void free_table(void *context, struct phys_addr table)
{
    (void)context;
    (void)table;
}

static uint64_t *access_table(void *context, struct phys_addr table)
{
    struct loader_model *loader = context;
    return fake_ram_at(loader->ram, table);
}

static struct bootstrap_plan table_plan(const struct loader_model *loader)
{
    return (struct bootstrap_plan){
        .kernel = loader_model_kernel(),
        .placement = &loader->placement,
        .regions = loader->regions,
        .region_count = loader->region_count,
    };
}

static bool reserve_tables(struct loader_model *loader, const struct bootstrap_plan *plan)
{
    uint64_t size_bytes =
        (bootstrap_tables_bound(plan, &loader->options->features) + TABLE_SLACK_PAGES) *
        PAGE_SIZE_BYTES;
    return take(loader, "the first page tables", size_bytes, HANDOFF_REGION_PAGE_TABLES,
                &loader->placement.page_tables);
}

static bool build_tables(struct loader_model *loader, const struct bootstrap_plan *plan)
{
    const struct page_table_memory memory = {
        .context = loader,
        .allocate_table = allocate_table,
        .free_table = free_table,
        .access_table = access_table,
    };
    struct page_table table;
    begin_phase(loader, "build tables");
    enum page_table_status status = page_table_create(&loader->options->features, &memory, &table);
    if (status == PAGE_TABLE_OK)
        status = bootstrap_tables_build(plan, &table, &loader->direct_map_size_bytes);
    return status == PAGE_TABLE_OK ||
           stop(loader, "The first page tables cannot be built: ", page_table_status_name(status));
}

/* --- The structure ---------------------------------------------------------------------------- */

static struct handoff_framebuffer framebuffer_of(struct phys_range range)
{
    if (phys_range_is_empty(range))
        return (struct handoff_framebuffer){0};
    return (struct handoff_framebuffer){
        .base = range.start.value,
        .size_bytes = phys_range_size_bytes(range),
        .width_pixels = 1024,
        .height_pixels = (uint32_t)(phys_range_size_bytes(range) / 4096),
        .pitch_bytes = 4096,
        .bits_per_pixel = 32,
        .pixel_format = HANDOFF_PIXEL_FORMAT_BGRX8888,
    };
}

static void write_efi_map(const struct loader_model *loader, uint8_t *map)
{
    const struct firmware_model *firmware = loader->firmware;
    for (size_t i = 0; i < firmware->row_count; i++)
        memcpy(map + i * DESCRIPTOR_STRIDE_BYTES, &firmware->rows[i], sizeof(firmware->rows[i]));
}

static void write_places(const struct loader_model *loader, struct handoff *handoff)
{
    const struct elf_plan *kernel = loader_model_kernel();
    const struct placement *placement = &loader->placement;
    handoff->direct_map_base = direct_map_base(loader->options->features.levels).value;
    handoff->direct_map_size_bytes = loader->direct_map_size_bytes;
    handoff->page_tables_base = placement->page_tables.start.value;
    handoff->page_tables_size_bytes = phys_range_size_bytes(placement->page_tables);
    handoff->temp_heap_base = placement->temp_heaps[0].start.value;
    handoff->temp_heap_size = phys_range_size_bytes(placement->temp_heaps[0]);
    handoff->kernel_physical_base = placement->kernel.start.value;
    handoff->kernel_virtual_base = kernel->image.start.value;
    handoff->kernel_size_bytes = virt_range_size_bytes(kernel->image);
    handoff->kernel_entry = kernel->entry.value;
    handoff->stack_physical_base = placement->stack.start.value;
    handoff->stack_virtual_base = BOOTSTRAP_STACK_VIRTUAL_BASE;
    handoff->stack_size_bytes = BOOTSTRAP_STACK_SIZE_BYTES;
    handoff->data_base = loader->data.start.value;
    handoff->data_size_bytes = phys_range_size_bytes(loader->data);
    handoff->loader_physical_base = placement->loader.memory.start.value;
    handoff->loader_virtual_base = BOOTSTRAP_LOADER_VIRTUAL_BASE;
    handoff->loader_size_bytes = LOADER_IMAGE_BYTES;
    handoff->previous_boot.base = placement->boot_record.start.value;
    handoff->previous_boot.size_bytes = phys_range_size_bytes(placement->boot_record);
    handoff->processor_start_base = placement->processor_start.start.value;
    handoff->processor_start_size_bytes = phys_range_size_bytes(placement->processor_start);
}

static void write_arch(const struct loader_model *loader, struct handoff_x86_64 *arch)
{
    const struct page_table_features *features = &loader->options->features;
    arch->page_table_root = loader->placement.page_tables.start.value;
    arch->tsc_frequency_hz = 1000000000; /* the host's nanoseconds */
    arch->flags = (features->no_execute ? HANDOFF_X86_64_NO_EXECUTE : 0) |
                  (features->largest_leaf_level >= 3 ? HANDOFF_X86_64_PAGES_1GIB : 0);
    arch->physical_address_bits = features->physical_bits;
}

/* Copy `count` elements into their part of the block. An empty array has no address. */
static struct handoff_array write_array(const struct loader_model *loader, uint64_t offset,
                                        const void *elements, size_t count, size_t stride_bytes)
{
    struct phys_addr address = phys_addr_add(loader->data.start, offset);
    if (count == 0)
        return (struct handoff_array){0, 0, 0};
    memcpy(fake_ram_at(loader->ram, address), elements, count * stride_bytes);
    return (struct handoff_array){address.value, (uint32_t)count, (uint32_t)stride_bytes};
}

static struct handoff_text write_text(const struct loader_model *loader, uint64_t offset,
                                      const char *text)
{
    struct phys_addr address = phys_addr_add(loader->data.start, offset);
    size_t size_bytes = strlen(text);
    memcpy(fake_ram_at(loader->ram, address), text, size_bytes + 1);
    return (struct handoff_text){address.value, size_bytes};
}

static void write_arrays(const struct loader_model *loader, const struct data_layout *layout,
                         struct handoff *handoff)
{
    const struct handoff_framebuffer framebuffer = framebuffer_of(loader->options->framebuffer);
    const struct handoff_temp_heap temp_heap = {
        loader->placement.temp_heaps[0].start.value,
        phys_range_size_bytes(loader->placement.temp_heaps[0])};
    handoff->regions = write_array(loader, layout->regions, loader->regions, loader->region_count,
                                   sizeof(struct handoff_region));
    handoff->timeline = write_array(loader, layout->timeline, loader->moments, loader->moment_count,
                                    sizeof(struct handoff_moment));
    handoff->temp_heaps = write_array(loader, layout->temp_heap, &temp_heap,
                                      temp_heap.size_bytes != 0 ? 1 : 0, sizeof(temp_heap));
    handoff->framebuffers = write_array(loader, layout->framebuffer, &framebuffer,
                                        framebuffer.size_bytes != 0 ? 1 : 0, sizeof(framebuffer));
}

static void write_data(const struct loader_model *loader, const struct data_layout *layout,
                       struct handoff *handoff)
{
    struct phys_addr efi_map = phys_addr_add(loader->data.start, layout->efi_map);
    write_efi_map(loader, fake_ram_at(loader->ram, efi_map));
    handoff->efi_map = efi_map.value;
    handoff->efi_map_size_bytes = loader->firmware->row_count * DESCRIPTOR_STRIDE_BYTES;
    handoff->efi_descriptor_size_bytes = DESCRIPTOR_STRIDE_BYTES;
    handoff->efi_descriptor_version = 1;
    handoff->command_line = write_text(loader, layout->command_line, COMMAND_LINE);
    handoff->kernel_path = write_text(loader, layout->kernel_path, KERNEL_PATH);
    handoff->log = write_text(loader, layout->log, loader->log);
}

static void finish(const struct loader_model *loader, const struct data_layout *layout)
{
    struct handoff *handoff = fake_ram_at(loader->ram, loader->data.start);
    *handoff = (struct handoff){
        .magic = HANDOFF_MAGIC,
        .version_major = HANDOFF_VERSION_MAJOR,
        .version_minor = HANDOFF_VERSION_MINOR,
        .size_bytes = sizeof(struct handoff),
        .machine = HANDOFF_MACHINE_X86_64,
        .loader_name = "simulator " HANDOFF_VERSION_TEXT,
        .random_seed_source = HANDOFF_SEED_CPU,
        /* Any fixed number: a run must be repeatable. */
        .random_seed = {0x5a, 0x17, 0xc3, 0x88, 0x21, 0x94, 0xee, 0x6b},
    };
    write_places(loader, handoff);
    write_arch(loader, &handoff->arch.x86_64);
    write_arrays(loader, layout, handoff);
    write_data(loader, layout, handoff);
    handoff->checksum = handoff_checksum(handoff, handoff->size_bytes);
}

static bool run(struct loader_model *loader)
{
    struct data_layout layout;
    if (!reserve_memory(loader) || !reserve_handoff(loader, &layout) || !build_regions(loader))
        return false;
    struct loader_image *image = &loader->placement.loader;
    image->sections[image->section_count++] =
        (struct loader_section){image->memory, .execute = true};
    struct bootstrap_plan plan = table_plan(loader);
    if (!reserve_tables(loader, &plan))
        return false;
    begin_phase(loader, "convert map");
    if (!build_regions(loader))
        return false;
    plan = table_plan(loader);
    if (!build_tables(loader, &plan))
        return false;
    warn_of_rows(loader);
    begin_phase(loader, "enter kernel");
    finish(loader, &layout);
    if (loader->boot_record.bytes != NULL)
        post_mortem_set_stage(&loader->boot_record, POST_MORTEM_ENTRY);
    return true;
}

bool loader_model_run(struct firmware_model *firmware, struct fake_ram *ram,
                      const struct loader_model_options *options,
                      struct loader_model_result *ret_result, char *ret_cause)
{
    struct loader_model loader = {
        .firmware = firmware, .ram = ram, .options = options, .cause = ret_cause};
    bool entered = run(&loader);
    free(loader.regions);
    if (!entered)
        return false;
    *ret_result = (struct loader_model_result){loader.data.start.value, loader.report};
    return true;
}
