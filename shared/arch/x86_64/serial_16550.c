#include "shared/arch/x86_64/serial_16550.h"

#include "shared/arch/x86_64/instructions.h"

#define REGISTER_DATA             0
#define REGISTER_INTERRUPT_ENABLE 1
#define REGISTER_FIFO_CONTROL     2
#define REGISTER_LINE_CONTROL     3
#define REGISTER_MODEM_CONTROL    4
#define REGISTER_LINE_STATUS      5
#define REGISTER_SCRATCH          7

#define LINE_CONTROL_8N1           0x03
#define LINE_CONTROL_DIVISOR_LATCH 0x80
#define FIFO_ENABLE_AND_CLEAR      0x07
#define MODEM_CONTROL_READY        0x03 /* DTR and RTS; OUT2 off: no interrupts */
#define LINE_STATUS_HAS_DATA       0x01
#define LINE_STATUS_CAN_SEND       0x20
#define DIVISOR_115200             1

/* A port without a device reads as all ones. No UART has every bit of its line status set: an idle
 * UART has received no break. */
#define LINE_STATUS_ABSENT 0xff

/* At 115200 baud a byte takes 87 µs, and a port read takes about 1 µs on real hardware: a thousand
 * times as long. */
#define SEND_POLL_LIMIT 100000

static void set(const struct serial_16550 *port, uint16_t offset, uint8_t value)
{
    port_write_8((uint16_t)(port->base + offset), value);
}

static uint8_t get(const struct serial_16550 *port, uint16_t offset)
{
    return port_read_8((uint16_t)(port->base + offset));
}

/* A missing UART reads as all ones; a present one keeps the value of its scratch register. */
static bool answers(const struct serial_16550 *port)
{
    set(port, REGISTER_SCRATCH, 0x5a);
    if (get(port, REGISTER_SCRATCH) != 0x5a)
        return false;
    set(port, REGISTER_SCRATCH, 0xa5);
    return get(port, REGISTER_SCRATCH) == 0xa5;
}

bool serial_16550_initialise(struct serial_16550 *port, uint16_t base)
{
    *port = (struct serial_16550){.base = base};
    port->is_present = answers(port);
    if (!port->is_present)
        return false;
    set(port, REGISTER_INTERRUPT_ENABLE, 0);
    set(port, REGISTER_LINE_CONTROL, LINE_CONTROL_DIVISOR_LATCH);
    set(port, REGISTER_DATA, DIVISOR_115200);
    set(port, REGISTER_INTERRUPT_ENABLE, 0); /* the upper half of the divisor */
    set(port, REGISTER_LINE_CONTROL, LINE_CONTROL_8N1);
    set(port, REGISTER_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    set(port, REGISTER_MODEM_CONTROL, MODEM_CONTROL_READY);
    return true;
}

static void send(struct serial_16550 *port, uint8_t byte)
{
    unsigned poll_limit = port->is_stalled ? 1 : SEND_POLL_LIMIT;
    for (unsigned poll = 0; poll < poll_limit; poll++) {
        if ((get(port, REGISTER_LINE_STATUS) & LINE_STATUS_CAN_SEND) != 0) {
            set(port, REGISTER_DATA, byte);
            port->is_stalled = false;
            return;
        }
    }
    port->is_stalled = true;
}

void serial_16550_write(struct serial_16550 *port, const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes && port->is_present; i++) {
        if (text[i] == '\n')
            send(port, '\r');
        send(port, (uint8_t)text[i]);
    }
}

bool serial_16550_take(const struct serial_16550 *port, uint8_t *ret_byte)
{
    if (!port->is_present)
        return false;
    uint8_t status = get(port, REGISTER_LINE_STATUS);
    if (status == LINE_STATUS_ABSENT || (status & LINE_STATUS_HAS_DATA) == 0)
        return false;
    *ret_byte = get(port, REGISTER_DATA);
    return true;
}
