/*
 * keyboard.c - the bytes of the PS/2 keyboard, polled. (Intel 8042 data sheet; IBM PS/2 Technical Reference,
 * "Keyboard and Auxiliary Device Controller".)
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/instructions.h"

#define PORT_DATA    0x60
#define PORT_STATUS  0x64
#define PORT_COMMAND 0x64

#define STATUS_OUTPUT_FULL 0x01
#define STATUS_INPUT_FULL  0x02
#define STATUS_FROM_MOUSE  0x20
/* The value that is read from a port without a device. */
#define STATUS_ABSENT 0xff

#define COMMAND_ENABLE_KEYBOARD 0xae
#define KEYBOARD_ENABLE         0xf4
#define KEYBOARD_ACKNOWLEDGES   0xfa

/* A port read takes about 1 µs. A present controller takes a byte within about 20 ms. */
#define POLL_LIMIT 50000

/* False if the controller does not take the byte. */
static bool controller_send(uint16_t port, uint8_t byte)
{
    for (unsigned poll = 0; poll < POLL_LIMIT; poll++) {
        if ((port_read_8(PORT_STATUS) & STATUS_INPUT_FULL) == 0) {
            port_write_8(port, byte);
            return true;
        }
    }
    return false;
}

bool arch_keyboard_take(uint8_t *ret_byte)
{
    for (unsigned poll = 0; poll < POLL_LIMIT; poll++) {
        uint8_t status = port_read_8(PORT_STATUS);
        if (status == STATUS_ABSENT || (status & STATUS_OUTPUT_FULL) == 0)
            return false;
        *ret_byte = port_read_8(PORT_DATA);
        if ((status & STATUS_FROM_MOUSE) == 0)
            return true;
    }
    return false;
}

/* Wait for the keyboard's answer. Older bytes are dropped. */
static bool wait_for_answer(void)
{
    for (unsigned poll = 0; poll < POLL_LIMIT; poll++) {
        uint8_t byte;
        if (arch_keyboard_take(&byte) && byte == KEYBOARD_ACKNOWLEDGES)
            return true;
    }
    return false;
}

enum arch_keyboard arch_keyboard_initialise(void)
{
    if (port_read_8(PORT_STATUS) == STATUS_ABSENT ||
        !controller_send(PORT_COMMAND, COMMAND_ENABLE_KEYBOARD) ||
        !controller_send(PORT_DATA, KEYBOARD_ENABLE))
        return ARCH_KEYBOARD_ABSENT;
    return wait_for_answer() ? ARCH_KEYBOARD_ANSWERS : ARCH_KEYBOARD_SILENT;
}
