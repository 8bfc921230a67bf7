#include "kernel/core/power_acpi.h"

#include "kernel/arch.h"
#include "kernel/core/acpi_sleep.h"
#include "kernel/core/log.h"

#define SIGNATURE(a, b, c, d)                                                                      \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SIGNATURE_FADT SIGNATURE('F', 'A', 'C', 'P')
#define SIGNATURE_DSDT SIGNATURE('D', 'S', 'D', 'T')

/* A read of such a register takes about a microsecond. The machine switches off within a second. */
#define READ_LIMIT 1000000

/* Keep the first table that is not damaged. */
static void remember(struct phys_range *place, const struct handoff_firmware_table *table)
{
    if (place->start.value == 0 && table->size_bytes != 0 &&
        table->size_bytes <= ACPI_SLEEP_TABLE_LIMIT_BYTES)
        (void)phys_range_from_base_size(phys_addr(table->address), table->size_bytes, place);
}

struct power_tables power_acpi_find_tables(const struct handoff_view *view,
                                           struct virt_addr direct_map_base)
{
    const struct handoff_array *list = &view->handoff->firmware_tables;
    struct power_tables tables = {phys_range(0, 0), phys_range(0, 0)};
    for (uint32_t i = 0; i < list->count; i++) {
        uint64_t place = list->first + (uint64_t)i * list->stride_bytes;
        const struct handoff_firmware_table *table =
            (const void *)virt_addr_add(direct_map_base, place).value;
        if (table->part == SIGNATURE_FADT)
            remember(&tables.fadt, table);
        else if (table->part == SIGNATURE_DSDT)
            remember(&tables.dsdt, table);
    }
    return tables;
}

static bool is_readable(struct phys_range table, const struct region_list *regions)
{
    return phys_range_size_bytes(table) != 0 && region_list_is_ram(regions, table);
}

static const uint8_t *bytes_of(struct phys_range table, struct virt_addr direct_map_base)
{
    return (const void *)virt_addr_add(direct_map_base, table.start.value).value;
}

/* Firmware may still own the registers. The command hands them over (ACPI 6.5, 4.8.2.5). */
static void take_registers(const struct acpi_sleep_registers *registers)
{
    unsigned reads = 0;
    if (registers->command == 0 ||
        (arch_io_read_16(registers->control[0]) & ACPI_SLEEP_CONTROL_ENABLED) != 0)
        return;
    arch_io_write_8(registers->command, registers->command_enable);
    while ((arch_io_read_16(registers->control[0]) & ACPI_SLEEP_CONTROL_ENABLED) == 0 &&
           reads++ < READ_LIMIT)
        arch_pause();
}

/* First the type goes to both registers, then the bit that starts (ACPI 6.5, 4.8.3.2.1). */
static void start_sleep(const uint16_t control[2], const uint8_t type[2])
{
    uint16_t values[2] = {0, 0};
    for (unsigned i = 0; i < 2 && control[i] != 0; i++) {
        values[i] = acpi_sleep_control_value(type[i], arch_io_read_16(control[i]));
        arch_io_write_16(control[i], values[i]);
    }
    for (unsigned i = 0; i < 2 && control[i] != 0; i++)
        arch_io_write_16(control[i], values[i] | ACPI_SLEEP_CONTROL_GO);
}

static enum acpi_sleep_status find_registers(const struct power_tables *tables,
                                             struct virt_addr direct_map_base,
                                             struct acpi_sleep_registers *ret_registers)
{
    enum acpi_sleep_status status =
        acpi_sleep_find_registers(bytes_of(tables->fadt, direct_map_base),
                                  (size_t)phys_range_size_bytes(tables->fadt), ret_registers);
    if (status != ACPI_SLEEP_OFF)
        return status;
    uint16_t control = arch_acpi_control_enable();
    *ret_registers = (struct acpi_sleep_registers){.control = {control, 0}};
    return control != 0 ? ACPI_SLEEP_OK : status;
}

/* What is written to which registers. */
struct sleep_plan {
    struct acpi_sleep_registers registers;
    struct acpi_sleep_types types;
};

/* Return NULL, or the reason why the tables name no way to switch off. */
static const char *make_plan(const struct power_tables *tables, struct virt_addr direct_map_base,
                             const struct region_list *regions, struct sleep_plan *ret_plan)
{
    if (!is_readable(tables->fadt, regions) || !is_readable(tables->dsdt, regions))
        return "the handoff has no ACPI tables FADT and DSDT in RAM";
    enum acpi_sleep_status status =
        acpi_sleep_find_types(bytes_of(tables->dsdt, direct_map_base),
                              (size_t)phys_range_size_bytes(tables->dsdt), &ret_plan->types);
    if (status == ACPI_SLEEP_OK)
        status = find_registers(tables, direct_map_base, &ret_plan->registers);
    return status == ACPI_SLEEP_OK ? NULL : acpi_sleep_status_text(status);
}

const char *power_acpi_obstacle(const struct power_tables *tables, struct virt_addr direct_map_base,
                                const struct region_list *regions)
{
    struct sleep_plan plan;
    return make_plan(tables, direct_map_base, regions, &plan);
}

const char *power_acpi_off(const struct power_tables *tables, struct virt_addr direct_map_base,
                           const struct region_list *regions)
{
    struct sleep_plan plan;
    const char *obstacle = make_plan(tables, direct_map_base, regions, &plan);
    if (obstacle != NULL)
        return obstacle;

    log_line("power-off", "by=acpi register=0x%x type=%u", plan.registers.control[0],
             plan.types.type[0]);
    take_registers(&plan.registers);
    start_sleep(plan.registers.control, plan.types.type);
    for (unsigned reads = 0; reads < READ_LIMIT; reads++)
        (void)arch_io_read_16(plan.registers.control[0]);
    return "the machine still runs after its ACPI registers were written";
}
