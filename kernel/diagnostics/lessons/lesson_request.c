#include "kernel/diagnostics/lesson_request.h"

#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/lessons/lesson_watch.h"
#include "kernel/mm/layout.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"

/* All lessons can be solved with this much. */
#define SMALLEST_BYTES (UINT64_C(64) << 10)
/* The addresses around the window are not mapped, so a use of them faults. */
#define WINDOW_BASE (LAYOUT_SELF_TEST_BASE + (UINT64_C(1) << 30))
/* The content at first: memory is not clear when a machine starts. */
#define DIRT 0xa5

static const struct lesson *find_lesson(const char *command_line)
{
    uint64_t number = 0;
    if (!command_line_mentions(command_line, "lesson"))
        return NULL;
    bool is_number = command_line_number(command_line, "lesson", &number);
    const struct lesson *lesson =
        is_number && number <= UINT32_MAX ? lesson_find((unsigned)number) : NULL;
    if (lesson == NULL)
        log_warning("lesson", "there is no such lesson: write lesson=N with the number of one that "
                              "docs/learn/ has");
    return lesson;
}

/* The monitor runs lessons on any frames that are free. */
static const char *source_of(const struct kernel *kernel, struct phys_range memory)
{
    uint64_t seen_at = virt_addr_add(kernel->direct_map_base, memory.start.value).value;
    uint64_t image = kernel->layout.physical_base.value;
    if (seen_at >= kernel->early_heap.start.value && seen_at < kernel->early_heap.end.value)
        return "handoff";
    bool is_image = memory.start.value >= image &&
                    memory.start.value - image < kernel->handoff.kernel_size_bytes;
    return is_image ? "fallback" : "frames";
}

static void run_in_window(struct kernel *kernel, const struct lesson *lesson,
                          struct phys_range memory)
{
    const struct page_permissions permissions = {.write = true, .global = true};
    struct page_table *table = &kernel->address_space.table;
    struct virt_addr window = virt_addr(WINDOW_BASE);
    uint8_t *bytes = (uint8_t *)(uintptr_t)window.value;
    uint64_t size_bytes = phys_range_size_bytes(memory);
    enum page_table_status status =
        page_table_map(table, window, memory.start, size_bytes, permissions, false);
    if (status != PAGE_TABLE_OK) {
        log_warning("lesson", "the memory cannot be mapped: %s", page_table_status_name(status));
        return;
    }
    log_line("lesson", "base=%p size=%llu source=%s", (void *)bytes, (unsigned long long)size_bytes,
             source_of(kernel, memory));
    memset(bytes, DIRT, size_bytes);
    lesson_watch(kernel, lesson, bytes, size_bytes);
    status = page_table_unmap(table, window, size_bytes);
    kernel_assert(status == PAGE_TABLE_OK);
}

void lesson_request(struct kernel *kernel, const char *words, struct phys_range memory)
{
    const struct lesson *lesson = find_lesson(words);
    if (lesson == NULL)
        return;
    if (phys_range_size_bytes(memory) < SMALLEST_BYTES)
        log_warning("lesson",
                    "the early heap left %llu bytes, and a lesson needs %llu: "
                    "temp_heap=1M in handoff.conf gives more",
                    (unsigned long long)phys_range_size_bytes(memory),
                    (unsigned long long)SMALLEST_BYTES);
    else
        run_in_window(kernel, lesson, memory);
}
