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

/* In ticks of the time-stamp counter. A port that works sends its 16 bytes in 1.4 ms, which are
 * 2^23 ticks at most. All waiting that is not so short takes 2^30 ticks at most: 0.2 to 1 s. */
#define PATIENCE_TICKS          (UINT64_C(1) << 30)
#define PATIENCE_FOR_BYTE_TICKS (UINT64_C(1) << 23)

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
    port->is_present = base != 0 && answers(port);
    if (!port->is_present)
        return false;
    port->patience_ticks = PATIENCE_TICKS;
    set(port, REGISTER_INTERRUPT_ENABLE, 0);
    set(port, REGISTER_LINE_CONTROL, LINE_CONTROL_DIVISOR_LATCH);
    set(port, REGISTER_DATA, DIVISOR_115200);
    set(port, REGISTER_INTERRUPT_ENABLE, 0); /* the upper half of the divisor */
    set(port, REGISTER_LINE_CONTROL, LINE_CONTROL_8N1);
    set(port, REGISTER_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    set(port, REGISTER_MODEM_CONTROL, MODEM_CONTROL_READY);
    return true;
}

static bool can_send(const struct serial_16550 *port)
{
    return (get(port, REGISTER_LINE_STATUS) & LINE_STATUS_CAN_SEND) != 0;
}

/* Return the ticks that the port has used; all of its patience if it does not take a byte. */
static uint64_t wait_until_it_can_send(const struct serial_16550 *port)
{
    if (can_send(port))
        return 0;
    uint64_t start = timestamp_read();
    uint64_t ticks = 0;
    while (ticks < port->patience_ticks) {
        if (can_send(port))
            return ticks;
        ticks = timestamp_read() - start;
    }
    return port->patience_ticks;
}

/* Each byte that the port takes gives it time for the next one. So a port that takes a byte now and
 * then cannot delay a boot either. */
static void send(struct serial_16550 *port, uint8_t byte)
{
    uint64_t ticks = wait_until_it_can_send(port);
    port->patience_ticks -= ticks;
    if (port->patience_ticks == 0)
        return;
    set(port, REGISTER_DATA, byte);
    port->patience_ticks += PATIENCE_FOR_BYTE_TICKS;
    if (port->patience_ticks > PATIENCE_TICKS)
        port->patience_ticks = PATIENCE_TICKS;
}

void serial_16550_write(struct serial_16550 *port, const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes && port->patience_ticks != 0; i++) {
        if (text[i] == '\n')
            send(port, '\r');
        if (port->patience_ticks != 0)
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
