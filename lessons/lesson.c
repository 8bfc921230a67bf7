#include "lessons/lesson.h"

#include "shared/text/format.h"

/* Their headers are not included together: two lessons may give one name to different things. */
bool lesson_01_run(struct judge *judge);
bool lesson_02_run(struct judge *judge);
bool lesson_03_run(struct judge *judge);
bool lesson_04_run(struct judge *judge);
bool lesson_05_run(struct judge *judge);
bool lesson_06_run(struct judge *judge);
bool lesson_07_run(struct judge *judge);
bool lesson_08_run(struct judge *judge);
bool lesson_09_run(struct judge *judge);
bool lesson_10_run(struct judge *judge);
bool lesson_11_run(struct judge *judge);
bool lesson_12_run(struct judge *judge);

static const struct lesson lessons[] = {
    {1, "what firmware leaves us", "lesson_01.c", lesson_01_run},
    {2, "why a temporary heap, and the handoff", "lesson_02.c", lesson_02_run},
    {3, "what a heap is", "lesson_03.c", lesson_03_run},
    {4, "build the bump heap", "lesson_04.c", lesson_04_run},
    {5, "alignment", "lesson_05.c", lesson_05_run},
    {6, "out of memory", "lesson_06.c", lesson_06_run},
    {7, "why free is hard", "lesson_07.c", lesson_07_run},
    {8, "statistics", "lesson_08.c", lesson_08_run},
    {9, "frames", "lesson_09.c", lesson_09_run},
    {10, "page tables by hand", "lesson_10.c", lesson_10_run},
    {11, "a heap is a policy", "lesson_11.c", lesson_11_run},
    {12, "bugs on purpose", "lesson_12.c", lesson_12_run},
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
