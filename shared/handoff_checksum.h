/*
 * handoff_checksum.h - the checksum of a struct handoff, which the loader writes and the kernel
 * verifies.
 */
#ifndef SHARED_HANDOFF_CHECKSUM_H
#define SHARED_HANDOFF_CHECKSUM_H

#include <stdint.h>

/* Return the CRC-32 of the `size_bytes` bytes at `handoff`, with the checksum field taken as zero.
 * Preconditions: size_bytes reaches behind that field, and all these bytes are readable. The size is
 * an argument because a caller must validate handoff->size_bytes before it is used. */
uint32_t handoff_checksum(const void *handoff, uint32_t size_bytes);

#endif
