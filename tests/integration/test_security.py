#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Least privilege: what the driver may do, whose the files are, what a hostile neighbour gets.

Runs in a mount namespace of its own, with a /dev/fuse that everybody may open, as desktop systems have
it, so that an ordinary user can mount whatever this machine's own node allows.
"""
import os
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

USER, OTHER = 65534, 65533
AS_USER = ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups']
AS_OTHER = ['setpriv', f'--reuid={OTHER}', f'--regid={OTHER}', '--clear-groups']


def task_states(pid, field):
    """The values of a field of /proc/PID/task/*/status."""
    values = set()
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/status', encoding='ascii') as f:
            values |= {line.split()[1] for line in f if line.startswith(field + ':')}
    return values


def mount_options(path):
    with open('/proc/self/mounts', encoding='utf-8') as f:
        lines = [line.split() for line in f]
    return next(set(fields[3].split(',')) for fields in lines if fields[1] == path)


def restricted(mount, who):
    pid = mount.pid()
    if not mount.live()['sandbox']:
        h.skip(f'{who}: the driver is restricted', 'built with a sanitizer')
        return
    h.ok(task_states(pid, 'NoNewPrivs') == {'1'}, f'{who}: no thread of the driver can gain rights')
    h.ok(task_states(pid, 'Seccomp') == {'2'}, f'{who}: every thread of the driver is filtered')


def as_root(load, work):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    restricted(mount, 'root')
    options = mount_options(mount.path)
    h.ok({'ro', 'nosuid', 'nodev', 'noexec'} <= options, 'mounted ro,nosuid,nodev,noexec', options)
    h.ok('allow_other' not in options, 'nobody else is let in unless asked for', options)
    modes = {name: os.stat(os.path.join(mount.path, name)) for name in os.listdir(mount.path)}
    h.ok(all(stat.S_IMODE(st.st_mode) == 0o400 and st.st_uid == os.geteuid()
             for st in modes.values()), 'every file is 0400 of who mounted', modes)
    h.copy_cp(mount.path, os.path.join(work, 'copy'))
    code, out = mount.umount()
    h.ok(code == h.COMPLETE, 'and a copy is complete', out)


# ---- an ordinary user ----

class UserMount(h.Mount):
    """A mount of the ordinary user. What looks inside has to be that user as well."""

    def __init__(self, source, mountpoint):
        self.path = mountpoint
        self.code, self.out = h.run(*AS_USER, h.JETFS, source, mountpoint, timeout=h.DEADLINE_S)
        if self.code != 0:
            raise RuntimeError(f'jetfs as uid {USER}: exit {self.code}\n{self.out}')
        h._mounts.append(self.path)

    def live(self):
        return self.status()

    def umount(self, *options):
        result = h.run(*AS_USER, h.JETFS, 'umount', self.path, *options, timeout=h.DEADLINE_S)
        if not os.path.ismount(self.path) and self.path in h._mounts:
            h._mounts.remove(self.path)
        return result


def is_mounted(path):
    with open('/proc/self/mounts', encoding='utf-8') as f:
        return any(line.split()[1] == path for line in f)


def gone(mount):
    h.wait_for(lambda: not is_mounted(mount.path), 'the mount to go')
    h._mounts.remove(mount.path)
    return True


def children(pid):
    code, out = h.run('ps', '-o', 'pid=', '--ppid', str(pid))
    return [int(word) for word in out.split()] if code == 0 else []


def user_dir(work):
    path = os.path.join(work, 'user')
    os.mkdir(path)
    os.chown(path, USER, USER)
    for name in ('mnt', 'copy'):
        os.mkdir(os.path.join(path, name))
        os.chown(os.path.join(path, name), USER, USER)
    return path


def user_load(directory):
    db = os.path.join(directory, 'db')
    process = subprocess.Popen([*AS_USER, h.JETLOAD, '--service', '--rate', '50', '--ledger',
                                os.path.join(directory, 'ledger'), db],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    h._processes.append(process)
    h.wait_for(lambda: os.path.exists(os.path.join(db, 'edb.backup')), 'the service of jetload')
    return process, db


def as_user(work):
    code, out = h.run(*AS_USER, h.JETFS, '--version')
    if code != 0:
        h.skip('an ordinary user', f'uid {USER} cannot run {h.JETFS}: {out.strip()}')
        return
    directory = user_dir(work)
    load, db = user_load(directory)
    mnt = os.path.join(directory, 'mnt')

    mount = UserMount(db, mnt)
    restricted(mount, 'user')
    code, out = h.run(*AS_USER, 'cp', '-a', mnt + '/.', os.path.join(directory, 'copy'))
    h.ok(code == 0, 'user: copies the mount', out)
    code, out = h.run(*AS_OTHER, 'ls', mnt)
    h.ok(code != 0, 'user: another user cannot look inside', out)
    code, out = h.run(*AS_OTHER, h.JETFS, db, os.path.join(work, 'elsewhere'))
    h.ok(code == h.ENVIRONMENT, 'user: another user cannot begin a session', out)
    code, out = mount.umount()
    h.ok(code == h.COMPLETE and not is_mounted(mnt), 'user: the copy is complete', out)

    mount = UserMount(db, mnt)
    code, out = mount.umount('--abort')
    h.ok(code == h.INCOMPLETE and gone_or_not(mnt), 'user: abort unmounts, without root', out)

    mount = UserMount(db, mnt)
    driver = mount.pid()
    helpers = children(driver)
    os.kill(driver, signal.SIGTERM)
    h.ok(gone(mount), 'user: a signal ends the session and the mount')
    h.wait_for(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in [driver, *helpers]),
               'the driver and its child to end')

    mount = UserMount(db, mnt)
    driver = mount.pid()
    helpers = children(driver)
    os.kill(driver, signal.SIGKILL)
    h.wait_for(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in [driver, *helpers]),
               'the driver and its child to end')
    code, out = h.run(*AS_USER, 'ls', mnt)
    h.ok(code != 0 and is_mounted(mnt), 'user: a killed driver leaves errors, not an empty directory',
         out)
    code, out = mount.umount()
    h.ok(code == h.DRIVER_DIED and not is_mounted(mnt), 'user: umount cleans up after it', out)

    mount = UserMount(db, mnt)
    load.kill()
    load.wait()
    h.ok(gone(mount), 'user: the death of the owner ends the mount')
    h.wait_for(lambda: mount.status()['state'] == 'done', 'the final status')
    h.ok(mount.status()['result']['exit'] == h.ABORTED_BY_SERVER, 'user: and the status says so')


def gone_or_not(path):
    h.wait_for(lambda: not is_mounted(path), 'the mount to go')
    return True


# ---- a hostile directory for the status file ----

def plant_link(path, victim):
    os.symlink(victim, path)


def plant_hard_link(path, victim):
    os.link(victim, path)


def plant_fifo(path, _):
    os.mkfifo(path)


def plant_dangling(path, _):
    os.symlink(path + '.nowhere', path)


def plant_huge(path, _):
    with open(path, 'wb') as f:
        f.truncate(1 << 40)


def plant_nested(path, _):
    with open(path, 'w', encoding='ascii') as f:
        f.write('[' * 1000000)


def hostile(load, work):
    """Whatever lies at the status file's name: the result gets there, and nothing else changes."""
    for plant in (plant_link, plant_hard_link, plant_fifo, plant_dangling, plant_huge,
                  plant_nested):
        what = plant.__name__[6:]
        directory = os.path.join(work, 'hostile-' + what)
        os.mkdir(directory)
        victim = os.path.join(directory, 'victim')
        with open(victim, 'w', encoding='ascii') as f:
            f.write('precious')
        plant(os.path.join(directory, 'mnt.status.json'), victim)
        mount = h.Mount(load.dir, os.path.join(directory, 'mnt'))
        h.copy_cp(mount.path, os.path.join(directory, 'copy'))
        code, out = mount.umount()
        with open(victim, encoding='ascii') as f:
            intact = f.read() == 'precious'
        status = os.lstat(mount.path + '.status.json')
        h.ok(code == h.COMPLETE and intact and stat.S_ISREG(status.st_mode) and
             not os.path.exists(mount.path + '.status.json.nowhere'),
             f'a status file that was a {what}: replaced, nothing else touched', out)

    directory = os.path.join(work, 'hostile-directory')
    os.makedirs(os.path.join(directory, 'mnt.status.json'))
    os.mkdir(os.path.join(directory, 'mnt'))
    code, out = h.run(h.JETFS, load.dir, os.path.join(directory, 'mnt'))
    h.ok(code == h.ENVIRONMENT and 'mnt.status.json' in out and 'status=' in out,
         'a status file that is a directory: no mount, and what to do', out)


def main():
    h.need_fuse()
    if os.geteuid() != 0:
        h.skip_all('needs root, to be two users')
    if os.environ.get('JETFS_OWN_NAMESPACE') is None:
        os.environ['JETFS_OWN_NAMESPACE'] = '1'
        os.execvp('unshare', ['unshare', '-m', sys.executable, *sys.argv])
    work = h.scratch()
    os.chmod(work, 0o755)
    node = os.path.join(work, 'fuse')
    os.mknod(node, 0o666 | stat.S_IFCHR, os.stat('/dev/fuse').st_rdev)
    os.chmod(node, 0o666)
    code, out = h.run('mount', '--bind', node, '/dev/fuse')
    usable = code == 0
    load = h.Load(work, '--rate', 50).wait_ready()
    as_root(load, work)
    hostile(load, work)
    if usable:
        as_user(work)
    else:
        h.skip('an ordinary user', 'cannot have a /dev/fuse for all here: ' + out.strip())
    h.ok(load.stop() == 0, 'the databases were never disturbed', load.log())
    h.done()


main()
