/* file_4m.c - the kernel of timeline.c with 4 MiB more in its file, for make bench-boot. */
#define BALLAST __attribute__((used)) static const uint8_t ballast[4 * 1024 * 1024] = {1}

#include "tests/qemu/small_kernels/timeline.c"
