/*
 * sealed_block.h - blocks that lie back to back behind headers of 8 bytes that are sealed.
 *
 *   base                                                                            end
 *   | 8 |header| payload |c|header| payload        |header| payload |…|header| free  |header|
 *         live           ^           free                 live               top      end marker
 *                      canary     … |footer|
 *
 * The address of a block is that of its payload, a multiple of 16. The 8 bytes before it are its
 * header. If the payload is longer than the requested size, canaries fill its rest, the slack. If
 * not, the next block's header is the canary.
 *
 * The low bits of a word (header or footer) hold a hash of its content, its address and the heap's
 * secret. An overrun of the block before it changes these bits first. The content of a header:
 *
 *   62      58 57  52 51   20 19    18     17         16     15  0
 *   | alignment | slack | units | own | free | previous | live | hash |
 *
 * `units` of 16 bytes reach from this block to the next. `slack` is the number of bytes in the
 * payload behind the requested ones. `alignment` is the binary logarithm of the requested
 * alignment, less 4. It is up to 2^35, since an alignment is below the heap's limit. `previous` is
 * set if the block before is free and so ends in a footer, which has its units. One of `live`,
 * `free` and `own` (memory of the policy itself) is set. If the policy keeps a freed block apart,
 * unmerged, it sets none of them.
 *
 * The hash does not cover `live` and `previous`, but the lowest bits of its field are exclusive-or'ed
 * with them. So they change without a new hash, together with these bits.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_SEALED_BLOCK_H
#define KERNEL_MM_HEAP_POLICIES_SEALED_BLOCK_H

#include "kernel/mm/heap/heap_checks.h"
#include "kernel/mm/heap/policies/sealed_secret.h"
#include "kernel/mm/heap/policy.h"

#define SEALED_UNIT_BYTES   ((size_t)16)
#define SEALED_HEADER_BYTES sizeof(uint64_t)
/* The limit of 32 bits of units: 64 GiB. */
#define SEALED_BYTES_MAX ((size_t)UINT32_MAX * SEALED_UNIT_BYTES)

#define SEALED_HASH_BITS       16
#define SEALED_HASH_MASK       UINT64_C(0xffff)
#define SEALED_LIVE            (UINT64_C(1) << SEALED_HASH_BITS)
#define SEALED_PREVIOUS_FREE   (UINT64_C(2) << SEALED_HASH_BITS)
#define SEALED_FREE            (UINT64_C(4) << SEALED_HASH_BITS)
#define SEALED_OWN             (UINT64_C(8) << SEALED_HASH_BITS)
#define SEALED_COVERED_SHIFT   (SEALED_HASH_BITS + 2)
#define SEALED_UNITS_SHIFT     (SEALED_HASH_BITS + 4)
#define SEALED_UNITS_MASK      ((uint64_t)UINT32_MAX << SEALED_UNITS_SHIFT)
#define SEALED_SLACK_SHIFT     52
#define SEALED_SLACK_MAX       UINT64_C(63)
#define SEALED_ALIGNMENT_SHIFT 58

/* --- Words ------------------------------------------------------------------------------------ */

/* Return the hash of these bits, and of the address behind the word. A header's is that of its block,
 * which the caller already has in a register. */
static inline uint64_t sealed_hash_behind(struct sealed_secret secret, const void *behind,
                                          uint64_t covered)
{
    return heap_hash(secret.headers, covered, (uintptr_t)behind) >> (64 - SEALED_HASH_BITS);
}

/* The hash covers the bits from `free` on. */
static inline uint64_t sealed_hash(struct sealed_secret secret, const void *place, uint64_t content)
{
    return sealed_hash_behind(secret, (const uint64_t *)place + 1, content >> SEALED_COVERED_SHIFT);
}

/* Return what is exclusive-or'ed with the hash. */
static inline uint64_t sealed_fold(uint64_t content)
{
    return (content & (SEALED_PREVIOUS_FREE | SEALED_LIVE)) >> SEALED_HASH_BITS;
}

/* The low bits of `content`, where the hash goes, are 0. */
static inline uint64_t sealed_word(struct sealed_secret secret, const void *place, uint64_t content)
{
    return content | (HEAP_CHECKS ? sealed_hash(secret, place, content) ^ sealed_fold(content) : 0);
}

static inline void sealed_write_word(struct sealed_secret secret, void *place, uint64_t content)
{
    *(uint64_t *)place = sealed_word(secret, place, content);
}

/* False if the word was not written by sealed_write_word(), at this place, with this secret. */
static inline bool sealed_word_is_intact(struct sealed_secret secret, const void *place,
                                         uint64_t word)
{
    return !HEAP_CHECKS ||
           (uint16_t)(sealed_hash(secret, place, word) ^ word ^ sealed_fold(word)) == 0;
}

static inline bool sealed_read_word(struct sealed_secret secret, const void *place,
                                    uint64_t *ret_content)
{
    uint64_t word = *(const uint64_t *)place;
    *ret_content = word & ~SEALED_HASH_MASK;
    return sealed_word_is_intact(secret, place, word);
}

/* --- Headers ---------------------------------------------------------------------------------- */

static inline uint64_t sealed_header(size_t units, uint64_t flags)
{
    return (uint64_t)units << SEALED_UNITS_SHIFT | flags;
}

static inline size_t sealed_units(uint64_t header)
{
    return header >> SEALED_UNITS_SHIFT & UINT32_MAX;
}

static inline uint64_t sealed_with_units(uint64_t header, size_t units)
{
    return (header & ~SEALED_UNITS_MASK) | sealed_header(units, 0);
}

static inline void sealed_write_header(struct sealed_secret secret, uint8_t *block, uint64_t header)
{
    sealed_write_word(secret, block - SEALED_HEADER_BYTES, header);
}

static inline bool sealed_read_header(struct sealed_secret secret, const uint8_t *block,
                                      uint64_t *ret_header)
{
    return sealed_read_word(secret, block - SEALED_HEADER_BYTES, ret_header);
}

/* The whole word, with its hash. */
static inline uint64_t sealed_header_word(const uint8_t *block)
{
    return *(const uint64_t *)(const void *)(block - SEALED_HEADER_BYTES);
}

/* Change `live` or `previous`, and its bit in the field of the hash. The flag is constant. */
static inline uint64_t sealed_toggled(uint64_t word, uint64_t flag)
{
    return word ^ (flag | (HEAP_CHECKS ? flag >> SEALED_HASH_BITS : 0));
}

/* The block before this one has become free, or it was free and is in use now. */
static inline void sealed_toggle_previous_free(uint8_t *block)
{
    uint64_t *word = (void *)(block - SEALED_HEADER_BYTES);
    *word = sealed_toggled(*word, SEALED_PREVIOUS_FREE);
}

/* Invalidate a word that is no longer a header. */
static inline void sealed_wipe_header(uint8_t *block)
{
    *(uint64_t *)(void *)(block - SEALED_HEADER_BYTES) = 0;
}

/* --- Free blocks ------------------------------------------------------------------------------ */

/* Return the header word of a free block. It has no flag but `free`, since free blocks do not touch. */
static inline uint64_t sealed_free_word(struct sealed_secret secret, const uint8_t *block,
                                        size_t units)
{
    uint64_t covered = (uint64_t)units << (SEALED_UNITS_SHIFT - SEALED_COVERED_SHIFT) |
                       SEALED_FREE >> SEALED_COVERED_SHIFT;
    return covered << SEALED_COVERED_SHIFT |
           (HEAP_CHECKS ? sealed_hash_behind(secret, block, covered) : 0);
}

/* True if this is the header word of a free block, whose fields `slack` and `alignment` may be
 * wrong. */
static inline bool sealed_is_free_word(struct sealed_secret secret, const uint8_t *block,
                                       uint64_t word)
{
    const uint64_t low_bits = (UINT64_C(1) << SEALED_UNITS_SHIFT) - 1;
    if (!HEAP_CHECKS)
        return (word & SEALED_FREE) != 0;
    uint64_t hash = sealed_hash_behind(secret, block, word >> SEALED_COVERED_SHIFT);
    return ((hash ^ word ^ SEALED_FREE) & low_bits) == 0;
}

/* The last word of a free block, from which the block behind finds its start. */
static inline void *sealed_footer_before(const uint8_t *next)
{
    return (void *)(uintptr_t)(next - 2 * SEALED_HEADER_BYTES);
}

/* Precondition: a power of two from 2^4 to 2^35. */
static inline uint64_t sealed_alignment_field(size_t alignment_bytes)
{
    return ((uint64_t)__builtin_ctzll(alignment_bytes) - 4) << SEALED_ALIGNMENT_SHIFT;
}

/* Return the requested alignment. The address does not show it, since it may be aligned to more by
 * chance. */
static inline size_t sealed_alignment(uint64_t header)
{
    return HEAP_ALIGNMENT_BYTES << (header >> SEALED_ALIGNMENT_SHIFT);
}

/* --- Geometry --------------------------------------------------------------------------------- */

static inline size_t sealed_capacity_bytes(size_t units)
{
    return units * SEALED_UNIT_BYTES - SEALED_HEADER_BYTES;
}

/* Return how many units a block of this size takes. Precondition: the sum does not wrap. */
static inline size_t sealed_units_for(size_t size_bytes)
{
    return (size_bytes + SEALED_HEADER_BYTES + SEALED_UNIT_BYTES - 1) / SEALED_UNIT_BYTES;
}

static inline uint8_t *sealed_next(const uint8_t *block, size_t units)
{
    return (uint8_t *)(uintptr_t)block + units * SEALED_UNIT_BYTES;
}

/* Return how many units lie between `block` and the next multiple of the alignment. */
static inline size_t sealed_gap_units(const uint8_t *block, size_t alignment_bytes)
{
    return (-(uintptr_t)block & (alignment_bytes - 1)) / SEALED_UNIT_BYTES;
}

/* --- Live blocks ------------------------------------------------------------------------------ */

static inline size_t sealed_slack(uint64_t header)
{
    return header >> SEALED_SLACK_SHIFT & SEALED_SLACK_MAX;
}

/* Return the requested size. */
static inline size_t sealed_size(uint64_t header)
{
    return sealed_capacity_bytes(sealed_units(header)) - sealed_slack(header);
}

/* Return the canary for a word of slack. */
static inline uint64_t sealed_canary(struct sealed_secret secret, const void *place)
{
    return ((uintptr_t)place ^ secret.canaries.first) * secret.canaries.odd;
}

/* Return the bits of a word's last bytes. Precondition: 0 < byte_count <= 8. */
static inline uint64_t sealed_last_bytes(size_t byte_count)
{
    return UINT64_MAX << (64 - 8 * byte_count) % 64;
}

/* Fill the last `slack_bytes` before `end`, a multiple of 8, with canaries. Precondition: there is
 * slack. */
static inline void sealed_write_slack(struct sealed_secret secret, uint8_t *end, size_t slack_bytes)
{
    uint64_t *word = (void *)end;
    for (word--; slack_bytes > sizeof *word; slack_bytes -= sizeof *word, word--)
        *word = sealed_canary(secret, word);
    *word ^= (*word ^ sealed_canary(secret, word)) & sealed_last_bytes(slack_bytes);
}

/* True if the last `slack_bytes` before `end` are canaries. 0 stands for 8. */
static inline bool sealed_slack_is_intact(struct sealed_secret secret, const uint8_t *end,
                                          size_t slack_bytes)
{
    const uint64_t *word = (const void *)end;
    for (word--; slack_bytes > sizeof *word; slack_bytes -= sizeof *word, word--) {
        if (*word != sealed_canary(secret, word))
            return false;
    }
    return ((*word ^ sealed_canary(secret, word)) & sealed_last_bytes(slack_bytes)) == 0;
}

/* Write the header of a block of `units` with the requested size `size_bytes`, and the canaries
 * behind it. `fields` are those of the header beside slack, units and `live`. */
static inline void sealed_write_live(struct sealed_secret secret, uint8_t *block, size_t units,
                                     uint64_t fields, size_t size_bytes)
{
    uint64_t capacity_bytes = sealed_capacity_bytes(units);
    uint64_t slack_bytes = capacity_bytes - size_bytes;
    if (HEAP_CHECKS && slack_bytes != 0)
        sealed_write_slack(secret, block + capacity_bytes, slack_bytes);
    sealed_write_header(secret, block,
                        sealed_header(units, SEALED_LIVE) | fields |
                            slack_bytes << SEALED_SLACK_SHIFT);
}

/* The same for a new block with the usual alignment and 1 to 16 bytes of slack. Its content does not
 * matter yet, so the last 16 bytes of its payload become canaries, content or not. (Without slack
 * there must be no canary, or a free would not look at the next header.) */
static inline void sealed_write_new(const struct sealed_secret *secret, uint8_t *block,
                                    size_t units, uint64_t slack_bytes)
{
    uint64_t *end = (void *)(block + sealed_capacity_bytes(units));
    if (HEAP_CHECKS) {
        end[-1] = sealed_canary(*secret, end - 1);
        end[-2] = sealed_canary(*secret, end - 2);
    }
    sealed_write_header(*secret, block,
                        sealed_header(units, SEALED_LIVE) | slack_bytes << SEALED_SLACK_SHIFT);
}

/* The same for a block with this header, whose slack may change. */
static inline void sealed_make_live(struct sealed_secret secret, uint8_t *block, uint64_t header,
                                    size_t size_bytes)
{
    const uint64_t changed = SEALED_SLACK_MAX << SEALED_SLACK_SHIFT | SEALED_UNITS_MASK;
    sealed_write_live(secret, block, sealed_units(header), header & ~changed, size_bytes);
}

/* True if the canaries behind a live block are intact. Without slack the next header is one. */
static inline bool sealed_end_is_intact(struct sealed_secret secret, const uint8_t *block,
                                        uint64_t header)
{
    uint64_t next;
    const uint8_t *end = block + sealed_capacity_bytes(sealed_units(header));
    if (!HEAP_CHECKS)
        return true;
    if (sealed_slack(header) != 0)
        return sealed_slack_is_intact(secret, end, sealed_slack(header));
    return sealed_read_header(secret, end + SEALED_HEADER_BYTES, &next);
}

/* True if `block` and the one after it lie before `end`. A word passes the check by chance, one in
 * 2^16. Such a word must not lead out of the heap. Precondition: block < end. */
static inline bool sealed_extent_is_inside(const uint8_t *block, uint64_t header,
                                           const uint8_t *end)
{
    return sealed_units(header) - 1 < (size_t)(end - block) / SEALED_UNIT_BYTES;
}

/* True if `block` is a live block between `first` and `end`, and intact. */
static inline bool sealed_block_is_intact(struct sealed_secret secret, const uint8_t *first,
                                          const uint8_t *end, const uint8_t *block,
                                          uint64_t *ret_header)
{
    return (uintptr_t)block % SEALED_UNIT_BYTES == 0 && block >= first && block < end &&
           sealed_read_header(secret, block, ret_header) && (*ret_header & SEALED_LIVE) != 0 &&
           sealed_extent_is_inside(block, *ret_header, end) &&
           sealed_end_is_intact(secret, block, *ret_header);
}

/* --- Freed blocks ----------------------------------------------------------------------------- */

/* Write the tombstone of a freed block: its header, in the second word of its payload, which free
 * blocks do not use. It describes the block until the memory is used again, also after merges.
 * `word` is the sealed_header_word() of the live block, or another word that is sealed for this
 * place. Precondition: the block has this word, or the memory behind it is free, too. */
static inline void sealed_write_tombstone(uint8_t *block, uint64_t word)
{
    uint64_t *words = (void *)block;
    words[1] = word;
}

/* Read the tombstone at an address, a multiple of 16 in free memory. False: there is no tombstone.
 */
static inline bool sealed_read_tombstone(struct sealed_secret secret, const uint8_t *address,
                                         uint64_t *ret_content)
{
    const uint64_t *words = (const void *)address;
    *ret_content = words[1] & ~SEALED_HASH_MASK;
    return sealed_word(secret, words - 1, *ret_content) == words[1];
}

/* Find the header of the block that was freed at this address: its tombstone, or the old header if
 * it is still in place. False: there is no such header. */
static inline bool sealed_read_freed(struct sealed_secret secret, const uint8_t *address,
                                     uint64_t *ret_header)
{
    return (sealed_read_tombstone(secret, address, ret_header) ||
            sealed_read_header(secret, address, ret_header)) &&
           (*ret_header & (SEALED_FREE | SEALED_OWN)) == 0;
}

/* --- Looking at it (sealed_block.c) ----------------------------------------------------------- */

/* Return the block as a piece (policy.h). */
struct heap_piece sealed_piece(const uint8_t *block, uint64_t header);

/* --- Faults (sealed_block.c) ------------------------------------------------------------------ */

/* Record that a header, a footer or a link at or before `block` was overwritten. Always returns
 * false. */
bool sealed_record_overwritten(struct heap *heap, const uint8_t *block)
    __attribute__((cold, noinline));

/* The same. The compiler sees the result, so its callers keep nothing for the time after the call. */
static inline bool sealed_record_corrupt(struct heap *heap, const uint8_t *block)
{
    (void)sealed_record_overwritten(heap, block);
    return false;
}

/* Return the fault of a pointer that sealed_block_is_intact() has refused. It walks all blocks from
 * the first one. */
struct heap_fault sealed_fault_of(struct sealed_secret secret, const uint8_t *first,
                                  const uint8_t *end, const uint8_t *pointer);

/* Record this fault. Always returns false. */
bool sealed_record_fault_of(struct heap *heap, struct sealed_secret secret, const uint8_t *first,
                            const uint8_t *end, const void *pointer);

#endif
