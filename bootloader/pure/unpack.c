#include "bootloader/pure/unpack.h"

#define CONTEXT_COUNT   5                    /* of 0 to 4 bytes */
#define HASH_MULTIPLIER UINT32_C(0x9e3779b1) /* 2^32 times the golden ratio */
#define SMALLEST_RANGE  (UINT32_C(1) << 24)
#define COUNT_LIMIT     UINT8_MAX
#define FIRST_TOTAL     2

struct range_decoder {
    const uint8_t *packed;
    uint32_t range;
    uint32_t value; /* below the range */
};

/* Find the slots of all contexts, and add up their counts. A longer context weighs more. A context
 * with another tag takes its slot over.
 *   bits  of this byte so far, with a 1 in front
 *   next  the place of this byte */
static void find_slots(struct unpack_model *model, uint32_t bits, const uint8_t *next,
                       struct unpack_slot *slots[CONTEXT_COUNT], uint32_t totals[2])
{
    uint32_t hash = bits * HASH_MULTIPLIER;
    totals[0] = totals[1] = FIRST_TOTAL;
    for (uint32_t i = 0; i < CONTEXT_COUNT; i++) {
        struct unpack_slot *slot = &model->slots[hash >> (32 - UNPACK_SLOT_BITS)];
        if (slot->tag != (uint16_t)hash)
            *slot = (struct unpack_slot){.tag = (uint16_t)hash};
        totals[0] += (uint32_t)slot->counts[0] << 2 * i;
        totals[1] += (uint32_t)slot->counts[1] << 2 * i;
        slots[i] = slot;
        hash = (hash + *--next + 1) * HASH_MULTIPLIER;
    }
}

/* The range is divided in the ratio of the totals. The part that holds the value is the bit. */
static uint32_t take_bit(struct range_decoder *decoder, const uint32_t totals[2])
{
    while (decoder->range < SMALLEST_RANGE) {
        decoder->range <<= 8;
        decoder->value = decoder->value << 8 | *decoder->packed++;
    }
    uint32_t zeros = (uint32_t)((uint64_t)decoder->range * totals[0] / (totals[0] + totals[1]));
    if (decoder->value < zeros) {
        decoder->range = zeros;
        return 0;
    }
    decoder->value -= zeros;
    decoder->range -= zeros;
    return 1;
}

/* Count the bit. A quarter of what was against it is forgotten. */
static void learn(struct unpack_slot *slots[CONTEXT_COUNT], uint32_t bit)
{
    for (uint32_t i = 0; i < CONTEXT_COUNT; i++) {
        uint8_t *counts = slots[i]->counts;
        if (counts[bit] < COUNT_LIMIT)
            counts[bit]++;
        counts[bit ^ 1] = (uint8_t)(counts[bit ^ 1] - counts[bit ^ 1] / 4);
    }
}

void unpack(struct unpack_model *model, const uint8_t *packed, uint8_t *output, uint32_t size_bytes)
{
    struct range_decoder decoder = {packed, 1, 0};
    for (const uint8_t *end = output + size_bytes; output < end; output++) {
        uint32_t bits = 1;
        while (bits < 128) {
            struct unpack_slot *slots[CONTEXT_COUNT];
            uint32_t totals[2];
            find_slots(model, bits, output, slots, totals);
            uint32_t bit = take_bit(&decoder, totals);
            learn(slots, bit);
            bits = bits * 2 + bit;
        }
        *output = bits & 127;
    }
}
