#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rounds of: restore to a random point, kill -9 it at a random moment, run it again, compare.

Full backup and later logs come from a database under load that was killed too. What the second run
makes has to be exactly what the ledger says of the point, whatever the first one left; what lay in
the target before, and the backup itself, stay as they were.

test_restore_kill.py [ROUNDS] [SEED]      JETFS_ROUNDS and JETFS_SEED do the same
"""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

MARKER = 'restore.unfinished'


class Source:
    """A full backup, and the directory of the database as its kill left it."""

    def __init__(self, base):
        self.base = base
        self.load = h.Load(base, '--log-kib', 128, '--threads', 4, '--accounts', 300, '--fill-mib', 8)
        self.load.wait_ready(100)
        mount = h.Mount(self.load.dir, os.path.join(base, 'mnt'))
        self.full = os.path.join(base, 'full')
        os.makedirs(self.full)
        h.copy_cp(mount.path, self.full)
        self.freeze = int(mount.freeze())
        mount.umount()
        self.load.wait_ready(self.load.status()['commits'] + 3000)
        self.load.kill()
        with open(self.load.ledger, encoding='utf-8') as f:
            lines = [line.split() for line in f]
        ids = [int(f[0], 16) for f in lines if len(f) == 8 and f[3] == 'D']
        self.commits = [i for i in ids if i > self.freeze]

    def command(self, target, point):
        stop = ['--lgpos', hex(point)] if point else []
        return [h.JETFS, 'restore', self.full, target, '--logs', self.load.dir] + stop

    def check(self, target, point):
        options = ['--freeze', point] if point else []
        return h.check(target, self.load.ledger, *options)


def contents(directory):
    return {e.name: (e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(directory)}


def killed_run(source, target, point, after_s):
    """True when it was still at work."""
    process = subprocess.Popen(source.command(target, point), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after_s)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def one_round(dice, source, whole_s):
    """('' or what is wrong, kills)."""
    target = os.path.join(source.base, 'target')
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    with open(os.path.join(target, 'mine.txt'), 'w', encoding='utf-8') as f:
        f.write('not the restore\'s')
    point = dice.choice((0, dice.choice(source.commits), dice.choice(source.commits) + 1))
    kills = 0
    for _ in range(dice.randrange(1, 4)):
        kills += killed_run(source, target, point, dice.random() * whole_s)
        if 'app.edb' in os.listdir(target) and MARKER not in os.listdir(target):
            break  # it was through
    if MARKER in os.listdir(target) or 'app.edb' not in os.listdir(target):
        code, out = h.run(*source.command(target, point))
        if code != 0:
            return f'the second run: exit {code}\n{out}', kills
    good, out = source.check(target, point)
    if not good:
        return f'point {point:#x}: {out}', kills
    if not os.path.exists(os.path.join(target, 'mine.txt')) or MARKER in os.listdir(target):
        return f'in the target: {os.listdir(target)}', kills
    return '', kills


def main():
    rounds = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('JETFS_ROUNDS', '12'))
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get('JETFS_SEED', time.time_ns() % 1000000))
    h.need_fuse()
    print(f'# seed {seed}', flush=True)
    source = Source(h.scratch())
    before = contents(source.full), contents(source.load.dir)
    start = time.monotonic()
    code, out = h.run(*source.command(os.path.join(source.base, 'first'), 0))
    whole_s = time.monotonic() - start
    h.ok(code == 0, f'undisturbed it takes {whole_s * 1000:.0f} ms', out)
    kills = 0
    for number in range(rounds):
        problem, killed = one_round(random.Random(seed + number), source, whole_s)
        kills += killed
        if problem:
            h.ok(False, f'round {number + 1} of {rounds}', problem)
            break
    h.ok(kills > 0, f'{rounds} rounds, killed {kills} times, run again: exactly the commits of the point')
    h.ok(before == (contents(source.full), contents(source.load.dir)), 'backup and logs are as they were')
    h.done()


main()
