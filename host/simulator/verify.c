#include "host/simulator/verify.h"

#include "shared/text/format.h"
#include "host/simulator/ownership.h"

static const char *explain(const char *what, const char *problem)
{
    static char sentence[256];
    if (problem == NULL)
        return NULL;
    (void)format_text(sentence, sizeof(sentence), "%s: %s", what, problem);
    return sentence;
}

static const char *audit_problem(const struct kernel_model *kernel)
{
    static struct page_audit_result result;
    return kernel_model_audit(kernel, &result) ? NULL : result.first_violation;
}

static const char *ownership_problem(const struct kernel_model *kernel)
{
    struct ownership ownership;
    ownership_take(kernel, &ownership);
    return ownership_check(&ownership, kernel);
}

const char *verify_everything(const struct kernel_model *kernel)
{
    const char *problem = explain("regions", region_list_is_normalised(&kernel->view.regions)
                                                 ? NULL
                                                 : "not sorted, disjoint and aligned");
    if (problem == NULL)
        problem = explain("early heap", early_heap_check(&kernel->early_heap));
    if (problem == NULL)
        problem = explain("frame allocator", frame_allocator_check(&kernel->frames));
    if (problem == NULL)
        problem = explain("heap", heap_check(kernel->heap));
    if (problem == NULL)
        problem = explain("page audit", audit_problem(kernel));
    if (problem == NULL)
        problem = explain("ownership", ownership_problem(kernel));
    return problem;
}
