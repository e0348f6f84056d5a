#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Restore in the large: a full backup, the logs after it, and points in time in between.

The ledger says exactly which commits a point holds, so every result is compared whole.

test_restore.py [POINTS] [SEED]      JETFS_POINTS and JETFS_SEED do the same
"""
import datetime
import json
import os
import random
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


class History:
    """A database at work: a full backup of it, its logs in two directories, and its end by a kill."""

    def __init__(self, base):
        self.base = base
        self.load = h.Load(base, '--log-kib', 128, '--threads', 3, '--accounts', 100, '--lazy', 20)
        self.load.wait_ready(100)
        mount = h.Mount(self.load.dir, os.path.join(base, 'mnt'))
        self.full = os.path.join(base, 'full')
        os.makedirs(self.full)
        h.copy_cp(mount.path, self.full)
        self.freeze = int(mount.freeze())
        mount.umount()
        self.some_commits()
        self.acknowledged = self.read_ledger()
        self.middle_s = time.time()
        self.some_commits()
        self.load.kill()
        self.increment = os.path.join(base, 'increment')
        self.rest = os.path.join(base, 'rest')
        self.split_logs()
        self.commits = self.read_ledger()

    def some_commits(self):
        self.load.wait_ready(self.load.status()['commits'] + 800)

    def split_logs(self):
        """The first half of the later logs as an incremental backup, the rest as they lay."""
        first = (self.freeze >> 32)
        logs = sorted(n for n in os.listdir(self.load.dir) if len(n) == len('edb00001.log') and n.endswith('.log'))
        later = [n for n in logs if int(n[3:8], 16) >= first]
        os.makedirs(self.increment)
        os.makedirs(self.rest)
        for i, name in enumerate(later + ['edb.log']):
            place = self.increment if i < len(later) // 2 else self.rest
            shutil.copy2(os.path.join(self.load.dir, name), place)

    def read_ledger(self):
        """Durable commits behind the freeze, in their order."""
        with open(self.load.ledger, encoding='utf-8') as f:
            lines = [line.split() for line in f]
        ids = [int(f[0], 16) for f in lines if len(f) == 8 and f[3] == 'D']
        return sorted(i for i in ids if i > self.freeze)

    def restore(self, *options):
        target = os.path.join(self.base, 'target')
        shutil.rmtree(target, ignore_errors=True)
        code, out = h.run(h.JETFS, 'restore', self.full, self.increment, target, '--logs', self.rest, *options)
        return target, code, out

    def check_at(self, point, name, *options):
        target, code, out = self.restore(*options)
        good, told = h.check(target, self.load.ledger, '--freeze', point) if code == 0 else (False, '')
        h.ok(good, name, f'{out}\n{told}')


def contents(directory):
    """Names, times and sizes: what a write would change."""
    return {e.name: (e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(directory)}


def points(history, dice, count):
    """Positions of every kind: on a commit, right behind it, the first, the last, whole generations."""
    commits = history.commits
    chosen = [commits[0], commits[0] + 1, commits[-1], (commits[len(commits) // 2] >> 32) << 32]
    while len(chosen) < count:
        chosen.append(dice.choice(commits) + dice.choice((0, 1)))
    return chosen


def check_time(history):
    """What was acknowledged before it is in; where it ended the report tells, and that is exact."""
    when = datetime.datetime.fromtimestamp(history.middle_s, datetime.timezone.utc).isoformat()
    target, code, out = history.restore('--time', when, '--json')
    stopped = h.find_key(json.loads(out), 'stopped') if code == 0 else 0
    good, told = h.check(target, history.load.ledger, '--freeze', stopped) if code == 0 else (False, '')
    h.ok(good and history.acknowledged[-1] < stopped <= history.commits[-1],
         f'restored to {when}: what was acknowledged by then, not all', f'{out}\n{told}')


def check_names(history):
    target, code, out = history.restore('--map', 'app.edb=other.edb', '--database', 'app.edb')
    h.ok(code == 0 and 'other.edb' in os.listdir(target) and 'app.edb' not in os.listdir(target),
         'restored under another name', out)
    target, code, out = history.restore('--database', 'none.edb', '--json')
    h.ok(code == h.ENVIRONMENT and '-1203' in out and not os.listdir(target),
         'a database that nobody knows is refused', out)


def check_refusals(history):
    target, code, out = history.restore('--lgpos', hex(history.freeze - (1 << 32)))
    h.ok(code == h.ENVIRONMENT and '-553' in out and not os.listdir(target),
         'a point before the end of the backup itself is refused', out)
    target, code, out = history.restore('--generation', '99999')
    h.ok(code == h.ENVIRONMENT and '-557' in out and not os.listdir(target),
         'a generation behind the last log is refused', out)
    for bad in (('--lgpos', 'x'), ('--generation', '-1'), ('--time', 'noon'), ('--map', 'a='),
                ('--generation', '5', '--time', '2026-01-01T00:00:00Z')):
        _, code, out = history.restore(*bad)
        h.ok(code == h.USAGE, f'{" ".join(bad)}: usage', out)


def main():
    count = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('JETFS_POINTS', '7'))
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get('JETFS_SEED', time.time_ns() % 1000000))
    h.need_fuse()
    print(f'# seed {seed}', flush=True)
    history = History(h.scratch())
    before = [contents(d) for d in (history.full, history.increment, history.rest)]
    for point in points(history, random.Random(seed), count):
        history.check_at(point, f'restored to {point:#x}: exactly the commits below', '--lgpos', hex(point))
    last = history.commits[len(history.commits) // 3] >> 32
    history.check_at((last + 1) << 32, f'restored to the end of generation {last}', '--generation', last)
    target, code, out = history.restore()
    good, told = h.check(target, history.load.ledger)
    h.ok(code == 0 and good, 'rolled forward to the kill: nothing acknowledged is lost', f'{out}\n{told}')
    check_time(history)
    check_names(history)
    check_refusals(history)
    h.ok(before == [contents(d) for d in (history.full, history.increment, history.rest)],
         'backups and logs are as they were')
    h.done()


main()
