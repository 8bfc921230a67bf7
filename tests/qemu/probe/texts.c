#include "tests/qemu/probe/texts.h"

#include "tests/qemu/probe/arch/x86_64/cpu.h"
#include "tests/qemu/probe/block.h"

static void check_text(struct promises *promises, const char *name, const char *text,
                       uint64_t size_bytes)
{
    promise_begin(promises, name);
    promise_require_equal(promises, 0, (uint8_t)text[size_bytes]);
    for (uint64_t i = 0; i < size_bytes; i++)
        promise_require(promises, text[i] != '\0', "no NUL before the end that the size gives", i);
    promise_end(promises);
}

static void check_log(const struct handoff *handoff, struct promises *promises)
{
    const char *log = block_pointer(handoff, handoff->log.address);
    uint64_t size_bytes = handoff->log.size_bytes;
    check_text(promises, "log", log, size_bytes);
    promise_begin(promises, "log-line-ends");
    promise_require(promises, size_bytes > 0 && log[size_bytes - 1] == '\n',
                    "a log that ends with a line feed", size_bytes);
    for (uint64_t i = 0; i < size_bytes; i++)
        promise_require(promises, log[i] != '\r', "no carriage return", i);
    promise_end(promises);
}

static void check_moment_name(struct promises *promises, const struct handoff_moment *moment)
{
    unsigned length = 0;
    while (length < sizeof(moment->name) && moment->name[length] != '\0')
        length++;
    promise_require(promises, length > 0 && length < sizeof(moment->name),
                    "a name that ends with a NUL", length);
    for (unsigned i = 0; i < length; i++)
        promise_require(promises, moment->name[i] >= ' ' && moment->name[i] <= '~',
                        "a name of printable ASCII", (uint8_t)moment->name[i]);
}

static void check_timeline(const struct handoff *handoff, struct promises *promises)
{
    uint64_t earliest = 0;
    promise_begin(promises, "timeline");
    promise_require(promises, handoff->timeline.count > 0, "at least one moment", 0);
    for (uint64_t i = 0; i < handoff->timeline.count; i++) {
        const struct handoff_moment *moment =
            block_pointer(handoff, handoff->timeline.first + i * handoff->timeline.stride_bytes);
        promise_require(promises, moment->ticks >= earliest, "moments in order of time", i);
        earliest = moment->ticks;
        check_moment_name(promises, moment);
    }
    promise_require(promises, cpu_read_tsc() >= earliest, "moments in the past", earliest);
    promise_end(promises);
}

void texts_check(const struct handoff *handoff, struct promises *promises)
{
    check_text(promises, "command-line", block_pointer(handoff, handoff->command_line.address),
               handoff->command_line.size_bytes);
    check_text(promises, "kernel-path", block_pointer(handoff, handoff->kernel_path.address),
               handoff->kernel_path.size_bytes);
    check_log(handoff, promises);
    check_timeline(handoff, promises);
}
