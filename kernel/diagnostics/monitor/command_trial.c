#include "kernel/diagnostics/monitor/command_trial.h"

#include "kernel/core/panic.h"
#include "kernel/diagnostics/lesson_request.h"
#include "kernel/diagnostics/measure.h"
#include "kernel/diagnostics/provoke.h"
#include "shared/text/format.h"

/* The memory of a lesson: as much as the temporary heap usually has. */
#define LESSON_FRAME_COUNT 256

/* Longer than any word that makes sense here. */
#define WORD_CAPACITY_BYTES 64

void command_bench(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)arguments;
    measure(monitor->kernel);
}

void command_lesson(struct monitor_state *monitor, const struct arguments *arguments)
{
    struct frame_allocator *frames = &monitor->kernel->frames;
    char words[WORD_CAPACITY_BYTES];
    uint64_t number;
    struct phys_addr base;
    if (!monitor_number(monitor, arguments->words[0], "NUMBER", &number))
        return;
    if (!frame_allocator_allocate_contiguous(frames, LESSON_FRAME_COUNT, 1,
                                             FRAME_ALLOCATOR_ANYWHERE, &base)) {
        monitor_say("lesson: there is no free run of %u frames", LESSON_FRAME_COUNT);
        return;
    }
    format_text(words, sizeof words, "lesson=%llu", (unsigned long long)number);
    lesson_request(monitor->kernel, words,
                   phys_range(base.value, base.value + LESSON_FRAME_COUNT * FRAME_SIZE_BYTES));
    frame_allocator_free_contiguous(frames, base, LESSON_FRAME_COUNT);
}

void command_panic(struct monitor_state *monitor, const struct arguments *arguments)
{
    char name[WORD_CAPACITY_BYTES];
    if (arguments->count == 0)
        panic(PANIC_ASSERTION, "the command \"panic\" of the monitor");
    format_text(name, sizeof name, "%s", arguments_quote(arguments->words[0]).text);
    provoke_name(monitor->kernel, name);
}
