#include "host/simulator/kernel_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/bootstrap_tables.h"
#include "kernel/handoff/entry_state.h"
#include "kernel/handoff/handoff_check.h"
#include "kernel/handoff/handoff_temp_heap.h"
#include "kernel/core/boot_record.h"
#include "kernel/core/log.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/diagnostics/ownership.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/self_test.h"
#include "shared/direct_map.h"
#include "host/simulator/host.h"
#include "host/simulator/loader_model.h"

#define DATA_SEGMENT 2

/* As in kernel/boot/boot_audit.c. */
#define AUDIT_RUN_LIMIT 512
/* Bytes of addresses. The kernel has more, but the host would need tables for them. */
#define GUARDED_BYTES (UINT64_C(1) << 30)

/* After a load, each of the heap's frames may be a separate run. */
#define LATE_AUDIT_RUN_LIMIT (AUDIT_RUN_LIMIT + HEAP_SETTINGS_WINDOW_BYTES / PAGE_SIZE_BYTES)

static void mark(struct kernel_model *kernel, const char *phase)
{
    uint64_t now = host_nanoseconds() - kernel->started_ns;
    timeline_mark(&kernel->timeline, phase, now);
    frame_allocator_begin_phase(&kernel->frames, phase, now);
}

static void *at_physical(const struct kernel_model *kernel, struct phys_addr address)
{
    return fake_ram_at(kernel->ram, address);
}

static struct phys_addr physical_of(const struct kernel_model *kernel, struct virt_addr address)
{
    return phys_addr(address.value - (uintptr_t)kernel->ram->base);
}

/* --- [handoff] -------------------------------------------------------------------------------- */

static void describe_segments(struct kernel_model *kernel)
{
    static const char *const NAMES[] = {"text", "rodata", "data", "symbols"};
    const struct elf_plan *plan = loader_model_kernel();
    for (size_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        kernel->segments[i] = (struct kernel_segment){
            .name = NAMES[i],
            .virtual =
                virt_range(segment->memory.start.value, page_align_up(segment->memory.end.value)),
            .write = segment->write,
            .execute = segment->execute,
        };
    }
}

/* There is no CPU, so the CPU's part of the state comes from the model of the loader. The tables
 * are read at their physical place. */
static struct entry_state entry_state(struct kernel_model *kernel, uint64_t handoff_address)
{
    const struct handoff *handoff = at_physical(kernel, phys_addr(handoff_address));
    const struct elf_plan *plan = loader_model_kernel();
    struct virt_range loader = virt_range(
        handoff->loader_virtual_base, handoff->loader_virtual_base + handoff->loader_size_bytes);
    describe_segments(kernel);
    return (struct entry_state){
        .features = kernel->features,
        .page_table_root = phys_addr(handoff->arch.x86_64.page_table_root),
        .stack_pointer = virt_addr(BOOTSTRAP_STACK_VIRTUAL_BASE + BOOTSTRAP_STACK_SIZE_BYTES - 8),
        .cpu_tables = {loader, loader},
        .cpu_table_count = 2,
        .image = plan->image,
        .entry = plan->entry,
        .segments = kernel->segments,
        .segment_count = plan->segment_count,
        .direct_map_base = direct_map_base(kernel->features.levels),
        .memory_base = (uintptr_t)kernel->ram->base,
    };
}

/* As in kernel/boot/boot_handoff.c. */
static void open_boot_record(const struct kernel_model *kernel)
{
    struct handoff_range place = kernel->handoff.previous_boot;
    if (place.size_bytes == 0)
        return;
    boot_record_open(at_physical(kernel, phys_addr(place.base)));
    boot_record_set_stage(POST_MORTEM_KERNEL);
}

static void bring_up_handoff(struct kernel_model *kernel, uint64_t handoff_address)
{
    uint64_t entered = host_nanoseconds() - kernel->started_ns;
    struct entry_state state = entry_state(kernel, handoff_address);
    enum handoff_check_status status =
        handoff_check(virt_addr_add(state.direct_map_base, handoff_address), &state, &kernel->view);
    if (status != HANDOFF_CHECK_OK)
        panic(PANIC_HANDOFF, "the handoff at physical 0x%llx is refused: %s",
              (unsigned long long)handoff_address, handoff_check_status_text(status));

    kernel->handoff = *kernel->view.handoff;
    kernel->view.handoff = &kernel->handoff;
    open_boot_record(kernel);
    timeline_begin(&kernel->timeline, &kernel->view, kernel->handoff.arch.x86_64.tsc_frequency_hz);
    timeline_mark(&kernel->timeline, "kernel: handoff", entered);
    if (kernel->view.framebuffer_status != HANDOFF_FRAMEBUFFER_OK)
        log_warning("handoff", "no screen: %s; serial only",
                    handoff_framebuffer_text(kernel->view.framebuffer_status));
    log_text("loader", kernel->view.log);
    log_line("handoff", "version=%u.%u size=%u loader=\"%s\" regions=%u checksum=0x%08x",
             kernel->handoff.version_major, kernel->handoff.version_minor,
             kernel->handoff.size_bytes, kernel->handoff.loader_name, kernel->handoff.regions.count,
             kernel->handoff.checksum);
}

/* --- [early-heap] ----------------------------------------------------------------------------- */

static void copy_handed_over_data(struct kernel_model *kernel)
{
    size_t size_bytes = (size_t)kernel->view.regions.count * sizeof(struct handoff_region);
    struct handoff_region *regions = early_heap_allocate_or_panic(&kernel->early_heap, size_bytes,
                                                                  _Alignof(struct handoff_region));
    for (uint32_t i = 0; i < kernel->view.regions.count; i++)
        regions[i] = *region_list_at(&kernel->view.regions, i);
    kernel->view.regions.first = regions;
    kernel->view.regions.stride_bytes = sizeof(*regions);

    size_t text_bytes = (size_t)kernel->handoff.command_line.size_bytes + 1;
    char *command_line = early_heap_allocate_or_panic(&kernel->early_heap, text_bytes, 1);
    memcpy(command_line, kernel->view.command_line, text_bytes);
    kernel->view.command_line = command_line;
    kernel->view.log = NULL;
    kernel->view.efi_map = NULL;
    kernel->view.timeline = NULL;
}

static void bring_up_early_heap(struct kernel_model *kernel)
{
    mark(kernel, "kernel: early heap");
    enum handoff_temp_heap_status status = handoff_temp_heap_check(&kernel->view);
    struct phys_addr physical = phys_addr(kernel->handoff.temp_heap_base);
    uint64_t size_bytes = kernel->handoff.temp_heap_size;
    struct virt_addr virtual = virt_addr(LAYOUT_DIRECT_MAP_BASE + physical.value);
    if (status != HANDOFF_TEMP_HEAP_OK) {
        log_warning("early-heap", "the early heap uses the fallback region: %s",
                    handoff_temp_heap_text(status));
        kernel->early_heap_is_fallback = true;
        physical = phys_addr(kernel->handoff.kernel_physical_base + LOADER_MODEL_FALLBACK_OFFSET);
        virtual = virt_addr(kernel->handoff.kernel_virtual_base + LOADER_MODEL_FALLBACK_OFFSET);
        size_bytes = LOADER_MODEL_FALLBACK_SIZE_BYTES;
    }
    struct virt_addr base = virt_addr((uintptr_t)at_physical(kernel, physical));
    enum early_heap_status started = early_heap_initialise(&kernel->early_heap, base, size_bytes);
    kernel_assert(started == EARLY_HEAP_OK);
    early_heap_begin_phase(&kernel->early_heap, "handoff");
    copy_handed_over_data(kernel);
    log_line("early-heap", "source=%s base=%p size=%llu reason=\"%s\"",
             kernel->early_heap_is_fallback ? "fallback" : "handoff", (void *)virtual.value,
             (unsigned long long)size_bytes, handoff_temp_heap_text(status));
}

/* --- [cpu], [frames] -------------------------------------------------------------------------- */

static void bring_up_cpu(struct kernel_model *kernel)
{
    mark(kernel, "kernel: cpu");
    bool modern = kernel->features.largest_leaf_level >= 3;
    const char *newer = modern ? "on" : "absent";
    log_line("cpu", "wp=on nx=on smep=%s smap=%s umip=%s global=on pages_1gib=%s", newer, newer,
             newer, modern ? "yes" : "no");
}

static void bring_up_frames(struct kernel_model *kernel)
{
    mark(kernel, "kernel: frames");
    early_heap_begin_phase(&kernel->early_heap, "frames");
    enum frame_allocator_status status =
        frame_allocator_initialise(&kernel->frames, &kernel->view.regions, &kernel->early_heap,
                                   virt_addr((uintptr_t)kernel->ram->base));
    if (status != FRAME_ALLOCATOR_OK)
        panic(status == FRAME_ALLOCATOR_NO_ROOM ? PANIC_FRAME_METADATA : PANIC_MEMORY_MAP,
              "%s: %llu KiB of RAM are usable, %llu KiB are needed",
              frame_allocator_status_text(status),
              (unsigned long long)(frame_allocator_available_bytes(&kernel->view.regions) / KIB),
              (unsigned long long)(FRAME_ALLOCATOR_RAM_MIN_BYTES / KIB));
    frame_reserve_open(&kernel->frame_reserve, &kernel->frames);
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    kernel->free_at_start_count = frames.free_count;
    log_line("frames", "total=%llu free=%llu reserved=%llu ram_mib=%llu",
             (unsigned long long)frames.total_count, (unsigned long long)frames.free_count,
             (unsigned long long)frames.reserved_count,
             (unsigned long long)(frames.total_count * FRAME_SIZE_BYTES / MIB));
}

/* --- [paging] --------------------------------------------------------------------------------- */

static void describe_image(struct kernel_model *kernel)
{
    kernel->layout = (struct kernel_layout){
        .virtual_base = virt_addr(kernel->handoff.kernel_virtual_base),
        .physical_base = phys_addr(kernel->handoff.kernel_physical_base),
        .segments = kernel->segments,
        .segment_count = loader_model_kernel()->segment_count,
    };
}

static struct frame_reserve *reserve_of_this_cpu(void *context)
{
    struct kernel_model *kernel = context;
    return &kernel->frame_reserve;
}

static void *access_page(void *context, struct phys_addr page)
{
    return at_physical(context, page);
}

static void require_mapped(enum page_table_status status, const char *what)
{
    if (status != PAGE_TABLE_OK)
        panic(PANIC_PAGE_TABLES, "%s: %s", what, page_table_status_name(status));
}

static void map_stacks(struct kernel_model *kernel)
{
    static const char *const NAMES[KERNEL_MODEL_STACK_COUNT] = {"main stack", "double-fault stack",
                                                                "NMI stack", "machine-check stack"};
    for (size_t i = 0; i < KERNEL_MODEL_STACK_COUNT; i++) {
        struct virt_addr top;
        require_mapped(address_space_map_stack(&kernel->address_space, NAMES[i],
                                               LAYOUT_STACK_SIZE_BYTES, &top),
                       NAMES[i]);
    }
}

static void bring_up_paging(struct kernel_model *kernel)
{
    mark(kernel, "kernel: paging");
    early_heap_begin_phase(&kernel->early_heap, "paging");
    describe_image(kernel);
    const struct handoff_framebuffer *framebuffer = &kernel->view.framebuffer;
    struct address_space_plan plan = {
        .features = kernel->features,
        .layout = kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
    };
    if (kernel->view.framebuffer_status == HANDOFF_FRAMEBUFFER_OK)
        plan.framebuffer =
            phys_range(framebuffer->base, framebuffer->base + framebuffer->size_bytes);
    const struct address_space_environment environment = {
        .context = kernel,
        .reserve = reserve_of_this_cpu,
        .access = access_page,
    };
    require_mapped(address_space_build(&kernel->address_space, &plan, &environment),
                   "the kernel's page tables");
    map_stacks(kernel);
}

static uint64_t reclaim_loader_memory(struct kernel_model *kernel)
{
    return frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_LOADER) +
           frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_COPY);
}

static bool audit_with_scratch(const struct kernel_model *kernel, struct phys_range *scratch,
                               size_t scratch_count, struct page_audit_result *ret_result)
{
    const struct page_audit_input input = {
        .space = &kernel->address_space,
        .layout = &kernel->layout,
        .regions = kernel->view.regions.first,
        .region_count = kernel->view.regions.count,
        .scratch = scratch,
        .scratch_count = scratch_count,
    };
    return page_audit_run(&input, ret_result);
}

static void bring_up_paging_audit(struct kernel_model *kernel)
{
    mark(kernel, "kernel: page audit");
    struct early_heap_mark before = early_heap_mark(&kernel->early_heap);
    struct phys_range *scratch = early_heap_allocate_or_panic(
        &kernel->early_heap, AUDIT_RUN_LIMIT * sizeof(*scratch), _Alignof(struct phys_range));
    if (!audit_with_scratch(kernel, scratch, AUDIT_RUN_LIMIT, &kernel->audit))
        panic(PANIC_PAGE_AUDIT, "%llu violations, the first: %s",
              (unsigned long long)kernel->audit.violation_count, kernel->audit.first_violation);
    early_heap_release(&kernel->early_heap, before);
    mark(kernel, "kernel: reclaim");
    kernel->reclaimed_frame_count = reclaim_loader_memory(kernel);
    log_line("paging", "levels=%u wx=%llu audit=passed pages=%llu tables=%llu reclaimed=%llu",
             kernel->address_space.table.features.levels,
             (unsigned long long)kernel->audit.writable_executable_count,
             (unsigned long long)kernel->audit.page_count,
             (unsigned long long)kernel->audit.table_count,
             (unsigned long long)kernel->reclaimed_frame_count);
}

bool kernel_model_audit(const struct kernel_model *kernel, struct page_audit_result *ret_result)
{
    struct phys_range *scratch = host_allocate(LATE_AUDIT_RUN_LIMIT * sizeof(*scratch));
    bool passed = audit_with_scratch(kernel, scratch, LATE_AUDIT_RUN_LIMIT, ret_result);
    free(scratch);
    return passed;
}

/* --- [heap] ----------------------------------------------------------------------------------- */

/* Map a window's page on the host in the same way as in the simulated tables. */
static void mirror_page(struct kernel_model *kernel, struct virt_addr page, uint8_t *at)
{
    struct page_mapping mapping;
    enum page_table_status status = page_table_lookup(&kernel->address_space.table, page, &mapping);
    kernel_assert(status == PAGE_TABLE_OK);
    if (!fake_ram_map(kernel->ram, mapping.physical, at)) {
        (void)fprintf(stderr, "simulate: this computer cannot map one more page "
                              "(sysctl vm.max_map_count)\n");
        exit(1);
    }
}

static bool grow(void *context, size_t additional_bytes)
{
    struct kernel_model *kernel = context;
    struct heap_page_source pages = heap_window_page_source(&kernel->heap_window);
    uint64_t old_bytes = kernel->heap_window.mapped_bytes;
    if (!pages.grow(pages.context, additional_bytes))
        return false;
    for (uint64_t offset = old_bytes; offset < kernel->heap_window.mapped_bytes;
         offset += PAGE_SIZE_BYTES)
        mirror_page(kernel, virt_addr_add(kernel->heap_window.base, offset),
                    kernel->heap_base + offset);
    return true;
}

static void shrink(void *context, size_t bytes)
{
    struct kernel_model *kernel = context;
    struct heap_page_source pages = heap_window_page_source(&kernel->heap_window);
    pages.shrink(pages.context, bytes);
    fake_ram_unmap(kernel->heap_base + kernel->heap_window.mapped_bytes, bytes);
}

static bool make_usable(void *context, size_t offset_bytes, size_t bytes)
{
    struct kernel_model *kernel = context;
    struct guarded_pages pages = heap_window_guarded_pages(&kernel->heap_window);
    if (!pages.make_usable(pages.context, offset_bytes, bytes))
        return false;
    for (uint64_t offset = offset_bytes; offset < offset_bytes + bytes; offset += PAGE_SIZE_BYTES)
        mirror_page(kernel, virt_addr_add(kernel->heap_window.guarded_base, offset),
                    kernel->guarded_base + offset);
    return true;
}

static void take_back(void *context, size_t offset_bytes, size_t bytes)
{
    struct kernel_model *kernel = context;
    struct guarded_pages pages = heap_window_guarded_pages(&kernel->heap_window);
    pages.take_back(pages.context, offset_bytes, bytes);
    fake_ram_unmap(kernel->guarded_base + offset_bytes, bytes);
}

/* Reserve addresses on the host, with a page before and behind them that cannot be accessed. */
static uint8_t *reserve_window(uint64_t size_bytes)
{
    uint8_t *window = fake_ram_reserve(size_bytes + 2 * PAGE_SIZE_BYTES);
    kernel_assert(window != NULL);
    return window + PAGE_SIZE_BYTES;
}

/* The window does not grow, since the heap of a simulated terabyte would be real memory of the
 * host. */
static struct heap_settings heap_settings(const struct kernel_model *kernel)
{
    return (struct heap_settings){.policy = kernel->heap_policy,
                                  .base = virt_addr(LAYOUT_HEAP_WINDOW_BASE),
                                  .window_bytes = HEAP_SETTINGS_WINDOW_BYTES,
                                  .limit_bytes = HEAP_SETTINGS_WINDOW_BYTES,
                                  .guarded_base = virt_addr(LAYOUT_GUARDED_HEAP_BASE),
                                  .guarded_bytes = GUARDED_BYTES,
                                  .large_bytes = HEAP_SETTINGS_LARGE_BYTES,
                                  .sample_interval = HEAP_SETTINGS_SAMPLE_INTERVAL,
                                  .debug = kernel->heap_debug};
}

/* The windows are at addresses of the host. */
static struct heap_configuration heap_configuration(struct kernel_model *kernel,
                                                    struct heap_settings settings)
{
    settings.base = virt_addr((uintptr_t)kernel->heap_base);
    settings.guarded_base = virt_addr((uintptr_t)kernel->guarded_base);
    struct heap_configuration configuration = heap_setup_configure(
        &kernel->heap_setup, &settings,
        (struct heap_page_source){.context = kernel, .grow = grow, .shrink = shrink},
        (struct guarded_pages){kernel, make_usable, take_back});
    memcpy(&configuration.secret, kernel->handoff.random_seed, sizeof(configuration.secret));
    configuration.fault = kmalloc_fault;
    return configuration;
}

static void log_heap(const struct kernel_model *kernel, const struct heap_settings *settings)
{
    log_line("heap",
             "base=%p window=%llu limit=%llu mapped=%llu policy=%s debug=%s aslr=off online=yes "
             "guard=%llu sample=%llu",
             (void *)settings->base.value, (unsigned long long)settings->window_bytes,
             (unsigned long long)settings->limit_bytes,
             (unsigned long long)kernel->heap_window.mapped_bytes, heap_policy_name(kernel->heap),
             settings->debug ? "on" : "off", (unsigned long long)settings->large_bytes,
             (unsigned long long)settings->sample_interval);
}

static void bring_up_heap(struct kernel_model *kernel)
{
    mark(kernel, "kernel: heap");
    const struct heap_settings settings = heap_settings(kernel);
    kernel->heap_base = reserve_window(settings.limit_bytes);
    kernel->guarded_base = reserve_window(settings.guarded_bytes);
    heap_window_initialise(&kernel->heap_window, &kernel->address_space, &settings);
    const struct heap_configuration configuration = heap_configuration(kernel, settings);
    enum heap_status status = heap_initialise(&configuration, &kernel->heap);
    if (status != HEAP_OK)
        panic(PANIC_HEAP_INIT, "the permanent heap: %s", heap_status_name(status));
    kmalloc_online(kernel->heap);
    log_heap(kernel, &settings);
}

/* --- [self-test], [early-heap] retired, [ready] ----------------------------------------------- */

static void bring_up_self_test(struct kernel_model *kernel)
{
    mark(kernel, "kernel: self-test");
    struct self_test_result result =
        self_test_run(kernel->heap, &kernel->frames, &kernel->early_heap, NULL);
    struct heap_statistics heap;
    heap_statistics(kernel->heap, &heap);
    log_line("self-test", "passed=%u blocks=%u heap_peak=%llu", result.passed_count,
             result.allocation_count, (unsigned long long)heap.peak_used_bytes);
}

/* The fallback region leaves a hole in the image, which splits its data in two. Later audits
 * compare the tables with the image as it is mapped now. */
static void split_data_segment(struct kernel_model *kernel, struct virt_range hole)
{
    struct kernel_segment *data = &kernel->segments[DATA_SEGMENT];
    kernel->segments[kernel->layout.segment_count] = *data;
    kernel->segments[kernel->layout.segment_count++].virtual.start = hole.end;
    data->virtual.end = hole.start;
}

static struct phys_range detach(struct kernel_model *kernel, struct virt_range untouched)
{
    struct phys_addr base = physical_of(kernel, untouched.start);
    uint64_t size_bytes = virt_range_size_bytes(untouched);
    if (kernel->early_heap_is_fallback) {
        struct virt_addr virtual = virt_addr_add(kernel->layout.virtual_base,
                                                 base.value - kernel->layout.physical_base.value);
        require_mapped(page_table_unmap(&kernel->address_space.table, virtual, size_bytes),
                       "the fallback region");
        split_data_segment(kernel,
                           (struct virt_range){virtual, virt_addr_add(virtual, size_bytes)});
    }
    return (struct phys_range){base, phys_addr_add(base, size_bytes)};
}

static void bring_up_retire_early_heap(struct kernel_model *kernel)
{
    mark(kernel, "kernel: retire");
    struct early_heap_statistics statistics = early_heap_statistics(&kernel->early_heap);
    struct virt_range untouched = early_heap_retire(&kernel->early_heap);
    kernel->returned_frame_count = virt_range_size_bytes(untouched) / FRAME_SIZE_BYTES;
    if (kernel->returned_frame_count > 0) {
        bool reclaimed = frame_allocator_reclaim(&kernel->frames, detach(kernel, untouched));
        kernel_assert(reclaimed);
    }
    if (kernel->early_heap_is_fallback)
        kernel->refused_heap_frame_count =
            frame_allocator_reclaim_reusable(&kernel->frames, HANDOFF_REUSE_AFTER_HEAP);
    log_line("early-heap", "retired used=%llu peak=%llu returned=%llu",
             (unsigned long long)statistics.used_bytes, (unsigned long long)statistics.peak_bytes,
             (unsigned long long)(kernel->returned_frame_count + kernel->refused_heap_frame_count));
}

static void bring_up_ready(struct kernel_model *kernel)
{
    mark(kernel, "kernel: ready");
    /* Users run a simulation to see the holders, so they are always printed. */
    ownership_print(&kernel->frames, &kernel->timeline, true);
    timeline_print(&kernel->timeline);
    kernel->is_ready = true;
    boot_record_set_stage(POST_MORTEM_READY);
    log_line("ready", "action=idle");
}

void kernel_model_run(struct kernel_model *kernel, uint64_t handoff_address)
{
    bring_up_handoff(kernel, handoff_address);
    bring_up_early_heap(kernel);
    bring_up_cpu(kernel);
    bring_up_frames(kernel);
    bring_up_paging(kernel);
    bring_up_paging_audit(kernel);
    bring_up_heap(kernel);
    bring_up_self_test(kernel);
    bring_up_retire_early_heap(kernel);
    bring_up_ready(kernel);
}
