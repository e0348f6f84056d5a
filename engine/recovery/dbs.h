/* SPDX-License-Identifier: MIT */
/* dbs: what the files about databases share; see dbs.c for their states. */
#pragma once

#include "cache/dbfile.h"
#include "recovery/internal.h"

/* The slot is free: what it owned is gone; its file must be closed (dbs_let_go closes it,
 * unflushed). */
void dbs_forget(struct rdb *d);
void dbs_let_go(struct rdb *d);

/* Where the file is: sets path; for what the restore map leaves out, state IGNORED. */
void dbs_resolve(struct recovery *r, struct rdb *d);

/* The first good header copy. JET_errFileNotFound also for all that means "not there". */
JET_ERR dbs_read_header(struct recovery *r, const char *path, struct dbheader *h);

int32_t dbs_gen_now(const struct recovery *r); /* generation being redone */

/* JET_errRequiredLogFilesMissing: the header knows this generation as another file. */
JET_ERR dbs_check_gen_time(const struct dbheader *h, int32_t gen, uint64_t created);
void dbs_note_gen(struct recovery *r, struct rdb *d);

struct dbfile_spec dbs_spec_of(struct recovery *r, struct rdb *d);

/* The file is open in d->file: makes trees of it, ATTACHED. On error it is closed. */
JET_ERR dbs_begin_redo(struct recovery *r, struct rdb *d);

/* The table said yes: last checks, header, dbs_begin_redo(). fresh: the header does not know this
 * attach. */
JET_ERR dbs_attach_now(struct recovery *r, struct rdb *d, const struct dbheader *h, bool fresh);

/* A record at r->at names a database: its slot, info filled. JET_errLogFileCorrupt: no such slot,
 * or taken. */
JET_ERR dbs_take_slot(struct recovery *r, uint8_t dbid, struct span path, struct span sign,
                      struct rdb **out);
