/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include "json_out.h"

#include <stdarg.h>
#include <stdio.h>

struct finding {
    enum finding_level level;
    const char *check;
    struct trouble trouble;
};

struct doctor {
    GPtrArray *findings; /* struct finding */
};

static const char *const level_names[] = {
    [FINDING_GOOD] = "good",
    [FINDING_NOTE] = "note",
    [FINDING_BAD] = "bad",
};

static void
finding_free(gpointer data)
{
    struct finding *finding = data;
    trouble_clear(&finding->trouble);
    g_free(finding);
}

struct doctor *
doctor_new(void)
{
    struct doctor *doctor = g_new0(struct doctor, 1);
    doctor->findings = g_ptr_array_new_with_free_func(finding_free);
    return doctor;
}

void
doctor_free(struct doctor *doctor)
{
    g_ptr_array_unref(doctor->findings);
    g_free(doctor);
}

void
doctor_add(struct doctor *doctor, enum finding_level level, const char *check,
           struct trouble *trouble)
{
    struct finding *finding = g_new(struct finding, 1);

    *finding = (struct finding) {level, check, *trouble};
    *trouble = (struct trouble) {0};
    g_ptr_array_add(doctor->findings, finding);
}

void
doctor_good(struct doctor *doctor, const char *check, const char *format, ...)
{
    struct trouble seen = {0};
    va_list args;

    va_start(args, format);
    (void)trouble_is(&seen, g_strdup_vprintf(format, args), g_strdup(""));
    va_end(args);
    doctor_add(doctor, FINDING_GOOD, check, &seen);
}

void
doctor_take(struct doctor *doctor, enum finding_level level, const char *check, bool well,
            struct trouble *trouble, const char *good)
{
    if (well)
        doctor_good(doctor, check, "%s", good);
    else
        doctor_add(doctor, level, check, trouble);
}

bool
doctor_has_bad(const struct doctor *doctor)
{
    for (guint i = 0; i < doctor->findings->len; i++) {
        const struct finding *finding = doctor->findings->pdata[i];
        if (finding->level == FINDING_BAD)
            return true;
    }
    return false;
}

void
doctor_print(const struct doctor *doctor)
{
    for (guint i = 0; i < doctor->findings->len; i++) {
        const struct finding *finding = doctor->findings->pdata[i];
        printf("%-4s  %s: %s", level_names[finding->level], finding->check, finding->trouble.cause);
        if (finding->level != FINDING_GOOD)
            printf("; fix: %s", finding->trouble.fix);
        printf("\n");
    }
    printf("%s\n", doctor_has_bad(doctor) ? "Put right what is bad, then run this again."
                                          : "Nothing is broken.");
}

void
doctor_print_json(const struct doctor *doctor)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    json_out_int(b, "version", 1);
    json_out_string(b, "state", level_names[doctor_has_bad(doctor) ? FINDING_BAD : FINDING_GOOD]);
    json_builder_set_member_name(b, "findings");
    json_builder_begin_array(b);
    for (guint i = 0; i < doctor->findings->len; i++) {
        const struct finding *finding = doctor->findings->pdata[i];
        json_builder_begin_object(b);
        json_out_string(b, "check", finding->check);
        json_out_string(b, "state", level_names[finding->level]);
        json_out_string(b, "cause", finding->trouble.cause);
        json_out_string(b, "fix", finding->trouble.fix);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    json_out_print(b);
}
