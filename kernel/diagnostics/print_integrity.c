#include "kernel/diagnostics/print_integrity.h"

#include "kernel/core/log.h"
#include "shared/handoff.h"

#define KNOWN_FLAGS                                                                                \
    (HANDOFF_INTEGRITY_SECURE_BOOT | HANDOFF_INTEGRITY_CHECKED | HANDOFF_INTEGRITY_MEASURED)

void print_integrity(uint32_t flags)
{
    if ((flags & KNOWN_FLAGS) == 0)
        return;
    log_line("integrity", "secure-boot=%s kernel=%s tpm=%s",
             (flags & HANDOFF_INTEGRITY_SECURE_BOOT) != 0 ? "on" : "off",
             (flags & HANDOFF_INTEGRITY_CHECKED) != 0 ? "checked" : "unchecked",
             (flags & HANDOFF_INTEGRITY_MEASURED) != 0 ? "measured" : "unused");
}
