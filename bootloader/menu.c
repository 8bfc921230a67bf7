#include "bootloader/menu.h"

#include "bootloader/actions.h"
#include "bootloader/arch.h"
#include "bootloader/chain_load.h"
#include "bootloader/details.h"
#include "bootloader/firmware/clock.h"
#include "bootloader/firmware/keyboard.h"
#include "bootloader/firmware/menu_terminal.h"
#include "bootloader/serial.h"
#include "bootloader/start_options.h"
#include "shared/text/packed_text.h"

#define HELD_KEY_LOOKS    10 /* with entries; without any, one look costs nothing */
#define LOOK_MICROSECONDS 10000

_Static_assert(MENU_POWER_OFF - MENU_SETUP == (int)BOOT_ACTION_POWER_OFF, "the same order");

/* Too large for the firmware's stack. */
static struct menu menu;
static struct menu_terminal terminal;

static bool is_call(unsigned key)
{
    return key == ' ' || key == MENU_KEY_ESCAPE;
}

static bool sees_call(struct loader *loader)
{
    uint8_t byte;
    return is_call(keyboard_take()) ||
           (arch_serial_take(serial_known_port(loader), &byte) && (byte == ' ' || byte == '\033'));
}

/* Firmware may forget its keys when it starts the loader. A key that is held down comes again within
 * the looks: it repeats about 30 times a second. */
bool menu_is_wanted(struct loader *loader)
{
    unsigned looks = loader->entries.is_single ? 1 : HELD_KEY_LOOKS;
    while (!sees_call(loader)) {
        if (--looks == 0)
            return false;
        firmware.services->Stall(LOOK_MICROSECONDS);
    }
    return true;
}

static void open_terminal(struct loader *loader, uint64_t clock_hz)
{
    menu_terminal_open(&terminal, &loader->serial, clock_hz);
}

static void show_details(struct loader *loader)
{
    static char text[MENU_TEXT_CAPACITY];
    details_write(loader, &loader->entries.entries[menu.selected], text, sizeof(text));
    menu_show_text(&menu, MENU_VIEW_DETAILS, text);
    /* The read of a large file has shown its progress. */
    open_terminal(loader, terminal.clock_hz);
}

static void edit_line(struct loader *loader)
{
    entry_configure(&loader->entries, &loader->entries.entries[menu.selected]);
    start_options_apply(loader);
    menu_show_text(&menu, MENU_VIEW_EDIT, loader->config.command_line);
}

/* Leave the screen to an EFI application, or to the firmware. This returns if they return. */
static void leave(struct loader *loader, enum menu_request request)
{
    static char message[600];
    menu_terminal_close(&terminal);
    menu.view = MENU_VIEW_LIST;
    menu.message = NULL;
    if (request != MENU_START_PATH) {
        boot_action_run(loader, (enum boot_action)(request - MENU_SETUP));
        menu.message = PACKED("The firmware does not do this.");
    } else if (!chain_load(loader, menu.text, "")) {
        error_format_sentence(&last_failure, message, sizeof(message));
        menu.message = message;
    }
    open_terminal(loader, terminal.clock_hz);
}

/* Return true if an entry has been chosen. */
static bool serve(struct loader *loader, enum menu_request request)
{
    if (request == MENU_WANT_DETAILS)
        show_details(loader);
    else if (request == MENU_WANT_LINE)
        edit_line(loader);
    else if (request >= MENU_SETUP || request == MENU_START_PATH)
        leave(loader, request);
    return request == MENU_START || request == MENU_START_TEXT;
}

/* A pasted text is drawn when it ends: firmware takes milliseconds for a row, and a serial port keeps
 * 16 bytes. */
static enum menu_request wait_for_request(void)
{
    unsigned key = MENU_KEY_NONE;
    for (;;) {
        if (key == MENU_KEY_NONE)
            menu_terminal_show(&terminal, &menu);
        key = menu_terminal_take(&terminal);
        enum menu_request request = key == MENU_KEY_NONE ? MENU_NOTHING : menu_press(&menu, key);
        if (menu_terminal_second(&terminal) && request == MENU_NOTHING)
            request = menu_pass_second(&menu);
        if (request != MENU_NOTHING)
            return request;
    }
}

struct entry *menu_run(struct loader *loader, const struct entry *entry, unsigned seconds,
                       const char *message, const char **ret_line)
{
    struct entry *entries = loader->entries.entries;
    enum menu_request request;
    serial_prepare(loader);
    menu = (struct menu){
        .list = &loader->entries,
        .config_path = loader->chooser.config_path,
        .forbids_change = integrity_is_secure(loader)
                              ? PACKED("Secure Boot is on: the command line cannot be changed.")
                              : NULL,
        .message = message != NULL ? message : loader->chooser.refusal,
        .seconds_left = seconds,
        .selected = entry == NULL ? 0 : (unsigned)(entry - entries),
    };
    open_terminal(loader, clock_find(&loader->platform.firmware_tables).frequency_hz);
    do
        request = wait_for_request();
    while (!serve(loader, request));
    menu_terminal_close(&terminal);
    *ret_line = request == MENU_START_TEXT ? menu.text : NULL;
    return &entries[menu.selected];
}
