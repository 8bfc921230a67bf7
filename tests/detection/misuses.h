/*
 * misuses.h - the misuses whose detection is measured.
 */
#ifndef TESTS_DETECTION_MISUSES_H
#define TESTS_DETECTION_MISUSES_H

#include "tests/detection/trial.h"

enum misuse_result {
    MISUSE_MISSED,
    MISUSE_FOUND,
    MISUSE_IMPOSSIBLE, /* the heap has nothing of the kind: there is no trial */
};

struct misuse {
    const char *name; /* as in the table */
    /* Do it once in a heap without blocks. `size` is an argument of the misuse. */
    enum misuse_result (*attempt)(struct trial *trial, size_t size);
    size_t size;
    /* Called once before the trials; NULL: there is nothing to prepare. */
    void (*prepare)(struct trial *trial, const struct heap_policy *policy, bool has_debug_layer);
};

extern const struct misuse MISUSES[];
extern const size_t MISUSE_COUNT;

/* forgery.c: an attacker who knows the program, and has practised on other heaps, reads the header
 * of one block and writes a header of his own. */
void forgery_practise(struct trial *trial, const struct heap_policy *policy, bool has_debug_layer);
enum misuse_result forgery_attempt(struct trial *trial, size_t unused);

#endif
