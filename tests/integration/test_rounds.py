#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Backup after backup under load: each restores to its own freeze. JETFS_ROUNDS sets how many.

Every second round copies into the directory of the one before, as a nightly rsync does.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def one_round(load, work, number):
    copy = os.path.join(work, 'copy')
    target = os.path.join(work, 'restored')
    if number % 2 == 0:
        shutil.rmtree(copy, ignore_errors=True)
    os.makedirs(copy, exist_ok=True)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    freeze = mount.freeze()
    code, out = h.copy_rsync(mount.path, copy, '--delete')
    result, ended = mount.umount('--truncate') if number % 3 == 2 else mount.umount()
    if code != 0 or result != h.COMPLETE:
        return f'rsync {code}, umount {result}\n{out}{ended}'
    # every commit below the freeze is in the ledger once its thread has gone on
    load.wait_ready(load.status().get('commits', 0) + 200)
    code, out = h.run(h.JETFS, 'restore', copy, target)
    if code != 0:
        return f'restore {code}\n{out}'
    ledger = os.path.join(work, 'ledger-now')
    shutil.copy(load.ledger, ledger)
    good, out = h.check(target, ledger, '--freeze', freeze)
    shutil.rmtree(target)
    return '' if good else out


def main():
    h.need_fuse()
    rounds = int(os.environ.get('JETFS_ROUNDS', '5'))
    work = h.scratch()
    load = h.Load(work, '--accounts', 300, '--log-kib', 256, '--rate', 2000).wait_ready(300)
    for number in range(rounds):
        problem = one_round(load, work, number)
        if not h.ok(not problem, f'backup {number + 1} of {rounds} restores to its freeze', problem):
            break
    h.ok(load.stop() == 0, 'jetload ended in order', load.log())
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'the live database holds every acknowledged commit', out)
    h.done()


main()
