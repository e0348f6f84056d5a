/* SPDX-License-Identifier: MIT */
/*
 * What `jetfs doctor` found: of each check whether all is well, or the cause and what to do.
 */
#pragma once

#include "known.h"
#include "trouble.h"

enum finding_level {
    FINDING_GOOD,
    FINDING_NOTE, /* worth knowing; nothing is broken */
    FINDING_BAD,  /* a mount, a backup or an unmount does not work until it is put right */
};

struct doctor; /* the findings */

struct doctor *doctor_new(void);
void doctor_free(struct doctor *doctor);

/* All is well; `format` says what was seen. */
void doctor_good(struct doctor *doctor, const char *check, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* `trouble` is taken, and left empty. */
void doctor_add(struct doctor *doctor, enum finding_level level, const char *check,
                struct trouble *trouble);

/* doctor_good(..., good) if `well`, else doctor_add(). */
void doctor_take(struct doctor *doctor, enum finding_level level, const char *check, bool well,
                 struct trouble *trouble, const char *good);

bool doctor_has_bad(const struct doctor *doctor);
void doctor_print(const struct doctor *doctor);
void doctor_print_json(const struct doctor *doctor);

/* The checks, by what they look at. Paths are absolute. */
void doctor_machine(struct doctor *doctor);
void doctor_mounts(struct doctor *doctor);
void doctor_leftovers(struct doctor *doctor);
void doctor_mountpoint(struct doctor *doctor, const char *mountpoint);
void doctor_source(struct doctor *doctor, const char *source);

/* The state that the status of a mount point tells: dead driver, dead owner, lazy unmount. */
void doctor_known(struct doctor *doctor, const struct known_mount *known);
