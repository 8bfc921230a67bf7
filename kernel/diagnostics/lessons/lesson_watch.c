#include "kernel/diagnostics/lessons/lesson_watch.h"

#include "kernel/arch.h"
#include "kernel/core/fault.h"
#include "kernel/core/interrupts.h"
#include "kernel/core/log.h"
#include "kernel/diagnostics/lessons/lesson_arch.h"
#include "lessons/patience.h"
#include "lessons/stack.h"

/* A tenth of a second or less. */
#define TIMER_PERIOD 10000000
/* If the loader found no frequency of the time-stamp counter. */
#define ASSUMED_FREQUENCY_HZ UINT64_C(3000000000)

/* A fault handler has no argument to pass state in, so this is a global. */
static struct watch {
    const struct lesson *lesson;
    uint8_t *memory;
    uint64_t size_bytes;
    struct judge judge;
    struct patience patience;
    uint64_t limit_ticks;
    uint64_t stack_top;
} watch;

static void log_lesson_line(void *context, const char *text)
{
    (void)context;
    log_line("lesson", "%s", text);
}

static enum judge_access access_of(const struct fault *fault)
{
    switch (fault->page.access) {
    case PAGE_FAULT_FETCH:
        return JUDGE_JUMPED;
    case PAGE_FAULT_WRITE:
        return JUDGE_WROTE;
    case PAGE_FAULT_READ:
        break;
    }
    return JUDGE_READ;
}

static bool is_stack(const struct fault *fault)
{
    return (fault->kind == FAULT_PAGE || fault->kind == FAULT_UNDELIVERED) &&
           stack_is_used_up(fault->address.value, fault->stack_pointer.value, watch.stack_top);
}

static void on_fault(const struct fault *fault)
{
    if (!watch.judge.in_reader_code)
        return;
    if (is_stack(fault))
        judge_trouble(&watch.judge, JUDGE_STACK);
    else if (fault->kind == FAULT_PAGE)
        judge_fault(&watch.judge, access_of(fault), fault->address.value);
    else
        judge_trouble(&watch.judge, lesson_arch_trouble(fault->number));
    lesson_arch_leave();
}

static void on_timer(void *context)
{
    (void)context;
    if (!patience_tick(&watch.patience, &watch.judge, arch_timestamp(), watch.limit_ticks))
        return;
    judge_stuck(&watch.judge, PATIENCE_SECONDS);
    lesson_arch_leave();
}

static void run(void *context)
{
    (void)context;
    watch.stack_top = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    lesson_run(watch.lesson, &watch.judge, (struct judge_outlet){.line = log_lesson_line},
               watch.memory, watch.size_bytes);
}

static bool start_timer(struct kernel *kernel)
{
    uint64_t frequency_hz = arch_handoff_timestamp_frequency_hz(&kernel->handoff);
    watch.limit_ticks =
        PATIENCE_SECONDS * (frequency_hz != 0 ? frequency_hz : ASSUMED_FREQUENCY_HZ);
    interrupts_set_handler(INTERRUPT_TIMER, on_timer, NULL);
    return timer_start(&kernel->timer, &kernel->address_space, TIMER_PERIOD);
}

void lesson_watch(struct kernel *kernel, const struct lesson *lesson, uint8_t *memory,
                  uint64_t size_bytes)
{
    watch = (struct watch){.lesson = lesson, .memory = memory, .size_bytes = size_bytes};
    bool has_timer = start_timer(kernel);
    if (!has_timer)
        log_warning("lesson", "this CPU has no timer: an endless loop in your code stops the boot");
    fault_set_observer(on_fault);
    if (has_timer)
        interrupts_allow();
    lesson_arch_call(run, NULL);
    interrupts_forbid();
    if (has_timer)
        timer_stop();
    fault_set_observer(NULL);
}
