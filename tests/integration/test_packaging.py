#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What systemd runs, run here without it: one backup job, its failures, what it tells; the units and
the Debian packages themselves."""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
BUILD = os.path.dirname(os.path.dirname(os.path.abspath(h.JETFS)))


class Notify:
    """The manager's end of sd_notify."""

    def __init__(self, work):
        self.path = os.path.join(work, 'notify')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)

    def told(self):
        text = ''
        while True:
            try:
                text += self.socket.recv(4096).decode() + '\n'
            except BlockingIOError:
                return text


def installed_script(work):
    """jetfs-backup-run as it is installed, but with the jetfs under test."""
    path = os.path.join(work, 'jetfs-backup-run')
    with open(os.path.join(BUILD, 'packaging', 'jetfs-backup-run'), encoding='utf-8') as f:
        text = f.read()
    with open(path, 'w', encoding='utf-8') as f:
        f.write(re.sub(r'^jetfs=.*$', 'jetfs=' + h.JETFS, text, flags=re.M))
    os.chmod(path, 0o755)
    return path


class Job:
    def __init__(self, work, load):
        self.script = installed_script(work)
        self.notify = Notify(work)
        self.work = work
        self.env = {'PATH': os.environ['PATH'], 'SOURCE': load.dir, 'NOTIFY_SOCKET': self.notify.path,
                    'RUNTIME_DIRECTORY': os.path.join(work, 'run'),
                    'STATE_DIRECTORY': os.path.join(work, 'state')}
        self.mnt = os.path.join(work, 'run', 'mnt')
        for name in ('run', 'state', 'copy'):
            os.mkdir(os.path.join(work, name))

    def status(self):
        return h.load_json(os.path.join(self.work, 'state', 'status.json'))

    def run(self, **env):
        code, out = h.run(self.script, env={**self.env, **env})
        return code, out, not os.path.ismount(self.mnt)

    def start(self, **env):
        process = subprocess.Popen([self.script], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        h._processes.append(process)
        return process


def jobs(job):
    copy = os.path.join(job.work, 'copy')
    code, out, gone = job.run(COPY=f'cp -a . {copy} && test "$JETFS_MOUNT" = "$PWD"', VERIFY=copy)
    h.ok(code == 0 and gone, 'a job copies, unmounts, verifies', out)
    told = job.notify.told()
    h.ok('READY=1' in told and 'STOPPING=1' in told and 'complete' in told,
         'and tells its manager', told)
    h.ok(job.status()['result']['exit'] == h.COMPLETE, 'its status stays', job.status())

    code, out, gone = job.run(COPY='cat app.edb > /dev/null; exit 23')
    h.ok(code == 1 and gone and 'exit code 23' in out, 'a failed command fails the job', out)
    h.ok(job.status()['result']['exit'] == h.INCOMPLETE, 'and the session is no backup')

    code, out, gone = job.run(COPY='true')
    h.ok(code == h.INCOMPLETE and gone, 'a command that read nothing fails the job', out)

    code, out, gone = job.run(SOURCE=os.path.join(job.work, 'nowhere'), COPY='true')
    h.ok(code == h.ENVIRONMENT and gone, 'no such instance: the job fails', out)

    code, out, gone = job.run(COPY='cp -a . ' + copy, MOUNT_OPTIONS='recovered', UMOUNT_OPTIONS='--quiet')
    h.ok(code == 0 and gone, 'options reach mount and umount', out)

    started = os.path.join(job.work, 'started')
    process = job.start(COPY=f'touch {started}; exec tail -f /dev/null')
    h.wait_for(lambda: os.path.exists(started), 'the copy command')
    process.send_signal(signal.SIGTERM)
    out = process.communicate(timeout=h.DEADLINE_S)[0].decode()
    h.ok(process.returncode == 143 and not os.path.ismount(job.mnt), 'a stopped job unmounts', out)
    h.ok(job.status()['result']['exit'] == h.INCOMPLETE, 'and says that it is no backup')

    code, out, gone = job.run(COPY='cp -a . ' + copy)
    h.ok(code == 0 and gone, 'after all that the next job is complete', out)


def metrics(job):
    path = os.path.join(job.work, 'jetfs.prom')

    def result():
        with open(path, encoding='utf-8') as f:
            return re.search(r'^jetfs_session_result\{.*\} (\d+)$', f.read(), re.M)[1]
    ends = {'0': 'cp -a . ' + os.path.join(job.work, 'copy'), '3': 'true'}
    for wanted, command in ends.items():
        job.notify.told()  # nobody reads it else, and a full socket would stop the driver
        job.run(COPY=command, METRICS=path)
        h.ok(result() == wanted, f'the metrics of a job that ends with {wanted}', result())
    job.notify.told()
    empty = os.path.join(job.work, 'empty')
    os.mkdir(empty)
    job.run(SOURCE=empty, COPY='true', METRICS=path)
    h.ok(result() == '1', 'and of one that could not mount', result())


def units(work):
    if shutil.which('systemd-analyze') is None:
        h.skip('the units', 'no systemd-analyze here')
        return
    unit = os.path.join(work, 'jetfs-backup@job.service')
    with open(os.path.join(BUILD, 'packaging', 'jetfs-backup@.service'), encoding='utf-8') as f:
        text = f.read()
    with open(unit, 'w', encoding='utf-8') as f:
        f.write(re.sub(r'^ExecStart=.*$', 'ExecStart=/bin/true', text, flags=re.M))
    timer = os.path.join(work, 'jetfs-backup@job.timer')
    shutil.copy(os.path.join(ROOT, 'packaging', 'systemd', 'jetfs-backup@.timer'), timer)
    code, out = h.run('systemd-analyze', '--man=no', 'verify', unit, timer)
    h.ok(code == 0 and 'job' not in out, 'systemd has nothing to say against the units', out)
    code, out = h.run('systemd-analyze', 'security', '--offline=true', '--threshold=40',
                      '--no-pager', unit)
    h.ok(code == 0, 'the service is exposed less than 4.0', out[-600:])


def contents(deb):
    _, out = h.run('dpkg-deb', '-c', deb)
    return {line.split()[5][1:] for line in out.splitlines()}


def packages(work):
    if shutil.which('dpkg-buildpackage') is None or shutil.which('dh') is None:
        h.skip('the Debian packages', 'no dpkg-buildpackage or debhelper here: scripts/setup --debian')
        return
    if h.run('git', '-C', ROOT, 'rev-parse', 'HEAD')[0] != 0:
        h.skip('the Debian packages', 'not a git checkout')
        return
    out_dir = os.path.join(work, 'packages')
    code, out = h.run(os.path.join(ROOT, 'scripts', 'package'), out_dir, timeout=900)
    if not h.ok(code == 0, 'scripts/package builds', out):
        return
    debs = {os.path.basename(deb).split('_')[0]: deb
            for deb in glob.glob(out_dir + '/*.deb') if 'dbgsym' not in deb}
    h.ok(set(debs) == {'jetfs', 'libesent0', 'libesent-dev'}, 'three packages', debs)
    files = contents(debs['jetfs'])
    h.ok({'/usr/bin/jetfs', '/usr/sbin/umount.fuse.jetfs', '/usr/libexec/jetfs/jetfs-backup-run',
          '/usr/lib/systemd/system/jetfs-backup@.service', '/usr/share/man/man1/jetfs.1.gz'} <= files,
         'jetfs has program, helper, units and manual', files)
    root = os.path.join(work, 'root')
    for name in debs:
        h.run('dpkg-deb', '-x', debs[name], root)
    lib = glob.glob(root + '/usr/lib/*/libesent.so.0')
    env = {**os.environ, 'LD_LIBRARY_PATH': os.path.dirname(lib[0])}
    code, out = h.run(root + '/usr/bin/jetfs', '--version', env=env)
    h.ok(code == 0 and out.startswith('jetfs '), 'the packaged program runs', out)
    source = os.path.join(work, 'user.c')
    with open(source, 'w', encoding='ascii') as f:
        f.write('#include <esentx.h>\n#include <stdio.h>\n'
                'int main(void) { puts(JetxErrorName(JET_errNoBackup)); return 0; }\n')
    code, out = h.run('gcc', '-I' + root + '/usr/include', source, '-o', work + '/user',
                      '-L' + os.path.dirname(lib[0]), '-lesent')
    h.ok(code == 0, 'a program compiles and links with libesent-dev', out)
    code, out = h.run(work + '/user', env=env)
    h.ok(out.strip() == 'JET_errNoBackup', 'and runs with libesent0', out)


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--rate', 50).wait_ready()
    job = Job(work, load)
    jobs(job)
    metrics(job)
    h.ok(load.stop() == 0, 'the database was never disturbed', load.log())
    units(work)
    packages(work)
    h.done()


main()
