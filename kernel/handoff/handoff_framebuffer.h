/*
 * handoff_framebuffer.h - check that the framebuffer can be used, and that it is one.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_FRAMEBUFFER_H
#define KERNEL_HANDOFF_HANDOFF_FRAMEBUFFER_H

#include "shared/handoff.h"

/* The reason for which the framebuffer is ignored. It is only a warning: the kernel always uses the
 * serial port. */
enum handoff_framebuffer_status {
    HANDOFF_FRAMEBUFFER_OK = 0,
    HANDOFF_FRAMEBUFFER_ABSENT,     /* the array is empty */
    HANDOFF_FRAMEBUFFER_FORMAT,     /* unknown format, or depth or masks that do not fit it */
    HANDOFF_FRAMEBUFFER_GEOMETRY,   /* zero width or height, short pitch, or more than its size */
    HANDOFF_FRAMEBUFFER_PLACE,      /* unaligned, wraps, or not wholly in framebuffer regions */
    HANDOFF_FRAMEBUFFER_NOT_MAPPED, /* not in the direct map, or as RAM is (write-back) */
};

/* Return a constant English clause. Never NULL. */
const char *handoff_framebuffer_text(enum handoff_framebuffer_status status);

/* For kernel/handoff/ only. */
struct handoff_validation;

/* Write the first framebuffer, or zeros, to *ret_framebuffer. OK means that its numbers agree with
 * each other, and that the tables in force map it as the memory of a screen, not as RAM.
 * Precondition: the tables may be read. */
enum handoff_framebuffer_status
handoff_framebuffer_check_mapping(const struct handoff_validation *validation,
                                  struct handoff_framebuffer *ret_framebuffer);

/* Check the same, and that it lies in regions of its type. Precondition: the regions are validated.
 */
enum handoff_framebuffer_status
handoff_framebuffer_check(const struct handoff_validation *validation,
                          struct handoff_framebuffer *ret_framebuffer);

#endif
