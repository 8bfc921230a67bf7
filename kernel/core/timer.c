#include "kernel/core/timer.h"

#include "kernel/arch.h"

static bool map_registers(struct address_space *space, const struct arch_device *device,
                          struct virt_addr *ret_registers)
{
    *ret_registers = virt_addr(0);
    return device->size_bytes == 0 ||
           address_space_map_device(space, device->name, device->base, device->size_bytes,
                                    PAGE_MEMORY_UNCACHED, ret_registers) == PAGE_TABLE_OK;
}

bool timer_prepare(struct timer *timer, struct address_space *space)
{
    struct arch_device device;
    struct virt_addr registers;
    if (timer->is_prepared)
        return true;
    if (!arch_timer_find(&device) || !map_registers(space, &device, &registers))
        return false;
    arch_timer_attach(registers);
    timer->is_prepared = true;
    return true;
}

bool timer_start(struct timer *timer, struct address_space *space, uint32_t period_ticks)
{
    if (!timer_prepare(timer, space))
        return false;
    arch_timer_start(period_ticks);
    return true;
}

void timer_stop(void)
{
    arch_timer_stop();
}
