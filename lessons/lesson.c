#include "lessons/lesson.h"

#include "lessons/lesson_04.h"
#include "lessons/lesson_09.h"
#include "lessons/lesson_10.h"
#include "shared/text/format.h"

static const struct lesson lessons[] = {
    {4, "build the bump heap", "lesson_04.c", lesson_04_run},
    {9, "frames", "lesson_09.c", lesson_09_run},
    {10, "page tables by hand", "lesson_10.c", lesson_10_run},
};

const struct lesson *lesson_find(unsigned number)
{
    for (unsigned i = 0; i < sizeof lessons / sizeof lessons[0]; i++)
        if (lessons[i].number == number)
            return &lessons[i];
    return NULL;
}

bool lesson_run(const struct lesson *lesson, struct judge *ret_judge, struct judge_outlet outlet,
                uint8_t *memory, uint64_t size_bytes)
{
    *ret_judge = (struct judge){.lesson = lesson->number,
                                .outlet = outlet,
                                .memory = memory,
                                .size_bytes = size_bytes,
                                .memory_name = "heap"};
    char text[JUDGE_TEXT_BYTES];
    format_text(text, sizeof text, "lesson %u: %s. Your file: docs/learn/exercises/%s",
                lesson->number, lesson->title, lesson->file);
    outlet.line(outlet.context, text);
    lesson->run(ret_judge);
    judge_verdict(ret_judge);
    return !ret_judge->wrong;
}
