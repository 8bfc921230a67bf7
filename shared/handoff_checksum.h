/*
 * handoff_checksum.h - the checksum of a struct handoff, for the one who writes it and the one who
 * proves it.
 */
#ifndef SHARED_HANDOFF_CHECKSUM_H
#define SHARED_HANDOFF_CHECKSUM_H

#include <stdint.h>

/* CRC-32 of the `size_bytes` bytes at `handoff`, its checksum field taken as zero.
 * Precondition: size_bytes >= HANDOFF_SIZE_V2_BYTES and all of them are readable. The size is
 * passed apart, so that a checker has judged it before anything is read with it. */
uint32_t handoff_checksum(const void *handoff, uint32_t size_bytes);

#endif
