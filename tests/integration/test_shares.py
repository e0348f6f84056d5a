#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A mount served on by Samba and by an NFS server, each on the loopback with its own configuration,
copied by a client, complete, restored and compared with the ledger."""
import os
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

SMB = '''[global]
    smb ports = {port}
    interfaces = lo
    bind interfaces only = yes
    server role = standalone server
    map to guest = bad user
    disable spoolss = yes
    load printers = no
    rpc start on demand helpers = no
    log file = {dir}/log
    private dir = {dir}
    state directory = {dir}
    cache directory = {dir}
    lock directory = {dir}
    pid directory = {dir}
    ncalrpc dir = {dir}/rpc
[app]
    path = {mnt}
    read only = {read_only}
    guest ok = yes
    force user = root
'''

NFS = '''NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Bind_addr = 127.0.0.1; Enable_NLM = false;
    Enable_RQUOTA = false; }}
NFSv4 {{ RecoveryRoot = "{dir}"; RecoveryBackend = fs; Graceless = true; Only_Numeric_Owners = true; }}
NFS_KRB5 {{ Active_krb5 = false; }}
EXPORT {{ Export_Id = 71; Path = {mnt}; Pseudo = /app; Access_Type = RW; Protocols = 4; SecType = sys;
    Squash = All_Squash; Anonymous_Uid = 0; Anonymous_Gid = 0; Filesystem_Id = 71.1;
    FSAL {{ Name = VFS; }} }}
'''


class Server:
    """A server on a free port, in a session of its own: some end their whole process group."""

    def __init__(self, directory, mnt, template, *command, **words):
        self.dir = directory
        os.makedirs(directory)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.conf = os.path.join(directory, 'conf')
        self.output = os.path.join(directory, 'output')
        with open(self.conf, 'w', encoding='utf-8') as f:
            f.write(template.format(port=self.port, dir=directory, mnt=mnt, **words))
        with open(self.output, 'wb') as out:
            self.process = subprocess.Popen(
                [word.format(dir=directory, conf=self.conf) for word in command], stdout=out,
                stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        h.wait_for(self.answers, command[0])

    def answers(self):
        try:
            socket.create_connection(('127.0.0.1', self.port), 5).close()
            return True
        except OSError:
            if self.process.poll() is not None:
                raise RuntimeError(self.log()) from None
            return False

    def log(self):
        with open(self.output, encoding='utf-8', errors='replace') as f:
            return f.read()[-3000:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def samba(mnt, directory, copy):
    for read_only in ('yes', 'no'):
        server = Server(directory + read_only, mnt, SMB, 'smbd', '--foreground', '--no-process-group',
                        '--debug-stdout', '--configfile={conf}', read_only=read_only)
        try:
            code, out = h.run('smbclient', '//127.0.0.1/app', '-N', '-p', server.port, '-s',
                              server.conf, '-c', f'lcd {copy}; prompt OFF; mget *', timeout=60)
            h.ok(code == 0, f'samba, read only = {read_only}: copied', out + server.log())
            _, out = h.run('smbclient', '//127.0.0.1/app', '-N', '-p', server.port, '-s', server.conf,
                           '-c', f'put {server.conf} new; mkdir x; rm backup.json', timeout=60)
            h.ok(out.count('NT_STATUS_') == 3, f'samba, read only = {read_only}: writing is refused', out)
        finally:
            server.stop()


def nfs(mnt, directory, copy):
    server = Server(directory, mnt, NFS, 'ganesha.nfsd', '-F', '-L', 'STDOUT', '-f', '{conf}', '-p',
                    '{dir}/pid')
    url = f'nfs://127.0.0.1/app{{}}?version=4&nfsport={server.port}'
    try:
        code, out = h.run('nfs-ls', url.format(''), timeout=60)
        names = sorted(line.split()[-1] for line in out.splitlines())
        h.ok(code == 0 and names == sorted(os.listdir(mnt)), 'nfs: listed', out + server.log())
        wrong = []
        for name in names:
            code, out = h.run('nfs-cp', url.format('/' + name), os.path.join(copy, name), timeout=60)
            wrong += [out] if code != 0 else []
        h.ok(not wrong, 'nfs: copied', '\n'.join(wrong) + server.log())
        code, out = h.run('nfs-cp', server.conf, url.format('/new'), timeout=60)
        h.ok(code != 0 and not os.path.exists(mnt + '/new'), 'nfs: writing is refused', out)
    finally:
        server.stop()


def share(load, work, name, serve):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    freeze = mount.freeze()
    copy, target = (os.path.join(work, f'{kind}-{name}') for kind in ('copy', 'restored'))
    os.makedirs(copy)
    serve(mount.path, os.path.join(work, name), copy)
    code, out = h.run('diff', '-r', mount.path, copy)
    h.ok(code == 0, f'{name}: the copy is the mount', out)
    code, out = mount.umount()
    h.ok(code == h.COMPLETE, f'{name}: complete, the server lets go', out)
    code, out = h.run(h.JETFS, 'restore', copy, target)
    load.wait_past(freeze)
    ledger = os.path.join(work, 'ledger-' + name)
    shutil.copy(load.ledger, ledger)
    good, compared = h.check(target, ledger, '--freeze', freeze)
    h.ok(code == 0 and good, f'{name}: restored, exactly the commits before the freeze', out + compared)


def main():
    h.need_fuse()
    if os.geteuid() != 0:
        h.skip_all('the servers need root, to become the user who mounted')
    work = h.scratch()
    load = h.Load(work, '--accounts', 300, '--log-kib', 256, '--rate', 500, '--fill-mib', 3)
    load.wait_ready(100)
    for name, serve, programs in (('samba', samba, ('smbd', 'smbclient')),
                                  ('nfs', nfs, ('ganesha.nfsd', 'nfs-ls', 'nfs-cp'))):
        missing = [p for p in programs if shutil.which(p) is None]
        if missing:
            h.skip(name, f'{", ".join(missing)} not installed: scripts/setup --shares')
        else:
            share(load, work, name, serve)
    with open('/proc/filesystems', encoding='ascii') as f:
        kernel = 'nfsd' in f.read()
    h.skip('the NFS server of the kernel', 'it would need exports of the whole machine; its way to '
           'files, by their handles, is in test_filesystem' if kernel else 'this kernel has no nfsd')
    h.ok(load.stop() == 0, 'jetload ended in order', load.log())
    h.done()


main()
