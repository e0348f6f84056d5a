#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rounds of: kill -9 the workload at a random moment, recover, compare with its ledger.

test_crash.py [--mount] [ROUNDS] [SEED]      JETFS_ROUNDS and JETFS_SEED do the same
With --mount a session is mounted and being copied when the kill comes. The seed is printed; the
same seed takes the same choices (the moment of the kill is a time, so not the same instruction).
"""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def choose_options(dice):
    return ['--accounts', dice.choice((20, 200, 2000)), '--threads', dice.choice((1, 2, 4, 8)),
            '--lazy', dice.choice((0, 50, 90)), '--log-kib', dice.choice((128, 256, 1024)),
            '--cache-pages', dice.choice((64, 256, 2048)), '--seed', dice.randrange(1 << 31)] + dice.choice(([], ['--circular']))


def start_anew(work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)


def page_size(dice, work):
    """Of the database that is there, or chosen: kills tear what is larger than the kernel's pages."""
    path = os.path.join(work, 'page-size')
    if not os.path.exists(path):
        with open(path, 'w', encoding='ascii') as f:
            f.write(os.environ.get('JETFS_PAGE') or dice.choice(('4096', '8192', '32768')))
    with open(path, encoding='ascii') as f:
        return f.read()


class Copying:
    """A mount with cp at work in it."""

    def __init__(self, load, work):
        self.copy = os.path.join(work, 'copy')
        shutil.rmtree(self.copy, ignore_errors=True)
        os.makedirs(self.copy)
        self.mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
        self.process = subprocess.Popen(['cp', '-a', self.mount.path + '/.', self.copy],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        """After the kill: '' or what is wrong."""
        try:
            copied = self.process.wait(timeout=h.DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return 'cp hangs'
        code, out = self.mount.umount()
        if code == h.ABORTED_BY_SERVER or (code == h.COMPLETE and copied == 0):
            return 'still mounted' if os.path.ismount(self.mount.path) else ''
        return f'cp {copied}, umount {code}\n{out}'


def one_round(dice, work, with_mount):
    """'' or what is wrong."""
    if dice.random() < 0.3:
        start_anew(work)
    load = h.Load(work, *choose_options(dice), '--page-size', page_size(dice, work),
                  service=with_mount)
    copying = None
    if with_mount or dice.random() < 0.9:
        load.wait_ready()
        copying = Copying(load, work) if with_mount else None
        time.sleep(dice.random() * dice.choice((0.02, 0.3, 1.5)))
    else:
        time.sleep(dice.random() * 0.2)  # while it starts or recovers
    alive = load.alive()
    load.kill()
    problem = copying.end() if copying else ''
    if not alive:
        return f'jetload ended by itself\n{load.log()}'
    complete = False
    if os.path.exists(load.ledger):
        with open(load.ledger, encoding='utf-8') as f:
            complete = 'accounts' in f.read()
    if not complete:
        start_anew(work)  # killed before it had promised anything
        return problem
    good, out = h.check(load.dir, load.ledger, '--page-size', page_size(dice, work))
    return problem if good else f'{problem}\n{out}\n{load.log()}'


def main():
    args = [a for a in sys.argv[1:] if a != '--mount']
    with_mount = '--mount' in sys.argv
    rounds = int(args[0] if args else os.environ.get('JETFS_ROUNDS', '5' if with_mount else '10'))
    seed = int(args[1] if len(args) > 1 else os.environ.get('JETFS_SEED', time.time_ns() % 1000000))
    if with_mount:
        h.need_fuse()
    print(f'# seed {seed}', flush=True)
    base = h.scratch()
    work = os.path.join(base, 'work')
    os.makedirs(work)
    for number in range(rounds):
        problem = one_round(random.Random(seed + number), work, with_mount)
        what = 'killed with a mount and a copy under way' if with_mount else 'killed'
        if not h.ok(not problem, f'round {number + 1} of {rounds}: {what}, nothing lost, nothing extra',
                    problem):
            print(f'# seed {seed}; JETFS_KEEP=1 leaves {base}', flush=True)
            break
    h.done()


main()
