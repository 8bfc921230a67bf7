/*
 * keyboard.c - a keyboard that blocks its reader, or that is absent, and a watchdog that fires.
 *
 * The loader's keyboard is one of our own, on which a key is held down. It reports the delays that
 * the loader asked for until the key was read. A read without a key blocks for ever on some
 * firmware; here it is reported, and the machine ends.
 *
 * Plan:
 *   no-keyboard         ConIn is NULL
 *   key-never           no key is ever pressed
 *   real-keyboard       the loader gets the firmware's own keyboard
 *   key-code N          the character of the key, in place of 'x'
 *   key-after N         the key is pressed when the loader has asked for N µs of delays
 *   keyboard-hangs      CheckEvent() of the keyboard's event never returns
 *   watchdog-seconds N  the firmware's watchdog fires after N seconds, if it is armed
 */
#include "shared/arch/x86_64/instructions.h"
#include "tests/qemu/conductor/stage.h"

#define DEBUG_EXIT_PORT 0xf4
/* The code of leaving.c for a call that must not happen. */
#define CONDUCTOR_CODE_FORBIDDEN 0x7d

static SIMPLE_INPUT_INTERFACE keyboard;
static EFI_EVENT key_event;
static bool key_was_announced;
static bool key_was_read;
static uint64_t delays_until_start;
static EFI_STALL next_stall;
static EFI_SET_WATCHDOG_TIMER next_set_watchdog_timer;
static uint64_t delay_microseconds;

static bool key_is_there(void)
{
    uint64_t after = 0;
    if (plan_has(&stage.plan, "key-never", NULL))
        return false;
    (void)plan_has(&stage.plan, "key-after", &after);
    return delay_microseconds >= delays_until_start + after;
}

static EFI_STATUS check_event(EFI_EVENT event)
{
    static bool was_checked;
    if (event != key_event)
        return stage.firmware->CheckEvent(event);
    if (!was_checked)
        delays_until_start = delay_microseconds;
    was_checked = true;
    while (plan_has(&stage.plan, "keyboard-hangs", NULL))
        continue;
    key_was_announced = key_is_there();
    return key_was_announced ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS read_key_stroke(SIMPLE_INPUT_INTERFACE *input, EFI_INPUT_KEY *key)
{
    (void)input;
    if (!key_was_announced) {
        say("FORBIDDEN: ReadKeyStroke without a key, which blocks");
        port_write_32(DEBUG_EXIT_PORT, CONDUCTOR_CODE_FORBIDDEN);
        halt_forever();
    }
    if (!key_was_read)
        say("the key was read after %llu us of delays", delay_microseconds - delays_until_start);
    key_was_announced = false;
    key_was_read = true;
    uint64_t code = 'x';
    (void)plan_has(&stage.plan, "key-code", &code);
    *key = (EFI_INPUT_KEY){0, (CHAR16)code};
    return EFI_SUCCESS;
}

static EFI_STATUS stall(UINTN microseconds)
{
    delay_microseconds += microseconds;
    return next_stall(microseconds);
}

static EFI_STATUS set_watchdog_timer(UINTN seconds, UINT64 code, UINTN size_bytes, CHAR16 *data)
{
    uint64_t wanted = seconds;
    say("watchdog: %llu s, code %llx", seconds, code);
    if (seconds != 0)
        (void)plan_has(&stage.plan, "watchdog-seconds", &wanted);
    return next_set_watchdog_timer(wanted, code, size_bytes, data);
}

void keyboard_report(void)
{
    say("the loader asked for %llu us of delays", delay_microseconds);
}

void keyboard_install(void)
{
    if (EFI_ERROR(stage.firmware->CreateEvent(EVT_TIMER, 0, NULL, NULL, &key_event)))
        say("no event for the keyboard");
    keyboard = (SIMPLE_INPUT_INTERFACE){
        .ReadKeyStroke = read_key_stroke,
        .WaitForKey = key_event,
    };
    if (!plan_has(&stage.plan, "real-keyboard", NULL))
        stage.loader_table->ConIn = plan_has(&stage.plan, "no-keyboard", NULL) ? NULL : &keyboard;
    next_stall = stage.services->Stall;
    next_set_watchdog_timer = stage.services->SetWatchdogTimer;
    stage.services->Stall = stall;
    stage.services->SetWatchdogTimer = set_watchdog_timer;
    stage.services->CheckEvent = check_event;
}
