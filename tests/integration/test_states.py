#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Broken and stale states: each is made here, and has to be named with its cause and its cure."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402


def jetfs(*args, **kw):
    return h.run(h.JETFS, *args, **kw)


def says(code, wanted, out, *words):
    return code == wanted and all(word in out for word in words)


def listed():
    code, out = jetfs('list', '--json')
    return json.loads(out) if code == 0 else {'instances': [], 'mounts': []}


def mount_of(path):
    return next((m for m in listed()['mounts'] if m['mountpoint'] == path), {})


def is_gone(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
            return f.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except FileNotFoundError:
        return True


class Holder:
    """A process that has something of a mount open until it is told to go."""

    def __init__(self, code, *args):
        whole = f'import os, sys, mmap\n{code}\nprint("ready", flush=True)\nsys.stdin.read()'
        self.process = subprocess.Popen([sys.executable, '-c', whole, *args], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def end(self):
        self.process.communicate('')


# ---- list ----

def list_instances(load, work):
    found = next((i for i in listed()['instances'] if i['directory'] == load.dir), {})
    h.ok(found.get('pid') == load.process.pid and found.get('state') == 'idle', 'list: the instance', found)
    h.ok(found.get('databases') == [os.path.join(load.dir, 'app.edb')], 'list: its database', found)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    found = next((i for i in listed()['instances'] if i['directory'] == load.dir), {})
    h.ok(found.get('state') == 'session' and found['session']['pid'] == mount.pid(),
         'list: who holds its session', found)
    entry = mount_of(mount.path)
    h.ok((entry.get('state'), entry.get('pid'), entry.get('session'), entry.get('source'))
         == ('mounted', mount.pid(), 'running', load.dir), 'list: the mount', entry)
    code, out = jetfs('list')
    h.ok(says(code, 0, out, load.dir, mount.path, 'app.edb', f'driver {mount.pid()}'), 'list: as text', out)
    mount.umount('--abort')
    h.ok(mount_of(mount.path) == {}, 'list: gone after the end')


# ---- mounts that will not end, or ended in a wrong way ----

def busy(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'), '-o', 'cache=page')
    path = mount.path + '/app.edb'
    for name, code in (('an open file', 'f = open(sys.argv[1], "rb")'),
                       ('a directory', 'os.chdir(os.path.dirname(sys.argv[1]))'),
                       ('a map', 'f = open(sys.argv[1], "rb"); m = mmap.mmap(f.fileno(), 4096, '
                                 'prot=mmap.PROT_READ); f.close()')):
        holder = Holder(code, path)
        result, out = mount.umount()
        h.ok(says(result, h.ENVIRONMENT, out, 'busy', f'{holder.pid} (python3) {mount.path}', '--abort')
             and out.count('(') == 1, f'busy: {name} is named, and nothing else', out)
        holder.end()
    code, out = mount.umount()
    h.ok(code == h.INCOMPLETE, 'busy: ends when they are gone', out)


def lazy(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    driver = mount.pid()
    holder = Holder('f = open(sys.argv[1], "rb")', mount.path + '/app.edb')
    h.wait_for(lambda: (mount.status() or {}).get('device'), 'the device in the status')
    h.run('umount', '-i', '-l', mount.path)
    entry = mount_of(mount.path)
    h.ok((entry.get('state'), entry.get('pid')) == ('detached', driver), 'lazy: listed as detached', entry)
    code, out = mount.umount()
    h.ok(says(code, h.ENVIRONMENT, out, 'unmounted lazily', f'pid {driver}', f'{holder.pid} (python3)', '--abort'),
         'lazy: umount names who keeps it', out)
    code, out = mount.umount('--abort')
    h.ok(code == h.INCOMPLETE and is_gone(driver), 'lazy: --abort ends it', out)
    holder.end()
    h.ok(mount_of(mount.path) == {}, 'lazy: nothing is left')


def dead_driver(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    driver = mount.pid()
    os.kill(driver, signal.SIGKILL)
    h.wait_for(lambda: is_gone(driver), 'the death of the driver')
    h.ok(mount_of(mount.path).get('state') == 'dead', 'dead driver: listed', mount_of(mount.path))
    code, out = jetfs('status', mount.path)
    h.ok(says(code, h.DRIVER_DIED, out, 'the driver was killed', 'is no backup'), 'dead driver: said and cleaned', out)
    h.ok(not os.path.ismount(mount.path), 'dead driver: nothing stays mounted')


def dead_owner(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    load.kill()
    code, out = jetfs('status', '--wait', mount.path)
    h.ok(says(code, h.ABORTED_BY_SERVER, out, 'the owner of the database'), 'dead owner: said', out)
    h.ok(not any(i['directory'] == load.dir for i in listed()['instances']), 'dead owner: not listed')
    code, out = jetfs('umount', mount.path)
    h.ok(code == h.ABORTED_BY_SERVER, 'dead owner: umount says it again', out)


def alone():
    """In a mount namespace of its own, so that no copy of a mount lives on in another's."""
    if os.geteuid() == 0 and 'TEST_STATES_ALONE' not in os.environ:
        os.environ['TEST_STATES_ALONE'] = '1'
        os.execvp('unshare', ['unshare', '-m', sys.executable, *sys.argv])


def main():
    h.need_fuse()
    alone()
    work = os.path.realpath(h.scratch())
    load = h.Load(work, '--accounts', 100, '--log-kib', 256, '--rate', 200).wait_ready(20)
    list_instances(load, work)
    busy(load, work)
    lazy(load, work)
    dead_driver(load, work)
    dead_owner(load, work)
    h.done()


main()
