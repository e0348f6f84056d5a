/* SPDX-License-Identifier: MIT */
/*
 * jetload: a live workload whose every acknowledged commit is known from outside the database.
 *
 * Accounts with transfers between them (the sum never changes), orders that are inserted, changed
 * and deleted, in several threads, durable and lazy commits mixed. The ledger, a plain file beside
 * the database, gets one line for each acknowledged commit, after the acknowledgement. Inside the
 * database the table "journal" holds one row for each transaction, written by that transaction. So:
 *
 * 1. the journal says exactly which transactions a recovered database holds;
 * 2. replaying their effects gives every balance and every order: anything else is a torn part;
 * 3. the ledger says which had to be there (acknowledged), and which may be (one in flight each
 *    thread), and with a freeze position which must not be.
 */
#pragma once

#include <esent.h>
#include <esentx.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define INITIAL_BALANCE 1000
#define THREADS_MAX     64

/* What a transaction did; the letter stands in the journal and in the ledger. */
enum kind {
    KIND_TRANSFER = 'T', /* a: from, b: to, amount */
    KIND_INSERT = 'I',   /* a: order */
    KIND_UPDATE = 'U',   /* a: order, b: its new revision */
    KIND_DELETE = 'D',   /* a: order */
};

struct effect {
    enum kind kind;
    int64_t a;
    int64_t b;
    int64_t amount;
};

struct options {
    const char *dir;
    char *ledger; /* owned, as status_file */
    char *status_file;
    int accounts;
    int threads;
    double seconds;       /* 0: until a signal or the transaction count */
    int64_t transactions; /* 0: no limit */
    double rate;          /* transactions per second of all threads, 0: full speed */
    int lazy_percent;
    double hold; /* seconds that a transaction is kept open, one after another; 0: none */
    int page_size;
    int cache_pages;
    int log_kib;
    int fill_mib;
    int circular;
    int service;
    char *preimage_path; /* owned; NULL: beside the database */
    char *control;       /* owned; socket, NULL: none */
    int snapshot_ms;     /* JET_paramOSSnapshotTimeout, 0: the default */
    uint64_t seed;
    /* --check */
    int check;
    uint64_t freeze; /* packed position, 0: none given */
    int durable_only;
};

/* One instance with its database DIR/app.edb. */
struct store {
    JET_INSTANCE instance;
    char *path;
    bool created; /* by this run: empty */
};

/* The tables of one session. */
struct tables {
    JET_SESID sesid;
    JET_DBID dbid;
    JET_TABLEID accounts;
    JET_TABLEID orders;
    JET_TABLEID journal;
    JET_TABLEID state;
    JET_COLUMNID account_id;
    JET_COLUMNID account_balance;
    JET_COLUMNID account_version;
    JET_COLUMNID order_columns[14];
    JET_COLUMNID journal_columns[6];
    JET_COLUMNID state_columns[2];
};

/* A step that must work: names the call and the error, returns err. */
JET_ERR jetload_report(const char *what, JET_ERR err);
