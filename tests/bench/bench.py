#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The figures of the closing note. Each is printed beside its baseline, measured in the same run."""
import argparse
import os
import shutil
import statistics
import sys
import time

import harness as h

MIB = 1 << 20
READ = 1 << 20


def drop_cache(path):
    """The next read of this file comes from the disk."""
    with open(path, 'rb') as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_file(path):
    start = time.monotonic()
    total = 0
    with open(path, 'rb', buffering=0) as f:
        while True:
            n = len(f.read(READ))
            if n == 0:
                break
            total += n
    return total / MIB / (time.monotonic() - start)


def spread(values, unit, digits=0):
    return (f'{statistics.median(values):.{digits}f} {unit} '
            f'({min(values):.{digits}f} to {max(values):.{digits}f}, {len(values)} runs)')


def make_database(work, options):
    """A closed-down load of that size that can be started again."""
    load = h.Load(work, '--fill-mib', options.mib, '--transactions', 1000, '--log-kib', 5120)
    code = load.process.wait(timeout=600)
    if code != 0:
        raise RuntimeError(load.log())


def bench_copy(options):
    """Sequential reads of the mount against the plain file, interleaved, warm and cold."""
    work = h.scratch()
    make_database(work, options)
    load = h.Load(work, '--rate', 500).wait_ready()
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    paths = {'plain file': os.path.join(load.dir, 'app.edb'),
             'mount': os.path.join(mount.path, 'app.edb')}
    for path in paths.values():
        read_file(path)
    for state in ('warm', 'cold'):
        rates = {name: [] for name in paths}
        for _ in range(options.runs):
            for name, path in paths.items():
                if state == 'cold':
                    drop_cache(paths['plain file'])
                rates[name].append(read_file(path))
        for name, values in rates.items():
            print(f'copy rate, {state}, {name}: {spread(values, "MiB/s")}', flush=True)
        ratio = statistics.median(rates['mount']) / statistics.median(rates['plain file'])
        print(f'copy rate, {state}, mount / plain file: {ratio:.2f}')
    mount.umount()
    load.stop()


def bench_commit(options):
    """Durable and lazy commits per second by number of threads."""
    for lazy, name in ((0, 'durable'), (100, 'lazy')):
        for threads in (1, 4, 16):
            work = h.scratch()
            load = h.Load(work, '--accounts', 10000, '--threads', threads, '--lazy', lazy,
                          '--seconds', options.seconds, '--log-kib', 5120, service=False)
            load.process.wait(timeout=600)
            s = load.status()
            t = s['commit_us']['without_backup'][name]
            print(f'{name} commits, {threads} threads: {s["commits_per_second"]:.0f}/s, '
                  f'p50 {t["p50"]} us, p99 {t["p99"]} us', flush=True)


def bench_latency(options):
    """Commit latency without and with a session that is being read all the time."""
    work = h.scratch()
    make_database(work, options)
    load = h.Load(work, '--rate', options.rate, '--lazy', 50).wait_ready()
    time.sleep(options.seconds)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        read_file(os.path.join(mount.path, 'app.edb'))
    mount.umount()
    load.stop()
    for mode in ('durable', 'lazy'):
        for when in ('without_backup', 'with_backup'):
            t = load.status()['commit_us'][when][mode]
            print(f'{mode} commit {when.replace("_", " ")}: p50 {t["p50"]} us, p99 {t["p99"]} us, '
                  f'max {t["max"]} us, {t["n"]} commits', flush=True)


def bench_freeze(options):
    """How long writers stand still, and how long until the mount is ready."""
    work = h.scratch()
    make_database(work, options)
    load = h.Load(work, '--rate', options.rate).wait_ready()
    still, ready = [], []
    for _ in range(options.runs):
        start = time.monotonic()
        mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
        ready.append((time.monotonic() - start) * 1000)
        mount.umount()
        still.append(mount.status()['freeze']['us'] / 1000)
    load.stop()
    size = os.path.getsize(os.path.join(load.dir, 'app.edb')) / MIB
    print(f'freeze of {size:.0f} MiB: writers stand still {spread(still, "ms", 2)}')
    print(f'freeze of {size:.0f} MiB: jetfs returns after {spread(ready, "ms", 1)}', flush=True)


def bench_restore(options):
    """Restore of a copied directory: bytes of the copy by time, recovery included."""
    work = h.scratch()
    make_database(work, options)
    load = h.Load(work, '--lazy', 90).wait_ready()
    time.sleep(options.seconds)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    copy = os.path.join(work, 'copy')
    os.makedirs(copy)
    h.copy_cp(mount.path, copy)
    mount.umount()
    load.stop()
    size = sum(os.path.getsize(os.path.join(copy, n)) for n in os.listdir(copy)) / MIB
    rates = []
    for _ in range(options.runs):
        target = os.path.join(work, 'restored')
        start = time.monotonic()
        code, out = h.run(h.JETFS, 'restore', copy, target, timeout=600)
        if code != 0:
            raise RuntimeError(out)
        rates.append(size / (time.monotonic() - start))
        shutil.rmtree(target)
    print(f'restore of {size:.0f} MiB, logs included: {spread(rates, "MiB/s")}', flush=True)


def copy_by_mount(load, work, target, tool):
    """A whole session with a mount: seconds from begin to end, the copy on the disk."""
    start = time.monotonic()
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    os.makedirs(target)
    code, out = tool(mount.path, target)
    os.sync()
    ended, text = mount.umount()
    if code != 0 or ended != 0:
        raise RuntimeError(out + text)
    return time.monotonic() - start


def copy_by_backup(load, target):
    start = time.monotonic()
    code, out = h.run(h.JETFS, 'backup', '--full', load.dir, target, timeout=600)
    if code != 0:
        raise RuntimeError(out)
    return time.monotonic() - start


def bench_backup(options):
    """A full backup under load, on the disk: jetfs backup against cp and rsync from a mount."""
    work = h.scratch()
    make_database(work, options)
    load = h.Load(work, '--rate', options.rate).wait_ready()
    target = os.path.join(work, 'copy')
    ways = {'jetfs backup': lambda: copy_by_backup(load, target),
            'mount, cp -a, sync': lambda: copy_by_mount(load, work, target, h.copy_cp),
            'mount, rsync -a, sync': lambda: copy_by_mount(load, work, target, h.copy_rsync)}
    rates = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, way in ways.items():
            seconds = way()
            size = sum(os.path.getsize(os.path.join(target, n)) for n in os.listdir(target)) / MIB
            rates[name].append(size / seconds)
            shutil.rmtree(target)
    for name, values in rates.items():
        print(f'backup of {options.mib} MiB, {name}: {spread(values, "MiB/s")}', flush=True)
    load.stop()


def bench_log(options):
    """The log alone, against what the disk can do."""
    print(h.run(os.environ['BENCH_LOG'], h.scratch(), options.seconds)[1].rstrip(), flush=True)


BENCHES = {'copy': bench_copy, 'commit': bench_commit, 'latency': bench_latency,
           'freeze': bench_freeze, 'backup': bench_backup, 'restore': bench_restore, 'log': bench_log}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mib', type=int, default=64, help='size of the database (64)')
    parser.add_argument('--seconds', type=float, default=2, help='of each timed part (2)')
    parser.add_argument('--runs', type=int, default=3, help='repetitions (3)')
    parser.add_argument('--rate', type=int, default=500, help='transactions a second (500)')
    parser.add_argument('what', nargs='*', choices=[[], *BENCHES], help='all when none is named')
    options = parser.parse_args()
    for name in options.what or BENCHES:
        print(f'# {name}: {BENCHES[name].__doc__}', flush=True)
        BENCHES[name](options)
    return 0


if __name__ == '__main__':
    sys.exit(main())
