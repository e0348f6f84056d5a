#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the cases of a meson test run: every cmocka test and every TAP line is one case.

Names what was skipped with its reason and what failed, and ends with `N passed, N failed, N skipped`.
Exit 0 only when something passed and nothing failed.
"""
import json
import re
import sys

CMOCKA = re.compile(r'^\[\s*(OK|FAILED|ERROR|SKIPPED)\s*\] ([^\s:]+):?\s*(.*)')
TAP = re.compile(r'^(not )?ok\b\s*\d*\s*-?\s*(.*)$')


def cases(test):
    """(result, name) for each case of one test program, result in 'passed failed skipped'."""
    found = []
    last = ''
    for line in (test.get('stdout') or '').splitlines():
        tap = TAP.match(line)
        cmocka = CMOCKA.match(line)
        if tap:
            name, _, skip = tap[2].partition('# SKIP')
            result = 'failed' if tap[1] else 'skipped' if '# SKIP' in tap[2] else 'passed'
            found.append((result, f'{name.strip()}: {skip.strip()}' if skip else name.strip()))
        elif cmocka and cmocka[1] == 'SKIPPED':
            reason = cmocka[3] or (last if not last.startswith('[') else '') or 'see its output'
            found.append(('skipped', f'{cmocka[2]}: {reason}'))
        elif cmocka and not cmocka[2].isdigit():
            # cmocka names a failed test twice: at once and in its closing list
            case = ('passed' if cmocka[1] == 'OK' else 'failed', cmocka[2])
            if case[0] == 'passed' or case not in found:
                found.append(case)
        last = line.strip()
    return found


def main():
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    lines = []
    with open(sys.argv[1], encoding='utf-8') as log:
        tests = [json.loads(line) for line in log]
    for test in tests:
        found = [c for c in cases(test) if not (c[0] == 'skipped' and c[1].startswith('tests:'))]
        good = test['result'] in ('OK', 'EXPECTEDFAIL', 'SKIP')
        if not good and not any(result == 'failed' for result, _ in found):
            found.append(('failed', f'{test["result"]}, exit {test["returncode"]}'))
        if good and not found:
            found.append(('skipped' if test['result'] == 'SKIP' else 'passed', 'whole program'))
        for result, name in found:
            counts[result] += 1
            if result != 'passed':
                lines.append(f'{result}: {test["name"]}: {name}')
    print('\n'.join(sorted(lines)))
    print(', '.join(f'{count} {result}' for result, count in counts.items()))
    return 0 if counts['passed'] and not counts['failed'] else 1


sys.exit(main())
