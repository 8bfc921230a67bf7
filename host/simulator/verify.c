#include "host/simulator/verify.h"

#include "shared/post_mortem.h"
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

/* The kernel, its heap and a load have run since the loader began the record. */
static const char *boot_record_problem(const struct kernel_model *kernel)
{
    struct handoff_range place = kernel->handoff.previous_boot;
    struct post_mortem record;
    enum post_mortem_status damage;
    if (place.size_bytes == 0)
        return NULL;
    struct post_mortem_area area = {.bytes = fake_ram_at(kernel->ram, phys_addr(place.base))};
    enum post_mortem_status status = post_mortem_find(&area, &record, &damage);
    if (status != POST_MORTEM_OK || damage != POST_MORTEM_OK)
        return post_mortem_status_text(status != POST_MORTEM_OK ? status : damage);
    return record.stage == POST_MORTEM_READY ? NULL : post_mortem_stage_text(record.stage);
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
    if (problem == NULL)
        problem = explain("boot record", boot_record_problem(kernel));
    return problem;
}
