/*
 * judge.h - run the reader's code step by step, draw its heap, and say in words what is wrong.
 *
 * A lesson (lesson_04.c) is a function that calls the reader's code and checks each result before it
 * uses it. Kernel and host run the same lesson. What differs is the outlet: where a line goes.
 *
 * The first wrong result ends the lesson. So a judge function that checks returns whether all is
 * still right, and a lesson returns false at once.
 */
#ifndef LESSONS_JUDGE_H
#define LESSONS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lessons/drawing.h"

#define JUDGE_TEXT_BYTES 160

/* Where the lesson's lines and pictures go. */
struct judge_outlet {
    void (*line)(void *context, const char *text); /* one line, without its newline */
    /* Each state of the heap that is drawn, for pictures; or NULL. */
    void (*picture)(void *context, const char *title, const struct drawing *drawing);
    void *context;
};

struct judge {
    unsigned lesson;
    struct judge_outlet outlet;
    uint8_t *memory; /* what the reader's heap gets: aligned to 4 KiB */
    uint64_t size_bytes;
    const char
        *memory_name;       /* in "heap_start + 24": "heap"; of a lesson without a heap, "memory" */
    const char *fault_hint; /* printed after a fault at a wild address; NULL: about the heap */
    unsigned step;
    char call[JUDGE_TEXT_BYTES]; /* the call of the step, "allocate(24)" */
    uint64_t call_count;         /* of the reader's code */
    bool in_reader_code;         /* a fault now is a fault of the reader's code */
    bool wrong;
    bool quiet; /* steps, what they say and drawings are not printed: there are too many */
};

/* Begin a step: "step 3: allocate(24)". From here to judge_returned(), a fault, or a call that does
 * not return, is reported as one of the reader's code. */
void judge_call(struct judge *judge, const char *format, ...) __attribute__((format(printf, 2, 3)));
void judge_returned(struct judge *judge);

/* One call of many in the same step: like judge_call(), but it prints nothing and begins no step. */
void judge_call_again(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print a line below the step. */
void judge_say(struct judge *judge, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print "wrong: " and the sentence, and remember that the lesson is not solved. Return false. */
bool judge_wrong(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print "hint: " and the sentence. Return false. */
bool judge_hint(struct judge *judge, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Draw the heap's state as a bar of characters, and give it to the outlet. */
void judge_draw(struct judge *judge, const struct drawing *drawing);

/* Return how `address` is called in a sentence: "heap_start + 24", "NULL", "heap_end + 8" or
 * "0x1234, which is not in the heap". `buffer` is at least JUDGE_TEXT_BYTES long. */
const char *judge_place(const struct judge *judge, const void *address, char *buffer);

/* How the reader's code used an address that the machine refused. */
enum judge_access { JUDGE_USED, JUDGE_READ, JUDGE_WROTE, JUDGE_JUMPED };

/* What else the machine stops. */
enum judge_trouble {
    JUDGE_DIVIDE,      /* a division by zero, or one whose result does not fit */
    JUDGE_INSTRUCTION, /* no instruction of this CPU */
    JUDGE_NO_ADDRESS,  /* a number that is no address on this CPU */
    JUDGE_STACK,       /* the stack is used up */
    JUDGE_ENDED,       /* the code ended the program, at the desk */
    JUDGE_OTHER,
};

/* A fault or an endless loop in the reader's code: the runner calls them. They print the sentence and
 * the verdict. `address` is the address that the code read, wrote or jumped to. */
void judge_fault(struct judge *judge, enum judge_access access, uint64_t address);
void judge_trouble(struct judge *judge, enum judge_trouble trouble);
void judge_stuck(struct judge *judge, unsigned seconds);

/* Print the last line: `lesson=4 verdict=solved steps=12`, or `unsolved`. */
void judge_verdict(struct judge *judge);

#endif
