/** Vitest configuration of the tests of the manifests on a real cluster, which test/cluster/run.sh starts. */
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { POLLING } from './polling.ts';

/** The first files need the system as it was installed; the last one removes it. */
const ORDER = [
  'install',
  'scaling',
  'rollout',
  'oversized',
  'network',
  'passwords',
  'upgrade',
  'autoscaler',
  'deletion-cost',
  'keda',
  'helm',
];

/** Tests that take more time than the gate has, by name, such as `logs`. */
const MORE = (process.env['CLUSTER_MORE'] ?? '').split(' ').filter((name) => name !== '');

const placeOf = ({ moduleId }: TestSpecification): number =>
  ORDER.indexOf(basename(moduleId, '.cluster-test.ts'));

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/cluster/deploy.ts'],
    include:
      MORE.length > 0
        ? MORE.map((name) => `test/cluster/more/${name}.cluster-test.ts`)
        : ['test/cluster/*.cluster-test.ts'],
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    sequence: { sequencer: InOrder },
  },
});
