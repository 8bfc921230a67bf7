#include "kernel/boot/boot_refuse.h"

#include "kernel/boot/boot_screen.h"
#include "kernel/core/log_serial.h"
#include "kernel/core/panic.h"
#include "kernel/handoff/handoff_check.h"
#include "kernel/handoff/handoff_mismatch.h"

_Noreturn void boot_refuse(struct kernel *kernel, struct virt_addr handoff,
                           const struct entry_state *state, enum handoff_check_status status)
{
    struct handoff_framebuffer framebuffer;
    struct handoff_mismatch mismatch;
    const char *reason = handoff_check_status_text(status);
    log_serial_open_default();
    if (handoff_check_screen(handoff, state, &framebuffer))
        (void)boot_screen_open(kernel, &framebuffer);
    if (handoff_mismatch_find(handoff, state, status, &mismatch))
        panic(PANIC_HANDOFF,
              "the handoff at 0x%llx is refused: %s (in the handoff: 0x%llx, in use: 0x%llx)",
              (unsigned long long)handoff.value, reason, (unsigned long long)mismatch.handed_over,
              (unsigned long long)mismatch.known);
    panic(PANIC_HANDOFF, "the handoff at 0x%llx is refused: %s", (unsigned long long)handoff.value,
          reason);
}
