#include "bootloader/loader.h"

#include "bootloader/arch.h"

void loader_begin_phase(struct loader *loader, const char *name)
{
    timeline_mark(&loader->timeline, arch_timestamp(), name);
}
