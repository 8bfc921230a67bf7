/*
 * serial.c - a 16550-compatible UART at COM1, polled. (National Semiconductor PC16550D data sheet.)
 */
#include "kernel/arch/x86_64/serial.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/instructions.h"

#define COM1 0x3f8

#define UART_DATA             (COM1 + 0)
#define UART_INTERRUPT_ENABLE (COM1 + 1)
#define UART_FIFO_CONTROL     (COM1 + 2)
#define UART_LINE_CONTROL     (COM1 + 3)
#define UART_MODEM_CONTROL    (COM1 + 4)
#define UART_LINE_STATUS      (COM1 + 5)
#define UART_SCRATCH          (COM1 + 7)

#define LINE_CONTROL_8N1           0x03
#define LINE_CONTROL_DIVISOR_LATCH 0x80
#define FIFO_ENABLE_AND_CLEAR      0x07
#define MODEM_CONTROL_READY        0x03 /* DTR and RTS; OUT2 off: no interrupts */
#define LINE_STATUS_HAS_DATA       0x01
#define LINE_STATUS_CAN_SEND       0x20
#define DIVISOR_115200             1

/* At 115200 baud a byte takes 87 µs; a port read takes about 1 µs on real hardware. A UART that has
 * not become ready after this many reads is not there any more. */
#define SEND_POLL_LIMIT 100000

static bool serial_present;

/* A missing UART reads as all ones; a present one keeps what is written to its scratch register. */
static bool uart_answers(void)
{
    port_write_8(UART_SCRATCH, 0x5a);
    if (port_read_8(UART_SCRATCH) != 0x5a)
        return false;
    port_write_8(UART_SCRATCH, 0xa5);
    return port_read_8(UART_SCRATCH) == 0xa5;
}

bool arch_serial_initialise(void)
{
    if (!uart_answers())
        return false;
    port_write_8(UART_INTERRUPT_ENABLE, 0);
    port_write_8(UART_LINE_CONTROL, LINE_CONTROL_DIVISOR_LATCH);
    port_write_8(UART_DATA, DIVISOR_115200);
    port_write_8(UART_INTERRUPT_ENABLE, 0);
    port_write_8(UART_LINE_CONTROL, LINE_CONTROL_8N1);
    port_write_8(UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    port_write_8(UART_MODEM_CONTROL, MODEM_CONTROL_READY);
    serial_present = true;
    return true;
}

static void send(uint8_t byte)
{
    for (unsigned poll = 0; poll < SEND_POLL_LIMIT; poll++) {
        if ((port_read_8(UART_LINE_STATUS) & LINE_STATUS_CAN_SEND) != 0) {
            port_write_8(UART_DATA, byte);
            return;
        }
    }
    serial_present = false;
}

void arch_serial_write(const char *text, size_t length_bytes)
{
    for (size_t i = 0; i < length_bytes && serial_present; i++) {
        if (text[i] == '\n')
            send('\r');
        send((uint8_t)text[i]);
    }
}

bool serial_take(uint8_t *ret_byte)
{
    if (!serial_present || (port_read_8(UART_LINE_STATUS) & LINE_STATUS_HAS_DATA) == 0)
        return false;
    *ret_byte = port_read_8(UART_DATA);
    return true;
}
