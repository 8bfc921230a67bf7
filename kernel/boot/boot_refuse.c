#include "kernel/boot/boot_refuse.h"

#include "kernel/boot/boot_screen.h"
#include "kernel/core/panic.h"

_Noreturn void boot_refuse(struct kernel *kernel, uint64_t handoff, const struct entry_state *state,
                           enum handoff_check_status status)
{
    struct handoff_framebuffer framebuffer;
    if (handoff_check_screen(handoff, state, &framebuffer))
        (void)boot_screen_open(kernel, &framebuffer);
    uint64_t handed_over, known;
    if (handoff_check_numbers(handoff, state, status, &handed_over, &known))
        panic(PANIC_HANDOFF,
              "the handoff at 0x%llx is refused: %s (handed over: 0x%llx, in use: 0x%llx)",
              (unsigned long long)handoff, handoff_check_text(status),
              (unsigned long long)handed_over, (unsigned long long)known);
    panic(PANIC_HANDOFF, "the handoff at 0x%llx is refused: %s", (unsigned long long)handoff,
          handoff_check_text(status));
}
