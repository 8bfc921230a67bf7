/* timeline_file_16m.c - the same kernel with 16 MiB more in its file. */
#define BALLAST                                                                                    \
    __attribute__((used)) static const uint8_t ballast[16 * 1024 * 1024] = {1}

#include "timeline.c"
