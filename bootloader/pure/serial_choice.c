#include "bootloader/pure/serial_choice.h"

#include "bootloader/pure/number_at.h"
#include "shared/text/number.h"
#include "shared/text/piece.h"
#include "shared/text/text.h"

/* Nodes of device paths (UEFI 2.10, section 10.3): type, subtype, length in two bytes. */
#define NODE_HEADER_SIZE_BYTES 4
#define NODE_ACPI              0x0102 /* subtype 1 of type 2 */
#define NODE_ACPI_SIZE_BYTES   12
#define NODE_UART              0x0e03 /* subtype 14 of type 3 */
#define NODE_TYPE_END          0x7f
#define NODE_END_OF_ALL        0xff7f

/* PNP0501, a UART of type 16550, as a compressed EISA number. */
#define ACPI_HID_UART UINT32_C(0x050141d0)

/* SPCR */
#define SPCR_KIND_OFFSET    36
#define SPCR_SPACE_OFFSET   40
#define SPCR_ADDRESS_OFFSET 44
#define SPCR_ADDRESS_END    52
#define SPACE_PORT          1
#define SPCR_KIND_16550     0
#define SPCR_KIND_16450     1
#define SPCR_KIND_16550_GAS 0x12

/* The name of a port may be written as a person likes. */
static bool is_word(const char *text, size_t length, const char *word)
{
    return length == text_length(word) && piece_ends_with((struct piece){text, length}, word);
}

bool serial_wish_parse(const char *text, size_t length, struct serial_wish *ret_wish)
{
    uint64_t number;
    if (is_word(text, length, "off")) {
        *ret_wish = (struct serial_wish){SERIAL_WISH_OFF, 0};
        return true;
    }
    if (length == 4 && is_word(text, 3, "com") && text[3] >= '1' &&
        text[3] <= '0' + SERIAL_NUMBER_LAST) {
        *ret_wish = (struct serial_wish){SERIAL_WISH_NUMBER, (uint16_t)(text[3] - '0')};
        return true;
    }
    if (!number_parse(text, length, &number) || number < SERIAL_PORT_FIRST ||
        number > SERIAL_PORT_LAST)
        return false;
    *ret_wish = (struct serial_wish){SERIAL_WISH_PORT, (uint16_t)number};
    return true;
}

/* COM1 has the UID 0 in ACPI. `number` is 0 for another device. */
static unsigned number_of_acpi_node(const uint8_t *node, size_t size_bytes)
{
    if (size_bytes < NODE_ACPI_SIZE_BYTES || number_at(node + 4, 4) != ACPI_HID_UART)
        return 0;
    uint64_t uid = number_at(node + 8, 4);
    return uid < SERIAL_NUMBER_LAST ? (unsigned)uid + 1 : 0;
}

static void add_port(struct serial_console *console, unsigned number)
{
    if (number == 0) {
        console->has_unknown = true;
        return;
    }
    if (console->first_number == 0)
        console->first_number = number;
    console->number_bits |= 1u << number;
}

void serial_console_find(const uint8_t *path, size_t size_bytes, struct serial_console *console)
{
    unsigned number = 0; /* of the last ACPI node of this instance */
    size_t node_size_bytes;
    for (size_t offset = 0; size_bytes - offset >= NODE_HEADER_SIZE_BYTES;
         offset += node_size_bytes) {
        const uint8_t *node = path + offset;
        uint64_t kind = number_at(node, 2);
        node_size_bytes = (size_t)number_at(node + 2, 2);
        if (node_size_bytes < NODE_HEADER_SIZE_BYTES || node_size_bytes > size_bytes - offset ||
            kind == NODE_END_OF_ALL)
            break;
        if (kind == NODE_ACPI)
            number = number_of_acpi_node(node, node_size_bytes);
        else if (node[0] == NODE_TYPE_END)
            number = 0;
        else if (kind == NODE_UART)
            add_port(console, number);
    }
}

uint16_t serial_choice_spcr_port(const uint8_t *table, uint64_t size_bytes)
{
    if (size_bytes < SPCR_ADDRESS_END || table[SPCR_SPACE_OFFSET] != SPACE_PORT)
        return 0;
    uint8_t kind = table[SPCR_KIND_OFFSET];
    uint64_t port = number_at(table + SPCR_ADDRESS_OFFSET, 8);
    bool is_known =
        kind == SPCR_KIND_16550 || kind == SPCR_KIND_16450 || kind == SPCR_KIND_16550_GAS;
    return is_known && port >= SERIAL_PORT_FIRST && port <= SERIAL_PORT_LAST ? (uint16_t)port : 0;
}

/* The source is the name for the log. */
static void choose_automatically(struct serial_choice *choice, const struct serial_console *console,
                                 uint16_t spcr_port, uint16_t (*port_of_number)(unsigned number))
{
    choice->source = "firmware's console";
    if (console->first_number != 0)
        choice->port = port_of_number(console->first_number);
    if (choice->port == 0) {
        choice->source = "SPCR";
        choice->port = spcr_port;
    }
    if (choice->port == 0) {
        choice->source = "default";
        choice->port = port_of_number(1);
    }
}

static bool is_port_of_console(uint16_t port, const struct serial_console *console,
                               uint16_t (*port_of_number)(unsigned number))
{
    for (unsigned number = 1; number <= SERIAL_NUMBER_LAST; number++) {
        if ((console->number_bits & 1u << number) != 0 && port_of_number(number) == port)
            return true;
    }
    return false;
}

void serial_choose(const struct serial_wish *wish, const struct serial_console *console,
                   uint16_t spcr_port, uint16_t (*port_of_number)(unsigned number),
                   struct serial_choice *ret_choice)
{
    bool is_automatic = wish->kind == SERIAL_WISH_AUTOMATIC;
    uint16_t port = wish->kind == SERIAL_WISH_PORT ? wish->value : 0;
    if (wish->kind == SERIAL_WISH_NUMBER)
        port = port_of_number(wish->value);
    ret_choice->port = port;
    ret_choice->source = "handoff.conf";
    if (is_automatic)
        choose_automatically(ret_choice, console, spcr_port, port_of_number);
    /* A port of the console without a number is most likely the one that was chosen. */
    ret_choice->is_firmware_console =
        ret_choice->port != 0 && ((is_automatic && console->has_unknown) ||
                                  is_port_of_console(ret_choice->port, console, port_of_number));
}
