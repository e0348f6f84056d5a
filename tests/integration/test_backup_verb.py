#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""jetfs backup: full and incremental, what it refuses, and what is left when it or the owner dies."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def backup(kind, load, directory, *options):
    return h.run(h.JETFS, 'backup', '--' + kind, *options, load.dir, directory)


def more_commits(load, n=200):
    load.wait_ready(load.status().get('commits', 0) + n)


def freeze_of_set(directory):
    """The freeze of its last backup."""
    return max(int(h.freeze_of(h.load_json(path)))
               for path in glob.glob(os.path.join(directory, 'backup*.json')))


def restored_exactly(load, work, name, *sources):
    target = os.path.join(work, name)
    code, out = h.run(h.JETFS, 'restore', *sources, target)
    if code != 0:
        return False, out
    return h.check(target, load.ledger, '--freeze', max(map(freeze_of_set, sources)))


def sets(load, work):
    """A full one and two incremental ones in a directory; a chain of directories."""
    full, apart = os.path.join(work, 'set'), os.path.join(work, 'apart')
    code, out = backup('incremental', load, full)
    h.ok(code == h.ENVIRONMENT and 'JET_errMissingFullBackup' in out and not os.path.exists(full),
         'no incremental before a full one', out)
    code, out = backup('full', load, full, '--truncate')
    h.ok(code == 0 and 'full backup complete' in out, 'a full backup', out)
    h.ok(sorted(os.listdir(work)).count('set.partial') == 0, 'leaves nothing beside it')
    code, out = backup('full', load, full)
    h.ok(code == h.ENVIRONMENT and 'not empty' in out, 'a full one wants a new directory', out)
    more_commits(load)
    code, out = backup('incremental', load, full, '--truncate', '--json')
    result = json.loads(out)
    h.ok(code == 0 and result['result'] == 'complete' and result['logs'] > 0 and
         result['databases'] == 0, 'an incremental one adds its logs', out)
    more_commits(load)
    code, out = backup('incremental', load, full)
    h.ok(code == 0, 'and another, not truncated', out)
    more_commits(load)
    code, out = backup('incremental', load, full, '--truncate')
    h.ok(code == 0, 'logs that are there already are compared', out)
    code, out = h.run(h.JETFS, 'verify', '--json', full)
    result = json.loads(out)
    h.ok(code == 0 and result['exit'] == 0 and result['databases'] == 1 and result['pages'] > 0,
         'the set verifies', out)
    good, out = restored_exactly(load, work, 'r1', full)
    h.ok(good, 'it restores exactly to its last freeze', out)

    low = h.load_json(os.path.join(full, 'backup.json'))['genLow']
    code, out = h.run(h.JETFS, 'restore', full, os.path.join(work, 'early'), '--generation', low - 1)
    h.ok(code == h.ENVIRONMENT and '-553' in out, 'a stop before its first log: what to do', out)

    more_commits(load)
    code, out = backup('incremental', load, apart, '--truncate')
    h.ok(code == 0, 'an incremental one in a directory of its own', out)
    code, out = h.run(h.JETFS, 'verify', apart)
    h.ok(code == 0, 'it verifies by itself', out)
    good, out = restored_exactly(load, work, 'r2', full, apart)
    h.ok(good, 'it restores with the set', out)
    more_commits(load)
    code, out = backup('incremental', load, full)
    h.ok(code == h.ENVIRONMENT and 'missing here' in out,
         'logs that went elsewhere are missed, not passed over', out)
    code, out = backup('incremental', load, apart)
    h.ok(code == 0, 'where they are it goes on', out)
    return full


def refusals(load, work, full):
    foreign = h.Load(os.path.join(work, 'foreign'), '--rate', 100).wait_ready()
    plain = os.path.join(work, 'plain')
    os.mkdir(plain)
    with open(os.path.join(plain, 'precious'), 'w', encoding='ascii') as f:
        f.write('x')
    for kind in ('full', 'incremental'):
        code, out = backup(kind, load, plain)
        h.ok(code == h.ENVIRONMENT and os.listdir(plain) == ['precious'],
             f'{kind}: files of others are left alone', out)
    theirs = os.path.join(work, 'theirs.partial')
    os.mkdir(theirs)
    shutil.copy(os.path.join(plain, 'precious'), theirs)
    code, out = backup('full', load, os.path.join(work, 'theirs'))
    h.ok(code == h.ENVIRONMENT and 'not empty' in out and os.listdir(theirs) == ['precious'],
         'a directory of others that has the name of ours is left alone', out)
    code, out = backup('full', foreign, os.path.join(work, 'foreign-set'), '--truncate')
    more_commits(foreign, 50)
    before = sorted(os.listdir(full))
    code, out = backup('incremental', foreign, full)
    h.ok(code == h.ENVIRONMENT and 'another instance' in out and sorted(os.listdir(full)) == before,
         'logs of another instance stay out', out)
    h.ok(foreign.stop() == 0, 'the other instance ends well', foreign.log())
    code, out = h.run(h.JETFS, 'backup', '--full', '--incremental', load.dir, full)
    h.ok(code == h.USAGE, 'one kind at a time', out)
    code, out = backup('full', load, os.path.join(work, 'no', 'such', 'place'))
    h.ok(code == h.ENVIRONMENT and 'No such file' in out, 'the parent has to be there', out)


def start_backup(load, directory):
    """One that has written something and stands still."""
    process = subprocess.Popen([h.JETFS, 'backup', '--full', load.dir, directory],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL)
    h._processes.append(process)
    h.wait_for(lambda: glob.glob(directory + '.partial/.*.partial'), 'the first file')
    process.send_signal(signal.SIGSTOP)
    return process


def deaths(work):
    load = h.Load(os.path.join(work, 'large'), '--rate', 100, '--fill-mib', 100).wait_ready()
    directory = os.path.join(work, 'killed')
    process = start_backup(load, directory)
    code, out = h.run(h.JETFS, 'backup', '--full', load.dir, directory)
    h.ok(code == h.ENVIRONMENT and str(process.pid) in out,
         'a second backup is told who holds the session', out)
    process.kill()
    process.wait()
    h.ok(not os.path.exists(directory), 'a killed backup leaves no directory that looks like one')

    def again():
        code, out = backup('full', load, directory)
        return code == 0 and out
    h.ok(h.wait_for(again, 'the session to end') and os.listdir(directory) and
         not os.path.exists(directory + '.partial'), 'the next one cleans up and succeeds')
    good, out = restored_exactly(load, work, 'r3', directory)
    h.ok(good, 'and restores exactly', out)

    directory = os.path.join(work, 'orphaned')
    process = start_backup(load, directory)
    load.kill()
    process.send_signal(signal.SIGCONT)
    out = process.communicate(timeout=h.DEADLINE_S)[0].decode()
    h.ok(process.returncode == h.ABORTED_BY_SERVER and not os.path.exists(directory) and
         not os.path.exists(directory + '.partial'),
         'the owner died: the backup says so and is gone', out)


def main():
    work = h.scratch()
    os.makedirs(os.path.join(work, 'foreign'))
    os.makedirs(os.path.join(work, 'large'))
    load = h.Load(work, '--rate', 500, '--log-kib', 128).wait_ready()
    full = sets(load, work)
    refusals(load, work, full)
    h.ok(load.stop() == 0, 'the database was never disturbed', load.log())
    deaths(work)
    h.done()


main()
