#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Broken and stale states: each is made here, and has to be named with its cause and its cure."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

USER = 65534
AS_USER = ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups']


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

def members(node):
    """All names of members in a JSON document."""
    if isinstance(node, list):
        return set().union(*map(members, node)) if node else set()
    return set(node).union(*map(members, node.values())) if isinstance(node, dict) else set()


def in_manual(verb, node):
    manual = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'doc', f'jetfs-{verb}.1')
    with open(manual, encoding='utf-8') as f:
        words = set(re.findall(r'\w+', f.read().split('.SH JSON')[1]))
    h.ok(members(node) <= words, f'{verb}: each member of its JSON is in the manual', members(node) - words)


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
    in_manual('list', listed())
    in_manual('doctor', json.loads(jetfs('doctor', '--json')[1]))
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
    h.ok(named(doctor(), 'lazy-unmount', 'bad', f'driver {driver}', f'{holder.pid} (python3)', '--abort'),
         'lazy: doctor says so')
    code, out = jetfs(load.dir, mount.path)
    h.ok(says(code, h.ENVIRONMENT, out, 'unmounted lazily', f'pid {driver}', '--abort'), 'lazy: no second mount', out)
    code, out = mount.umount()
    h.ok(says(code, h.ENVIRONMENT, out, 'unmounted lazily', f'pid {driver}', f'{holder.pid} (python3)', '--abort'),
         'lazy: umount names who keeps it', out)
    code, out = mount.umount('--abort')
    h.ok(code == h.INCOMPLETE and is_gone(driver), 'lazy: --abort ends it', out)
    holder.end()
    h.ok(mount_of(mount.path) == {}, 'lazy: nothing is left')


def stopped_driver(load, work):
    """Nothing of jetfs waits for a driver that cannot answer."""
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    driver = mount.pid()
    os.kill(driver, signal.SIGSTOP)
    try:
        entry = mount_of(mount.path)
        h.ok((entry.get('state'), entry.get('pid')) == ('stopped', driver), 'stopped driver: listed', entry)
        for args in ((), (mount.path,)):
            h.ok(named(doctor(*args), 'stopped-driver', 'bad', f'pid {driver}', f'kill -CONT {driver}'),
                 f'stopped driver: doctor {" ".join(args)} says so')
        for verb in (('umount',), ('umount', '--abort'), ('status',)):
            code, out = jetfs(*verb, mount.path, timeout=20)
            h.ok(says(code, h.ENVIRONMENT, out, f'pid {driver}) is stopped', f'kill -CONT {driver}'),
                 f'stopped driver: {" ".join(verb)} says so', out)
        code, out = jetfs(load.dir, mount.path, timeout=20)
        h.ok(says(code, h.ENVIRONMENT, out, 'is stopped'), 'stopped driver: no second mount', out)
    finally:
        os.kill(driver, signal.SIGCONT)
    code, out = mount.umount('--abort')
    h.ok(code == h.INCOMPLETE, 'stopped driver: the cure works', out)


def dead_driver(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    driver = mount.pid()
    os.kill(driver, signal.SIGKILL)
    h.wait_for(lambda: is_gone(driver), 'the death of the driver')
    h.ok(mount_of(mount.path).get('state') == 'dead', 'dead driver: listed', mount_of(mount.path))
    h.ok(named(doctor(), 'stale-mount', 'bad', 'ENOTCONN', 'jetfs umount'), 'dead driver: doctor says so')
    code, out = jetfs('status', mount.path)
    h.ok(says(code, h.DRIVER_DIED, out, 'the driver was killed', 'is no backup'), 'dead driver: said and cleaned', out)
    h.ok(not os.path.ismount(mount.path), 'dead driver: nothing stays mounted')


def dead_owner(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    load.kill()
    code, out = jetfs('status', '--wait', mount.path)
    h.ok(says(code, h.ABORTED_BY_SERVER, out, 'the owner of the database', 'it died', 'start it again'), 'dead owner: said', out)
    h.ok(not any(i['directory'] == load.dir for i in listed()['instances']), 'dead owner: not listed')
    code, out = jetfs('umount', mount.path)
    h.ok(code == h.ABORTED_BY_SERVER, 'dead owner: umount says it again', out)


# ---- doctor ----

def doctor(*args, prefix=(), **kw):
    """(exit code, findings that are not good, names of the good ones). It may see other tests' mounts."""
    code, out = h.run(*prefix, h.JETFS, 'doctor', '--json', *args, **kw)
    findings = json.loads(out)['findings']
    wrong = [f for f in findings if f['state'] != 'good']
    return code, wrong, {f['check'] for f in findings if f['state'] == 'good'}


def named(result, check, state, *words):
    code, wrong, _ = result
    return (code == 1 or state == 'note') and any(
        f['check'] == check and f['state'] == state and f['fix'] != '' and
        all(word in f['cause'] + ' / ' + f['fix'] for word in words) for f in wrong)


def doctor_of_health(load, work):
    mnt = os.path.join(work, 'healthy')
    os.mkdir(mnt)
    code, wrong, good = doctor(load.dir, mnt)
    others = {'driver', 'stale-mount', 'lazy-unmount', 'stopped-driver', 'owner'}  # of other tests' mounts
    bad = [f for f in wrong if f['state'] == 'bad' and not (f['check'] in others and work not in f['cause'])]
    h.ok(not bad and code == int(any(f['state'] == 'bad' for f in wrong)), 'doctor: nothing is bad', wrong)
    h.ok({'dev-fuse', 'kernel-fuse', 'clock', 'source', 'service', 'mountpoint', 'status-file',
          'apart'} <= good, 'doctor: and it says what is good', good)
    code, out = jetfs('doctor', load.dir)
    last = 'Put right what is bad' if code else 'Nothing is broken.'
    h.ok('good  dev-fuse: ' in out and out.splitlines()[-1].startswith(last), 'doctor: as text', out)


# ---- the machine ----

def in_namespace(setup, *command, **kw):
    """The command in a mount namespace that the shell script `setup` has changed."""
    return h.run('unshare', '-m', 'sh', '-c', f'{setup}\nshift 0; exec "$@"', 'sh', *command, **kw)


NO_DEVICE = 'mount -t tmpfs none /dev || exit 99'


def no_device(load, work):
    mnt = os.path.join(work, 'mnt')
    code, out = in_namespace(NO_DEVICE, h.JETFS, load.dir, mnt)
    h.ok(says(code, h.ENVIRONMENT, out, '/dev/fuse is missing', 'modprobe fuse', '--device /dev/fuse'),
         'no /dev/fuse: said, with the cure', out)
    prefix = ('unshare', '-m', 'sh', '-c', NO_DEVICE + '; exec "$@"', 'sh')
    h.ok(named(doctor(prefix=prefix), 'dev-fuse', 'bad', 'missing', 'modprobe'), 'no /dev/fuse: doctor says so')


def user_states(load, work):
    """What only an ordinary user meets."""
    directory = os.path.join(work, 'user')
    mnt = os.path.join(directory, 'mnt')
    copy = os.path.join(directory, 'copy')
    for path in (directory, mnt, copy):
        os.mkdir(path)
        os.chown(path, USER, USER)
    node = os.path.join(work, 'fuse')
    os.mknod(node, 0o666 | stat.S_IFCHR, os.stat('/dev/fuse').st_rdev)
    os.chmod(node, 0o666)
    code, out = h.run(*AS_USER, h.JETFS, '--version')
    if code != 0 or h.run('mount', '--bind', node, '/dev/fuse')[0] != 0:
        h.skip('an ordinary user', f'uid {USER} cannot run jetfs or have a /dev/fuse of its own: {out}')
        return
    shutil.copy(os.path.join(load.dir, 'app.edb'), copy)
    os.chown(os.path.join(copy, 'app.edb'), USER, USER)

    nowhere = [*AS_USER, 'env', 'PATH=/nowhere']
    code, out = h.run(*nowhere, h.JETFS, copy, mnt)
    h.ok(says(code, h.ENVIRONMENT, out, 'fusermount3 is missing', 'install the package fuse3'),
         'no fusermount3: said, with the cure', out)
    h.ok(named(doctor(prefix=nowhere), 'fusermount3', 'bad', 'missing', 'fuse3'), 'no fusermount3: doctor says so')

    plain = os.path.join(work, 'bin')
    os.mkdir(plain)
    shutil.copy(shutil.which('fusermount3'), plain)
    os.chmod(plain + '/fusermount3', 0o755)  # no setuid bit
    weak = [*AS_USER, 'env', 'PATH=' + plain]
    code, out = h.run(*weak, h.JETFS, copy, mnt)
    h.ok(says(code, h.ENVIRONMENT, out, 'not setuid root', 'chmod u+s'), 'fusermount3 without rights: said', out)

    conf = os.path.join(work, 'fuse.conf')
    with open(conf, 'w', encoding='ascii') as f:
        f.write('#user_allow_other\n')
    h.run('mount', '--bind', conf, '/etc/fuse.conf')
    code, out = h.run(*AS_USER, h.JETFS, copy, mnt, '-o', 'allow_other')
    h.ok(says(code, h.ENVIRONMENT, out, 'user_allow_other', '/etc/fuse.conf'), 'allow_other not allowed: said', out)
    h.ok(named(doctor(prefix=AS_USER), 'allow-other', 'note', 'user_allow_other'), 'allow_other: doctor says so')
    with open(conf, 'w', encoding='ascii') as f:
        f.write('user_allow_other\n')
    code, out = h.run(*AS_USER, h.JETFS, copy, mnt, '-o', 'allow_other')
    h.ok(code == 0, 'allow_other allowed: mounted', out)
    h.run(*AS_USER, h.JETFS, 'umount', '--abort', mnt)
    h.ok('allow-other' in doctor(prefix=AS_USER)[2], 'allow_other allowed: doctor says so')

    os.chmod(load.dir, 0o755)
    for path, what in ((load.dir, 'a directory'), (os.path.join(load.dir, 'app.edb'), 'a file'),
                       (os.path.join(load.dir, 'edb.backup'), 'a socket')):
        code, out = h.run(*AS_USER, h.JETFS, path, mnt)
        h.ok(says(code, h.ENVIRONMENT, out, 'belongs to', 'run jetfs as'), f'{what} of another user: said', out)
    h.ok(named(doctor(os.path.join(load.dir, 'app.edb'), prefix=AS_USER), 'source', 'bad', 'belongs to root'),
         'of another user: doctor says so')
    code, out = h.run(*AS_USER, h.JETFS, copy, os.path.join(work, 'healthy'))
    h.ok(says(code, h.ENVIRONMENT, out, 'may not write there'), 'a mount point of another user: said', out)
    h.run('umount', '/etc/fuse.conf')


# ---- the status file ----

def status_file(load, work):
    small = os.path.join(work, 'small')
    mnt = os.path.join(work, 'mnt')
    os.mkdir(small)
    h.run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', small)
    fill(small)
    code, out = jetfs(load.dir, mnt, '-o', f'status={small}/x.json')
    h.ok(says(code, h.ENVIRONMENT, out, 'No space left', 'make room in', 'status='), 'full status directory: said', out)
    os.mkdir(small + '/in')
    h.ok(named(doctor(small + '/in'), 'status-file', 'bad', 'No space left', 'make room'),
         'full status directory: doctor says so')
    h.run('mount', '-o', 'remount,ro', small)
    code, out = jetfs(load.dir, mnt, '-o', f'status={small}/x.json')
    h.ok(says(code, h.ENVIRONMENT, out, 'Read-only file system', 'writable', 'status='),
         'read-only status directory: said', out)
    h.ok(named(doctor(small + '/in'), 'status-file', 'bad', 'Read-only'), 'read-only status directory: doctor says so')
    code, out = jetfs(load.dir, small + '/in', '-o', f'status={work}/elsewhere.json')
    h.ok(code == 0, 'read-only status directory: the cure works', out)
    jetfs('umount', '--abort', small + '/in')
    h.run('umount', small)


def fill(directory):
    """Until there is no room; the file has to be kept for that."""
    path = os.path.join(directory, 'full')
    with open(path, 'wb', buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            return path


def status_disk_fills(load, work):
    """There was room for the status file at the begin, and is none at the end."""
    small = os.path.join(work, 'filling')
    mnt = os.path.join(work, 'mnt')
    os.mkdir(small)
    h.run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', small)
    code, out = jetfs(load.dir, mnt, '-o', f'status={small}/x.json')
    h.ok(code == 0, 'status directory that fills: mounted', out)
    fill(small)
    h.copy_cp(mnt, os.path.join(work, 'copy-filling'))
    code, out = jetfs('umount', mnt)
    status = h.load_json(f'{small}/x.json') or {}
    h.ok(code == h.COMPLETE and status.get('state') == 'done', 'status directory that fills: the result is told',
         f'{out}\n{status.get("state")}')
    h.run('umount', small)


def preimages_fill(work):
    """No room for old images of pages: the session ends, reads fail, the database goes on."""
    small = os.path.join(work, 'images')
    os.mkdir(small)
    h.run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', small)
    os.mkdir(os.path.join(work, 'images-load'))
    load = h.Load(os.path.join(work, 'images-load'), '--accounts', 5000, '--log-kib', 256, '--rate', 2000,
                  '--cache-pages', 64, '--preimage-path', small).wait_ready(200)
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    fill(small)
    code, out = jetfs('status', '--wait', mount.path)
    h.ok(code == h.ABORTED_BY_SERVER, 'full disk for old images: the session ends by its owner', out)
    h.ok('the disk is full' in out and 'JET_paramJetxPreimagePath' in out, 'full disk for old images: said', out)
    commits = load.status()['commits']
    h.wait_for(lambda: load.status().get('commits', 0) > commits, 'commits after the end')
    h.ok(load.stop() == 0, 'full disk for old images: the database goes on', load.log())
    h.run('umount', small)


# ---- paths ----

def paths(load, work):
    mnt = os.path.join(work, 'mnt')
    full = os.path.join(work, 'full')
    empty = os.path.join(work, 'empty')
    inside = os.path.join(load.dir, 'inside')
    for path in (full, full + '/x', empty, inside):
        os.mkdir(path)
    above = os.path.join(work, 'above')
    os.makedirs(above + '/data')
    shutil.copy(os.path.join(load.dir, 'app.edb'), above + '/data')
    h.run('mount', '-t', 'tmpfs', '-o', 'size=32m', 'none', empty)
    for what, source, mountpoint, check, *words in (
            ('mount point missing', load.dir, work + '/none', 'mountpoint', 'no such directory', 'mkdir -p'),
            ('mount point not empty', load.dir, full, 'mountpoint', 'not empty', 'hide'),
            ('mount point a file', load.dir, load.ledger, 'mountpoint', 'not a directory'),
            ('over another file system', load.dir, empty, 'mountpoint', 'another file system', 'take another'),
            ('mount point inside the data', load.dir, inside, 'apart', 'within each other', 'outside'),
            ('data inside the mount point', above + '/data', above, 'apart', 'within each other', 'outside'),
            ('source missing', work + '/none', mnt, 'source', 'No such file', 'the source is'),
            ('source without databases', full, mnt, 'service', 'give an instance directory')):
        code, out = jetfs(source, mountpoint)
        h.ok(says(code, h.ENVIRONMENT, out, *words), f'{what}: said', out)
        result = doctor(source, mountpoint)
        h.ok(named(result, check, 'bad', *words), f'{what}: doctor says so', result)
    os.mkdir(empty + '/data')
    shutil.copy(os.path.join(load.dir, 'app.edb'), empty + '/data')
    h.ok(named(doctor(empty + '/data'), 'room', 'note', 'old images', 'JET_paramJetxPreimagePath'),
         'hardly any room for old images: doctor says so')
    h.run('umount', empty)
    mount = h.Mount(load.dir, mnt)
    code, out = jetfs(load.dir, mnt)
    h.ok(says(code, h.ENVIRONMENT, out, 'a jetfs is mounted there already', 'jetfs umount'), 'mounted twice: said', out)
    other = os.path.join(work, 'other')
    os.mkdir(other)
    h.ok(named(doctor(load.dir, other), 'session', 'note', f'pid {mount.pid()}', mnt), 'a second session: doctor says who')
    mount.umount('--abort')


def mount_command(load, work):
    """mount(8) by type and by fstab: it gives its helper no PATH, which so looks in the usual places."""
    usual = '/usr/local/sbin'
    if not os.path.isdir(usual):
        h.skip('mount -t fuse.jetfs', f'no {usual} to put jetfs into')
        return
    if not any(os.path.exists(f'/sbin/mount.{name}') for name in ('fuse', 'fuse3')):
        h.skip('mount -t fuse.jetfs', 'no /sbin/mount.fuse on this machine: package fuse3')
        return
    mnt = os.path.join(work, 'mnt')
    h.run('mount', '-t', 'tmpfs', 'none', usual)
    os.symlink(os.path.abspath(h.JETFS), usual + '/jetfs')
    fstab = os.path.join(work, 'fstab')
    with open(fstab, 'w', encoding='utf-8') as f:
        f.write(f'{load.dir} {mnt} fuse.jetfs noauto,nofail,cache=page,x-systemd.requires=x 0 0\n')
    for name, cache, args in (('mount -t fuse.jetfs', 'direct', ('-t', 'fuse.jetfs', load.dir, mnt, '-o', 'cache=direct')),
                              ('mount by fstab', 'page', ('-T', fstab, mnt))):
        code, out = h.run('mount', *args)
        h.ok(code == 0 and os.path.ismount(mnt), f'{name}: mounted', out)
        entry = mount_of(mnt)
        with open(mnt + '/.jetfs/status', encoding='utf-8') as f:
            h.ok(json.load(f)['cache'] == cache and entry.get('source') == load.dir, f'{name}: with its options', entry)
        h.copy_cp(mnt, os.path.join(work, 'copy-' + cache))
        h.run('umount', '-i', mnt)
        code, out = jetfs('status', '--wait', mnt)
        h.ok(code == h.COMPLETE, f'{name}: umount, and the copy is complete', out)
    code, out = h.run('mount', '-t', 'fuse.jetfs', load.dir, mnt, '-o', 'nonsense')
    h.ok(code != 0 and 'nonsense' in out and not os.path.ismount(mnt), 'mount -t fuse.jetfs: a wrong option is told', out)
    h.ok('mount-helper' in doctor()[2], 'mount -t fuse.jetfs: doctor finds it')
    h.run('umount', usual)
    if shutil.which('jetfs', path='/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin') is None:
        h.ok(named(doctor(), 'mount-helper', 'note', 'mount(8) looks', 'install'), 'no jetfs for mount: doctor says so')


def leftovers(load, work):
    tmp = os.path.join(work, 'tmp')
    os.makedirs(tmp + '/jetfs-recovered-AbCdEf')
    env = {**os.environ, 'TMPDIR': tmp}
    h.ok(named(doctor(env=env), 'leftovers', 'note', 'jetfs-recovered-AbCdEf', 'rm -r'), 'a leftover copy: doctor says so')
    with open(tmp + '/jetfs-recovered-AbCdEf/x', 'wb'):
        h.ok('leftovers' in doctor(env=env)[2], 'a copy in use is no leftover')


def fake_status(work, name, **changes):
    """A mount point whose status was written by a driver that is this process."""
    with open('/proc/self/stat', encoding='ascii') as f:
        ticks = int(f.read().rsplit(')', 1)[1].split()[19])
    path = os.path.join(work, name)
    os.mkdir(path)
    status = {'version': 1, 'state': 'running', 'result': {'name': 'running', 'exit': 7, 'text': 'it runs'},
              'mountpoint': path, 'status_file': path + '.status.json', 'source': '/x',
              'driver': {'pid': os.getpid(), 'start_ticks': ticks}, 'owner': {'live': True, 'pid': os.getpid()},
              'begin': '2026-01-01T00:00:00.000Z', **changes}
    with open(path + '.status.json', 'w', encoding='utf-8') as f:
        json.dump(status, f)
    return path


def told_by_status(work):
    """States of a moment, or of a machine that cannot be changed here: told by the status file."""
    path = fake_status(work, 'dead-driver', driver={'pid': 1, 'start_ticks': 1})
    h.ok(named(doctor(path), 'driver', 'bad', 'is dead', 'no backup', 'jetfs status'), 'dead driver: doctor says so')
    path = fake_status(work, 'set-back', driver={'pid': 1, 'start_ticks': 1}, begin='2999-01-01T00:00:00.000Z')
    h.ok(named(doctor(path), 'clock', 'note', 'set back', 'timedatectl'), 'clock set back: doctor says so')
    path = fake_status(work, 'owner', driver={'pid': 1, 'start_ticks': 1}, owner={'live': True, 'pid': 2 ** 22})
    h.ok(named(doctor(path), 'owner', 'bad', 'owns the database', 'is dead', '--abort'), 'dead owner: doctor says so')


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
    os.chmod(work, 0o755)
    list_instances(load, work)
    busy(load, work)
    lazy(load, work)
    stopped_driver(load, work)
    dead_driver(load, work)
    doctor_of_health(load, work)
    paths(load, work)
    leftovers(load, work)
    told_by_status(work)
    if os.geteuid() == 0:
        mount_command(load, work)
        no_device(load, work)
        status_file(load, work)
        status_disk_fills(load, work)
        preimages_fill(work)
        user_states(load, work)
    else:
        h.skip('the machine and other users', 'needs root, to change what this test sees of them')
    dead_owner(load, work)
    h.done()


main()
