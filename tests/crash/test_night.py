#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A night of backups: one full, then incremental ones that truncate, under load, while the workload and
the backups are killed; then restores to points in time and up to the crash, compared with the ledger.

test_night.py [SEED]      JETFS_NIGHT=1: 20 incremental backups, 10 kills, 5 points (4, 3, 2)
"""
import glob
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

LONG = os.environ.get('JETFS_NIGHT') is not None
BACKUPS, KILLS, POINTS = (20, 10, 5) if LONG else (4, 3, 2)
COMMITS = 400 if LONG else 150  # between two backups, at least


class Night:
    def __init__(self, work, dice):
        self.work = work
        self.dice = dice
        self.set = os.path.join(work, 'set')
        self.options = ('--log-kib', 128, '--threads', 4, '--lazy', 0, '--rate', 1500)
        self.kills = 0
        self.start_load()

    def start_load(self):
        self.load = h.Load(self.work, *self.options, '--seed', self.dice.randrange(1 << 31))
        self.load.wait_ready()

    def work_on(self):
        self.load.wait_ready(self.load.status().get('commits', 0) + COMMITS)

    def start_backup(self, kind):
        return subprocess.Popen([h.JETFS, 'backup', '--' + kind, '--truncate', self.load.dir, self.set],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, text=True)

    def back_up(self, kind):
        """To its end; again when the owner still ends the session of one that was killed."""
        def attempt():
            process = self.start_backup(kind)
            out = process.communicate(timeout=h.DEADLINE_S)[0]
            busy = 'JET_errBackupInProgress' in out
            return None if busy else (process.returncode, out)
        return h.wait_for(attempt, 'the session to be free')

    def kill_load(self):
        self.load.kill()
        self.kills += 1
        self.start_load()

    def kill_load_in_backup(self):
        process = self.start_backup('incremental')
        time.sleep(self.dice.random() * 0.05)
        self.load.kill()
        process.communicate(timeout=h.DEADLINE_S)
        self.kills += 1
        self.start_load()

    def kill_backup(self):
        process = self.start_backup('incremental')
        time.sleep(self.dice.random() * 0.05)
        process.kill()
        process.communicate(timeout=h.DEADLINE_S)
        self.kills += 1

    def freezes(self):
        return sorted(int(h.freeze_of(h.load_json(path)))
                      for path in glob.glob(os.path.join(self.set, 'backup*.json')))


def commit_ids(ledger):
    with open(ledger, encoding='ascii') as f:
        words = [line.split() for line in f]
    return [int(w[0], 16) for w in words if len(w) == 8 and len(w[0]) == 16]


def restore(night, name, *options):
    target = os.path.join(night.work, name)
    code, out = h.run(h.JETFS, 'restore', night.set, target, *options)
    return target, code, out


def to_points(night):
    freezes = night.freezes()
    ids = sorted(i for i in commit_ids(night.load.ledger) if freezes[0] <= i < freezes[-1])
    h.ok(len(ids) > POINTS, 'there are commits between the first and the last freeze', freezes)
    for number in range(POINTS):
        point = night.dice.choice(ids)
        target, code, out = restore(night, f'point-{number}', '--lgpos', f'{point:#x}')
        good, detail = h.check(target, night.load.ledger, '--freeze', point) if code == 0 else (
            False, out)
        h.ok(good, f'restored to {point:#x}: exactly the commits below', detail)
        shutil.rmtree(target, ignore_errors=True)
    target, code, out = restore(night, 'last')
    good, detail = h.check(target, night.load.ledger, '--freeze', freezes[-1]) if code == 0 else (
        False, out)
    h.ok(good, 'restored to the end of the set: exactly its last freeze', detail)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(
        os.environ.get('JETFS_SEED', time.time_ns() % 1000000))
    print(f'# seed {seed}', flush=True)
    dice = random.Random(seed)
    night = Night(h.scratch(), dice)
    code, out = night.back_up('full')
    h.ok(code == 0, 'the full backup', out)
    kill_rounds = {dice.randrange(BACKUPS) for _ in range(3 * KILLS)}
    kill_rounds = sorted(kill_rounds, key=lambda _: dice.random())[:KILLS]
    kinds = [night.kill_load, night.kill_load_in_backup, night.kill_backup]
    for number in range(BACKUPS):
        night.work_on()
        if number in kill_rounds:
            kinds[len(kinds) - 1 - night.kills % len(kinds)]()
        code, out = night.back_up('incremental')
        if not h.ok(code == 0, f'incremental backup {number + 1} of {BACKUPS}, {night.kills} kills',
                    out):
            print(f'# seed {seed}')
            h.done()
    night.work_on()
    night.load.kill()
    code, out = h.run(h.JETFS, 'verify', night.set)
    h.ok(code == 0, 'the set verifies', out)
    to_points(night)
    target, code, out = restore(night, 'forward', '--logs', night.load.dir)
    good, detail = h.check(target, night.load.ledger) if code == 0 else (False, out)
    h.ok(good, 'rolled forward to the crash: nothing durable is lost', detail)
    good, detail = h.check(night.load.dir, night.load.ledger)
    h.ok(good, 'and the killed database itself recovers', detail)
    h.done()


main()
