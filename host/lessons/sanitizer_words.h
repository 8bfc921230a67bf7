/*
 * sanitizer_words.h - say in words what the sanitizers find in the reader's code.
 *
 * A finding of AddressSanitizer ends the lesson: the access was wrong. A finding of
 * UndefinedBehaviorSanitizer is a line "note: …", and the code goes on, as it does in the kernel.
 */
#ifndef HOST_LESSONS_SANITIZER_WORDS_H
#define HOST_LESSONS_SANITIZER_WORDS_H

#include "lessons/judge.h"

/* From now on, no report of a sanitizer is printed, unless `print_reports`. */
void sanitizer_words_begin(struct judge *judge, bool print_reports);

#endif
