/* timeline_zero_16m.c - the same kernel with 16 MiB more of zeroes, which are not in its file. */
#define BALLAST __attribute__((used)) static uint8_t ballast[16 * 1024 * 1024]

#include "timeline.c"
