#include "bootloader/firmware/menu_terminal.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/keyboard.h"
#include "bootloader/pure/utf8.h"
#include "shared/memory.h"
#include "shared/text/format.h"
#include "shared/text/text.h"

#define POLL_MICROSECONDS 10000
#define POLLS_PER_SECOND  100

/* The bytes of a sequence follow each other faster than a person types. */
#define ESCAPE_POLLS 10

/* A line with noise must not keep the countdown from its end. */
#define BURST_LIMIT 64

/* The watchdog is armed again each second, so it fires only if the firmware hangs. */
#define WATCHDOG_SECONDS 10

static void write_serial(const struct menu_terminal *terminal, const char *text)
{
    if (terminal->port != 0)
        arch_serial_write(text, text_length(text));
}

/* Erase the screen, and go to the first place (ECMA-48, 8.3.39 and 8.3.21). */
static void clear(struct menu_terminal *terminal)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *output = firmware.system_table->ConOut;
    if (output != NULL)
        output->ClearScreen(output);
    write_serial(terminal, "\033[2J\033[H");
}

void menu_terminal_open(struct menu_terminal *terminal, const struct serial_choice *serial,
                        uint64_t clock_hz)
{
    memset(terminal, 0, sizeof(*terminal));
    terminal->clock_hz = clock_hz;
    terminal->second_start_ticks = arch_timestamp();
    if (!serial->is_firmware_console && arch_serial_initialise(serial->port))
        terminal->port = serial->port;
    keyboard_set_watchdog(WATCHDOG_SECONDS);
    clear(terminal);
}

/* UCS-2 has no characters above 0xffff. */
static void output_at(SIMPLE_TEXT_OUTPUT_INTERFACE *output, unsigned row, unsigned column,
                      const char *text)
{
    CHAR16 wide[MENU_COLUMN_COUNT + 1];
    size_t length = 0;
    while (*text != '\0') {
        uint32_t character = utf8_next(&text);
        wide[length++] = character > UINT16_MAX ? '?' : (CHAR16)character;
    }
    wide[length] = 0;
    output->SetCursorPosition(output, column, row);
    output->OutputString(output, wide);
}

static void write_at(const struct menu_terminal *terminal, unsigned row, unsigned column,
                     const char *text)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *output = firmware.system_table->ConOut;
    char sequence[MENU_ROW_CAPACITY + 16];
    if (output != NULL)
        output_at(output, row, column, text);
    format_text(sequence, sizeof(sequence), "\033[%u;%uH%s", row + 1, column + 1, text);
    write_serial(terminal, sequence);
}

/* A character may take fewer columns than it counts for. Without blanks, the end of the old row would
 * stay. */
static void write_row(const struct menu_terminal *terminal, unsigned row, const char *text)
{
    char blanks[MENU_COLUMN_COUNT + 1] = "";
    if (text_length(text) != MENU_COLUMN_COUNT) {
        memset(blanks, ' ', MENU_COLUMN_COUNT);
        write_at(terminal, row, 0, blanks);
    }
    write_at(terminal, row, 0, text);
}

void menu_terminal_show(struct menu_terminal *terminal, const struct menu *menu)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *output = firmware.system_table->ConOut;
    char text[MENU_ROW_CAPACITY];
    unsigned row;
    unsigned column;
    bool has_changed = false;
    for (row = 0; row < MENU_ROW_COUNT; row++) {
        menu_draw_row(menu, row, text);
        if (text_equal(text, terminal->rows[row]))
            continue;
        memcpy(terminal->rows[row], text, sizeof(text));
        write_row(terminal, row, text);
        has_changed = true;
    }
    bool has_cursor = menu_find_cursor(menu, &row, &column);
    /* The serial port gets nothing while nothing changes. */
    if (!has_changed && menu->cursor == terminal->cursor)
        return;
    terminal->cursor = menu->cursor;
    write_at(terminal, row, column, "");
    if (output != NULL)
        output->EnableCursor(output, has_cursor);
}

static unsigned take_serial(struct menu_terminal *terminal)
{
    uint8_t byte;
    if (terminal->port == 0)
        return MENU_KEY_NONE;
    for (unsigned i = 0; i < BURST_LIMIT && arch_serial_take(terminal->port, &byte); i++) {
        unsigned key = menu_key_read(&terminal->reader, byte);
        terminal->pause_polls = 0;
        if (key != MENU_KEY_NONE)
            return key;
    }
    return ++terminal->pause_polls == ESCAPE_POLLS ? menu_key_pause(&terminal->reader)
                                                   : MENU_KEY_NONE;
}

unsigned menu_terminal_take(struct menu_terminal *terminal)
{
    unsigned key = take_serial(terminal);
    if (key == MENU_KEY_NONE)
        key = keyboard_take();
    if (key == MENU_KEY_NONE) {
        firmware.services->Stall(POLL_MICROSECONDS);
        terminal->polls++;
    }
    return key;
}

bool menu_terminal_second(struct menu_terminal *terminal)
{
    bool has_passed = terminal->clock_hz == 0
                          ? terminal->polls >= POLLS_PER_SECOND
                          : arch_timestamp() - terminal->second_start_ticks >= terminal->clock_hz;
    if (has_passed) {
        terminal->polls = 0;
        terminal->second_start_ticks = arch_timestamp();
        keyboard_set_watchdog(WATCHDOG_SECONDS);
    }
    return has_passed;
}

void menu_terminal_close(struct menu_terminal *terminal)
{
    clear(terminal);
    keyboard_set_watchdog(0);
}
