#include "bootloader/firmware/keyboard.h"

#include "bootloader/arch.h"

#define POLL_MICROSECONDS UINT64_C(10000)
#define POLLS_PER_SECOND  (UINT64_C(1000000) / POLL_MICROSECONDS)

/* UEFI 2.10, section 7.1.7: the unit of SetTimer() is 100 ns. */
#define TIMER_UNITS_PER_SECOND UINT64_C(10000000)

/* The watchdog is for calls that hang. So it is later than the end of any wait. Codes below 0x10000
 * belong to the firmware (UEFI 2.10, section 7.5.1). */
#define WATCHDOG_MARGIN_SECONDS 60
#define WATCHDOG_CODE           0x10000

/* The number is bounded, for a key held down. */
#define FORGOTTEN_KEY_LIMIT 64

struct wait {
    EFI_BOOT_SERVICES *services;
    EFI_EVENT timer; /* NULL: no timer */
    uint64_t start_ticks;
    uint64_t limit_ticks; /* 0: the frequency of the clock is unknown */
    uint64_t poll_limit;  /* used instead */
};

unsigned keyboard_take(void)
{
    SIMPLE_INPUT_INTERFACE *input = firmware.system_table->ConIn;
    EFI_INPUT_KEY key;
    if (input == NULL || input->WaitForKey == NULL ||
        firmware.services->CheckEvent(input->WaitForKey) != EFI_SUCCESS ||
        EFI_ERROR(input->ReadKeyStroke(input, &key)))
        return MENU_KEY_NONE;
    return key.UnicodeChar != 0 ? key.UnicodeChar : MENU_KEY_SCAN_CODES + (unsigned)key.ScanCode;
}

void keyboard_set_watchdog(unsigned seconds)
{
    bool is_armed = seconds != 0;
    firmware.services->SetWatchdogTimer(is_armed ? seconds + WATCHDOG_MARGIN_SECONDS : 0,
                                        is_armed ? WATCHDOG_CODE : 0, 0, NULL);
}

static void forget_keys(void)
{
    for (unsigned i = 0; i < FORGOTTEN_KEY_LIMIT && keyboard_take() != MENU_KEY_NONE; i++)
        continue;
}

/* The second clock gets a quarter more time than the timer, so that it decides only if the timer
 * fails. */
static void start_clocks(struct wait *wait, uint64_t clock_hz, unsigned seconds)
{
    wait->start_ticks = arch_timestamp();
    wait->limit_ticks = clock_hz / 4 * 5 * seconds;
    wait->poll_limit = POLLS_PER_SECOND / 4 * 5 * seconds;
    if (EFI_ERROR(wait->services->CreateEvent(EVT_TIMER, 0, NULL, NULL, &wait->timer))) {
        wait->timer = NULL;
        return;
    }
    wait->services->SetTimer(wait->timer, TimerRelative, seconds * TIMER_UNITS_PER_SECOND);
}

static bool is_over(const struct wait *wait, uint64_t poll_count)
{
    if (wait->timer != NULL && wait->services->CheckEvent(wait->timer) == EFI_SUCCESS)
        return true;
    if (wait->limit_ticks != 0)
        return arch_timestamp() - wait->start_ticks >= wait->limit_ticks;
    return poll_count >= wait->poll_limit;
}

void keyboard_wait(uint64_t clock_hz, unsigned seconds)
{
    struct wait wait = {.services = firmware.services};
    keyboard_set_watchdog(seconds);
    forget_keys();
    start_clocks(&wait, clock_hz, seconds);
    for (uint64_t i = 0; keyboard_take() == MENU_KEY_NONE && !is_over(&wait, i); i++)
        wait.services->Stall(POLL_MICROSECONDS);
    forget_keys();
    if (wait.timer != NULL)
        wait.services->CloseEvent(wait.timer);
    keyboard_set_watchdog(0);
}
