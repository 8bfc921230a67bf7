/*
 * main.c - the simulator. It reads a memory map as text, runs the whole memory stack over it, and
 * prints a report. scripts/simulate.sh builds and calls it; docs/SIMULATOR.md describes its use.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/log.h"
#include "kernel/mm/heap_policies.h"
#include "kernel/mm/layout.h"
#include "shared/text/format.h"
#include "shared/text/number.h"
#include "shared/region.h"
#include "host/simulator/fake_ram.h"
#include "host/simulator/firmware_model.h"
#include "host/simulator/host.h"
#include "host/simulator/kernel_model.h"
#include "host/simulator/load.h"
#include "host/simulator/loader_model.h"
#include "host/simulator/map_decode.h"
#include "host/simulator/map_text.h"
#include "host/simulator/panic_host.h"
#include "host/simulator/regions_proof.h"
#include "host/simulator/report.h"
#include "host/simulator/verify.h"

/* The exit status of the process. */
enum exit_status {
    EXIT_READY = 0,
    EXIT_NO_INPUT = 1,      /* a wrong option, or no readable memory map */
    EXIT_DOES_NOT_BOOT = 2, /* the loader would stop or the kernel panic on this machine */
    EXIT_BROKEN = 3,        /* an invariant does not hold: a bug in the memory stack */
};

/* More than any log with a memory map has. */
#define TEXT_LIMIT_BYTES ((size_t)64 << 20)

struct options {
    const char *path;   /* "-": standard input */
    const char *source; /* its name in messages */
    const char *report_path;
    const struct load *load;
    const struct heap_policy *heap_policy;
    uint64_t temp_heap_size_bytes;
    uint64_t seed;
    bool old_cpu;
    bool heap_debug;
    bool print_map;
    uint64_t map_number; /* 0: the first map of the form with the most facts */
};

static _Noreturn void refuse(const char *format, const char *detail)
{
    (void)fprintf(stderr, "simulate: ");
    (void)fprintf(stderr, format, detail);
    (void)fprintf(stderr, "\n");
    exit(EXIT_NO_INPUT);
}

/* --- Options ---------------------------------------------------------------------------------- */

static const struct heap_policy *find_policy(const char *name)
{
    const struct heap_policy *policy = heap_policies_find(name);
    if (policy == NULL)
        refuse("there is no heap policy %s: use bump, first-fit, best-fit or fast", name);
    return policy;
}

static const struct load *find_load(const char *name)
{
    const struct load *load = load_find(name);
    if (load == NULL)
        refuse("there is no load %s: use boot, random, exhaustion or fragmentation", name);
    return load;
}

static uint64_t parse_number(const char *text)
{
    uint64_t number;
    if (!number_parse(text, strlen(text), &number))
        refuse("%s is not a number: write a decimal or 0x… number, with or without K, M or G",
               text);
    return number;
}

static uint64_t parse_temp_heap(const char *text)
{
    uint64_t size_bytes = parse_number(text);
    if (!page_is_aligned(size_bytes) || size_bytes > LAYOUT_DIRECT_MAP_LIMIT_BYTES)
        refuse("a temporary heap of %s bytes is not possible: use whole pages of 4 KiB", text);
    return size_bytes;
}

static uint64_t parse_map_number(const char *text)
{
    uint64_t number;
    if (!number_parse(text, strlen(text), &number) || number == 0)
        refuse("%s is not the number of a map: maps are counted from 1", text);
    return number;
}

/* Take an option without a value. False if it is another argument. */
static bool take_switch(const char *name, struct options *options)
{
    const struct {
        const char *name;
        bool *is_on;
    } switches[] = {
        {"--old-cpu", &options->old_cpu},
        {"--heap-debug", &options->heap_debug},
        {"--print-map", &options->print_map},
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].is_on = true;
            return true;
        }
    }
    return false;
}

static void take_value(const char *name, const char *value, struct options *options)
{
    if (strcmp(name, "--load") == 0)
        options->load = find_load(value);
    else if (strcmp(name, "--heap-policy") == 0)
        options->heap_policy = find_policy(value);
    else if (strcmp(name, "--temp-heap") == 0)
        options->temp_heap_size_bytes = parse_temp_heap(value);
    else if (strcmp(name, "--seed") == 0)
        options->seed = parse_number(value);
    else if (strcmp(name, "--map") == 0)
        options->map_number = parse_map_number(value);
    else if (strcmp(name, "--report") == 0)
        options->report_path = value;
    else if (strcmp(name, "--name") == 0)
        options->source = value;
    else
        refuse("there is no option %s", name);
}

/* Check that a file is named, and that the options fit together. */
static void complete_options(struct options *options)
{
    if (options->path == NULL)
        refuse("%s", "a file is missing: see scripts/simulate.sh --help");
    if (options->source == NULL)
        options->source = options->path;
    if (options->load->frees_in_any_order && options->heap_policy == &heap_policy_bump)
        refuse("the load %s frees in any order, which a bump heap refuses", options->load->name);
}

static struct options parse_options(int argument_count, char **arguments)
{
    struct options options = {
        .load = load_find("boot"),
        .heap_policy = &heap_policy_fast,
        .temp_heap_size_bytes = MIB,
        .seed = 1,
    };
    for (int i = 1; i < argument_count; i++) {
        const char *name = arguments[i];
        if (take_switch(name, &options))
            continue;
        if (strncmp(name, "--", 2) != 0) {
            options.path = name;
            continue;
        }
        if (++i == argument_count)
            refuse("%s needs a value", name);
        take_value(name, arguments[i], &options);
    }
    complete_options(&options);
    return options;
}

/* --- The map ---------------------------------------------------------------------------------- */

struct input {
    struct map_text map;
    struct memory_map_descriptor *rows;
};

static char *read_text(const char *path, size_t *ret_size_bytes)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "simulate: %s cannot be opened: %s\n", path, strerror(errno));
        exit(EXIT_NO_INPUT);
    }
    char *text = NULL;
    size_t size_bytes = 0, capacity = 0, got;
    do {
        capacity = capacity * 2 + 65536;
        text = host_reallocate(text, capacity);
        got = fread(text + size_bytes, 1, capacity - size_bytes, file);
        size_bytes += got;
    } while (size_bytes == capacity && size_bytes <= TEXT_LIMIT_BYTES);
    if (ferror(file) != 0)
        refuse("%s cannot be read", path);
    if (size_bytes > TEXT_LIMIT_BYTES)
        refuse("%s is too large for a memory map", path);
    if (file != stdin)
        (void)fclose(file);
    *ret_size_bytes = size_bytes;
    return text;
}

static _Noreturn void refuse_map(const struct options *options, const struct map_text_note *error)
{
    char place[16] = ""; /* 0 for a text without lines */
    if (error->line != 0)
        (void)format_text(place, sizeof place, "%u:", error->line);
    (void)fprintf(stderr, "simulate: %s:%s %s%s%s\n", options->source, place, error->text,
                  error->form_is_unknown ? ". " : "",
                  error->form_is_unknown ? map_text_known_forms() : "");
    exit(EXIT_NO_INPUT);
}

/* More of them are only counted. */
#define SHOWN_MAPS_MAX 8

static void print_maps(const struct options *options, const struct map_text *map)
{
    (void)fprintf(stderr, "simulate: %s has %zu maps:", options->source, map->map_count);
    for (size_t i = 0; i < map->map_count && i < SHOWN_MAPS_MAX; i++)
        (void)fprintf(stderr, "%s %zu from line %u (%s, %zu row%s)", i == 0 ? "" : ",", i + 1,
                      map->maps[i].line, map_text_form_name(map->maps[i].form),
                      map->maps[i].row_count, map->maps[i].row_count == 1 ? "" : "s");
    (void)fprintf(stderr, "%s; map %zu is read, --map N reads another\n",
                  map->map_count > SHOWN_MAPS_MAX ? ", …" : "", map->map_number);
}

static void print_notes(const struct options *options, const struct map_text *map)
{
    for (size_t i = 0; i < map->note_count; i++)
        (void)fprintf(stderr, "simulate: %s:%u: warning: %s\n", options->source, map->notes[i].line,
                      map->notes[i].text);
    if (map->map_count > 1)
        print_maps(options, map);
}

static struct input read_map(const struct options *options)
{
    struct input input;
    struct map_text_note error;
    size_t size_bytes;
    char *text = read_text(options->path, &size_bytes);
    size_bytes = map_decode(text, size_bytes);
    size_t limit = map_text_row_limit(text, size_bytes);
    input.rows = host_allocate(limit * sizeof(input.rows[0]));
    if (!map_text_parse(text, size_bytes, options->map_number, input.rows, limit, &input.map,
                        &error))
        refuse_map(options, &error);
    free(text);
    print_notes(options, &input.map);
    return input;
}

/* Print data rows, the form of tests/data/memory-maps. */
static void print_map(const struct input *input)
{
    (void)printf("# columns: type base pages attr\n");
    for (size_t i = 0; i < input->map.row_count; i++) {
        const struct memory_map_descriptor *row = &input->rows[i];
        (void)printf("%" PRIu32 " 0x%" PRIx64 " %" PRIu64 " 0x%" PRIx64 "\n", row->type,
                     row->physical_start, row->page_count, row->attribute);
    }
}

/* --- The machine ------------------------------------------------------------------------------ */

struct machine {
    const struct options *options;
    const struct input *input;
    struct firmware_model firmware;
    struct handoff_region *regions; /* of the firmware's map, before the loader took anything */
    struct fake_ram ram;
    struct kernel_model kernel;
    struct load_result load;
    struct report report;
    char cause[LOADER_MODEL_CAUSE_BYTES];
};

/* Return the part of the RAM that the direct map reaches; it may be empty. */
static struct phys_range reachable(const struct handoff_region *region)
{
    uint64_t limit = LAYOUT_DIRECT_MAP_LIMIT_BYTES;
    uint64_t end = region->base + region->size_bytes;
    struct phys_range range = phys_range(region->base, end < limit ? end : limit);
    return region_is_ram(region) && range.start.value < range.end.value ? range : phys_range(0, 0);
}

/* Return the framebuffer of a log. It is empty if the log has RAM at its addresses, too. */
static struct phys_range plausible_framebuffer(const struct machine *machine)
{
    struct phys_range framebuffer = machine->input->map.framebuffer;
    for (size_t i = 0; i < machine->report.region_count; i++) {
        const struct handoff_region *region = &machine->regions[i];
        struct phys_range range = phys_range(region->base, region->base + region->size_bytes);
        if (region_is_ram(region) && phys_range_overlaps(range, framebuffer)) {
            log_warning("simulator", "the framebuffer at 0x%llx lies in RAM: left out",
                        (unsigned long long)framebuffer.start.value);
            return phys_range(0, 0);
        }
    }
    return framebuffer;
}

static void insert_ram(struct machine *machine)
{
    const struct handoff_region *regions = machine->regions;
    uint64_t size_bytes = PAGE_SIZE_BYTES;
    for (size_t i = 0; i < machine->report.region_count; i++) {
        if (reachable(&regions[i]).end.value > size_bytes)
            size_bytes = reachable(&regions[i]).end.value;
    }
    if (!fake_ram_create(size_bytes, &machine->ram))
        refuse("%s",
               "this computer cannot map so many addresses (ulimit -v, vm.overcommit_memory)");
    for (size_t i = 0; i < machine->report.region_count; i++) {
        struct phys_range range = reachable(&regions[i]);
        if (!phys_range_is_empty(range) && !fake_ram_add(&machine->ram, range))
            refuse("%s", "this computer cannot map so many pieces of RAM (vm.max_map_count)");
    }
    fake_ram_catch_stray_access(&machine->ram, EXIT_BROKEN);
}

static enum exit_status end(struct machine *machine, enum exit_status status, const char *outcome,
                            const char *cause)
{
    machine->report.outcome = outcome;
    machine->report.cause = cause;
    if (status != EXIT_READY)
        log_line("simulator", "%s: %s", outcome, cause);
    return status;
}

static enum exit_status run_load(struct machine *machine)
{
    const char *problem = verify_everything(&machine->kernel);
    machine->report.proof_count += VERIFY_COUNT;
    if (problem != NULL)
        return end(machine, EXIT_BROKEN, "broken", problem);
    uint64_t started_ns = host_nanoseconds();
    load_run(machine->options->load, &machine->kernel, machine->options->seed, &machine->load);
    machine->report.proof_count += VERIFY_COUNT;
    machine->report.load = &machine->load;
    machine->report.load_name = machine->options->load->name;
    if (machine->load.problem != NULL)
        return end(machine, EXIT_BROKEN, "broken", machine->load.problem);
    log_raw("[load] name=%s", machine->options->load->name);
    for (size_t i = 0; i < machine->load.figure_count; i++)
        log_raw(" %s=%llu", machine->load.figures[i].key,
                (unsigned long long)machine->load.figures[i].value);
    log_raw(" took_us=%llu\n", (unsigned long long)((host_nanoseconds() - started_ns) / 1000));
    return end(machine, EXIT_READY, "ready", "");
}

/* These panics mean that the machine is too small. Any other panic is a bug of the memory stack. */
static bool machine_is_to_blame(enum panic_code code)
{
    switch (code) {
    case PANIC_MEMORY_MAP:
    case PANIC_FRAME_METADATA:
    case PANIC_EARLY_HEAP_EXHAUSTED:
    case PANIC_PAGE_TABLES:
    case PANIC_HEAP_INIT:
        return true;
    default:
        return false;
    }
}

static enum exit_status run_kernel(struct machine *machine, uint64_t handoff_address)
{
    machine->report.kernel = &machine->kernel;
    kernel_model_run(&machine->kernel, handoff_address);
    machine->report.regions = machine->kernel.view.regions.first;
    machine->report.region_count = machine->kernel.view.regions.count;
    return run_load(machine);
}

static enum exit_status end_in_panic(struct machine *machine)
{
    if (!machine->kernel.is_ready && machine_is_to_blame(panic_host.code))
        return end(machine, EXIT_DOES_NOT_BOOT, "panic", panic_host.cause);
    return end(machine, EXIT_BROKEN, "broken", panic_host.cause);
}

/* Make the firmware's map, and RAM at the addresses where the map has RAM. */
static enum memory_map_status start_firmware(struct machine *machine)
{
    struct memory_map_result converted;
    firmware_model_create(&machine->firmware, machine->input->rows, machine->input->map.row_count);
    enum memory_map_status status =
        firmware_model_regions(&machine->firmware, NULL, 0, &machine->regions, &converted);
    if (status != MEMORY_MAP_OK)
        return status;
    machine->report.regions = machine->regions;
    machine->report.region_count = converted.region_count;
    const struct memory_map_input input = {.rows = machine->firmware.rows,
                                           .row_count = machine->firmware.row_count};
    regions_proof(&input, machine->regions, machine->report.region_count);
    insert_ram(machine);
    return MEMORY_MAP_OK;
}

static enum exit_status run_machine(struct machine *machine)
{
    const struct options *options = machine->options;
    enum memory_map_status status = start_firmware(machine);
    if (status != MEMORY_MAP_OK)
        return end(machine, EXIT_DOES_NOT_BOOT, "stop", memory_map_status_text(status));
    struct loader_model_options loader = {
        .temp_heap_size_bytes = options->temp_heap_size_bytes,
        .framebuffer = plausible_framebuffer(machine),
        .features = {.levels = 4,
                     .physical_bits = 52,
                     .no_execute = true,
                     .largest_leaf_level = options->old_cpu ? 2 : 3,
                     .write_combining = true},
        .started_ns = host_nanoseconds(),
    };
    struct loader_model_result loaded;
    if (!loader_model_run(&machine->firmware, &machine->ram, &loader, &loaded, machine->cause))
        return end(machine, EXIT_DOES_NOT_BOOT, "stop", machine->cause);
    machine->kernel = (struct kernel_model){.ram = &machine->ram,
                                            .features = loader.features,
                                            .heap_policy = options->heap_policy,
                                            .heap_debug = options->heap_debug,
                                            .started_ns = loader.started_ns};
    return run_kernel(machine, loaded.handoff_address);
}

static void write_report(const struct machine *machine)
{
    const char *path = machine->options->report_path;
    if (path == NULL)
        return;
    FILE *file = fopen(path, "w");
    if (file == NULL || !report_write(&machine->report, file) || fclose(file) != 0)
        refuse("the report %s cannot be written", path);
}

/* A finding of the sanitizers is a bug. Leaks are not reported: a panic frees no memory. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:exitcode=3";
}

static void write_output(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    (void)fwrite(text, 1, length_bytes, stdout);
    (void)fflush(stdout);
}

int main(int argument_count, char **arguments)
{
    static struct machine machine; /* static: longjmp() can restore old registers */
    struct options options = parse_options(argument_count, arguments);
    uint64_t started_ns = host_nanoseconds();
    struct input input = read_map(&options);
    if (options.print_map) {
        print_map(&input);
        free(input.rows);
        return EXIT_READY;
    }
    log_add_sink((struct log_sink){write_output, NULL, NULL});
    machine.options = &options;
    machine.input = &input;
    machine.report = (struct report){
        .source = options.source, .cause = "", .map = &input.map, .rows = input.rows};
    log_line("simulator", "map=\"%s\" form=\"%s\" rows=%llu", options.source,
             map_text_form_name(input.map.form), (unsigned long long)input.map.row_count);
    panic_host.armed = true;
    enum exit_status status =
        setjmp(panic_host.leave) == 0 ? run_machine(&machine) : end_in_panic(&machine);
    machine.report.took_ns = host_nanoseconds() - started_ns;
    write_report(&machine);
    free(input.rows);
    return (int)status;
}
