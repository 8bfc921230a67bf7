#include "shared/handoff_checksum.h"

#include "shared/crc32.h"
#include "shared/handoff.h"

uint32_t handoff_checksum(const void *handoff, uint32_t size_bytes)
{
    const uint8_t *bytes = handoff;
    const uint32_t zero = 0;
    const size_t before = offsetof(struct handoff, checksum);
    const size_t after = before + sizeof(zero);

    uint32_t crc = crc32_update(0, bytes, before);
    crc = crc32_update(crc, &zero, sizeof(zero));
    return crc32_update(crc, bytes + after, size_bytes - after);
}
