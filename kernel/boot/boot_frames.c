#include "kernel/boot/boot.h"
#include "kernel/boot/boot_services_memory.h"
#include "kernel/boot/boot_stage.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"

static _Noreturn void fail(const struct kernel *kernel, enum frame_allocator_status status)
{
    enum panic_code code =
        status == FRAME_ALLOCATOR_NO_ROOM ? PANIC_FRAME_METADATA : PANIC_MEMORY_MAP;
    panic(code, "%s: %llu KiB of RAM are usable, %llu KiB are needed",
          frame_allocator_status_text(status),
          (unsigned long long)(frame_allocator_available_bytes(&kernel->view.regions) / KIB),
          (unsigned long long)(FRAME_ALLOCATOR_RAM_MIN_BYTES / KIB));
}

void boot_frames(struct kernel *kernel)
{
    boot_stage_begin(kernel, "kernel: frames");
    early_heap_begin_phase(&kernel->early_heap, "frames");
    boot_services_memory_choose(kernel);
    enum frame_allocator_status status = frame_allocator_initialise(
        &kernel->frames, &kernel->view.regions, &kernel->early_heap, kernel->direct_map_base);
    if (status != FRAME_ALLOCATOR_OK)
        fail(kernel, status);
    frame_reserve_open(&cpu_current()->frame_reserve, &kernel->frames);
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    log_line("frames", "total=%llu free=%llu reserved=%llu ram_mib=%llu",
             (unsigned long long)frames.total_count, (unsigned long long)frames.free_count,
             (unsigned long long)frames.reserved_count,
             (unsigned long long)(frames.total_count * FRAME_SIZE_BYTES / MIB));
}
