/*
 * handoff_data.h - the block of handoff data, and the data in it that the structure points to. For
 * kernel/handoff/ only.
 */
#ifndef KERNEL_HANDOFF_HANDOFF_DATA_H
#define KERNEL_HANDOFF_HANDOFF_DATA_H

#include "kernel/handoff/handoff_validation.h"

/* Check that there is a block, that it is mapped, and that the structure lies in it. After OK the
 * block may be read. Precondition: the tables may be read. */
enum handoff_check_status handoff_data_check_block(struct handoff_validation *validation);

/* Check all data that the structure points to, except the regions, and fill in the view of it.
 * Precondition: the block and the regions are validated. */
enum handoff_check_status handoff_data_check(struct handoff_validation *validation);

/* Return a text that lies in the block with its NUL, or NULL. */
const char *handoff_data_text(const struct handoff_validation *validation,
                              struct handoff_text place);

/* Return true if the array is not empty and lies inside of the block, with a stride for such
 * elements. */
bool handoff_data_has_array(const struct handoff_validation *validation,
                            const struct handoff_array *array, uint64_t element_size_bytes);

#endif
