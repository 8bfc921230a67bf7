/*
 * screen.c - what a test reads from the screen of the firmware's console.
 *
 * Plan:
 *   show-letters   the console shows every printable character, 32 in a row, and the machine stays
 *                  there: a test learns the glyphs of the firmware
 *   text-mode N    the console has this mode; 0 has 80 columns and 25 rows (UEFI 2.10, 12.4.4)
 *   hold           after the loader's return the machine stays there, with the text of the loader
 */
#include "shared/arch/x86_64/instructions.h"
#include "tests/qemu/conductor/stage.h"

#define FIRST_CHARACTER 0x20
#define LAST_CHARACTER  0x7e
#define ROW_LENGTH      32

void screen_show_letters(void)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *console = stage.system_table->ConOut;
    UINTN columns = 0, rows = 0;
    if (!plan_has(&stage.plan, "show-letters", NULL))
        return;
    console->QueryMode(console, (UINTN)console->Mode->Mode, &columns, &rows);
    console->ClearScreen(console);
    for (CHAR16 letter = FIRST_CHARACTER; letter <= LAST_CHARACTER; letter++) {
        CHAR16 text[] = {letter, 0};
        console->SetCursorPosition(console, letter % ROW_LENGTH, letter / ROW_LENGTH);
        console->OutputString(console, text);
    }
    say("letters on %llu columns, %llu rows", columns, rows);
    halt_forever();
}

void screen_set_text_mode(void)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *console = stage.system_table->ConOut;
    uint64_t number;
    if (plan_has(&stage.plan, "text-mode", &number) &&
        EFI_ERROR(console->SetMode(console, (UINTN)number)))
        say("text mode %llu cannot be set", number);
}

void screen_hold(void)
{
    if (!plan_has(&stage.plan, "hold", NULL))
        return;
    say("holding");
    halt_forever();
}
