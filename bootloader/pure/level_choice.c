#include "bootloader/pure/level_choice.h"

static unsigned preferred(const struct level_request *request)
{
    if (request->wish != 0)
        return request->wish;
    return request->ram_needs_five ? 5 : request->firmware_levels;
}

struct level_choice level_choose(const struct level_request *request)
{
    unsigned levels = preferred(request);
    if ((request->kernel_levels & LEVEL_MASK(levels)) != 0)
        return (struct level_choice){levels, false};
    return (struct level_choice){levels == 4 ? 5 : 4, request->wish != 0};
}
