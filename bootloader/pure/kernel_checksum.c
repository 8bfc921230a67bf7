#include "bootloader/pure/kernel_checksum.h"

#include "bootloader/pure/number_at.h"

#define SEED UINT64_C(0x48616e646f666621)
/* Odd, so that a multiplication is reversible. 2^64 divided by the golden ratio. */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

#define VALUE_SIZE_BYTES 8

/* A multiplication moves differences to higher bits only. So the halves change places. Without the
 * builtin, clang makes two multiplications of it. */
static inline uint64_t mix(uint64_t state, uint64_t word)
{
    return __builtin_rotateleft64((state ^ word) * MULTIPLIER, 32);
}

/* The last word is filled up with zeros. */
static uint64_t mix_bytes(uint64_t state, const uint8_t *bytes, uint64_t size_bytes)
{
    for (; size_bytes >= sizeof(uint64_t); size_bytes -= sizeof(uint64_t)) {
        state = mix(state, number_at(bytes, sizeof(uint64_t)));
        bytes += sizeof(uint64_t);
    }
    return size_bytes == 0 ? state : mix(state, number_at(bytes, size_bytes));
}

static uint8_t *place_of(const struct elf_plan *plan, const struct elf_segment *segment,
                         void *image)
{
    return (uint8_t *)image + (segment->memory.start.value - plan->image.start.value);
}

static uint64_t mix_segment(uint64_t state, const struct elf_segment *segment, const uint8_t *bytes)
{
    state = mix(state, segment->memory.start.value);
    state = mix(state, segment->memory.end.value);
    state = mix(state, segment->file_size_bytes);
    state = mix(state, (segment->write ? 2u : 0u) | (segment->execute ? 1u : 0u));
    return mix_bytes(state, bytes, segment->file_size_bytes);
}

/* Exchange each byte of the note's value that a segment has with one of `value`. */
static void exchange_value(const struct elf_plan *plan, void *image, uint64_t note_offset,
                           uint8_t values[ELF_SEGMENT_LIMIT][VALUE_SIZE_BYTES])
{
    for (unsigned n = 0; n < plan->segment_count; n++) {
        const struct elf_segment *segment = &plan->segments[n];
        for (uint64_t i = 0; i < VALUE_SIZE_BYTES; i++) {
            uint64_t offset = note_offset + i - segment->file_offset;
            if (offset >= segment->file_size_bytes)
                continue;
            uint8_t *byte = place_of(plan, segment, image) + offset;
            uint8_t kept = *byte;
            *byte = values[n][i];
            values[n][i] = kept;
        }
    }
}

uint64_t kernel_checksum(const struct elf_plan *plan, void *image, uint64_t note_offset)
{
    uint8_t values[ELF_SEGMENT_LIMIT][VALUE_SIZE_BYTES] = {{0}};
    uint64_t state = mix(SEED, plan->entry.value);
    exchange_value(plan, image, note_offset, values);
    for (unsigned n = 0; n < plan->segment_count; n++)
        state = mix_segment(state, &plan->segments[n], place_of(plan, &plan->segments[n], image));
    exchange_value(plan, image, note_offset, values);
    return state != 0 ? state : 1;
}
