/* Lesson 12: bugs on purpose. This is your file: edit it, then run `make lesson N=12`. */
#include "lessons/lesson_12.h"

/* Use them, or choose your own. A good value is one that programs rarely write. */
#define LIVE   UINT64_C(0x4c49564564616d4c)
#define FREED  UINT64_C(0x6445455246656d46)
#define CANARY 0xc5
#define POISON 0xdd

/* The heap has a new block. It lies directly behind `header` and has `size_bytes` bytes. Behind its
 * last byte are CANARY_BYTES bytes for you. Fill in the header and the canary. */
static void allocated(struct header *header, uint64_t size_bytes)
{
    (void)header, (void)size_bytes; /* Your code, in place of this line. */
}

/* Look at a block, live or freed. Return
 *   UNDERRUN          if the state is not one of your two words,
 *   OVERRUN           if a byte of the canary changed,
 *   WRITE_AFTER_FREE  if a byte of a freed block changed,
 *   ALL_RIGHT         in all other cases. Change nothing. */
static enum verdict check(const struct header *header)
{
    (void)header; /* Your code, in place of these two lines. */
    return ALL_RIGHT;
}

/* The program frees the address `block`. Return
 *   DOUBLE_FREE  if the block was freed before,
 *   BAD_POINTER  if the word in front of the address is not one of your two words,
 *   OVERRUN      if check() finds one. Change nothing in these three cases.
 * In all other cases, mark the block as freed, fill its bytes with poison, and return ALL_RIGHT.
 * The heap does not use its memory again, so check() can look at it later. */
static enum verdict freed(void *block)
{
    (void)block; /* Your code, in place of these two lines. */
    return ALL_RIGHT;
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_12 lesson_12 = {allocated, freed, check};
