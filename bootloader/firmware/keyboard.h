/*
 * keyboard.h - wait for a person, on firmware whose keyboard, timer or delay may not work.
 *
 * - On some firmware, ReadKeyStroke() waits for a key for ever. So it is called only when the event
 *   of the keyboard says that there is a key.
 * - A timer event may never come. So the CPU's clock bounds the wait, or a number of delays if the
 *   frequency of that clock is unknown.
 * - A call of the firmware may hang. So its watchdog is armed during the wait, and resets the
 *   machine.
 */
#ifndef BOOTLOADER_FIRMWARE_KEYBOARD_H
#define BOOTLOADER_FIRMWARE_KEYBOARD_H

#include "bootloader/firmware/firmware.h"
#include "bootloader/pure/menu_key.h"

/* Take a key that was pressed. Return MENU_KEY_NONE without one, and without a keyboard. */
unsigned keyboard_take(void);

/* Let the firmware's watchdog reset the machine a minute after `seconds`. 0 switches it off. */
void keyboard_set_watchdog(unsigned seconds);

/* Wait for a key that is pressed from now on, or that is held down. Wait `seconds` at most. Without
 * a keyboard, wait for this time. `clock_hz` is the frequency of the CPU's clock; 0 if it is
 * unknown. Precondition: the firmware is not sealed. */
void keyboard_wait(uint64_t clock_hz, unsigned seconds);

#endif
