#include "kernel/screen/overview.h"

void overview_add_part(struct overview *overview, enum overview_owner owner, uint64_t size_bytes)
{
    if (size_bytes == 0)
        return;
    overview->ram_bytes += size_bytes;
    overview->owner_bytes[owner] += size_bytes;
    size_t count = overview->part_count;
    if (count == OVERVIEW_PART_LIMIT || (count > 0 && overview->parts[count - 1].owner == owner)) {
        overview->parts[count - 1].size_bytes += size_bytes;
        return;
    }
    overview->parts[overview->part_count++] = (struct overview_part){size_bytes, owner};
}
