import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { thisMachine, withinGroups } from './machine.ts';

const GIB = 2 ** 30;
const HOST = { cores: 8, memoryBytes: 32 * GIB };

function within(files: Record<string, string>) {
  return withinGroups(HOST, (path) => files[path]);
}

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';
const V1 = [
  '31 23 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory',
  '32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct',
].join('\n');

test('without control groups the whole machine is available', () => {
  expect(within({})).toEqual(HOST);
  expect(within({ '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': V2 })).toEqual(HOST);
});

test('version 2: the bounds of the root group apply, as in a container', () => {
  const files = {
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': V2,
    '/sys/fs/cgroup/memory.max': `${2 * GIB}\n`,
    '/sys/fs/cgroup/cpu.max': '150000 100000\n',
  };
  expect(within(files)).toEqual({ cores: 2, memoryBytes: 2 * GIB });
  const unbounded = {
    '/sys/fs/cgroup/memory.max': 'max\n',
    '/sys/fs/cgroup/cpu.max': 'max 100000\n',
  };
  expect(within({ ...files, ...unbounded })).toEqual(HOST);
});

test('version 2: the lowest bound of the group and its parents applies', () => {
  const files = {
    '/proc/self/cgroup': '0::/a.slice/b.service\n',
    '/proc/self/mountinfo': V2,
    '/sys/fs/cgroup/a.slice/memory.max': `${3 * GIB}\n`,
    '/sys/fs/cgroup/a.slice/b.service/memory.max': `${5 * GIB}\n`,
    '/sys/fs/cgroup/a.slice/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/a.slice/b.service/cpu.max': '10000 100000\n',
  };
  expect(within(files)).toEqual({ cores: 1, memoryBytes: 3 * GIB });
});

test('version 1: the bounds of each controller come from its own hierarchy', () => {
  const files = {
    '/proc/self/cgroup': '5:cpu,cpuacct:/jobs/one\n4:memory:/jobs\n1:name=systemd:/\n0::/\n',
    '/proc/self/mountinfo': V1,
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': `${GIB}\n`,
    '/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us': '300000\n',
    '/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us': '100000\n',
  };
  expect(within(files)).toEqual({ cores: 3, memoryBytes: GIB });
});

test('version 1: a path of the host is resolved below the mounted group of the container', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/docker/abc/inner\n',
    '/proc/self/mountinfo':
      '31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${GIB}\n`,
    '/sys/fs/cgroup/memory/inner/memory.limit_in_bytes': `${GIB / 2}\n`,
  };
  expect(within(files).memoryBytes).toBe(GIB / 2);
  expect(within({ ...files, '/proc/self/cgroup': '4:memory:/docker/abcd\n' }).memoryBytes).toBe(
    GIB,
  );
});

test('thisMachine returns at least one core and some memory', () => {
  const { cores, memoryBytes } = thisMachine();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(memoryBytes).toBeGreaterThan(0);
  expect(memoryBytes).toBeLessThanOrEqual(totalmem());
});
