#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The fleet recipe of jetfs-recipes(7): three databases at work, their mounts sent by restic to one
repository behind `rclone serve restic`, all three restored and compared with their ledgers."""
import concurrent.futures
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

NIGHTS = int(os.environ.get('JETFS_NIGHTS', '2'))


class Server:
    """rclone serve restic on a free port of the loopback; the machines cannot delete there."""

    def __init__(self, work):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.log = os.path.join(work, 'rclone.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                ['rclone', 'serve', 'restic', '--config', '/dev/null', '--append-only', '--addr',
                 f'127.0.0.1:{self.port}', os.path.join(work, 'repository')],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.url = f'http://127.0.0.1:{self.port}/'
        h.wait_for(self.answers, 'rclone serve restic')

    def answers(self):
        try:
            urllib.request.urlopen(self.url + 'config', timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def restic(self, *args):
        return h.run('restic', '-r', 'rest:' + self.url, '--no-cache', '-q', *args)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=h.DEADLINE_S)


class Machine:
    """One of the fleet: a database at work and its mount point."""

    def __init__(self, work, number):
        self.name = f'machine{number}'
        self.dir = os.path.join(work, self.name)
        os.makedirs(self.dir)
        self.load = h.Load(self.dir, '--accounts', 100 * number, '--log-kib', 256, '--rate', 300,
                           '--hold', 60, '--fill-mib', number, '--seed', number)
        self.freeze = None
        self.skipped = 0

    def night(self, server):
        """What each machine runs from its timer. Empty, or what went wrong."""
        mount = h.Mount(self.load.dir, os.path.join(self.dir, 'mnt'))
        self.freeze = mount.freeze()
        code, out = server.restic('backup', '--host', self.name, mount.path)
        result, ended = mount.umount()
        self.skipped = sum(f['kind'] == 'log' and f['carried'] and not f['served']
                           for f in mount.status()['files'])
        return '' if code == 0 and result == h.COMPLETE else f'restic {code}, umount {result}\n{out}{ended}'

    def back(self, server):
        """The newest snapshot of this machine, restored and compared."""
        copy, target = os.path.join(self.dir, 'copy'), os.path.join(self.dir, 'restored')
        code, out = server.restic('restore', 'latest', '--host', self.name, '--target', copy)
        if code != 0:
            return f'restic restore: {code}\n{out}'
        inside = copy + os.path.join(self.dir, 'mnt')
        for args in (('verify', inside), ('restore', inside, target)):
            code, out = h.run(h.JETFS, *args)
            if code != 0:
                return f'jetfs {args[0]}: {code}\n{out}'
        self.load.wait_past(self.freeze)
        ledger = os.path.join(self.dir, 'ledger-then')
        shutil.copy(self.load.ledger, ledger)
        good, out = h.check(target, ledger, '--freeze', self.freeze)
        return '' if good else out


def all_at_once(function, fleet, server):
    with concurrent.futures.ThreadPoolExecutor(len(fleet)) as pool:
        return list(pool.map(lambda machine: function(machine, server), fleet))


def main():
    h.need_fuse()
    for program in ('restic', 'rclone'):
        if shutil.which(program) is None:
            h.skip_all(f'{program} is not installed: scripts/setup --tests')
    work = h.scratch()
    os.environ.update(HOME=work, RESTIC_PASSWORD='fleet')
    fleet = [Machine(work, number) for number in (1, 2, 3)]
    server = Server(work)
    try:
        code, out = server.restic('init')
        h.ok(code == 0, 'one repository for the fleet', out)
        for machine in fleet:
            machine.load.wait_ready(100)
        for night in range(1, NIGHTS + 1):
            wrong = all_at_once(Machine.night, fleet, server)
            for machine, problem in zip(fleet, wrong):
                h.ok(not problem, f'night {night}: {machine.name} is in it', problem)
        h.ok(NIGHTS < 2 or all(m.skipped > 0 for m in fleet), 'the second night skips logs it has',
             [m.skipped for m in fleet])
        wrong = all_at_once(Machine.back, fleet, server)
        for machine, problem in zip(fleet, wrong):
            h.ok(not problem, f'{machine.name}: restored, exactly the commits before its freeze', problem)
        code, out = server.restic('check')
        h.ok(code == 0, 'restic finds the repository whole', out)
        ended = [machine.load.stop() for machine in fleet]
        h.ok(ended == [0, 0, 0], 'the databases ended in order', ended)
    finally:
        server.stop()
    h.done()


main()
