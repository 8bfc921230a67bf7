#include "kernel/boot/bring_up.h"

#include "kernel/arch.h"
#include "kernel/core/command_words.h"
#include "kernel/boot/ending.h"
#include "kernel/handoff/entry_state.h"
#include "kernel/core/guard.h"
#include "kernel/handoff/handoff_check.h"
#include "kernel/core/image.h"
#include "kernel/diagnostics/interrupt_test.h"
#include "kernel/core/log.h"
#include "kernel/diagnostics/measure.h"
#include "kernel/mm/early_heap_picture.h"
#include "kernel/mm/heap/views/heap_leaks.h"
#include "kernel/mm/heap/views/heap_picture.h"
#include "kernel/mm/heap/policy.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging/page_audit.h"
#include "kernel/mm/paging/space_map.h"
#include "kernel/diagnostics/ownership.h"
#include "kernel/core/panic.h"
#include "kernel/core/panic_report.h"
#include "kernel/diagnostics/print_help.h"
#include "kernel/diagnostics/provoke.h"
#include "kernel/diagnostics/sanitizer/address.h"
#include "kernel/diagnostics/self_test.h"
#include "kernel/core/symbols.h"
#include "shared/text/command_line.h"
#include "shared/text/console_font.h"
#include "shared/text/format.h"
#include "shared/memory.h"
#include "shared/region.h"
#include "shared/text/text.h"

/* What serves when the loader's temporary heap cannot: at a link-time address, in the image. */
#define EARLY_HEAP_FALLBACK_SIZE_BYTES (1024 * 1024)
static _Alignas(4096) uint8_t early_heap_fallback[EARLY_HEAP_FALLBACK_SIZE_BYTES]
    __attribute__((section(".bss.early_heap_fallback")));

/* Frames of the four stacks and the image's data, each in a run of its own at worst. */
#define AUDIT_RUN_LIMIT 512

static void mark(struct kernel *kernel, const char *phase)
{
    uint64_t now = arch_timestamp();
    timeline_mark(&kernel->timeline, phase, now);
    frame_allocator_begin_phase(&kernel->frames, phase, now);
}

static void write_serial(void *context, const char *text, size_t length_bytes)
{
    (void)context;
    arch_serial_write(text, length_bytes);
}

static void clear_screen(void *context)
{
    framebuffer_text_clear(context);
}

static void write_screen(void *context, const char *text, size_t length_bytes)
{
    framebuffer_text_write(context, text, length_bytes);
}

static void *direct_map(const struct kernel *kernel, struct phys_addr address)
{
    return (void *)(kernel->direct_map_base + address.value);
}

/* --- [handoff] ------------------------------------------------------------------------------ */

/* False if there is not room for a row of text. The framebuffer's own numbers are judged there. */
static bool open_screen(struct kernel *kernel, const struct handoff_framebuffer *framebuffer)
{
    if (!framebuffer_text_initialise(&kernel->screen, framebuffer,
                                     direct_map(kernel, phys_addr(framebuffer->base)), console_font,
                                     kernel->screen_cells, sizeof kernel->screen_cells))
        return false;
    log_add_sink((struct log_sink){write_screen, &kernel->screen, clear_screen});
    return true;
}

static void start_screen(struct kernel *kernel)
{
    if (kernel->view.framebuffer_status != HANDOFF_FRAMEBUFFER_OK)
        log_warning("handoff", "no screen: %s; serial only",
                    handoff_framebuffer_text(kernel->view.framebuffer_status));
    else if (!open_screen(kernel, &kernel->view.framebuffer))
        log_warning("handoff", "the screen is too small for a row of text; serial only");
    else
        kernel->has_screen = true;
}

/* The loader's own log, line by line, so that a PC without a serial port shows it too. */
static void show_loader_log(const char *text)
{
    while (*text != '\0') {
        const char *end = text;
        while (*end != '\0' && *end != '\n')
            end++;
        log_line("loader", "%.*s", (int)(end - text), text);
        text = *end == '\n' ? end + 1 : end;
    }
}

/* The memory map as the simulator reads it (scripts/simulate.sh), so that a machine can be replayed
 * from its log. */
static void print_regions(const struct region_list *regions)
{
    for (uint32_t i = 0; i < regions->count; i++) {
        const struct handoff_region *region = region_list_at(regions, i);
        log_line("region",
                 "base=0x%llx size=%llu type=%s facts=0x%x reuse=%u efi_type=%u attributes=0x%llx",
                 (unsigned long long)region->base, (unsigned long long)region->size_bytes,
                 region_type_name(region->type), region->facts, region->reuse, region->efi_type,
                 (unsigned long long)region->attributes);
    }
}

static void describe_segments(struct kernel *kernel)
{
    kernel->segments[0] = (struct kernel_segment){
        "text", {(uint64_t)kernel_text_start, (uint64_t)kernel_text_end}, false, true};
    kernel->segments[1] = (struct kernel_segment){
        "rodata", {(uint64_t)kernel_rodata_start, (uint64_t)kernel_rodata_end}, false, false};
    kernel->segments[2] = (struct kernel_segment){
        "data", {(uint64_t)kernel_data_start, (uint64_t)kernel_data_end}, true, false};
    kernel->segments[3] = (struct kernel_segment){
        "symbols", {(uint64_t)kernel_symbols_start, (uint64_t)kernel_symbols_end}, false, false};
}

/* What the handoff is held against: nothing of it comes from the loader. */
static struct entry_state entry_state(struct kernel *kernel)
{
    describe_segments(kernel);
    struct entry_state state = {
        .image = {(uint64_t)kernel_image_start, (uint64_t)kernel_image_end},
        .entry = (uint64_t)kernel_entry,
        .segments = kernel->segments,
        .segment_count = KERNEL_SEGMENT_COUNT,
    };
    arch_entry_state(&state);
    return state;
}

static _Noreturn void refuse(struct kernel *kernel, uint64_t handoff,
                             const struct entry_state *state, enum handoff_check_status status)
{
    struct handoff_framebuffer framebuffer;
    if (handoff_check_screen(handoff, state, &framebuffer))
        open_screen(kernel, &framebuffer);
    uint64_t handed_over, known;
    if (handoff_check_numbers(handoff, state, status, &handed_over, &known))
        panic(PANIC_HANDOFF,
              "the handoff at 0x%llx is refused: %s (handed over: 0x%llx, in use: 0x%llx)",
              (unsigned long long)handoff, handoff_check_text(status),
              (unsigned long long)handed_over, (unsigned long long)known);
    panic(PANIC_HANDOFF, "the handoff at 0x%llx is refused: %s", (unsigned long long)handoff,
          handoff_check_text(status));
}

static void warn_of_word(void *context, const char *sentence)
{
    (void)context;
    log_warning("command-line", "%s", sentence);
}

/* Before anything can panic, so that a test is told of it. */
static void choose_debug_exit(const char *command_line)
{
    uint64_t port;
    if (!command_line_mentions(command_line, "debug-exit"))
        return;
    if (command_line_number(command_line, "debug-exit", &port) && port <= UINT16_MAX)
        panic_set_debug_exit_port((uint16_t)port);
    else
        log_warning("command-line", "debug-exit= is ignored: the value is a port from 0 to 0xffff");
}

void bring_up_handoff(struct kernel *kernel, const void *handoff)
{
    uint64_t entered = arch_timestamp();
    arch_serial_initialise();
    log_count_ticks(arch_timestamp);
    log_add_sink((struct log_sink){write_serial, NULL, NULL});

    struct handoff_view view;
    struct entry_state state = entry_state(kernel);
    kernel->direct_map_base = state.direct_map_base;
    enum handoff_check_status status = handoff_check((uint64_t)handoff, &state, &view);
    if (status != HANDOFF_CHECK_OK)
        refuse(kernel, (uint64_t)handoff, &state, status);

    kernel->handoff = *view.handoff;
    kernel->view = view;
    kernel->view.handoff = &kernel->handoff;
    choose_debug_exit(view.command_line);
    timeline_begin(&kernel->timeline, &kernel->handoff, view.timeline);
    timeline_mark(&kernel->timeline, "kernel: handoff", entered);
    start_screen(kernel);
    show_loader_log(view.log);
    log_line("handoff", "version=%u.%u size=%u loader=\"%s\" regions=%u checksum=0x%08x",
             kernel->handoff.version_major, kernel->handoff.version_minor,
             kernel->handoff.size_bytes, kernel->handoff.loader_name, kernel->handoff.regions.count,
             kernel->handoff.checksum);
    command_words_check(view.command_line, warn_of_word, NULL);
    if (command_line_has(view.command_line, "print-regions"))
        print_regions(&view.regions);
}

/* --- [early-heap] ---------------------------------------------------------------------------- */

/* From here on nothing of the loader's data block is needed. */
static void copy_handed_over_data(struct kernel *kernel)
{
    size_t size_bytes = (size_t)kernel->view.regions.count * sizeof(struct handoff_region);
    struct handoff_region *regions = early_heap_allocate_or_panic(&kernel->early_heap, size_bytes,
                                                                  _Alignof(struct handoff_region));
    for (uint32_t i = 0; i < kernel->view.regions.count; i++)
        regions[i] = *region_list_at(&kernel->view.regions, i);
    kernel->view.regions.first = regions;
    kernel->view.regions.stride_bytes = sizeof *regions;

    size_t text_bytes = (size_t)kernel->handoff.command_line.size_bytes + 1;
    char *command_line = early_heap_allocate_or_panic(&kernel->early_heap, text_bytes, 1);
    memcpy(command_line, kernel->view.command_line, text_bytes);
    kernel->view.command_line = command_line;

    /* What was not copied goes with the loader's block. */
    kernel->view.log = NULL;
    kernel->view.efi_map = NULL;
    kernel->view.timeline = NULL;
}

void bring_up_early_heap(struct kernel *kernel)
{
    mark(kernel, "kernel: early heap");
    enum handoff_temp_heap_status status = handoff_check_temp_heap(&kernel->view);
    void *base = direct_map(kernel, phys_addr(kernel->handoff.temp_heap_base));
    uint64_t size_bytes = kernel->handoff.temp_heap_size;

    if (status != HANDOFF_TEMP_HEAP_OK) {
        char policy[16];
        if (command_line_value(kernel->view.command_line, "heap", policy, sizeof policy) &&
            text_equal(policy, "strict"))
            panic(PANIC_EARLY_HEAP_STRICT, "heap=strict, and the temporary heap is refused: %s",
                  handoff_temp_heap_text(status));
        log_warning("early-heap", "the fixed region serves: %s", handoff_temp_heap_text(status));
        kernel->early_heap_is_fallback = true;
        base = early_heap_fallback;
        size_bytes = sizeof early_heap_fallback;
    }

    enum early_heap_status started = early_heap_initialise(&kernel->early_heap, base, size_bytes);
    kernel_assert(started == EARLY_HEAP_OK);
    early_heap_begin_phase(&kernel->early_heap, "handoff");
    copy_handed_over_data(kernel);
    log_line("early-heap", "source=%s base=%p size=%llu reason=\"%s\"",
             kernel->early_heap_is_fallback ? "fallback" : "handoff", base,
             (unsigned long long)size_bytes, handoff_temp_heap_text(status));
    provoke(kernel, true);
}

/* --- [cpu] ------------------------------------------------------------------------------------ */

void bring_up_cpu(struct kernel *kernel)
{
    char features[128];
    mark(kernel, "kernel: cpu");
    arch_cpu_initialise();
    arch_describe_features(features, sizeof features);
    log_line("cpu", "%s", features);
}

/* --- [frames] --------------------------------------------------------------------------------- */

void bring_up_frames(struct kernel *kernel)
{
    mark(kernel, "kernel: frames");
    early_heap_begin_phase(&kernel->early_heap, "frames");
    enum frame_allocator_status status = frame_allocator_initialise(
        &kernel->frames, &kernel->view.regions, &kernel->early_heap, kernel->direct_map_base);
    if (status != FRAME_ALLOCATOR_OK) {
        enum panic_code code =
            status == FRAME_ALLOCATOR_NO_ROOM ? PANIC_FRAME_METADATA : PANIC_MEMORY_MAP;
        panic(code, "%s: %llu KiB of RAM are usable, %llu KiB are needed",
              frame_allocator_status_text(status),
              (unsigned long long)(frame_allocator_available_bytes(&kernel->view.regions) / KIB),
              (unsigned long long)(FRAME_ALLOCATOR_RAM_MIN_BYTES / KIB));
    }
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    log_line("frames", "total=%llu free=%llu reserved=%llu ram_mib=%llu",
             (unsigned long long)frames.total_count, (unsigned long long)frames.free_count,
             (unsigned long long)frames.reserved_count,
             (unsigned long long)(frames.total_count * FRAME_SIZE_BYTES / MIB));
}

/* --- [paging] --------------------------------------------------------------------------------- */

static void describe_image(struct kernel *kernel)
{
    kernel->layout = (struct kernel_layout){
        .virtual_base = virt_addr(kernel->handoff.kernel_virtual_base),
        .physical_base = phys_addr(kernel->handoff.kernel_physical_base),
        .segments = kernel->segments,
        .segment_count = KERNEL_SEGMENT_COUNT,
    };
}

static void *access_through_direct_map(void *context, struct phys_addr page)
{
    return direct_map(context, page);
}

/* This kernel starts no other CPU, so there is nobody to interrupt and to wait for. The count lets
 * the self-test prove that the call comes whenever a translation has changed. */
static void shoot_down_other_cpus(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct kernel *kernel = context;
    (void)start;
    (void)size_bytes;
    kernel->shoot_down_count++;
}

static void require_mapped(enum page_table_status status, const char *what)
{
    if (status != PAGE_TABLE_OK)
        panic(PANIC_PAGE_TABLES, "%s: %s", what, page_table_status_name(status));
}

static struct virt_addr map_stack(struct kernel *kernel, const char *name)
{
    struct virt_addr top;
    require_mapped(
        address_space_map_stack(&kernel->address_space, name, LAYOUT_STACK_SIZE_BYTES, &top), name);
    return top;
}

_Noreturn void bring_up_paging(struct kernel *kernel, void (*next)(void *kernel))
{
    mark(kernel, "kernel: paging");
    early_heap_begin_phase(&kernel->early_heap, "paging");
    describe_image(kernel);
    const struct handoff_framebuffer *framebuffer = &kernel->view.framebuffer;
    struct address_space_plan plan = {
        .layout = kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
    };
    if (kernel->has_screen)
        plan.framebuffer =
            (struct range){framebuffer->base, framebuffer->base + framebuffer->size_bytes};
    arch_page_features(&plan.features);
    const struct address_space_environment environment = {
        .frames = &kernel->frames,
        .context = kernel,
        .access = access_through_direct_map,
        .invalidate = arch_invalidate_pages,
        .shoot_down = shoot_down_other_cpus,
    };
    require_mapped(address_space_build(&kernel->address_space, &plan, &environment),
                   "the kernel's page tables");

    struct virt_addr stack_top = map_stack(kernel, "main stack");
    kernel->interrupt_stacks = (struct arch_interrupt_stacks){
        .double_fault_top = map_stack(kernel, "double-fault stack"),
        .nmi_top = map_stack(kernel, "NMI stack"),
        .machine_check_top = map_stack(kernel, "machine-check stack"),
    };
    guard_use(&kernel->address_space);
    arch_switch_address_space(kernel->address_space.table.upper_root, stack_top, next, kernel);
}

/* What the loader built is not in use any more: its tables, its stack, its image, its data. */
static uint64_t reclaim_loader_memory(struct kernel *kernel)
{
    return frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_LOADER) +
           frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_COPY);
}

static void audit_with(struct kernel *kernel, struct range *scratch, size_t scratch_count,
                       struct page_audit_result *ret_result)
{
    const struct page_audit_input input = {
        .space = &kernel->address_space,
        .layout = &kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
        .image_unmapped_bytes = kernel->image_unmapped_bytes,
        .scratch = scratch,
        .scratch_count = scratch_count,
    };
    if (!page_audit_run(&input, ret_result))
        panic(PANIC_PAGE_AUDIT, "%llu violations, the first: %s",
              (unsigned long long)ret_result->violation_count, ret_result->first_violation);
}

/* While the early heap lives. */
static void audit_early(struct kernel *kernel, struct page_audit_result *ret_result)
{
    struct early_heap_mark before = early_heap_mark(&kernel->early_heap);
    struct range *scratch = early_heap_allocate_or_panic(
        &kernel->early_heap, AUDIT_RUN_LIMIT * sizeof *scratch, _Alignof(struct range));
    audit_with(kernel, scratch, AUDIT_RUN_LIMIT, ret_result);
    early_heap_release(&kernel->early_heap, before);
}

void bring_up_paging_audit(struct kernel *kernel)
{
    struct page_audit_result result;
    /* Not before the switch: the loader's tables do not map them. */
    arch_use_interrupt_stacks(&kernel->interrupt_stacks);
    mark(kernel, "kernel: page audit");
    early_heap_begin_phase(&kernel->early_heap, "page audit");
    audit_early(kernel, &result);
    mark(kernel, "kernel: reclaim");
    uint64_t reclaimed = reclaim_loader_memory(kernel);
    log_line("paging", "levels=%u wx=%llu audit=passed pages=%llu tables=%llu reclaimed=%llu",
             kernel->address_space.table.features.levels,
             (unsigned long long)result.writable_executable_count,
             (unsigned long long)result.page_count, (unsigned long long)result.table_count,
             (unsigned long long)reclaimed);
}

/* --- [heap] ----------------------------------------------------------------------------------- */

/* The secret of the heap's seals. Without entropy from the loader it is only hard to guess. */
static uint64_t heap_secret(const struct kernel *kernel)
{
    uint64_t secret = arch_timestamp() * UINT64_C(0x9e3779b97f4a7c15);
    if (!handoff_has_random_seed(&kernel->handoff)) {
        log_warning("heap", "no random seed was handed over: the time-stamp counter serves");
        return secret;
    }
    memcpy(&secret, kernel->handoff.random_seed, sizeof secret);
    return secret;
}

/* `heap=` on the command line. "strict" is a matter of the early heap, and chooses no policy; a
 * name that is none was warned of (kernel/core/command_words.h). */
static const struct heap_policy *heap_policy(const struct kernel *kernel)
{
    char name[16] = "";
    (void)command_line_value(kernel->view.command_line, "heap", name, sizeof name);
    const struct heap_policy *policy = heap_policy_by_name(name);
    return policy != NULL ? policy : &heap_policy_fast;
}

static void warn_of_setting(const struct kernel *kernel, const char *key, const char *warning)
{
    char value[32];
    if (warning == NULL)
        return;
    if (!command_line_value(kernel->view.command_line, key, value, sizeof value))
        value[0] = '\0'; /* none, or too long to be shown */
    log_warning("heap", "%s=%s %s: the default is used", key, value, warning);
}

/* The seed's second 8 bytes; the first are the secret of the seals. */
static struct heap_settings heap_settings(const struct kernel *kernel,
                                          const struct heap_policy *policy)
{
    uint64_t random;
    memcpy(&random, &kernel->handoff.random_seed[sizeof random], sizeof random);
    bool has_random = handoff_has_random_seed(&kernel->handoff);
    struct heap_settings settings;
    struct heap_settings_warnings warnings;
    heap_settings_choose(kernel->view.command_line,
                         frame_allocator_statistics(&kernel->frames).total_count * FRAME_SIZE_BYTES,
                         has_random ? &random : NULL, &settings, &warnings);
    if (settings.limit_bytes > ADDRESS_SHADOWED_BYTES)
        settings.limit_bytes = ADDRESS_SHADOWED_BYTES;
    if (settings.window_bytes > settings.limit_bytes)
        settings.window_bytes = settings.limit_bytes;
    /* A kernel that looks at each access (KASAN=1) knows the one window. A bump heap has no guarded
     * blocks (kernel/mm/heap/layers/guarded.h). */
    if (ADDRESS_RED_ZONE_BYTES != 0 || policy->frees_newest_only)
        settings.guarded_bytes = 0;
    warn_of_setting(kernel, "heap_window", warnings.window);
    warn_of_setting(kernel, "heap_limit", warnings.limit);
    warn_of_setting(kernel, "heap_aslr", warnings.aslr);
    warn_of_setting(kernel, "heap_debug", warnings.debug);
    warn_of_setting(kernel, "heap_guard", warnings.guard);
    warn_of_setting(kernel, "heap_sample", warnings.sample);
    return settings;
}

void bring_up_heap(struct kernel *kernel)
{
    mark(kernel, "kernel: heap");
    const struct heap_policy *policy = heap_policy(kernel);
    struct heap_settings settings = heap_settings(kernel, policy);
    heap_window_initialise(&kernel->heap_window, &kernel->address_space, &settings);
    const struct heap_configuration configuration = {
        .policy = policy,
        .base = (void *)settings.base.value,
        .limit_bytes = settings.limit_bytes,
        .pages = heap_window_page_source(&kernel->heap_window),
        .secret = heap_secret(kernel),
        .debug = settings.debug,
        .guarded = {.base = (void *)settings.guarded_base.value,
                    .window_bytes = settings.guarded_bytes,
                    .large_bytes = settings.large_bytes,
                    .sample_interval = settings.sample_interval,
                    .pages = heap_window_guarded_pages(&kernel->heap_window)},
        .fault = kmalloc_fault,
    };
    enum heap_status status = heap_initialise(&configuration, &kernel->heap);
    if (status != HEAP_OK)
        panic(PANIC_HEAP_INIT, "the permanent heap: %s", heap_status_name(status));
    kmalloc_online(&kernel->heap);
    char guard[24] = "off";
    if (settings.guarded_bytes != 0 && settings.large_bytes != UINT64_MAX)
        format_text(guard, sizeof guard, "%llu", (unsigned long long)settings.large_bytes);
    log_line("heap",
             "base=%p window=%llu limit=%llu mapped=%llu policy=%s debug=%s aslr=%s online=yes "
             "guard=%s sample=%llu",
             (void *)settings.base.value, (unsigned long long)kernel->heap_window.window_bytes,
             (unsigned long long)settings.limit_bytes,
             (unsigned long long)kernel->heap_window.mapped_bytes, heap_policy_name(&kernel->heap),
             configuration.debug ? "on" : "off", settings.is_randomised ? "on" : "off", guard,
             (unsigned long long)(settings.guarded_bytes == 0 ? 0 : settings.sample_interval));
}

/* --- [heap-stats] and [heap-map] --------------------------------------------------------------
 */

static void log_heap_row(void *context, const void *start, const char *text)
{
    (void)context;
    log_line("heap-map", "from=%p map=%s", start, text);
}

static void log_sizes(const struct heap_picture *picture)
{
    for (unsigned class = 0; class < HEAP_SIZE_CLASS_COUNT; class ++) {
        if (picture->live_counts[class] != 0)
            log_line("heap-stats", "up_to_bytes=%llu blocks=%llu",
                     (unsigned long long)(UINT64_C(1) << class),
                     (unsigned long long)picture->live_counts[class]);
    }
}

/* `print-heap`: the figures, the sizes, and a map of it. `when` is a word for the moment. */
static void print_heap(const struct heap *heap, const char *when)
{
    struct heap_picture picture;
    heap_picture_take(heap, &picture);
    const struct heap_statistics *figures = &picture.statistics;
    log_line(
        "heap-stats",
        "size=%zu used=%zu free=%zu overhead=%zu peak=%zu largest=%zu blocks=%zu pieces=%zu "
        "waiting=%zu allocations=%llu frees=%llu failures=%llu internal_permille=%u "
        "external_permille=%u guarded_blocks=%zu guarded=%zu sampled=%llu unguarded=%llu when=%s",
        figures->size_bytes, figures->used_bytes, figures->free_bytes, figures->overhead_bytes,
        figures->peak_used_bytes, figures->largest_free_bytes, figures->live_block_count,
        figures->free_block_count, figures->waiting_block_count,
        (unsigned long long)figures->allocation_count, (unsigned long long)figures->free_count,
        (unsigned long long)figures->failure_count, picture.internal_permille,
        picture.external_permille, figures->guarded_block_count, figures->guarded_bytes,
        (unsigned long long)figures->sampled_count, (unsigned long long)figures->unguarded_count,
        when);
    log_sizes(&picture);
    size_t stretch_bytes;
    heap_map_draw(heap, log_heap_row, NULL, &stretch_bytes);
    log_line("heap-map", "character=%zu", stretch_bytes);
}

/* --- [self-test] ------------------------------------------------------------------------------ */

/* `self-test=interrupts`: what costs seconds, and needs a device, is done for those who ask. */
static void test_interrupts(struct kernel *kernel)
{
    char which[16];
    if (!command_line_value(kernel->view.command_line, "self-test", which, sizeof which) ||
        !text_equal(which, "interrupts"))
        return;
    struct interrupt_test_result result;
    if (heap_frees_newest_only(&kernel->heap))
        log_warning("self-test", "a bump heap frees in reverse order alone: no test of interrupts");
    else if (!interrupt_test_run(&kernel->heap, &kernel->address_space, &result))
        log_warning("self-test", "this CPU's timer is not there: no test of interrupts");
    else
        log_line("interrupts", "operations=%llu interrupts=%llu deferred=%llu check=passed",
                 (unsigned long long)result.operation_count,
                 (unsigned long long)result.interrupt_count,
                 (unsigned long long)result.deferred_count);
}

/* The kernel's own boot leaves nothing on the heap: it is the self-test that shows it in use. */
static void look_at_used_heap(const struct heap *heap)
{
    print_heap(heap, "self-test");
}

void bring_up_self_test(struct kernel *kernel)
{
    mark(kernel, "kernel: self-test");
    early_heap_begin_phase(&kernel->early_heap, "self-test");
    bool prints_heap = command_line_has(kernel->view.command_line, "print-heap");
    struct self_test_result result =
        self_test_run(&kernel->heap, &kernel->frames, &kernel->early_heap,
                      prints_heap ? look_at_used_heap : NULL);
    result.passed_count +=
        self_test_address_space(&kernel->address_space, &kernel->shoot_down_count);
    struct page_audit_result again;
    audit_early(kernel, &again);
    struct heap_statistics heap;
    heap_statistics(&kernel->heap, &heap);
    log_line("self-test", "passed=%u blocks=%u heap_peak=%llu", result.passed_count,
             result.allocation_count, (unsigned long long)heap.peak_used_bytes);
    test_interrupts(kernel);
}

/* --- [early-heap] retired ----------------------------------------------------------------------
 */

/* The fallback region is part of the image: its pages are unmapped there before they are reused, so
 * that no frame is mapped writable twice. */
static struct phys_addr detach(struct kernel *kernel, struct range untouched)
{
    if (!kernel->early_heap_is_fallback)
        return phys_addr(untouched.start - kernel->direct_map_base);
    require_mapped(page_table_unmap(&kernel->address_space.table, virt_addr(untouched.start),
                                    range_size_bytes(untouched)),
                   "the fixed early heap");
    kernel->image_unmapped_bytes = range_size_bytes(untouched);
    return phys_addr(untouched.start - kernel->layout.virtual_base.value +
                     kernel->layout.physical_base.value);
}

/* `print-early-heap`: what each phase took, the sum, and a map of it. */
static void print_early_heap(const struct early_heap *heap)
{
    for (uint32_t i = 0; i < heap->phase_count; i++) {
        const struct early_heap_phase *phase = &heap->phases[i];
        if (phase->allocation_count != 0)
            log_line("early-heap-stats", "phase=\"%s\" allocations=%llu bytes=%llu", phase->name,
                     (unsigned long long)phase->allocation_count,
                     (unsigned long long)phase->allocated_bytes);
    }
    struct early_heap_statistics sum = early_heap_statistics(heap);
    log_line("early-heap-stats", "size=%llu used=%llu free=%llu peak=%llu allocations=%llu",
             (unsigned long long)sum.size_bytes, (unsigned long long)sum.used_bytes,
             (unsigned long long)sum.free_bytes, (unsigned long long)sum.peak_bytes,
             (unsigned long long)sum.allocation_count);
    char map[EARLY_HEAP_MAP_CHARACTERS + 1];
    uint64_t stretch_bytes = early_heap_map_draw(heap, map);
    log_line("early-heap-map", "from=%p map=%s", (void *)heap->start, map);
    log_line("early-heap-map", "character=%llu", (unsigned long long)stretch_bytes);
}

void bring_up_retire_early_heap(struct kernel *kernel)
{
    mark(kernel, "kernel: retire");
    struct early_heap_statistics statistics = early_heap_statistics(&kernel->early_heap);
    struct range untouched = early_heap_retire(&kernel->early_heap);
    uint64_t frame_count = range_size_bytes(untouched) / FRAME_SIZE_BYTES;
    if (frame_count > 0) {
        bool reclaimed = frame_allocator_reclaim(&kernel->frames, detach(kernel, untouched),
                                                 range_size_bytes(untouched));
        kernel_assert(reclaimed);
    }
    /* What was handed over and refused is free memory like any other. */
    if (kernel->early_heap_is_fallback)
        frame_count += frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_HEAP);
    log_line("early-heap", "retired used=%llu peak=%llu returned=%llu",
             (unsigned long long)statistics.used_bytes, (unsigned long long)statistics.peak_bytes,
             (unsigned long long)frame_count);
    if (command_line_has(kernel->view.command_line, "print-early-heap"))
        print_early_heap(&kernel->early_heap);
}

/* --- [map] ------------------------------------------------------------------------------------ */

static void log_map_line(void *context, const struct space_map_line *line)
{
    char text[SPACE_MAP_LINE_CAPACITY_BYTES];
    uint64_t *page_count = context;
    if (line->run != NULL)
        *page_count += page_run_page_count(line->run);
    space_map_format(line, text, sizeof text);
    log_line("map", "%s", text);
}

/* Now the early heap is gone: the audit's memory comes from the permanent one, and what it takes
 * counts, so that there is room for a run a page. */
static void audit_late(struct kernel *kernel, struct page_audit_result *ret_result)
{
    size_t page_count = (size_t)(heap_window_mapped_bytes(&kernel->heap_window) / PAGE_SIZE_BYTES);
    size_t run_limit = AUDIT_RUN_LIMIT + page_count + page_count / 64;
    struct range *scratch = kmalloc(run_limit * sizeof *scratch);
    if (scratch == NULL)
        panic(PANIC_PAGE_AUDIT, "no memory for the audit");
    audit_with(kernel, scratch, run_limit, ret_result);
    kfree(scratch);
}

void bring_up_print_map(struct kernel *kernel)
{
    struct page_audit_result result;
    if (!command_line_has(kernel->view.command_line, "once"))
        ending_prepare(kernel);
    if (!command_line_has(kernel->view.command_line, "print-map"))
        return;
    mark(kernel, "kernel: print map");
    audit_late(kernel, &result);
    /* Counted again: the audit's memory is gone. */
    uint64_t page_count = 0;
    const struct page_table *table = &kernel->address_space.table;
    space_map_walk(&kernel->address_space, log_map_line, &page_count);
    log_line("map", "audit=passed levels=%u root=0x%llx pages=%llu tables=%llu",
             table->features.levels, (unsigned long long)table->root.value,
             (unsigned long long)page_count, (unsigned long long)table->table_count);
}

/* --- [timeline] and [ready] --------------------------------------------------------------------
 */

static void log_leak_site(const struct heap_leak_site *site)
{
    struct symbol symbol = {.name = "unknown"};
    (void)symbols_find_caller((uint64_t)(uintptr_t)site->allocated_by, &symbol);
    log_line("leak", "blocks=%zu bytes=%zu caller=%p function=%s+0x%llx", site->block_count,
             site->used_bytes, site->allocated_by, symbol.name,
             (unsigned long long)symbol.offset_bytes);
}

/* `print-leaks`: who holds the live blocks. */
static void print_leaks(const struct heap *heap)
{
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    for (size_t i = 0; i < leaks.site_count; i++)
        log_leak_site(&leaks.sites[i]);
    log_line("leak", "sites=%zu others_blocks=%zu others_bytes=%zu", leaks.site_count,
             leaks.others.block_count, leaks.others.used_bytes);
}

_Noreturn void bring_up_ready(struct kernel *kernel)
{
    mark(kernel, "kernel: ready");
    if (command_line_has(kernel->view.command_line, "print-help"))
        print_help();
    ownership_print(&kernel->frames, &kernel->timeline,
                    command_line_has(kernel->view.command_line, "print-memory"));
    if (command_line_has(kernel->view.command_line, "print-timeline"))
        timeline_print_phases(&kernel->timeline);
    timeline_print(&kernel->timeline);
    if (command_line_has(kernel->view.command_line, "measure"))
        measure(kernel);
    bool once = command_line_has(kernel->view.command_line, "once");
    log_line("ready", "action=%s", once ? "power-off" : "idle");
    provoke(kernel, false);
    if (command_line_has(kernel->view.command_line, "print-heap"))
        print_heap(&kernel->heap, "ready");
    if (command_line_has(kernel->view.command_line, "print-leaks"))
        print_leaks(&kernel->heap);
    if (once)
        ending_power_off(kernel);
    ending_stay(kernel);
}
