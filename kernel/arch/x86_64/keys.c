/*
 * keys.c - keys from the serial port and from the PS/2 keyboard, polled. (Intel 8042 data sheet; IBM PS/2
 * Technical Reference, "Keyboard and Auxiliary Device Controller".)
 */
#include "kernel/arch.h"
#include "kernel/arch/x86_64/scancode.h"
#include "kernel/arch/x86_64/serial.h"
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

/* A port read takes about 1 µs. A present controller takes a byte within about 20 ms. */
#define POLL_LIMIT 50000

static bool keyboard_present;
static struct scancode_reader reader;

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

void arch_keys_initialise(void)
{
    keyboard_present = port_read_8(PORT_STATUS) != STATUS_ABSENT &&
                       controller_send(PORT_COMMAND, COMMAND_ENABLE_KEYBOARD) &&
                       controller_send(PORT_DATA, KEYBOARD_ENABLE);
}

/* '\0' if no key was pressed. */
static char keyboard_take(void)
{
    char key = '\0';
    for (unsigned poll = 0; keyboard_present && key == '\0' && poll < POLL_LIMIT; poll++) {
        uint8_t status = port_read_8(PORT_STATUS);
        if (status == STATUS_ABSENT || (status & STATUS_OUTPUT_FULL) == 0)
            break;
        uint8_t byte = port_read_8(PORT_DATA);
        if ((status & STATUS_FROM_MOUSE) == 0)
            key = scancode_read(&reader, byte);
    }
    return key;
}

static char small_letter(uint8_t byte)
{
    return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

bool arch_key_take(char *ret_key)
{
    uint8_t byte;
    if (serial_take(&byte))
        *ret_key = small_letter(byte);
    else
        *ret_key = keyboard_take();
    return *ret_key != '\0';
}
