#include "lessons/lesson_07.h"

#include "lessons/lesson_07_stages.h"

bool lesson_07_run(struct judge *judge)
{
    uint8_t *all = judge->memory;
    uint64_t all_bytes = judge->size_bytes;
    judge_say(judge, "stage A: last in, first out");
    if (!lesson_07_run_lifo(judge, all))
        return false;
    judge_say(judge, "stage A is solved. Stage B: free any block");
    if (!lesson_07_run_list(judge, all, all_bytes))
        return false;
    judge_say(judge, "stage B is solved");
    return true;
}
