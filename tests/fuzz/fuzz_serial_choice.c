/* The serial port: any bytes as a device path, as an SPCR table and as a text give a port or none. */
#include "bootloader/pure/serial_choice.h"
#include "tests/fuzz/require.h"

static uint16_t port_of_number(unsigned number)
{
    require(number >= 1 && number <= SERIAL_NUMBER_LAST);
    return (uint16_t)(0x3f8 - 8 * number);
}

static void require_port_or_none(uint16_t port)
{
    require(port == 0 || (port >= SERIAL_PORT_FIRST && port <= SERIAL_PORT_LAST));
}

static void require_sound(const struct serial_console *console)
{
    require(console->first_number <= SERIAL_NUMBER_LAST);
    require((console->number_bits & ~0x1eu) == 0);
    require(console->first_number == 0 ? console->number_bits == 0
                                       : (console->number_bits & 1u << console->first_number) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct serial_wish wish = {SERIAL_WISH_AUTOMATIC, 0};
    struct serial_console console = {0};
    serial_console_find(bytes, size_bytes, &console);
    uint16_t spcr_port = serial_choice_spcr_port(bytes, size_bytes);
    bool is_wish = serial_wish_parse((const char *)bytes, size_bytes, &wish);

    require_sound(&console);
    require_port_or_none(spcr_port);
    require(is_wish == (wish.kind != SERIAL_WISH_AUTOMATIC));
    struct serial_choice choice;
    serial_choose(&wish, &console, spcr_port, port_of_number, &choice);
    require_port_or_none(choice.port);
    require(choice.source != NULL);
    require((choice.port == 0) == (wish.kind == SERIAL_WISH_OFF));
    require(choice.port != 0 || !choice.is_firmware_console);
    return 0;
}
