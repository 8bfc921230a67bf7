/*
 * image.h - the addresses of the kernel's sections, from the linker (kernel/arch/…/kernel.ld). Each
 * pair is page-aligned.
 */
#ifndef KERNEL_CORE_IMAGE_H
#define KERNEL_CORE_IMAGE_H

#include <stdbool.h>

#include "shared/address.h"

extern char kernel_image_start[], kernel_image_end[];
extern char kernel_image_entry[];                         /* the first instruction */
extern char kernel_text_start[], kernel_text_end[];       /* r-x */
extern char kernel_rodata_start[], kernel_rodata_end[];   /* r-- */
extern char kernel_data_start[], kernel_data_end[];       /* rw- */
extern char kernel_symbols_start[], kernel_symbols_end[]; /* r-- */

/* A hash over the kernel's file, from the linker: it tells which build reports a panic. */
#define KERNEL_BUILD_ID_SIZE_BYTES 8
extern const unsigned char kernel_build_id[KERNEL_BUILD_ID_SIZE_BYTES];

/* Return true for an address in the kernel's code. */
static inline bool image_is_code(struct virt_addr address)
{
    return address.value >= (uint64_t)kernel_text_start &&
           address.value < (uint64_t)kernel_text_end;
}

#endif
