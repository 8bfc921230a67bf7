/*
 * unpack.h - unpack texts that scripts/pack-loader.py has packed.
 *
 * A range coder (Martin, 1979) with a model of the text. Before each bit, packer and unpacker count
 * what followed the last four, three, two, one and no bytes so far. The expected bit then takes less
 * than a bit of the packed bytes. The texts are ASCII: 7 bits a character. Pure. Written for size: it
 * takes 1,500 instructions for a character.
 */
#ifndef BOOTLOADER_PURE_UNPACK_H
#define BOOTLOADER_PURE_UNPACK_H

#include <stdint.h>

/* The model looks back this far, also at the first byte. */
#define UNPACK_CONTEXT_BYTES 5

#define UNPACK_SLOT_BITS 17

/* How often a 0 and a 1 followed in one context. */
struct unpack_slot {
    uint16_t tag;
    uint8_t counts[2];
};

/* It begins as zeros. */
struct unpack_model {
    struct unpack_slot slots[1 << UNPACK_SLOT_BITS];
};

/* Write `size_bytes` unpacked bytes to `output`. Preconditions: the model is zeros, and
 * UNPACK_CONTEXT_BYTES zeros lie in front of `output`. */
void unpack(struct unpack_model *model, const uint8_t *packed, uint8_t *output,
            uint32_t size_bytes);

#endif
