import { expect, test } from 'vitest';
import { hostOf, isLoopback, portOf, withPort } from './host-port.ts';

test.each([
  ['127.0.0.1:5052', '127.0.0.1', 5052, '127.0.0.1:7'],
  ['[::1]:5052', '::1', 5052, '[::1]:7'],
  ['worker:0', 'worker', 0, 'worker:7'],
])('%s has the host %s and the port %d', (hostPort, host, port, other) => {
  expect([hostOf(hostPort), portOf(hostPort), withPort(hostPort, 7)]).toEqual([host, port, other]);
});

test('isLoopback recognizes the addresses of this machine', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '[::1]'])
    expect([host, isLoopback(`${host}:1`)]).toEqual([host, true]);
  for (const host of [
    '0.0.0.0',
    '[::]',
    '10.0.0.1',
    'localhost.example.org',
    '127.0.0.1.example.org',
  ])
    expect([host, isLoopback(`${host}:1`)]).toEqual([host, false]);
});
