/*
 * io.c - ports, and the chipset's power-management registers behind them.
 */
#include "kernel/arch.h"
#include "shared/arch/x86_64/instructions.h"

/* PCI configuration space (PCI 3.0, 3.2.2.3.2): a port for the place, and one for the data. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc

/* The LPC bridge of Intel's ICH9, as QEMU's q35 has it: bus 0, device 31, function 0 (Intel ICH9
 * data sheet, 13.1). Its power-management ports lie at PMBASE, if ACPI_CNTL has the bit. */
#define ICH9_LPC            UINT32_C(0x8000f800)
#define ICH9_IDENTITY       UINT32_C(0x29188086)
#define ICH9_REGISTER_ID    0x00
#define ICH9_PMBASE         0x40
#define ICH9_ACPI_CNTL      0x44
#define ICH9_ACPI_ENABLE    UINT32_C(0x80)
#define ICH9_PMBASE_CHOSEN  0x600 /* 128 ports that nothing else has on these machines */
#define ICH9_PMBASE_IS_PORT 1
#define ICH9_PM1_CNT        4

uint16_t arch_io_read_16(uint16_t address)
{
    return port_read_16(address);
}

void arch_io_write_16(uint16_t address, uint16_t value)
{
    port_write_16(address, value);
}

void arch_io_write_8(uint16_t address, uint8_t value)
{
    port_write_8(address, value);
}

static uint32_t ich9_read(uint32_t offset)
{
    port_write_32(PCI_ADDRESS, ICH9_LPC | offset);
    return port_read_32(PCI_DATA);
}

static void ich9_write(uint32_t offset, uint32_t value)
{
    port_write_32(PCI_ADDRESS, ICH9_LPC | offset);
    port_write_32(PCI_DATA, value);
}

uint16_t arch_acpi_control_enable(void)
{
    if (ich9_read(ICH9_REGISTER_ID) != ICH9_IDENTITY)
        return 0;
    if ((ich9_read(ICH9_ACPI_CNTL) & ICH9_ACPI_ENABLE) != 0) {
        bool is_ours = ich9_read(ICH9_PMBASE) == (ICH9_PMBASE_CHOSEN | ICH9_PMBASE_IS_PORT);
        return is_ours ? ICH9_PMBASE_CHOSEN + ICH9_PM1_CNT : 0;
    }
    ich9_write(ICH9_PMBASE, ICH9_PMBASE_CHOSEN | ICH9_PMBASE_IS_PORT);
    ich9_write(ICH9_ACPI_CNTL, ich9_read(ICH9_ACPI_CNTL) | ICH9_ACPI_ENABLE);
    return ICH9_PMBASE_CHOSEN + ICH9_PM1_CNT;
}
