/* SPDX-License-Identifier: MIT */
/*
 * logset: which file holds a generation. What the backup set names comes first; then archives of
 * the log directory, then its current log.
 */
#include "recovery/internal.h"

#include "os/file.h"

static const char *
ext(const struct recovery *r)
{
    return r->p->log.ext ? r->p->log.ext : "log";
}

static JET_ERR
read_current(struct recovery *r)
{
    struct log_reader *reader;
    struct log_reader_opts opts = {.last = true};
    JET_ERR err = log_reader_open(r->gens.current, &opts, &reader);
    if (err < 0)
        return err;
    const struct log_filehdr *h = log_reader_header(reader);
    r->current_gen = h->gen;
    r->current = *log_reader_scan(reader);
    log_reader_close(reader);
    return JET_errSuccess;
}

/* What is true of the whole stream comes from its oldest file. */
static JET_ERR
read_stream_facts(struct recovery *r)
{
    int32_t gen = recovery_is_hard(r) ? r->set->gen_low : logset_highest(r);
    g_autofree char *path = logset_path(r, gen);
    if (!path)
        return JET_errFileNotFound;
    struct log_reader *reader;
    struct log_reader_opts opts = {.expect = {.gen = gen}, .last = true};
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    const struct log_filehdr *h = log_reader_header(reader);
    memcpy(r->signature, h->signature, SIGNATURE_BYTES);
    r->page_bytes = h->page_bytes;
    r->segments = h->segments;
    log_reader_close(reader);
    return JET_errSuccess;
}

JET_ERR
logset_open(struct recovery *r)
{
    const char *base = r->p->log.base;
    JET_ERR err = log_gens_find(r->p->log.dir, base, ext(r), &r->gens);
    if (err < 0)
        return err;
    if (r->gens.current) {
        err = read_current(r);
        if (err < 0)
            return err;
    }
    if (logset_highest(r) == 0)
        return JET_errSuccess;
    err = read_stream_facts(r);
    if (err >= 0 && r->p->log.page_bytes != 0 && r->p->log.page_bytes != r->page_bytes)
        err = JET_errPageSizeMismatch;
    return err;
}

bool
logset_in_backup(const struct recovery *r, int32_t gen)
{
    return recovery_is_hard(r) && gen >= r->set->gen_low && gen <= r->set->gen_high;
}

static const char *
set_path(const struct recovery_set *set, int32_t gen)
{
    const char *path = log_gens_path(set->logs, gen);
    return path || gen != set->current_gen ? path : set->logs->current;
}

char *
logset_path(const struct recovery *r, int32_t gen)
{
    const char *path = recovery_is_hard(r) ? set_path(r->set, gen) : NULL;
    if (path ||
        (recovery_is_hard(r) && (!r->set->continue_with_log_dir || logset_in_backup(r, gen))))
        return g_strdup(path);
    path = log_gens_path(&r->gens, gen);
    return g_strdup(path || gen != r->current_gen ? path : r->gens.current);
}

bool
logset_is_own(const struct recovery *r, int32_t gen)
{
    return !recovery_is_hard(r) || !set_path(r->set, gen);
}

int32_t
logset_lowest(const struct recovery *r)
{
    if (recovery_is_hard(r))
        return r->set->gen_low;
    return r->gens.n > 0 ? r->gens.gens[0] : r->current_gen;
}

static int32_t
highest_of(const struct log_gens *gens, int32_t current_gen)
{
    return MAX(gens->n > 0 ? gens->gens[gens->n - 1] : 0, current_gen);
}

int32_t
logset_highest(const struct recovery *r)
{
    int32_t own = highest_of(&r->gens, r->current_gen);
    if (!recovery_is_hard(r))
        return own;
    int32_t set = MAX(highest_of(r->set->logs, r->set->current_gen), r->set->gen_high);
    return r->set->continue_with_log_dir ? MAX(own, set) : set;
}

JET_ERR
logset_remove_from(struct recovery *r, int32_t gen)
{
    /* Highest first: what is left stays contiguous. */
    if (r->current_gen >= gen) {
        JET_ERR err = os_remove(r->gens.current);
        if (err < 0)
            return err;
        r->current_gen = 0;
        g_clear_pointer(&r->gens.current, g_free);
    }
    while (r->gens.n > 0 && r->gens.gens[r->gens.n - 1] >= gen) {
        JET_ERR err = os_remove(r->gens.paths[r->gens.n - 1]);
        if (err < 0)
            return err;
        g_free(r->gens.paths[--r->gens.n]);
    }
    return os_dir_sync(r->p->log.dir);
}
