#include "bootloader/pure/parking.h"

#include "shared/address.h"
#include "shared/memory.h"

/* Enough for code, header and seats of 4,096 processors. */
#define STACKS_VIRTUAL_BASE (PARKING_VIRTUAL_BASE + (UINT64_C(4) << 20))

/* The upper half of a stack's part is mapped. */
#define STACK_STRIDE_BYTES (2 * PARKING_STACK_SIZE_BYTES)

/* The smallest table of any CPU maps 2 MiB. */
#define BYTES_PER_TABLE (UINT64_C(2) << 20)

static uint64_t shared_size_bytes(uint32_t seat_count)
{
    return page_align_up(PARKING_CODE_SIZE_BYTES + PARKING_HEADER_SIZE_BYTES +
                         seat_count * sizeof(struct parking_seat));
}

static uint64_t used_size_bytes(uint32_t seat_count)
{
    return shared_size_bytes(seat_count) + seat_count * PARKING_STACK_SIZE_BYTES;
}

/* The upper tables, one for code and seats, and one more because they may cross a border. */
uint64_t parking_table_bound(uint32_t seat_count, unsigned levels)
{
    return levels + 2 + seat_count * STACK_STRIDE_BYTES / BYTES_PER_TABLE;
}

/* The tables map the page for starting processors, too. */
uint64_t parking_size_bytes(uint32_t seat_count, unsigned levels)
{
    uint64_t table_count = parking_table_bound(seat_count, levels) + levels;
    return used_size_bytes(seat_count) + table_count * PAGE_SIZE_BYTES;
}

struct phys_addr parking_header(const struct parking *parking)
{
    return phys_addr_add(parking->memory.start, PARKING_CODE_SIZE_BYTES);
}

struct phys_addr parking_seat(const struct parking *parking, uint32_t index)
{
    return phys_addr_add(parking_header(parking),
                         PARKING_HEADER_SIZE_BYTES + index * sizeof(struct parking_seat));
}

struct phys_range parking_tables(const struct parking *parking)
{
    return phys_range(parking->memory.start.value + used_size_bytes(parking->seat_count),
                      parking->memory.end.value);
}

struct virt_addr parking_stack(uint32_t index)
{
    return virt_addr(STACKS_VIRTUAL_BASE + index * STACK_STRIDE_BYTES + PARKING_STACK_SIZE_BYTES);
}

void parking_fill_seat(const struct handoff_processor *element, struct phys_addr root)
{
    struct parking_seat *seat = (struct parking_seat *)element->mailbox;
    uint64_t stack_top = element->stack_virtual_base + PARKING_STACK_SIZE_BYTES;
    memset(seat, 0, sizeof(*seat));
    seat->mailbox.stack_top = seat->stack_top = stack_top;
    seat->mailbox.page_table_root = root.value;
    seat->hardware_id = element->hardware_id;
}

/* The parts follow each other: the code page, header and seats, each stack. */
enum page_table_status parking_map(const struct parking *parking, struct page_table *table)
{
    struct page_permissions permissions = {.execute = true};
    struct virt_addr virtual = virt_addr(PARKING_VIRTUAL_BASE);
    struct phys_addr physical = parking->memory.start;
    uint64_t size_bytes = PARKING_CODE_SIZE_BYTES;
    enum page_table_status status = PAGE_TABLE_OK;
    if (parking->seat_count == 0)
        return PAGE_TABLE_OK;
    for (uint32_t part = 0; part < parking->seat_count + 2 && status == PAGE_TABLE_OK; part++) {
        status = page_table_add(table, virtual, physical, size_bytes, permissions, false);
        physical = phys_addr_add(physical, size_bytes);
        virtual = part == 0 ? virt_addr_add(virtual, size_bytes) : parking_stack(part - 1);
        size_bytes = part == 0 ? shared_size_bytes(parking->seat_count) - PARKING_CODE_SIZE_BYTES
                               : PARKING_STACK_SIZE_BYTES;
        permissions = (struct page_permissions){.write = true};
    }
    return status;
}
