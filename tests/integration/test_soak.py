#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sessions without end: many mounts one after another, then 8 readers beside 2 writers for a while.
What the program that owns the database has in memory, descriptors, threads, logs and preimages does
not grow, and no mount and no process is left. The figures are printed.

JETFS_CYCLES      mounts (20; a release has 1000)
JETFS_SOAK_SECONDS   readers and writers (4; a release has 3600)
JETFS_SOAK_RATE   transactions a second meanwhile (400)
"""
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

CYCLES = int(os.environ.get('JETFS_CYCLES', '20'))
SECONDS = float(os.environ.get('JETFS_SOAK_SECONDS', '4'))
RATE = float(os.environ.get('JETFS_SOAK_RATE', '400'))
READERS = 8
WRITERS = 2
GROWTH_KIB = 2048  # what a process may gain however long it runs: caches that fill, arenas
GROWTH_KIB_EACH = 2  # and for each session


class Figures:
    """What a process has now."""

    def __init__(self, pid):
        with open(f'/proc/{pid}/status', encoding='ascii') as f:
            status = dict(line.split(':', 1) for line in f)
        self.rss = int(status['VmRSS'].split()[0])
        self.threads = int(status['Threads'])
        links = []
        for fd in os.listdir(f'/proc/{pid}/fd'):
            try:
                links.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
            except FileNotFoundError:
                pass  # closed meanwhile
        self.fds = len(links)
        self.nameless = sum(link.endswith(' (deleted)') for link in links)

    def __str__(self):
        return (f'{self.rss / 1024:.1f} MiB, {self.fds} descriptors ({self.nameless} of files without '
                f'a name), {self.threads} threads')


def settled(pid, first):
    """The figures once the last session's threads and descriptors are gone, or as they stay."""
    def good():
        now = Figures(pid)
        return now.threads <= first.threads and now.fds <= first.fds and now.nameless == 0
    try:
        h.wait_for(good, 'the owner to settle', 10)
    except TimeoutError:
        pass
    return Figures(pid)


def no_growth(name, first, last, sessions):
    print(f'# {name}: {first}; after {sessions} sessions {last}', flush=True)
    allowed = GROWTH_KIB + GROWTH_KIB_EACH * sessions
    h.ok(last.rss <= first.rss + allowed, f'{name}: memory does not grow', f'{first}\n{last}')
    h.ok(last.fds <= first.fds and last.nameless == 0 and last.threads <= first.threads,
         f'{name}: no descriptor, preimage or thread is left', f'{first}\n{last}')


def leftovers(work):
    """Mounts and processes of ours that are still there."""
    with open('/proc/self/mountinfo', encoding='utf-8') as f:
        found = [line for line in f if work in line]
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                words = f.read().decode(errors='replace').split('\0')
        except OSError:
            continue
        if os.path.basename(words[0]) == 'jetfs' and any(work in word for word in words):
            found.append(' '.join(words))
    return found


def nothing_left(work, when):
    """A driver ends a moment after the result is known."""
    try:
        h.wait_for(lambda: not leftovers(work), 'the last driver to end', 10)
    except TimeoutError:
        pass
    h.ok(not leftovers(work), f'{when} no mount and no driver is left', leftovers(work))


def logs(load):
    return sorted(n for n in os.listdir(load.dir) if n.startswith('edb0') and n.endswith('.log'))


# ---- mounts, one after another ----

def read_all(mount):
    for name in os.listdir(mount.path):
        with open(os.path.join(mount.path, name), 'rb', buffering=0) as f:
            while f.read(1 << 20):
                pass


def read_some(mount):
    with open(mount.path + '/app.edb', 'rb', buffering=0) as f:
        f.read(10000)


def final(mount):
    h.run(h.JETFS, 'status', '--wait', mount.path)
    return mount.status()['result']['exit']


def end_by_umount(mount):
    subprocess.run(['umount', '-i', mount.path], check=True)
    return final(mount)


def end_by_signal(mount):
    os.kill(mount.pid(), signal.SIGTERM)
    return final(mount)


def end_by_kill(mount):
    os.kill(mount.pid(), signal.SIGKILL)
    return final(mount)


WAYS = [  # what is read, how it ends, options, the result
    ('complete', read_all, lambda m: m.umount()[0], (), h.COMPLETE),
    ('nothing read', None, lambda m: m.umount()[0], (), h.INCOMPLETE),
    ('complete, page cache', read_all, end_by_umount, ('-o', 'cache=page'), h.COMPLETE),
    ('a part read', read_some, lambda m: m.umount()[0], (), h.INCOMPLETE),
    ('complete and truncated', read_all, lambda m: m.umount('--truncate')[0], (), h.COMPLETE),
    ('aborted', read_some, lambda m: m.umount('--abort')[0], (), h.INCOMPLETE),
    ('signal', read_all, end_by_signal, (), h.COMPLETE),
    ('killed', read_some, end_by_kill, (), h.DRIVER_DIED),
    ('complete, direct', read_all, lambda m: m.umount()[0], ('-o', 'cache=direct'), h.COMPLETE),
    ('recovered', read_all, lambda m: m.umount()[0], ('-o', 'recovered'), h.COMPLETE),
]


def cycle(load, work, number):
    """One mount; empty when it ended as it should."""
    name, read, end, options, wanted = WAYS[number % len(WAYS)]
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'), *options)
    if read:
        read(mount)
    got = end(mount)
    problem = '' if got == wanted else f'cycle {number}, {name}: {got}, wanted {wanted}'
    return problem or ('' if not os.path.ismount(mount.path) else f'cycle {number}, {name}: mounted')


def cycles(load, work):
    wrong = [cycle(load, work, number) for number in range(len(WAYS))]  # to warm up
    first = settled(load.process.pid, Figures(load.process.pid))
    start = time.monotonic()
    wrong += [cycle(load, work, number) for number in range(CYCLES)]
    seconds = time.monotonic() - start
    last = settled(load.process.pid, first)
    wrong = [problem for problem in wrong if problem]
    h.ok(not wrong, f'{CYCLES} mounts in {len(WAYS)} ways end as they should', '\n'.join(wrong))
    print(f'# {CYCLES} mounts in {seconds:.1f} s, {seconds * 1000 / max(CYCLES, 1):.0f} ms each')
    no_growth('owner', first, last, CYCLES)
    truncated(load, work, 'after the mounts')
    nothing_left(work, 'after the mounts')


def truncated(load, work, when):
    """A pin that was left would keep logs from being deleted now."""
    before = logs(load)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    low = mount.live()['logs']['low']
    read_all(mount)
    code, out = mount.umount('--truncate')
    old = [n for n in logs(load) if int(n[3:8], 16) < low]
    print(f'# {when}: {len(before)} logs, {len(logs(load))} when truncated')
    h.ok(code == h.COMPLETE and not old, f'{when}: no log is pinned', f'{out}\n{low}: {old}')


# ---- readers beside writers ----

def digest(path, chunk):
    sha = hashlib.sha256()
    with open(path, 'rb', buffering=0) as f:
        while data := f.read(chunk):
            sha.update(data)
    return sha.hexdigest()


def reader(seed, mnt, copy, until, queue):
    try:
        queue.put(read_at_random(random.Random(seed), mnt, copy, until))
    except OSError as error:
        queue.put((0, [error]))


def read_at_random(rnd, mnt, copy, until):
    """Until the time has come; the copy says what is right. Bytes read, and what was wrong."""
    count, wrong = 0, []
    names = sorted(os.listdir(copy))
    while time.monotonic() < until and not wrong:
        name = rnd.choice(names + ['app.edb'] * len(names))
        path, right = os.path.join(mnt, name), os.path.join(copy, name)
        if rnd.random() < 0.1:
            if digest(path, rnd.choice((4096, 70000, 1 << 20))) != digest(right, 1 << 20):
                wrong.append(name)
            count += os.path.getsize(right)
            continue
        with open(path, 'rb', buffering=0) as a, open(right, 'rb', buffering=0) as b:
            for _ in range(20):
                off, n = rnd.randrange(os.path.getsize(right)), rnd.randrange(1, 1 << 18)
                data = os.pread(a.fileno(), n, off)
                count += len(data)
                if data != os.pread(b.fileno(), n, off):
                    wrong.append((name, off, n))
    return count, wrong


def stretch(load, work, seconds):
    """One mount with its readers: (bytes read, what was wrong, the driver's figures)."""
    copy = os.path.join(work, 'copy')
    os.makedirs(copy)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    freeze = mount.freeze()
    h.copy_cp(mount.path, copy)
    queue, until = multiprocessing.SimpleQueue(), time.monotonic() + seconds
    crowd = [multiprocessing.Process(target=reader, args=(i, mount.path, copy, until, queue))
             for i in range(READERS)]
    for process in crowd:
        process.start()
    results = [queue.get() for _ in crowd]
    for process in crowd:
        process.join()
    driver = Figures(mount.pid())
    code, out = mount.umount('--truncate')
    wrong = [x for _, bad in results for x in bad] + ([] if code == h.COMPLETE else [out])
    wrong += compared(load, work, copy, freeze)
    shutil.rmtree(copy)
    return sum(count for count, _ in results), wrong, driver


def compared(load, work, copy, freeze):
    target, ledger = os.path.join(work, 'restored'), os.path.join(work, 'ledger-then')
    code, out = h.run(h.JETFS, 'restore', copy, target)
    load.wait_past(freeze, WRITERS)
    shutil.copy(load.ledger, ledger)
    good, checked = h.check(target, ledger, '--freeze', freeze) if code == 0 else (False, out)
    shutil.rmtree(target, ignore_errors=True)
    return [] if good else [checked]


def crowd_beside_writers(load, work):
    length = min(300, max(2, SECONDS / 12))
    first, wrong, total, drivers, done = None, [], 0, [], 0
    start = time.monotonic()
    before = load.status()['commits']
    while not wrong and (done < 2 or time.monotonic() - start < SECONDS):
        count, wrong, driver = stretch(load, work, length)
        total += count
        done += 1
        drivers.append(driver)
        first = first or settled(load.process.pid, Figures(load.process.pid))
    seconds = time.monotonic() - start
    commits = load.status()['commits'] - before
    h.ok(not wrong, f'{READERS} readers always read what was frozen, and it restores exactly',
         '\n'.join(map(str, wrong)))
    print(f'# {READERS} readers, {WRITERS} writers, {seconds:.0f} s, {done} sessions: '
          f'{total / (1 << 20) / seconds:.0f} MiB/s read, {commits / seconds:.0f} commits/s', flush=True)
    no_growth('owner beside readers', first, settled(load.process.pid, first), done)
    print(f'# the driver at the end of a session: {drivers[0]}; the last one {drivers[-1]}')
    h.ok(drivers[-1].fds <= drivers[0].fds + 4 and drivers[-1].threads <= drivers[0].threads + 8,
         'a later driver needs no more than the first one', f'{drivers[0]}\n{drivers[-1]}')
    truncated(load, work, 'after the readers')


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--accounts', 500, '--log-kib', 256, '--rate', RATE, '--fill-mib', 8,
                  '--threads', WRITERS, '--cache-pages', 1024).wait_ready(300)
    cycles(load, work)
    crowd_beside_writers(load, work)
    nothing_left(work, 'at the end')
    h.ok(load.stop() == 0, 'jetload ended in order', load.log())
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'the live database holds every acknowledged commit', out)
    h.done()


main()
