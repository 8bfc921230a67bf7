/* zero_16m.c - the kernel of timeline.c with 16 MiB more of zeroes, which are not in its file, for make
 * bench-boot. */
#define BALLAST __attribute__((used)) static uint8_t ballast[16 * 1024 * 1024]

#include "tests/qemu/small_kernels/timeline.c"
