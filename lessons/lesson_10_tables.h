/*
 * lesson_10_tables.h - the frames for page tables of lesson 10, and the lesson's own walk.
 *
 * Frame number n of the invented machine is the n-th frame of the lesson's memory. So the tables are
 * plain memory: no CPU ever uses them. The walk here shares no code with the reader's.
 */
#ifndef LESSONS_LESSON_10_TABLES_H
#define LESSONS_LESSON_10_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/judge.h"
#include "lessons/lesson_10.h"

#define TABLES_FRAME_LIMIT  24u
#define TABLES_PAGE_LIMIT   12u
#define TABLES_MEMORY_BYTES ((TABLES_FRAME_LIMIT + 1) * PAGE_BYTES)

struct tables_page {
    uint64_t virtual;
    uint64_t physical;
    uint64_t flags;
};

struct tables {
    struct table_frames frames; /* the reader's view: first, so that a callback finds the rest */
    struct judge *judge;
    uint64_t root;
    unsigned allocated; /* frames that were given out, the root included */
    unsigned limit;     /* frames that may be given out */
    /* What happened in the call of this step. */
    bool refused; /* allocate() had no frame */
    bool misused; /* pointer() got no table's address: the first such one is bad_address */
    uint64_t bad_address;
    /* The truth. */
    struct tables_page pages[TABLES_PAGE_LIMIT];
    unsigned page_count;
    bool reached[TABLES_FRAME_LIMIT]; /* by the walk */
    unsigned lost_count; /* frames without an entry that leads to them: of a map() that failed */
};

/* Begin with an empty root. Precondition: the lesson has TABLES_MEMORY_BYTES of memory. */
void tables_begin(struct tables *ret_tables, struct judge *judge);

/* Forget what happened in the call before. */
void tables_begin_call(struct tables *tables);

/* Map a page with the lesson's own code, and add it to the truth. */
void tables_map(struct tables *tables, const struct tables_page *page);

/* Add a page to the truth, or take one out of it. */
void tables_expect(struct tables *tables, const struct tables_page *page);
void tables_forget(struct tables *tables, uint64_t virtual);

/* Return whether a table that was given out is at this physical address. */
bool tables_has_table(const struct tables *tables, uint64_t physical);

/* Return the page of the truth that has this address, or NULL. */
const struct tables_page *tables_find(const struct tables *tables, uint64_t virtual);

/* Return the entry of level 1 for a page that is mapped. */
uint64_t *tables_last_entry(struct tables *tables, uint64_t virtual);

/* Check that the call used only tables, and changed no other frame. */
bool tables_check_use(struct tables *tables);

/* Check every table against the truth. */
bool tables_check(struct tables *tables);

/* Print the way of an address through the tables, as far as it goes. */
void tables_print_way(struct tables *tables, uint64_t virtual);

#endif
