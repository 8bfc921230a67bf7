#include "kernel/core/log.h"
#include "kernel/diagnostics/lesson_request.h"
#include "shared/text/command_line.h"

void lesson_request(struct kernel *kernel, const char *words, struct phys_range memory)
{
    (void)kernel;
    (void)memory;
    if (command_line_mentions(words, "lesson"))
        log_warning("lesson",
                    "this kernel has no lessons: make lesson N=4 builds one that has them");
}
