#include "bootloader/pure/kernel_base.h"

#include "bootloader/pure/number_at.h"

static uint64_t first_base(const struct elf_plan *plan)
{
    return ELF_LOWEST_ADDRESS + (plan->image.start.value & (plan->alignment_bytes - 1));
}

uint64_t kernel_base_count(const struct elf_plan *plan)
{
    uint64_t end = first_base(plan) + virt_range_size_bytes(plan->image);
    return end > KERNEL_BASE_WINDOW_END
               ? 1
               : (KERNEL_BASE_WINDOW_END - end) / plan->alignment_bytes + 1;
}

uint64_t kernel_base_slide(const struct elf_plan *plan, uint64_t number)
{
    return first_base(plan) + number * plan->alignment_bytes - plan->image.start.value;
}

uint64_t kernel_base_fixed_slide(const struct elf_plan *plan)
{
    return plan->image.start.value >= ELF_LOWEST_ADDRESS ? 0 : kernel_base_slide(plan, 0);
}

/* The remainder prefers no base: 2^64 is much larger than the number of bases. */
uint64_t kernel_base_random_slide(const struct elf_plan *plan, const uint8_t random[8])
{
    return kernel_base_slide(plan, number_at(random, 8) % kernel_base_count(plan));
}

static void move(struct virt_addr *address, uint64_t slide)
{
    address->value += slide;
}

void kernel_base_move(struct elf_plan *plan, uint64_t slide)
{
    plan->slide = slide;
    move(&plan->entry, slide);
    move(&plan->image.start, slide);
    move(&plan->image.end, slide);
    for (unsigned i = 0; i < plan->segment_count; i++) {
        move(&plan->segments[i].memory.start, slide);
        move(&plan->segments[i].memory.end, slide);
    }
}
