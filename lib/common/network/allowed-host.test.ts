import { expect, it } from 'vitest';
import { hostCheck } from './allowed-host.ts';

const isAllowed = hostCheck({ allowed: ['bigtrace.example', '*.Corp.example'] });
const LOOPBACK = '127.0.0.1';
const NETWORK = '10.0.0.7';

it.each([
  ...['127.0.0.1:5001', '10.0.0.7', '[::1]:5001', '[fe80::1]', 'localhost', 'LocalHost:1'],
  ...[
    'localhost.:5001',
    'a.localhost',
    'bigtrace.example:5001',
    'BIGTRACE.example',
    'a.b.corp.example',
  ],
])('%s is allowed on loopback and from the network', (host) => {
  expect([isAllowed(host, LOOPBACK), isAllowed(host, NETWORK)]).toEqual([true, true]);
});

it.each([
  ...['evil.example', 'evil.example:5001', 'localhost.evil.example', '127.0.0.1.evil.example', ''],
  ...[
    'corp.example',
    'xcorp.example',
    'evil.example@localhost',
    'localhost/',
    'localhost:5001:1',
    'a b',
  ],
  ...['127.0.0.1:x', 'x.svc.evil', '[::1', '[evil.example]'],
])('%j is rejected on loopback and from the network', (host) => {
  expect([isAllowed(host, LOOPBACK), isAllowed(host, NETWORK)]).toEqual([false, false]);
});

it.each([
  'orchestrator:5001',
  'bigtrace-worker',
  'bigtrace.team.svc',
  'bigtrace.team.svc.cluster.local',
])('%s, a name of a service, is allowed from the network only', (host) => {
  expect([
    isAllowed(host, LOOPBACK),
    isAllowed(host, '::ffff:127.0.0.1'),
    isAllowed(host, NETWORK),
  ]).toEqual([false, false, true]);
});
