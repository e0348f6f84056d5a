#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Snapshots of a file system or a disk, taken while jetload writes, between freeze and thaw.

Each is put in the place of the live directory (in a mount namespace of its own), recovered, and
compared with the ledger: exactly the commits up to the freeze. SNAPSHOT_ROUNDS (default 3) sets how
many there are of each kind.
"""
import atexit
import os
import re
import shutil
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

ROUNDS = int(os.environ.get('SNAPSHOT_ROUNDS', '3'))
LOAD = ['--log-kib', 256, '--cache-pages', 200, '--threads', 4]


class Impossible(Exception):
    """What this machine cannot do."""


def must(*args):
    """A command that prepares: where it fails there is nothing to test."""
    if shutil.which(args[0]) is None:
        raise Impossible(f'no {args[0]} on this machine')
    code, out = h.run(*args)
    if code != 0:
        raise Impossible(f'{" ".join(str(a) for a in args)}: {out.strip()}')
    return out.strip()


class Control:
    """The socket of jetload --control."""

    def __init__(self, path):
        h.wait_for(lambda: os.path.exists(path), 'control socket of jetload')
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(h.DEADLINE_S)
        self.socket.connect(path)
        self.lines = self.socket.makefile('rw')

    def ask(self, command):
        self.lines.write(command + '\n')
        self.lines.flush()
        return self.lines.readline().strip()

    def freeze(self):
        word, position = self.ask('freeze').split()[:2]
        if word != 'frozen':
            raise RuntimeError(f'freeze: {position}')
        return position


class Disk:
    """An image in a loop device, its file system at work/fs, a part of it (live) at work/db."""

    def __init__(self, name):
        self.work = h.scratch(f'jetfs-{name}-')
        self.image = os.path.join(self.work, 'image')
        self.fs = os.path.join(self.work, 'fs')
        self.db = os.path.join(self.work, 'db')
        self.mounts = []
        self.load = None
        os.mkdir(self.fs)
        os.mkdir(self.db)
        with open(self.image, 'wb') as f:
            f.truncate(512 << 20)
        atexit.register(self.close)

    def mount(self, *args):
        must('mount', *args)
        self.mounts.append(args[-1])

    def path(self, name):
        return os.path.join(self.fs, name)

    def use(self):
        """live becomes the directory of the database."""
        if not os.path.isdir(self.path('live')):
            os.mkdir(self.path('live'))
        self.mount('--bind', self.path('live'), self.db)

    def start(self, *options):
        sock = os.path.join(self.work, 'control')
        self.load = h.Load(self.work, *LOAD, *options, '--control', sock, service=False)
        self.load.wait_ready(300)
        return Control(sock)

    def lines(self):
        with open(self.load.ledger, 'rb') as f:
            return f.read().count(b'\n')

    def check(self, commands, freeze):
        """The snapshot in the live directory's place; commands put it there."""
        ledger = os.path.join(self.work, 'ledger-now')
        end = self.lines() + 200
        h.wait_for(lambda: self.lines() >= end, 'commits after the thaw')
        shutil.copy(self.load.ledger, ledger)  # who waited in the freeze has written its line
        check = f'exec "{h.JETLOAD}" --check --ledger "{ledger}" --freeze {freeze} "{self.db}"'
        code, out = h.run('unshare', '-m', 'sh', '-ec', '\n'.join(commands + [check]))
        found = re.search(r'(\d+) transactions present', out)
        older = found is not None and 0 < int(found.group(1)) <= end - 200 + 8  # else it was the live one
        return code == 0 and 'lost 0 extra 0' in out and older, f'exit {code}, {end - 200} by then\n{out}'

    def close(self):
        if self.load is not None and self.load.alive():
            self.load.kill()
        while self.mounts:
            path = self.mounts.pop()
            code, _ = h.run('umount', path)
            if code != 0:
                h.run('umount', '-l', path)


def make(name, *mkfs):
    disk = Disk(name)
    must(*mkfs, disk.image)
    disk.mount('-o', 'loop', disk.image, disk.fs)
    return disk


def rounds(disk, what, take, place):
    """take(n) makes snapshot n while all is frozen; place(n) are the commands that put it in place."""
    control = disk.start()
    bad = []
    for n in range(ROUNDS):
        freeze = control.freeze()
        code, out = take(n)
        thawed = control.ask('thaw')
        if code != 0 or thawed != 'thawed':
            bad.append(f'round {n}: {what} {code}, {thawed}\n{out}')
            break
        good, out = disk.check(place(n), freeze)
        if not good:
            bad.append(f'round {n}, freeze {freeze}: {out}')
    h.ok(not bad, f'{what}: {ROUNDS} snapshots recover exactly to their freeze', '\n'.join(bad))
    good, out = disk.load.stop() == 0, disk.load.log()
    h.ok(good, f'{what}: the database goes on after them', out)
    good, out = h.check(disk.db, disk.load.ledger)
    h.ok(good, f'{what}: and has every commit', out)


def bind(disk, path):
    return [f'mount --bind "{path}" "{disk.db}"']


def btrfs():
    disk = make('btrfs', 'mkfs.btrfs', '-q')
    must('btrfs', 'subvolume', 'create', disk.path('live'))
    disk.use()
    rounds(disk, 'btrfs subvolume snapshot',
           lambda n: h.run('btrfs', 'subvolume', 'snapshot', disk.path('live'), disk.path(f'snap{n}')),
           lambda n: bind(disk, disk.path(f'snap{n}')))
    disk.close()


def xfs_reflink():
    disk = make('xfs', 'mkfs.xfs', '-q', '-m', 'reflink=1')
    disk.use()
    rounds(disk, 'XFS reflink copy',
           lambda n: h.run('cp', '-a', '--reflink=always', disk.path('live'), disk.path(f'snap{n}')),
           lambda n: bind(disk, disk.path(f'snap{n}')))
    disk.close()


def xfs_device():
    disk = make('xfsdev', 'mkfs.xfs', '-q')
    disk.use()
    copy, other = os.path.join(disk.work, 'copy'), os.path.join(disk.work, 'other')
    os.mkdir(other)

    def take(_):
        must('fsfreeze', '-f', disk.fs)
        try:
            return h.run('cp', '--sparse=always', disk.image, copy)
        finally:
            must('fsfreeze', '-u', disk.fs)

    rounds(disk, 'copy of the device, XFS frozen', take,
           lambda n: [f'mount -o loop,nouuid "{copy}" "{other}"', f'mount --bind "{other}/live" "{disk.db}"'])
    disk.close()


def lvm():
    if not os.path.exists('/dev/mapper/control'):
        raise Impossible('no device mapper in this kernel')
    disk = Disk('lvm')
    group = f'jetfs{os.getpid()}'
    must('lvcreate', '--version')
    device = must('losetup', '-f', '--show', disk.image)
    atexit.register(h.run, 'losetup', '-d', device)
    must('vgcreate', '-q', group, device)
    atexit.register(h.run, 'vgremove', '-f', '-q', group)
    atexit.register(disk.close)
    must('lvcreate', '-q', '-L', '200M', '-n', 'live', group)
    must('mkfs.ext4', '-q', f'/dev/{group}/live')
    disk.mount(f'/dev/{group}/live', disk.fs)
    disk.use()
    other = os.path.join(disk.work, 'other')
    os.mkdir(other)
    rounds(disk, 'LVM snapshot',
           lambda n: h.run('lvcreate', '-q', '-s', '-L', '60M', '-n', f'snap{n}', f'{group}/live'),
           lambda n: [f'mount /dev/{group}/snap{n} "{other}"', f'mount --bind "{other}/live" "{disk.db}"'])
    disk.close()


def timeout():
    """Nobody thaws: it thaws by itself, says so, and the late thaw is told."""
    work = h.scratch('jetfs-timeout-')
    sock = os.path.join(work, 'control')
    load = h.Load(work, *LOAD, '--control', sock, '--snapshot-ms', 300, service=False).wait_ready(100)
    control = Control(sock)
    control.freeze()
    h.wait_for(lambda: ' 2004 OS_SNAPSHOT_TIME_OUT' in load.log(), 'event 2004')
    commits = load.status()['commits']
    h.wait_for(lambda: load.status().get('commits', 0) > commits, 'commits after the time-out')
    h.ok(load.alive(), 'time-out: the database goes on, event 2004 says so', load.log())
    answer = control.ask('thaw')
    h.ok(answer == 'error -2402 JET_errOSSnapshotTimeOut', 'time-out: the late thaw is told', answer)
    answer = control.freeze()
    h.ok(control.ask('thaw') == 'thawed', 'time-out: the next snapshot works', answer)
    h.ok(load.stop() == 0, 'time-out: the program ends well', load.log())
    good, out = h.check(load.dir, load.ledger)
    h.ok(good, 'time-out: no commit is lost', out)


def main():
    timeout()
    for kind in (btrfs, xfs_reflink, xfs_device, lvm):
        try:
            if os.geteuid() != 0:
                raise Impossible('only root can mount a file system')
            kind()
        except Impossible as e:
            h.skip(kind.__name__, str(e).replace('\n', ' '))
    h.done()


main()
