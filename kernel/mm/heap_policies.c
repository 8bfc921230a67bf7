#include "kernel/mm/heap_policies.h"

#include "shared/text/text.h"

const struct heap_policy *heap_policies_find(const char *name)
{
    static const struct heap_policy *const policies[] = {&heap_policy_bump, &heap_policy_first_fit,
                                                         &heap_policy_best_fit, &heap_policy_fast};
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (text_equal(policies[i]->name, name))
            return policies[i];
    }
    return NULL;
}
