#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A mount of a live database under many readers, in every cache mode, and its status raced.

STATUS_ROUNDS is how often an unmount is raced against the read of the status file (20).
"""
import hashlib
import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

ROUNDS = int(os.environ.get('STATUS_ROUNDS', '20'))
CHUNKS = (4096, 10240, 32768, 65537, 131072, 999983, 1 << 20, 3 << 20)


def digest(path, chunk=1 << 20):
    sha = hashlib.sha256()
    with open(path, 'rb', buffering=0) as f:
        while True:
            data = f.read(chunk)
            if not data:
                return sha.hexdigest()
            sha.update(data)


def digests(directory, chunk):
    return {name: digest(os.path.join(directory, name), chunk)
            for name in sorted(os.listdir(directory))}


def read_at_once(directory):
    """Every file by as many readers as there are chunk sizes: the results, or their errors."""
    results = {}

    def read(chunk):
        try:
            results[chunk] = digests(directory, chunk)
        except OSError as error:
            results[chunk] = error

    threads = [threading.Thread(target=read, args=(chunk,)) for chunk in CHUNKS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def readers(load, work, mode):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'), '-o', 'cache=' + mode)
    before = load.status().get('commits', 0)
    results = read_at_once(mount.path)
    first = results[CHUNKS[0]]
    h.ok(isinstance(first, dict) and all(r == first for r in results.values()),
         f'{mode}: {len(CHUNKS)} readers at once read the same', results)
    h.wait_for(lambda: load.status().get('commits', 0) > before, 'commits during the session')
    h.ok(digests(mount.path, 1 << 20) == first, f'{mode}: and so does another after more commits')
    copy = os.path.join(work, 'copy-' + mode)
    shutil.copytree(mount.path, copy)
    h.ok(digests(copy, 1 << 20) == first, f'{mode}: and so does a copy')
    code, out = mount.umount()
    h.ok(code == h.COMPLETE, f'{mode}: complete', out)
    code, out = h.run(h.JETFS, 'verify', copy)
    h.ok(code == h.COMPLETE, f'{mode}: verified', out)


def race(load, work, name, *command):
    late, wrong = 0, []
    for i in range(ROUNDS):
        mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
        if i % 2:
            digests(mount.path, 1 << 20)
        subprocess.run([*command, mount.path], check=True)
        status = mount.status()
        late += status['state'] != 'done'
        if status['result']['exit'] != (h.COMPLETE if i % 2 else h.INCOMPLETE):
            wrong.append(status['result'])
    h.ok(late == 0 and not wrong, f'{name}: the next read shows the result, {ROUNDS} times',
         f'{late} late\n{wrong[:3]}')


def death(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    fd = os.open(mount.path + '/app.edb', os.O_RDONLY)
    os.pread(fd, 4096, 0)
    load.kill()

    def fails():
        try:
            os.pread(fd, 4096, 0)
            return False
        except OSError:
            return True

    h.wait_for(fails, 'an error for the reader of a dead database')
    try:
        os.close(fd)
    except OSError:
        pass  # the mount may be gone by now
    h.run(h.JETFS, 'status', '--wait', mount.path)
    h.ok(mount.status()['result']['exit'] == h.ABORTED_BY_SERVER, 'killed database under a reader',
         mount.status()['result'])
    h.ok(not os.path.ismount(mount.path), 'killed database under a reader: nothing stays mounted')


def alone():
    """In a mount namespace of its own: one that another process makes copies our mounts, and a copy
    keeps a session alive after its unmount."""
    if os.geteuid() == 0 and 'TEST_MOUNT_ALONE' not in os.environ:
        os.environ['TEST_MOUNT_ALONE'] = '1'
        os.execvp('unshare', ['unshare', '-m', sys.executable] + sys.argv)


def main():
    h.need_fuse()
    alone()
    work = h.scratch()
    load = h.Load(work, '--accounts', 2000, '--log-kib', 256, '--rate', 500, '--fill-mib', 8).wait_ready(100)
    for mode in ('window', 'direct', 'page'):
        readers(load, work, mode)
    race(load, work, 'umount', 'umount', '-i')
    if shutil.which('fusermount3'):
        race(load, work, 'fusermount3', 'fusermount3', '-u')
    death(load, work)
    h.done()


main()
