#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The log alone makes the database: redo does what was done, byte for byte.

Loads, kills, recovers; then takes the database and the checkpoint away and starts again: all generations
are replayed from the first record. Every page must be as it was, but for its checksum and the counter
of its writes. test_replay.py [ROUNDS] [SEED]
"""
import os
import random
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

FLUSH_TYPE = 0x18000


def page_size(data):
    return struct.unpack_from('<I', data, 236)[0] or 4096


def pages(path):
    """Each page without its checksums (small pages) and flush type; None for an empty one."""
    with open(path, 'rb') as f:
        data = f.read()
    size = page_size(data)
    for at in range(2 * size, len(data), size):
        page = bytearray(data[at:at + size])
        flags, = struct.unpack_from('<I', page, 36)
        struct.pack_into('<I', page, 36, flags & ~FLUSH_TYPE)
        page[0:8] = bytes(8)
        if size > 8192:
            page[40:64] = bytes(24)
        yield bytes(page)


def difference(first, second):
    a, b = list(pages(first)), list(pages(second))
    if len(a) != len(b):
        return f'{len(a)} and {len(b)} pages'
    wrong = [n + 1 for n, (x, y) in enumerate(zip(a, b)) if x != y]
    return f'pages {wrong[:20]} of {len(a)} differ' if wrong else ''


def one_round(dice, work):
    """'' or what is wrong."""
    load = h.Load(work, '--accounts', dice.choice((20, 500, 2000)), '--threads', dice.choice((1, 4)),
                  '--lazy', dice.choice((0, 50, 90)), '--log-kib', dice.choice((128, 512)),
                  '--cache-pages', dice.choice((64, 1024)), '--seed', dice.randrange(1 << 31),
                  service=False)
    load.wait_ready(200)
    time.sleep(dice.random())
    load.kill()
    good, out = h.check(load.dir, load.ledger)
    if not good:
        return out
    database = next(os.path.join(load.dir, n) for n in os.listdir(load.dir) if n.endswith('.edb'))
    kept = os.path.join(work, 'kept.edb')
    os.rename(database, kept)
    os.remove(os.path.join(load.dir, 'edb.chk'))
    good, out = h.check(load.dir, load.ledger)
    return difference(kept, database) if good else out


def main():
    rounds = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('JETFS_ROUNDS', '3'))
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get('JETFS_SEED', time.time_ns() % 1000000))
    print(f'# seed {seed}', flush=True)
    base = h.scratch()
    for number in range(rounds):
        work = os.path.join(base, f'work{number}')
        os.makedirs(work)
        problem = one_round(random.Random(seed + number), work)
        if not h.ok(not problem, f'round {number + 1} of {rounds}: the log alone makes the same pages',
                    problem):
            print(f'# seed {seed}; JETFS_KEEP=1 leaves {base}', flush=True)
            break
    h.done()


main()
