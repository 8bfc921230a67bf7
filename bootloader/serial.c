#include "bootloader/serial.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/serial_port.h"
#include "bootloader/firmware/system_tables.h"

void serial_prepare(struct loader *loader)
{
    struct firmware_tables *tables = &loader->platform.firmware_tables;
    if (tables->count == 0)
        system_tables_list(tables);
    if (loader->serial.source == NULL)
        serial_port_choose(tables, &loader->config.serial, &loader->serial);
}

uint16_t serial_known_port(const struct loader *loader)
{
    const struct serial_console unknown = {0};
    struct serial_choice choice;
    if (loader->serial.source != NULL)
        return loader->serial.port;
    serial_choose(&loader->config.serial, &unknown, 0, arch_serial_port_of, &choice);
    return choice.port;
}
